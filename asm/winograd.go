package asm

import "github.com/convergent-go/convergent/internal/toomcook"

// Winograd is a form of Winograd's convolution, F(M x M, R x R): tiles of M x M
// outputs of filters of R x R taps, by Points x Points multiplications.
//
//	outputs           Output(sum over channels of Filter(w) * Input(x))
//	gradient of taps  Collect(sum over tiles of Spread(dy) * Input(x))
//
// where * multiplies grids element by element.
type Winograd struct {
	M, R, Points                           int
	Input, Filter, Output, Spread, Collect *Transform
}

// The forms of Winograd's convolution, which take 2.25, 4, 2.8 and 6.25 times fewer
// multiplications than the sum itself.
var (
	F2x3 = newWinograd(2, 3, []float64{0, 1, -1},
		kernels{transformInput2x3, transformFilter2x3, transformSpread2x3, transformCollect2x3, transformOutput2x3})
	F4x3 = newWinograd(4, 3, []float64{0, 3. / 4, -3. / 4, 3. / 2, -3. / 2},
		kernels{transformInput4x3, transformFilter4x3, transformSpread4x3, transformCollect4x3, transformOutput4x3})
	F2x5 = newWinograd(2, 5, []float64{0, 3. / 4, -3. / 4, 3. / 2, -3. / 2},
		kernels{transformInput4x3, transformFilter2x5, transformSpread2x5, transformCollect2x5, transformOutput2x5})
	F4x5 = newWinograd(4, 5, []float64{0, 1. / 2, -1. / 2, 1, -1, 7. / 4, -7. / 4},
		kernels{transformInput4x5, transformFilter4x5, transformSpread4x5, transformCollect4x5, transformOutput4x5})
)

// Transform is a matrix that acts on the columns and the rows of a grid.
type Transform struct {
	m      toomcook.Matrix
	kernel func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int)
	output func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32)
}

type kernels struct {
	input, filter, spread, collect func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int)
	output                         func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32)
}

func newWinograd(m, r int, points []float64, k kernels) *Winograd {
	input, filter, output := toomcook.Matrices(m, r, points...)
	return &Winograd{
		M: m, R: r, Points: m + r - 1,
		Input:   &Transform{m: input, kernel: k.input},
		Filter:  &Transform{m: filter, kernel: k.filter},
		Output:  &Transform{m: output, output: k.output},
		Spread:  &Transform{m: output.Transposed(), kernel: k.spread},
		Collect: &Transform{m: filter.Transposed(), kernel: k.collect},
	}
}

// Transform computes dst = M src M^T for each of n channels. Element (i, j) of
// channel c is src[i*srcRow+j*srcCol+c], and likewise of dst.
func (t Tier) Transform(x *Transform, n int, dst []float32, dstRow, dstCol int, src []float32, srcRow, srcCol int) {
	x.check(n, dst, dstRow, dstCol, src, srcRow, srcCol)
	whole := t.vectors(n)
	if whole > 0 {
		x.kernel(whole, &dst[0], dstRow, dstCol, &src[0], srcRow, srcCol)
	}
	for c := whole; c < n; c++ {
		x.portable(dst[c:], dstRow, dstCol, src[c:], srcRow, srcCol, func(y float32) float32 { return y })
	}
}

// Output is Transform with bias[c] added to each element and what is then below
// floor raised to it.
func (t Tier) Output(x *Transform, n int, dst []float32, dstRow, dstCol int, src []float32, srcRow, srcCol int, bias []float32, floor float32) {
	x.check(n, dst, dstRow, dstCol, src, srcRow, srcCol)
	bias = bias[:n]
	whole := t.vectors(n)
	if whole > 0 {
		x.output(whole, &dst[0], dstRow, dstCol, &src[0], srcRow, srcCol, &bias[0], floor)
	}
	for c := whole; c < n; c++ {
		x.portable(dst[c:], dstRow, dstCol, src[c:], srcRow, srcCol, func(y float32) float32 {
			if y += bias[c]; y < floor {
				return floor
			}
			return y
		})
	}
}

// check panics if a grid of n channels leaves its slice.
func (x *Transform) check(n int, dst []float32, dstRow, dstCol int, src []float32, srcRow, srcCol int) {
	if n > 0 {
		out, in := len(x.m)-1, len(x.m[0])-1
		_, _ = dst[out*(dstRow+dstCol)+n-1], src[in*(srcRow+srcCol)+n-1]
	}
}

// portable transforms one channel, rows first, and ends with last.
func (x *Transform) portable(dst []float32, dstRow, dstCol int, src []float32, srcRow, srcCol int, last func(float32) float32) {
	const most = 8
	var half [most][most]float32 // transposed
	var in, out [most]float32
	size := len(x.m[0])
	for i := range size {
		for j := range size {
			in[j] = src[i*srcRow+j*srcCol]
		}
		apply(x.m, out[:], in[:size])
		for j := range x.m {
			half[j][i] = out[j]
		}
	}
	for j := range x.m {
		apply(x.m, out[:], half[j][:size])
		for i := range x.m {
			dst[i*dstRow+j*dstCol] = last(out[i])
		}
	}
}

// apply computes y = m x in the order of the kernels.
func apply(m toomcook.Matrix, y, x []float32) {
	rows, cols := len(m), len(x)
	if rows >= cols { // rows are points
		y[0], y[rows-1] = sum(m[0], x, 0, 1, 1), sum(m[rows-1], x, 0, 1, 1)
		for i := 1; i < rows-1; i += 2 {
			f := toomcook.LastOdd(m[i])
			even, odd := sum(m[i], x, 0, 2, 1), sum(m[i], x, 1, 2, f)
			y[i], y[i+1] = FMA(float32(f), odd, even), FMA(float32(-f), odd, even)
		}
		return
	}
	var factors [8]float64
	var pairs [8]float32
	for i, row := range m {
		copy(factors[:], row)
		copy(pairs[:], x)
		for j := 1; j < cols-1; j += 2 {
			factors[j+1] = 0
			if row[j] == row[j+1] {
				pairs[j] = x[j] + x[j+1]
			} else {
				pairs[j] = x[j] - x[j+1]
			}
		}
		y[i] = sum(factors[:cols], pairs[:cols], 0, 1, 1)
	}
}

// sum adds row[j]/f * x[j] for j = from, from+step, ...: terms with factor 1
// first, then by rising j, one rounding each.
func sum(row []float64, x []float32, from, step int, f float64) float32 {
	var acc float32
	begun := false
	for _, ones := range []bool{true, false} {
		for j := from; j < len(x); j += step {
			switch c := row[j] / f; {
			case c == 0 || (c == 1) != ones:
			case !begun:
				acc, begun = float32(c)*x[j], true
			default:
				acc = FMA(float32(c), x[j], acc)
			}
		}
	}
	return acc
}
