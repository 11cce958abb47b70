//go:build !amd64 || purego

package asm

// Without assembly no tier above Portable is ever active, so the switches that
// name these kernels never reach them.

const noKernel = "asm: no such kernel in this build"

func gemm6x16(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(noKernel)
}
func gemm4x16(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(noKernel)
}
func gemm12x32(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(noKernel)
}
func gemm8x32(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32) {
	panic(noKernel)
}

func transpose8(dst *float32, ld int, src *float32, stride, cols int) { panic(noKernel) }
func transpose6(dst *float32, ld int, src *float32, stride, cols int) { panic(noKernel) }
func transpose4(dst *float32, ld int, src *float32, stride, cols int) { panic(noKernel) }
func peak8(n int)                                                     { panic(noKernel) }
func peak16(n int)                                                    { panic(noKernel) }

func add8(n int, dst, a *float32)                                   { panic(noKernel) }
func vanish32(n int, x *float32) float32                            { panic(noKernel) }
func relu8(n int, x *float32)                                       { panic(noKernel) }
func gate8(n int, d, y *float32)                                    { panic(noKernel) }
func threequarters8(n int, dst, x, s *float32)                      { panic(noKernel) }
func max8(n int, best *float32, who *int32, x *float32, from int32) { panic(noKernel) }

func panel6(n int, dst, src *float32, stride int)  { panic(noKernel) }
func panel12(n int, dst, src *float32, stride int) { panic(noKernel) }
func panel16(n int, dst, src *float32, stride int) { panic(noKernel) }
func panel32(n int, dst, src *float32, stride int) { panic(noKernel) }

func transformInput2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformInput4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformFilter2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformOutput2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(noKernel)
}
func transformSpread2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformCollect2x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformFilter4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformOutput4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(noKernel)
}
func transformSpread4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformCollect4x3(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformFilter2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformOutput2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(noKernel)
}
func transformSpread2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}
func transformCollect2x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}

func centre16(n int, dst *float32, ld int, src *float32, stride int, shift, first, sum, squares *float32, moved *uint32) {
	panic(noKernel)
}
func centre8(n int, dst *float32, ld int, src *float32, stride int, shift, first, sum, squares *float32, moved *uint32) {
	panic(noKernel)
}
func merge8(n int, dst *float64, src, more *float32, a float64, u *float64, b float64, v *float64) {
	panic(noKernel)
}

func transformInput4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}

func transformFilter4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}

func transformSpread4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}

func transformCollect4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int) {
	panic(noKernel)
}

func transformOutput4x5(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32) {
	panic(noKernel)
}

func product6x8(k int, a, b, c *float64, ldc int)                  { panic(noKernel) }
func product12x16(k int, a, b, c *float64, ldc int)                { panic(noKernel) }
func symmetric4(n int, a *float64, lda int, x, y, u, dot *float64) { panic(noKernel) }

func gram6x16(k int, a, b *float32, ld int, c *float32, ldc int)  { panic(noKernel) }
func gram4x16(k int, a, b *float32, ld int, c *float32, ldc int)  { panic(noKernel) }
func gram12x32(k int, a, b *float32, ld int, c *float32, ldc int) { panic(noKernel) }
func gram8x32(k int, a, b *float32, ld int, c *float32, ldc int)  { panic(noKernel) }

func combine4(n int, y, a, b, c, d, x *float64)         { panic(noKernel) }
func spread4(n int, y *float64, ldy int, a, x *float64) { panic(noKernel) }
func lanemax32(n int, c, p *float64, best *float64)     { panic(noKernel) }
func atleast8(n int, c, p *float64, least float64, dst *int32, room int) (done, count int) {
	panic(noKernel)
}
func shorter8(n int, c, p, dist *float64, base float64, dst *int32) int { panic(noKernel) }
func relax8(n int, dist *float64, from *int32, c, p *float64, row *int32, base float64, i int32, places *int64) {
	panic(noKernel)
}
func toptwo4(n int, c, p *float64, gains *float64, places *int64)        { panic(noKernel) }
func columnmax8(n int, best *float64, who *int32, x *float64, row int32) { panic(noKernel) }
func within16(n int, x *float64, limit float64) int32                    { panic(noKernel) }
