package dense

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFactor factors Gram matrices of vectors, some of which depend on others, at once and
// in two parts: the factor and its inverse times the matrix are what they must be.
func TestFactor(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ m, n, first, dependent int }{{9, 1, 0, 0}, {90, 47, 0, 0}, {90, 48, 48, 0}, {90, 49, 48, 10}, {500, 331, 96, 0}, {700, 500, 240, 100}, {60, 200, 48, 0}} {
		x := make([]float64, c.m*c.n)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		for _, j := range rnd.Perm(c.n)[:c.dependent] { // copies its neighbour
			for i := range c.m {
				x[i*c.n+j] = x[i*c.n+(j+1)%c.n]
			}
		}
		a := make([]float64, c.n*c.n)
		Gemm(1, Product{M: c.n, N: c.n, K: c.m, A: Rows(x, c.n).T(), B: Rows(x, c.n), C: a, LDC: c.n})
		factored := func(threads, first int) *Factor {
			f := NewFactor(threads, c.n)
			for _, n := range []int{first, c.n} {
				f.Extend(n, 1e-10, func(k, j int, dst []float64) { copy(dst, a[k*c.n+j:]) })
			}
			return f
		}
		f, threaded := factored(1, c.first), factored(3, c.first)
		rank := 0
		for i := range c.n {
			for k := range i + 1 {
				if f.at(i, k) != threaded.at(i, k) {
					t.Fatalf("%+v: row %d depends on the number of threads", c, i)
				}
			}
			if f.Kept(i) {
				rank++
			}
			for j := range i + 1 {
				sum := 0.0
				for k := range j + 1 {
					sum += f.at(i, k) * f.at(j, k)
				}
				if f.Kept(i) && f.Kept(j) && math.Abs(sum-a[i*c.n+j]) > 1e-10*float64(c.m) {
					t.Fatalf("%+v: element (%d, %d) is %v, not %v", c, i, j, sum, a[i*c.n+j])
				}
			}
		}
		if want := min(c.m, c.n); rank > want || rank < want-c.dependent || c.dependent > 0 && rank == want {
			t.Errorf("%+v: rank %d", c, rank)
		}
		// A right-hand side that the matrix attains.
		b := make([]float64, c.n)
		for i := range b {
			for j := range c.n {
				b[i] += a[i*c.n+j] * float64(j%5-2)
			}
		}
		y := slices.Clone(b)
		f.Solve(y)
		for i := range b {
			sum := 0.0
			for j, v := range y {
				if !f.Kept(j) && v != 0 {
					t.Fatalf("%+v: dependent row %d has a part in the solution", c, j)
				}
				sum += a[i*c.n+j] * v
			}
			if math.Abs(sum-b[i]) > 1e-6*float64(c.m) {
				t.Fatalf("%+v: row %d of the solution's product is %v, not %v", c, i, sum, b[i])
			}
		}
		if rank < c.n {
			continue
		}
		inverse, product := make([]float64, c.n*c.n), make([]float64, c.n*c.n)
		f.Inverse(inverse)
		Gemm(1, Product{M: c.n, N: c.n, K: c.n, A: Rows(a, c.n), B: Rows(inverse, c.n), C: product, LDC: c.n})
		for i := range c.n {
			product[i*c.n+i]--
		}
		for i, v := range product {
			if math.Abs(v) > 1e-9 {
				t.Fatalf("%+v: the inverse times the matrix is off by %g at (%d, %d)", c, v, i/c.n, i%c.n)
			}
		}
	}
}

func BenchmarkFactor(b *testing.B) {
	for _, n := range []int{170, 480, 960} {
		rnd := rand.New(rand.NewPCG(1, 1))
		a := make([]float64, n*n)
		for i := range n {
			for j := range i {
				a[i*n+j] = rnd.Float64() - 0.5
				a[j*n+i] = a[i*n+j]
			}
			a[i*n+i] = float64(n)
		}
		f := NewFactor(1, n)
		for name, run := range map[string]func(){
			"factor": func() {
				f.Truncate(0)
				f.Extend(n, 1e-10, func(k, j int, dst []float64) { copy(dst, a[k*n+j:]) })
			},
			"cholesky": func() { Cholesky(1, n, slices.Clone(a), 1e-10) },
		} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					run()
				}
				b.ReportMetric(float64(n)*float64(n)*float64(n)/3/b.Elapsed().Seconds()*float64(b.N)/1e9, "GFLOP/s")
			})
		}
	}
}
