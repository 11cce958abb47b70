package dense

import (
	"math"

	"github.com/convergent-go/convergent/internal/par"
)

// FactorBlock is how many rows and columns of a Factor are eliminated one by one; all
// others are eliminated by products. It is a multiple of the rows and columns of every
// tile of products.
const FactorBlock = 48

// Factor is the Cholesky factor L of a symmetric positive semidefinite matrix L L^T, to
// which rows and columns can be appended. Elimination is recursive, so that nearly all of
// it is products of large matrices.
//
// A row that depends on those before it, in the sense of [Cholesky], has a pivot of 0, and
// L has zeros below it: it takes no part in solutions.
type Factor struct {
	N       int // rows
	threads int
	ld      int
	l       []float64
	inverse []float64 // of L's blocks on the diagonal, FactorBlock x FactorBlock each
	scratch []float64 // rows of one block
}

// NewFactor returns a factor without rows, with room for n.
func NewFactor(threads, n int) *Factor {
	f := &Factor{threads: threads}
	f.Grow(n)
	return f
}

// Grow makes room for n rows. If there is no room yet, the factor has no rows afterwards.
func (f *Factor) Grow(n int) {
	if n = roundUp(n, FactorBlock); n > f.ld {
		// Rows a power of two apart would share few sets of the caches.
		*f = Factor{threads: f.threads, ld: n, l: make([]float64, n*(n+8)), inverse: make([]float64, n*FactorBlock), scratch: make([]float64, n*FactorBlock)}
	}
}

func (f *Factor) stride() int { return f.ld + 8 }

// Truncate removes the rows from n on, and some more before, so that N is a multiple of
// FactorBlock.
func (f *Factor) Truncate(n int) { f.N = min(f.N, n) / FactorBlock * FactorBlock }

// Row returns row i of the lower triangle: of L if i < N, else for the caller to write the
// matrix's before a call of Extend.
func (f *Factor) Row(i int) []float64 { return f.l[i*f.stride():][:i+1] }

// Extend appends rows up to n. There must be a multiple of FactorBlock already. A row
// whose pivot is at most the given share of its diagonal element depends on those before.
func (f *Factor) Extend(n int, share float64) {
	if f.N%FactorBlock != 0 {
		panic("dense: a factor is extended within a block")
	}
	if n == f.N {
		return
	}
	least := make([]float64, n-f.N)
	for i := range least {
		least[i] = share * f.l[(f.N+i)*(f.stride()+1)]
	}
	f.eliminate(f.N, n, 0, f.N)
	f.update(f.N, n, 0, f.N)
	f.factor(f.N, n, f.N, least)
	f.N = n
}

// factor eliminates columns [lo, hi) of rows [lo, hi), from which all columns before are
// eliminated; least are the pivots' bounds from row first on.
func (f *Factor) factor(lo, hi, first int, least []float64) {
	if hi-lo <= FactorBlock {
		f.factorBlock(lo, hi, least[lo-first:])
		return
	}
	mid := lo + roundUp((hi-lo)/2, FactorBlock)
	f.factor(lo, mid, first, least)
	f.eliminate(mid, hi, lo, mid)
	f.update(mid, hi, lo, mid)
	f.factor(mid, hi, first, least)
}

// factorBlock factors a block on the diagonal, and inverts its factor.
func (f *Factor) factorBlock(lo, hi int, least []float64) {
	n, ld := hi-lo, f.stride()
	a, inverse := f.l[lo*ld+lo:], f.inverse[lo*FactorBlock:][:FactorBlock*FactorBlock]
	var rows [FactorBlock]int
	var x [FactorBlock]float64
	for i := range rows {
		rows[i] = i
	}
	// The transpose, U, row by row: what is left of row i of the matrix, less the sum over
	// k < i of u_ki times row k of U.
	u := f.scratch[:FactorBlock*FactorBlock]
	for i := range n {
		for j := i; j < n; j++ {
			u[i*FactorBlock+j] = a[j*ld+i]
		}
	}
	for i := range n {
		for k := range i {
			x[k] = -u[k*FactorBlock+i]
		}
		row := u[i*FactorBlock:][i:n]
		AxpyRows(row, u[i:], FactorBlock, rows[:i], x[:i])
		if !(row[0] > least[i]) {
			clear(row)
			continue
		}
		pivot := math.Sqrt(row[0])
		row[0] = pivot
		for j := 1; j < len(row); j++ {
			row[j] /= pivot
		}
	}
	// Row i of the inverse of L is (e_i - sum over j < i of l_ij times row j) / l_ii.
	clear(inverse)
	for i := range n {
		for j := range i + 1 {
			a[i*ld+j] = u[j*FactorBlock+i]
		}
		pivot := a[i*ld+i]
		if pivot == 0 {
			continue
		}
		for j := range i {
			x[j] = -a[i*ld+j]
		}
		row := inverse[i*FactorBlock:][:i+1]
		AxpyRows(row[:i], inverse, FactorBlock, rows[:i], x[:i])
		for j := range i {
			row[j] /= pivot
		}
		row[i] = 1 / pivot
	}
}

// eliminate makes columns [lo, hi) of rows [r0, r1) those of L.
func (f *Factor) eliminate(r0, r1, lo, hi int) {
	if r0 == r1 || lo == hi {
		return
	}
	if hi-lo > FactorBlock {
		mid := lo + roundUp((hi-lo)/2, FactorBlock)
		f.eliminate(r0, r1, lo, mid)
		f.subtract(r0, r1, mid, hi, lo, mid)
		f.eliminate(r0, r1, mid, hi)
		return
	}
	n, ld := hi-lo, f.stride()
	for i := r0; i < r1; i++ {
		row := f.l[i*ld+lo:][:n]
		copy(f.scratch[(i-r0)*n:], row)
		clear(row)
	}
	Gemm(f.threads, Product{M: r1 - r0, N: n, K: n, A: Rows(f.scratch, n), B: Rows(f.inverse[lo*FactorBlock:], FactorBlock).T(), C: f.l[r0*ld+lo:], LDC: ld})
}

// update subtracts from the triangle of rows and columns [r0, r1) the products of the rows'
// columns [lo, hi) of L.
func (f *Factor) update(r0, r1, lo, hi int) {
	if lo == hi {
		return
	}
	if r1-r0 <= 2*FactorBlock {
		f.subtract(r0, r1, r0, r1, lo, hi)
		return
	}
	mid := r0 + roundUp((r1-r0)/2, FactorBlock)
	f.update(r0, mid, lo, hi)
	f.subtract(mid, r1, r0, mid, lo, hi)
	f.update(mid, r1, lo, hi)
}

// subtract subtracts from rows [r0, r1) and columns [c0, c1) the products of columns
// [lo, hi) of L of the rows r0 to r1 and c0 to c1.
func (f *Factor) subtract(r0, r1, c0, c1, lo, hi int) {
	ld := f.stride()
	Gemm(f.threads, Product{M: r1 - r0, N: c1 - c0, K: hi - lo, Alpha: -1, A: Rows(f.l[r0*ld+lo:], ld), B: Rows(f.l[c0*ld+lo:], ld).T(), C: f.l[r0*ld+c0:], LDC: ld})
}

// Kept reports whether row i does not depend on those before it.
func (f *Factor) Kept(i int) bool { return f.l[i*f.stride()+i] != 0 }

// Solve overwrites x with the solution of L L^T x = b, which is 0 where rows depend on
// those before.
func (f *Factor) Solve(x []float64) {
	x = x[:f.N]
	for i := range x {
		if row := f.Row(i); row[i] == 0 {
			x[i] = 0
		} else {
			x[i] = (x[i] - Dot(row[:i], x)) / row[i]
		}
	}
	ld := f.stride()
	var four [4]float64
	for hi := f.N; hi > 0; {
		// Four rows at a time, of which the triangle comes first.
		lo := max(0, hi-4)
		for i := hi - 1; i >= lo; i-- {
			row := f.Row(i)
			if row[i] == 0 {
				x[i] = 0
				continue
			}
			x[i] /= row[i]
			for j := lo; j < i; j++ {
				x[j] -= float64(x[i] * row[j])
			}
		}
		for i := lo; i < hi; i++ {
			four[i-lo] = -x[i]
		}
		AxpyRows(x[:lo], f.l[lo*ld:], ld, []int{0, 1, 2, 3}[:hi-lo], four[:hi-lo])
		hi = lo
	}
}

// Inverse writes the inverse of L L^T, of which no row depends on others, to the N x N
// matrix dst.
func (f *Factor) Inverse(dst []float64) {
	n, ld := f.N, f.stride()
	y := make([]float64, n*n) // (L^-1)^T, an upper triangle
	const strip = 4 * FactorBlock
	block := make([]float64, n*strip)
	inverse := make([]float64, strip*strip) // of a block of L on the diagonal
	for k := 0; k < n; k += strip {
		end := min(n, k+strip)
		w := end - k
		clear(inverse)
		for j := k; j < end; j += FactorBlock {
			last := min(end, j+FactorBlock)
			// Rows [j, last): -D^-1 L[j:last, k:j] (inverse so far), and D^-1.
			for i := j; i < last; i++ {
				copy(inverse[(i-k)*strip+j-k:][:i-j+1], f.inverse[i*FactorBlock:])
			}
			if j > k {
				product := block[:(last-j)*(j-k)]
				clear(product)
				Gemm(f.threads, Product{M: last - j, N: j - k, K: j - k, A: Rows(f.l[j*ld+k:], ld), B: Rows(inverse, strip), C: product, LDC: j - k})
				Gemm(f.threads, Product{M: last - j, N: j - k, K: last - j, Alpha: -1, A: Rows(f.inverse[j*FactorBlock:], FactorBlock), B: Rows(product, j-k), C: inverse[(j-k)*strip:], LDC: strip})
			}
		}
		// Y[:k, k:end] = -Y[:k, :k] L[k:end, :k]^T (inverse)^T.
		if k > 0 {
			b := block[:k*w]
			clear(b)
			for i := 0; i < k; i += strip { // Y is a triangle
				Gemm(f.threads, Product{M: min(k, i+strip) - i, N: w, K: k - i, Alpha: -1, A: Rows(y[i*n+i:], n), B: Rows(f.l[k*ld+i:], ld).T(), C: b[i*w:], LDC: w})
			}
			Gemm(f.threads, Product{M: k, N: w, K: w, A: Rows(b, w), B: Rows(inverse, strip).T(), C: y[k:], LDC: n})
		}
		for i := range w {
			for j := range i + 1 {
				y[(k+j)*n+k+i] = inverse[i*strip+j]
			}
		}
	}
	clear(dst[:n*n])
	for i := 0; i < n; i += strip {
		end := min(n, i+strip)
		Gemm(f.threads, Product{M: end - i, N: end, K: n - i, A: Rows(y[i*n+i:], n), B: Rows(y[i:], n).T(), C: dst[i*n:], LDC: n})
	}
	par.Blocks(f.threads, n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := i + 1; j < n; j++ {
				dst[i*n+j] = dst[j*n+i]
			}
		}
	})
}
