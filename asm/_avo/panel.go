package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// panel emits kernels that pack a panel, r elements from each row of a matrix. r is the
// width of a tile: 16 and 32 are whole vectors, 12 is 8 + 4 and 6 is 4 + 2, so that
// nothing beyond is touched.
//
// The rows of a wide matrix lie on different pages, where no prefetching by the
// machine helps, so each row asks for what the next panel takes from it.
func panel() {
	for _, r := range []int{6, 12, 16, 32} {
		panelKernel(r)
	}
}

// panelKernel emits the kernel for r elements of each row.
func panelKernel(r int) {
	name := fmt.Sprintf("panel%d", r)
	kernel(name, avx2, "func(n int, dst, src *float32, stride int)", fmt.Sprintf("packs n rows of %d elements, n positive; Tier.Panel is its definition.", r))
	n := Load(Param("n"), GP64())
	dst := Mem{Base: Load(Param("dst"), GP64())}
	src := Mem{Base: Load(Param("src"), GP64())}
	stride := Load(Param("stride"), GP64())
	SHLQ(Imm(2), stride)

	type piece struct {
		at, lanes int
	}
	var pieces []piece
	for at := 0; at < r; {
		p := piece{at: at, lanes: 8}
		if r-at < 8 {
			p.lanes = min(4, (r-at)&^1)
		}
		pieces = append(pieces, p)
		at += p.lanes
	}

	Label("row")
	for line := 0; line < 4*r; line += 64 {
		PREFETCHT1(src.Offset(4*r + line))
	}
	for _, p := range pieces {
		var v VecVirtual = YMM()
		if p.lanes < 8 {
			v = XMM()
		}
		load(src.Offset(4*p.at), p.lanes, v)
		if p.lanes == 2 {
			VMOVLPS(v, dst.Offset(4*p.at))
		} else {
			VMOVUPS(v, dst.Offset(4*p.at))
		}
	}
	ADDQ(stride, src.Base)
	ADDQ(Imm(uint64(4*r)), dst.Base)
	DECQ(n)
	JNZ(LabelRef("row"))
	ret()
}

// load reads 8, 4 or 2 elements; of 2 the lanes above are zero.
func load(src Mem, lanes int, dst VecVirtual) {
	if lanes == 2 {
		VMOVSD(src, dst)
	} else {
		VMOVUPS(src, dst)
	}
}
