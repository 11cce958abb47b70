package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gemm emits the micro-kernels of the matrix product.
//
// A tile of C stays in registers while k runs: each step loads one row of B
// (two vectors), broadcasts each of the rows' elements in a column
// of A, and does one multiply-add per accumulator, so that loads (2 + rows) stay
// below what two load ports offer beside 2*rows multiply-adds:
//
//	c[i][0:2w] += a[i*rs] * b[0:2w]     w lanes a vector
//
// A has any two strides and B any one, so that neither need be packed: a pointer
// to every third row of A, with rs and 2*rs as the index of the rows between,
// reaches all of a column. Terms of A come in runs, as those of a patch do, which
// lie in so many rows of an image: after each the pointers jump to the next.
//
// What is at add is then added, be it what C holds (sums over more than one block
// of k are added block by block, in the same order in every tier) or a bias, whose
// rows are one and the same; and what is below the floor is raised to it.
func gemm() {
	ymm := func() VecVirtual { return YMM() }
	zmm := func() VecVirtual { return ZMM() }
	gemmKernel("gemm6x16", 6, 8, ymm)
	gemmKernel("gemm4x16", 4, 8, ymm)
	gemmKernel("gemm12x32", 12, 16, zmm)
	gemmKernel("gemm8x32", 8, 16, zmm)
}

// accumulators returns registers for mr rows of so many vectors.
func accumulators(mr, vectors int, vec func() VecVirtual) [][]VecVirtual {
	acc := make([][]VecVirtual, mr)
	for i := range acc {
		for range vectors {
			acc[i] = append(acc[i], vec())
		}
	}
	return acc
}

// zero emits what clears accumulators.
func zero(acc [][]VecVirtual, lanes int) {
	for i := range acc {
		for _, r := range acc[i] {
			if lanes == 16 {
				VPXORD(r, r, r)
			} else {
				VXORPS(r, r, r)
			}
		}
	}
}

// gemmKernel emits a kernel for mr rows by two vectors of the given lanes.
func gemmKernel(name string, mr, lanes int, vec func() VecVirtual) {
	kernel(name, tierOf(4*lanes), "func(runs, run int, a *float32, rs, cs, jump int, b *float32, ldb int, c *float32, ldc int, add *float32, ldadd int, floor float32)", fmt.Sprintf("computes a tile of %d rows by %d columns; Tier.Gemm is its definition.", mr, 2*lanes))
	t := &gemmTile{mr: mr, width: 4 * lanes, vec: vec}
	t.prefetch()
	t.zero(lanes)
	t.multiply()
	t.epilogue()
	ret()
}

// gemmTile is a tile of C in registers, between the steps of its kernel.
type gemmTile struct {
	mr, width int // rows, and bytes of a vector
	vec       func() VecVirtual
	acc       [][]VecVirtual
	c         Mem
	ldc       Register
}

// prefetch asks for the tile of C, which is wanted after the last term.
func (t *gemmTile) prefetch() {
	t.c = Mem{Base: Load(Param("c"), GP64())}
	t.ldc = Load(Param("ldc"), GP64())
	SHLQ(Imm(2), t.ldc)

	Comment("Ask for the tile of C now; it is wanted after the last step.")
	row := Mem{Base: GP64()}
	MOVQ(t.c.Base, row.Base)
	for i := range t.mr {
		PREFETCHT0(row)
		PREFETCHT0(row.Offset(2*t.width - 4))
		if i < t.mr-1 {
			ADDQ(t.ldc, row.Base)
		}
	}
}

// zero clears the accumulators.
func (t *gemmTile) zero(lanes int) {
	Comment("Accumulators start at zero.")
	t.acc = accumulators(t.mr, 2, t.vec)
	zero(t.acc, lanes)
}

// multiply adds all terms to the accumulators.
func (t *gemmTile) multiply() {
	b0, b1, ai := t.vec(), t.vec(), t.vec()
	runs(t.mr, func(a strided, b Mem) {
		Comment("One row of B against one column of A.")
		VMOVUPS(b, b0)
		VMOVUPS(b.Offset(t.width), b1)
		for i := range t.acc {
			VBROADCASTSS(a.at(i), ai)
			VFMADD231PS(b0, ai, t.acc[i][0])
			VFMADD231PS(b1, ai, t.acc[i][1])
		}
	})
}

// strided are vectors a step apart, in bytes. Pointers to every third of them reach all.
type strided struct {
	every3 []Mem
	step   Register
}

// newStrided returns n vectors from the first on.
func newStrided(n int, first Mem, step Register) strided {
	s := strided{make([]Mem, (n+2)/3), step}
	s.every3[0] = first
	for i := range s.every3[1:] {
		s.every3[i+1] = Mem{Base: GP64()}
		LEAQ(s.every3[i].Idx(step, 2), s.every3[i+1].Base)
		ADDQ(step, s.every3[i+1].Base)
	}
	return s
}

// at is where vector i stands.
func (s strided) at(i int) Mem {
	p := s.every3[i/3]
	return []Mem{p, p.Idx(s.step, 1), p.Idx(s.step, 2)}[i%3]
}

// move moves all vectors on.
func (s strided) move(bytes Op) {
	for _, p := range s.every3 {
		ADDQ(bytes, p.Base)
	}
}

// runs emits the loops over runs and over their terms, for mr vectors of A: term emits what
// is done with one.
func runs(mr int, term func(a strided, b Mem)) {
	rs := Load(Param("rs"), GP64())
	cs := Load(Param("cs"), GP64())
	SHLQ(Imm(2), rs)
	SHLQ(Imm(2), cs)
	a := newStrided(mr, Mem{Base: Load(Param("a"), GP64())}, rs)
	b := Mem{Base: Load(Param("b"), GP64())}
	ldb := Load(Param("ldb"), GP64())
	SHLQ(Imm(2), ldb)

	Comment("From the end of a run to the next: jump - run*cs.")
	runs := Load(Param("runs"), GP64())
	run := Load(Param("run"), GP64())
	jump := Load(Param("jump"), GP64())
	length := GP64()
	SHLQ(Imm(2), jump)
	MOVQ(run, length)
	IMULQ(cs, length)
	SUBQ(length, jump)
	k := GP64()

	Label("run")
	MOVQ(run, k)

	Label("step")
	term(a, b)
	a.move(cs)
	ADDQ(ldb, b.Base)
	DECQ(k)
	JNZ(LabelRef("step"))
	a.move(jump)
	DECQ(runs)
	JNZ(LabelRef("run"))
}

// epilogue adds what is to be added, raises the sums to the floor and stores them.
func (t *gemmTile) epilogue() {
	Comment("Finish the tile.")
	floor, address := t.vec(), mustResolve(Param("floor"))
	VBROADCASTSS(address, floor)
	add := Mem{Base: Load(Param("add"), GP64())}
	ldadd := Load(Param("ldadd"), GP64())
	SHLQ(Imm(2), ldadd)
	TESTQ(add.Base, add.Base)
	JZ(LabelRef("store"))
	for i := range t.acc {
		VADDPS(add, t.acc[i][0], t.acc[i][0])
		VADDPS(add.Offset(t.width), t.acc[i][1], t.acc[i][1])
		if i < t.mr-1 {
			ADDQ(ldadd, add.Base)
		}
	}

	Label("store")
	for i := range t.acc {
		VMAXPS(t.acc[i][0], floor, t.acc[i][0]) // of a NaN, the NaN
		VMAXPS(t.acc[i][1], floor, t.acc[i][1])
		VMOVUPS(t.acc[i][0], t.c)
		VMOVUPS(t.acc[i][1], t.c.Offset(t.width))
		if i < t.mr-1 {
			ADDQ(t.ldc, t.c.Base)
		}
	}
}
