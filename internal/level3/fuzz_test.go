package level3

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// FuzzGemm compares products of any shape, of values of any size, with the definition
// under every tier, bit by bit.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint16(13), uint16(33), uint16(300), uint8(0))
	f.Add(uint64(2), uint16(1), uint16(1), uint16(1), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, kind uint8) {
		s := shape{int(m) % 70, int(n) % 70, int(k) % 600}
		rnd := rand.New(rand.NewPCG(seed, 1))
		values := func(n int) []float32 {
			x := normal32(rnd, n)
			for i := range x {
				if kind&1 != 0 && rnd.IntN(3) == 0 {
					x[i] = 0
				}
				if kind&2 != 0 {
					x[i] *= float32([]float64{1e-20, 1, 1e15}[rnd.IntN(3)])
				}
			}
			return x
		}
		sa, sb, ldc := s.k+int(kind>>4), s.n+int(kind>>5), s.n+int(kind>>6)
		a, b, before := values(s.m*sa), values(s.k*sb), values(s.m*ldc)
		accumulate, threads := kind&4 != 0, 1+int(kind>>3)%3
		want := append([]float32(nil), before...)
		for i := range s.m {
			for j := range s.n {
				want[i*ldc+j] = blockedSum(s.k, func(k int) float32 { return a[i*sa+k] }, func(k int) float32 { return b[k*sb+j] }, before[i*ldc+j], accumulate)
			}
		}
		for _, tier := range asm.Supported() {
			c := append([]float32(nil), before...)
			p := Product{M: s.m, N: s.n, K: s.k, A: Rows{a, sa}, B: Cols{b, sb}, C: c, LDC: ldc, Epilogue: Epilogue{Accumulate: accumulate}}
			newProduct(tier, p).run(threads)
			equalBits(t, c, want, fmt.Sprintf("%v %v", tier, s))
		}
	})
}

// FuzzGram compares products of columns with each other with the definition.
func FuzzGram(f *testing.F) {
	f.Add(uint64(1), uint8(17), uint16(300))
	f.Fuzz(func(t *testing.T, seed uint64, units uint8, rows uint16) {
		n, k := 1+int(units), 1+int(rows)%KC
		rnd, stride, width := rand.New(rand.NewPCG(seed, 2)), n+1, Width()
		a := normal32(rnd, k*stride)
		b := NewPackedB(make([]float32, PackedLen(n, k)), n, k)
		b.Pack(0, n, Cols{Data: a, Stride: stride})
		c := make([]float64, n*n)
		for j := 0; j*width < n; j++ {
			for i := 0; i <= j; i++ {
				b.Gram(i, b, j, c[i*width*n+j*width:], n, nil)
			}
		}
		for range 50 {
			i := rnd.IntN(n)
			x := i + rnd.IntN(n-i)
			want := gramSum(k, func(k int) float32 { return a[k*stride+i] }, func(k int) float32 { return a[k*stride+x] })
			if got := c[i*n+x]; got != want {
				t.Fatalf("%d units, %d rows: product of %d and %d is %v, want %v", n, k, i, x, got, want)
			}
		}
	})
}
