package blas

import "math"

// Shorter vectors are left to gonum, which is as fast there, be it by assembly, in float64 and
// twice as long in float32, or by loops.
var shortVector, shortLoop = 64, 16

// Ddot returns the sum over i of x[i] * y[i].
func (i Implementation) Ddot(n int, x []float64, incX int, y []float64, incY int) float64 {
	if n < shortVector || !inOrder(n, x, incX) || !inOrder(n, y, incY) {
		return i.Implementation.Ddot(n, x, incX, y, incY)
	}
	return dot(x[:n], y)
}

// Sdot is Ddot in float32.
func (i Implementation) Sdot(n int, x []float32, incX int, y []float32, incY int) float32 {
	if n < 2*shortVector || !inOrder(n, x, incX) || !inOrder(n, y, incY) {
		return i.Implementation.Sdot(n, x, incX, y, incY)
	}
	return dot(x[:n], y)
}

// Daxpy is y += alpha x.
func (i Implementation) Daxpy(n int, alpha float64, x []float64, incX int, y []float64, incY int) {
	if n < shortVector || !inOrder(n, x, incX) || !inOrder(n, y, incY) {
		i.Implementation.Daxpy(n, alpha, x, incX, y, incY)
		return
	}
	axpy(y[:n], alpha, x)
}

// Saxpy is Daxpy in float32.
func (i Implementation) Saxpy(n int, alpha float32, x []float32, incX int, y []float32, incY int) {
	if n < 2*shortVector || !inOrder(n, x, incX) || !inOrder(n, y, incY) {
		i.Implementation.Saxpy(n, alpha, x, incX, y, incY)
		return
	}
	axpy(y[:n], alpha, x)
}

// Dscal is x *= alpha; where alpha is 0, what was there does not count, be it NaN.
func (i Implementation) Dscal(n int, alpha float64, x []float64, incX int) {
	if n < 2*shortVector || !inOrder(n, x, incX) {
		i.Implementation.Dscal(n, alpha, x, incX)
		return
	}
	scal(alpha, x[:n])
}

// Sscal is Dscal in float32.
func (i Implementation) Sscal(n int, alpha float32, x []float32, incX int) {
	if n < shortLoop || !inOrder(n, x, incX) {
		i.Implementation.Sscal(n, alpha, x, incX)
		return
	}
	scal(alpha, x[:n])
}

// Dasum returns the sum of |x[i]|.
func (i Implementation) Dasum(n int, x []float64, incX int) float64 {
	if n < shortLoop || !inOrder(n, x, incX) {
		return i.Implementation.Dasum(n, x, incX)
	}
	return asum(x[:n])
}

// Sasum is Dasum in float32.
func (i Implementation) Sasum(n int, x []float32, incX int) float32 {
	if n < shortLoop || !inOrder(n, x, incX) {
		return i.Implementation.Sasum(n, x, incX)
	}
	return asum(x[:n])
}

// Dnrm2 returns the Euclidean length of x: the root of the sum of squares if all that counts
// of it is in range, or else gonum's, which divides each element by the largest before.
func (i Implementation) Dnrm2(n int, x []float64, incX int) float64 {
	if n >= shortLoop && incX > 0 && fitsVector(n, x, incX) {
		if s := sumOfSquares(n, x, incX); s > 0x1p-900 && s <= math.MaxFloat64 {
			return math.Sqrt(s)
		}
	}
	return i.Implementation.Dnrm2(n, x, incX)
}

// Snrm2 is Dnrm2 in float32.
func (i Implementation) Snrm2(n int, x []float32, incX int) float32 {
	if n >= shortLoop && incX > 0 && fitsVector(n, x, incX) {
		if s := sumOfSquares(n, x, incX); s > 0x1p-80 && s <= math.MaxFloat32 {
			return float32(math.Sqrt(float64(s)))
		}
	}
	return i.Implementation.Snrm2(n, x, incX)
}

// sumOfSquares gathers elements that lie apart a few at a time.
func sumOfSquares[T float](n int, x []T, inc int) (sum T) {
	if inc == 1 {
		return dot(x[:n], x)
	}
	var few [128]T
	for i := 0; i < n; i += len(few) {
		side := few[:min(len(few), n-i)]
		for j := range side {
			side[j] = x[(i+j)*inc]
		}
		sum += dot(side, side)
	}
	return sum
}
