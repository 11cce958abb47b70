package dense

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestLowRankEigen compares with Eigen, of matrices of all kinds of ranks, and checks the
// eigenvectors by what they are.
func TestLowRankEigen(t *testing.T) {
	for _, c := range []struct{ n, rank int }{{1, 1}, {10, 3}, {70, 69}, {200, 1}, {200, 90}, {300, 130}} {
		rnd := rand.New(rand.NewPCG(uint64(c.n), uint64(c.rank)))
		x := make([]float64, c.rank*c.n)
		for i := range x {
			x[i] = rnd.NormFloat64() * math.Pow(0.97, float64(i/c.n)) // of falling size
		}
		a := make([]float64, c.n*c.n)
		Gemm(1, Product{M: c.n, N: c.n, K: c.rank, A: Rows(x, c.n).T(), B: Rows(x, c.n), C: a, LDC: c.n})
		want, _ := Eigen(1, c.n, append([]float64(nil), a...), 0)
		for _, limit := range []int{c.rank, min(c.n, c.rank+5)} {
			values, rows, ok := LowRankEigen(2, c.n, append([]float64(nil), a...), limit, 1e-12)
			if !ok || len(values) != c.rank {
				t.Fatalf("order %d, rank %d, limit %d: %d values, %v", c.n, c.rank, limit, len(values), ok)
			}
			for k, v := range values {
				if math.Abs(v-want[k]) > 1e-12*want[0] {
					t.Errorf("order %d: eigenvalue %d is %v, want %v", c.n, k, v, want[k])
				}
				row := rows[k*c.n:][:c.n]
				for j := range k + 1 {
					if d := Dot(row, rows[j*c.n:][:c.n]); math.Abs(d-float64(b2i(j == k))) > 1e-9 {
						t.Errorf("order %d: eigenvectors %d and %d have the product %v", c.n, j, k, d)
					}
				}
				for i := range row {
					if d := Dot(a[i*c.n:][:c.n], row) - v*row[i]; math.Abs(d) > 1e-11*want[0] {
						t.Fatalf("order %d: residual %v of eigenvector %d", c.n, d, k)
					}
				}
			}
		}
		if c.rank > 1 {
			if _, _, ok := LowRankEigen(1, c.n, append([]float64(nil), a...), c.rank-1, 1e-12); ok {
				t.Errorf("order %d: rank %d passes for less", c.n, c.rank)
			}
		}
	}
}
