package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

var forms = map[string]*asm.Winograd{"F(2x2,3x3)": asm.F2x3, "F(4x4,3x3)": asm.F4x3, "F(2x2,5x5)": asm.F2x5, "F(4x4,5x5)": asm.F4x5}

// TestTransforms compares every transform under every tier, bit by bit, with the
// portable one, for numbers of channels round the kernels' step, at odd strides, on
// grids that end at a guard page.
func TestTransforms(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for name, w := range forms {
			for _, x := range []struct {
				transform *asm.Transform
				in, out   int
			}{{w.Input, w.Points, w.Points}, {w.Filter, w.R, w.Points}, {w.Output, w.Points, w.M}, {w.Spread, w.M, w.Points}, {w.Collect, w.Points, w.R}} {
				for _, n := range []int{0, 1, 7, 8, 9, 16, 23, 24} {
					for _, pad := range []int{0, 3} {
						srcCol, dstRow := n+pad, n+2*pad // dst is transposed in memory
						srcRow, dstCol := x.in*srcCol+pad, x.out*dstRow+pad
						src := guarded(t, max(0, (x.in-1)*(srcRow+srcCol)+n))
						dst := guarded(t, max(0, (x.out-1)*(dstRow+dstCol)+n))
						bias := guarded(t, n)
						random(rnd, src)
						random(rnd, bias)
						fill(dst, canary)
						want := make([]float32, len(dst))
						fill(want, canary)
						where := fmt.Sprintf("%s %dx%d of %d channels", name, x.out, x.in, n)
						if x.transform == w.Output {
							for _, floor := range []float32{0, float32(math.Inf(-1))} {
								tier.Output(x.transform, n, dst, dstRow, dstCol, src, srcRow, srcCol, bias, floor)
								asm.Portable.Output(x.transform, n, want, dstRow, dstCol, src, srcRow, srcCol, bias, floor)
								same(t, dst, want, where)
							}
							continue
						}
						tier.Transform(x.transform, n, dst, dstRow, dstCol, src, srcRow, srcCol)
						asm.Portable.Transform(x.transform, n, want, dstRow, dstCol, src, srcRow, srcCol)
						same(t, dst, want, where)
					}
				}
			}
		}
	})
}

// TestWinograd holds the forms to what they are for: one tile of one channel
// against the convolution, and the gradient of the taps, in float64.
func TestWinograd(t *testing.T) {
	for name, w := range forms {
		rnd := rand.New(rand.NewPCG(1, 2))
		p, m, r := w.Points, w.M, w.R
		d, g, dy := make([]float32, p*p), make([]float32, r*r), make([]float32, m*m)
		random(rnd, d)
		random(rnd, g)
		random(rnd, dy)
		grid := func(x *asm.Transform, n int, src []float32, in int) []float32 {
			dst := make([]float32, n*n)
			asm.Portable.Transform(x, 1, dst, n, 1, src, in, 1)
			return dst
		}
		times := func(a, b []float32) []float32 {
			c := make([]float32, len(a))
			for i := range c {
				c[i] = a[i] * b[i]
			}
			return c
		}
		input := grid(w.Input, p, d, p)
		y := make([]float32, m*m)
		asm.Portable.Output(w.Output, 1, y, m, 1, times(input, grid(w.Filter, p, g, r)), p, 1, []float32{0.5}, -100)
		dg := grid(w.Collect, r, times(input, grid(w.Spread, p, dy, m)), p)

		check := func(what string, got []float32, size int, other []float32, around int, bias float64) {
			for i := range size {
				for j := range size {
					want := bias
					for a := range around {
						for b := range around {
							want += float64(d[(i+a)*p+j+b]) * float64(other[a*around+b])
						}
					}
					if diff := math.Abs(float64(got[i*size+j]) - want); diff > 5e-5 {
						t.Errorf("%s: %s (%d, %d) is off by %g", name, what, i, j, diff)
					}
				}
			}
		}
		check("output", y, m, g, r, 0.5)
		check("gradient of tap", dg, r, dy, m, 0)
	}
}
