package dense

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestEigenEnds: matrices that are not finite, or hold any bits at all, are gone through
// in bounded time.
func TestEigenEnds(t *testing.T) {
	for _, n := range []int{1, 2, 3, 40, 100} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, vectors := range []int{0, n} {
				a := make([]float64, n*n)
				a[(n-1)*n] = bad // in the lower triangle
				values, rows := Eigen(1, n, a, vectors)
				if len(values) != n || len(rows) != vectors*n || !math.IsNaN(values[0]) {
					t.Errorf("%d, %v: %v", n, bad, values)
				}
			}
		}
		begin := time.Now()
		rnd := rand.New(rand.NewPCG(1, uint64(n)))
		for range 20 {
			a := make([]float64, n*n)
			for i := range a {
				if a[i] = math.Float64frombits(rnd.Uint64()); math.IsNaN(a[i]) || math.IsInf(a[i], 0) {
					a[i] = 0
				}
			}
			if values, _ := Eigen(1, n, a, n); math.IsNaN(values[0]) {
				t.Errorf("%d: %v", n, values)
			}
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%d: %v", n, took)
		}
	}
	d, e := []float64{math.NaN(), 1, 2}, []float64{1, math.NaN()}
	ql(d, e, nil, 0) // which ends
}
