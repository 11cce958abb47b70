package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
)

// moments emits what streaming moments need besides products: centring, which notes of
// each column its sum, its largest magnitude and whether it varies, and corrections of
// rank one.
func moments() {
	centreKernel(8)
	centreKernel(16)
	shiftKernel()
}

func centreKernel(r int) {
	k := newKernel(fmt.Sprintf("centre%d", r))
	n, dst, ld, src, stride := k.load("n"), k.load("dst"), k.bytes("ld", 2), k.load("src"), k.bytes("stride", 2)
	at := make(map[string]*reg)
	for _, p := range []string{"shift", "first", "sum", "largest", "varied"} {
		at[p] = k.load(p)
	}
	ones := k.splat64(1<<64 - 1)
	type column struct{ shift, first, sum, largest, same *reg }
	columns := make([]column, r/4)
	for i := range columns {
		columns[i] = column{k.ldNew(at["shift"], 16*i), k.ldNew(at["first"], 16*i), vec(), k.ldNew(at["largest"], 16*i), k.ldNew(at["varied"], 16*i)}
		k.op("VEOR V%v.B16, V%v.B16, V%v.B16", ones, columns[i].same, columns[i].same)
	}
	run, longest := gp(), gp()
	k.op("MOVD $%d, R%v", source.Const(folder+"/moments.go", "centreRun"), longest)
	k.label("run")
	for _, c := range columns {
		k.zero(c.sum)
	}
	k.op("CMP R%v, R%v", longest, n)
	k.op("CSEL LT, R%v, R%v, R%v", n, longest, run)
	k.op("SUB R%v, R%v", run, n)
	k.label("row")
	for i, c := range columns {
		x := k.ldNew(src, 16*i)
		centred := k.new("fsub", x, c.shift)
		k.st(centred, dst, 16*i)
		k.float("fadd", s4, c.sum, c.sum, centred)
		k.unary("fabs", centred, centred)
		k.op("VUMAX V%v.S4, V%v.S4, V%v.S4", centred, c.largest, c.largest)
		k.op("VAND V%v.B16, V%v.B16, V%v.B16", k.new("fcmeq", x, c.first), c.same, c.same)
	}
	k.op("ADD R%v, R%v", stride, src)
	k.op("ADD R%v, R%v", ld, dst)
	k.countDown(run, 1, "row")
	for i, c := range columns {
		k.addInFloat64(c.sum, at["sum"], 32*i)
	}
	k.branch("CBNZ R%v,", "run", n)
	for i, c := range columns {
		k.op("VEOR V%v.B16, V%v.B16, V%v.B16", ones, c.same, c.same)
		k.st(c.largest, at["largest"], 16*i)
		k.st(c.same, at["varied"], 16*i)
	}
	k.ret()
}

func shiftKernel() {
	k := newKernel("shift8")
	n, dst, u, v := k.load("n"), k.load("dst"), k.load("u"), k.load("v")
	a, b := k.broadcast("a"), k.broadcast("b")
	k.label("step")
	for i := range 4 {
		sum := k.ldNew(dst, 16*i)
		k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", k.ldNew(u, 16*i), a, sum)
		k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", k.ldNew(v, 16*i), b, sum)
		k.st(sum, dst, 16*i)
	}
	k.move(64, dst, u, v)
	k.countDown(n, 8, "step")
	k.ret()
}
