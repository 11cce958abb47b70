package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// affine emits what normalising columns takes: n rows of 16 or 8 columns, whose factors,
// terms and sums stay in registers while the rows pass.
//
//	y = scale*x + shift
//	dx = scale*dy + (slope*x + shift)
//	sum += a;  products += a*b, in float64, which holds each product exactly
//
// The first two round each product and each sum.
func affine() {
	for _, r := range []int{16, 8} {
		rows(fmt.Sprintf("affine%d", r), "sets y to scale*x + shift in", r, []string{"y", "x"}, []string{"scale", "shift"}, func(at []Mem, c [][]VecVirtual) {
			for i := range c[0] {
				y := YMM()
				VMULPS(at[1].Offset(32*i), c[0][i], y)
				VADDPS(c[1][i], y, y)
				VMOVUPS(y, at[0].Offset(32*i))
			}
		})
		rows(fmt.Sprintf("affinesum%d", r), "sets dx to scale*dy + (slope*x + shift) in", r, []string{"dx", "dy", "x"}, []string{"scale", "slope", "shift"}, func(at []Mem, c [][]VecVirtual) {
			for i := range c[0] {
				d, x := YMM(), YMM()
				VMULPS(at[1].Offset(32*i), c[0][i], d)
				VMULPS(at[2].Offset(32*i), c[1][i], x)
				VADDPS(c[2][i], x, x)
				VADDPS(x, d, d)
				VMOVUPS(d, at[0].Offset(32*i))
			}
		})
		columnSums(r)
	}
}

// rows emits a loop over n rows of arrays, stride apart, of r columns whose constants are
// loaded before it.
func rows(name, summary string, r int, arrays, constants []string, row func(at []Mem, c [][]VecVirtual)) {
	params := ""
	for i, p := range append(append([]string{}, arrays...), constants...) {
		if i > 0 {
			params += ", "
		}
		params += p
	}
	kernel(name, avx2, "func(n, stride int, "+params+" *float32)", fmt.Sprintf("%s %d columns of n rows, n positive.", summary, r))
	n, stride := Load(Param("n"), GP64()), Load(Param("stride"), GP64())
	SHLQ(Imm(2), stride)
	at := make([]Mem, len(arrays))
	for i, a := range arrays {
		at[i] = Mem{Base: Load(Param(a), GP64())}
	}
	c := make([][]VecVirtual, len(constants))
	for k, name := range constants {
		from := Mem{Base: Load(Param(name), GP64())}
		for i := range r / 8 {
			v := YMM()
			VMOVUPS(from.Offset(32*i), v)
			c[k] = append(c[k], v)
		}
	}
	Label("row")
	row(at, c)
	for i := range at {
		ADDQ(stride, at[i].Base)
	}
	DECQ(n)
	JNZ(LabelRef("row"))
	ret()
}

// columnSums emits sums of r columns and of their products with those of another array.
func columnSums(r int) {
	name := fmt.Sprintf("columnsums%d", r)
	kernel(name, avx2, "func(n, stride int, sum, products *float64, a, b *float32)", fmt.Sprintf("adds to sum and products %d columns of n rows of a and a*b, n positive.", r))
	n, stride := Load(Param("n"), GP64()), Load(Param("stride"), GP64())
	SHLQ(Imm(2), stride)
	totals := []Mem{{Base: Load(Param("sum"), GP64())}, {Base: Load(Param("products"), GP64())}}
	a, b := Mem{Base: Load(Param("a"), GP64())}, Mem{Base: Load(Param("b"), GP64())}
	sums := make([][]VecVirtual, len(totals))
	for k, from := range totals {
		for i := range r / 4 {
			v := YMM()
			VMOVUPD(from.Offset(32*i), v)
			sums[k] = append(sums[k], v)
		}
	}
	Label("row")
	for i := range r / 4 {
		x, y := YMM(), YMM()
		VCVTPS2PD(a.Offset(16*i), x)
		VCVTPS2PD(b.Offset(16*i), y)
		VADDPD(x, sums[0][i], sums[0][i])
		VFMADD231PD(x, y, sums[1][i])
	}
	ADDQ(stride, a.Base)
	ADDQ(stride, b.Base)
	DECQ(n)
	JNZ(LabelRef("row"))
	for k, to := range totals {
		for i, v := range sums[k] {
			VMOVUPD(v, to.Offset(32*i))
		}
	}
	ret()
}
