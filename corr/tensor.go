package corr

import (
	"math"

	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// Tensor is activations of one network as they lie in memory: of some samples, with
// one or more positions each, which make the rows, sample after sample. Make one with
// [Rows], [NHWC] or [NCHW].
type Tensor struct {
	data                         []float32
	samples, positions, units    int
	bySample, byPosition, byUnit int // elements from one to the next
}

// Rows returns a matrix whose rows are samples: unit j of row i is data[i*stride+j].
// It panics if the data are too few or the stride is less than the units.
func Rows(data []float32, rows, units, stride int) Tensor {
	if rows < 0 || units < 1 || stride < units || rows > 0 && len(data) < (rows-1)*stride+units {
		panic(badTensor)
	}
	return Tensor{data, rows, 1, units, stride, 0, 1}
}

// NHWC returns n images of h x w positions of c units each, units innermost. It
// panics if the data do not fill that.
func NHWC(data []float32, n, h, w, c int) Tensor {
	checkShape(data, n, h, w, c)
	return Tensor{data, n, h * w, c, h * w * c, c, 1}
}

// NCHW returns the same with the units outside of positions, PyTorch's default.
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

// matrix returns the elements from a row on if rows follow each other directly.
func (t Tensor) matrix(row int) ([]float32, bool) {
	flat := t.byUnit == 1 && t.bySample == t.positions*t.units && (t.positions == 1 || t.byPosition == t.units)
	if !flat {
		return nil, false
	}
	return t.data[row*t.units:], true
}

// runs calls f with what is within one sample of rows [lo, hi): its first row, how
// many follow in all, and its elements from there on.
func (t Tensor) runs(lo, hi int, f func(row, n int, data []float32)) {
	for lo < hi {
		sample, position := lo/t.positions, lo%t.positions
		n := min(hi-lo, t.positions-position)
		f(lo, n, t.data[sample*t.bySample+position*t.byPosition:])
		lo += n
	}
}

// copyTo writes rows [lo, hi) to dst, ld apart.
func (t Tensor) copyTo(dst []float32, ld, lo, hi int) {
	t.runs(lo, hi, func(row, n int, data []float32) {
		dst := dst[(row-lo)*ld:]
		if t.byUnit != 1 {
			vec.Transpose(dst, ld, data, t.byUnit, t.units, n)
			return
		}
		for r := range n {
			copy(dst[r*ld:][:t.units], data[r*t.byPosition:])
		}
	})
}

// at returns one element.
func (t Tensor) at(row, unit int) float32 {
	return t.data[row/t.positions*t.bySample+row%t.positions*t.byPosition+unit*t.byUnit]
}

// finite returns the first row and unit in rows [lo, hi) whose activation is NaN or
// infinite; ok is true if there is none.
func (t Tensor) finite(threads, lo, hi int) (row, unit int, ok bool) {
	share := max(1, (hi-lo+threads-1)/threads)
	bad := make([]bool, threads)
	par.Blocks(threads, hi-lo, share, func(from, to int) {
		bad[from/share] = !t.sound(lo+from, lo+to)
	})
	for i, b := range bad {
		for r := lo + i*share; b && r < min(hi, lo+(i+1)*share); r++ {
			for u := range t.units {
				if x := float64(t.at(r, u)); math.IsNaN(x) || math.IsInf(x, 0) {
					return r, u, false
				}
			}
		}
	}
	return 0, 0, true
}

// sound reports whether all of rows [lo, hi) is finite.
func (t Tensor) sound(lo, hi int) bool {
	if m, ok := t.matrix(lo); ok {
		return vec.Finite(m[:(hi-lo)*t.units])
	}
	sound := true
	t.runs(lo, hi, func(_, n int, data []float32) {
		if t.byUnit != 1 {
			for u := range t.units {
				sound = sound && vec.Finite(data[u*t.byUnit:][:n])
			}
			return
		}
		for r := range n {
			sound = sound && vec.Finite(data[r*t.byPosition:][:t.units])
		}
	})
	return sound
}
