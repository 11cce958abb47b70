package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gram emits the micro-kernels of the product of a matrix with itself, whose sums are
// kept in float64.
//
// A tile is like one of the matrix product, but errors that do not even out, as where
// all terms are the same, grow with the length of a sum. So the accumulators hold gramRun
// terms and are then added to the sums of the runs before, which lie in the first-level
// cache; after the last they go on, converted, to the sums in float64:
//
//	sums += a run's a_i[k] b_j[k]        in float32
//	c    += sums of all runs             in float64
//
// Of a tile on the diagonal, the rows below take half of the columns: a tile of
// one vector.
func gram() {
	ymm := func() VecVirtual { return YMM() }
	zmm := func() VecVirtual { return ZMM() }
	gramKernel("gram6x16", 6, 2, 8, ymm)
	gramKernel("gram4x16", 4, 2, 8, ymm)
	gramKernel("gram8x8", 8, 1, 8, ymm)
	gramKernel("gram12x32", 12, 2, 16, zmm)
	gramKernel("gram8x32", 8, 2, 16, zmm)
	gramKernel("gram16x16", 16, 1, 16, zmm)
}

// gramRun is how many terms are summed by themselves.
const gramRun = 32

// gramKernel emits the micro-kernel for mr rows of so many vectors of the given lanes.
func gramKernel(name string, mr, vectors, lanes int, vec func() VecVirtual) {
	TEXT(name, 0, "func(k int, a, b *float32, ld int, c *float64, ldc int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds to a tile of %d rows by %d columns; Tier.Gram is its definition.", name, mr, vectors*lanes))
	t := &gramTile{mr: mr, width: 4 * lanes, acc: accumulators(mr, vectors, vec), vec: vec}
	t.prefetch()
	t.multiply(lanes)
	t.convert()
	ret()
}

// gramTile is a tile in registers, between the steps of its kernel.
type gramTile struct {
	mr, width int // rows, and bytes of a vector
	acc       [][]VecVirtual
	vec       func() VecVirtual
	c         Mem
	ldc       Register
}

// prefetch asks for the sums in float64, which are wanted after the last term.
func (t *gramTile) prefetch() {
	t.c = Mem{Base: Load(Param("c"), GP64())}
	t.ldc = Load(Param("ldc"), GP64())
	SHLQ(Imm(3), t.ldc)

	Comment("Ask for the sums now; they are wanted after the last step.")
	row := Mem{Base: GP64()}
	MOVQ(t.c.Base, row.Base)
	bytes := 2 * t.width * len(t.acc[0])
	for i := range t.mr {
		for at := 0; at < bytes; at += 64 {
			PREFETCHT0(row.Offset(at))
		}
		if i < t.mr-1 {
			ADDQ(t.ldc, row.Base)
		}
	}
}

// multiply leaves the sums of all runs in the accumulators.
func (t *gramTile) multiply(lanes int) {
	k := Load(Param("k"), GP64())
	a := Mem{Base: Load(Param("a"), GP64())}
	b := Mem{Base: Load(Param("b"), GP64())}
	ld := Load(Param("ld"), GP64())
	SHLQ(Imm(2), ld)
	sums := Mem{Base: GP64()}
	local := AllocLocal(len(t.acc)*len(t.acc[0])*t.width + 64)
	LEAQ(local.Offset(64), sums.Base)
	ANDQ(I8(-64), sums.Base)
	row, ai := make([]VecVirtual, len(t.acc[0])), t.vec()
	for j := range row {
		row[j] = t.vec()
	}
	forEach := func(f func(acc VecVirtual, sum Mem)) {
		for i := range t.acc {
			for j, r := range t.acc[i] {
				f(r, sums.Offset((i*len(row)+j)*t.width))
			}
		}
	}
	left := GP64()

	Comment("The sums of the runs start at zero.")
	zero(t.acc, lanes)
	forEach(func(acc VecVirtual, sum Mem) { VMOVUPS(acc, sum) })
	JMP(LabelRef("run"))

	Label("next")
	forEach(func(acc VecVirtual, sum Mem) { VMOVUPS(acc, sum) })
	zero(t.acc, lanes)

	Label("run")
	MOVQ(k, left)
	SUBQ(Imm(gramRun), k)
	JLE(LabelRef("step"))
	MOVQ(U32(gramRun), left)

	Label("step")
	for j, r := range row {
		VMOVUPS(b.Offset(j*t.width), r)
	}
	for i := range t.acc {
		VBROADCASTSS(a.Offset(4*i), ai)
		for j, r := range row {
			VFMADD231PS(r, ai, t.acc[i][j])
		}
	}
	ADDQ(ld, a.Base)
	ADDQ(ld, b.Base)
	DECQ(left)
	JNZ(LabelRef("step"))

	forEach(func(acc VecVirtual, sum Mem) { VADDPS(sum, acc, acc) })
	CMPQ(k, Imm(0))
	JG(LabelRef("next"))
}

// convert adds the accumulators to the sums in float64.
func (t *gramTile) convert() {
	Comment("Add them in float64.")
	for i := range t.acc {
		for j, r := range t.acc[i] {
			addInFloat64(r, t.c.Offset(2*t.width*j), t.width/4, t.vec)
		}
		if i < t.mr-1 {
			ADDQ(t.ldc, t.c.Base)
		}
	}
}
