package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// moments emits what streaming moments need besides products.
//
// Centring packs 16 or 8 columns of n rows with a shift taken from each. In the same
// reading of memory it sums what it packs and its squares, and notes whether a column
// ever leaves its first value, as a mask that no later row clears:
//
//	dst[k] = x[k] - shift;  sum += dst[k];  squares += dst[k]^2;  varied |= x[k] != first
//
// Merging adds a block of products, and two corrections of rank one, to a row of
// sums in float64, one rounding a term.
func moments() {
	centreKernel(16)
	centreKernel(8)
	mergeKernel()
}

// centreKernel emits the centring of r columns.
func centreKernel(r int) {
	name := fmt.Sprintf("centre%d", r)
	TEXT(name, NOSPLIT, "func(n int, dst *float32, ld int, src *float32, stride int, shift, first, sum, squares *float32, varied *uint32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s centres %d columns of n rows, n positive; Tier.Centre is its definition.", name, r))
	n := Load(Param("n"), GP64())
	dst := Mem{Base: Load(Param("dst"), GP64())}
	ld := Load(Param("ld"), GP64())
	src := Mem{Base: Load(Param("src"), GP64())}
	stride := Load(Param("stride"), GP64())
	SHLQ(Imm(2), ld)
	SHLQ(Imm(2), stride)
	at := make(map[string]Mem)
	for _, p := range []string{"shift", "first", "sum", "squares", "varied"} {
		at[p] = Mem{Base: Load(Param(p), GP64())}
	}
	type column struct{ shift, first, sum, squares, varied VecVirtual }
	columns := make([]column, r/8)
	for i := range columns {
		c := &columns[i]
		*c = column{YMM(), YMM(), YMM(), YMM(), YMM()}
		VMOVUPS(at["shift"].Offset(32*i), c.shift)
		VMOVUPS(at["first"].Offset(32*i), c.first)
		VMOVUPS(at["varied"].Offset(32*i), c.varied)
		VMOVUPS(at["sum"].Offset(32*i), c.sum)
		VMOVUPS(at["squares"].Offset(32*i), c.squares)
	}

	Comment("The same columns of the n rows that follow are asked for now.")
	prefetch := GP64()
	MOVQ(n, prefetch)
	IMULQ(stride, prefetch)

	Label("row")
	PREFETCHT0(src.Idx(prefetch, 1))
	for i, c := range columns {
		x, centred, mask := YMM(), YMM(), YMM()
		VMOVUPS(src.Offset(32*i), x)
		VSUBPS(c.shift, x, centred)
		VMOVUPS(centred, dst.Offset(32*i))
		VADDPS(centred, c.sum, c.sum)
		VFMADD231PS(centred, centred, c.squares)
		VCMPPS(Imm(cmpNEQ), c.first, x, mask)
		VORPS(mask, c.varied, c.varied)
	}
	ADDQ(stride, src.Base)
	ADDQ(ld, dst.Base)
	DECQ(n)
	JNZ(LabelRef("row"))

	for i, c := range columns {
		VMOVUPS(c.sum, at["sum"].Offset(32*i))
		VMOVUPS(c.squares, at["squares"].Offset(32*i))
		VMOVUPS(c.varied, at["varied"].Offset(32*i))
	}
	ret()
}

// mergeKernel emits the merging of a row.
func mergeKernel() {
	TEXT("merge8", NOSPLIT, "func(n int, dst *float64, src1, src2 *float32, a float64, u *float64, b float64, v *float64)")
	Pragma("noescape")
	Doc("merge8 adds products and corrections to n sums, a positive multiple of 8; Tier.Merge is its definition.")
	n := Load(Param("n"), GP64())
	dst := Mem{Base: Load(Param("dst"), GP64())}
	src1 := Mem{Base: Load(Param("src1"), GP64())}
	src2 := Mem{Base: Load(Param("src2"), GP64())}
	u := Mem{Base: Load(Param("u"), GP64())}
	v := Mem{Base: Load(Param("v"), GP64())}
	a, b := YMM(), YMM()
	VBROADCASTSD(mustResolve(Param("a")), a)
	VBROADCASTSD(mustResolve(Param("b")), b)

	Label("step")
	for i := range 2 {
		sum, half := YMM(), YMM()
		VCVTPS2PD(src1.Offset(16*i), sum)
		VCVTPS2PD(src2.Offset(16*i), half)
		VADDPD(half, sum, sum)
		VFMADD231PD(u.Offset(32*i), a, sum)
		VFMADD231PD(v.Offset(32*i), b, sum)
		VADDPD(dst.Offset(32*i), sum, sum)
		VMOVUPD(sum, dst.Offset(32*i))
	}
	ADDQ(Imm(32), src1.Base)
	ADDQ(Imm(32), src2.Base)
	for _, p := range []Mem{dst, u, v} {
		ADDQ(Imm(64), p.Base)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	ret()
}
