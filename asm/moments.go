package asm

import "math"

// Columns are what Centre knows of columns and adds up of them, an element of each slice
// for every column. They are of the same length.
type Columns struct {
	Shift        []float32 // what is taken from each element
	First        []float32 // the first value of all
	Sum, Squares []float32 // of what was packed, in float32 in the order of the rows
	Varied       []uint32  // all ones once an element was not equal to First
}

// Centre packs n rows of src, which lie stride apart, with the shift taken from each
// column, into rows of dst that lie ld apart, and adds what it packs to the columns:
//
//	dst[k*ld+i] = src[k*stride+i] - Shift[i]
//	Sum[i] += dst[i], then dst[ld+i], ...
//	Squares[i] += dst[i]^2, then dst[ld+i]^2, ..., one FMA a term
//	Varied[i] |= ^0 if src[k*stride+i] != First[i]
func (t Tier) Centre(n int, dst []float32, ld int, src []float32, stride int, c Columns) {
	r := len(c.Shift)
	if n == 0 || r == 0 {
		return
	}
	_, _ = dst[(n-1)*ld+r-1], src[(n-1)*stride+r-1]
	first, sum, squares, varied := c.First[:r], c.Sum[:r], c.Squares[:r], c.Varied[:r]
	i := 0
	for end := t.kernelLen(r, 8); i < end; {
		if end-i >= 16 {
			centre16(n, &dst[i], ld, &src[i], stride, &c.Shift[i], &first[i], &sum[i], &squares[i], &varied[i])
			i += 16
		} else {
			centre8(n, &dst[i], ld, &src[i], stride, &c.Shift[i], &first[i], &sum[i], &squares[i], &varied[i])
			i += 8
		}
	}
	for ; i < r; i++ {
		s, q := sum[i], squares[i]
		for k := range n {
			x := src[k*stride+i]
			if x != first[i] {
				varied[i] = math.MaxUint32
			}
			x -= c.Shift[i]
			s += x
			q = FMA(x, x, q)
			dst[k*ld+i] = x
		}
		sum[i], squares[i] = s, q
	}
}

// Merge adds products, in two parts, and two corrections to sums, one rounding a term:
//
//	dst[i] += src1[i] + src2[i] + a*u[i] + b*v[i]
//
// for i < len(src1).
func (t Tier) Merge(dst []float64, src1, src2 []float32, a float64, u []float64, b float64, v []float64) {
	dst, src2, u, v = dst[:len(src1)], src2[:len(src1)], u[:len(src1)], v[:len(src1)]
	n := t.kernelLen(len(src1), 8)
	if n > 0 {
		merge8(n, &dst[0], &src1[0], &src2[0], a, &u[0], b, &v[0])
	}
	for i := n; i < len(src1); i++ {
		dst[i] += math.FMA(b, v[i], math.FMA(a, u[i], float64(src1[i])+float64(src2[i])))
	}
}
