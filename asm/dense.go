package asm

import "math"

// ProductTile returns the rows and columns that Product works on in this tier.
func (t Tier) ProductTile() (rows, cols int) {
	p := &tiers[t]
	return p.productRows, p.productCols
}

// MaxProductTile is the number of elements of the largest tile of Product.
const MaxProductTile = 12 * 16

// Product adds a product of packed operands to a tile of C, in float64:
//
//	c[i*ldc+j] += sum over k < kc of a[k*rows+i] * b[k*cols+j], one FMA a term, k rising
//
// for all rows and cols of the tier's tile. kc is positive.
func (t Tier) Product(kc int, a, b, c []float64, ldc int) {
	rows, cols := t.ProductTile()
	_, _, _ = a[kc*rows-1], b[kc*cols-1], c[(rows-1)*ldc+cols-1]
	switch {
	case kc < 1:
		panic("asm: a product without terms")
	case tiers[t].lanes == 16:
		product12x16(kc, &a[0], &b[0], &c[0], ldc)
	case tiers[t].lanes == 8:
		product6x8(kc, &a[0], &b[0], &c[0], ldc)
	default:
		for i := range rows {
			for j := range cols {
				var s float64
				for k := range kc {
					s = math.FMA(a[k*rows+i], b[k*cols+j], s)
				}
				c[i*ldc+j] += s
			}
		}
	}
}

// DotAxpy4 multiplies four rows of len(x) elements with a vector and their transpose with
// another, in one reading of the rows, adding to what is there:
//
//	dot[i] += sum over j of a[i*lda+j] * x[j]
//	y[j] += sum over i < 4 of a[i*lda+j] * u[i], one FMA a term, i rising
//
// The sum over j is that of four sums, over every fourth j each, one FMA a term, the
// first plus the third and the second plus the fourth, and then, one by one, of the
// terms beyond the last multiple of four.
func (t Tier) DotAxpy4(a []float64, lda int, x, y []float64, u, dot *[4]float64) {
	if len(x) == 0 {
		return
	}
	y = y[:len(x)]
	_ = a[3*lda+len(x)-1]
	n := len(x) &^ 3
	switch {
	case n == 0:
	case tiers[t].lanes > 0:
		dotaxpy4(n, &a[0], lda, &x[0], &y[0], &u[0], &dot[0])
	default:
		for i := range dot {
			var s [4]float64
			row := a[i*lda:][:n]
			for j, v := range row {
				s[j%4] = math.FMA(v, x[j], s[j%4])
				y[j] = math.FMA(v, u[i], y[j])
			}
			dot[i] += (s[0] + s[2]) + (s[1] + s[3])
		}
	}
	for i := range dot {
		for j := n; j < len(x); j++ {
			dot[i] = math.FMA(a[i*lda+j], x[j], dot[i])
			y[j] = math.FMA(a[i*lda+j], u[i], y[j])
		}
	}
}

// Axpy4 is y[j] += the sum of rows[i][j] * x[i] over i < 4, one FMA a term, i rising.
func (t Tier) Axpy4(y []float64, rows *[4][]float64, x *[4]float64) {
	n := t.kernelLen(len(y), 4)
	a, b, c, d := rows[0][:len(y)], rows[1][:len(y)], rows[2][:len(y)], rows[3][:len(y)]
	if n > 0 {
		axpy4(n, &y[0], &a[0], &b[0], &c[0], &d[0], &x[0])
	}
	for j := n; j < len(y); j++ {
		y[j] = math.FMA(d[j], x[3], math.FMA(c[j], x[2], math.FMA(b[j], x[1], math.FMA(a[j], x[0], y[j]))))
	}
}

// Ger4 is y[i*ldy+j] += a[j] * x[i] for i < 4, one FMA each.
func (t Tier) Ger4(y []float64, ldy int, a []float64, x *[4]float64) {
	if len(a) == 0 {
		return
	}
	_ = y[3*ldy+len(a)-1]
	n := t.kernelLen(len(a), 4)
	if n > 0 {
		ger4(n, &y[0], ldy, &a[0], &x[0])
	}
	for i, f := range x {
		row := y[i*ldy:][:len(a)]
		for j := n; j < len(a); j++ {
			row[j] = math.FMA(a[j], f, row[j])
		}
	}
}
