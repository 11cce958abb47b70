package match

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestVerifyScales: what is optimal is proved so at any scale of values, and of values that
// span 1e32; what is not is refused.
func TestVerifyScales(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, span := range []float64{0, 16} {
		for _, scale := range []float64{1e-250, 1e-20, 1, 1e20, 1e250} {
			const n = 40
			c := mat.NewDense(n, n+3, nil)
			c.Apply(func(_, _ int, _ float64) float64 {
				return scale * math.Pow(10, span*(2*rnd.Float64()-1)) * rnd.NormFloat64()
			}, c)
			c.Set(3, 4, math.Inf(-1))
			m, err := Bipartite(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(c, 1e-9); err != nil {
				t.Errorf("span %g, scale %g: %v", span, scale, err)
			}
			// Exchange the partner with the largest value for another's.
			best, other := 0, 1
			for i, r := range m.R {
				if r > m.R[best] {
					best = i
				}
			}
			if other == best {
				other = 2
			}
			m.Partner[best], m.Partner[other] = m.Partner[other], m.Partner[best]
			if m.Verify(c, 1e-9) == nil {
				t.Errorf("span %g, scale %g: another matching passes", span, scale)
			}
			if span == 0 {
				s, err := SoftMatching(context.Background(), c.Slice(0, 2, 5, 8))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Verify(c.Slice(0, 2, 5, 8), 1e-9); err != nil {
					t.Errorf("soft, scale %g: %v", scale, err)
				}
			}
		}
	}
}
