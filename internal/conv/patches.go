package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
)

// window maps output positions to images: position (y, x) covers the kh x kw
// input positions from (y*stride, x*stride) on, of which only channels
// [c0, c0+depth) of the image's c. Windows never leave the image: padding is
// part of it (see images.pad).
type window struct {
	data       []float32
	h, w, c    int // of an image
	c0, depth  int
	kh, kw     int
	stride     int
	outH, outW int
}

// window returns the view of group i of the padded images x.
func (g Geometry) window(x []float32, i int) window {
	depth := g.C / g.groups()
	return window{data: x, h: g.H + 2*g.Pad, w: g.W + 2*g.Pad, c: g.C, c0: i * depth, depth: depth,
		kh: g.KH, kw: g.KW, stride: g.Stride, outH: g.OutH(), outW: g.OutW()}
}

// offset returns where the window of output position i, counted over all images,
// begins.
func (v *window) offset(i int) int {
	n, ox := i/v.outW, i%v.outW
	n, oy := n/v.outH, n%v.outH
	return ((n*v.h+oy*v.stride)*v.w+ox*v.stride)*v.c + v.c0
}

// segments calls f for each run of memory that holds terms of [k0, k1) of a patch: a row of
// the window if it has all channels, else a position. Terms [k, k+n) lie at the given
// offset from where the window begins.
func (v *window) segments(k0, k1 int, f func(k, n, offset int)) {
	length, perRow := v.kw*v.depth, 1
	if v.depth < v.c {
		length, perRow = v.depth, v.kw
	}
	for k := k0; k < k1; {
		s, t := k/length, k%length
		n := min(k1-k, length-t)
		f(k, n, (s/perRow*v.w+s%perRow)*v.c+t)
		k += n
	}
}

// patches are the vectors v_i[k]: term k of the patch at position i.
type patches struct{ window }

// Pack implements level3.Operand.
func (p *patches) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	tier, kc := asm.Active(), k1-k0
	var rows [maxPanel * level3.KC]float32
	for ; i0 < i1; i0 += r {
		panel, end := dst[:kc*r], min(i1, i0+r)
		if end-i0 == r && p.aligned(i0, r) {
			// Positions side by side are a matrix that overlaps itself.
			for i := i0; i < end; {
				start, run := p.offset(i), min(end-i, p.outW-i%p.outW)
				p.segments(k0, k1, func(k, n, offset int) {
					tier.Transpose(panel[(k-k0)*r+i-i0:], r, p.data[start+offset:], p.stride*p.c, run, n)
				})
				i += run
			}
		} else {
			if end-i0 < r {
				clear(panel)
			}
			for i := i0; i < end; i++ {
				p.gather(rows[(i-i0)*kc:], p.offset(i), k0, k1)
			}
			tier.Transpose(panel, r, rows[:], kc, end-i0, kc)
		}
		dst = dst[kc*r:]
	}
}

// aligned reports whether the rows of the output divide positions [i, i+r) into
// runs that the transposition has kernels for.
func (p *patches) aligned(i, r int) bool {
	for end := i + r; i < end; {
		run := min(end-i, p.outW-i%p.outW)
		if tail := run % 8; tail != 0 && tail != 4 && tail != 6 {
			return false
		}
		i += run
	}
	return true
}

// gather writes terms [k0, k1) of the patch that begins at start to dst.
func (v *window) gather(dst []float32, start, k0, k1 int) {
	v.segments(k0, k1, func(k, n, offset int) {
		copy(dst[k-k0:][:n], v.data[start+offset:])
	})
}

// maxPanel is the largest number of vectors in a panel of any tier.
const maxPanel = 32

// patchTerms are the same numbers as patches the other way round, v_k[i]: the
// vectors are the terms of a patch, and sums run over positions.
type patchTerms struct{ window }

// Pack implements level3.Operand.
func (p *patchTerms) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	row := make([]float32, i1-i0)
	for k := k0; k < k1; k++ {
		p.gather(row, p.offset(k), i0, i1)
		level3.PackTerm(dst[(k-k0)*r:], r, k1-k0, row)
	}
}

// filterTaps are the filters of a group as BackwardData multiplies them, one vector per
// input channel c: v_c[(i, o)] = w[o, taps[i], c], with input and output exchanged.
type filterTaps struct {
	w     []float32 // filters of the group, of so many taps, filters and channels
	of    int
	out   int
	depth int
	taps  []int
}

// Pack implements level3.Operand.
func (f *filterTaps) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	for k := k0; k < k1; k++ {
		tap, o := f.taps[k/f.out], k%f.out
		terms := f.w[(o*f.of+tap)*f.depth:]
		level3.PackTerm(dst[(k-k0)*r:], r, k1-k0, terms[i0:i1])
	}
}

// forwardPatches is Forward as a product of patches and filters.
func (g Geometry) forwardPatches(threads int, y, x, w, bias []float32, relu bool) {
	x, padded := g.pad(threads, x)
	defer level3.Release(padded)
	out, k := g.Out/g.groups(), g.patch()
	for i := range g.groups() {
		part := Epilogue{Bias: bias}.columns(i*out, (i+1)*out)
		level3.Gemm(threads, level3.Product{
			M: g.positions(), N: out, K: k,
			A: &patches{g.window(x, i)}, B: level3.Rows{Data: w[i*out*k:], Stride: k}, C: y[i*out:], LDC: g.Out,
			Epilogue: level3.Epilogue{Bias: part.Bias, ReLU: relu}})
	}
}

// backwardWeightsPatches is the gradient of the filters as a product of the output's
// gradient and the terms of patches.
func (g Geometry) backwardWeightsPatches(threads int, dw, x, dy []float32) {
	x, padded := g.pad(threads, x)
	defer level3.Release(padded)
	out, k := g.Out/g.groups(), g.patch()
	for i := range g.groups() {
		level3.Gemm(threads, level3.Product{
			M: out, N: k, K: g.positions(),
			A: level3.Cols{Data: dy[i*out:], Stride: g.Out}, B: &patchTerms{g.window(x, i)}, C: dw[i*out*k:], LDC: k})
	}
}
