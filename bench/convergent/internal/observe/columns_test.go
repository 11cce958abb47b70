package observe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestSpan: columns of the span are orthonormal, as many as the rank, and all that units are.
func TestSpan(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ images, units, rank, want int }{
		{40, 0, 0, -1},
		{40, 1, 1, 1},
		{40, 7, 7, 7},
		{40, 30, 5, 5},
		{40, 38, 38, 38},
		{40, 39, 39, -1},
		{40, 40, 20, 20},
		{40, 60, 12, 12},
		{40, 60, 60, -1},
		{2, 3, 3, -1},
		{3, 3, 1, 1},
	} {
		t.Run(fmt.Sprint(c.images, c.units, c.rank), func(t *testing.T) {
			causes, weights := normal(rnd, c.images*c.rank), normal(rnd, c.rank*c.units)
			if c.rank == c.units {
				for i := range weights {
					weights[i] = 0
					if i%(c.units+1) == 0 {
						weights[i] = 1
					}
				}
			}
			f := &Features{Images: make([]int, c.images), units: []int{c.units}, Rows: [][]float32{make([]float32, c.images*c.units)}}
			for i := range f.Rows[0] {
				sum := 10.0
				for k := range c.rank {
					sum += causes[i/c.units*c.rank+k] * weights[k*c.units+i%c.units]
				}
				f.Rows[0][i] = float32(sum)
			}
			x := f.Standardized(0)
			span := x.Span(2)
			if span == nil {
				if c.want >= 0 {
					t.Fatalf("no span, want one of %d dimensions", c.want)
				}
				return
			}
			if span.Units != c.want {
				t.Fatalf("%d dimensions, want %d", span.Units, c.want)
			}
			for k, v := range *span.Product(span) {
				want := 0.0
				if k%(span.Units+1) == 0 {
					want = 1
				}
				if math.Abs(float64(v)-want) > 1e-5 {
					t.Fatalf("columns %d and %d have the product %v", k/span.Units, k%span.Units, v)
				}
			}
			explained := make([]float64, x.Units)
			for k, v := range *span.Product(x) {
				explained[k%x.Units] += float64(v) * float64(v)
			}
			for u, v := range explained {
				if math.Abs(v-1) > 1e-5 {
					t.Errorf("the span has %v of unit %d", v, u)
				}
			}
		})
	}
}

func normal(rnd *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	return x
}
