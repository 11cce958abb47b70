package corr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// crossData returns rows of p and q units of all kinds that moments treat by themselves: far
// means, sparse ones, two values, dead ones, and those whose products leave the range of
// float32.
func crossData(rows, p, q int) (a, b []float32) {
	rnd := rand.New(rand.NewPCG(uint64(rows), uint64(p)))
	a, b = make([]float32, rows*p), make([]float32, rows*q)
	for r := range rows {
		cause := rnd.NormFloat64()
		for s, x := range [][]float32{a[r*p:][:p], b[r*q:][:q]} {
			for i := range x {
				v := cause + rnd.NormFloat64()
				switch (i + s) % 7 {
				case 1:
					v = 1e4 + v
				case 2:
					v = max(0, v)
				case 3:
					v = float64(rnd.IntN(2))
				case 4:
					v = 3
				case 5:
					v *= 1e25
				case 6:
					v *= 1e-25
				}
				x[i] = float32(v)
			}
		}
	}
	return a, b
}

// TestCrossMomentsAreMoments: to the bit, however the stream is cut, and with any threads, and
// for a part of the units.
func TestCrossMomentsAreMoments(t *testing.T) {
	for _, size := range []struct{ rows, p, q int }{{1, 3, 5}, {100, 40, 7}, {191, 1, 1}, {193, 33, 64}, {1000, 5, 130}, {2000, 70, 31}, {500, 300, 530}} {
		a, b := crossData(size.rows, size.p, size.q)
		joint := NewMoments(size.p, size.q)
		if err := joint.Add(size.rows, a, b); err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2, 5} {
			for _, cut := range []int{size.rows, 1 + size.rows/3, 17} {
				m := NewCrossMoments(size.p, size.q)
				m.Threads = threads
				for lo := 0; lo < size.rows; lo += cut {
					hi := min(size.rows, lo+cut)
					if err := m.Add(hi-lo, a[lo*size.p:hi*size.p], b[lo*size.q:hi*size.q]); err != nil {
						t.Fatal(err)
					}
				}
				m.Close()
				name := fmt.Sprintf("%v, %d threads, cuts of %d", size, threads, cut)
				if m.Count() != int64(size.rows) {
					t.Errorf("%s: %d rows", name, m.Count())
				}
				if !mat.Equal(m.Covariance(nil), joint.Covariance(nil, 0, 1)) || !mat.Equal(m.Correlation(nil), ZeroNaN(joint.Correlation(nil, 0, 1))) {
					t.Errorf("%s: not those of Moments", name)
				}
				for n := range 2 {
					if !slices.Equal(m.Mean(n), joint.Mean(n)) || !slices.Equal(m.Std(n), joint.Std(n)) || !slices.Equal(m.Live(n), joint.Live(n)) {
						t.Errorf("%s: units of network %d are not those of Moments", name, n)
					}
				}
			}
		}
		part := NewCrossMoments((size.p+1)/2, size.q)
		from := size.p / 2
		if err := part.AddTensors(nil, Rows(a, size.rows, size.p, size.p).Units(from, size.p), Rows(b, size.rows, size.q, size.q)); err != nil {
			t.Fatal(err)
		}
		part.Close()
		if !mat.Equal(part.Correlation(nil), ZeroNaN(joint.Correlation(nil, 0, 1)).Slice(from, size.p, 0, size.q)) {
			t.Errorf("%v: a part of the units has other correlations", size)
		}
	}
}

// TestMergeCrossMoments: parts give what one pass does, to the accuracy of moments, and what
// does not go together is refused.
func TestMergeCrossMoments(t *testing.T) {
	const rows, p, q = 1500, 40, 50
	a, b := crossData(rows, p, q)
	whole, parts := NewCrossMoments(p, q), NewCrossMoments(p, q)
	if err := whole.Add(rows, a, b); err != nil {
		t.Fatal(err)
	}
	whole.Close()
	parts.Close() // of nothing
	for lo := 0; lo < rows; lo += 500 {
		m := NewCrossMoments(p, q)
		ids := make([]uint64, 500)
		for i := range ids {
			ids[i] = uint64(lo + i)
		}
		if err := m.AddTensors(ids, Rows(a[lo*p:], 500, p, p), Rows(b[lo*q:], 500, q, q)); err != nil {
			t.Fatal(err)
		}
		m.Close()
		if err := parts.Merge(m); err != nil {
			t.Fatal(err)
		}
		if err := parts.Merge(m); err == nil || !strings.Contains(err.Error(), "the same 500 rows") {
			t.Errorf("the same rows twice: %v", err)
		}
	}
	if parts.Count() != rows || !slices.Equal(parts.Live(0), whole.Live(0)) {
		t.Errorf("%d rows, units %v", parts.Count(), parts.Live(0))
	}
	if !mat.EqualApprox(parts.Correlation(nil), whole.Correlation(nil), 2e-6) {
		t.Error("merged correlations are not those of all rows")
	}
	for n := range 2 {
		for i, v := range parts.Std(n) {
			if want := whole.Std(n)[i]; math.Abs(v-want) > 1e-6*want {
				t.Errorf("network %d, unit %d: deviation %g, want %g", n, i, v, want)
			}
		}
	}
	for _, c := range []struct {
		of   string
		want string
		make func(m *CrossMoments)
	}{
		{"a source", "of \"one\" cannot be merged with those of \"two\"", func(m *CrossMoments) { whole.Source, m.Source = "one", "two" }},
		{"a layer", "network 1: layer", func(m *CrossMoments) {
			whole.Describe(1, Network{Layer: "conv1"})
			m.Describe(1, Network{Layer: "conv2"})
		}},
	} {
		m := NewCrossMoments(p, q)
		m.Close()
		c.make(m)
		if err := whole.Merge(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.of, err)
		}
	}
	m := NewCrossMoments(p, q+1)
	m.Close()
	if err := whole.Merge(m); err == nil {
		t.Error("moments of other units were merged")
	}
}

// TestCrossMomentsRefuse: a value that is no number is an error, and changes nothing.
func TestCrossMomentsRefuse(t *testing.T) {
	const rows, p, q = 2000, 3, 4
	a, b := crossData(rows, p, q)
	m, clean := NewCrossMoments(p, q), NewCrossMoments(p, q)
	if err := clean.Add(rows, a, b); err != nil {
		t.Fatal(err)
	}
	clean.Close()
	bad := slices.Clone(b)
	bad[1999*q+2] = float32(math.Inf(1))
	if err := m.Add(rows, a, bad); err == nil || !strings.Contains(err.Error(), "network 1, row 1999, unit 2") {
		t.Errorf("infinity: %v", err)
	}
	if err := m.Add(rows, a, b); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if !mat.Equal(m.Covariance(nil), clean.Covariance(nil)) {
		t.Error("what was refused left its mark")
	}
	for name, f := range map[string]func(){
		"no units":     func() { NewCrossMoments(0, 3) },
		"length":       func() { NewCrossMoments(2, 3).Add(1, make([]float32, 2), make([]float32, 2)) },
		"closed":       func() { m.Add(1, a[:p], b[:q]) },
		"not closed":   func() { NewCrossMoments(2, 3).Mean(0) },
		"dst":          func() { m.Correlation(mat.NewDense(1, 1, nil)) },
		"names":        func() { m.Describe(0, Network{Units: []string{"one"}}) },
		"other tensor": func() { NewCrossMoments(2, 3).AddTensors(nil, Rows(a, 1, 2, 2), Rows(b, 2, 3, 3)) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestCrossMemory compares the estimate with what moments take.
func TestCrossMemory(t *testing.T) {
	const rows, p, q = 2000, 700, 900
	a, b := make([]float32, rows*p), make([]float32, rows*q)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := NewCrossMoments(p, q)
	if err := m.Add(rows, a, b); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	estimate := EstimateCrossMemory(p, q)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > estimate || used < 8*p*q {
		t.Errorf("%d bytes, estimated %d", used, estimate)
	}
	m.Close()
	runtime.KeepAlive(a)
	runtime.KeepAlive(b)
}
