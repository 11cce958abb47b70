package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// depthwise emits the kernels of convolutions whose channels each have a filter of
// their own. A vector is as many channels of one position, so that a term is one
// multiply-add of a vector of the image and one of the filters:
//
//	y[i][c] = sum over rows and cols of x[i*step + row*xrow + col*xcol + c] * w[row*wrow + col*wcol + c]
//
// A tile of outputs, i, by vectors of channels stays in registers while the terms run.
// Each term loads its vectors of the filters once for all outputs of the tile, and each
// multiply-add takes its vector of the image from memory, so that two load ports just
// keep up with two multipliers: 7 outputs by 2 vectors take 16 loads for 14
// multiply-adds, 3 by 4 take 16 for 12, and one by 4, for the edges, 8 for 4. With 14, 12
// and 4 sums under way, latency costs the last alone.
//
// Where outputs lie as far apart as columns of terms do, at stride 1, and there are 3 or 7
// columns, each vector of the image is loaded once for all outputs that it is a term of: 9
// or 13 loads besides the filters' for 21 or 49 multiply-adds.
//
// Nothing says which operand is the image. With the gradient of the output as the
// filters, and the positions as the terms, outputs are the gradients of the taps of a
// row of a filter.
func depthwise() {
	for _, lanes := range []int{8, 16} {
		depthwiseKernel(7, 0, lanes, 2, 1)
		depthwiseKernel(3, 0, lanes, 4, 2, 1)
		depthwiseKernel(1, 0, lanes, 4, 1)
	}
	for _, cols := range []int{3, 7} {
		depthwiseKernel(7, cols, 8, 1)
		depthwiseKernel(7, cols, 16, 2, 1)
	}
}

// depthwiseKernel emits a kernel for tiles of so many outputs, of as many vectors of
// channels as the first of sizes says, or the next where fewer are left, down to 1. With cols,
// it is for so many columns of terms, as far apart as outputs.
func depthwiseKernel(outputs, cols, lanes int, sizes ...int) {
	name := fmt.Sprintf("depthwise%dx%d", outputs, lanes)
	if cols > 0 {
		name = fmt.Sprintf("depthwise%dof%dx%d", outputs, cols, lanes)
	}
	kernel(name, tierOf(4*lanes), "func(tiles, n, rows, cols int, y *float32, ystep int, x *float32, xstep, xcol, xjump int, w *float32, wcol, wjump int, add *float32, addstep int, floor float32)", fmt.Sprintf("computes tiles of %d outputs of n channels, a multiple of %d; Tier.Depthwise is its", outputs, lanes),
		"definition. Here steps are bytes, and jumps lead from the end of a row of terms to the next.")
	k := &depthwiseTile{outputs: outputs, cols: cols, lanes: lanes, vec: func() VecVirtual { return YMM() }}
	if lanes == 16 {
		k.vec = func() VecVirtual { return ZMM() }
	}
	k.sums = accumulators(outputs, sizes[0], k.vec)
	k.x = Mem{Base: Load(Param("x"), GP64())}
	k.y = Mem{Base: Load(Param("y"), GP64())}
	k.step = Load(Param("xstep"), GP64())
	k.xcol, k.wcol = Load(Param("xcol"), GP64()), Load(Param("wcol"), GP64())
	tiles := Load(Param("tiles"), GP64())
	end := Load(Param("n"), GP64())
	SHLQ(Imm(2), end)
	k.c = GP64()

	Label("tile")
	XORQ(k.c, k.c)
	for _, vectors := range sizes {
		size := uint64(4 * lanes * vectors)
		label, done := fmt.Sprintf("vectors%d", vectors), fmt.Sprintf("fewer%d", vectors)
		Comment(fmt.Sprintf("%d vectors at a time.", vectors))
		next := GP64()
		Label(label)
		LEAQ(Mem{Base: k.c}.Offset(int(size)), next)
		CMPQ(next, end)
		JG(LabelRef(done))
		k.emit(vectors)
		ADDQ(U32(size), k.c)
		JMP(LabelRef(label))
		Label(done)
	}
	addstep := Load(Param("addstep"), GP64())
	for range outputs {
		ADDQ(k.step, k.x.Base)
		ADDQ(mustResolve(Param("ystep")), k.y.Base)
		ADDQ(addstep, mustResolve(Param("add"))) // 0 to a nil
	}
	DECQ(tiles)
	JNZ(LabelRef("tile"))
	ret()
}

// depthwiseTile is where a kernel stands: at the first output of a tile, and at channel c,
// in bytes.
type depthwiseTile struct {
	outputs, cols    int
	lanes            int
	vec              func() VecVirtual
	sums             [][]VecVirtual
	x, y             Mem
	c                Register
	step, xcol, wcol Register
}

// emit computes a tile of so many vectors.
func (k *depthwiseTile) emit(vectors int) {
	vec, width := k.vec, 4*k.lanes
	sums := make([][]VecVirtual, k.outputs)
	for i := range sums {
		sums[i] = k.sums[i][:vectors]
	}
	zero(sums, k.lanes)

	w := Mem{Base: Load(Param("w"), GP64())}
	ADDQ(k.c, w.Base)
	rows := Load(Param("rows"), GP64())
	row := fmt.Sprintf("row%d", vectors)
	if k.cols > 0 {
		x := Mem{Base: GP64()}
		LEAQ(k.x.Idx(k.c, 1), x.Base)
		Label(row)
		k.reuse(sums, x, w)
		ADDQ(mustResolve(Param("xjump")), x.Base)
	} else {
		first := Mem{Base: GP64()}
		LEAQ(k.x.Idx(k.c, 1), first.Base)
		x := newStrided(k.outputs, first, k.step)
		Label(row)
		k.terms(sums, x, w, fmt.Sprintf("term%d", vectors))
		x.move(mustResolve(Param("xjump")))
	}
	ADDQ(mustResolve(Param("wjump")), w.Base)
	DECQ(rows)
	JNZ(LabelRef(row))

	store := fmt.Sprintf("store%d", vectors)
	add := Mem{Base: Load(Param("add"), GP64())}
	TESTQ(add.Base, add.Base)
	JZ(LabelRef(store))
	ADDQ(k.c, add.Base)
	for i := range sums {
		for j := range sums[i] {
			VADDPS(add.Offset(j*width), sums[i][j], sums[i][j])
		}
		if i < len(sums)-1 {
			ADDQ(mustResolve(Param("addstep")), add.Base)
		}
	}
	Label(store)
	floor, y := vec(), Mem{Base: GP64()}
	address := mustResolve(Param("floor"))
	VBROADCASTSS(address, floor)
	LEAQ(k.y.Idx(k.c, 1), y.Base)
	for i := range sums {
		for j := range sums[i] {
			VMAXPS(sums[i][j], floor, sums[i][j]) // of a NaN, the NaN
			VMOVUPS(sums[i][j], y.Offset(j*width))
		}
		if i < len(sums)-1 {
			ADDQ(mustResolve(Param("ystep")), y.Base)
		}
	}
}

// terms adds a row of terms to the sums.
func (k *depthwiseTile) terms(sums [][]VecVirtual, x strided, w Mem, label string) {
	width := 4 * k.lanes
	cols := Load(Param("cols"), GP64())
	Label(label)
	filters := make([]VecVirtual, len(sums[0]))
	for j := range filters {
		filters[j] = k.vec()
		VMOVUPS(w.Offset(j*width), filters[j])
	}
	for i := range sums {
		for j := range sums[i] {
			VFMADD231PS(x.at(i).Offset(j*width), filters[j], sums[i][j])
		}
	}
	x.move(k.xcol)
	ADDQ(k.wcol, w.Base)
	DECQ(cols)
	JNZ(LabelRef(label))
}

// reuse adds a row of k.cols terms to the sums, each vector of the image to all that it is a
// term of.
func (k *depthwiseTile) reuse(sums [][]VecVirtual, x, w Mem) {
	width, vectors := 4*k.lanes, len(sums[0])
	filters := make([][]VecVirtual, k.cols)
	for col := range filters {
		filters[col] = make([]VecVirtual, vectors)
		for j := range filters[col] {
			filters[col][j] = k.vec()
			VMOVUPS(w.Offset(j*width), filters[col][j])
		}
		ADDQ(k.wcol, w.Base)
	}
	for at := range k.outputs + k.cols - 1 {
		for j := range vectors {
			v := k.vec()
			VMOVUPS(x.Offset(j*width), v)
			for i := max(0, at-k.cols+1); i <= min(at, k.outputs-1); i++ {
				VFMADD231PS(v, filters[at-i][j], sums[i][j])
			}
		}
		ADDQ(k.step, x.Base)
	}
}
