package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose emits kernels that transpose 8, 6 or 4 rows, 8 columns a step.
//
// An 8 x 8 block of float32 takes three rounds over its eight row registers,
// writing rows as abcdefgh, each lane pair of 128 bits apart:
//
//	UNPCKLPS/HI  of rows 2i, 2i+1   pairs    a0 a1 b0 b1 | e0 e1 f0 f1
//	SHUFPS       of two such        fours    a0 a1 a2 a3 | e0 e1 e2 e3
//	VPERM2F128   of rows 0-3, 4-7   columns  a0 a1 .. a7
//
// Of 6 rows the columns are stored as 4 + 2 elements and of 4 rows as 4, so
// that nothing beyond the panel is written.
func transpose() {
	for _, rows := range []int{8, 6, 4} {
		transposeKernel(rows)
	}
}

// transposeKernel emits the kernel for the given number of rows.
func transposeKernel(rows int) {
	name := fmt.Sprintf("transpose%d", rows)
	kernel(name, avx2, "func(dst *float32, ld int, src *float32, stride, cols int)", fmt.Sprintf("transposes %d rows of src, cols a positive multiple of 8; Tier.Transpose is its definition.", rows))
	dst := Mem{Base: Load(Param("dst"), GP64())}
	ld := Load(Param("ld"), GP64())
	src := Mem{Base: Load(Param("src"), GP64())}
	stride := Load(Param("stride"), GP64())
	cols := Load(Param("cols"), GP64())
	SHLQ(Imm(2), ld)
	SHLQ(Imm(2), stride)
	prefetch := GP64() // in rows of the next panel, which is packed next
	MOVQ(ld, prefetch)
	IMULQ(Load(Param("stride"), GP64()), prefetch)

	Label("block")
	Comment("Load a block of 8 columns.")
	row := make([]VecVirtual, rows)
	p := Mem{Base: GP64()}
	MOVQ(src.Base, p.Base)
	for i := range row {
		row[i] = YMM()
		PREFETCHT1(p.Idx(prefetch, 1))
		VMOVUPS(p, row[i])
		if i < rows-1 {
			ADDQ(stride, p.Base)
		}
	}

	Comment("Columns of rows 0 to 3, and of the rows that follow: low half columns 0 to 3, high half 4 to 7.")
	upper := transpose4x4(row[:4])
	var lower [4]VecVirtual
	switch rows {
	case 8:
		lower = transpose4x4(row[4:])
	case 6:
		lo, hi := YMM(), YMM()
		VUNPCKLPS(row[5], row[4], lo)
		VUNPCKHPS(row[5], row[4], hi)
		lower = [4]VecVirtual{lo, lo, hi, hi}
	}

	Comment("Store column after column.")
	MOVQ(dst.Base, p.Base)
	for j := range 8 {
		storeColumn(rows, j, p, upper[j%4], lower[j%4])
		ADDQ(ld, p.Base)
	}

	MOVQ(p.Base, dst.Base)
	ADDQ(Imm(32), src.Base)
	SUBQ(Imm(8), cols)
	JNZ(LabelRef("block"))
	ret()
}

// storeColumn stores column j of a block at p, given the registers that hold it for rows
// 0 to 3 and for those that follow.
func storeColumn(rows, j int, p Mem, upper, lower VecVirtual) {
	if rows == 8 {
		column := YMM()
		VPERM2F128(Imm([]uint64{0x20, 0x31}[j/4]), lower, upper, column)
		VMOVUPS(column, p)
		return
	}
	VMOVUPS(halfRegister(upper, j/4), p)
	if rows == 6 {
		pair := halfRegister(lower, j/4)
		if j%2 == 0 {
			VMOVLPS(pair, p.Offset(16))
		} else {
			VMOVHPS(pair, p.Offset(16))
		}
	}
}

// halfRegister returns the low half of a register for i = 0, a copy of the high for i = 1.
func halfRegister(r VecVirtual, i int) Register {
	if i == 0 {
		return r.AsX()
	}
	high := XMM()
	VEXTRACTF128(Imm(1), r, high)
	return high
}

// transpose4x4 transposes the 4 x 4 blocks in the low and the high halves of four
// rows.
func transpose4x4(r []VecVirtual) [4]VecVirtual {
	var pair, out [4]VecVirtual
	for i := range pair {
		pair[i], out[i] = YMM(), YMM()
	}
	VUNPCKLPS(r[1], r[0], pair[0])
	VUNPCKHPS(r[1], r[0], pair[1])
	VUNPCKLPS(r[3], r[2], pair[2])
	VUNPCKHPS(r[3], r[2], pair[3])
	VSHUFPS(Imm(0x44), pair[2], pair[0], out[0])
	VSHUFPS(Imm(0xEE), pair[2], pair[0], out[1])
	VSHUFPS(Imm(0x44), pair[3], pair[1], out[2])
	VSHUFPS(Imm(0xEE), pair[3], pair[1], out[3])
	return out
}
