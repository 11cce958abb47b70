package dense

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCholesky factors Gram matrices of vectors, some of which depend on others: L L^T is
// the matrix, exactly as many rows are kept as there are dimensions, and what Eliminate
// leaves is an orthonormal basis that the vectors lie in.
func TestCholesky(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ m, n, depend int }{{5, 1, 0}, {40, 7, 2}, {400, 300, 0}, {400, 300, 40}, {200, 129, 1}, {60, 200, 140}} {
		x := make([]float64, c.m*c.n) // m x n, columns are the vectors
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		dependent := rnd.Perm(max(0, c.n-2))[:min(c.depend, max(0, c.n-2))]
		if c.m < c.n {
			dependent = nil // there are fewer dimensions than vectors anyway
		}
		slices.Sort(dependent)
		for _, j := range dependent { // vector j+2 is a sum of two before it
			a, b := rnd.IntN(j+2), rnd.IntN(j+2)
			for i := range c.m {
				x[i*c.n+j+2] = x[i*c.n+a] - 3*x[i*c.n+b]
			}
		}
		g := make([]float64, c.n*c.n)
		Gemm(1, Product{M: c.n, N: c.n, K: c.m, A: Rows(x, c.n).T(), B: Rows(x, c.n), C: g, LDC: c.n})
		l, l2 := slices.Clone(g), slices.Clone(g)
		kept := Cholesky(1, c.n, l, 1e-10)
		if !slices.Equal(kept, Cholesky(3, c.n, l2, 1e-10)) || !slices.Equal(l, l2) {
			t.Error("the factor depends on the number of threads")
		}
		rank := 0
		for j, k := range kept {
			if k {
				rank++
			}
			for i := range j { // read no more
				l[i*c.n+j] = 0
			}
		}
		if want := min(c.m, c.n-len(dependent)); rank != want {
			t.Errorf("%+v: %d rows are kept, not %d", c, rank, want)
		}
		product := make([]float64, c.n*c.n)
		Gemm(1, Product{M: c.n, N: c.n, K: c.n, A: Rows(l, c.n), B: Rows(l, c.n).T(), C: product, LDC: c.n})
		for i := range product {
			if d := math.Abs(product[i] - g[i]); d > 1e-9*float64(c.m) {
				t.Fatalf("%+v: element %d of L L^T is off by %g", c, i, d)
			}
		}
		q := slices.Clone(x)
		Eliminate(2, c.m, c.n, q, l)
		// x = Q Q^T x, for orthonormal Q.
		inner := make([]float64, c.n*c.n)
		Gemm(1, Product{M: c.n, N: c.n, K: c.m, A: Rows(q, c.n).T(), B: Rows(q, c.n), C: inner, LDC: c.n})
		for i := range c.n {
			for j := range c.n {
				want := 0.0
				if i == j && kept[i] {
					want = 1
				}
				if d := math.Abs(inner[i*c.n+j] - want); d > 1e-6 {
					t.Fatalf("%+v: the inner product of basis vectors %d and %d is off by %g", c, i, j, d)
				}
			}
		}
		coefficients, rest := make([]float64, c.n*c.n), slices.Clone(x)
		Gemm(1, Product{M: c.n, N: c.n, K: c.m, A: Rows(q, c.n).T(), B: Rows(x, c.n), C: coefficients, LDC: c.n})
		Gemm(1, Product{M: c.m, N: c.n, K: c.n, Alpha: -1, A: Rows(q, c.n), B: Rows(coefficients, c.n), C: rest, LDC: c.n})
		for i, v := range rest {
			if math.Abs(v) > 1e-5 {
				t.Fatalf("%+v: element %d is outside the basis by %g", c, i, v)
			}
		}
	}
}
