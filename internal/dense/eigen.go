package dense

import (
	"context"
	"math"
	"slices"
)

// Eigen returns the eigenvalues of a symmetric n x n matrix, falling, and, as the rows of
// a matrix, orthonormal eigenvectors of the first of them, as many as vectors says. It reads
// the lower triangle of a, and overwrites a. If an element is not finite all that is
// returned is NaN.
//
// The method is reduction to tridiagonal form, and Cuppen's divide and conquer on
// that. Eigenvalues err by a few times n ulp of the largest at most, residuals and
// orthogonality likewise.
func Eigen(threads, n int, a []float64, vectors int) (values, rows []float64) {
	values, rows, _ = EigenContext(context.Background(), threads, n, a, vectors)
	return values, rows
}

// EigenContext is [Eigen], which ends with the context's error if that ends first.
func EigenContext(ctx context.Context, threads, n int, a []float64, vectors int) (values, rows []float64, err error) {
	if n == 0 {
		return nil, nil, ctx.Err()
	}
	// A power of two keeps squares in range, and changes no digit.
	var largest float64
	for i := range n {
		for _, v := range a[i*n:][:i+1] {
			largest = max(largest, math.Abs(v))
		}
	}
	if !(largest <= math.MaxFloat64) {
		nan := func(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }
		return nan(n), nan(vectors * n), nil
	}
	_, exponent := math.Frexp(largest)
	for i := range n {
		scale(a[i*n:][:i+1], -exponent)
	}
	r := tridiagonalise(ctx, threads, n, a)
	if vectors > 0 {
		q := make([]float64, n*n)
		divide(ctx, threads, r.d, r.e, q, n, vectors)
		rows = make([]float64, vectors*n)
		for i := range vectors {
			copy(rows[i*n:][:n], q[(n-1-i)*n:])
		}
		r.apply(ctx, threads, n, vectors, rows)
	} else {
		Tridiagonal(r.d, r.e)
	}
	if err := ctx.Err(); err != nil { // which has cut short any of that
		return nil, nil, err
	}
	slices.Reverse(r.d)
	scale(r.d, exponent)
	return r.d, rows, nil
}

// Tridiagonal returns the eigenvalues, rising, of the symmetric tridiagonal matrix of diagonal d
// and e below it, in d.
func Tridiagonal(d, e []float64) []float64 {
	ql(d, e, nil, 0)
	slices.Sort(d)
	return d
}

// Normalise divides x by a power of two, which changes no digit, so that the largest magnitude
// is between 1/2 and 1, and returns its exponent.
func Normalise(x []float64) (exponent int) {
	var largest float64
	for _, v := range x {
		largest = max(largest, math.Abs(v))
	}
	_, exponent = math.Frexp(largest)
	scale(x, -exponent)
	return exponent
}

// scale multiplies by a power of two, in two steps since one may leave the range.
func scale(x []float64, exponent int) {
	f, g := math.Ldexp(1, exponent/2), math.Ldexp(1, exponent-exponent/2)
	for i := range x {
		x[i] = x[i] * f * g
	}
}

// ql finds the eigenvalues of the tridiagonal matrix of diagonal d and e below it by
// the implicit QL method (Bowdler, Martin, Reinsch and Wilkinson, "The QR and QL
// algorithms for symmetric matrices", 1968), in d, in no order, and applies the
// rotations to the rows, ld apart, of q, if there is one. Of an
// eigenvalue two sweeps are usual; what has not come apart after a hundred is left as it
// is, so that no matrix takes for ever.
func ql(d, e []float64, q []float64, ld int) {
	n := len(d)
	e = append(slices.Clone(e), 0)
	for l := range n {
		for range 100 {
			m := l
			for ; m < n-1; m++ {
				if size := math.Abs(d[m]) + math.Abs(d[m+1]); math.Abs(e[m]) <= 0x1p-53*size {
					break
				}
			}
			if m == l {
				break
			}
			g := (d[l+1] - d[l]) / (2 * e[l])
			g = d[m] - d[l] + e[l]/(g+math.Copysign(hypot(g, 1), g))
			s, c, p := 1.0, 1.0, 0.0
			decoupled := false
			for i := m - 1; i >= l; i-- {
				f, b := float64(s*e[i]), float64(c*e[i])
				r := hypot(f, g)
				e[i+1] = r
				if r == 0 { // the matrix has come apart
					d[i+1] -= p
					e[m] = 0
					decoupled = true
					break
				}
				s, c = f/r, g/r
				g = d[i+1] - p
				r = float64((d[i]-g)*s) + float64(2*c*b)
				p = float64(s * r)
				d[i+1] = g + p
				g = float64(c*r) - b
				if q != nil {
					rotate(q[i*ld:][:n], q[(i+1)*ld:][:n], c, s)
				}
			}
			if !decoupled {
				d[l] -= p
				e[l], e[m] = g, 0
			}
		}
	}
}

// rotate is x, y = c x - s y, s x + c y.
func rotate(x, y []float64, c, s float64) {
	y = y[:len(x)]
	for i, v := range x {
		x[i], y[i] = float64(c*v)-float64(s*y[i]), float64(s*v)+float64(c*y[i])
	}
}
