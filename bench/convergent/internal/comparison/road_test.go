package comparison

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
	"github.com/convergent-go/convergent/corr"
)

// export writes what PyTorch users would: an .npz for each network, now before the ReLU, and before
// training, with an array for each layer, samples x height x width x units, and what images
// are called and of which classes.
func export(t *testing.T, s source.Source, dir string) (networks, inputs, baseline []string) {
	t.Helper()
	d := s.Description()
	data := make(map[string][]float32) // by file and layer
	for b, err := range s.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for state, nets := range map[string][][]source.Tensor{"": b.Networks, "inputs-": b.BeforeReLU, "untrained-": b.Baseline} {
			for n, layers := range nets {
				for k, tensor := range layers {
					key := fmt.Sprint(state, n, "/", k)
					data[key] = append(data[key], tensor.Data...)
				}
			}
		}
	}
	for n, network := range d.Networks {
		for _, state := range []string{"", "inputs-", "untrained-"} {
			path := filepath.Join(dir, fmt.Sprintf("%snet%d.npz", state, n))
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			z := zip.NewWriter(f)
			array := func(name, descr, shape string, data []byte) {
				header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
				header += strings.Repeat(" ", 117-len(header)) + "\n"
				text := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
				w, err := z.Create(name + ".npy")
				if err == nil {
					_, err = w.Write(slices.Concat(text, []byte(header), data))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			for k, l := range network.Layers {
				var values []byte
				for _, v := range data[fmt.Sprint(state, n, "/", k)] {
					values = binary.LittleEndian.AppendUint32(values, math.Float32bits(v))
				}
				array(l.Name, "<f4", fmt.Sprintf("%d, %d, %d, %d", d.Samples, l.Extents[0], l.Extents[1], l.Units), values)
			}
			array("image_ids", "|S16", fmt.Sprint(d.Samples, ","), []byte(strings.Join(d.ImageNames, "")))
			var classes []byte
			for _, c := range d.Classes {
				classes = append(classes, byte(c))
			}
			array("classes", "|u1", fmt.Sprint(d.Samples, ","), classes)
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			switch state {
			case "":
				networks = append(networks, path)
			case "inputs-":
				inputs = append(inputs, path)
			default:
				baseline = append(baseline, path)
			}
		}
	}
	return networks, inputs, baseline
}

// asJSON is what results.json would hold.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// momentsOnly takes from a layer what moments cannot give.
func momentsOnly(l results.Layer) results.Layer {
	value := func(m results.Measure, null bool) results.Measure {
		if null {
			return results.Measure{Value: m.Value, Networks: m.Networks, Null: m.Null, P: m.P, Draws: m.Draws}
		}
		return results.Measure{Value: m.Value}
	}
	l.Samples, l.Positions, l.Descent = nil, nil, nil
	convergence := *l.Convergence
	convergence.Matched = value(convergence.Matched, true)
	rotation := convergence.Nulls[0]
	rotation.Untrained, rotation.Gain = nil, nil
	convergence.Matched.Null, convergence.Matched.P, convergence.Matched.Draws = &rotation.Mean, rotation.P, rotation.Draws
	convergence.Nulls, convergence.HeldOut = []results.MatchedNull{rotation}, nil
	// These follow from the strictest rotation, which moments do not know.
	convergence.Converged, convergence.Features, convergence.Recurrence = nil, nil, nil
	l.Convergence = &convergence
	l.Subspaces = &results.Subspaces{Predictions: []results.Prediction{}, TermCounts: []results.TermCount{}, ClusterSizes: l.Subspaces.ClusterSizes}
	basis := *l.Basis
	basis.Index, basis.AxesIndex, basis.UntrainedIndex = value(basis.Index, true), value(basis.AxesIndex, true), nil
	basis.Gain = nil
	l.Basis = &basis
	activity := *l.Activity
	activity.Distance, activity.Untrained, activity.Initial, activity.Gain = value(activity.Distance, true), nil, nil, nil
	if e := activity.Equivalence; e != nil && e.Over == "images" {
		activity.Equivalence = nil
	}
	l.Activity = &activity
	pairs := make([]results.Pair, len(l.Pairs))
	for i, p := range l.Pairs {
		measures := make(map[string]results.Measure)
		for name, m := range p.Measures {
			if !strings.HasPrefix(name, "cv_") {
				measures[name] = value(m, false)
			}
		}
		p.Measures = measures
		pairs[i] = p
	}
	l.Pairs = pairs
	measures := make(map[string]results.Measure)
	for name, m := range l.Measures {
		if !strings.HasPrefix(name, "cv_") {
			measures[name] = results.Measure{Value: m.Value, Networks: m.Networks}
		}
	}
	l.Measures, l.Geometry = measures, nil
	return l
}

// TestOneRoad runs trained networks, their exported activations and their files of moments
// through the road: each gives the same figures as far as what it has allows.
func TestOneRoad(t *testing.T) {
	o := tiny(filepath.Join(t.TempDir(), "trained"))
	o.Images, o.Nets = 24, 3
	trained := reproduce(t, o)

	networks, err := train.New(train.Options{Training: o.Training})
	if err != nil {
		t.Fatal(err)
	}
	if err := networks.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	folder, err := results.OpenFolder(o.Out, trained.Config, nil, "", false)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if _, err := networks.Train(context.Background(), folder); err != nil {
		t.Fatal(err)
	}
	s, err := networks.Source()
	if err != nil {
		t.Fatal(err)
	}
	files, inputs, baseline := export(t, s, t.TempDir())
	to := o.Options
	to.Out = t.TempDir()
	given := compared(t, activations{source.Options{Networks: files, BeforeReLU: inputs, Baseline: baseline, Layouts: arrays.Layouts{arrays.NHWC}}, to})
	if len(given.Layers) != len(trained.Layers) {
		t.Fatalf("%d layers of activations, %d of networks", len(given.Layers), len(trained.Layers))
	}
	for i, l := range trained.Layers {
		// What the ReLU made of the networks before training, there is no way to give.
		convergence := *l.Convergence
		convergence.Nulls = slices.Clone(convergence.Nulls)
		convergence.Nulls[1].Untrained, convergence.Nulls[1].Gain = nil, nil
		l.Convergence = &convergence
		if got, want := asJSON(t, given.Layers[i]), asJSON(t, l); got != want {
			t.Errorf("%s: activations give\n%.2000s\nnetworks\n%.2000s", l.Name, firstDifference(got, want), firstDifference(want, got))
		}
	}
	if got, want := asJSON(t, given.Grids), asJSON(t, trained.Grids); got != want {
		t.Error("the grids differ")
	}

	// A run's own files of moments.
	var moments []string
	for _, l := range trained.Layers {
		moments = append(moments, filepath.Join(o.Out, "layers", l.Name, results.MomentsFile))
	}
	to.Out = t.TempDir()
	alone := compared(t, activations{source.Options{Networks: moments}, to})
	for i, l := range trained.Layers {
		l := momentsOnly(l)
		// Clusters are chosen and measured on the same observations, where there are no images.
		if own := trained.Layers[i].Subspaces.Angles; own != nil && alone.Layers[i].Subspaces.Angles == nil {
			t.Errorf("%s: no canonical correlation of clusters, where networks have %v", l.Name, *own.Value)
		}
		alone.Layers[i].Subspaces.Angles, alone.Layers[i].Subspaces.Clustered = nil, nil
		alone.Layers[i].Convergence.Converged, alone.Layers[i].Convergence.Features, alone.Layers[i].Convergence.Recurrence = nil, nil, nil
		if got, want := asJSON(t, alone.Layers[i]), asJSON(t, l); got != want {
			t.Errorf("%s: %s gives\n%.2000s\nnetworks\n%.2000s", l.Name, moments[i], firstDifference(got, want), firstDifference(want, got))
		}
	}

	// What the command moments writes, which are summed as the samples come and not by groups of
	// images, differs from these by rounding.
	written, err := Accumulate(context.Background(), source.Options{Networks: files, Layouts: arrays.Layouts{arrays.NHWC}}, Options{}, filepath.Join(t.TempDir(), "moments"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range written {
		own, other := loadMoments(t, moments[i]), loadMoments(t, path)
		if own.Count() != other.Count() {
			t.Errorf("%s: %d observations, want %d", path, other.Count(), own.Count())
		}
		for a := range own.Networks() {
			for b := range own.Networks() {
				if !mat.EqualApprox(corr.ZeroNaN(own.Correlation(nil, a, b)), corr.ZeroNaN(other.Correlation(nil, a, b)), 1e-7) {
					t.Errorf("%s: correlations of networks %d and %d differ", path, a, b)
				}
			}
		}
	}
}

func loadMoments(t *testing.T, path string) *corr.Moments {
	t.Helper()
	m, err := corr.LoadMoments(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// firstDifference is where a text begins to differ from another.
func firstDifference(text, other string) string {
	at := 0
	for at < len(text) && at < len(other) && text[at] == other[at] {
		at++
	}
	return text[max(0, at-200):min(len(text), at+300)]
}

// TestRowOrder compares the same samples in two orders, one of them sorted by class, as
// folders of images give them: no figure depends on it.
func TestRowOrder(t *testing.T) {
	const samples, units, classes = 200, 6, 5
	order := rand.New(rand.NewPCG(1, 1)).Perm(samples)
	sorted := slices.Clone(order)
	slices.SortStableFunc(sorted, func(a, b int) int { return a%classes - b%classes })
	var layers [2]results.Layer
	for k, rows := range [][]int{order, sorted} {
		dir := t.TempDir()
		in := func(name string) string { return filepath.Join(dir, name) }
		value := func(net int) func(i, j int) float64 {
			return func(i, j int) float64 {
				i = rows[i]
				noise := rand.New(rand.NewPCG(uint64(i), uint64(100*net+j))).NormFloat64()
				return float64((i%classes+j)%classes) + rand.New(rand.NewPCG(uint64(i), uint64(j))).NormFloat64() + noise
			}
		}
		ids := integers(t, in("ids.npy"), func(i int) int64 { return int64(rows[i]) }, samples)
		class := integers(t, in("classes.npy"), func(i int) int64 { return int64(rows[i] % classes) }, samples)
		o := activations{
			source.Options{Networks: []string{write(t, in("a.npy"), samples, units, value(0)), write(t, in("b.npy"), samples, units, value(1))},
				SampleIDs: []string{ids, ids}, Classes: []string{class, class}},
			Options{Analysis: results.Analysis{Draws: 9, Shuffles: 19}, Out: in("out")},
		}
		layers[k] = compared(t, o).Layers[0]
	}
	x, y := layers[0], layers[1]
	same := func(name string, a, b results.Measure) {
		t.Helper()
		figures := func(m results.Measure) []*float64 {
			all := []*float64{m.Value, m.Null, m.P}
			if m.Images != nil {
				all = append(all, &m.Images.Low, &m.Images.High)
			}
			return all
		}
		for k, v := range figures(a) {
			w := figures(b)[k]
			if (v == nil) != (w == nil) || v != nil && math.Abs(*v-*w) > 1e-5 {
				t.Errorf("%s, figure %d: %v and %v", name, k, *v, *w)
			}
		}
	}
	for name, m := range x.Pairs[0].Measures {
		same(name, m, y.Pairs[0].Measures[name])
	}
	for i, p := range x.Subspaces.Predictions {
		same("held out", p.R2, y.Subspaces.Predictions[i].R2)
	}
	same("matched", x.Convergence.Matched, y.Convergence.Matched)
	same("index", x.Basis.Index, y.Basis.Index)
	same("activity", x.Activity.Distance, y.Activity.Distance)
	if cka := x.Pairs[0].Measures["cka"]; *cka.Null > *cka.Value/3 || *cka.P != 0.05 {
		t.Errorf("CKA %v, of exchanged images %v, p %v", *cka.Value, *cka.Null, *cka.P)
	}
}
