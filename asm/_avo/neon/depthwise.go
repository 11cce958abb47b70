package main

import "fmt"

// depthwise emits the kernels of convolutions whose channels each have a filter of their
// own: tiles of outputs by eight channels, two vectors, that stay in registers while the
// terms run. A term of seven outputs takes 24 instructions for 56 multiply-adds, of which
// 14 do them; where outputs lie as far apart as 3 or 7 columns of terms do, each vector of
// the image is loaded once for all outputs that it is a term of.
func depthwise() {
	for _, outputs := range []int{7, 3, 1} {
		depthwiseKernel(outputs, 0)
	}
	for _, cols := range []int{3, 7} {
		depthwiseKernel(7, cols)
	}
}

func depthwiseKernel(outputs, cols int) {
	name := fmt.Sprintf("depthwise%dx8", outputs)
	if cols > 0 {
		name = fmt.Sprintf("depthwise%dof%dx8", outputs, cols)
	}
	k := newKernel(name)
	tiles, x, xstep, xcol, xjump := k.load("tiles"), k.load("x"), k.load("xstep"), k.load("xcol"), k.load("xjump")
	wcol, wjump, c, channels := k.load("wcol"), k.load("wjump"), gp(), gp()
	y, add, ystep, addstep := k.load("y"), k.load("add"), k.load("ystep"), k.load("addstep")

	k.label("tile")
	k.op("MOVD $0, R%v", c)
	k.op("MOVD n+8(FP), R%v", channels)
	k.label("channels")
	sums := k.accumulators(outputs, 2)
	w, rows := k.load("w"), k.load("rows")
	k.op("ADD R%v, R%v", c, w)
	image := []*reg{gp()}
	k.op("ADD R%v, R%v, R%v", c, x, image[0])
	if cols == 0 {
		for i := range outputs - 1 {
			image = append(image, gp())
			k.op("ADD R%v, R%v, R%v", xstep, image[i], image[i+1])
		}
	}
	next := func(v []*reg, from, step *reg) {
		k.op("VLD1.P (R%v)(R%v), [V%v.S4, V%v.S4]", from, step, v[0], v[1])
	}
	multiplyAdd := func(sum, x, w []*reg) {
		for j := range sum {
			k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", x[j], w[j], sum[j])
		}
	}
	k.label("row")
	if cols > 0 {
		filters := make([][]*reg, cols)
		for i := range filters {
			filters[i] = vecs(2)
			next(filters[i], w, wcol)
		}
		for at := range outputs + cols - 1 {
			v := vecs(2)
			next(v, image[0], xstep)
			for i := max(0, at-cols+1); i <= min(at, outputs-1); i++ {
				multiplyAdd(sums[i], v, filters[at-i])
			}
		}
	} else {
		left := k.load("cols")
		k.label("term")
		filter := vecs(2)
		next(filter, w, wcol)
		for i := range sums {
			v := vecs(2)
			next(v, image[i], xcol)
			multiplyAdd(sums[i], v, filter)
		}
		k.countDown(left, 1, "term")
	}
	for _, p := range image {
		k.op("ADD R%v, R%v", xjump, p)
	}
	k.op("ADD R%v, R%v", wjump, w)
	k.countDown(rows, 1, "row")

	to := gp()
	k.branch("CBZ R%v,", "store", add)
	k.op("ADD R%v, R%v, R%v", c, add, to)
	for i := range sums {
		v := vecs(2)
		next(v, to, addstep)
		for j := range v {
			k.float("fadd", s4, sums[i][j], sums[i][j], v[j])
		}
	}
	k.label("store")
	floor := k.broadcast("floor")
	k.op("ADD R%v, R%v, R%v", c, y, to)
	for i := range sums {
		for _, v := range sums[i] {
			k.raise(s4, v, floor)
		}
		k.op("VST1.P [V%v.S4, V%v.S4], (R%v)(R%v)", sums[i][0], sums[i][1], to, ystep)
	}
	k.move(32, c)
	k.countDown(channels, 8, "channels")
	k.comment("The tile beside; addstep is 0 where nothing is added.")
	for range outputs {
		k.op("ADD R%v, R%v", xstep, x)
		k.op("ADD R%v, R%v", ystep, y)
		k.op("ADD R%v, R%v", addstep, add)
	}
	k.countDown(tiles, 1, "tile")
	k.ret()
}
