package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dense emits what factorisations in float64 spend their time in: the micro-kernel
// of the matrix product, of packed operands, with the same shapes in registers as
// that of float32, and the product of a symmetric matrix with a vector.
func dense() {
	productKernel("product6x8", 6, 4, func() VecVirtual { return YMM() })
	productKernel("product12x16", 12, 8, func() VecVirtual { return ZMM() })
	dotAxpyKernel()
	axpyKernel()
	gerKernel()
}

// productKernel emits a kernel for mr rows by two vectors of the given lanes:
//
//	c[i][0:2w] += sum over k of a[k*mr+i] * b[k*2w : (k+1)*2w]
func productKernel(name string, mr, lanes int, vec func() VecVirtual) {
	kernel(name, tierOf(8*lanes), "func(k int, a, b, c *float64, ldc int)", fmt.Sprintf("adds to a tile of %d rows by %d columns; Tier.Product is its definition.", mr, 2*lanes))
	width := 8 * lanes // bytes
	k := Load(Param("k"), GP64())
	a := Mem{Base: Load(Param("a"), GP64())}
	b := Mem{Base: Load(Param("b"), GP64())}
	c := Mem{Base: Load(Param("c"), GP64())}
	ldc := Load(Param("ldc"), GP64())
	SHLQ(Imm(3), ldc)

	acc := accumulators(mr, 2, vec)
	for i := range acc {
		for _, r := range acc[i] {
			if lanes == 8 {
				VPXORQ(r, r, r)
			} else {
				VXORPD(r, r, r)
			}
		}
	}
	b0, b1, ai := vec(), vec(), vec()

	Label("step")
	VMOVUPD(b, b0)
	VMOVUPD(b.Offset(width), b1)
	for i := range acc {
		VBROADCASTSD(a.Offset(8*i), ai)
		VFMADD231PD(b0, ai, acc[i][0])
		VFMADD231PD(b1, ai, acc[i][1])
	}
	ADDQ(Imm(uint64(8*mr)), a.Base)
	ADDQ(Imm(uint64(2*width)), b.Base)
	DECQ(k)
	JNZ(LabelRef("step"))

	for i := range acc {
		for j := range acc[i] {
			VADDPD(c.Offset(j*width), acc[i][j], acc[i][j])
			VMOVUPD(acc[i][j], c.Offset(j*width))
		}
		if i < mr-1 {
			ADDQ(ldc, c.Base)
		}
	}
	ret()
}

// dotAxpyKernel emits the product of four rows of a triangle with a vector, and of
// their transpose with four elements of it, in one reading of the rows: the product
// of a large matrix is as fast as memory gives it.
func dotAxpyKernel() {
	kernel("dotaxpy4", avx2, "func(n int, a *float64, lda int, x, y, u, dot *float64)", "multiplies four rows of n elements, a positive multiple of 4; Tier.DotAxpy4 is its definition.")
	n := Load(Param("n"), GP64())
	a := Mem{Base: Load(Param("a"), GP64())}
	lda := Load(Param("lda"), GP64())
	x := Mem{Base: Load(Param("x"), GP64())}
	y := Mem{Base: Load(Param("y"), GP64())}
	u := Mem{Base: Load(Param("u"), GP64())}
	SHLQ(Imm(3), lda)
	last := Mem{Base: GP64()}
	LEAQ(a.Idx(lda, 2), last.Base)
	ADDQ(lda, last.Base)
	rows := []Mem{a, a.Idx(lda, 1), a.Idx(lda, 2), last}
	sums, factor := make([]VecVirtual, 4), make([]VecVirtual, 4)
	for i := range sums {
		sums[i], factor[i] = YMM(), YMM()
		VXORPD(sums[i], sums[i], sums[i])
		VBROADCASTSD(u.Offset(8*i), factor[i])
	}

	Label("step")
	xs, ys := YMM(), YMM()
	VMOVUPD(x, xs)
	VMOVUPD(y, ys)
	for i, row := range rows {
		v := YMM()
		VMOVUPD(row, v)
		VFMADD231PD(v, xs, sums[i])
		VFMADD231PD(v, factor[i], ys)
	}
	VMOVUPD(ys, y)
	for _, p := range []Mem{a, last, x, y} {
		ADDQ(Imm(32), p.Base)
	}
	SUBQ(Imm(4), n)
	JNZ(LabelRef("step"))

	Comment("Lanes 0 and 2, 1 and 3, then both.")
	dot := Mem{Base: Load(Param("dot"), GP64())}
	for i, s := range sums {
		half := XMM()
		VEXTRACTF128(Imm(1), s, half)
		VADDPD(half, s.AsX(), half)
		VHADDPD(half, half, half)
		VADDSD(dot.Offset(8*i), half, half)
		VMOVSD(half, dot.Offset(8*i))
	}
	ret()
}

// axpyKernel emits y += the sum of four rows, wherever they are, times a factor
// each: y is read and written once for all of them.
func axpyKernel() {
	kernel("axpy4", avx2, "func(n int, y, a, b, c, d, x *float64)", "adds four rows of n elements, a positive multiple of 4; Tier.Axpy4 is its definition.")
	n := Load(Param("n"), GP64())
	y := Mem{Base: Load(Param("y"), GP64())}
	x := Mem{Base: Load(Param("x"), GP64())}
	rows, factor := make([]Mem, 4), make([]VecVirtual, 4)
	for i, name := range []string{"a", "b", "c", "d"} {
		rows[i] = Mem{Base: Load(Param(name), GP64())}
		factor[i] = YMM()
		VBROADCASTSD(x.Offset(8*i), factor[i])
	}
	at := GP64()
	XORQ(at, at)
	Label("step")
	sum := YMM()
	VMOVUPD(y.Idx(at, 8), sum)
	for i, row := range rows {
		VFMADD231PD(row.Idx(at, 8), factor[i], sum)
	}
	VMOVUPD(sum, y.Idx(at, 8))
	ADDQ(Imm(4), at)
	CMPQ(at, n)
	JLT(LabelRef("step"))
	ret()
}

// gerKernel emits an update of four rows of rank one: a row is added to each, times a
// factor of its own.
func gerKernel() {
	kernel("ger4", avx2, "func(n int, y *float64, ldy int, a, x *float64)", "adds a row of n elements, a positive multiple of 4, to four; Tier.Ger4 is its definition.")
	n := Load(Param("n"), GP64())
	y := Mem{Base: Load(Param("y"), GP64())}
	ldy := Load(Param("ldy"), GP64())
	a := Mem{Base: Load(Param("a"), GP64())}
	x := Mem{Base: Load(Param("x"), GP64())}
	SHLQ(Imm(3), ldy)
	last := Mem{Base: GP64()}
	LEAQ(y.Idx(ldy, 2), last.Base)
	ADDQ(ldy, last.Base)
	rows, factor := []Mem{y, y.Idx(ldy, 1), y.Idx(ldy, 2), last}, make([]VecVirtual, 4)
	for i := range factor {
		factor[i] = YMM()
		VBROADCASTSD(x.Offset(8*i), factor[i])
	}
	Label("step")
	v := YMM()
	VMOVUPD(a, v)
	for i, row := range rows {
		sum := YMM()
		VMOVUPD(row, sum)
		VFMADD231PD(v, factor[i], sum)
		VMOVUPD(sum, row)
	}
	for _, p := range []Mem{y, last, a} {
		ADDQ(Imm(32), p.Base)
	}
	SUBQ(Imm(4), n)
	JNZ(LabelRef("step"))
	ret()
}
