package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// narrow emits the micro-kernels of products with few columns, where most of a tile of two
// vectors would be padding: tiles of twelve rows by one vector, of which only so many
// lanes are read and written in C. Operands lie as in gemm, and so do the sums.
func narrow() {
	mask := GLOBL("lanemasks", RODATA|NOPTR) // eight lanes in, then eight out
	for i := range 16 {
		v := uint32(0)
		if i < 8 {
			v = 1<<32 - 1
		}
		DATA(4*i, U32(v))
	}
	narrowKernel("narrow12x8", 8, func() VecVirtual { return YMM() }, mask)
	narrowKernel("narrow12x16", 16, func() VecVirtual { return ZMM() }, mask)
}

// narrowKernel emits a kernel for vectors of so many lanes.
func narrowKernel(name string, lanes int, vec func() VecVirtual, masks Mem) {
	mr := source.Const("../narrow.go", "NarrowRows")
	kernel(name, tierOf(4*lanes), "func(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc, cols int, add *float32, ldadd int, floor float32)", fmt.Sprintf("computes a tile of %d rows by up to %d columns; Tier.Narrow is its definition.", mr, lanes))
	acc := accumulators(1, mr, vec)
	zero(acc, lanes)
	sums := acc[0]

	runs(mr, func(a strided, b Mem) {
		row := vec()
		VMOVUPS(b, row)
		for i := range sums {
			if lanes == 16 {
				VFMADD231PS_BCST(a.at(i), row, sums[i])
				continue
			}
			ai := vec()
			VBROADCASTSS(a.at(i), ai)
			VFMADD231PS(row, ai, sums[i])
		}
	})

	Comment("The columns of C, as a mask.")
	cols := Load(Param("cols"), GP64())
	var load func(from Mem, to VecVirtual)
	var store func(from VecVirtual, to Mem)
	if lanes == 16 {
		bits, shift, mask := GP64(), GP64(), K()
		MOVQ(U32(16), shift)
		SUBQ(cols, shift)
		MOVQ(U32(0xffff), bits)
		MOVQ(shift, RCX)
		SHRQ(CL, bits)
		KMOVW(bits.As32(), mask)
		load = func(from Mem, to VecVirtual) { VMOVUPS_Z(from, mask, to) }
		store = func(from VecVirtual, to Mem) { VMOVUPS(from, mask, to) }
	} else {
		at, mask := Mem{Base: GP64()}, YMM()
		LEAQ(masks.Offset(32), at.Base)
		SHLQ(Imm(2), cols)
		SUBQ(cols, at.Base)
		VMOVUPS(at, mask)
		load = func(from Mem, to VecVirtual) { VMASKMOVPS(from, mask, to) }
		store = func(from VecVirtual, to Mem) { VMASKMOVPS(from, mask, to) }
	}
	c := Mem{Base: Load(Param("c"), GP64())}
	ldc := Load(Param("ldc"), GP64())
	SHLQ(Imm(2), ldc)
	add := Mem{Base: Load(Param("add"), GP64())}
	ldadd := Load(Param("ldadd"), GP64())
	SHLQ(Imm(2), ldadd)
	TESTQ(add.Base, add.Base)
	JZ(LabelRef("store"))
	for i := range sums {
		v := vec()
		load(add, v)
		VADDPS(v, sums[i], sums[i])
		if i < mr-1 {
			ADDQ(ldadd, add.Base)
		}
	}
	Label("store")
	floor, address := vec(), mustResolve(Param("floor"))
	VBROADCASTSS(address, floor)
	for i := range sums {
		VMAXPS(sums[i], floor, sums[i]) // of a NaN, the NaN
		store(sums[i], c)
		if i < mr-1 {
			ADDQ(ldc, c.Base)
		}
	}
	ret()
}
