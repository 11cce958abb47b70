package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
)

// narrow emits the micro-kernel of products with few columns: tiles of twelve rows by two
// vectors, of which only so many lanes are read and written in C. There are no masks: rows
// go by way of the stack, element by element.
func narrow() {
	mr := source.Const(folder+"/narrow.go", "NarrowRows")
	k := newKernel("narrow12x8")
	acc := k.accumulators(mr, 2)
	k.runs(mr, func(a []*reg, b, cs, ldb *reg) {
		row := vecs(2)
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4]", b, ldb, row[0], row[1])
		for i := range acc {
			k.multiplyAdd(acc[i], row, a[i], cs)
		}
	})

	cols := k.bytes("cols", 2)
	c, ldc, add, ldadd := k.load("c"), k.bytes("ldc", 2), k.load("add"), k.bytes("ldadd", 2)
	row := k.local(32)
	j, element := gp(), gp()
	copyRow := func(label string, from, to *reg) { // from the last element down
		k.op("MOVD R%v, R%v", cols, j)
		k.label(label)
		k.op("SUBS $4, R%v", j)
		k.op("MOVWU (R%v)(R%v), R%v", from, j, element)
		k.op("MOVW R%v, (R%v)(R%v)", element, to, j)
		k.branch("BNE", label)
	}
	k.branch("CBZ R%v,", "store", add)
	for i := range acc {
		copyRow(fmt.Sprintf("add%d", i), add, row)
		for j, v := range acc[i] {
			k.float("fadd", s4, v, v, k.ldNew(row, 16*j))
		}
		k.op("ADD R%v, R%v", ldadd, add)
	}
	k.label("store")
	floor := k.broadcast("floor")
	for i := range acc {
		for j, v := range acc[i] {
			k.raise(s4, v, floor)
			k.st(v, row, 16*j)
		}
		copyRow(fmt.Sprintf("store%d", i), row, c)
		k.op("ADD R%v, R%v", ldc, c)
	}
	k.ret()
}
