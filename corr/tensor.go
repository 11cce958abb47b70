package corr

import (
	"math"

	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// Tensor is a view of activations of one network as they lie in memory. Its rows are the
// positions of the samples, one or more each, sample after sample. Make one with [Rows],
// [NHWC] or [NCHW].
type Tensor struct {
	data                                     []float32
	samples, positions, units                int
	sampleStride, positionStride, unitStride int // elements from one to the next
}

// Rows returns a tensor whose rows are samples of one position: unit j of row i is data[i*stride+j].
// It panics if the data are too few or the stride is less than the units.
func Rows(data []float32, rows, units, stride int) Tensor {
	if rows < 0 || units < 1 || stride < units || rows > 0 && len(data) < (rows-1)*stride+units {
		panic(badTensor)
	}
	return Tensor{data, rows, 1, units, stride, 0, 1}
}

// NHWC returns a tensor of n images of h x w positions of c units each, units innermost.
// It panics if the data are of another length.
func NHWC(data []float32, n, h, w, c int) Tensor {
	checkShape(data, n, h, w, c)
	return Tensor{data, n, h * w, c, h * w * c, c, 1}
}

// NCHW returns a tensor of n images of c units at h x w positions each, positions
// innermost: PyTorch's default. It panics if the data are of another length.
func NCHW(data []float32, n, c, h, w int) Tensor {
	checkShape(data, n, h, w, c)
	return Tensor{data, n, h * w, c, h * w * c, 1, h * w}
}

const badTensor = "corr: data do not have the shape"

func checkShape(data []float32, n, h, w, c int) {
	if n < 0 || h < 1 || w < 1 || c < 1 || len(data) != n*h*w*c {
		panic(badTensor)
	}
}

// Len returns the number of rows: samples times positions.
func (t Tensor) Len() int { return t.samples * t.positions }

// Units returns the tensor of units [lo, hi) alone, in the same memory, which [CrossMoments] of
// a part of the units take. It panics unless 0 <= lo < hi and there are so many.
func (t Tensor) Units(lo, hi int) Tensor {
	if lo < 0 || hi <= lo || hi > t.units {
		panic(badTensor)
	}
	if len(t.data) > 0 {
		t.data = t.data[lo*t.unitStride:]
	}
	t.units = hi - lo
	return t
}

// matrix returns the elements from a row on if rows are contiguous.
func (t Tensor) matrix(row int) ([]float32, bool) {
	contiguous := t.unitStride == 1 && t.sampleStride == t.positions*t.units && (t.positions == 1 || t.positionStride == t.units)
	if !contiguous {
		return nil, false
	}
	return t.data[row*t.units:], true
}

// runs calls f for the rows of [lo, hi) in each sample in turn, with the first of them,
// their number, and the elements from there on.
func (t Tensor) runs(lo, hi int, f func(row, n int, data []float32)) {
	for lo < hi {
		sample, position := lo/t.positions, lo%t.positions
		n := min(hi-lo, t.positions-position)
		f(lo, n, t.data[sample*t.sampleStride+position*t.positionStride:])
		lo += n
	}
}

// copyTo writes rows [lo, hi) to dst, of row stride ld.
func (t Tensor) copyTo(dst []float32, ld, lo, hi int) {
	t.runs(lo, hi, func(row, n int, data []float32) {
		dst := dst[(row-lo)*ld:]
		if t.unitStride != 1 {
			vec.Transpose(dst, ld, data, t.unitStride, t.units, n)
			return
		}
		for r := range n {
			copy(dst[r*ld:][:t.units], data[r*t.positionStride:])
		}
	})
}

// at returns the activation of a unit in a row.
func (t Tensor) at(row, unit int) float32 {
	return t.data[row/t.positions*t.sampleStride+row%t.positions*t.positionStride+unit*t.unitStride]
}

// checkFinite returns the first row and unit in rows [lo, hi) whose activation is NaN or
// infinite; ok is true if all are finite.
func (t Tensor) checkFinite(threads, lo, hi int) (row, unit int, ok bool) {
	rowsPerTask := max(1, (hi-lo+threads-1)/threads)
	infinite := make([]bool, threads)
	par.Blocks(threads, hi-lo, rowsPerTask, func(from, to int) {
		infinite[from/rowsPerTask] = !t.isFinite(lo+from, lo+to)
	})
	for i, b := range infinite {
		for r := lo + i*rowsPerTask; b && r < min(hi, lo+(i+1)*rowsPerTask); r++ {
			for u := range t.units {
				if x := float64(t.at(r, u)); math.IsNaN(x) || math.IsInf(x, 0) {
					return r, u, false
				}
			}
		}
	}
	return 0, 0, true
}

// isFinite reports whether all activations in rows [lo, hi) are finite.
func (t Tensor) isFinite(lo, hi int) bool {
	if m, ok := t.matrix(lo); ok {
		return vec.Finite(m[:(hi-lo)*t.units])
	}
	finite := true
	t.runs(lo, hi, func(_, n int, data []float32) {
		if t.unitStride != 1 {
			for u := range t.units {
				finite = finite && vec.Finite(data[u*t.unitStride:][:n])
			}
			return
		}
		for r := range n {
			finite = finite && vec.Finite(data[r*t.positionStride:][:t.units])
		}
	})
	return finite
}
