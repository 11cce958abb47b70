package comparison

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/artifact"
)

// onnxData is networks that PyTorch exported, and the activations that it computed itself;
// see make.py beside them.
const onnxData = "../../testdata/onnx/"

// noise leaves images of noise in a folder.
func noise(t *testing.T, count int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range count {
		rnd := rand.New(rand.NewPCG(1, uint64(i)))
		m := image.NewRGBA(image.Rect(0, 0, 20, 18))
		for k := range 20 * 18 {
			m.Set(k%20, k/20, color.RGBA{uint8(rnd.Uint32()), uint8(rnd.Uint32()), uint8(i * 20), 255})
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		if err == nil {
			err = png.Encode(f, m)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// quick is an analysis of a second or so.
var quick = results.Analysis{Draws: 5, Shuffles: 3, Lambdas: []float64{0.1}}

// TestNetworksAndActivations runs networks, and reads the activations that PyTorch computed
// of the same inputs: the figures agree but for last digits.
func TestNetworksAndActivations(t *testing.T) {
	run := compared(t, activations{
		source.Options{Networks: []string{onnxData + "a.onnx", onnxData + "b.onnx"}, Run: source.Run{Inputs: onnxData + "images.npz"}},
		Options{Analysis: quick, Out: t.TempDir()}})
	given := compared(t, activations{
		source.Options{Networks: []string{onnxData + "a.npz", onnxData + "b.npz"}, Layouts: arrays.Layouts{arrays.NCHW}},
		Options{Analysis: quick, Out: t.TempDir()}})
	if len(run.Layers) != 5 || len(given.Layers) != 5 {
		t.Fatalf("%d layers of networks, %d of activations", len(run.Layers), len(given.Layers))
	}
	near := func(name string, a, b float64) {
		t.Helper()
		if !(math.Abs(a-b) < 1e-4*max(1, math.Abs(b))) {
			t.Errorf("%s: networks give %v, activations %v", name, a, b)
		}
	}
	for i, l := range run.Layers {
		g := given.Layers[i]
		p, q := l.Pairs[0], g.Pairs[0]
		if l.Rows != g.Rows || fmt.Sprint(l.Positions, l.Units, p.Bipartite.Partner) != fmt.Sprint(g.Positions, g.Units, q.Bipartite.Partner) {
			t.Errorf("%s: %d rows, %v positions, %v units, partners %v", l.Name, l.Rows, l.Positions, l.Units, p.Bipartite.Partner)
		}
		near(l.Name+": semi-matching", p.Semi.Mean, q.Semi.Mean)
		near(l.Name+": bipartite matching", p.Bipartite.Mean, q.Bipartite.Mean)
		for _, name := range []string{"cka", "linear_ab", "procrustes", "best_ba", "matched"} {
			near(l.Name+": "+name, *p.Measures[name].Value, *q.Measures[name].Value)
		}
	}
	for i, row := range run.Grids[0].CKA {
		for j, v := range row {
			near(fmt.Sprint("grid ", i, j), *v, *given.Grids[0].CKA[i][j])
		}
	}
}

// TestNetworksOnImages: a network is itself, what images went through is recorded, patches
// and networks before training are there, and moments of the same agree.
func TestNetworksOnImages(t *testing.T) {
	images := noise(t, 12)
	in := source.Options{Networks: []string{onnxData + "a.onnx", onnxData + "a.onnx", onnxData + "b.onnx"}, Baseline: []string{onnxData + "a0.onnx", onnxData + "a0.onnx", onnxData + "b0.onnx"},
		Only: []string{"relu*"}, Run: source.Run{Data: images, Samples: 11, Presets: []string{"caffe"}}}
	o := Options{Analysis: quick, Out: t.TempDir()}
	res := compared(t, activations{in, o})
	for _, l := range res.Layers {
		p := l.Pairs[0]
		for u, partner := range p.Bipartite.Partner {
			if partner >= 0 && partner != u {
				t.Errorf("%s: unit %d of a network is matched with %d of itself", l.Name, u, partner)
			}
		}
		if v := p.Bipartite.Mean; math.Abs(v-1) > 1e-6 {
			t.Errorf("%s: a network matches itself by %v", l.Name, v)
		}
		if v := l.Pairs[1].Bipartite.Mean; v > 0.99 {
			t.Errorf("%s: another network matches by %v", l.Name, v)
		}
		var names []string
		for _, null := range l.Convergence.Nulls {
			names = append(names, null.Name)
		}
		if got := fmt.Sprint(names); got != "[rotation rotation_before shuffle untrained]" {
			t.Errorf("%s: nulls %s", l.Name, got)
		}
		if patches, err := results.OpenPatches(filepath.Join(o.Out, "layers", artifact.FileName(l.Name))); err != nil || len(patches) != 3 {
			t.Errorf("%s: patches of %d networks: %v", l.Name, len(patches), err)
		}
	}
	written, err := results.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if f := written.Filters; len(f) != 3 || len(f[0]) != 6 || len(f[2]) != 7 || f[2][0].Bounds().Dx() != 3 {
		t.Errorf("filters of %d networks", len(f))
	}
	a := res.Config.Activations
	if len(res.Layers) != 2 || len(a.Preprocess) != 3 || a.Preprocess[0].Preset != "caffe" || a.Preprocess[0].Order != "bgr" || fmt.Sprint(a.Preprocess[0].Crop) != "[16 16]" || a.Samples != 11 || a.Data != filepath.Base(images) {
		t.Errorf("%d layers; %+v", len(res.Layers), a)
	}
	again := o
	again.Out = t.TempDir()
	again.Threads = 1
	if got, want := asJSON(t, compared(t, activations{in, again})), asJSON(t, res); got != want {
		t.Error("another number of threads gives other results")
	}

	in.Baseline = nil
	alone := compared(t, activations{in, Options{Analysis: results.Analysis{Draws: 3, Shuffles: 3, Between: true}, Out: t.TempDir()}})
	for i, l := range alone.Layers { // for which networks are run anew
		for k, p := range l.Pairs {
			if want := res.Layers[i].Pairs[k].Bipartite; math.Abs(p.Bipartite.Mean-want.Mean) > 1e-6 || !slices.Equal(p.Bipartite.Partner, want.Partner) {
				t.Errorf("%s: networks %d and %d match by %v with -between, %v without", l.Name, p.A, p.B, p.Bipartite.Mean, want.Mean)
			}
		}
		if len(l.Convergence.Nulls) != 2 {
			t.Errorf("%s: %d nulls", l.Name, len(l.Convergence.Nulls))
		}
	}
	files, err := Accumulate(context.Background(), in, Options{}, filepath.Join(t.TempDir(), "moments"))
	if err != nil {
		t.Fatal(err)
	}
	moments := compared(t, activations{source.Options{Networks: files}, Options{Analysis: quick, Out: t.TempDir()}})
	for i, l := range moments.Layers {
		if got, want := *l.Pairs[1].Measures["cka"].Value, *res.Layers[i].Pairs[1].Measures["cka"].Value; !(math.Abs(got-want) <= 1e-6) { // summed as samples come, not by groups
			t.Errorf("%s: CKA %v of moments, %v of networks", l.Name, got, want)
		}
	}
}
