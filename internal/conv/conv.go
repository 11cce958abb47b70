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
	if g.N == 0 {
		return
	}
	switch g.algorithm(forward) {
	case depthwise:
		g.forwardDepthwise(threads, y, x, w, bias, relu)
	case mergedGroups:
		g.forwardMerged(threads, y, x, w, bias, relu)
	case winograd:
		g.forwardWinograd(threads, y, x, w, bias, relu)
	case spaceToDepth:
		g.forwardBlocks(threads, y, x, w, bias, relu)
	case pointwise:
		level3.Gemm(threads, level3.Product{
			M: g.positions(), N: g.Out, K: g.C,
			A: level3.Rows{Data: x, Stride: g.C}, B: level3.Rows{Data: w, Stride: g.C}, C: y, LDC: g.Out,
			Epilogue: level3.Epilogue{Bias: bias, ReLU: relu}})
	case narrow, direct:
		g.forwardDirect(threads, y, x, w, bias, relu)
	default:
		g.forwardPatches(threads, y, x, w, bias, relu)
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
	if g.N == 0 {
		clear(dw)
		return
	}
	switch g.algorithm(backwardWeights) {
	case depthwise:
		g.backwardWeightsDepthwise(threads, dw, x, dy)
	case mergedGroups:
		g.backwardWeightsMerged(threads, dw, x, dy)
	case winograd:
		g.backwardWeightsWinograd(threads, dw, x, dy)
	case spaceToDepth:
		g.backwardWeightsBlocks(threads, dw, x, dy)
	case pointwise:
		level3.Gemm(threads, level3.Product{
			M: g.Out, N: g.C, K: g.positions(),
			A: level3.Cols{Data: dy, Stride: g.Out}, B: level3.Cols{Data: x, Stride: g.C}, C: dw, LDC: g.C})
	case narrow, direct:
		g.backwardWeightsDirect(threads, dw, x, dy)
	default:
		g.backwardWeightsPatches(threads, dw, x, dy)
	}
}

// BackwardData computes the gradient dx of the images from the gradient dy of
// the output and the filters w.
func BackwardData(threads int, g Geometry, dx, dy, w []float32) {
	g.check(dx, w, dy)
	if g.N == 0 {
		return
	}
	switch g.algorithm(backwardData) {
	case depthwise:
		g.backwardDataDepthwise(threads, dx, dy, w)
	case mergedGroups:
		g.backwardDataMerged(threads, dx, dy, w)
	case winograd:
		g.backwardDataWinograd(threads, dx, dy, w)
	case spaceToDepth:
		g.backwardDataBlocks(threads, dx, dy, w)
	case pointwise:
		level3.Gemm(threads, level3.Product{
			M: g.positions(), N: g.C, K: g.Out,
			A: level3.Rows{Data: dy, Stride: g.Out}, B: level3.Cols{Data: w, Stride: g.C}, C: dx, LDC: g.C})
	case narrow:
		g.backwardDataNarrow(threads, dx, dy, w)
	case phases:
		g.backwardDataPhases(threads, dx, dy, w)
	default:
		g.backwardDataScatter(threads, dx, dy, w)
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
