package dense

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// panelRows is how many rows are reduced before the rest of the matrix is brought up
// to date, by matrix products.
const panelRows = 32

// reflections are a matrix reduced to tridiagonal form T by reflections
// H_i = I - tau_i v_i v_i^T, where v_i is in row i of the matrix, left of its
// diagonal:
//
//	A = H_{n-1} ... H_1 T H_1 ... H_{n-1}
type reflections struct {
	n    int
	a    []float64 // n x n
	tau  []float64
	d, e []float64 // T: the diagonal, and below it n-1
}

// reduce takes a symmetric matrix, of which it reads the lower triangle and
// overwrites it, to tridiagonal form: row by row from the last one up, so that what
// remains is always the leading part of a triangle whose rows are contiguous. Its
// products are put off for a panel of rows at a time (Dongarra, Sorensen and
// Hammarling, "Block reduction of matrices to condensed forms for eigenvalue
// computations", 1989).
func reduce(threads, n int, a []float64) *reflections {
	r := &reflections{n, a, make([]float64, n), make([]float64, n), make([]float64, max(0, n-1))}
	p := make([]float64, (panelRows+1)*n) // row i of the panel: what goes with v_i
	t := newThin(n)
	var x, y [panelRows]float64
	for hi := n; hi > 0; {
		lo := max(0, hi-panelRows)
		for i := hi - 1; i >= lo; i-- {
			row, later := a[i*n:][:i+1], hi-1-i
			v, w := a[min(n, i+1)*n:], p[(i+1-lo)*n:] // of the rows before, which put this off
			for j := range later {
				x[j], y[j] = -v[j*n+i], -w[j*n+i]
			}
			t.add(w, n, x[:later], row)
			t.add(v, n, y[:later], row)
			r.d[i] = row[i]
			if i == 0 {
				continue
			}
			u := row[:i]
			r.e[i-1], r.tau[i] = reflect(u)
			p := p[(i-lo)*n:][:i]
			symmetric(a, n, u, p)
			t.times(w, n, u, x[:later])
			t.times(v, n, u, y[:later])
			for j := range later {
				x[j], y[j] = -x[j], -y[j]
			}
			t.add(v, n, x[:later], p)
			t.add(w, n, y[:later], p)
			for j := range p {
				p[j] *= r.tau[i]
			}
			axpy(p, -r.tau[i]/2*dot(p, u), u)
		}
		v, w := Rows(a[lo*n:], n), Rows(p, n)
		par.Blocks(threads, lo, 64, func(i0, i1 int) {
			Gemm(1, i1-i0, i1, hi-lo, -1, v.from(0, i0).T(), w, a[i0*n:], n)
			Gemm(1, i1-i0, i1, hi-lo, -1, w.from(0, i0).T(), v, a[i0*n:], n)
		})
		hi = lo
	}
	return r
}

// reflect overwrites x by the v, whose last element is 1, of the reflection
// I - tau v v^T that takes x to a multiple beta of the last unit vector.
func reflect(x []float64) (beta, tau float64) {
	last := len(x) - 1
	alpha, square := x[last], dot(x[:last], x[:last])
	x[last] = 1
	if square == 0 {
		return alpha, 0
	}
	beta = -math.Copysign(math.Sqrt(float64(alpha*alpha)+square), alpha)
	for i := range x[:last] {
		x[i] /= alpha - beta
	}
	return beta, (beta - alpha) / beta
}

// symmetric sets y to the product of the leading part of a, of which the lower
// triangle is read, with x.
func symmetric(a []float64, lda int, x, y []float64) {
	tier, n := asm.Active(), len(x)
	clear(y)
	for i := 0; i < n; i += 4 {
		rows := min(4, n-i)
		if rows == 4 {
			var sums [4]float64
			tier.Symmetric(a[i*lda:], lda, x[:i], y[:i], (*[4]float64)(x[i:]), &sums)
			for r, s := range sums {
				y[i+r] += s
			}
		} else {
			for r := i; r < n; r++ {
				y[r] += dot(a[r*lda:][:i], x[:i])
				axpy(y[:i], x[r], a[r*lda:])
			}
		}
		for r := i; r < i+rows; r++ {
			for s := i; s < r; s++ {
				y[r] += float64(a[r*lda+s] * x[s])
				y[s] += float64(a[r*lda+s] * x[r])
			}
			y[r] += float64(a[r*lda+r] * x[r])
		}
	}
}

// thin multiplies a few rows with vectors.
type thin struct{ zero []float64 }

func newThin(n int) thin { return thin{make([]float64, n)} }

// add is y += sum over j of x[j] a_j.
func (t thin) add(a []float64, lda int, x, y []float64) {
	tier := asm.Active()
	for ; len(x) >= 4; x, a = x[4:], a[4*lda:] {
		var unused [4]float64
		tier.Symmetric(a, lda, t.zero[:len(y)], y, (*[4]float64)(x), &unused)
	}
	for j, x := range x {
		axpy(y, x, a[j*lda:])
	}
}

// times sets y[j] to a_j x.
func (t thin) times(a []float64, lda int, x, y []float64) {
	tier := asm.Active()
	clear(y)
	for ; len(y) >= 4; y, a = y[4:], a[4*lda:] {
		tier.Symmetric(a, lda, x, t.zero[:len(x)], new([4]float64), (*[4]float64)(y))
	}
	for j := range y {
		y[j] = dot(a[j*lda:][:len(x)], x)
	}
}

// restore takes m rows z, which are eigenvectors of T, to those of A, in place: it
// applies H_1 to H_{n-1}, some at a time as I - V^T S^T V (Schreiber and Van Loan, "A
// storage-efficient WY representation for products of Householder transformations",
// 1989).
func (r *reflections) restore(threads, m int, z []float64) {
	r.apply(threads, r.n, m, z)
}

// apply multiplies m rows z of n elements from the right with H_1 to H_{end-1}.
func (r *reflections) apply(threads, end, m int, z []float64) {
	const some = 64 // z is read and written once for so many
	n := r.n
	for lo := 1; lo < end; lo += some {
		hi := min(end, lo+some)
		k, width := hi-lo, hi-1
		v, s := make([]float64, k*width), make([]float64, k*k)
		for i := range k {
			copy(v[i*width:], r.a[(lo+i)*n:][:lo+i])
		}
		inner := make([]float64, k*k)
		Gemm(threads, k, k, width, 1, Rows(v, width), Rows(v, width).T(), inner, k)
		for i := range k { // H_i (I - V^T S V) = I - V^T S' V, a row more
			tau := r.tau[lo+i]
			for j := range i {
				axpy(s[i*k:][:i], -tau*inner[i*k+j], s[j*k:])
			}
			s[i*k+i] = tau
		}
		x, y := make([]float64, m*k), make([]float64, m*k)
		Gemm(threads, m, k, width, 1, Rows(z, n), Rows(v, width).T(), x, k)
		Gemm(threads, m, k, k, -1, Rows(x, k), Rows(s, k).T(), y, k)
		Gemm(threads, m, width, k, 1, Rows(y, k), Rows(v, width), z, n)
	}
}

func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i] * y[i])
		b += float64(x[i+1] * y[i+1])
		c += float64(x[i+2] * y[i+2])
		d += float64(x[i+3] * y[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i] * y[i])
	}
	return (a + b) + (c + d)
}

// axpy is y += alpha x.
func axpy(y []float64, alpha float64, x []float64) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] += float64(alpha * v)
	}
}
