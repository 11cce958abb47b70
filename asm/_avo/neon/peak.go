package main

// peak emits a loop that does nothing but multiply-adds on registers: two instructions for
// each of twelve of amd64's.
func peak() {
	k := newKernel("peak8")
	n, x := k.load("n"), vec()
	k.zero(x)
	chains := k.accumulators(24, 1)
	k.label("round")
	for _, c := range chains {
		k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", x, x, c[0])
	}
	k.countDown(n, 1, "round")
	k.ret()
}
