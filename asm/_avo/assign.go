package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// assign emits the scans over a row of an assignment problem, in float64: values
// less prices, compared with bounds. Each does what its twin in package asm does.
// Hits are rare, so that a scan reads memory as fast as it comes, and its places
// are written one by one.
func assign() {
	laneMax()
	places("atleast8", "writes the places of the first n where c - p >= least, and stops at a step that begins with more than room of them; it returns where it stopped and their number",
		"func(n int, c, p *float64, least float64, dst *int32, room int) (done, count int)")
	places("shorter8", "writes the places of the first n where base - (c - p) < dist, and returns their number",
		"func(n int, c, p, dist *float64, base float64, dst *int32) int")
	relax()
	topTwo()
	columnMax()
	within()
}

const (
	notBelow  = 0x1d // first source at least the second, false for NaN, silent
	above     = 0x1e // first source above the second
	notWithin = 0x16 // first source not at most the second, true for NaN
)

// Arguments of Avo's comparisons stand in Intel's order reversed: VCMPPD(imm, b, a,
// mask) compares a with b.

// laneMax keeps 32 maxima in 8 registers. MAXPD gives its second source where
// neither is larger, so that the earlier one stays, as in the twin.
func laneMax() {
	TEXT("lanemax32", NOSPLIT, "func(n int, c, p *float64, best *float64)")
	Pragma("noescape")
	Doc("lanemax32 takes the 32 maxima of n gains, a positive multiple of 32; Tier.LaneMax is its definition.")
	n := Load(Param("n"), GP64())
	c := Mem{Base: Load(Param("c"), GP64())}
	p := Mem{Base: Load(Param("p"), GP64())}
	best := Mem{Base: Load(Param("best"), GP64())}
	var most [8]VecVirtual
	bits := GP64()
	MOVQ(U64(0xfff0000000000000), bits) // -Inf
	low := XMM()
	VMOVQ(bits, low)
	for i := range most {
		most[i] = YMM()
		VBROADCASTSD(low, most[i])
	}
	Label("step")
	for i, m := range most {
		h := YMM()
		VMOVUPD(c.Offset(32*i), h)
		VSUBPD(p.Offset(32*i), h, h)
		VMAXPD(m, h, m)
	}
	ADDQ(U32(256), c.Base)
	ADDQ(U32(256), p.Base)
	SUBQ(Imm(32), n)
	JNZ(LabelRef("step"))
	for i, m := range most {
		VMOVUPD(m, best.Offset(32*i))
	}
	ret()
}

// places emits a scan that writes the places of its hits, 8 elements a step.
func places(name, does, signature string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " " + does + "; n is a positive multiple of 8.")
	bounded := name == "atleast8"
	n := Load(Param("n"), GP64())
	c := Load(Param("c"), GP64())
	p := Load(Param("p"), GP64())
	dst := Load(Param("dst"), GP64())
	bound, room, dist := YMM(), GP64(), GP64()
	if bounded {
		VBROADCASTSD(mustResolve(Param("least")), bound)
		Load(Param("room"), room)
	} else {
		VBROADCASTSD(mustResolve(Param("base")), bound)
		Load(Param("dist"), dist)
	}
	j, count := GP64(), GP64()
	XORQ(j, j)
	XORQ(count, count)

	Label("step")
	if bounded {
		CMPQ(count, room)
		JG(LabelRef("end"))
	}
	hits := [2]Register{GP32(), GP32()}
	for i := range hits {
		h, mask := YMM(), YMM()
		VMOVUPD(Mem{Base: c, Index: j, Scale: 8, Disp: 32 * i}, h)
		VSUBPD(Mem{Base: p, Index: j, Scale: 8, Disp: 32 * i}, h, h)
		if bounded {
			VCMPPD(Imm(notBelow), bound, h, mask)
		} else {
			VSUBPD(h, bound, h)
			VCMPPD(Imm(less), Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i}, h, mask)
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
	if bounded {
		Store(j, ReturnIndex(0))
		Store(count, ReturnIndex(1))
	} else {
		Store(count, ReturnIndex(0))
	}
	ret()

	Label("hit")
	at := GP32()
	TZCNTL(hits[0], at)
	ADDL(j.As32(), at)
	MOVL(at, Mem{Base: dst, Index: count, Scale: 4})
	INCQ(count)
	rest := GP32()
	LEAL(Mem{Base: hits[0], Disp: -1}, rest)
	ANDL(rest, hits[0])
	JNZ(LabelRef("hit"))
	JMP(LabelRef("next"))
}

// topTwo keeps the two best of each of 4 lanes and their places, of equal ones
// the first.
func topTwo() {
	lanes := GLOBL("fours", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(i))
	}
	TEXT("toptwo4", NOSPLIT, "func(n int, c, p *float64, gains *float64, places *int64)")
	Pragma("noescape")
	Doc("toptwo4 finds the largest gain of each of 4 lanes, then the second largest, and their places; n is a positive multiple of 4.")
	n := Load(Param("n"), GP64())
	c := Mem{Base: Load(Param("c"), GP64())}
	p := Mem{Base: Load(Param("p"), GP64())}
	gains := Mem{Base: Load(Param("gains"), GP64())}
	where := Mem{Base: Load(Param("places"), GP64())}
	first, second, j, j2, at, step := YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	bits := GP64()
	MOVQ(U64(0xfff0000000000000), bits) // -Inf
	VMOVQ(bits, first.AsX())
	VBROADCASTSD(first.AsX(), first)
	VMOVAPD(first, second)
	VPCMPEQD(j, j, j)
	VMOVDQA(j, j2)
	MOVQ(U64(4), bits)
	VMOVQ(bits, step.AsX())
	VPBROADCASTQ(step.AsX(), step)
	VMOVDQU(lanes, at)

	Label("step")
	h, better, good, loser, loserAt := YMM(), YMM(), YMM(), YMM(), YMM()
	VMOVUPD(c, h)
	VSUBPD(p, h, h)
	VCMPPD(Imm(above), first, h, better)
	VCMPPD(Imm(above), second, h, good)
	Comment("Where the best is beaten it becomes second, else h does if it is good enough.")
	VBLENDVPD(better, first, h, loser)
	VBLENDVPD(better, j, at, loserAt)
	VBLENDVPD(good, loser, second, second)
	VBLENDVPD(good, loserAt, j2, j2)
	VBLENDVPD(better, h, first, first)
	VBLENDVPD(better, at, j, j)
	VPADDQ(step, at, at)
	ADDQ(Imm(32), c.Base)
	ADDQ(Imm(32), p.Base)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("step"))
	VMOVUPD(first, gains)
	VMOVUPD(second, gains.Offset(32))
	VMOVDQU(j, where)
	VMOVDQU(j2, where.Offset(32))
	ret()
}

func columnMax() {
	TEXT("columnmax8", NOSPLIT, "func(n int, best *float64, who *int32, x *float64, row int32)")
	Pragma("noescape")
	Doc("columnmax8 keeps in best and who the larger of best and x, and row if it is x, for n elements, a positive multiple of 8.")
	n := Load(Param("n"), GP64())
	best := Mem{Base: Load(Param("best"), GP64())}
	who := Mem{Base: Load(Param("who"), GP64())}
	x := Mem{Base: Load(Param("x"), GP64())}
	row, bits := XMM(), GP32()
	Load(Param("row"), bits)
	VMOVD(bits, row)
	VPBROADCASTD(row, row)
	Label("step")
	for i := range 2 {
		b, v, mask, old := YMM(), YMM(), YMM(), XMM()
		VMOVUPD(best.Offset(32*i), b)
		VMOVUPD(x.Offset(32*i), v)
		VCMPPD(Imm(less), v, b, mask)
		VBLENDVPD(mask, v, b, b)
		VMOVUPD(b, best.Offset(32*i))
		half := XMM()
		narrow(mask, half)
		VMOVDQU(who.Offset(16*i), old)
		VPBLENDVB(half, row, old, old)
		VMOVDQU(old, who.Offset(16*i))
	}
	ADDQ(Imm(64), best.Base)
	ADDQ(Imm(32), who.Base)
	ADDQ(Imm(64), x.Base)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	ret()
}

// within gathers what is beyond the limit in magnitude, or NaN, but not -Inf.
func within() {
	TEXT("within16", NOSPLIT, "func(n int, x *float64, limit float64) int32")
	Pragma("noescape")
	Doc("within16 returns 0 if all of n elements, a positive multiple of 16, are within the limit or -Inf.")
	n := Load(Param("n"), GP64())
	x := Mem{Base: Load(Param("x"), GP64())}
	limit, sign, low, bad, bits := YMM(), YMM(), YMM(), YMM(), GP64()
	VBROADCASTSD(mustResolve(Param("limit")), limit)
	MOVQ(U64(0x8000000000000000), bits)
	VMOVQ(bits, sign.AsX())
	VBROADCASTSD(sign.AsX(), sign)
	MOVQ(U64(0xfff0000000000000), bits) // -Inf
	VMOVQ(bits, low.AsX())
	VBROADCASTSD(low.AsX(), low)
	VXORPD(bad, bad, bad)
	Label("step")
	for i := range 4 {
		v, size, wrong := YMM(), YMM(), YMM()
		VMOVUPD(x.Offset(32*i), v)
		VANDNPD(v, sign, size)
		VCMPPD(Imm(notWithin), limit, size, wrong)
		VPCMPEQQ(low, v, size)
		VANDNPD(wrong, size, wrong)
		VORPD(wrong, bad, bad)
	}
	ADDQ(Imm(128), x.Base)
	SUBQ(Imm(16), n)
	JNZ(LabelRef("step"))
	found := GP32()
	VMOVMSKPD(bad, found)
	Store(found, ReturnIndex(0))
	ret()
}

// relax shortens 8 paths a step and keeps for each of 8 lanes the nearest column; of
// equal ones an unassigned one, whose row has its sign bit set, then the first. Two
// registers take turns, since a comparison has to wait for the one before.
func relax() {
	lanes := GLOBL("quads", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(i))
	}
	TEXT("relax8", NOSPLIT, "func(n int, dist *float64, from *int32, c, p *float64, row *int32, base float64, i int32, places *int64)")
	Pragma("noescape")
	Doc("relax8 shortens n paths, a positive multiple of 8, by those through row i and finds the nearest column of each of 8 lanes, less 4 of the last 4; Tier.Relax is its definition.")
	n := Load(Param("n"), GP64())
	dist := Load(Param("dist"), GP64())
	from := Load(Param("from"), GP64())
	c := Load(Param("c"), GP64())
	p := Load(Param("p"), GP64())
	row := Load(Param("row"), GP64())
	base, via, at, step := YMM(), XMM(), YMM(), YMM()
	VBROADCASTSD(mustResolve(Param("base")), base)
	bits := GP64()
	Load(Param("i"), bits.As32())
	VMOVD(bits.As32(), via)
	VPBROADCASTD(via, via)
	type half struct{ least, place, open VecVirtual }
	halves := [2]half{{YMM(), YMM(), YMM()}, {YMM(), YMM(), YMM()}}
	MOVQ(U64(0x7ff0000000000000), bits) // +Inf
	for _, l := range halves {
		VMOVQ(bits, l.least.AsX())
		VBROADCASTSD(l.least.AsX(), l.least)
		VPCMPEQD(l.place, l.place, l.place)
		VXORPD(l.open, l.open, l.open)
	}
	MOVQ(U64(8), bits)
	VMOVQ(bits, step.AsX())
	VPBROADCASTQ(step.AsX(), step)
	VMOVDQU(lanes, at)
	j := GP64()
	XORQ(j, j)

	Label("step")
	for i, l := range halves {
		h, d, mask, who, old := YMM(), YMM(), YMM(), XMM(), XMM()
		VMOVUPD(Mem{Base: c, Index: j, Scale: 8, Disp: 32 * i}, h)
		VSUBPD(Mem{Base: p, Index: j, Scale: 8, Disp: 32 * i}, h, h)
		VSUBPD(h, base, h)
		VMOVUPD(Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i}, d)
		VCMPPD(Imm(less), d, h, mask)
		VBLENDVPD(mask, h, d, d)
		VMOVUPD(d, Mem{Base: dist, Index: j, Scale: 8, Disp: 32 * i})
		narrow(mask, who)
		VMOVDQU(Mem{Base: from, Index: j, Scale: 4, Disp: 16 * i}, old)
		VPBLENDVB(who, via, old, old)
		VMOVDQU(old, Mem{Base: from, Index: j, Scale: 4, Disp: 16 * i})

		held, nearer, same := YMM(), YMM(), YMM()
		VPMOVSXDQ(Mem{Base: row, Index: j, Scale: 4, Disp: 16 * i}, held)
		VCMPPD(Imm(less), l.least, d, nearer)
		VCMPPD(Imm(equal), l.least, d, same)
		VPAND(held, same, same)
		VPANDN(same, l.open, same)
		VPOR(same, nearer, nearer)
		VBLENDVPD(nearer, d, l.least, l.least)
		VBLENDVPD(nearer, at, l.place, l.place)
		VBLENDVPD(nearer, held, l.open, l.open)
	}
	VPADDQ(step, at, at)
	ADDQ(Imm(8), j)
	CMPQ(j, n)
	JLT(LabelRef("step"))
	out := Load(Param("places"), GP64())
	for i, l := range halves {
		VMOVDQU(l.place, Mem{Base: out, Disp: 32 * i})
	}
	ret()
}

// narrow makes a mask of 4 int32 of one of 4 float64.
func narrow(mask, to VecVirtual) {
	VEXTRACTF128(Imm(1), mask, to)
	VSHUFPS(Imm(0x88), to, mask.AsX(), to)
}

// equal is the comparison "equal", false and silent for NaN.
const equal = 0x00
