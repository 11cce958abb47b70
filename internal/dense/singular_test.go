package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSVD checks vectors by what they are and values by gonum's, of matrices whose
// singular values span the range of float64, and of lower rank.
func TestSVD(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][2]int{{1, 1}, {1, 5}, {5, 1}, {8, 8}, {30, 50}, {50, 30}, {70, 70}} {
		m, n := s[0], s[1]
		for _, kind := range []string{"gaussian", "graded", "rank 2", "orthogonal", "zero", "huge"} {
			t.Run(fmt.Sprint(m, "x", n, " ", kind), func(t *testing.T) {
				a := make([]float64, m*n)
				for i := range a {
					if a[i] = rnd.NormFloat64(); kind == "zero" {
						a[i] = 0
					}
				}
				switch kind {
				case "graded":
					for i := range a {
						a[i] *= math.Pow(10, -float64(i/n)/2)
					}
					Rotate(rnd, m, n, a)
				case "rank 2":
					for i := 2 * n; i < len(a); i++ {
						a[i] = a[i%(2*n)]
					}
				case "orthogonal":
					for i := range a {
						a[i] = float64(b2i(i/n == i%n))
					}
					Rotate(rnd, m, n, a)
				case "huge":
					for i := range a {
						a[i] *= 1e250
					}
				}
				values, left, rows := SVD(1, m, n, a, true)
				var svd mat.SVD
				if !svd.Factorize(mat.NewDense(m, n, a), mat.SVDNone) {
					t.Fatal("gonum gave up")
				}
				want := svd.Values(nil)
				bound := 1e-14 * math.Sqrt(float64(m+n)) * want[0]
				var sum, total float64
				for i := range m {
					w := 0.0
					if i < len(want) {
						w = want[i]
					}
					sum += w
					total += values[i]
					if !(math.Abs(values[i]-w) <= bound) {
						t.Fatalf("value %d is %v, want %v", i, values[i], w)
					}
				}
				if got := NuclearNorm(1, m, n, a); !(math.Abs(got-sum) <= 10*bound+1e-9*sum) {
					t.Errorf("the nuclear norm is %v, want %v", got, sum)
				}
				product := make([]float64, m*n)
				Gemm(1, Product{M: m, N: n, K: m, A: Rows(left, m), B: Rows(a, n), C: product, LDC: n})
				for i, v := range product {
					if !(math.Abs(v-rows[i]) <= bound) {
						t.Fatalf("element %d of U A is %v, want %v", i, rows[i], v)
					}
				}
				inner := make([]float64, m*m)
				Gemm(1, Product{M: m, N: m, K: m, A: Rows(left, m), B: Rows(left, m).T(), C: inner, LDC: m})
				for i, v := range inner {
					if !(math.Abs(v-float64(b2i(i/m == i%m))) <= 1e-13) {
						t.Fatalf("U is not orthonormal: %v", v)
					}
				}
			})
		}
	}
}

// TestRotate: rows keep their inner products, and the first and second moments of the
// elements of a rotated coordinate are those of a uniform direction.
func TestRotate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{1, 2, 7, 40, 65} {
		z := make([]float64, n*n)
		for i := range n {
			z[i*n+i] = 1
		}
		Rotate(rnd, n, n, z)
		inner := make([]float64, n*n)
		Gemm(1, Product{M: n, N: n, K: n, A: Rows(z, n), B: Rows(z, n).T(), C: inner, LDC: n})
		for i, v := range inner {
			if math.Abs(v-float64(b2i(i/n == i%n))) > 1e-13 {
				t.Fatalf("n = %d: not orthogonal: %v", n, v)
			}
		}
	}
	const n, draws = 5, 4000
	var first, second [n * n]float64
	for range draws {
		z := make([]float64, n*n)
		for i := range n {
			z[i*n+i] = 1
		}
		Rotate(rnd, n, n, z)
		for i, v := range z {
			first[i] += v / draws
			second[i] += v * v / draws
		}
	}
	for i := range first {
		if math.Abs(first[i]) > 0.03 || math.Abs(second[i]-1./n) > 0.02 {
			t.Errorf("element %d: mean %v, mean square %v, want 0 and %v", i, first[i], second[i], 1./n)
		}
	}
}
