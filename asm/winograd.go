package asm

import "github.com/convergent-go/convergent/internal/toomcook"

// Winograd is a form of Winograd's convolution, F(M x M, R x R): tiles of M x M
// outputs of filters of R x R taps, by Points x Points multiplications.
//
//	outputs           Output(sum over channels of Filter(w) * Input(x))
//	gradient of taps  FilterAdjoint(sum over tiles of OutputAdjoint(dy) * Input(x))
//
// where * multiplies grids element by element.
type Winograd struct {
	M, R, Points                 int
	Input, Filter, Output        *Transform
	OutputAdjoint, FilterAdjoint *Transform
}

// The forms of Winograd's convolution, which take 2.25, 4, 2.8 and 6.25 times fewer
// multiplications than the sum itself.
var (
	F2x3 = newWinograd(toomcook.F2x3,
		kernels{transformInput2x3, transformFilter2x3, transformOutputAdjoint2x3, transformFilterAdjoint2x3, transformOutput2x3})
	F4x3 = newWinograd(toomcook.F4x3,
		kernels{transformInput4x3, transformFilter4x3, transformOutputAdjoint4x3, transformFilterAdjoint4x3, transformOutput4x3})
	F2x5 = newWinograd(toomcook.F2x5,
		kernels{transformInput4x3, transformFilter2x5, transformOutputAdjoint2x5, transformFilterAdjoint2x5, transformOutput2x5})
	F4x5 = newWinograd(toomcook.F4x5,
		kernels{transformInput4x5, transformFilter4x5, transformOutputAdjoint4x5, transformFilterAdjoint4x5, transformOutput4x5})
)

// Transform is a matrix that acts on the columns and the rows of a grid.
type Transform struct {
	m      toomcook.Matrix
	kernel transformKernel
	output outputKernel // of output transforms, instead
}

type (
	transformKernel func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int)
	outputKernel    func(n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int, bias *float32, floor float32)
)

type kernels struct {
	input, filter, outputAdjoint, filterAdjoint transformKernel
	output                                      outputKernel
}

func newWinograd(f toomcook.Form, k kernels) *Winograd {
	input, filter, output := f.Matrices()
	return &Winograd{
		M: f.M, R: f.R, Points: f.M + f.R - 1,
		Input:         &Transform{m: input, kernel: k.input},
		Filter:        &Transform{m: filter, kernel: k.filter},
		Output:        &Transform{m: output, output: k.output},
		OutputAdjoint: &Transform{m: output.T(), kernel: k.outputAdjoint},
		FilterAdjoint: &Transform{m: filter.T(), kernel: k.filterAdjoint},
	}
}

// Grid is a grid of vectors of channels: channel c of element (i, j) is
// Data[i*RowStride + j*ColStride + c].
type Grid struct {
	Data                 []float32
	RowStride, ColStride int
}

// fromChannel returns the grid without its first c channels.
func (g Grid) fromChannel(c int) Grid { return Grid{g.Data[c:], g.RowStride, g.ColStride} }

// Transform computes dst = M src M^T for each of n channels.
func (t Tier) Transform(x *Transform, n int, dst, src Grid) {
	x.check(n, dst, src)
	end := t.kernelLen(n, 8)
	if end > 0 {
		x.kernel(end, &dst.Data[0], dst.RowStride, dst.ColStride, &src.Data[0], src.RowStride, src.ColStride)
	}
	for c := end; c < n; c++ {
		x.portable(dst.fromChannel(c), src.fromChannel(c), func(y float32) float32 { return y })
	}
}

// Output is Transform with bias[c] added to each element and what is then below
// floor raised to it.
func (t Tier) Output(x *Transform, n int, dst, src Grid, bias []float32, floor float32) {
	x.check(n, dst, src)
	bias = bias[:n]
	end := t.kernelLen(n, 8)
	if end > 0 {
		x.output(end, &dst.Data[0], dst.RowStride, dst.ColStride, &src.Data[0], src.RowStride, src.ColStride, &bias[0], floor)
	}
	for c := end; c < n; c++ {
		x.portable(dst.fromChannel(c), src.fromChannel(c), func(y float32) float32 {
			if y += bias[c]; y < floor {
				return floor
			}
			return y
		})
	}
}

// check panics if a grid of n channels leaves its slice.
func (x *Transform) check(n int, dst, src Grid) {
	if n > 0 {
		out, in := len(x.m)-1, len(x.m[0])-1
		_, _ = dst.Data[out*(dst.RowStride+dst.ColStride)+n-1], src.Data[in*(src.RowStride+src.ColStride)+n-1]
	}
}

// portable transforms one channel, rows first, and applies the epilogue to each element.
func (x *Transform) portable(dst, src Grid, epilogue func(float32) float32) {
	const maxPoints = 8
	var half [maxPoints][maxPoints]float32 // transposed
	var in, out [maxPoints]float32
	size := len(x.m[0])
	for i := range size {
		for j := range size {
			in[j] = src.Data[i*src.RowStride+j*src.ColStride]
		}
		apply(x.m, out[:], in[:size])
		for j := range x.m {
			half[j][i] = out[j]
		}
	}
	for j := range x.m {
		apply(x.m, out[:], half[j][:size])
		for i := range x.m {
			dst.Data[i*dst.RowStride+j*dst.ColStride] = epilogue(out[i])
		}
	}
}

// apply computes y = m x in the order of the kernels.
func apply(m toomcook.Matrix, y, x []float32) {
	rows, cols := len(m), len(x)
	if rows >= cols { // rows are points
		y[0], y[rows-1] = sum(m[0], x, 0, 1, 1), sum(m[rows-1], x, 0, 1, 1)
		for i := 1; i < rows-1; i += 2 {
			f := toomcook.LastOddFactor(m[i])
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

// sum adds row[j]/f * x[j] for j = start, start+step, ...: terms with factor 1
// first, then by rising j, one rounding each.
func sum(row []float64, x []float32, start, step int, f float64) float32 {
	var acc float32
	first := true
	for _, unit := range []bool{true, false} {
		for j := start; j < len(x); j += step {
			switch c := row[j] / f; {
			case c == 0 || (c == 1) != unit:
			case first:
				acc, first = float32(c)*x[j], false
			default:
				acc = FMA(float32(c), x[j], acc)
			}
		}
	}
	return acc
}
