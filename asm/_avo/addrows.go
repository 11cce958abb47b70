package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// addRows emits the product of a vector and rows of a matrix, which is what a matrix product
// of few rows is made of. Each number of the matrix is used once, so memory is the limit,
// and rows are read from end to end side by side, as memory is read best: the sums of a
// few columns stay in registers for all rows, 32 columns at a time and then 8.
func addRows() {
	kernel("addrows8", avx2, "func(n, rows int, y, x, b *float32, ldb int)", "adds rows of n columns, a positive multiple of 8; Tier.AddRows is its definition.")
	n := Load(Param("n"), GP64())
	count := Load(Param("rows"), GP64())
	y := Mem{Base: Load(Param("y"), GP64())}
	x := Mem{Base: Load(Param("x"), GP64())}
	b := Mem{Base: Load(Param("b"), GP64())}
	ldb := Load(Param("ldb"), GP64())
	SHLQ(Imm(2), ldb)
	row, k, factor := Mem{Base: GP64()}, GP64(), YMM()

	for _, loop := range []struct {
		vectors         int
		next, row, rest string
	}{{4, "next32", "row32", "rest"}, {1, "next8", "row8", "done"}} {
		sums := accumulators(1, loop.vectors, func() VecVirtual { return YMM() })[0]
		Label(loop.next)
		CMPQ(n, Imm(uint64(8*loop.vectors)))
		JLT(LabelRef(loop.rest))
		for i, s := range sums {
			VMOVUPS(y.Offset(32*i), s)
		}
		MOVQ(b.Base, row.Base)
		XORQ(k, k)
		Label(loop.row)
		VBROADCASTSS(x.Idx(k, 4), factor)
		for i, s := range sums {
			VFMADD231PS(row.Offset(32*i), factor, s)
		}
		ADDQ(ldb, row.Base)
		INCQ(k)
		CMPQ(k, count)
		JLT(LabelRef(loop.row))
		for i, s := range sums {
			VMOVUPS(s, y.Offset(32*i))
		}
		ADDQ(Imm(uint64(32*loop.vectors)), y.Base)
		ADDQ(Imm(uint64(32*loop.vectors)), b.Base)
		SUBQ(Imm(uint64(8*loop.vectors)), n)
		JMP(LabelRef(loop.next))
		Label(loop.rest)
	}
	ret()
}
