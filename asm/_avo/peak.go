package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peak emits loops that do nothing but multiply-adds on registers: what they
// reach is the limit that every other kernel is measured against. Twelve
// independent chains hide a latency of 4 at two multiply-adds a cycle, with
// room to spare.
func peak() {
	peakKernel("peak8", avx2, func() VecVirtual { return YMM() }, func(r VecVirtual) { VXORPS(r, r, r) })
	peakKernel("peak16", avx512, func() VecVirtual { return ZMM() }, func(r VecVirtual) { VPXORD(r, r, r) })
}

func peakKernel(name, tier string, vec func() VecVirtual, zero func(VecVirtual)) {
	kernel(name, tier, "func(n int)", "does n rounds of 12 vector multiply-adds; Tier.Peak is its definition.")
	n := Load(Param("n"), GP64())
	x := vec()
	zero(x)
	chains := make([]VecVirtual, 12)
	for i := range chains {
		chains[i] = vec()
		zero(chains[i])
	}
	Label("round")
	for _, c := range chains {
		VFMADD231PS(x, x, c)
	}
	DECQ(n)
	JNZ(LabelRef("round"))
	ret()
}
