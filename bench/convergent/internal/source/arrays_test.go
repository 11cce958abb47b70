package source

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// npy writes an array of float32 whose elements f gives in C order.
func npy(t *testing.T, path string, f func(at int) float64, shape ...int) string {
	t.Helper()
	text := strings.Trim(fmt.Sprint(shape), "[]")
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }", strings.ReplaceAll(text, " ", ", "))
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	b = append(b, header...)
	n := 1
	for _, d := range shape {
		n *= d
	}
	for at := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f(at))))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func count(at int) float64 { return float64(at) }

// TestTokens are read with their mask, in batches, samples x tokens x units.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const samples, tokens = 3000, 5
	a := npy(t, in("a.npy"), count, samples, tokens, 4)
	b := npy(t, in("b.npy"), func(at int) float64 { return -float64(at) }, samples, tokens, 2)
	mask := npy(t, in("mask.npy"), func(at int) float64 { return float64(min(1, (at+1)%tokens)) }, samples, tokens) // the last token is padding
	o := Options{Networks: []string{a, b}, Layouts: arrays.Layouts{arrays.NTD}, Masks: []string{mask, mask}}
	for _, pool := range []bool{false, true} {
		o.Pool = pool
		s, err := OpenArrays(o)
		if err != nil {
			t.Fatal(err)
		}
		d := s.Description()
		if reading := s.Reading(); len(reading) != 2 || reading[0] != "a, activations: 3000 samples, 5 tokens, 4 units, padding left out" {
			t.Errorf("%q", reading)
		}
		if d.Samples != samples || d.ImageCount != samples || len(d.Aligned) != 1 || d.Aligned[0].Name != "activations" || d.Networks[1].Layers[0].Units != 2 {
			t.Errorf("%+v", d)
		}
		at := 0
		for batch, err := range s.Batches(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			x := batch.Networks[0][0]
			for i := range x.Samples {
				want := float64((at + i) * tokens * 4)
				if pool {
					want += 1.5 * 4 // the mean of four tokens
				}
				if got := float64(x.Sample(i)[0]); got != float64(float32(want)) {
					t.Fatalf("pool %v: sample %d begins with %v, want %v", pool, at+i, got, want)
				}
				if batch.Images[i] != uint64(at+i) || batch.IDs != nil {
					t.Fatalf("sample %d is of image %d", at+i, batch.Images[i])
				}
			}
			switch {
			case pool && (batch.Valid != nil || x.Positions != 1):
				t.Error("means have positions")
			case !pool && !slices.Equal(batch.Valid[:tokens+1], []bool{true, true, true, true, false, true}):
				t.Errorf("valid %v", batch.Valid[:tokens+1])
			}
			at += x.Samples
		}
		if at != samples {
			t.Errorf("%d samples", at)
		}
	}
}

// TestRefusals: what does not fit together is an error that says which flag or file.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	one := func(int) float64 { return 1 }
	a, b := npy(t, in("a.npy"), count, 6, 5, 4), npy(t, in("b.npy"), count, 6, 5, 2)
	flat := npy(t, in("flat.npy"), count, 6, 4)
	masks := map[string]string{
		"full":    npy(t, in("full.npy"), one, 6, 5),
		"other":   npy(t, in("other.npy"), func(at int) float64 { return float64(min(at, 1)) }, 6, 5),
		"narrow":  npy(t, in("narrow.npy"), one, 6, 4),
		"nothing": npy(t, in("nothing.npy"), func(at int) float64 { return float64(min(1, at/5)) }, 6, 5),
		"tall":    npy(t, in("tallmask.npy"), one, 6, 3, 2),
	}
	wide, tall := npy(t, in("wide.npy"), count, 6, 2, 3, 4), npy(t, in("tall.npy"), count, 6, 3, 2, 4)
	npy(t, in("A/x.npy"), count, 6, 3)
	npy(t, in("A/y.npy"), count, 6, 3)
	npy(t, in("B/x.npy"), count, 6, 3)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"layout":             {func(o *Options) { o.Layouts = nil }, "a.npy: -layout is needed"},
		"masks differ":       {func(o *Options) { o.Masks = []string{masks["full"], masks["other"]} }, "other.npy: the mask of sample 0, position 0 differs from that in " + masks["full"]},
		"narrow mask":        {func(o *Options) { o.Masks = []string{masks["narrow"], masks["narrow"]} }, "a.npy has [5] positions, and the mask in " + masks["narrow"] + " has [4]"},
		"masks of a kind":    {func(o *Options) { o.Masks = []string{masks["full"], masks["narrow"]} }, "narrow.npy: a mask of [4] positions, and of [5]"},
		"empty sample":       {func(o *Options) { o.Masks = []string{masks["nothing"], masks["nothing"]} }, "nothing of sample 0"},
		"one mask":           {func(o *Options) { o.Masks = []string{masks["full"]} }, "-mask: 1 for 2 networks"},
		"one baseline":       {func(o *Options) { o.Baseline = []string{a} }, "-baseline: 1 for 2 networks"},
		"one input of ReLUs": {func(o *Options) { o.BeforeReLU = []string{a} }, "-before-relu: 1 for 2 networks"},
		"pooled inputs":      {func(o *Options) { o.BeforeReLU, o.Pool = []string{a, b}, true }, "-before-relu: a ReLU works on each position"},
		"another baseline":   {func(o *Options) { o.Baseline = []string{a, a} }, "-baseline: " + a + " has 6 samples, 5 tokens, 4 units, and " + b + " has 6 samples, 5 tokens, 2 units"},
		"positions":          {func(o *Options) { o.Networks[1] = flat }, "5 positions in " + a + " and 1 in " + flat + "; compare means over positions with -pool"},
		"layer": {func(o *Options) {
			o.Networks, o.LayerFiles, o.Only = []string{in("A"), in("B")}, true, []string{"x", "cnov"}
		}, `-layers: no network has a layer "cnov"; A has x, y; B has x`},
		"none of them":    {func(o *Options) { o.Networks, o.LayerFiles, o.Only = []string{in("A"), in("B")}, true, []string{"y"} }, "B: none of the layers that -layers names is in it; B has x"},
		"order":           {func(o *Options) { o.Networks, o.LayerFiles, o.ByOrder = []string{in("A"), in("B")}, true, true }, "-by-order: networks have different numbers of layers"},
		"pictures":        {func(o *Options) { o.Pictures = in("none.zip") }, "none.zip"},
		"transposed maps": {func(o *Options) { o.Networks, o.Layouts = []string{wide, tall}, arrays.Layouts{arrays.NHWC} }, "transpose one of them"},
		"transposed mask": {func(o *Options) {
			o.Networks, o.Layouts, o.Masks = []string{wide, wide}, arrays.Layouts{arrays.NHWC}, []string{masks["tall"], masks["tall"]}
		}, "wide.npy has [2 3] positions, and the mask in " + masks["tall"] + " has [3 2]"},
	} {
		o := Options{Networks: []string{a, b}, Layouts: arrays.Layouts{arrays.NTD}}
		c.change(&o)
		if _, err := OpenArrays(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

// TestWarnings: rows that may be positions which were flattened.
func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	large, small := npy(t, in("large.npy"), count, manyRows+1, 2), npy(t, in("small.npy"), count, manyRows, 2)
	for path, want := range map[string]int{large: 1, small: 0} {
		s, err := OpenArrays(Options{Networks: []string{path, path}})
		if err != nil {
			t.Fatal(err)
		}
		if w := s.Warnings(); len(w) != want || want > 0 && !strings.Contains(w[0], "-image-ids") {
			t.Errorf("%s: %q", path, w)
		}
	}
}

// TestPairingEnds: names of layers may have colons and equals signs.
func TestPairingEnds(t *testing.T) {
	nets := []*network{{name: "a"}, {name: "a:b"}}
	for _, n := range nets {
		for _, name := range []string{"conv1/Relu:0", "x=y", "plain"} {
			n.layers = append(n.layers, &layer{name: name})
		}
	}
	for text, want := range map[string][]int{
		"a:conv1/Relu:0=a:b:plain": {0, 2},
		"a:x=y=a:b:x=y":            {1, 1},
		"a:b:x=y=a:plain":          {2, 1},
	} {
		all, err := Options{Pairings: []string{text}}.byPairing(nets)
		if err != nil || !slices.Equal(all[0].Layers, want) {
			t.Errorf("%s: %v, %v", text, all, err)
		}
	}
	if name := alignedName(nets, map[string]bool{"plain": true}, []int{2, 2}); name != "plain-2" {
		t.Errorf("a second layer plain is called %s", name)
	}
}

// TestLabelsBesideLayers: in a folder of layers, files of labels are no layers, and a
// baseline has labels of its own that must agree.
func TestLabelsBesideLayers(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, net := range []string{"A", "B", "A0", "B0"} {
		npy(t, in(net+"/x.npy"), count, 6, 5, 3)
		npy(t, in(net+"/mask.npy"), func(at int) float64 { return float64(min(1, at%5)) }, 6, 5)
	}
	o := Options{Networks: []string{in("A"), in("B")}, Baseline: []string{in("A0"), in("B0")}, LayerFiles: true, Layouts: arrays.Layouts{arrays.NTD}}
	s, err := OpenArrays(o)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Description().Networks[0]; len(n.Layers) != 1 || s.mask == nil || s.mask.Valid[0] || !s.mask.Valid[1] {
		t.Errorf("layers %v, mask %v", n.Layers, s.mask)
	}
	npy(t, in("B0/mask.npy"), func(int) float64 { return 1 }, 6, 5)
	if _, err := OpenArrays(o); err == nil || !strings.Contains(err.Error(), "B0/mask.npy: the mask of sample 0, position 0 differs") {
		t.Errorf("another mask of the baseline: %v", err)
	}
}

// TestNames: layers go together whose names are the same to the last byte, and no others;
// networks of one name are told apart.
func TestNames(t *testing.T) {
	a, b := new(network), new(network)
	for _, name := range []string{"conv", "a/b", "日本", "вход", "only"} {
		a.layers = append(a.layers, &layer{name: name})
	}
	for _, name := range []string{"Conv", "a:b", "a_b", "中国", "слой", "вход", "./conv", "日本"} {
		b.layers = append(b.layers, &layer{name: name})
	}
	all := byName([]*network{a, b})
	if len(all) != 2 || !slices.Equal(all[0].Layers, []int{2, 7}) || !slices.Equal(all[1].Layers, []int{3, 5}) {
		t.Errorf("aligned %v", all)
	}
	for _, l := range b.layers {
		if b.layer(l.name) != l || a.layer("a_b") != nil {
			t.Errorf("%s is another layer", l.name)
		}
	}
	if got := Distinguish([]string{"A (3)", "A", "A"}); !slices.Equal(got, []string{"A (3)", "A", "A (3) (3)"}) && got[2] == got[0] {
		t.Errorf("names %q", got)
	}
}

// TestFolders: files of one array each are shards if their names say so; else the flags do.
func TestFolders(t *testing.T) {
	for _, c := range []struct {
		files  []string
		shards bool
	}{
		{[]string{"1", "2", "10"}, true},
		{[]string{"part-1", "part-2"}, true},
		{[]string{"conv1.part1", "conv1.part2"}, true},
		{[]string{"A_shard_00", "A_shard_01"}, true},
		{[]string{"Batch 1", "Batch 2"}, true},
		{[]string{"model-00001-of-00002", "model-00002-of-00002"}, true},
		{[]string{"conv1", "conv2", "conv3"}, false},
		{[]string{"conv_1", "conv_2"}, false},
		{[]string{"conv1.part1", "conv2.part1"}, false},
		{[]string{"conv", "fc"}, false},
		{[]string{"part-1", "labels"}, false},
		{[]string{"1-of-2", "1-of-3"}, false},
		{[]string{"apart1", "apart2"}, false},
	} {
		dir := t.TempDir()
		for _, file := range c.files {
			npy(t, filepath.Join(dir, file+".npy"), count, 6, 2)
		}
		o := Options{Networks: []string{dir, dir}}
		a, err := OpenArrays(o)
		if c.shards && (err != nil || a.Description().Samples != 6*len(c.files)) || !c.shards && (err == nil || !strings.Contains(err.Error(), "-layer-files or -shards")) {
			t.Errorf("%q: %v", c.files, err)
		}
		o.Shards = true
		if a, err = OpenArrays(o); err != nil || a.Description().Samples != 6*len(c.files) {
			t.Errorf("%q as shards: %v", c.files, err)
		}
		if o.LayerFiles, o.Shards = true, false; c.files[0] != "1" {
			if a, err = OpenArrays(o); err != nil || a.Description().Samples != 6 || len(a.Description().Aligned) != len(c.files) {
				t.Errorf("%q as layers: %v", c.files, err)
			}
		}
		o.Shards = true
		if _, err = OpenArrays(o); err == nil {
			t.Error("layers that are shards pass")
		}
	}
}

// TestUnitNames: an array LAYER.units is a layer of its own unless it is a list and there
// is that layer.
func TestUnitNames(t *testing.T) {
	dir := t.TempDir()
	npy(t, filepath.Join(dir, "lstm.units.npy"), count, 6, 2)
	npy(t, filepath.Join(dir, "gru.npy"), count, 6, 2)
	npy(t, filepath.Join(dir, "gru.units.npy"), count, 6, 2)
	a, err := OpenArrays(Options{Networks: []string{dir, dir}, LayerFiles: true})
	if err != nil || len(a.Description().Aligned) != 3 {
		t.Fatalf("%v", err)
	}
	if err := os.Rename(filepath.Join(dir, "gru.npy"), filepath.Join(dir, "gru.npz")); err != nil {
		t.Fatal(err)
	}
	npy(t, filepath.Join(dir, "gru.npy"), count, 6, 2)
	if _, err := OpenArrays(Options{Networks: []string{dir, dir}, LayerFiles: true}); err == nil || !strings.Contains(err.Error(), "layer gru is in") {
		t.Errorf("two files of a layer: %v", err)
	}
}

// TestPooledRounding: means over positions that float32 cannot tell apart are an error.
func TestPooledRounding(t *testing.T) {
	dir := t.TempDir()
	const samples, tokens = 100, 64
	rnd := rand.New(rand.NewPCG(1, 2))
	for mean, want := range map[float64]bool{0: true, 1e5: false} {
		path := npy(t, filepath.Join(dir, "x.npy"), func(at int) float64 { return mean + rnd.NormFloat64() }, samples, tokens, 3)
		a, err := OpenArrays(Options{Networks: []string{path, path}, Layouts: arrays.Layouts{arrays.NTD}, Pool: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range a.Batches(context.Background()) {
			err = e
		}
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "x.npy: means over positions: unit 0 varies by") {
			t.Errorf("mean %g: %v", mean, err)
		}
	}
}
