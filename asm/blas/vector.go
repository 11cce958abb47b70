package blas

import (
	"sync"

	"github.com/convergent-go/convergent/asm"
)

// run is how many elements of a vector a kernel is given at a time: they stay in the
// first-level cache, and a call is short. It is part of the meaning of a sum.
const run = 4096

// inOrder reports whether n elements, one at least, lie in memory side by side.
func inOrder[T float](n int, x []T, inc int) bool { return inc == 1 && 0 < n && n <= len(x) }

// fitsVector reports whether n elements inc apart lie in memory.
func fitsVector[T float](n int, x []T, inc int) bool {
	return inc > 0 && len(x) > (n-1)*inc || inc < 0 && len(x) > (1-n)*inc
}

// vector is n elements side by side: those of x themselves if they lie so, or else a copy.
type vector[T float] struct {
	side []T
	x    []T
	inc  int
	lent *[]T
}

// lent are the copies, of which new memory would cost more than a small product.
var lent sync.Pool

// gather returns the vector of n elements of x that lie inc apart, the last first if inc is
// negative. It is to be released.
func gather[T float](n int, x []T, inc int) vector[T] {
	if inc == 1 {
		return vector[T]{side: x[:n]}
	}
	v := vector[T]{x: x, inc: inc}
	v.lent, _ = lent.Get().(*[]T)
	if v.lent == nil || cap(*v.lent) < n {
		side := make([]T, n)
		v.lent = &side
	}
	v.side = (*v.lent)[:n]
	at := max(0, (1-n)*inc)
	for i := range v.side {
		v.side[i] = x[at]
		at += inc
	}
	return v
}

// release takes back what gather returned.
func (v vector[T]) release() {
	if v.lent != nil {
		lent.Put(v.lent)
	}
}

// scatter writes the elements back to where they came from, and releases the vector.
func (v vector[T]) scatter() {
	if v.lent != nil {
		at := max(0, (1-len(v.side))*v.inc)
		for _, s := range v.side {
			v.x[at] = s
			at += v.inc
		}
	}
	v.release()
}

// dot returns the inner product of x and y, which is no shorter, run by run.
func dot[T float](x, y []T) (sum T) {
	tier := asm.Active()
	for len(x) > 0 {
		n := min(run, len(x))
		switch x := any(x[:n]).(type) {
		case []float64:
			sum += T(tier.Ddot(x, any(y).([]float64)))
		case []float32:
			sum += T(tier.Sdot(x, any(y).([]float32)))
		}
		x, y = x[n:], y[n:]
	}
	return sum
}

// asum returns the sum of |x[i]|, run by run.
func asum[T float](x []T) (sum T) {
	tier := asm.Active()
	for len(x) > 0 {
		n := min(run, len(x))
		switch x := any(x[:n]).(type) {
		case []float64:
			sum += T(tier.Dasum(x))
		case []float32:
			sum += T(tier.Sasum(x))
		}
		x = x[n:]
	}
	return sum
}

// axpy is y += alpha x.
func axpy[T float](y []T, alpha T, x []T) {
	tier := asm.Active()
	for len(y) > 0 {
		n := min(run, len(y))
		switch y := any(y[:n]).(type) {
		case []float64:
			tier.Daxpy(y, float64(alpha), any(x).([]float64))
		case []float32:
			tier.Saxpy(y, float32(alpha), any(x).([]float32))
		}
		y, x = y[n:], x[n:]
	}
}

// scal is x *= alpha, of a vector that may be NaN if alpha is 0.
func scal[T float](alpha T, x []T) {
	if alpha == 0 {
		clear(x)
		return
	}
	tier := asm.Active()
	for len(x) > 0 && alpha != 1 {
		n := min(run, len(x))
		switch x := any(x[:n]).(type) {
		case []float64:
			tier.Dscal(float64(alpha), x)
		case []float32:
			tier.Sscal(float32(alpha), x)
		}
		x = x[n:]
	}
}

// dot4 sets the inner products of x, of a run at most, and four rows.
func dot4[T float](a []T, lda int, x []T, dot *[4]T) {
	switch a := any(a).(type) {
	case []float64:
		asm.Active().Ddot4(a, lda, any(x).([]float64), any(dot).(*[4]float64))
	case []float32:
		asm.Active().Sdot4(a, lda, any(x).([]float32), any(dot).(*[4]float32))
	}
}

// axpy4 adds four rows, x times each, to y, of a run at most.
func axpy4[T float](y, a []T, lda int, x *[4]T) {
	switch a := any(a).(type) {
	case []float64:
		asm.Active().Daxpy4(any(y).([]float64), a, lda, any(x).(*[4]float64))
	case []float32:
		asm.Active().Saxpy4(any(y).([]float32), a, lda, any(x).(*[4]float32))
	}
}

// dotAxpy4 adds to dot the inner products of x and four rows, and u times each row to y: in
// float64, reading the rows once.
func dotAxpy4[T float](a []T, lda int, x, y []T, u, sums *[4]T) {
	if a, ok := any(a).([]float64); ok {
		asm.Active().DotAxpy4(a, lda, any(x).([]float64), any(y).([]float64), any(u).(*[4]float64), any(sums).(*[4]float64))
		return
	}
	for r := range sums {
		row := a[r*lda:][:len(x)]
		sums[r] += dot(row, x)
		axpy(y[:len(x)], u[r], row)
	}
}
