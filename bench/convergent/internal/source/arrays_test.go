package source

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
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
			n.add(&layer{name: name})
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
	if name := alignedName(nets, []Aligned{{Name: "plain"}}, []int{2, 2}); name != "plain-2" {
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
	if n := s.Description().Networks[0]; len(n.Layers) != 1 || s.mask == nil || s.mask.valid[0] || !s.mask.valid[1] {
		t.Errorf("layers %v, mask %v", n.Layers, s.mask)
	}
	npy(t, in("B0/mask.npy"), func(int) float64 { return 1 }, 6, 5)
	if _, err := OpenArrays(o); err == nil || !strings.Contains(err.Error(), "B0/mask.npy: the mask of sample 0, position 0 differs") {
		t.Errorf("another mask of the baseline: %v", err)
	}
}

// TestNames: names that differ only by case, or by letters that files cannot have, are told
// apart, and so are networks of one name.
func TestNames(t *testing.T) {
	n := new(network)
	for _, name := range []string{"conv", "Conv", "a/b", "a_b", "日本", "中国", strings.Repeat("x", 300)} {
		n.add(&layer{name: name})
	}
	taken := make(map[string]bool)
	for _, l := range n.layers {
		if key := strings.ToLower(l.file); taken[key] || len(l.file) > 120 {
			t.Errorf("%s is called %s", l.name, l.file)
		} else {
			taken[key] = true
		}
		if n.layer(l.name) != l {
			t.Errorf("%s is another layer", l.name)
		}
	}
	if got := Distinguish([]string{"A (3)", "A", "A"}); !slices.Equal(got, []string{"A (3)", "A", "A (3) (3)"}) && got[2] == got[0] {
		t.Errorf("names %q", got)
	}
}
