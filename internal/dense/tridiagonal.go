package dense

import (
	"context"
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

// tridiagonalise takes a symmetric matrix, of which it reads the lower triangle and
// overwrites it, to tridiagonal form: row by row from the last one up, so that what
// remains is always the leading part of a triangle whose rows are contiguous. Its
// products are put off for a panel of rows at a time (Dongarra, Sorensen and
// Hammarling, "Block reduction of matrices to condensed forms for eigenvalue
// computations", 1989). If the context ends, so does it.
func tridiagonalise(ctx context.Context, threads, n int, a []float64) *reflections {
	r := &reflections{n, a, make([]float64, n), make([]float64, n), make([]float64, max(0, n-1))}
	p := make([]float64, (panelRows+1)*n) // row i of the panel: what goes with v_i
	g := newGemv(n)
	var x, y [panelRows]float64
	for hi := n; hi > 0 && ctx.Err() == nil; {
		lo := max(0, hi-panelRows)
		for i := hi - 1; i >= lo; i-- {
			// Rows of the panel before this one, which put off their products with it.
			row, rows := a[i*n:][:i+1], hi-1-i
			v, w := a[min(n, i+1)*n:], p[(i+1-lo)*n:]
			for j := range rows {
				x[j], y[j] = -v[j*n+i], -w[j*n+i]
			}
			g.addTransposed(w, n, x[:rows], row)
			g.addTransposed(v, n, y[:rows], row)
			r.d[i] = row[i]
			if i == 0 {
				continue
			}
			u := row[:i]
			r.e[i-1], r.tau[i] = householder(u)
			p := p[(i-lo)*n:][:i]
			Symv(p, a, n, u)
			g.multiply(w, n, u, x[:rows])
			g.multiply(v, n, u, y[:rows])
			for j := range rows {
				x[j], y[j] = -x[j], -y[j]
			}
			g.addTransposed(v, n, x[:rows], p)
			g.addTransposed(w, n, y[:rows], p)
			for j := range p {
				p[j] *= r.tau[i]
			}
			axpy(p, -r.tau[i]/2*Dot(p, u), u)
		}
		v, w := Rows(a[lo*n:], n), Rows(p, n)
		par.Blocks(threads, lo, 64, func(i0, i1 int) {
			Gemm(1, Product{M: i1 - i0, N: i1, K: hi - lo, Alpha: -1, A: v.slice(0, i0).T(), B: w, C: a[i0*n:], LDC: n})
			Gemm(1, Product{M: i1 - i0, N: i1, K: hi - lo, Alpha: -1, A: w.slice(0, i0).T(), B: v, C: a[i0*n:], LDC: n})
		})
		hi = lo
	}
	return r
}

// householder overwrites x by the v, whose last element is 1, of the reflection
// I - tau v v^T that takes x to a multiple beta of the last unit vector.
func householder(x []float64) (beta, tau float64) {
	last := len(x) - 1
	alpha, square := x[last], Dot(x[:last], x[:last])
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

// gemv multiplies a few rows a_j, which lie lda apart, with vectors.
type gemv struct{ zero []float64 }

func newGemv(n int) gemv { return gemv{make([]float64, n)} }

// addTransposed is y += the sum over j of x[j] a_j.
func (g gemv) addTransposed(a []float64, lda int, x, y []float64) {
	tier := asm.Active()
	for ; len(x) >= 4; x, a = x[4:], a[4*lda:] {
		var unused [4]float64
		tier.DotAxpy4(a, lda, g.zero[:len(y)], y, (*[4]float64)(x), &unused)
	}
	for j, x := range x {
		axpy(y, x, a[j*lda:])
	}
}

// multiply sets y[j] to a_j x.
func (g gemv) multiply(a []float64, lda int, x, y []float64) {
	tier := asm.Active()
	clear(y)
	for ; len(y) >= 4; y, a = y[4:], a[4*lda:] {
		tier.DotAxpy4(a, lda, x, g.zero[:len(x)], new([4]float64), (*[4]float64)(y))
	}
	for j := range y {
		y[j] = Dot(a[j*lda:][:len(x)], x)
	}
}

// apply multiplies m rows z of n elements from the right with H_1 to H_{end-1}, in place, a
// block of them at a time as I - V^T S^T V (Schreiber and Van Loan, "A storage-efficient
// WY representation for products of Householder transformations", 1989). With all of them
// eigenvectors of T become those of A. If the context ends, so does it.
func (r *reflections) apply(ctx context.Context, threads, end, m int, z []float64) {
	const block = 64 // z is read and written once for so many
	n := r.n
	buffer := Scratch(block*n + 2*block*block + 2*m*block)
	defer Release(buffer)
	rest := *buffer
	take := func(size int) []float64 {
		x := rest[:size]
		rest = rest[size:]
		clear(x)
		return x
	}
	for lo := 1; lo < end && ctx.Err() == nil; lo += block {
		hi := min(end, lo+block)
		k, width := hi-lo, hi-1
		rest = *buffer
		v, s, inner, x, y := take(k*width), take(k*k), take(k*k), take(m*k), take(m*k)
		for i := range k {
			copy(v[i*width:], r.a[(lo+i)*n:][:lo+i])
		}
		Gemm(threads, Product{M: k, N: k, K: width, A: Rows(v, width), B: Rows(v, width).T(), C: inner, LDC: k})
		for i := range k { // H_i (I - V^T S V) = I - V^T S' V, a row more
			tau := r.tau[lo+i]
			for j := range i {
				axpy(s[i*k:][:i], -tau*inner[i*k+j], s[j*k:])
			}
			s[i*k+i] = tau
		}
		Gemm(threads, Product{M: m, N: k, K: width, A: Rows(z, n), B: Rows(v, width).T(), C: x, LDC: k})
		Gemm(threads, Product{M: m, N: k, K: k, Alpha: -1, A: Rows(x, k), B: Rows(s, k).T(), C: y, LDC: k})
		Gemm(threads, Product{M: m, N: width, K: k, A: Rows(y, k), B: Rows(v, width), C: z, LDC: n})
	}
}
