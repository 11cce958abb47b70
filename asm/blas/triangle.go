package blas

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

// triangle is a triangular matrix A, to be applied from the left to blocks of n columns.
type triangle[T float] struct {
	threads     int
	lower, unit bool
	n           int
	a           matrix[T]
}

// triangular applies f, which multiplies or solves, to alpha B. From the right, B op(A) is
// the transpose of op(A)^T B^T.
func triangular[T float](threads int, f func(t *triangle[T], lo, hi int, b matrix[T]), s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int) bool {
	order, cols := m, n
	if s == blas.Right {
		order, cols = n, m
	}
	if !isSide(s) || !isTriangle(ul) || !isTranspose(tA) || d != blas.Unit && d != blas.NonUnit || min(m, n) < 1 || order*order*cols < 4*smallProduct ||
		!fits(blas.NoTrans, order, order, a, lda) || !fits(blas.NoTrans, m, n, b, ldb) {
		return false
	}
	t := &triangle[T]{par.Threads(threads), (ul == blas.Lower) == (tA == blas.NoTrans), d == blas.Unit, cols, operand(tA, a, lda)}
	x := operand(blas.NoTrans, b, ldb)
	scale(t.threads, m, n, alpha, x)
	if alpha == 0 {
		return true
	}
	if s == blas.Right {
		t.a, t.lower, x = t.a.t(), !t.lower, x.t()
	}
	f(t, 0, order, x)
	return true
}

// multiply overwrites rows [lo, hi) of B with those rows and columns of A times them.
func (t *triangle[T]) multiply(lo, hi int, b matrix[T]) {
	if hi-lo <= leaf {
		t.multiplyLeaf(lo, hi-lo, b.from(lo, 0))
		return
	}
	mid := t.middle(lo, hi)
	if t.lower {
		t.multiply(mid, hi, b)
		product(t.threads, hi-mid, t.n, mid-lo, 1, t.a.from(mid, lo), b.from(lo, 0), b.from(mid, 0))
		t.multiply(lo, mid, b)
	} else {
		t.multiply(lo, mid, b)
		product(t.threads, mid-lo, t.n, hi-mid, 1, t.a.from(lo, mid), b.from(mid, 0), b.from(lo, 0))
		t.multiply(mid, hi, b)
	}
}

// solve overwrites rows [lo, hi) of B with the solution of those rows and columns of A.
func (t *triangle[T]) solve(lo, hi int, b matrix[T]) {
	if hi-lo <= leaf {
		t.solveLeaf(lo, hi-lo, b.from(lo, 0))
		return
	}
	mid := t.middle(lo, hi)
	if t.lower {
		t.solve(lo, mid, b)
		product(t.threads, hi-mid, t.n, mid-lo, -1, t.a.from(mid, lo), b.from(lo, 0), b.from(mid, 0))
		t.solve(mid, hi, b)
	} else {
		t.solve(mid, hi, b)
		product(t.threads, mid-lo, t.n, hi-mid, -1, t.a.from(lo, mid), b.from(mid, 0), b.from(lo, 0))
		t.solve(lo, mid, b)
	}
}

func (t *triangle[T]) middle(lo, hi int) int { return lo + ((hi-lo)/2+leaf-1)/leaf*leaf }

// block returns the k rows and columns of A from lo on, in float64, and zeros in place of
// the other triangle.
func (t *triangle[T]) block(lo, k int) *[leaf * leaf]float64 {
	var block [leaf * leaf]float64
	for i := range k {
		j0, j1 := 0, i
		if !t.lower {
			j0, j1 = i+1, k
		}
		row := t.a.from(lo+i, lo)
		for j := j0; j < j1; j++ {
			block[i*leaf+j] = float64(row.data[j*row.col])
		}
		if block[i*leaf+i] = 1; !t.unit {
			block[i*leaf+i] = float64(row.data[i*row.col])
		}
	}
	return &block
}

// strip is how many columns are multiplied or solved at a time, which then lie in the cache.
const strip = 256

// multiplyLeaf is multiply by substitution, row by row from the far side.
func (t *triangle[T]) multiplyLeaf(lo, k int, b matrix[T]) {
	a := t.block(lo, k)
	t.eachStrip(k, b, func(x columns) {
		for r := range k {
			i := t.order(k, k-1-r)
			row := x.row(i)
			for j := range row {
				row[j] *= a[i*leaf+i]
			}
			x.add(i, a[i*leaf:][:k], 1)
		}
	})
}

// solveLeaf is solve by substitution, row by row.
func (t *triangle[T]) solveLeaf(lo, k int, b matrix[T]) {
	a := t.block(lo, k)
	t.eachStrip(k, b, func(x columns) {
		for r := range k {
			i := t.order(k, r)
			x.add(i, a[i*leaf:][:k], -1)
			row, inverse := x.row(i), 1/a[i*leaf+i]
			for j := range row {
				row[j] *= inverse
			}
		}
	})
}

// order returns row i of k of those in which each depends on the ones before: of an upper
// triangle the last comes first.
func (t *triangle[T]) order(k, i int) int {
	if t.lower {
		return i
	}
	return k - 1 - i
}

// eachStrip calls f for the k rows of B, some columns at a time, in float64.
func (t *triangle[T]) eachStrip(k int, b matrix[T], f func(x columns)) {
	par.Blocks(par.Worth(t.threads, k*k*t.n/8), t.n, strip, func(j0, j1 int) {
		x := columns{j1 - j0, make([]float64, (k+1)*(j1-j0))}
		part := b.from(0, j0)
		if b.col == 1 {
			for i := range k {
				for j, v := range part.data[i*part.row:][:x.n] {
					x.data[i*x.n+j] = float64(v)
				}
			}
			f(x)
			for i := range k {
				for j, v := range x.row(i) {
					part.data[i*part.row+j] = T(v)
				}
			}
			return
		}
		for j := range x.n {
			for i, v := range part.data[j*part.col:][:k] {
				x.data[i*x.n+j] = float64(v)
			}
		}
		f(x)
		for j := range x.n {
			column := part.data[j*part.col:][:k]
			for i := range column {
				column[i] = T(x.data[i*x.n+j])
			}
		}
	})
}

// columns are rows of n numbers, and one of zeros after the last.
type columns struct {
	n    int
	data []float64
}

func (x columns) row(i int) []float64 { return x.data[i*x.n:][:x.n] }

// add adds to row i the others, sign times their coefficients; those of 0 take no part.
func (x columns) add(i int, coefficients []float64, sign float64) {
	zeros := x.row(len(coefficients))
	var rows [4][]float64
	var factors [4]float64
	n := 0
	flush := func() {
		for ; n > 0 && n < 4; n++ {
			rows[n], factors[n] = zeros, 0
		}
		if n > 0 {
			asm.Active().Axpy4(x.row(i), &rows, &factors)
		}
		n = 0
	}
	for j, c := range coefficients {
		if j == i || c == 0 {
			continue
		}
		rows[n], factors[n] = x.row(j), sign*c
		if n++; n == 4 {
			flush()
		}
	}
	flush()
}
