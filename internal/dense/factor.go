package dense

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// FactorBlock is how many rows and columns of a Factor are eliminated one by one; all
// others are eliminated by products. It is a multiple of the rows and columns of every
// tile of products.
const FactorBlock = 48

// Factor is the Cholesky factor L of a symmetric positive semidefinite matrix L L^T, to
// which rows and columns can be appended. Nearly all of the elimination is products.
//
// A row that depends on those before it, in the sense of [Cholesky], has a pivot of 0, and
// L has zeros below it: it takes no part in solutions.
//
// L lies in panels of as many rows as a tile of products has columns, column after column:
// products read it where it lies, as their second operand, and as the tile of C^T they
// write it.
type Factor struct {
	N             int // rows
	threads       int
	tier          asm.Tier
	height, width int // rows and columns of a tile of products
	ld            int // columns of a panel, at most
	l             []float64
	inverse       []float64 // of L's blocks on the diagonal, each packed as a first operand
	left          []float64 // rows of -L of a block, packed as a first operand
}

// NewFactor returns a factor without rows, with room for n.
func NewFactor(threads, n int) *Factor {
	f := &Factor{threads: threads, tier: asm.Active()}
	f.height, f.width = f.tier.ProductTile()
	f.Grow(n)
	return f
}

// Grow makes room for n rows. If there is no room yet, the factor has no rows afterwards.
func (f *Factor) Grow(n int) {
	if n = roundUp(n, FactorBlock); n > f.ld {
		f.N, f.ld = 0, n
		f.l, f.inverse, f.left = make([]float64, n/f.width*f.stride()), make([]float64, n*FactorBlock), make([]float64, n*FactorBlock)
	}
}

// Truncate removes the rows from n on, and some more before, so that N is a multiple of
// FactorBlock.
func (f *Factor) Truncate(n int) { f.N = min(f.N, n) / FactorBlock * FactorBlock }

// stride is from panel to panel. Those a power of two apart would share few sets of the caches.
func (f *Factor) stride() int { return f.ld*f.width + 72 }

// panel returns the panel of row i, from column k on.
func (f *Factor) panel(i, k int) []float64 { return f.l[i/f.width*f.stride()+k*f.width:] }

// at returns element (i, k) of L.
func (f *Factor) at(i, k int) float64 { return f.panel(i, k)[i%f.width] }

// Extend appends rows up to n. There must be a multiple of FactorBlock already. It calls
// row for elements of the matrix: of row k from column j on as many as dst has, concurrently.
// A row whose pivot is at most the given share of its diagonal element depends on those before.
func (f *Factor) Extend(n int, share float64, row func(k, j int, dst []float64)) {
	first, width := f.N, f.width
	if first%FactorBlock != 0 {
		panic("dense: a factor is extended within a block")
	}
	if n == first {
		return
	}
	const rows = 8 // at a time, so that runs of a panel are written
	par.Blocks(par.Worth(f.threads, n*(n-first)/2), n, rows, func(lo, hi int) {
		for j := max(first, lo/width*width); j < n; j += width {
			for k := lo; k < hi; k++ {
				dst := f.panel(j, k)[:width]
				row(k, j, dst[:min(width, n-j)])
				clear(dst[min(width, n-j):])
			}
		}
	})
	least := make([]float64, n-first)
	for i := range least {
		least[i] = share * f.at(first+i, first+i)
	}
	for lo := 0; lo < n; lo += FactorBlock {
		hi := min(n, lo+FactorBlock)
		f.packLeft(lo, hi)
		next := max(first, hi) // row that is not of the block on the diagonal
		if lo >= first {
			for i := lo; i < hi; i += width {
				f.subtract(lo, hi, i)
			}
			f.factorBlock(lo, hi, least[lo-first:])
		}
		if next >= n {
			continue
		}
		threads := par.Worth(f.threads, (n-next)*FactorBlock*(lo+FactorBlock)/32)
		par.Blocks(threads, n-next, max(width, roundUp((n-next)/(4*threads), width)), func(r0, r1 int) {
			for i := next + r0; i < next+r1; i += width {
				f.subtract(lo, hi, i)
				f.eliminate(lo, i)
			}
		})
	}
	f.N = n
}

// packLeft packs rows [lo, hi) of -L, of the columns before lo, as the first operand of
// products.
func (f *Factor) packLeft(lo, hi int) {
	height, width := f.height, f.width
	for k0 := 0; k0 < lo; k0 += kc {
		terms := min(kc, lo-k0)
		for i := 0; i < hi-lo; {
			// Rows that share a panel here and there.
			r := i % height
			run := min(height-r, width-i%width)
			src := f.panel(lo+i, k0)[i%width:]
			dst := f.left[k0*FactorBlock+(i-r)*terms+r:]
			for k := range terms {
				from, to := src[k*width:][:run], dst[k*height:][:run]
				for x, v := range from {
					to[x] = -v
				}
			}
			i += run
		}
	}
}

// subtract subtracts from columns [lo, hi) of the panel of row i the products of the columns
// before, for the rows in left.
func (f *Factor) subtract(lo, hi, i int) {
	for k := 0; k < lo; k += kc {
		terms := min(kc, lo-k)
		left, right := f.left[k*FactorBlock:], f.panel(i, k)
		for j := 0; j < hi-lo; j += f.height {
			f.tier.Product(terms, left[j*terms:], right, f.panel(i, lo+j), f.width)
		}
	}
}

// eliminate makes the block's columns from lo on of the panel of row i those of L.
func (f *Factor) eliminate(lo, i int) {
	inverse, right := f.inverse[lo*FactorBlock:], f.panel(i, lo)
	for j := FactorBlock - f.height; j >= 0; j -= f.height { // each column depends on those before
		var tile [asm.MaxProductTile]float64
		f.tier.Product(j+f.height, inverse[j*FactorBlock:], right, tile[:], f.width)
		copy(right[j*f.width:], tile[:f.height*f.width])
	}
}

// factorBlock factors the block on the diagonal, and inverts its factor.
func (f *Factor) factorBlock(lo, hi int, least []float64) {
	n, width := hi-lo, f.width
	var u, inverse [FactorBlock * FactorBlock]float64
	var rows [FactorBlock]int
	var x [FactorBlock]float64
	for i := range rows {
		rows[i] = i
	}
	// The transpose, U, row by row: what is left of row i of the matrix, less the sum over
	// k < i of u_ki times row k of U.
	for i := range n {
		row := u[i*FactorBlock:][:n]
		for j := i / width * width; j < n; j += width {
			copy(row[j:], f.panel(lo+j, lo+i)[:width])
		}
		for k := range i {
			x[k] = -u[k*FactorBlock+i]
		}
		row = row[i:]
		AxpyRows(row, u[i:], FactorBlock, rows[:i], x[:i])
		if !(row[0] > least[i]) {
			clear(row)
		} else {
			pivot := math.Sqrt(row[0])
			row[0] = pivot
			for j := 1; j < len(row); j++ {
				row[j] /= pivot
			}
		}
		row = u[i*FactorBlock:][:n]
		for j := i / width * width; j < n; j += width {
			copy(f.panel(lo+j, lo+i)[:width], row[j:])
		}
	}
	// Row i of the inverse of L is (e_i - sum over j < i of l_ij times row j) / l_ii.
	packed := f.inverse[lo*FactorBlock:][:FactorBlock*FactorBlock]
	clear(packed)
	for i := range n {
		pivot := u[i*FactorBlock+i]
		if pivot == 0 {
			continue
		}
		for j := range i {
			x[j] = -u[j*FactorBlock+i]
		}
		row := inverse[i*FactorBlock:][:i+1]
		AxpyRows(row[:i], inverse[:], FactorBlock, rows[:i], x[:i])
		row[i] = 1
		for j := range row {
			row[j] /= pivot
			packed[f.inverseAt(i, j)] = row[j]
		}
	}
}

// inverseAt is where the inverse of a block has element (i, j).
func (f *Factor) inverseAt(i, j int) int {
	return i/f.height*f.height*FactorBlock + j*f.height + i%f.height
}

// Kept reports whether row i does not depend on those before it.
func (f *Factor) Kept(i int) bool { return f.at(i, i) != 0 }

// Solve overwrites x with the solution of L L^T x = b, which is 0 where rows depend on
// those before.
func (f *Factor) Solve(x []float64) {
	const group = 8 // rows, of which every panel has a multiple
	x = x[:f.N]
	var sums [group]float64
	var four [4]float64
	for lo := 0; lo < f.N; lo += group {
		// sums = b - L x, of the columns before, which are a multiple of four
		own, l := x[lo:min(f.N, lo+group)], f.panel(lo, 0)[lo%f.width:]
		clear(sums[copy(sums[:], own):])
		for k := 0; k < lo; k += 4 {
			for r := range four {
				four[r] = -x[k+r]
			}
			f.tier.Daxpy4(sums[:], l[k*f.width:], f.width, &four)
		}
		l = l[lo*f.width:]
		for i := range own {
			for k := range i {
				sums[i] -= float64(l[k*f.width+i] * own[k])
			}
			if own[i] = 0; l[i*f.width+i] != 0 {
				own[i] = sums[i] / l[i*f.width+i]
			}
		}
	}
	for lo := (f.N - 1) / group * group; lo >= 0; lo -= group {
		own, l := x[lo:min(f.N, lo+group)], f.panel(lo, 0)[lo%f.width:]
		diagonal := l[lo*f.width:]
		for i := len(own) - 1; i >= 0; i-- {
			for j := i + 1; j < len(own); j++ {
				own[i] -= float64(diagonal[i*f.width+j] * own[j])
			}
			if pivot := diagonal[i*f.width+i]; pivot == 0 {
				own[i] = 0
			} else {
				own[i] /= pivot
			}
		}
		for k := 0; k < lo; k += 4 {
			f.tier.Ddot4(l[k*f.width:], f.width, own, &four)
			for r, v := range four {
				x[k+r] -= v
			}
		}
	}
}

// Inverse writes the inverse of L L^T, of which no row depends on others, to the N x N
// matrix dst.
func (f *Factor) Inverse(dst []float64) {
	n := f.N
	l := make([]float64, n*n)
	par.Blocks(f.threads, n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from := f.panel(i, 0)[i%f.width:]
			for k := range i + 1 {
				l[i*n+k] = from[k*f.width]
			}
		}
	})
	y := make([]float64, n*n) // (L^-1)^T, an upper triangle
	const strip = 4 * FactorBlock
	block := make([]float64, n*strip)
	d := make([]float64, FactorBlock*FactorBlock) // D^-1
	inverse := make([]float64, strip*strip)       // of a block of L on the diagonal
	for k := 0; k < n; k += strip {
		end := min(n, k+strip)
		w := end - k
		clear(inverse)
		for j := k; j < end; j += FactorBlock {
			last := min(end, j+FactorBlock)
			for i := range last - j {
				for m := range i + 1 {
					d[i*FactorBlock+m] = f.inverse[j*FactorBlock+f.inverseAt(i, m)]
				}
			}
			// Rows [j, last): -D^-1 L[j:last, k:j] (inverse so far), and D^-1.
			for i := j; i < last; i++ {
				copy(inverse[(i-k)*strip+j-k:][:i-j+1], d[(i-j)*FactorBlock:])
			}
			if j > k {
				product := block[:(last-j)*(j-k)]
				clear(product)
				Gemm(f.threads, Product{M: last - j, N: j - k, K: j - k, A: Rows(l[j*n+k:], n), B: Rows(inverse, strip), C: product, LDC: j - k})
				Gemm(f.threads, Product{M: last - j, N: j - k, K: last - j, Alpha: -1, A: Rows(d, FactorBlock), B: Rows(product, j-k), C: inverse[(j-k)*strip:], LDC: strip})
			}
		}
		// Y[:k, k:end] = -Y[:k, :k] L[k:end, :k]^T (inverse)^T.
		if k > 0 {
			b := block[:k*w]
			clear(b)
			for i := 0; i < k; i += strip { // Y is a triangle
				Gemm(f.threads, Product{M: min(k, i+strip) - i, N: w, K: k - i, Alpha: -1, A: Rows(y[i*n+i:], n), B: Rows(l[k*n+i:], n).T(), C: b[i*w:], LDC: w})
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
