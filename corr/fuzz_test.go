package corr

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzMoments reads files of moments, of which any is refused or can be used.
func FuzzMoments(f *testing.F) {
	for _, rows := range []int{0, 1, 400} {
		m := NewMoments(2, 1)
		m.Describe(0, Network{Name: "a", Layer: "l", Units: []string{"u", "v"}})
		x := make([]float32, 3*rows)
		for i := range x {
			x[i] = float32(i*i%7) - 2
		}
		ids := make([]uint64, rows)
		if err := m.AddTensors(ids, Rows(x[:2*rows], rows, 2, 2), Rows(x[2*rows:], rows, 1, 1)); err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := m.file().WriteTo(&b); err != nil { // without the checksum, which no change would pass
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ReadMoments(bytes.NewReader(b))
		if err != nil {
			return
		}
		for a := range m.Networks() {
			m.Live(a)
			m.Mean(a)
			for b := range m.Networks() {
				m.Correlation(nil, a, b)
			}
		}
		rows := make([][]float32, m.Networks())
		for a := range rows {
			rows[a] = make([]float32, m.Units(a))
		}
		if err := m.Add(1, rows...); err != nil {
			t.Error(err)
		}
	})
}

// FuzzCuts streams activations of any values, which the fuzzer chooses by their bits, in
// any cuts: the bits are those of one call, and correlations differ by less than 1e-6 from
// the definition in float64. A value that is not finite is an error that names its place,
// and nothing is added.
func FuzzCuts(f *testing.F) {
	f.Add(uint64(1), uint16(900), uint16(100), []byte("\x00\x00\x80\x3f\x00\x00\x00\x00\x00\x00\x00\xc0"))
	f.Add(uint64(2), uint16(400), uint16(7), []byte("\xff\xff\x7f\x7f\xff\xff\x7f\xff\x01\x00\x00\x00"))
	f.Add(uint64(3), uint16(1), uint16(1), []byte("\x00\x00\xc0\x7f"))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cut uint16, bits []byte) {
		values := make([]float32, min(len(bits)/4, 64))
		if len(values) == 0 {
			t.Skip("no values")
		}
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bits[4*i:]))
		}
		rnd := rand.New(rand.NewPCG(seed, 5))
		units := []int{1 + rnd.IntN(20), 1 + rnd.IntN(20)}[:1+seed%2]
		n := 1 + int(rows)%1500
		nets, part := make([][]float32, len(units)), make([][]float32, len(units))
		bad := ""
		for a, p := range units {
			nets[a] = make([]float32, n*p)
			subsets := make([][]float32, p) // each unit has some of the values, so that scales differ
			for u := range subsets {
				lo := rnd.IntN(len(values))
				subsets[u] = values[lo : lo+1+rnd.IntN(len(values)-lo)]
			}
			for i := range nets[a] {
				v := subsets[i%p][rnd.IntN(len(subsets[i%p]))]
				if nets[a][i] = v; bad == "" && (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
					bad = fmt.Sprintf("network %d, row %d, unit %d:", a, i/p, i%p)
				}
			}
		}
		want := NewMoments(units...)
		err := want.Add(n, nets...)
		if bad != "" {
			if err == nil || !strings.Contains(err.Error(), bad) || want.Count() != 0 {
				t.Fatalf("%v after %d rows, want %s", err, want.Count(), bad)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		m := NewMoments(units...)
		for at := 0; at < n; {
			count := min(n-at, rnd.IntN(2+int(cut)))
			for a, p := range units {
				part[a] = nets[a][at*p:][:count*p]
			}
			if err := m.Add(count, part...); err != nil {
				t.Fatal(err)
			}
			at += count
		}
		requireEqual(t, m, want, "in cuts")
		for a, p := range units {
			for b, q := range units {
				r := ZeroNaN(m.Correlation(nil, a, b))
				for i := range p {
					for j := range q {
						// NaN where a unit is constant, which counts as 0.
						exact := reference(n, nets[a], p, i, nets[b], q, j)
						if math.IsNaN(exact) {
							exact = 0
						}
						if got := r.At(i, j); !(math.Abs(got-exact) <= 1e-6) {
							t.Fatalf("%d rows: r of unit %d of network %d and %d of %d is %v, want %v", n, i, a, j, b, got, exact)
						}
					}
				}
			}
		}
	})
}
