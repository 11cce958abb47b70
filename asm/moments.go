package asm

import "math"

// Centre packs n rows of r elements of src, whose rows lie stride apart, with shift
// taken from each column, into rows of dst that lie ld apart. Of what it packs it
// adds up every column and its squares, in float32 in the order of the rows, and sets
// moved to all ones for a column that is ever not equal to first:
//
//	dst[k*ld+i] = src[k*stride+i] - shift[i]
//	sum[i] += dst[i], then dst[ld+i], ...
//	squares[i] += dst[i]^2, then dst[ld+i]^2, ..., one FMA a term
//	moved[i] |= ^0 if src[k*stride+i] != first[i]
func (t Tier) Centre(n, r int, dst []float32, ld int, src []float32, stride int, shift, first, sum, squares []float32, moved []uint32) {
	if n == 0 || r == 0 {
		return
	}
	_, _ = dst[(n-1)*ld+r-1], src[(n-1)*stride+r-1]
	shift, first, sum, squares, moved = shift[:r], first[:r], sum[:r], squares[:r], moved[:r]
	i := 0
	for whole := t.vectors(r); i < whole; {
		if whole-i >= 16 {
			centre16(n, &dst[i], ld, &src[i], stride, &shift[i], &first[i], &sum[i], &squares[i], &moved[i])
			i += 16
		} else {
			centre8(n, &dst[i], ld, &src[i], stride, &shift[i], &first[i], &sum[i], &squares[i], &moved[i])
			i += 8
		}
	}
	for ; i < r; i++ {
		s, q := sum[i], squares[i]
		for k := range n {
			x := src[k*stride+i]
			if x != first[i] {
				moved[i] = math.MaxUint32
			}
			x -= shift[i]
			s += x
			q = FMA(x, x, q)
			dst[k*ld+i] = x
		}
		sum[i], squares[i] = s, q
	}
}

// Merge adds products, in two parts, and two corrections to sums, one rounding a term:
//
//	dst[i] += src[i] + more[i] + a*u[i] + b*v[i]
//
// for i < len(src).
func (t Tier) Merge(dst []float64, src, more []float32, a float64, u []float64, b float64, v []float64) {
	dst, more, u, v = dst[:len(src)], more[:len(src)], u[:len(src)], v[:len(src)]
	n := t.vectors(len(src))
	if n > 0 {
		merge8(n, &dst[0], &src[0], &more[0], a, &u[0], b, &v[0])
	}
	for i := n; i < len(src); i++ {
		dst[i] += math.FMA(b, v[i], math.FMA(a, u[i], float64(src[i])+float64(more[i])))
	}
}
