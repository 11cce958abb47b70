package match

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// FuzzBipartite makes a matrix of up to 500 x 500 from a seed: its values are
// multiples of a step in the given number of levels, of rank one for odd kinds, and a
// share of pairs, in 256ths, is forbidden. Up to 8 x 8 brute force is the truth, for
// larger ones the certificate.
func FuzzBipartite(f *testing.F) {
	f.Add(uint64(1), uint16(8), uint16(8), uint8(0), uint16(1000), uint8(0))
	f.Add(uint64(2), uint16(1), uint16(500), uint8(1), uint16(3), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint16, kind uint8, levels uint16, forbiddenShare uint8) {
		fuzzBipartite(t, seed, 1+int(rows)%500, 1+int(cols)%500, kind, levels, forbiddenShare)
	})
}

func fuzzBipartite(t *testing.T, seed uint64, rows, cols int, kind uint8, levels uint16, forbiddenShare uint8) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 0))
	step, tol := 1.0, 0.0
	if kind&2 != 0 {
		step, tol = 1/math.Pi, 1e-9
	}
	level := func() float64 { return step * float64(rnd.IntN(int(levels)+1)-int(levels)/2) }
	a, b := make([]float64, rows), make([]float64, cols)
	for i := range a {
		a[i] = level()
	}
	for j := range b {
		b[j] = level()
	}
	c := mat.NewDense(rows, cols, nil)
	c.Apply(func(i, j int, _ float64) float64 {
		switch {
		case rnd.IntN(256) < int(forbiddenShare):
			return forbidden
		case kind&1 != 0:
			return a[i] * b[j]
		}
		return level()
	}, c)
	m, err := Bipartite(c)
	small := max(rows, cols) <= 8
	if err != nil {
		if !errors.Is(err, ErrInfeasible) {
			t.Fatal(err)
		}
		if forbiddenShare == 0 || small && !math.IsInf(bruteForce(c), -1) {
			t.Fatalf("%v, but there is a matching", err)
		}
		return
	}
	if err := m.Verify(c, tol); err != nil {
		t.Fatal(err)
	}
	turned, err := Bipartite(c.T())
	if err != nil {
		t.Fatal(err)
	}
	if err := turned.Verify(c.T(), tol); err != nil {
		t.Fatal(err)
	}
	if small {
		if got, want := sum(m.R), bruteForce(c); math.Abs(got-want) > tol {
			t.Fatalf("sum %v, want %v", got, want)
		}
	}
}

// TestBipartiteRandom runs the fuzz function on random sizes and kinds.
func TestBipartiteRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for k := range 1200 {
		size := 8
		if k%40 == 0 {
			size = 500
		}
		rows, cols := 1+rnd.IntN(size), 1+rnd.IntN(size)
		if size == 8 && rows+cols > 14 && k%7 != 0 {
			rows -= 2 // brute force of 8 x 8 takes long
		}
		if k%3 == 0 {
			cols = rows
		}
		levels := []uint16{0, 1, 2, 9, 1000}[rnd.IntN(5)]
		forbiddenShare := []uint8{0, 0, 20, 128, 220}[rnd.IntN(5)]
		fuzzBipartite(t, rnd.Uint64(), rows, cols, uint8(rnd.IntN(4)), levels, forbiddenShare)
	}
}
