//go:build !amd64 || purego

package asm

// Without assembly no tier above Portable is ever active, so the switches that
// name these kernels never reach them.

const missingKernel = "asm: no such kernel in this build"

func gemm6x16(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}
func gemm4x16(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}
func gemm12x32(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}
func gemm8x32(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}

func gram6x16(tiles, k int, a, b *float32, ld int, c *float64, ldc int)  { panic(missingKernel) }
func gram4x16(tiles, k int, a, b *float32, ld int, c *float64, ldc int)  { panic(missingKernel) }
func gram8x8(tiles, k int, a, b *float32, ld int, c *float64, ldc int)   { panic(missingKernel) }
func gram8x32(tiles, k int, a, b *float32, ld int, c *float64, ldc int)  { panic(missingKernel) }
func gram16x16(tiles, k int, a, b *float32, ld int, c *float64, ldc int) { panic(missingKernel) }

func panel6(n int, dst, src *float32, stride int)  { panic(missingKernel) }
func panel12(n int, dst, src *float32, stride int) { panic(missingKernel) }
func panel16(n int, dst, src *float32, stride int) { panic(missingKernel) }
func panel32(n int, dst, src *float32, stride int) { panic(missingKernel) }

func transpose8(dst *float32, ld int, src *float32, stride, cols int) { panic(missingKernel) }
func transpose6(dst *float32, ld int, src *float32, stride, cols int) { panic(missingKernel) }
func transpose4(dst *float32, ld int, src *float32, stride, cols int) { panic(missingKernel) }

func peak8(n int)  { panic(missingKernel) }
func peak16(n int) { panic(missingKernel) }

func add8(n int, dst, a *float32)                                          { panic(missingKernel) }
func relu8(n int, x *float32)                                              { panic(missingKernel) }
func relugrad8(n int, d, y *float32)                                       { panic(missingKernel) }
func threequarters8(n int, dst, x, s *float32)                             { panic(missingKernel) }
func max8(n int, maxima *float32, argmax *int32, x *float32, offset int32) { panic(missingKernel) }
func zerosum32(n int, x *float32) float32                                  { panic(missingKernel) }

func addrows8(n, rows int, y, x, b *float32, ldb int) { panic(missingKernel) }

func affine16(n, stride int, y, x, scale, shift *float32)                { panic(missingKernel) }
func affine8(n, stride int, y, x, scale, shift *float32)                 { panic(missingKernel) }
func affinesum16(n, stride int, dx, dy, x, scale, slope, shift *float32) { panic(missingKernel) }
func affinesum8(n, stride int, dx, dy, x, scale, slope, shift *float32)  { panic(missingKernel) }
func columnsums16(n, stride int, sum, products *float64, a, b *float32)  { panic(missingKernel) }
func columnsums8(n, stride int, sum, products *float64, a, b *float32)   { panic(missingKernel) }

func transformInput2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilter2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutputAdjoint2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilterAdjoint2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutput2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(missingKernel)
}
func transformInput4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilter4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutputAdjoint4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilterAdjoint4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutput4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(missingKernel)
}
func transformFilter2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutputAdjoint2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilterAdjoint2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutput2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(missingKernel)
}
func transformInput4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilter4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutputAdjoint4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformFilterAdjoint4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(missingKernel)
}
func transformOutput4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(missingKernel)
}

func centre8(n int, dst *float32, ld int, src *float32, stride int, shift, first *float32, sum *float64, largest, varied *uint32) {
	panic(missingKernel)
}
func centre16(n int, dst *float32, ld int, src *float32, stride int, shift, first *float32, sum *float64, largest, varied *uint32) {
	panic(missingKernel)
}
func centre32(n int, dst *float32, ld int, src *float32, stride int, shift, first *float32, sum *float64, largest, varied *uint32) {
	panic(missingKernel)
}
func shift8(n int, dst *float64, a float64, u *float64, b float64, v *float64) {
	panic(missingKernel)
}

func product6x8(k int, a, b, c *float64, ldc int)                { panic(missingKernel) }
func product12x16(k int, a, b, c *float64, ldc int)              { panic(missingKernel) }
func dotaxpy4(n int, a *float64, lda int, x, y, u, dot *float64) { panic(missingKernel) }
func axpy4(n int, y, a, b, c, d, x *float64)                     { panic(missingKernel) }
func ger4(n int, y *float64, ldy int, a, x *float64)             { panic(missingKernel) }

func lanemax32(n int, c, p *float64, maxima *float64) { panic(missingKernel) }
func threshold8(n int, c, p *float64, threshold float64, dst *int32, capacity int) (end, count int) {
	panic(missingKernel)
}
func relaxable8(n int, c, p, dist *float64, base float64, dst *int32) int { panic(missingKernel) }
func relax8(n int, dist *float64, pred *int32, c, p *float64, row *int32, base float64, i int32, columns *int64) {
	panic(missingKernel)
}
func toptwo4(n int, c, p *float64, gains *float64, columns *int64)            { panic(missingKernel) }
func columnmax8(n int, maxima *float64, argmax *int32, x *float64, row int32) { panic(missingKernel) }
func bounded16(n int, x *float64, limit float64) int32                        { panic(missingKernel) }

func depthwise7x8(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise3x8(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise1x8(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise7x16(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise3x16(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise1x16(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}

func depthwise7of3x8(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise7of7x8(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise7of3x16(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}
func depthwise7of7x16(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32) {
	panic(missingKernel)
}

func narrow12x8(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc, cols int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}
func narrow12x16(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc, cols int, add *float32, ldadd int, floor float32) {
	panic(missingKernel)
}

func exp8(n int, y, x *float32, shift float32, c *float32)                  { panic(missingKernel) }
func sigmoid8(n int, y, x, c *float32)                                      { panic(missingKernel) }
func rational8(n int, y, x, c *float32)                                     { panic(missingKernel) }
func gelu8(n int, y, x *float32, divisor float32, c *float32)               { panic(missingKernel) }
func raise8(n int, dst, a *float32)                                         { panic(missingKernel) }
func clamp8(n int, x *float32, lo, hi float32)                              { panic(missingKernel) }
func multiply8(n int, dst, a *float32)                                      { panic(missingKernel) }
func standardize8(n int, y, x, scale, bias *float32, mean, inverse float32) { panic(missingKernel) }
func spread8(n int, x *float32, shift float64, sums *float64)               { panic(missingKernel) }
