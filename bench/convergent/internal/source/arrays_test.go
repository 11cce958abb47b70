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
	}
	npy(t, in("A/x.npy"), count, 6, 3)
	npy(t, in("A/y.npy"), count, 6, 3)
	npy(t, in("B/x.npy"), count, 6, 3)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"layout":           {func(o *Options) { o.Layouts = nil }, "a.npy: -layout is needed"},
		"masks differ":     {func(o *Options) { o.Masks = []string{masks["full"], masks["other"]} }, "other.npy: the mask of sample 0, position 0 differs from that in " + masks["full"]},
		"narrow mask":      {func(o *Options) { o.Masks = []string{masks["narrow"], masks["narrow"]} }, "a.npy has 5 positions, and the mask in " + masks["narrow"] + " has 4"},
		"masks of a kind":  {func(o *Options) { o.Masks = []string{masks["full"], masks["narrow"]} }, "narrow.npy: a mask of 4 positions, and of 5"},
		"empty sample":     {func(o *Options) { o.Masks = []string{masks["nothing"], masks["nothing"]} }, "nothing of sample 0"},
		"one mask":         {func(o *Options) { o.Masks = []string{masks["full"]} }, "-mask: 1 for 2 networks"},
		"one baseline":     {func(o *Options) { o.Baseline = []string{a} }, "-baseline: 1 for 2 networks"},
		"another baseline": {func(o *Options) { o.Baseline = []string{a, a} }, "-baseline: " + a + " has 6 samples, 5 tokens, 4 units, and " + b + " has 6 samples, 5 tokens, 2 units"},
		"positions":        {func(o *Options) { o.Networks[1] = flat }, "5 positions in " + a + " and 1 in " + flat + "; compare means over positions with -pool"},
		"layer": {func(o *Options) {
			o.Networks, o.LayerFiles, o.Only = []string{in("A"), in("B")}, true, []string{"x", "cnov"}
		}, `-layers: no network has a layer "cnov"; A has x, y; B has x`},
		"none of them": {func(o *Options) { o.Networks, o.LayerFiles, o.Only = []string{in("A"), in("B")}, true, []string{"y"} }, "B: none of the layers that -layers names is in it; B has x"},
		"order":        {func(o *Options) { o.Networks, o.LayerFiles, o.ByOrder = []string{in("A"), in("B")}, true, true }, "-by-order: networks have different numbers of layers"},
		"pictures":     {func(o *Options) { o.Pictures = in("none.zip") }, "none.zip"},
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
			if err := n.add(&layer{name: name}); err != nil {
				t.Fatal(err)
			}
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
