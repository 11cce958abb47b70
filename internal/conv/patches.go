package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
)

// window is how output positions see an image: position (y, x) covers the
// kh x kw input positions from (y*stride-padY, x*stride-padX) on, of which only
// channels [c0, c0+depth) of the image's c. Padding may be negative.
type window struct {
	data       []float32
	h, w, c    int // of the image
	c0, depth  int
	kh, kw     int
	stride     int
	padY, padX int
	outH, outW int
}

// window returns the view of group i of the images x.
func (g Geometry) window(x []float32, i int) window {
	depth := g.C / g.groups()
	return window{data: x, h: g.H, w: g.W, c: g.C, c0: i * depth, depth: depth,
		kh: g.KH, kw: g.KW, stride: g.Stride, padY: g.Pad, padX: g.Pad, outH: g.OutH(), outW: g.OutW()}
}

// gather writes terms [k0, k1) of the patch at output position i, counted over
// all images, to dst; terms outside the image are zero.
func (v *window) gather(dst []float32, i, k0, k1 int) {
	n, ox := i/v.outW, i%v.outW
	n, oy := n/v.outH, n%v.outH
	top, left := oy*v.stride-v.padY, ox*v.stride-v.padX
	row := v.kw * v.depth // terms of one row of the window
	for k := k0; k < k1; {
		ky := k / row
		end := min(k1, (ky+1)*row)
		out := dst[k-k0 : end-k0]
		if y := top + ky; y < 0 || y >= v.h {
			clear(out)
		} else {
			v.gatherRow(out, (n*v.h+y)*v.w, left, k-ky*row)
		}
		k = end
	}
}

// gatherRow writes the terms of one row of a window from its term t on. The
// image's row begins at position start; the window at left within it.
func (v *window) gatherRow(dst []float32, start, left, t int) {
	if v.depth == v.c {
		// The row is one run of memory, cut where it leaves the image.
		lo, hi := left*v.c+t, left*v.c+t+len(dst)
		from, to := min(max(lo, 0), hi), max(min(hi, v.w*v.c), lo)
		if from >= to {
			clear(dst)
			return
		}
		clear(dst[:from-lo])
		copy(dst[from-lo:to-lo], v.data[start*v.c+from:start*v.c+to])
		clear(dst[to-lo:])
		return
	}
	for len(dst) > 0 {
		x, ch := left+t/v.depth, t%v.depth
		n := min(len(dst), v.depth-ch)
		if x < 0 || x >= v.w {
			clear(dst[:n])
		} else {
			copy(dst[:n], v.data[(start+x)*v.c+v.c0+ch:])
		}
		dst, t = dst[n:], t+n
	}
}

// patches are the vectors v_i[k]: term k of the patch at position i.
type patches struct{ window }

// Pack implements level3.Operand.
func (p *patches) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	var rows [maxPanel * level3.KC]float32
	tier, kc := asm.Active(), k1-k0
	for ; i0 < i1; i0 += r {
		n := min(r, i1-i0)
		for i := range n {
			p.gather(rows[i*kc:], i0+i, k0, k1)
		}
		panel := dst[:kc*r]
		if n < r {
			clear(panel)
		}
		tier.Transpose(panel, r, rows[:], kc, n, kc)
		dst = dst[kc*r:]
	}
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
		p.gather(row, k, i0, i1)
		level3.Spread(dst[(k-k0)*r:], r, k1-k0, row)
	}
}

// turned are the filters of a group as the gradient to the image sees them,
// one vector per input channel c: v_c[(ky, kx, o)] = w[o, KH-1-ky, KW-1-kx, c],
// turned by half a circle and with input and output exchanged.
type turned struct {
	w                 []float32 // filters of the group
	out, spots, depth int       // filters, KH*KW, channels
}

// Pack implements level3.Operand.
func (t *turned) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	for k := k0; k < k1; k++ {
		spot, o := t.spots-1-k/t.out, k%t.out
		terms := t.w[(o*t.spots+spot)*t.depth:]
		level3.Spread(dst[(k-k0)*r:], r, k1-k0, terms[i0:i1])
	}
}
