package level3

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// normal32 returns n normal numbers.
func normal32(rnd *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	return x
}

// blockedSum is the definition of an element of C: blocks of KC terms summed from
// zero, one fused multiply-add a term, and the blocks added in order.
func blockedSum(k int, a, b func(k int) float32, c float32, accumulate bool) float32 {
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

// packed is an operand that is not read where it lies.
type packed struct{ Operand }

type shape struct{ m, n, k int }

// shapes go round the tiles of every tier, the blocks of rows and of terms, and
// the strips of B.
func shapes() []shape {
	s := []shape{{0, 5, 5}, {5, 0, 5}, {5, 5, 0}, {1, 1, 1}, {193, 31, 257}, {400, 3, 9}, {7, 1600, 5}, {13, 97, 2050}, {210, 300, 400}}
	s = append(s, shape{1, 2100, 390}, shape{4, 70, 17}, shape{3, 33, 800}) // few rows
	s = append(s, shape{40, 8, 390}, shape{25, 16, 20}, shape{11, 5, 7})    // few columns
	s = append(s, shape{64, 64, 64}, shape{29, 32, 400})                    // small matrices
	for _, m := range []int{1, 5, 6, 7, 12, 13} {
		for _, n := range []int{1, 8, 15, 16, 17, 32, 33} {
			s = append(s, shape{m, n, 10})
		}
	}
	if testing.Short() {
		return s[:30]
	}
	return s
}

// TestGemmBits compares products of plain and transposed operands with the
// definition, bit by bit, under every tier and number of threads.
func TestGemmBits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, s := range shapes() {
		sa, sb, ldc := s.k+3, s.n+5, s.n+2
		a, b := normal32(rnd, s.m*sa), normal32(rnd, s.k*sb)
		before := normal32(rnd, s.m*ldc)
		bias := normal32(rnd, s.n)
		// sums returns what is at (i, j) beyond first, and leaves what is between rows.
		sums := func(first func(i, j int) float32, accumulate bool) []float32 {
			c := append([]float32(nil), before...)
			for i := range s.m {
				for j := range s.n {
					ai, bj := func(k int) float32 { return a[i*sa+k] }, func(k int) float32 { return b[k*sb+j] }
					c[i*ldc+j] = blockedSum(s.k, ai, bj, first(i, j), accumulate)
				}
			}
			return c
		}
		there := func(i, j int) float32 { return before[i*ldc+j] }
		want := map[bool][]float32{false: sums(there, false), true: sums(there, true)} // by whether it accumulates
		biased := sums(func(_, j int) float32 { return bias[j] }, true)
		for i := range s.m {
			for j := range s.n {
				biased[i*ldc+j] = max(0, biased[i*ldc+j])
			}
		}
		for _, tier := range asm.Supported() {
			for _, threads := range []int{1, 2, 3} {
				for _, operands := range [][2]Operand{{Rows{a, sa}, Cols{b, sb}}, {packed{Rows{a, sa}}, packed{Cols{b, sb}}}} {
					where := fmt.Sprintf("%v %v threads=%d %T", tier, s, threads, operands[0])
					c := make([]float32, len(before))
					p := Product{M: s.m, N: s.n, K: s.k, A: operands[0], B: operands[1], C: c, LDC: ldc}
					for _, accumulate := range []bool{false, true} {
						copy(c, before)
						p.Epilogue = Epilogue{Accumulate: accumulate}
						newProduct(tier, p).run(threads)
						equalBits(t, c, want[accumulate], fmt.Sprint(where, " accumulate=", accumulate))
					}
					copy(c, before)
					p.Epilogue = Epilogue{Bias: bias, ReLU: true}
					newProduct(tier, p).run(threads)
					equalBits(t, c, biased, where+" biased")
				}
			}
		}
	}
}

// gramSum is the definition of a sum of products of PackedB.Gram: runs of 32 terms, added
// in turn.
func gramSum(k int, a, b func(k int) float32) float64 {
	var sum, run float32
	for l := range k {
		if run = asm.FMA(a(l), b(l), run); l%32 == 31 || l == k-1 {
			sum, run = sum+run, 0
		}
	}
	return float64(sum)
}

// TestGramBits compares the upper triangle with the definition, and looks at what lies
// beyond the last vector.
func TestGramBits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 8, 16, 17, 33, 100, 205} {
		for _, k := range []int{1, 32, 192} {
			stride, width := n+1, Width()
			a := normal32(rnd, k*stride)
			b := NewPackedB(make([]float32, PackedLen(n, k)), n, k)
			b.Pack(0, n, Cols{Data: a, Stride: stride})
			ldc := n + 3
			c := make([]float64, n*ldc)
			for i := range c {
				c[i] = rnd.NormFloat64()
			}
			before := slices.Clone(c)
			for j := 0; j*width < n; j++ {
				for i := 0; i <= j; i++ {
					b.Gram(i, b, j, c[i*width*ldc+j*width:], ldc, nil)
				}
			}
			for i := range n {
				for j := i; j < ldc; j++ {
					want := before[i*ldc+j]
					if j < n {
						want += gramSum(k, func(k int) float32 { return a[k*stride+i] }, func(k int) float32 { return a[k*stride+j] })
					}
					if got := c[i*ldc+j]; got != want {
						t.Fatalf("n=%d k=%d: element (%d, %d) is %v, want %v", n, k, i, j, got, want)
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
	a, b, c := normal32(rnd, m*k), normal32(rnd, n*k), make([]float32, m*n)
	Gemm(2, Product{M: m, N: n, K: k, A: Rows{a, k}, B: Rows{b, k}, C: c, LDC: n})
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
	p := Product{A: Rows{x, 10}, B: Rows{x, 10}, C: x}
	for message, f := range map[string]func(){
		"level3: negative size":                  func() { p := p; p.M, p.N, p.K, p.LDC = -1, 1, 1, 1; Gemm(1, p) },
		"level3: ldc less than the columns of C": func() { p := p; p.M, p.N, p.K, p.LDC = 2, 3, 1, 2; Gemm(1, p) },
		"level3: C too short":                    func() { p := p; p.M, p.N, p.K, p.LDC, p.C = 2, 3, 1, 3, x[:5]; Gemm(1, p) },
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

func equalBits(t *testing.T, got, want []float32, label string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", label, i, got[i], want[i])
		}
	}
}
