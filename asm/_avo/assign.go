package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// assign emits the scans over a row of an assignment problem, in float64: gains, which
// are values less prices, compared with bounds. Each kernel does what its twin in
// package asm does. Hits are rare, so that a scan reads memory as fast as it comes, and
// the columns of its hits are written one by one.
func assign() {
	laneMax()
	columnScan("threshold8", "writes the columns of the first n where c - p >= threshold, and stops at a step that begins with more than capacity of them; it returns where it stopped and their number",
		"func(n int, c, p *float64, threshold float64, dst *int32, capacity int) (end, count int)")
	columnScan("relaxable8", "writes the columns of the first n where base - (c - p) < dist, and returns their number",
		"func(n int, c, p, dist *float64, base float64, dst *int32) int")
	relax()
	topTwo()
	columnMax()
	bounded()
}

// Infinities as the bits of a float64.
const (
	plusInf  = 0x7ff0000000000000
	minusInf = 0xfff0000000000000
)

// laneMax keeps 32 maxima in 8 registers. MAXPD gives its second source where
// neither is larger, so that the earlier one stays, as in the twin.
func laneMax() {
	kernel("lanemax32", avx2, "func(n int, c, p *float64, maxima *float64)", "takes the 32 maxima of n gains, a positive multiple of 32; Tier.LaneMax is its definition.")
	n := Load(Param("n"), GP64())
	c := Mem{Base: Load(Param("c"), GP64())}
	p := Mem{Base: Load(Param("p"), GP64())}
	maxima := Mem{Base: Load(Param("maxima"), GP64())}
	var acc [8]VecVirtual
	bits := GP64()
	MOVQ(U64(minusInf), bits)
	low := XMM()
	VMOVQ(bits, low)
	for i := range acc {
		acc[i] = YMM()
		VBROADCASTSD(low, acc[i])
	}
	Label("step")
	for i, m := range acc {
		h := YMM()
		VMOVUPD(c.Offset(32*i), h)
		VSUBPD(p.Offset(32*i), h, h)
		VMAXPD(m, h, m)
	}
	ADDQ(U32(256), c.Base)
	ADDQ(U32(256), p.Base)
	SUBQ(Imm(32), n)
	JNZ(LabelRef("step"))
	for i, m := range acc {
		VMOVUPD(m, maxima.Offset(32*i))
	}
	ret()
}

// columnScan emits a scan that writes the columns of its hits, 8 elements a step.
func columnScan(name, summary, signature string) {
	kernel(name, avx2, signature, summary+"; n is a positive multiple of 8.")
	threshold := name == "threshold8" // else the bound is that of a path
	n := Load(Param("n"), GP64())
	c := Load(Param("c"), GP64())
	p := Load(Param("p"), GP64())
	dst := Load(Param("dst"), GP64())
	bound, capacity, dist := YMM(), GP64(), GP64()
	if threshold {
		VBROADCASTSD(mustResolve(Param("threshold")), bound)
		Load(Param("capacity"), capacity)
	} else {
		VBROADCASTSD(mustResolve(Param("base")), bound)
		Load(Param("dist"), dist)
	}
	j, count := GP64(), GP64()
	XORQ(j, j)
	XORQ(count, count)

	Label("step")
	if threshold {
		CMPQ(count, capacity)
		JG(LabelRef("end"))
	}
	hits := [2]Register{GP32(), GP32()}
	for i := range hits {
		h, mask := YMM(), YMM()
		VMOVUPD(Mem{Base: c, Index: j, Scale: 8, Disp: 32 * i}, h)
		VSUBPD(Mem{Base: p, Index: j, Scale: 8, Disp: 32 * i}, h, h)
		if threshold {
			VCMPPD(Imm(cmpGE), bound, h, mask)
		} else {
			VSUBPD(h, bound, h)
			VCMPPD(Imm(cmpLT), Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i}, h, mask)
		}
		VMOVMSKPD(mask, hits[i])
	}
	SHLL(Imm(4), hits[1])
	ORL(hits[1], hits[0])
	JNZ(LabelRef("hit"))
	Label("next")
	ADDQ(Imm(8), j)
	CMPQ(j, n)
	JLT(LabelRef("step"))

	Label("end")
	if threshold {
		Store(j, ReturnIndex(0))
		Store(count, ReturnIndex(1))
	} else {
		Store(count, ReturnIndex(0))
	}
	ret()

	Label("hit")
	column := GP32()
	TZCNTL(hits[0], column)
	ADDL(j.As32(), column)
	MOVL(column, Mem{Base: dst, Index: count, Scale: 4})
	INCQ(count)
	lower := GP32() // the hits less their lowest bit and all below it, which are none
	LEAL(Mem{Base: hits[0], Disp: -1}, lower)
	ANDL(lower, hits[0])
	JNZ(LabelRef("hit"))
	JMP(LabelRef("next"))
}

// topTwo keeps the two largest gains of each of 4 lanes and their columns, of equal
// gains the first.
func topTwo() {
	lanes := GLOBL("fours", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(i))
	}
	kernel("toptwo4", avx2, "func(n int, c, p *float64, gains *float64, columns *int64)", "finds the largest gain of each of 4 lanes, then the second largest, and their columns; n is a positive multiple of 4.")
	n := Load(Param("n"), GP64())
	c := Mem{Base: Load(Param("c"), GP64())}
	p := Mem{Base: Load(Param("p"), GP64())}
	gains := Mem{Base: Load(Param("gains"), GP64())}
	columns := Mem{Base: Load(Param("columns"), GP64())}
	gain1, gain2, column1, column2, column, step := YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	bits := GP64()
	MOVQ(U64(minusInf), bits)
	VMOVQ(bits, gain1.AsX())
	VBROADCASTSD(gain1.AsX(), gain1)
	VMOVAPD(gain1, gain2)
	VPCMPEQD(column1, column1, column1)
	VMOVDQA(column1, column2)
	MOVQ(U64(4), bits)
	VMOVQ(bits, step.AsX())
	VPBROADCASTQ(step.AsX(), step)
	VMOVDQU(lanes, column)

	Label("step")
	h, above1, above2, runnerUp, runnerUpColumn := YMM(), YMM(), YMM(), YMM(), YMM()
	VMOVUPD(c, h)
	VSUBPD(p, h, h)
	VCMPPD(Imm(cmpGT), gain1, h, above1)
	VCMPPD(Imm(cmpGT), gain2, h, above2)
	Comment("Where h is above the largest gain, that becomes the second, else h does if it is above the second.")
	VBLENDVPD(above1, gain1, h, runnerUp)
	VBLENDVPD(above1, column1, column, runnerUpColumn)
	VBLENDVPD(above2, runnerUp, gain2, gain2)
	VBLENDVPD(above2, runnerUpColumn, column2, column2)
	VBLENDVPD(above1, h, gain1, gain1)
	VBLENDVPD(above1, column, column1, column1)
	VPADDQ(step, column, column)
	ADDQ(Imm(32), c.Base)
	ADDQ(Imm(32), p.Base)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("step"))
	VMOVUPD(gain1, gains)
	VMOVUPD(gain2, gains.Offset(32))
	VMOVDQU(column1, columns)
	VMOVDQU(column2, columns.Offset(32))
	ret()
}

// columnMax keeps the maxima of columns and the rows that they stand in.
func columnMax() {
	kernel("columnmax8", avx2, "func(n int, maxima *float64, argmax *int32, x *float64, row int32)", "raises maxima to x, and sets argmax to row where that raises them, for n elements, a positive multiple of 8.")
	n := Load(Param("n"), GP64())
	maxima := Mem{Base: Load(Param("maxima"), GP64())}
	argmax := Mem{Base: Load(Param("argmax"), GP64())}
	x := Mem{Base: Load(Param("x"), GP64())}
	row, bits := XMM(), GP32()
	Load(Param("row"), bits)
	VMOVD(bits, row)
	VPBROADCASTD(row, row)
	Label("step")
	for i := range 2 {
		m, v, mask, rows := YMM(), YMM(), YMM(), XMM()
		VMOVUPD(maxima.Offset(32*i), m)
		VMOVUPD(x.Offset(32*i), v)
		VCMPPD(Imm(cmpLT), v, m, mask)
		VBLENDVPD(mask, v, m, m)
		VMOVUPD(m, maxima.Offset(32*i))
		mask32 := XMM()
		narrowMask(mask, mask32)
		VMOVDQU(argmax.Offset(16*i), rows)
		VPBLENDVB(mask32, row, rows, rows)
		VMOVDQU(rows, argmax.Offset(16*i))
	}
	ADDQ(Imm(64), maxima.Base)
	ADDQ(Imm(32), argmax.Base)
	ADDQ(Imm(64), x.Base)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	ret()
}

// bounded gathers what is beyond the limit in magnitude, or NaN, but not -Inf.
func bounded() {
	kernel("bounded16", avx2, "func(n int, x *float64, limit float64) int32", "returns 0 if all of n elements, a positive multiple of 16, lie between -limit and limit or are -Inf.")
	n := Load(Param("n"), GP64())
	x := Mem{Base: Load(Param("x"), GP64())}
	limit, sign, low, violations, bits := YMM(), YMM(), YMM(), YMM(), GP64()
	VBROADCASTSD(mustResolve(Param("limit")), limit)
	MOVQ(U64(0x8000000000000000), bits)
	VMOVQ(bits, sign.AsX())
	VBROADCASTSD(sign.AsX(), sign)
	MOVQ(U64(minusInf), bits)
	VMOVQ(bits, low.AsX())
	VBROADCASTSD(low.AsX(), low)
	VXORPD(violations, violations, violations)
	Label("step")
	for i := range 4 {
		v, size, mask := YMM(), YMM(), YMM()
		VMOVUPD(x.Offset(32*i), v)
		VANDNPD(v, sign, size)
		VCMPPD(Imm(cmpNLE), limit, size, mask)
		VPCMPEQQ(low, v, size)
		VANDNPD(mask, size, mask)
		VORPD(mask, violations, violations)
	}
	ADDQ(Imm(128), x.Base)
	SUBQ(Imm(16), n)
	JNZ(LabelRef("step"))
	mask := GP32()
	VMOVMSKPD(violations, mask)
	Store(mask, ReturnIndex(0))
	ret()
}

// relax shortens 8 paths a step and keeps for each of 8 lanes the nearest column; of
// equally near ones an unassigned column, whose row has its sign bit set, then the first.
// Two sets of registers take turns, since a comparison has to wait for the one before.
func relax() {
	lanes := GLOBL("quads", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(i))
	}
	kernel("relax8", avx2, "func(n int, dist *float64, pred *int32, c, p *float64, row *int32, base float64, i int32, columns *int64)", "shortens n paths, a positive multiple of 8, by those through row i and finds the nearest column of each of 8 lanes, less 4 of the last 4; Tier.Relax is its definition.")
	n := Load(Param("n"), GP64())
	dist := Load(Param("dist"), GP64())
	pred := Load(Param("pred"), GP64())
	c := Load(Param("c"), GP64())
	p := Load(Param("p"), GP64())
	row := Load(Param("row"), GP64())
	base, thisRow, column, step := YMM(), XMM(), YMM(), YMM()
	VBROADCASTSD(mustResolve(Param("base")), base)
	bits := GP64()
	Load(Param("i"), bits.As32())
	VMOVD(bits.As32(), thisRow)
	VPBROADCASTD(thisRow, thisRow)
	type minimum struct{ dist, column, row VecVirtual }
	minima := [2]minimum{{YMM(), YMM(), YMM()}, {YMM(), YMM(), YMM()}}
	MOVQ(U64(plusInf), bits)
	for _, m := range minima {
		VMOVQ(bits, m.dist.AsX())
		VBROADCASTSD(m.dist.AsX(), m.dist)
		VPCMPEQD(m.column, m.column, m.column)
		VXORPD(m.row, m.row, m.row)
	}
	MOVQ(U64(8), bits)
	VMOVQ(bits, step.AsX())
	VPBROADCASTQ(step.AsX(), step)
	VMOVDQU(lanes, column)
	j := GP64()
	XORQ(j, j)

	Label("step")
	for i, m := range minima {
		h, d, mask, mask32, preds := YMM(), YMM(), YMM(), XMM(), XMM()
		VMOVUPD(Mem{Base: c, Index: j, Scale: 8, Disp: 32 * i}, h)
		VSUBPD(Mem{Base: p, Index: j, Scale: 8, Disp: 32 * i}, h, h)
		VSUBPD(h, base, h)
		VMOVUPD(Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i}, d)
		VCMPPD(Imm(cmpLT), d, h, mask)
		VBLENDVPD(mask, h, d, d)
		VMOVUPD(d, Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i})
		narrowMask(mask, mask32)
		VMOVDQU(Mem{Base: pred, Index: j, Scale: 4, Disp: 16 * i}, preds)
		VPBLENDVB(mask32, thisRow, preds, preds)
		VMOVDQU(preds, Mem{Base: pred, Index: j, Scale: 4, Disp: 16 * i})

		rows, nearer, tie := YMM(), YMM(), YMM()
		VPMOVSXDQ(Mem{Base: row, Index: j, Scale: 4, Disp: 16 * i}, rows)
		VCMPPD(Imm(cmpLT), m.dist, d, nearer)
		VCMPPD(Imm(cmpEQ), m.dist, d, tie)
		VPAND(rows, tie, tie)
		VPANDN(tie, m.row, tie)
		VPOR(tie, nearer, nearer)
		VBLENDVPD(nearer, d, m.dist, m.dist)
		VBLENDVPD(nearer, column, m.column, m.column)
		VBLENDVPD(nearer, rows, m.row, m.row)
	}
	VPADDQ(step, column, column)
	ADDQ(Imm(8), j)
	CMPQ(j, n)
	JLT(LabelRef("step"))
	columns := Load(Param("columns"), GP64())
	for i, m := range minima {
		VMOVDQU(m.column, Mem{Base: columns, Disp: 32 * i})
	}
	ret()
}

// narrowMask makes a mask of 4 int32 of one of 4 float64.
func narrowMask(mask, dst VecVirtual) {
	VEXTRACTF128(Imm(1), mask, dst)
	VSHUFPS(Imm(0x88), dst, mask.AsX(), dst)
}
