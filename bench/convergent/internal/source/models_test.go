package source

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// torch is what PyTorch exported, and made of images.npz and tokens.npz; see make.py there.
const torch = "../../testdata/onnx/"

// pictureZip writes images of noise, of classes in turn and of several sizes.
func pictureZip(t *testing.T, count int, change func(name string, file []byte) []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "images.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for i := range count {
		m := image.NewRGBA(image.Rect(0, 0, 20+i%3, 18+i%5))
		for k := range m.Rect.Dx() * m.Rect.Dy() {
			m.Set(k%m.Rect.Dx(), k/m.Rect.Dx(), color.RGBA{uint8(k*k + 31*i), uint8(7*k + k*i), uint8(11 * k * k), 255})
		}
		var file bytes.Buffer
		if err := png.Encode(&file, m); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("class%d/%d.png", i%2, i)
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		content := file.Bytes()
		if change != nil {
			content = change(name, content)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// all gathers what a source hands out of its networks.
func all(t *testing.T, s Source, of func(b *Batch) [][]Tensor) [][]Tensor {
	t.Helper()
	var sum [][]Tensor
	for b, err := range s.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		nets := of(b)
		if sum == nil {
			sum = make([][]Tensor, len(nets))
			for n := range nets {
				sum[n] = make([]Tensor, len(nets[n]))
			}
		}
		for n, layers := range nets {
			for k, x := range layers {
				to := &sum[n][k]
				to.Samples, to.Positions, to.Units, to.Data = to.Samples+x.Samples, x.Positions, x.Units, append(to.Data, x.Data...)
			}
		}
	}
	return sum
}

func own(b *Batch) [][]Tensor { return b.Networks }

func models(t *testing.T, o Options) *Models {
	t.Helper()
	m, err := OpenModels(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func nets(names ...string) []string {
	for i, name := range names {
		names[i] = torch + name + ".onnx"
	}
	return names
}

// TestModelsAreTorchs compares the activations of networks that PyTorch exported with those
// that it computed itself.
func TestModelsAreTorchs(t *testing.T) {
	for _, c := range []struct {
		networks []string
		inputs   string
		layers   []string // as make.py calls them
		layout   arrays.Layout
	}{
		{[]string{"a", "b"}, "images", []string{"relu", "silu", "relu3", "swish", "gelu"}, arrays.NCHW},
		{[]string{"text_a", "text_b"}, "tokens", []string{"sum", "gelu", "sum2"}, arrays.NTD},
	} {
		for _, batch := range []int{0, 5, 1} {
			m := models(t, Options{Networks: nets(slices.Clone(c.networks)...), Run: Run{Inputs: torch + c.inputs + ".npz", Batch: batch}})
			got := all(t, m, own)
			for n, name := range c.networks {
				for k, layer := range c.layers {
					file, err := arrays.OpenShards(torch + name + ".npz")
					if err != nil {
						t.Fatal(err)
					}
					rows, err := file.Rows(layer, arrays.Layouts{c.layout})
					if err != nil {
						t.Fatal(err)
					}
					x := got[n][k]
					if x.Samples != rows.Samples || x.Positions != rows.Positions || x.Units != rows.Units {
						t.Fatalf("%s, %s: %d samples, %d positions, %d units, where PyTorch has %v", name, layer, x.Samples, x.Positions, x.Units, rows)
					}
					want := make([]float32, len(x.Data))
					if _, err := rows.Read(want); err != nil {
						t.Fatal(err)
					}
					largest, worst := 0.0, 0.0
					for i, v := range want {
						largest = max(largest, math.Abs(float64(v)))
						worst = max(worst, math.Abs(float64(v)-float64(x.Data[i])))
					}
					if !(worst < 1e-5*largest) {
						t.Errorf("%s, %s in batches of %d: off by %v, the largest is %v", name, layer, batch, worst, largest)
					}
				}
			}
		}
	}
}

// TestModelsBatches: the number of threads changes no bit, that of samples at a time last
// digits alone, and a network that takes five samples gets five.
func TestModelsBatches(t *testing.T) {
	images := pictureZip(t, 13, nil)
	var first [][]Tensor
	for _, batch := range []int{13, 1, 4} {
		var want [][]Tensor
		for _, threads := range []int{1, 2} {
			m := models(t, Options{Networks: nets("fixed", "a"), Run: Run{Data: images, Batch: batch, Threads: threads}})
			got := all(t, m, own)
			if want == nil {
				want = got
			}
			if first == nil {
				first = got
			}
			for n := range want {
				for k, x := range want[n] {
					if got[n][k].Samples != 13 || !slices.Equal(x.Data, got[n][k].Data) {
						t.Fatalf("batches of %d on %d threads: network %d, layer %d differs", batch, threads, n, k)
					}
					largest, worst := 0.0, 0.0
					for i, v := range first[n][k].Data {
						largest, worst = max(largest, math.Abs(float64(v))), max(worst, math.Abs(float64(v-x.Data[i])))
					}
					if worst > 1e-5*largest {
						t.Errorf("batches of %d: network %d, layer %d is off by %v, the largest is %v", batch, n, k, worst, largest)
					}
				}
			}
		}
	}
}

// TestModelsDescription: what there is to compare follows from the networks.
func TestModelsDescription(t *testing.T) {
	images := pictureZip(t, 13, nil)
	m := models(t, Options{Networks: nets("a", "b"), Baseline: nets("a0", "b0"), Run: Run{Data: images, Samples: 6}})
	d := m.Description()
	if d.Samples != 6 || d.ImageCount != 6 || !d.Baseline || !d.BeforeReLU || !d.BaselineBeforeReLU || len(d.Aligned) != 5 {
		t.Errorf("%+v", d)
	}
	if len(d.Classes) != 6 || d.ImageNames[0] != "class0/0.png" || !slices.Contains(d.Classes, 1) {
		t.Errorf("images %q of classes %v", d.ImageNames, d.Classes)
	}
	for i, a := range d.Aligned {
		if relu := strings.HasPrefix(a.Name, "relu"); a.Linear == relu {
			t.Errorf("layer %s: linear %v", a.Name, a.Linear)
		}
		l := d.LayerOf(a, 0)
		if f := l.Field; f == nil || i == 0 && *f != (ReceptiveField{3, 1, -1}) || i == 4 && *f != (ReceptiveField{16, 0, 0}) {
			t.Errorf("layer %s: field %v", a.Name, f)
		}
	}
	if p, err := d.Pictures.Picture(3); err != nil || p.Bounds().Dx() != 16 || p.Bounds().Dy() != 16 {
		t.Errorf("a picture: %v", err)
	}
	for b, err := range m.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range d.Aligned {
			if a.Linear {
				continue
			}
			for n, k := range a.Layers {
				for i, v := range b.BeforeReLU[n][k].Data {
					if y := b.Networks[n][k].Data[i]; y != max(0, v) {
						t.Fatalf("%s: the ReLU makes %v of %v", a.Name, y, v)
					}
				}
				if same := slices.Equal(b.Baseline[n][k].Data, b.Networks[n][k].Data); same {
					t.Errorf("%s: as before training", a.Name)
				}
			}
		}
	}
	text := strings.Join(m.Reading(), "\n")
	for _, want := range []string{"a: 6 samples, 5 layers; images resized to 18, 16 x 16 from the middle (imagenet), RGB, values from 0 to 1", "6 of 13 images"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing about %q in %s", want, text)
		}
	}
}

// TestModelsOfDifferentSizes: images are resized for each network, layers whose positions
// differ are left to the grid and said, and -pool compares them.
func TestModelsOfDifferentSizes(t *testing.T) {
	images := pictureZip(t, 5, nil)
	m := models(t, Options{Networks: nets("a", "large"), Run: Run{Data: images}})
	text := strings.Join(m.Reading(), "\n")
	if a := m.Description().Aligned; len(a) != 1 || a[0].Name != "gelu/Mul_1" || !strings.Contains(text, "of 5 layers, 4 without a partner") || !strings.Contains(text, "resized for each") {
		t.Errorf("aligned %v; %s", a, text)
	}
	m = models(t, Options{Networks: nets("a", "large"), Pool: true, Run: Run{Data: images}})
	if a := m.Description().Aligned; len(a) != 5 {
		t.Errorf("pooled: %v", a)
	}
	whole := all(t, models(t, Options{Networks: nets("a", "a"), Run: Run{Data: images}}), own)
	for k, x := range all(t, m, own)[0] {
		if want := whole[0][k].Means(nil); x.Positions != 1 || !slices.Equal(x.Data, want.Data) {
			t.Errorf("layer %d: means differ", k)
		}
	}
	m = models(t, Options{Networks: nets("open", "a"), Run: Run{Data: images, Crop: 16}})
	if a := m.Description().Aligned; len(a) != 5 {
		t.Errorf("a network of any size: %v", a)
	}
}

// TestModelsMask: attention masks are inputs, and say what is padding.
func TestModelsMask(t *testing.T) {
	m := models(t, Options{Networks: nets("text_a", "text_b"), Run: Run{Inputs: torch + "tokens.npz", Samples: 20, Batch: 7}})
	if d := m.Description(); d.Samples != 20 || d.ImageCount != 10 {
		t.Errorf("%d samples of %d images", d.Samples, d.ImageCount)
	}
	valid := 0
	for b, err := range m.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Valid) != 5*len(b.Images) {
			t.Fatalf("%d positions of %d samples", len(b.Valid), len(b.Images))
		}
		for _, v := range b.Valid {
			if v {
				valid++
			}
		}
	}
	if valid == 0 || valid == 100 {
		t.Errorf("%d positions are no padding", valid)
	}
}

// TestModelsRefusals: what does not fit is an error that says what, and what to do.
func TestModelsRefusals(t *testing.T) {
	images := pictureZip(t, 5, nil)
	broken := pictureZip(t, 5, func(name string, file []byte) []byte {
		if strings.HasSuffix(name, "/3.png") {
			return file[:len(file)/2]
		}
		return file
	})
	text := filepath.Join(t.TempDir(), "text.onnx")
	if err := os.WriteFile(text, []byte("no network"), 0o666); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "short.onnx")
	file, err := os.ReadFile(torch + "a.onnx")
	if err == nil {
		err = os.WriteFile(short, file[:len(file)/2], 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing to see":      {func(o *Options) { o.Run.Data = "" }, "-data: ONNX networks need something to look at"},
		"both":                {func(o *Options) { o.Run.Inputs = torch + "images.npz" }, "-inputs: images are given by -data already"},
		"no images":           {func(o *Options) { o.Run.Data = torch }, "no images in it"},
		"no network":          {func(o *Options) { o.Networks[1] = text }, "text.onnx: not an ONNX model"},
		"half a network":      {func(o *Options) { o.Networks[1] = short }, "short.onnx: "},
		"no file":             {func(o *Options) { o.Networks[1] = "nowhere.onnx" }, "nowhere.onnx"},
		"arrays":              {func(o *Options) { o.Networks[1] = torch + "b.npz" }, "b.npz is no .onnx file"},
		"crop":                {func(o *Options) { o.Run.Crop = 17 }, "float32, batch x 3 x 16 x 16: -crop 17 does not fit it"},
		"resize":              {func(o *Options) { o.Run.Resize = 15 }, "-resize 15: a piece of 16 x 16 does not fit in"},
		"preset":              {func(o *Options) { o.Run.Presets = []string{"imagnet"} }, "-preprocess: \"imagnet\" is none of imagenet, cifar10, caffe, none"},
		"presets":             {func(o *Options) { o.Run.Presets = []string{"none", "none", "none"} }, "-preprocess: 3 for 2 networks"},
		"mean":                {func(o *Options) { o.Run.Mean = []float64{1, 2} }, "-mean: 2 numbers"},
		"std":                 {func(o *Options) { o.Run.Std = []float64{0} }, "-std 0: it must be above 0"},
		"order":               {func(o *Options) { o.Run.Order = "BGR" }, `-order: "BGR" is neither rgb nor bgr`},
		"layer":               {func(o *Options) { o.Only = []string{"relu4/Relu"} }, `-layers: no network has a layer "relu4/Relu"; the nearest names are relu/Relu of a, relu/Relu of b; convergent layers`},
		"size left open":      {func(o *Options) { o.Networks = nets("open", "open"); o.Run.Presets = []string{"none"} }, "say which by -crop"},
		"text for images":     {func(o *Options) { o.Networks = nets("text_a", "text_b") }, "it has 2 inputs (input_ids, attention_mask), of which images are one; give all by -inputs"},
		"no such input":       {func(o *Options) { o.Networks = nets("text_a", "text_b"); o.Run = Run{Inputs: torch + "images.npz"} }, `no array for its input "input_ids"`},
		"input of a size":     {func(o *Options) { o.Networks = nets("large", "large"); o.Run = Run{Inputs: torch + "images.npz"} }, `its input "input" is float32, batch x 3 x 24 x 24, and`},
		"images and inputs":   {func(o *Options) { o.Run = Run{Inputs: torch + "images.npz", Crop: 16} }, "-crop: it is about images"},
		"array flag":          {func(o *Options) { o.Layouts = arrays.Layouts{arrays.NCHW} }, "-layout: it is about files of activations"},
		"shards":              {func(o *Options) { o.Shards = true }, "-shards: it is about files of activations"},
		"bfloat16":            {func(o *Options) { o.BFloat16 = true }, "-bfloat16: it is about files of activations"},
		"one sample":          {func(o *Options) { o.Run.Samples = 1 }, "-samples is 1; a comparison needs two or more"},
		"one baseline":        {func(o *Options) { o.Baseline = nets("a0") }, "-baseline: 1 for 2 networks"},
		"another baseline":    {func(o *Options) { o.Baseline = nets("a0", "a0") }, "-baseline: layer relu/Relu has shape [2 6 16 16]"},
		"positions":           {func(o *Options) { o.Networks = nets("a", "large"); o.ByOrder = true }, "compare means over positions with -pool"},
		"pair":                {func(o *Options) { o.Pairings = []string{"relu/Relu=relu4/Relu"} }, `no layer "relu4/Relu"; b has relu/Relu, relu3/Relu, `},
		"pair of no network":  {func(o *Options) { o.Pairings = []string{"a:relu/Relu=x:relu/Relu"} }, `no network is called "x"; networks are a, b`},
		"pair of no networks": {func(o *Options) { o.Pairings = []string{"x:relu/Relu=y:relu/Relu"} }, `no network is called "x"; networks are a, b`},
	} {
		o := Options{Networks: nets("a", "b"), Run: Run{Data: images}}
		c.change(&o)
		m, err := OpenModels(t.Context(), o)
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
	m := models(t, Options{Networks: nets("a", "b"), Run: Run{Data: broken, Batch: 2}})
	failed := false
	for _, err := range m.Batches(context.Background()) {
		if err != nil {
			failed = strings.Contains(err.Error(), "class1/3.png: not a sound")
		}
	}
	if !failed {
		t.Error("half an image is none")
	}
	if _, err := Open(t.Context(), Options{Networks: []string{torch + "a.npz", torch + "b.npz"}, Run: Run{Crop: 3}}); err == nil || !strings.Contains(err.Error(), "-crop: it is about networks that are run") {
		t.Errorf("arrays that are cropped: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range models(t, Options{Networks: nets("a", "b"), Run: Run{Data: images}}).Batches(ctx) {
		if err == nil {
			t.Error("no end when it is stopped")
		}
	}
}

// TestPairByOrder: layers of networks in their order need no networks' names.
func TestPairByOrder(t *testing.T) {
	m := models(t, Options{Networks: nets("a", "b"), Pairings: []string{"relu/Relu=relu/Relu", "a:silu/Mul=b:relu3/Relu"}, Run: Run{Inputs: torch + "images.npz"}})
	var pairs [][]int
	for _, a := range m.Description().Aligned {
		pairs = append(pairs, a.Layers)
	}
	if fmt.Sprint(pairs) != "[[0 0] [1 2]]" {
		t.Errorf("pairs %v", pairs)
	}
}

// TestInterruptedLook: the first look at networks ends at once when the context does, and with
// its error.
func TestInterruptedLook(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := Options{Networks: nets("a", "b"), Run: Run{Data: pictureZip(t, 4, nil)}}
	if _, err := OpenModels(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
