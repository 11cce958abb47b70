package main

import "math"

// assign emits the scans over a row of an assignment problem, in float64: gains, which are
// values less prices, compared with bounds. Each kernel does what its twin in package asm
// does. Hits are rare, and the columns of them are written one by one.
func assign() {
	laneMax()
	columnScan("threshold8")
	columnScan("relaxable8")
	relax()
	topTwo()
	columnMax()
	bounded()
}

var plusInf, minusInf = math.Float64bits(math.Inf(1)), math.Float64bits(math.Inf(-1))

// new2 returns a new vector a op b of two float64.
func (k *kernel) new2(op string, a, b *reg) *reg {
	v := vec()
	k.float(op, d2, v, a, b)
	return v
}

// logic emits d = n op m, bit by bit.
func (k *kernel) logic(op string, d, n, m *reg) {
	k.op(op+" V%v.B16, V%v.B16, V%v.B16", m, n, d)
}

// gains returns two gains.
func (k *kernel) gains(c, p *reg, at int) *reg {
	return k.new2("fsub", k.ldNew(c, at), k.ldNew(p, at))
}

// laneMax keeps 32 maxima in 16 registers.
func laneMax() {
	k := newKernel("lanemax32")
	n, c, p, maxima := k.load("n"), k.load("c"), k.load("p"), k.load("maxima")
	acc := make([]*reg, 16)
	for i := range acc {
		acc[i] = k.splat64(minusInf)
	}
	k.label("step")
	for i, m := range acc {
		k.raise(d2, m, k.gains(c, p, 16*i))
	}
	k.move(256, c, p)
	k.countDown(n, 32, "step")
	for i, m := range acc {
		k.st(m, maxima, 16*i)
	}
	k.ret()
}

// columnScan emits a scan that writes the columns of its hits, 8 elements a step. Masks are
// narrowed to a byte each.
func columnScan(name string) {
	k := newKernel(name)
	threshold := name == "threshold8" // else the bound is that of a path
	n, c, p, dst := k.load("n"), k.load("c"), k.load("p"), k.load("dst")
	var bound, capacity, dist *reg
	if threshold {
		bound, capacity = k.broadcast("threshold"), k.load("capacity")
	} else {
		bound, dist = k.broadcast("base"), k.load("dist")
	}
	j, count, bits := gp(), gp(), gp()
	k.op("MOVD $0, R%v", j)
	k.op("MOVD $0, R%v", count)
	k.op("MOVD $0x0101010101010101, R%v", bits)

	k.label("step")
	if threshold {
		k.op("CMP R%v, R%v", capacity, count)
		k.branch("BGT", "end")
	}
	var mask [4]*reg
	for i := range mask {
		h := k.gains(c, p, 16*i)
		if threshold {
			mask[i] = k.new2("fcmge", h, bound)
		} else {
			mask[i] = k.new2("fcmgt", k.ldNew(dist, 16*i), k.new2("fsub", bound, h))
		}
	}
	k.op("VUZP1 V%v.S4, V%v.S4, V%v.S4", mask[1], mask[0], mask[0])
	k.op("VUZP1 V%v.S4, V%v.S4, V%v.S4", mask[3], mask[2], mask[2])
	k.op("VUZP1 V%v.H8, V%v.H8, V%v.H8", mask[2], mask[0], mask[0])
	k.op("VUZP1 V%v.B16, V%v.B16, V%v.B16", mask[0], mask[0], mask[0])
	hits, at, lower := gp(), gp(), gp()
	k.op("VMOV V%v.D[0], R%v", mask[0], hits)
	k.op("AND R%v, R%v", bits, hits)
	k.branch("CBZ R%v,", "next", hits)
	k.label("hit")
	k.comment("The column of the lowest hit.")
	k.op("RBIT R%v, R%v", hits, at)
	k.op("CLZ R%v, R%v", at, at)
	k.op("ADD R%v>>3, R%v, R%v", at, j, at)
	k.op("MOVW R%v, (R%v)(R%v<<2)", at, dst, count)
	k.op("ADD $1, R%v", count)
	k.op("SUB $1, R%v, R%v", hits, lower)
	k.op("AND R%v, R%v", lower, hits)
	k.branch("CBNZ R%v,", "hit", hits)
	k.label("next")
	k.move(64, c, p)
	if !threshold {
		k.move(64, dist)
	}
	k.op("ADD $8, R%v", j)
	k.op("CMP R%v, R%v", n, j)
	k.branch("BLT", "step")

	k.label("end")
	if threshold {
		k.result(j, "end")
		k.result(count, "count")
	} else {
		k.result(count, "ret")
	}
	k.ret()
}

// result stores a result of 8 bytes.
func (k *kernel) result(r *reg, name string) {
	_, at := k.offset(name)
	k.op("MOVD R%v, "+name+"+%d(FP)", r, at)
}

// columns returns the numbers of four columns and what a step of so many adds to them.
func (k *kernel) columns(table string, step uint64) (column [2]*reg, by *reg) {
	from := k.table(table, 8, 0, 1, 2, 3)
	for i := range column {
		column[i] = k.ldNew(from.base, 16*i)
	}
	return column, k.splat64(step)
}

// topTwo keeps the two largest gains of each of 4 lanes and their columns, of equal gains
// the first.
func topTwo() {
	k := newKernel("toptwo4")
	n, c, p, gains, columns := k.load("n"), k.load("c"), k.load("p"), k.load("gains"), k.load("columns")
	column, step := k.columns("fours", 4)
	var gain, held [2][2]*reg // the largest and the second
	for i := range 2 {
		for l := range 2 {
			gain[i][l], held[i][l] = k.splat64(minusInf), k.splat64(1<<64-1)
		}
	}
	k.label("step")
	for l := range 2 {
		h := k.gains(c, p, 16*l)
		above1, above2 := k.new2("fcmgt", h, gain[0][l]), k.new2("fcmgt", h, gain[1][l])
		k.comment("Where h is above the second, that becomes h, or the largest where h is above that, too.")
		k.insert(gain[1][l], h, above2)
		k.insert(held[1][l], column[l], above2)
		k.insert(gain[1][l], gain[0][l], above1)
		k.insert(held[1][l], held[0][l], above1)
		k.insert(gain[0][l], h, above1)
		k.insert(held[0][l], column[l], above1)
		k.op("VADD V%v.D2, V%v.D2, V%v.D2", step, column[l], column[l])
	}
	k.move(32, c, p)
	k.countDown(n, 4, "step")
	for i := range 2 {
		for l := range 2 {
			k.st(gain[i][l], gains, 32*i+16*l)
			k.st(held[i][l], columns, 32*i+16*l)
		}
	}
	k.ret()
}

// columnMax keeps the maxima of columns and the rows that they stand in.
func columnMax() {
	k := newKernel("columnmax8")
	n, maxima, argmax, x, row := k.load("n"), k.load("maxima"), k.load("argmax"), k.load("x"), k.broadcast("row")
	k.label("step")
	for i := range 2 {
		var mask [2]*reg
		for l := range mask {
			at := 32*i + 16*l
			m, v := k.ldNew(maxima, at), k.ldNew(x, at)
			mask[l] = k.new2("fcmgt", v, m)
			k.insert(m, v, mask[l])
			k.st(m, maxima, at)
		}
		k.insertRow(argmax, 16*i, row, mask)
	}
	k.move(64, maxima, x)
	k.move(32, argmax)
	k.countDown(n, 8, "step")
	k.ret()
}

// insertRow writes an int32 into four where the masks of four float64 are ones.
func (k *kernel) insertRow(to *reg, at int, row *reg, mask [2]*reg) {
	narrow, rows := vec(), k.ldNew(to, at)
	k.op("VUZP1 V%v.S4, V%v.S4, V%v.S4", mask[1], mask[0], narrow)
	k.insert(rows, row, narrow)
	k.st(rows, to, at)
}

// bounded gathers what is within the limit in magnitude, or -Inf; NaN is neither.
func bounded() {
	k := newKernel("bounded16")
	n, x, limit := k.load("n"), k.load("x"), k.broadcast("limit")
	size, low, within := k.splat64(1<<63-1), k.splat64(minusInf), k.splat64(1<<64-1)
	k.label("step")
	for i := range 8 {
		v, magnitude := k.ldNew(x, 16*i), vec()
		k.logic("VAND", magnitude, v, size)
		mask := k.new2("fcmge", limit, magnitude)
		k.logic("VORR", mask, mask, k.new2("fcmeq", v, low))
		k.logic("VAND", within, within, mask)
	}
	k.move(128, x)
	k.countDown(n, 16, "step")
	first, second := gp(), gp()
	k.op("VMOV V%v.D[0], R%v", within, first)
	k.op("VMOV V%v.D[1], R%v", within, second)
	k.op("AND R%v, R%v", second, first)
	k.op("MVN R%v, R%v", first, first)
	_, at := k.offset("ret")
	k.op("MOVW R%v, ret+%d(FP)", first, at)
	k.ret()
}

// relax shortens 8 paths a step and keeps for each of 8 lanes the nearest column; of equally
// near ones an unassigned column, whose row is negative, then the first.
func relax() {
	k := newKernel("relax8")
	n, dist, pred, c, p, row := k.load("n"), k.load("dist"), k.load("pred"), k.load("c"), k.load("p"), k.load("row")
	base, thisRow := k.broadcast("base"), k.broadcast("i")
	column, step := k.columns("quads", 8)
	ones := k.splat64(1<<64 - 1)
	type minimum struct{ dist, column, assigned *reg } // assigned: ones where it has a row
	var minima [4]minimum
	for i := range minima {
		minima[i] = minimum{k.splat64(plusInf), k.splat64(1<<64 - 1), k.splat64(1<<64 - 1)}
	}
	k.label("step")
	for i := range 2 {
		unassigned := k.ldNew(row, 16*i)
		k.unary("sshr31", unassigned, unassigned)
		var mask [2]*reg
		for l, widen := range []string{"sxtl", "sxtl2"} {
			at, m := 32*i+16*l, minima[2*i+l]
			h, d := k.new2("fsub", base, k.gains(c, p, at)), k.ldNew(dist, at)
			mask[l] = k.new2("fcmgt", d, h)
			k.insert(d, h, mask[l])
			k.st(d, dist, at)
			free := vec()
			k.unary(widen, free, unassigned)
			tie := k.new2("fcmeq", d, m.dist)
			k.logic("VAND", tie, tie, free)
			k.logic("VAND", tie, tie, m.assigned)
			nearer := k.new2("fcmgt", m.dist, d)
			k.logic("VORR", nearer, nearer, tie)
			k.logic("VEOR", free, free, ones)
			k.insert(m.dist, d, nearer)
			k.insert(m.column, column[l], nearer)
			k.insert(m.assigned, free, nearer)
		}
		k.insertRow(pred, 16*i, thisRow, mask)
	}
	for _, v := range column {
		k.op("VADD V%v.D2, V%v.D2, V%v.D2", step, v, v)
	}
	k.move(64, dist, c, p)
	k.move(32, pred, row)
	k.countDown(n, 8, "step")
	columns := k.load("columns")
	for i, m := range minima {
		k.st(m.column, columns, 16*i)
	}
	k.ret()
}
