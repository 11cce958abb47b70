package dense

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// testMatrices are symmetric ones of order n that are hard in various ways.
func testMatrices(n int) map[string][]float64 {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	gaussian := make([]float64, n*n)
	for i := range gaussian {
		gaussian[i] = rnd.NormFloat64()
	}
	symmetrical := func(f func(i, j int) float64) []float64 {
		a := make([]float64, n*n)
		for i := range n {
			for j := range i + 1 {
				a[i*n+j] = f(i, j)
				a[j*n+i] = a[i*n+j]
			}
		}
		return a
	}
	rank := func(k int, scale float64) []float64 {
		a := make([]float64, n*n)
		Gemm(1, Product{M: n, N: n, K: min(k, n), Alpha: scale, A: Rows(gaussian, n), B: Rows(gaussian, n).T(), C: a, LDC: n})
		return a
	}
	return map[string][]float64{
		"gaussian":  symmetrical(func(i, j int) float64 { return gaussian[i*n+j] }),
		"gram":      rank(n, 1),
		"rank 3":    rank(3, 1),
		"tiny":      rank(n, 1e-280),
		"huge":      rank(n, 1e280),
		"zero":      make([]float64, n*n),
		"ones":      symmetrical(func(i, j int) float64 { return 1 }),
		"identity":  symmetrical(func(i, j int) float64 { return float64(b2i(i == j)) }),
		"diagonal":  symmetrical(func(i, j int) float64 { return float64(b2i(i == j) * (i % 5)) }),
		"wilkinson": symmetrical(func(i, j int) float64 { return float64(b2i(i == j)*abs(n/2-i) + b2i(i == j+1)) }),
		"laplacian": symmetrical(func(i, j int) float64 { return float64(2*b2i(i == j) - b2i(i == j+1)) }),
		"graded":    symmetrical(func(i, j int) float64 { return gaussian[i*n+j] * math.Pow(10, -float64(i+j)/4) }),
		"glued": symmetrical(func(i, j int) float64 {
			return float64(b2i(i == j)*abs(10-i%21)+b2i(i == j+1 && i%21 != 0)) + 1e-9*float64(b2i(i == j+1 && i%21 == 0))
		}),
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func abs(i int) int { return max(i, -i) }

// TestEigen checks eigenvectors by what they are: orthonormal, with residuals at
// rounding; and eigenvalues by gonum's.
func TestEigen(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 24, 25, 33, 64, 100, 193} {
		if testing.Short() && n > 64 {
			continue
		}
		for name, a := range testMatrices(n) {
			t.Run(fmt.Sprint(n, " ", name), func(t *testing.T) {
				norm := 0.0
				for _, v := range a {
					norm = max(norm, math.Abs(v))
				}
				bound := 4 * float64(n) * 0x1p-52
				values, rows := Eigen(1, n, slices.Clone(a), n)
				valuesOnly, noRows := Eigen(1, n, slices.Clone(a), 0)
				threadValues, threadRows := Eigen(3, n, slices.Clone(a), n)
				if noRows != nil || !slices.Equal(values, threadValues) || !slices.Equal(rows, threadRows) {
					t.Fatal("another result on three threads")
				}
				for _, k := range []int{1, n / 3, n - 1} {
					if k > 0 {
						sameValues, firstRows := Eigen(1, n, slices.Clone(a), k)
						if !slices.Equal(sameValues, values) || !slices.Equal(firstRows, rows[:k*n]) {
							t.Fatalf("%d vectors differ from the first of all", k)
						}
					}
				}
				if !slices.IsSortedFunc(values, func(x, y float64) int { return int(math.Copysign(1, y-x)) * b2i(x != y) }) {
					t.Fatalf("not falling: %v", values)
				}
				product := make([]float64, n*n)
				Gemm(1, Product{M: n, N: n, K: n, A: Rows(rows, n), B: Rows(a, n), C: product, LDC: n})
				inner := make([]float64, n*n)
				Gemm(1, Product{M: n, N: n, K: n, A: Rows(rows, n), B: Rows(rows, n).T(), C: inner, LDC: n})
				// gonum panics on values near the ends of the range.
				unit := slices.Clone(a)
				for i := range unit {
					unit[i] /= max(norm, 1e-300)
				}
				var eig mat.EigenSym
				if !eig.Factorize(mat.NewSymDense(n, unit), false) {
					t.Fatal("gonum gave up")
				}
				want := eig.Values(nil)
				for i := range want {
					want[i] *= norm
				}
				slices.Sort(want)
				slices.Reverse(want)
				for i := range n {
					if e := math.Abs(values[i] - want[i]); !(e <= bound*norm*float64(n)) && norm > 0 {
						t.Fatalf("value %d is %v, want %v", i, values[i], want[i])
					}
					if e := math.Abs(valuesOnly[i] - values[i]); e > bound*norm*float64(n) {
						t.Fatalf("value %d is %v, without vectors %v", i, values[i], valuesOnly[i])
					}
					for j := range n {
						if e := inner[i*n+j] - float64(b2i(i == j)); !(math.Abs(e) <= bound) {
							t.Fatalf("vectors %d and %d: off orthonormal by %g", i, j, e)
						}
						if e := product[i*n+j] - values[i]*rows[i*n+j]; !(math.Abs(e) <= bound*norm*float64(n)/2) {
							t.Fatalf("vector %d: residual %g", i, e/norm)
						}
					}
				}
			})
		}
	}
}

// TestGemm compares with gonum's product, at every edge and with any strides.
func TestGemm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][3]int{{1, 1, 1}, {5, 7, 3}, {12, 16, 8}, {13, 17, 300}, {97, 33, 513}, {100, 1030, 20}, {0, 3, 3}, {3, 3, 0}} {
		m, n, k := s[0], s[1], s[2]
		a, b := make([]float64, m*k), make([]float64, k*n)
		for i := range a {
			a[i] = rnd.NormFloat64()
		}
		for i := range b {
			b[i] = rnd.NormFloat64()
		}
		first := make([]float64, m*(n+2))
		for i := range first {
			first[i] = rnd.NormFloat64()
		}
		for _, at := range []bool{false, true} {
			for _, bt := range []bool{false, true} {
				va, vb := Rows(a, k), Rows(b, n)
				if at {
					va = Rows(a, m).T()
				}
				if bt {
					vb = Rows(b, k).T()
				}
				c := slices.Clone(first)
				Gemm(1, Product{M: m, N: n, K: k, Alpha: -0.5, A: va, B: vb, C: c, LDC: n + 2})
				again := slices.Clone(first)
				Gemm(2, Product{M: m, N: n, K: k, Alpha: -0.5, A: va, B: vb, C: again, LDC: n + 2})
				if !slices.Equal(c, again) {
					t.Fatal("another result on two threads")
				}
				for i := range m {
					for j := range n + 2 {
						want := first[i*(n+2)+j]
						for l := 0; l < k && j < n; l++ {
							want -= 0.5 * va.Data[i*va.RowStride+l*va.ColStride] * vb.Data[l*vb.RowStride+j*vb.ColStride]
						}
						if math.Abs(c[i*(n+2)+j]-want) > 1e-12*math.Sqrt(float64(k+1)) {
							t.Fatalf("%v, transposed %v %v: element (%d, %d) is %v, want %v", s, at, bt, i, j, c[i*(n+2)+j], want)
						}
					}
				}
			}
		}
	}
}

func BenchmarkEigen(b *testing.B) {
	for _, n := range []int{192, 256, 768} {
		a := testMatrices(n)["gram"]
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Eigen(1, n, slices.Clone(a), n)
			}
		})
		b.Run(fmt.Sprint(n, "/values"), func(b *testing.B) {
			for b.Loop() {
				Eigen(1, n, slices.Clone(a), 0)
			}
		})
		b.Run(fmt.Sprint(n, "/gemm"), func(b *testing.B) {
			c := make([]float64, n*n)
			for b.Loop() {
				Gemm(1, Product{M: n, N: n, K: n, A: Rows(a, n), B: Rows(a, n), C: c, LDC: n})
			}
			b.ReportMetric(2*float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// endingContext ends after it was asked so often.
type endingContext struct {
	context.Context
	left int
}

func (c *endingContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestEigenContext: wherever on the way a context ends, its error is what is returned.
func TestEigenContext(t *testing.T) {
	const n = 120
	for _, vectors := range []int{0, n} {
		ends := 0
		for ; ; ends++ {
			_, _, err := EigenContext(&endingContext{context.Background(), ends}, 1, n, testMatrices(n)["gram"], vectors)
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if ends < n/panelRows+vectors/64 {
			t.Errorf("%d vectors: the context is looked at %d times", vectors, ends)
		}
	}
}
