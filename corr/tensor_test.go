package corr

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLayouts adds the same images as rows, rows with a stride, NHWC and NCHW, cut
// anywhere: the same bits.
func TestLayouts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, h, w := rapid.IntRange(1, 40).Draw(t, "n"), rapid.IntRange(1, 7).Draw(t, "h"), rapid.IntRange(1, 7).Draw(t, "w")
		c, stride := rapid.IntRange(1, 20).Draw(t, "c"), rapid.IntRange(20, 23).Draw(t, "stride")
		rows := n * h * w
		nhwc := data(rand.New(rand.NewPCG(1, 1)), rows, c)[0]
		nchw, wide := make([]float32, len(nhwc)), make([]float32, rows*stride)
		for i := range n {
			for p := range h * w {
				for u := range c {
					v := nhwc[(i*h*w+p)*c+u]
					nchw[(i*c+u)*h*w+p] = v
					wide[(i*h*w+p)*stride+u] = v
				}
			}
		}
		want, got := NewMoments(c), NewMoments(c)
		if err := want.Add(rows, nhwc); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < n; {
			k := rapid.IntRange(1, n-at).Draw(t, "images")
			lo, hi := at*h*w, (at+k)*h*w
			var err error
			switch rapid.IntRange(0, 2).Draw(t, "layout") {
			case 0:
				err = got.AddTensors(nil, NHWC(nhwc[lo*c:hi*c], k, h, w, c))
			case 1:
				err = got.AddTensors(nil, NCHW(nchw[lo*c:hi*c], k, c, h, w))
			case 2:
				err = got.AddTensors(nil, Rows(wide[lo*stride:(hi-1)*stride+c], hi-lo, c, stride))
			}
			if err != nil {
				t.Fatal(err)
			}
			at += k
		}
		a, b := want.accumulator, got.accumulator
		if got.Count() != want.Count() || !slices.Equal(a.mean, b.mean) || !slices.Equal(a.prod, b.prod) ||
			!slices.Equal(got.block[:got.rows*c], want.block[:want.rows*c]) {
			t.Fatal("moments differ")
		}
	})
}

// TestNaNLayouts: in every layout, the error names row and unit, and nothing is added.
func TestNaNLayouts(t *testing.T) {
	const n, h, w, c = 30, 4, 5, 3
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		for name, tensorOf := range map[string]func() Tensor{
			"NHWC": func() Tensor {
				x := make([]float32, n*h*w*c)
				x[417*c+2] = bad
				return NHWC(x, n, h, w, c)
			},
			"NCHW": func() Tensor {
				x := make([]float32, n*h*w*c)
				x[(417/20*c+2)*20+417%20] = bad
				return NCHW(x, n, c, h, w)
			},
			"rows": func() Tensor {
				x := make([]float32, n*h*w*5)
				x[417*5+2] = bad
				x[3] = bad // between rows: not an activation
				return Rows(x, n*h*w, c, 5)
			},
		} {
			m := NewMoments(2, c)
			first := zeros(5, 2)
			if err := m.AddTensors(nil, Rows(first, 5, 2, 2), Rows(zeros(5, c), 5, c, c)); err != nil {
				t.Fatal(err)
			}
			tensor := tensorOf()
			err := m.AddTensors(nil, Rows(zeros(n*h*w, 2), n*h*w, 2, 2).reshaped(tensor), tensor)
			if err == nil || !strings.Contains(err.Error(), "network 1, row 422, unit 2") {
				t.Errorf("%s %v: %v", name, bad, err)
			}
			if m.Count() != 5 || m.accumulator.count != 0 {
				t.Errorf("%s: something was added", name)
			}
		}
	}
}

func zeros(rows, units int) []float32 { return make([]float32, rows*units) }

// reshaped gives rows the samples and positions of another tensor.
func (t Tensor) reshaped(o Tensor) Tensor {
	return NHWC(t.data, o.samples, 1, o.positions, t.units)
}

func TestTensorPanics(t *testing.T) {
	x := make([]float32, 24)
	for name, f := range map[string]func(){
		"stride":      func() { Rows(x, 2, 5, 4) },
		"few":         func() { Rows(x, 5, 5, 5) },
		"shape":       func() { NHWC(x, 2, 3, 4, 2) },
		"no channels": func() { NCHW(x, 2, 0, 3, 4) },
		"units":       func() { NewMoments(3).AddTensors(nil, Rows(x, 2, 2, 2)) },
		"samples":     func() { NewMoments(2, 2).AddTensors(nil, Rows(x, 2, 2, 2), Rows(x, 3, 2, 2)) },
		"ids":         func() { NewMoments(2).AddTensors([]uint64{1}, Rows(x, 2, 2, 2)) },
		"names":       func() { NewMoments(2).Describe(0, Network{Units: []string{"one"}}) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "corr: ") {
					t.Errorf("%s: no panic of this package", name)
				}
			}()
			f()
		}()
	}
}

// TestSamples: moments of overlapping samples cannot be merged, nor those of different
// samples compared.
func TestSamples(t *testing.T) {
	x := data(rand.New(rand.NewPCG(1, 1)), 40, 3)[0]
	pass := func(source string, n Network, ids ...uint64) *Moments {
		m := NewMoments(3)
		m.Source = source
		m.Describe(0, n)
		for _, id := range ids { // one at a time: cuts make no difference
			if err := m.AddTensors([]uint64{id}, Rows(x[id*3:], 1, 3, 3)); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	a := pass("test set", Network{Name: "seed 1", Layer: "conv1"}, 1, 2, 3)
	for want, o := range map[string]*Moments{
		`"train set"`:                    pass("train set", Network{}, 4),
		`network "seed 1" is not`:        pass("", Network{Name: "seed 2"}, 4),
		`layer "conv1" is not`:           pass("", Network{Layer: "conv2"}, 4),
		"the same 3 rows are in both":    pass("test set", Network{}, 1, 2, 3),
		"networks of [3] units cannot b": NewMoments(4),
	} {
		before := a.metadata()["samples"]
		if err := a.Merge(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is wanted, got %v", want, err)
		}
		if a.Count() != 3 || a.metadata()["samples"] != before {
			t.Fatal("a refused merge changed something")
		}
	}
	b := pass("test set", Network{Units: []string{"x", "y", "z"}}, 4, 5)
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if err := a.Merge(b); err == nil {
		t.Error("the same part was merged twice")
	}
	if got := a.Network(0); got.Layer != "conv1" || len(got.Units) != 3 {
		t.Errorf("described as %v", got)
	}
	half := pass("test set", Network{}, 3, 6)
	half.RecordSamples([]uint64{6, 3})
	recorded := pass("test set", Network{}, 4, 3, 2)
	recorded.RecordSamples([]uint64{4, 3, 2})
	path := filepath.Join(t.TempDir(), "recorded")
	recorded.Manifest = "which"
	if err := recorded.Save(path); err != nil {
		t.Fatal(err)
	}
	recorded, err := LoadMoments(path)
	if err != nil || recorded.Manifest != "which" {
		t.Fatal(recorded, err)
	}
	all := NewMoments(3)
	for _, m := range []*Moments{recorded, pass("test set", Network{}), half} {
		if err = all.Merge(m); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "1 samples of 2 are in both") || all.Count() != 3 {
		t.Errorf("a sample twice: %v", err)
	}
	whole := pass("test set", Network{}, 5, 1, 4, 3, 2)
	if err := a.SameSamples(whole); err != nil {
		t.Error(err)
	}
	fingerprint, ok := a.Fingerprint()
	if g, known := whole.Fingerprint(); fingerprint != g || !ok || !known {
		t.Error("fingerprints differ")
	}
	for _, ids := range [][]uint64{{1, 2, 3, 4}, {1, 2, 3, 4, 6}, {1, 2, 3, 4, 4}} {
		if err := a.SameSamples(pass("test set", Network{}, ids...)); err == nil {
			t.Errorf("%v are the same samples", ids)
		}
	}
	if err := a.SameSamples(pass("train set", Network{}, 1, 2, 3, 4, 5)); err == nil {
		t.Error("different sources are the same samples")
	}
	unknown := NewMoments(3)
	if err := unknown.Add(5, x[:15]); err != nil {
		t.Fatal(err)
	}
	if _, ok := unknown.Fingerprint(); ok || a.SameSamples(unknown) != nil {
		t.Error("samples without identifiers have a fingerprint")
	}
}

// TestEstimateMemory compares the estimate with the memory of a long stream.
func TestEstimateMemory(t *testing.T) {
	const p, rows = 600, 5000
	x := data(rand.New(rand.NewPCG(1, 1)), rows, p)[0]
	heapBytes := func() int64 {
		runtime.GC()
		runtime.GC() // what pools keep goes with the second
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before := heapBytes()
	m := NewMoments(p)
	for range 3 {
		if err := m.Add(rows, x); err != nil {
			t.Fatal(err)
		}
	}
	after, estimate := heapBytes(), EstimateMemory(p)
	if bytes := after - before; bytes < estimate/4 || bytes > estimate {
		t.Errorf("moments hold %d bytes, the estimate is %d", bytes, estimate)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(x)
}

// TestTensorUnits: a part of the units is that of any layout, and one that is not there panics.
func TestTensorUnits(t *testing.T) {
	const n, h, w, c = 3, 2, 4, 7
	data := make([]float32, n*h*w*c)
	for i := range data {
		data[i] = float32(i)
	}
	for name, whole := range map[string]Tensor{"rows": Rows(data, n*h*w-1, c-1, c), "NHWC": NHWC(data, n, h, w, c), "NCHW": NCHW(data, n, c, h, w)} {
		part := whole.Units(2, 5)
		rows := make([]float32, part.Len()*3)
		part.copyTo(rows, 3, 0, part.Len())
		for r := range part.Len() {
			for u := range 3 {
				if got, want := rows[r*3+u], whole.at(r, 2+u); got != want || part.at(r, u) != want {
					t.Errorf("%s: row %d, unit %d is %v, want %v", name, r, u, got, want)
				}
			}
		}
		data[len(data)-1] = float32(math.NaN()) // of no unit of the part
		if _, _, ok := part.checkFinite(2, 0, part.Len()); !ok {
			t.Errorf("%s: a unit of others counts", name)
		}
		data[len(data)-1] = float32(len(data) - 1)
		for _, ends := range [][2]int{{-1, 2}, {2, 2}, {3, 2}, {0, c + 1}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: units %v are there", name, ends)
					}
				}()
				whole.Units(ends[0], ends[1])
			}()
		}
	}
	Rows(nil, 0, 3, 3).Units(1, 2)
}
