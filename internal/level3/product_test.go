package level3

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

func random(rnd *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	return x
}

// ordered is the definition of an element of C: blocks of KC terms summed from
// zero, one fused multiply-add a term, and the blocks added in order.
func ordered(k int, a, b func(k int) float32, c float32, accumulate bool) float32 {
	if k == 0 && !accumulate {
		return 0
	}
	for k0 := 0; k0 < k; k0 += KC {
		var s float32
		for i := k0; i < min(k, k0+KC); i++ {
			s = asm.FMA(a(i), b(i), s)
		}
		if k0 > 0 || accumulate {
			s += c
		}
		c = s
	}
	return c
}

type shape struct{ m, n, k int }

// shapes go round the tiles of every tier, the blocks of rows and of terms, and
// the strips of B.
func shapes() []shape {
	s := []shape{{0, 5, 5}, {5, 0, 5}, {5, 5, 0}, {1, 1, 1}, {193, 31, 257}, {400, 3, 9}, {7, 1600, 5}, {13, 97, 2050}}
	for _, m := range []int{1, 5, 6, 7, 12, 13} {
		for _, n := range []int{1, 8, 15, 16, 17, 32, 33} {
			s = append(s, shape{m, n, 10})
		}
	}
	if testing.Short() {
		return s[:20]
	}
	return s
}

// TestGemmBits compares products of plain and transposed operands with the
// definition, bit by bit, under every tier and number of threads.
func TestGemmBits(t *testing.T) {
	for _, tier := range asm.Supported() {
		t.Run(tier.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			for _, s := range shapes() {
				sa, sb, ldc := s.k+3, s.n+5, s.n+2
				a, b := random(rnd, s.m*sa), random(rnd, s.k*sb)
				before := random(rnd, s.m*ldc)
				bias := random(rnd, s.n)
				for _, accumulate := range []bool{false, true} {
					want := append([]float32(nil), before...)
					biased := append([]float32(nil), before...)
					for i := range s.m {
						for j := range s.n {
							ai, bj := func(k int) float32 { return a[i*sa+k] }, func(k int) float32 { return b[k*sb+j] }
							want[i*ldc+j] = ordered(s.k, ai, bj, before[i*ldc+j], accumulate)
							biased[i*ldc+j] = max(0, ordered(s.k, ai, bj, bias[j], true))
						}
					}
					for _, threads := range []int{1, 2, 3} {
						c := append([]float32(nil), before...)
						p := product{m: s.m, n: s.n, k: s.k, a: Rows{a, sa}, b: Cols{b, sb}, c: c, ldc: ldc, end: End{Accumulate: accumulate}}
						p.run(tier, threads)
						same(t, c, want, fmt.Sprintf("%v accumulate=%v threads=%d", s, accumulate, threads))
						copy(c, before)
						p.end = End{Bias: bias, ReLU: true}
						p.run(tier, threads)
						same(t, c, biased, fmt.Sprintf("%v biased threads=%d", s, threads))
					}
				}
			}
		})
	}
}

// TestGramBits compares the upper triangle with the definition.
func TestGramBits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 8, 16, 17, 33, 100, 205} {
		k0, k, stride, width := 40, 300, n+1, Width()
		a := random(rnd, k*stride)
		b := Prepare(make([]float32, PreparedLen(n, k)), n, k)
		b.Fill(0, n, Cols{Data: a, Stride: stride})
		panels, ldc := (n+width-1)/width, roundUp(n, width)
		for _, some := range []int{1, 2, 3} {
			c := make([]float32, some*width*ldc)
			for j := 0; j < panels; j += some {
				b.Gram(j, min(panels, j+some), k0, k, c, ldc)
				for i := j * width; i < min(n, (j+some)*width); i++ {
					for x := i; x < n; x++ {
						var want, run float32
						for l := k0; l < k; l++ {
							if run = asm.FMA(a[l*stride+i], a[l*stride+x], run); (l-k0)%32 == 31 || l == k-1 {
								want += run
								run = 0
							}
						}
						if got := c[(i-j*width)*ldc+x-j*width]; math.Float32bits(got) != math.Float32bits(want) {
							t.Fatalf("n=%d: element (%d, %d) is %v, want %v", n, i, x, got, want)
						}
					}
				}
			}
		}
	}
}

// TestGemmAccuracy holds a product to its error bound against float64: a sum
// of k terms in blocks errs by at most (KC + k/KC) u times the sum of the
// absolute terms, u = 2^-24.
func TestGemmAccuracy(t *testing.T) {
	const m, n, k = 9, 20, 5000
	rnd := rand.New(rand.NewPCG(3, 4))
	a, b, c := random(rnd, m*k), random(rnd, n*k), make([]float32, m*n)
	Gemm(2, m, n, k, Rows{a, k}, Rows{b, k}, c, n, End{})
	for i := range m {
		for j := range n {
			var s, abs float64
			for l := range k {
				v := float64(a[i*k+l]) * float64(b[j*k+l])
				s, abs = s+v, abs+math.Abs(v)
			}
			if e, bound := math.Abs(float64(c[i*n+j])-s), (KC+k/KC)*0x1p-24*abs; e > bound {
				t.Fatalf("C[%d,%d] errs by %g, more than %g", i, j, e, bound)
			}
		}
	}
}

func TestGemmPanics(t *testing.T) {
	x := make([]float32, 100)
	op := Rows{x, 10}
	for message, f := range map[string]func(){
		"level3: negative size":                  func() { Gemm(1, -1, 1, 1, op, op, x, 1, End{}) },
		"level3: ldc less than the columns of C": func() { Gemm(1, 2, 3, 1, op, op, x, 2, End{}) },
		"level3: C too short":                    func() { Gemm(1, 2, 3, 1, op, op, x[:5], 3, End{}) },
	} {
		func() {
			defer func() {
				if r := recover(); r != message {
					t.Errorf("panicked with %v, want %q", r, message)
				}
			}()
			f()
		}()
	}
}

func same(t *testing.T, got, want []float32, where string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", where, i, got[i], want[i])
		}
	}
}
