package main

import "fmt"

// addRows emits the product of a vector and rows of a matrix: the sums of a few columns stay
// in registers for all rows, 32 columns at a time and then 8.
func addRows() {
	k := newKernel("addrows8")
	n, rows, y, b, ldb := k.load("n"), k.load("rows"), k.load("y"), k.load("b"), k.bytes("ldb", 2)
	for _, columns := range []int{32, 8} {
		next, done := fmt.Sprintf("next%d", columns), fmt.Sprintf("fewer%d", columns)
		sums := vecs(columns / 4)
		k.label(next)
		k.op("CMP $%d, R%v", columns, n)
		k.branch("BLT", done)
		for i, s := range sums {
			k.ld(s, y, 16*i)
		}
		row, left, x := gp(), gp(), k.load("x")
		k.op("MOVD R%v, R%v", b, row)
		k.op("MOVD R%v, R%v", rows, left)
		label := fmt.Sprintf("row%d", columns)
		k.label(label)
		factor := vec()
		k.op("VLD1R.P 4(R%v), [V%v.S4]", x, factor)
		for i, s := range sums {
			k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", k.ldNew(row, 16*i), factor, s)
		}
		k.op("ADD R%v, R%v", ldb, row)
		k.countDown(left, 1, label)
		for i, s := range sums {
			k.st(s, y, 16*i)
		}
		k.move(4*columns, y, b)
		k.op("SUB $%d, R%v", columns, n)
		k.branch("JMP", next)
		k.label(done)
	}
	k.ret()
}
