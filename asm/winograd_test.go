package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

var winogradForms = map[string]*asm.Winograd{"F(2x2,3x3)": asm.F2x3, "F(4x4,3x3)": asm.F4x3, "F(2x2,5x5)": asm.F2x5, "F(4x4,5x5)": asm.F4x5}

// TestTransforms compares every transform under every tier, bit by bit, with the
// portable one, for numbers of channels round the kernels' step, at odd strides, on
// grids that end at a guard page.
func TestTransforms(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for name, w := range winogradForms {
			for _, x := range []struct {
				transform *asm.Transform
				in, out   int
			}{{w.Input, w.Points, w.Points}, {w.Filter, w.R, w.Points}, {w.Output, w.Points, w.M}, {w.OutputAdjoint, w.M, w.Points}, {w.FilterAdjoint, w.Points, w.R}} {
				for _, n := range []int{0, 1, 7, 8, 9, 16, 23, 24} {
					for _, pad := range []int{0, 3} {
						srcCol, dstRow := n+pad, n+2*pad // dst is transposed in memory
						srcRow, dstCol := x.in*srcCol+pad, x.out*dstRow+pad
						src := asm.Grid{Data: guarded(t, max(0, (x.in-1)*(srcRow+srcCol)+n)), RowStride: srcRow, ColStride: srcCol}
						dst := asm.Grid{Data: guarded(t, max(0, (x.out-1)*(dstRow+dstCol)+n)), RowStride: dstRow, ColStride: dstCol}
						bias := guarded(t, n)
						fillNormal(rnd, src.Data)
						fillNormal(rnd, bias)
						fill(dst.Data, canary)
						want := asm.Grid{Data: slices.Clone(dst.Data), RowStride: dstRow, ColStride: dstCol}
						where := fmt.Sprintf("%s %dx%d of %d channels", name, x.out, x.in, n)
						if x.transform == w.Output {
							for _, floor := range []float32{0, float32(math.Inf(-1))} {
								tier.Output(x.transform, n, dst, src, bias, floor)
								asm.Portable.Output(x.transform, n, want, src, bias, floor)
								equalBits(t, dst.Data, want.Data, where)
							}
							continue
						}
						tier.Transform(x.transform, n, dst, src)
						asm.Portable.Transform(x.transform, n, want, src)
						equalBits(t, dst.Data, want.Data, where)
					}
				}
			}
		}
	})
}

// TestWinograd holds the forms to what they are for: one tile of one channel
// against the convolution, and the gradient of the taps, in float64.
func TestWinograd(t *testing.T) {
	for form, w := range winogradForms {
		rnd := rand.New(rand.NewPCG(1, 2))
		p, m, r := w.Points, w.M, w.R
		d, g, dy := make([]float32, p*p), make([]float32, r*r), make([]float32, m*m)
		fillNormal(rnd, d)
		fillNormal(rnd, g)
		fillNormal(rnd, dy)
		grid := func(data []float32, n int) asm.Grid { return asm.Grid{Data: data, RowStride: n, ColStride: 1} }
		transform := func(x *asm.Transform, n int, src []float32, in int) []float32 {
			dst := make([]float32, n*n)
			asm.Portable.Transform(x, 1, grid(dst, n), grid(src, in))
			return dst
		}
		product := func(a, b []float32) []float32 {
			c := make([]float32, len(a))
			for i := range c {
				c[i] = a[i] * b[i]
			}
			return c
		}
		input := transform(w.Input, p, d, p)
		y := make([]float32, m*m)
		asm.Portable.Output(w.Output, 1, grid(y, m), grid(product(input, transform(w.Filter, p, g, r)), p), []float32{0.5}, -100)
		dg := transform(w.FilterAdjoint, r, product(input, transform(w.OutputAdjoint, p, dy, m)), p)

		check := func(name string, got []float32, size int, filter []float32, taps int, bias float64) {
			for i := range size {
				for j := range size {
					want := bias
					for a := range taps {
						for b := range taps {
							want += float64(d[(i+a)*p+j+b]) * float64(filter[a*taps+b])
						}
					}
					if diff := math.Abs(float64(got[i*size+j]) - want); diff > 5e-5 {
						t.Errorf("%s: %s (%d, %d) is off by %g", form, name, i, j, diff)
					}
				}
			}
		}
		check("output", y, m, g, r, 0.5)
		check("gradient of tap", dg, r, dy, m, 0)
	}
}
