package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
)

// gram emits the micro-kernels of the product of a matrix with itself, whose sums are kept
// in float64: tiles and steps like those of the matrix product, but after each run of
// terms the accumulators are added to sums on the stack, and those, after the last, to the
// sums in float64.
func gram() {
	gramKernel(6, 4)
	gramKernel(4, 4)
	gramKernel(8, 2)
}

func gramKernel(mr, vectors int) {
	k := newKernel(fmt.Sprintf("gram%dx%d", mr, 4*vectors))
	tiles, terms := k.load("tiles"), k.load("k")
	a, b, ld := k.load("a"), k.load("b"), k.bytes("ld", 2)
	c, ldc := k.load("c"), k.bytes("ldc", 3)
	ahead := k.load("ahead")
	sums := k.local(16 * mr * vectors)

	k.label("tile")
	k.comment("The sums of the runs start at zero.")
	none := vec()
	k.zero(none)
	for i := range mr * vectors {
		k.st(none, sums, 16*i)
	}
	atA, atB, left := gp(), gp(), gp()
	k.op("MOVD R%v, R%v", a, atA)
	k.op("MOVD R%v, R%v", b, atB)
	k.op("MOVD R%v, R%v", terms, left)

	k.label("run")
	lines := source.Const(folder+"/gram.go", "gramAhead")
	for line := range lines {
		k.op("PRFM %d(R%v), PLDL2KEEP", 64*line, ahead)
	}
	k.move(64*lines, ahead)
	acc := k.accumulators(mr, vectors)
	run, longest := gp(), gp()
	k.op("MOVD $%d, R%v", source.Const(folder+"/gram.go", "gramRun"), longest)
	k.op("CMP R%v, R%v", longest, left)
	k.op("CSEL LT, R%v, R%v, R%v", left, longest, run)
	k.op("SUB R%v, R%v", run, left)
	k.label("step")
	row := vecs(vectors)
	if vectors == 4 {
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4, V%v.S4, V%v.S4]", atB, ld, row[0], row[1], row[2], row[3])
	} else {
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4]", atB, ld, row[0], row[1])
	}
	for i := 0; i < mr; i += 4 {
		// Terms of a panel lie beside each other.
		ai := vec()
		if mr-i >= 4 {
			k.ld(ai, atA, 4*i)
		} else {
			k.op("FMOVD %d(R%v), F%v", 4*i, atA, ai)
		}
		for x := range min(4, mr-i) {
			for j := range row {
				k.byElement("fmla", acc[i+x][j], row[j], ai, x)
			}
		}
	}
	k.op("ADD R%v, R%v", ld, atA)
	k.countDown(run, 1, "step")
	for i := range mr {
		for j, v := range acc[i] {
			at := 16 * (i*vectors + j)
			sum := k.ldNew(sums, at)
			k.float("fadd", s4, sum, sum, v)
			k.st(sum, sums, at)
		}
	}
	k.branch("CBNZ R%v,", "run", left)

	k.comment("Add them in float64.")
	for i := range mr {
		for j := range vectors {
			k.addInFloat64(k.ldNew(sums, 16*(i*vectors+j)), c, 32*j)
		}
		k.op("ADD R%v, R%v", ldc, c)
	}
	k.move(4*mr, a)
	k.countDown(tiles, 1, "tile")
	k.ret()
}

// addInFloat64 adds four float32 to sums in float64.
func (k *kernel) addInFloat64(v, base *reg, at int) {
	for i, convert := range []string{"fcvtl", "fcvtl2"} {
		wide := vec()
		k.unary(convert, wide, v)
		sum := k.ldNew(base, at+16*i)
		k.float("fadd", d2, sum, sum, wide)
		k.st(sum, base, at+16*i)
	}
}
