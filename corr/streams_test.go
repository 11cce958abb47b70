package corr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// seededImages are n of two networks, of 3 positions, 2 and 4 units.
func seededImages(seed uint64, n int) (ids []uint64, tensors []Tensor) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	for _, u := range []int{2, 4} {
		x := make([]float32, n*3*u)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		tensors = append(tensors, NHWC(x, n, 1, 3, u))
	}
	for i := range n {
		ids = append(ids, seed<<32|uint64(i))
	}
	return ids, tensors
}

// written is what WriteTo writes.
func written(t *testing.T, x io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := x.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo: %d of %d bytes, %v", n, b.Len(), err)
	}
	return b.Bytes()
}

// TestStreams: what is read from a stream or a file goes on to the same bytes as what was never
// written.
func TestStreams(t *testing.T) {
	type stored interface {
		io.WriterTo
		Save(string) error
		add(seed uint64, n int) error
	}
	read := func(k string, r io.Reader) (s stored, err error) {
		switch k {
		case "moments":
			m, err := ReadMoments(r)
			return addMoments{m}, err
		case "shuffles":
			s, err := ReadShuffles(r)
			return addShuffles{s}, err
		}
		g, err := ReadGroups(r)
		return addGroups{g}, err
	}
	load := func(k, path string) (s stored, err error) {
		switch k {
		case "moments":
			m, err := LoadMoments(path)
			return addMoments{m}, err
		case "shuffles":
			s, err := LoadShuffles(path)
			return addShuffles{s}, err
		}
		g, err := LoadGroups(path)
		return addGroups{g}, err
	}
	kept := NewGroups(11, 2, 4)
	for _, m := range kept.parts {
		m.accumulator.prod = nil // as of networks of so many units that products would be large
	}
	for k, s := range map[string]stored{
		"moments": addMoments{NewMoments(2, 4)}, "shuffles": addShuffles{NewShuffles(3, 5, 2, 4)}, "groups": addGroups{NewGroups(11, 2, 4)}, "kept groups": addGroups{kept},
	} {
		for round, n := range []int{0, 100, 30, 3000} {
			if err := s.add(uint64(round+1), n); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := s.Save(path); err != nil {
				t.Fatal(err)
			}
			fromFile, err := load(k, path)
			if err != nil {
				t.Fatalf("%s: %v", k, err)
			}
			r := bytes.NewReader(append(written(t, s), "more"...))
			fromStream, err := read(k, r)
			if err != nil || r.Len() != 4 {
				t.Fatalf("%s: %v, %d bytes are left", k, err, r.Len())
			}
			for _, other := range []stored{fromFile, fromStream} {
				if !bytes.Equal(written(t, other), written(t, s)) {
					t.Errorf("%s, round %d: other bytes once read", k, round)
				}
			}
			s = fromStream
		}
		direct := map[string]stored{
			"moments": addMoments{NewMoments(2, 4)}, "shuffles": addShuffles{NewShuffles(3, 5, 2, 4)}, "groups": addGroups{NewGroups(11, 2, 4)},
		}[k]
		if direct == nil {
			continue
		}
		for round, n := range []int{0, 100, 30, 3000} {
			if err := direct.add(uint64(round+1), n); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(written(t, direct), written(t, s)) {
			t.Errorf("%s: other bytes than without being stored", k)
		}
		if _, err := read(k, strings.NewReader("no safetensors")); err == nil || !strings.Contains(err.Error(), "not "+k) {
			t.Errorf("%s: error %v", k, err)
		}
		if _, err := read(map[string]string{"moments": "groups", "groups": "shuffles", "shuffles": "moments"}[k], bytes.NewReader(written(t, s))); err == nil || !strings.Contains(err.Error(), "format") {
			t.Errorf("%s as others: %v", k, err)
		}
	}
}

type addMoments struct{ *Moments }

func (m addMoments) add(seed uint64, n int) error {
	ids, tensors := seededImages(seed, n)
	return m.AddTensors(ids, tensors...)
}

type addShuffles struct{ *Shuffles }

func (s addShuffles) add(seed uint64, n int) error {
	ids, tensors := seededImages(seed, n)
	return s.AddTensors(ids, tensors...)
}

type addGroups struct{ *Groups }

func (g addGroups) add(seed uint64, n int) error {
	ids, tensors := seededImages(seed, n)
	return g.AddTensors(ids, ids, tensors...)
}

// TestClosedGroups: groups that are closed are so once they are read, with the same figures.
func TestClosedGroups(t *testing.T) {
	g := addGroups{NewGroups(11, 2, 4)}
	if err := g.add(1, 300); err != nil {
		t.Fatal(err)
	}
	g.Close()
	o, err := ReadGroups(bytes.NewReader(written(t, g)))
	if err != nil {
		t.Fatal(err)
	}
	if !o.closed || !mat.Equal(o.Total().Covariance(nil, 0, 1), g.Total().Covariance(nil, 0, 1)) {
		t.Error("the groups are open, or another total")
	}
}

// TestMergeParts: groups and shuffles of two parts have together what one pass has, and not the
// same samples twice.
func TestMergeParts(t *testing.T) {
	near := func(a, b *Moments) bool {
		return a.Count() == b.Count() && mat.EqualApprox(a.Covariance(nil, 0, 1), b.Covariance(nil, 0, 1), 1e-6) && a.SameSamples(b) == nil
	}
	for _, kept := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		var parts [2]addGroups
		whole := addGroups{NewGroups(11, 2, 4)}
		for k := range parts {
			parts[k] = addGroups{NewGroups(11, 2, 4)}
			if kept[k] {
				for _, m := range parts[k].parts {
					m.accumulator.prod = nil
				}
			}
			if err := errors.Join(parts[k].add(uint64(k+1), 80), whole.add(uint64(k+1), 80)); err != nil {
				t.Fatal(err)
			}
		}
		if err := parts[0].Merge(parts[1].Groups); err != nil {
			t.Fatal(err)
		}
		for i := range 11 {
			if !near(parts[0].Group(i), whole.Group(i)) {
				t.Errorf("kept %v: group %d is another than of one pass", kept, i)
			}
		}
		before := written(t, parts[0])
		if err := parts[0].Merge(parts[1].Groups); err == nil || !strings.Contains(err.Error(), "group 0: the same") {
			t.Errorf("the same samples twice: %v", err)
		}
		if err := parts[0].Merge(NewGroups(10, 2, 4)); err == nil {
			t.Error("10 groups are merged with 11")
		}
		if !bytes.Equal(before, written(t, parts[0])) {
			t.Error("an error changed the groups")
		}
	}
	a, b := addShuffles{NewShuffles(3, 5, 2, 4)}, addShuffles{NewShuffles(3, 6, 2, 4)}
	if err := errors.Join(a.add(1, 100), b.add(2, 70)); err != nil {
		t.Fatal(err)
	}
	if err := a.Merge(b.Shuffles); err != nil {
		t.Fatal(err)
	}
	ids, tensors := seededImages(1, 100)
	more, others := seededImages(2, 70)
	all := NewMoments(2, 4)
	if err := errors.Join(all.AddTensors(ids, tensors...), all.AddTensors(more, others...)); err != nil {
		t.Fatal(err)
	}
	for _, m := range a.Moments() {
		if m.Count() != 510 || m.SameSamples(all) != nil || !mat.EqualApprox(m.Covariance(nil, 1, 1), all.Covariance(nil, 1, 1), 1e-6) {
			t.Error("merged draws are not of all images")
		}
	}
	if err := a.Merge(b.Shuffles); err == nil {
		t.Error("the same images are shuffled twice")
	}
}

// TestBootstrapOptions: what is out of range is said before anything is computed.
func TestBootstrapOptions(t *testing.T) {
	g := addGroups{NewGroups(11, 2, 4)}
	if err := g.add(1, 60); err != nil {
		t.Fatal(err)
	}
	for _, o := range []BootstrapOptions{{Draws: -1}, {Level: 95}, {Level: -0.5}, {Level: math.NaN()}} {
		_, err := g.Bootstrap(context.Background(), o, 0, 1, func(*Pair) ([]float64, error) {
			t.Error("figures are computed")
			return nil, nil
		})
		if err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	x, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 5}, 0, 1, func(*Pair) ([]float64, error) { return []float64{math.NaN(), 1}, nil })
	if err != nil || !math.IsNaN(x[0].Low) || !math.IsNaN(x[0].Std) || x[1].Low != 1 {
		t.Errorf("intervals %+v, %v", x, err)
	}
	null := Null{Draws: []float64{1, math.NaN(), 2}}
	if got := []float64{null.PValue(1), null.PValueLower(1), null.Quantiles(0.5)[0], Null{Draws: []float64{1}}.PValue(math.NaN())}; !reflect.DeepEqual(isNaN(got), []bool{true, true, true, true}) {
		t.Errorf("of draws that are NaN: %v", got)
	}
	if EstimateBootstrap(100, 200, 300) < 8*100*500*501/2 || EstimateShuffles(19, 9, 100, 100) < 19*2*8*200*200 {
		t.Error("the estimates are below what is held")
	}
}

func isNaN(x []float64) []bool {
	b := make([]bool, len(x))
	for i, v := range x {
		b[i] = math.IsNaN(v)
	}
	return b
}
