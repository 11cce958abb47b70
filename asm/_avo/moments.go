package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// moments emits what streaming moments need besides products.
//
// Centring packs columns of n rows with a shift taken from each. In the same reading of
// memory it sums what it packs, centreRun rows in float32 and their sums in float64, and
// notes its largest magnitude, by the bits, above all of which are those of infinity and
// NaN, and whether a column ever leaves its first value, as a mask that no later row
// clears:
//
//	dst[k] = x[k] - shift;  sum += dst[k];  largest = max(largest, |dst[k]|);  varied |= x[k] != first
//
// Shifting adds two corrections of rank one to a row of sums in float64, one rounding a
// term.
func moments() {
	ymm := func() VecVirtual { return YMM() }
	zmm := func() VecVirtual { return ZMM() }
	centreKernel("centre8", 1, 8, ymm)
	centreKernel("centre16", 2, 8, ymm)
	centreKernel("centre32", 2, 16, zmm)
	shiftKernel()
}

// centreRun is how many rows are summed by themselves.
var centreRun = source.Const("../moments.go", "centreRun")

// centreKernel emits the centring of so many vectors of the given lanes.
func centreKernel(name string, vectors, lanes int, vec func() VecVirtual) {
	kernel(name, tierOf(4*lanes), "func(n int, dst *float32, ld int, src *float32, stride int, shift, first *float32, sum *float64, largest, varied *uint32)", fmt.Sprintf("centres %d columns of n rows, n positive; Tier.Centre is its definition.", vectors*lanes))
	width := 4 * lanes
	n := Load(Param("n"), GP64())
	dst := Mem{Base: Load(Param("dst"), GP64())}
	ld := Load(Param("ld"), GP64())
	src := Mem{Base: Load(Param("src"), GP64())}
	stride := Load(Param("stride"), GP64())
	SHLQ(Imm(2), ld)
	SHLQ(Imm(2), stride)
	at := make(map[string]Mem)
	for _, p := range []string{"shift", "first", "sum", "largest", "varied"} {
		at[p] = Mem{Base: Load(Param(p), GP64())}
	}
	type column struct{ shift, first, sum, largest, varied VecVirtual }
	columns := make([]column, vectors)
	for i := range columns {
		c := &columns[i]
		*c = column{vec(), vec(), vec(), vec(), vec()}
		VMOVUPS(at["shift"].Offset(width*i), c.shift)
		VMOVUPS(at["first"].Offset(width*i), c.first)
		VMOVUPS(at["largest"].Offset(width*i), c.largest)
		VMOVUPS(at["varied"].Offset(width*i), c.varied)
	}
	magnitude := vec()
	if lanes == 16 {
		VPTERNLOGD(Imm(0xff), magnitude, magnitude, magnitude)
	} else {
		VPCMPEQD(magnitude, magnitude, magnitude)
	}
	VPSRLD(Imm(1), magnitude, magnitude)

	Comment("The same columns of the n rows that follow are asked for now.")
	prefetch, left := GP64(), GP64()
	MOVQ(n, prefetch)
	IMULQ(stride, prefetch)

	Label("run")
	for _, c := range columns {
		zero([][]VecVirtual{{c.sum}}, lanes)
	}
	MOVQ(n, left)
	SUBQ(Imm(uint64(centreRun)), n)
	JLE(LabelRef("row"))
	MOVQ(U32(uint32(centreRun)), left)

	Label("row")
	for line := 0; line < width*vectors; line += 64 {
		PREFETCHT0(src.Idx(prefetch, 1).Offset(line))
	}
	for i, c := range columns {
		x, centred := vec(), vec()
		VMOVUPS(src.Offset(width*i), x)
		VSUBPS(c.shift, x, centred)
		VMOVUPS(centred, dst.Offset(width*i))
		VADDPS(centred, c.sum, c.sum)
		if lanes == 16 {
			differs := K()
			VPANDD(magnitude, centred, centred)
			VCMPPS(Imm(cmpNEQ), c.first, x, differs)
			VPTERNLOGD(Imm(0xff), c.varied, c.varied, differs, c.varied) // all ones
		} else {
			VPAND(magnitude, centred, centred)
			VCMPPS(Imm(cmpNEQ), c.first, x, x)
			VORPS(x, c.varied, c.varied)
		}
		VPMAXUD(centred, c.largest, c.largest)
	}
	ADDQ(stride, src.Base)
	ADDQ(ld, dst.Base)
	DECQ(left)
	JNZ(LabelRef("row"))

	Comment("The sums of the run are added in float64.")
	for i, c := range columns {
		addInFloat64(c.sum, at["sum"].Offset(2*width*i), lanes, vec)
	}
	CMPQ(n, Imm(0))
	JG(LabelRef("run"))

	for i, c := range columns {
		VMOVUPS(c.largest, at["largest"].Offset(width*i))
		VMOVUPS(c.varied, at["varied"].Offset(width*i))
	}
	ret()
}

// addInFloat64 adds a vector of float32 to sums in float64.
func addInFloat64(r VecVirtual, sums Mem, lanes int, vec func() VecVirtual) {
	low, high, width := vec(), vec(), 4*lanes
	if lanes == 16 {
		VCVTPS2PD(r.AsY(), low)
		VEXTRACTF64X4(Imm(1), r, high.AsY())
		VCVTPS2PD(high.AsY(), high)
	} else {
		VCVTPS2PD(r.AsX(), low)
		VEXTRACTF128(Imm(1), r, high.AsX())
		VCVTPS2PD(high.AsX(), high)
	}
	VADDPD(sums, low, low)
	VADDPD(sums.Offset(width), high, high)
	VMOVUPD(low, sums)
	VMOVUPD(high, sums.Offset(width))
}

// shiftKernel emits the corrections of a row.
func shiftKernel() {
	kernel("shift8", avx2, "func(n int, dst *float64, a float64, u *float64, b float64, v *float64)", "adds corrections to n sums, a positive multiple of 8; Tier.Shift is its definition.")
	n := Load(Param("n"), GP64())
	dst := Mem{Base: Load(Param("dst"), GP64())}
	u := Mem{Base: Load(Param("u"), GP64())}
	v := Mem{Base: Load(Param("v"), GP64())}
	a, b := YMM(), YMM()
	VBROADCASTSD(mustResolve(Param("a")), a)
	VBROADCASTSD(mustResolve(Param("b")), b)

	Label("step")
	for i := range 2 {
		sum := YMM()
		VMOVUPD(dst.Offset(32*i), sum)
		VFMADD231PD(u.Offset(32*i), a, sum)
		VFMADD231PD(v.Offset(32*i), b, sum)
		VMOVUPD(sum, dst.Offset(32*i))
	}
	for _, p := range []Mem{dst, u, v} {
		ADDQ(Imm(64), p.Base)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	ret()
}
