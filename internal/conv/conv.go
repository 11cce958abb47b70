package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Forward computes y [N, OutH, OutW, Out] from the images x and the filters w:
//
//	y[n,i,j,o] = bias[o] + sum over (ky, kx, c) of x[n, i*Stride-Pad+ky, j*Stride-Pad+kx, c] * w[o,ky,kx,c]
//
// with zeros outside the image, and zero for what is below zero if relu. A nil bias
// is zero.
func Forward(threads int, g Geometry, y, x, w, bias []float32, relu bool) {
	g.check(x, w, y)
	if bias != nil && len(bias) != g.Out {
		panic("conv: wrong length of the bias")
	}
	if f := g.form(); f != nil {
		g.forward(threads, f, y, x, w, bias, relu)
		return
	}
	if b, ok := g.blocked(); ok {
		b.forward(threads, y, x, w, bias, relu)
		return
	}
	if g.pointwise() {
		level3.Gemm(threads, g.positions(), g.Out, g.C, level3.Rows{Data: x, Stride: g.C}, level3.Rows{Data: w, Stride: g.C}, y, g.Out, level3.End{Bias: bias, ReLU: relu})
		return
	}
	x, padded := pad(threads, x, g.N, g.H, g.W, g.C, g.Pad, g.Pad)
	defer level3.Release(padded)
	if g.direct() {
		g.forwardDirect(threads, y, x, w, bias, relu)
		return
	}
	out, k := g.Out/g.groups(), g.patch()
	for i := range g.groups() {
		p := &patches{g.window(x, i)}
		filters := level3.Rows{Data: w[i*out*k:], Stride: k}
		var b []float32
		if bias != nil {
			b = bias[i*out:][:out]
		}
		level3.Gemm(threads, g.positions(), out, k, p, filters, y[min(len(y), i*out):], g.Out, level3.End{Bias: b, ReLU: relu})
	}
}

// BackwardWeights computes the gradients of the filters and, unless db is nil,
// of the bias from the images x and the gradient dy of the output.
func BackwardWeights(threads int, g Geometry, dw, db, x, dy []float32) {
	g.check(x, dw, dy)
	if db != nil && len(db) != g.Out {
		panic("conv: wrong length of the bias")
	}
	if db != nil {
		sumRows(threads, db, dy, g.OutH()*g.OutW())
	}
	if f := g.form(); f != nil {
		g.backwardWeights(threads, f, dw, x, dy)
		return
	}
	if b, ok := g.blocked(); ok {
		b.backwardWeights(threads, dw, x, dy)
		return
	}
	x, padded := pad(threads, x, g.N, g.H, g.W, g.C, g.Pad, g.Pad)
	defer level3.Release(padded)
	if g.direct() {
		g.backwardWeightsDirect(threads, dw, x, dy)
		return
	}
	if g.pointwise() {
		level3.Gemm(threads, g.Out, g.C, g.positions(), level3.Cols{Data: dy, Stride: g.Out}, level3.Cols{Data: x, Stride: g.C}, dw, g.C, level3.End{})
		return
	}
	out, k := g.Out/g.groups(), g.patch()
	for i := range g.groups() {
		p := &patchTerms{g.window(x, i)}
		units := level3.Cols{Data: dy[min(len(dy), i*out):], Stride: g.Out}
		level3.Gemm(threads, out, k, g.positions(), units, p, dw[i*out*k:], k, level3.End{})
	}
}

// sumRows sets sum to the sum of the rows of dy, first of each image's so many rows:
// two short sums round less than one long one.
func sumRows(threads int, sum, dy []float32, rows int) {
	tier, n := asm.Active(), len(sum)
	images := len(dy) / (rows * n)
	buf := level3.Scratch(images * n)
	defer level3.Release(buf)
	par.For(threads, images, func(i int) {
		image := (*buf)[i*n:][:n]
		clear(image)
		for r := i * rows; r < (i+1)*rows; r++ {
			tier.Add(image, dy[r*n:][:n])
		}
	})
	clear(sum)
	for i := range images {
		tier.Add(sum, (*buf)[i*n:][:n])
	}
}

// BackwardData computes the gradient dx of the images from the gradient dy of
// the output and the filters w.
func BackwardData(threads int, g Geometry, dx, dy, w []float32) {
	g.check(dx, w, dy)
	if b, ok := g.blocked(); ok {
		b.backwardData(threads, dx, dy, w)
		return
	}
	if g.pointwise() {
		level3.Gemm(threads, g.positions(), g.C, g.Out, level3.Rows{Data: dy, Stride: g.Out}, level3.Cols{Data: w, Stride: g.C}, dx, g.C, level3.End{})
	} else if g.Stride == 1 && g.C/g.groups() >= 8 {
		g.correlate(threads, dx, dy, w)
	} else {
		g.scatter(threads, dx, dy, w)
	}
}

// correlate is BackwardData at stride 1, where the gradient is itself a
// convolution: of dy, padded by what the filters overhang, with the filters
// turned.
func (g Geometry) correlate(threads int, dx, dy, w []float32) {
	padY, padX := g.KH-1-g.Pad, g.KW-1-g.Pad
	back := Geometry{N: g.N, H: g.OutH(), W: g.OutW(), C: g.Out, Out: g.C, KH: g.KH, KW: g.KW, Stride: 1, Pad: padY, Groups: g.Groups}
	if f := back.form(); f != nil {
		g.backwardData(threads, f, dx, dy, w)
		return
	}
	dy, padded := pad(threads, dy, g.N, g.OutH(), g.OutW(), g.Out, padY, padX)
	defer level3.Release(padded)
	out, depth, k := g.Out/g.groups(), g.C/g.groups(), g.patch()
	for i := range g.groups() {
		p := &patches{window{data: dy, h: g.OutH() + 2*padY, w: g.OutW() + 2*padX, c: g.Out, c0: i * out, depth: out,
			kh: g.KH, kw: g.KW, stride: 1, outH: g.H, outW: g.W}}
		filters := &turned{w: w[i*out*k:], out: out, spots: g.KH * g.KW, depth: depth}
		level3.Gemm(threads, g.N*g.H*g.W, depth, g.KH*g.KW*out, p, filters, dx[min(len(dx), i*depth):], g.C, level3.End{})
	}
}
