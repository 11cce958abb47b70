package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// window is how output positions see images: position (y, x) covers the kh x kw
// input positions from (y*stride, x*stride) on, of which only channels
// [c0, c0+depth) of the image's c. Windows never leave the image: padding is
// part of it (see pad).
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

// pad copies n images of h x w positions of c channels into the middle of ones
// with padY more rows and padX more columns on each side, all zero; negative
// padding cuts off. What it returns is to be released; without padding it is
// the images themselves, and nil.
func pad(threads int, x []float32, n, h, w, c, padY, padX int) ([]float32, *[]float32) {
	if padY == 0 && padX == 0 {
		return x, nil
	}
	height, width := h+2*padY, w+2*padX
	buf := level3.Scratch(n * height * width * c)
	par.For(threads, n, func(i int) {
		to := (*buf)[i*height*width*c:][:height*width*c]
		for y := range height {
			row := to[y*width*c:][:width*c]
			from := y - padY
			if from < 0 || from >= h {
				clear(row)
				continue
			}
			line := x[(i*h+from)*w*c:][:w*c]
			if padX < 0 {
				copy(row, line[-padX*c:])
				continue
			}
			clear(row[:padX*c])
			copy(row[padX*c:], line)
			clear(row[(padX+w)*c:])
		}
	})
	return *buf, buf
}

// at returns where the window of output position i, counted over all images,
// begins.
func (v *window) at(i int) int {
	n, ox := i/v.outW, i%v.outW
	n, oy := n/v.outH, n%v.outH
	return ((n*v.h+oy*v.stride)*v.w+ox*v.stride)*v.c + v.c0
}

// segments calls f for each run of memory that holds some of the terms [k0, k1)
// of a patch: a row of the window if it sees all channels, else a position.
// Terms [k, k+n) are found at the given offset from where the window begins.
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
		if end-i0 == r && p.even(i0, r) {
			// Positions side by side are a matrix that overlaps itself.
			for i := i0; i < end; {
				start, run := p.at(i), min(end-i, p.outW-i%p.outW)
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
				p.gather(rows[(i-i0)*kc:], p.at(i), k0, k1)
			}
			tier.Transpose(panel, r, rows[:], kc, end-i0, kc)
		}
		dst = dst[kc*r:]
	}
}

// even reports whether the rows of the output divide positions [i, i+r) into
// runs that the transposition has kernels for.
func (p *patches) even(i, r int) bool {
	for end := i + r; i < end; {
		run := min(end-i, p.outW-i%p.outW)
		if rest := run % 8; rest != 0 && rest != 4 && rest != 6 {
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
		p.gather(row, p.at(k), i0, i1)
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
