package main

import "fmt"

// gemm emits the micro-kernels of the matrix product, of the shapes that AVX2 has, in the
// same steps: each loads a row of B, four vectors in one instruction that moves on to the
// next row, and for each row of A broadcasts an element in one instruction that moves on
// to the next term, and does four multiply-adds. Six rows take 33 instructions for 96
// multiply-adds of which 24 do them, .34 each.
func gemm() {
	gemmKernel(6)
	gemmKernel(4)
}

func gemmKernel(mr int) {
	k := newKernel(fmt.Sprintf("gemm%dx16", mr))
	acc := k.accumulators(mr, 4)
	k.runs(mr, func(a []*reg, b, cs, ldb *reg) {
		row := vecs(4)
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4, V%v.S4, V%v.S4]", b, ldb, row[0], row[1], row[2], row[3])
		for i := range acc {
			k.multiplyAdd(acc[i], row, a[i], cs)
		}
	})

	k.comment("Finish the tile.")
	floor := k.broadcast("floor")
	add, ldadd := k.load("add"), k.bytes("ldadd", 2)
	c, ldc := k.load("c"), k.bytes("ldc", 2)
	k.branch("CBZ R%v,", "store", add)
	for _, row := range acc {
		v := vecs(4)
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4, V%v.S4, V%v.S4]", add, ldadd, v[0], v[1], v[2], v[3])
		for j := range row {
			k.float("fadd", s4, row[j], row[j], v[j])
		}
	}
	k.label("store")
	for _, row := range acc {
		for _, v := range row {
			k.raise(s4, v, floor)
		}
		k.op("VST1.P [V%v.S4, V%v.S4, V%v.S4, V%v.S4], (R%v)(R%v)", row[0], row[1], row[2], row[3], c, ldc)
	}
	k.ret()
}

// accumulators returns zeros for rows of so many vectors.
func (k *kernel) accumulators(rows, vectors int) [][]*reg {
	acc := make([][]*reg, rows)
	for i := range acc {
		acc[i] = vecs(vectors)
		for _, v := range acc[i] {
			k.zero(v)
		}
	}
	return acc
}

// multiplyAdd adds the product of the element at a, which moves on by step, and a row of
// vectors.
func (k *kernel) multiplyAdd(acc, row []*reg, a, step *reg) {
	ai := vec()
	k.op("VLD1R.P (R%v)(R%v), [V%v.S4]", a, step, ai)
	for j := range row {
		k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", row[j], ai, acc[j])
	}
}

// runs emits the loops over runs of terms and over their terms, for mr vectors of A, of
// which each has a pointer that term moves on, as it does b.
func (k *kernel) runs(mr int, term func(a []*reg, b, cs, ldb *reg)) {
	rs, cs, jump := k.bytes("rs", 2), k.bytes("cs", 2), k.bytes("jump", 2)
	runs, run, b, ldb := k.load("runs"), k.load("run"), k.load("b"), k.bytes("ldb", 2)
	a := []*reg{k.load("a")}
	for len(a) < mr {
		next := gp()
		k.op("ADD R%v, R%v, R%v", rs, a[len(a)-1], next)
		a = append(a, next)
	}
	k.comment("From the end of a run to the next: jump - run*cs.")
	k.op("MSUB R%v, R%v, R%v, R%v", run, jump, cs, jump)
	left := gp()
	k.label("run")
	k.op("MOVD R%v, R%v", run, left)
	k.label("step")
	term(a, b, cs, ldb)
	k.countDown(left, 1, "step")
	for _, p := range a {
		k.op("ADD R%v, R%v", jump, p)
	}
	k.countDown(runs, 1, "run")
}
