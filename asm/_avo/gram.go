package main

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/_avo/source"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gram emits the micro-kernels of the product of a matrix with itself, whose sums are
// kept in float64.
//
// A tile is like one of the matrix product, but errors that do not even out, as where
// all terms are the same, grow with the length of a sum. So the accumulators hold gramRun
// terms and are then added to the sums of the runs before, which lie in the registers that
// are left and in the first-level cache; after the last run those go on, converted, to the
// sums in float64:
//
//	sums += a run's a_i[k] b_j[k]        in float32
//	c    += sums of all runs             in float64
//
// A kernel goes on to the tiles below, so that they overlap. Of a panel's product
// with itself the rows below take half of the columns: tiles of one vector.
//
// Products leave memory without work. So before each run a kernel asks for some lines of
// what is packed next, and they come while it computes.
func gram() {
	ymm := func() VecVirtual { return YMM() }
	zmm := func() VecVirtual { return ZMM() }
	gramKernel("gram6x16", 6, 2, 8, ymm)
	gramKernel("gram4x16", 4, 2, 8, ymm)
	gramKernel("gram8x8", 8, 1, 8, ymm)
	gramKernel("gram8x32", 8, 2, 16, zmm)
	gramKernel("gram16x16", 16, 1, 16, zmm)
}

// gramRun is how many terms are summed by themselves.
var gramRun = source.Const("../gram.go", "gramRun")

// gramAhead is how many lines of 64 bytes are asked for before each run.
var gramAhead = source.Const("../gram.go", "gramAhead")

// gramKernel emits the micro-kernel for tiles of mr rows of so many vectors of the given
// lanes.
func gramKernel(name string, mr, vectors, lanes int, vec func() VecVirtual) {
	kernel(name, tierOf(4*lanes), "func(tiles, k int, a, b *float32, ld int, c *float64, ldc int, ahead *float32)", fmt.Sprintf("adds to tiles of %d rows by %d columns; Tier.Gram is its definition.", mr, vectors*lanes))
	Attributes(0)
	t := &gramTile{mr: mr, vectors: vectors, lanes: lanes, vec: vec}
	t.load()
	Label("tile")
	t.prefetch()
	t.multiply()
	t.convert()
	Comment("The tile below.")
	ADDQ(Imm(uint64(4*mr)), t.a.Base)
	DECQ(t.tiles)
	JNZ(LabelRef("tile"))
	ret()
}

// gramTile is a tile in registers, between the steps of its kernel.
type gramTile struct {
	mr, vectors, lanes int
	vec                func() VecVirtual
	tiles, k, ld, ldc  Register
	a, b, c, ahead     Mem
	sums               Mem // those that are not in registers
	acc                [][]VecVirtual
	results            []VecVirtual // sums of all runs
}

// load reads the parameters.
func (t *gramTile) load() {
	t.tiles = Load(Param("tiles"), GP64())
	t.k = Load(Param("k"), GP64())
	t.a = Mem{Base: Load(Param("a"), GP64())}
	t.b = Mem{Base: Load(Param("b"), GP64())}
	t.ld = Load(Param("ld"), GP64())
	t.c = Mem{Base: Load(Param("c"), GP64())}
	t.ldc = Load(Param("ldc"), GP64())
	t.ahead = Mem{Base: Load(Param("ahead"), GP64())}
	SHLQ(Imm(2), t.ld)
	SHLQ(Imm(3), t.ldc)
	t.sums = Mem{Base: GP64()}
	local := AllocLocal(t.mr*t.vectors*4*t.lanes + 64)
	LEAQ(local.Offset(64), t.sums.Base)
	ANDQ(I8(-64), t.sums.Base)
}

// prefetch asks for the sums in float64, which are wanted after the last term.
func (t *gramTile) prefetch() {
	Comment("Ask for the sums now; they are wanted after the last step.")
	row := Mem{Base: GP64()}
	MOVQ(t.c.Base, row.Base)
	for i := range t.mr {
		for at := 0; at < 8*t.lanes*t.vectors; at += 64 {
			PREFETCHT0(row.Offset(at))
		}
		if i < t.mr-1 {
			ADDQ(t.ldc, row.Base)
		}
	}
}

// multiply leaves the sums of all runs in the results.
func (t *gramTile) multiply() {
	width := 4 * t.lanes
	t.acc = accumulators(t.mr, t.vectors, t.vec)
	var acc []VecVirtual
	for _, row := range t.acc {
		acc = append(acc, row...)
	}
	row, ai := accumulators(1, t.vectors, t.vec)[0], t.vec()
	registers := 2 * t.lanes // 16 of 8 lanes, 32 of 16
	kept := min(len(acc), registers-len(acc)-len(row)-1)
	sums := accumulators(1, kept, t.vec)[0]
	a, b, k, left := Mem{Base: GP64()}, Mem{Base: GP64()}, GP64(), GP64()

	Comment("The sums of the runs start at zero.")
	MOVQ(t.a.Base, a.Base)
	MOVQ(t.b.Base, b.Base)
	MOVQ(t.k, k)
	zero(t.acc, t.lanes)
	zero([][]VecVirtual{sums}, t.lanes)
	if kept < len(acc) {
		JMP(LabelRef("store"))
	}

	Label("next")
	zero(t.acc, t.lanes)
	if kept < len(acc) {
		JMP(LabelRef("run"))
		Label("store")
		for i, r := range acc[kept:] {
			VMOVUPS(r, t.sums.Offset(i*width))
		}
	}

	Label("run")
	for line := range gramAhead {
		PREFETCHT1(t.ahead.Offset(64 * line))
	}
	ADDQ(U32(uint32(64*gramAhead)), t.ahead.Base)
	MOVQ(k, left)
	SUBQ(Imm(uint64(gramRun)), k)
	JLE(LabelRef("step"))
	MOVQ(U32(uint32(gramRun)), left)

	Label("step")
	for j, r := range row {
		VMOVUPS(b.Offset(j*width), r)
	}
	for i := range t.acc {
		VBROADCASTSS(a.Offset(4*i), ai)
		for j, r := range row {
			VFMADD231PS(r, ai, t.acc[i][j])
		}
	}
	ADDQ(t.ld, a.Base)
	ADDQ(t.ld, b.Base)
	DECQ(left)
	JNZ(LabelRef("step"))

	for i, r := range sums {
		VADDPS(acc[i], r, r)
	}
	for i, r := range acc[kept:] {
		VADDPS(t.sums.Offset(i*width), r, r)
		VMOVUPS(r, t.sums.Offset(i*width))
	}
	CMPQ(k, Imm(0))
	JG(LabelRef("next"))
	t.results = append(sums, acc[kept:]...)
}

// convert adds the results to the sums in float64.
func (t *gramTile) convert() {
	Comment("Add them in float64.")
	for i := range t.mr {
		for j := range t.vectors {
			addInFloat64(t.results[i*t.vectors+j], t.c.Offset(8*t.lanes*j), t.lanes, t.vec)
		}
		ADDQ(t.ldc, t.c.Base)
	}
}
