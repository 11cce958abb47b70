package dense

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// leafOrder is the order of the largest matrix that is not divided.
const leafOrder = 24

// divide replaces d by the eigenvalues, rising, of the tridiagonal matrix of diagonal d and
// e below it, and the last rows of q, ld apart and zero before, by eigenvectors of the
// largest of them, as many as vectors says. e is overwritten. If the context ends, nothing of
// that holds.
//
// Two halves, and what joins them, T = diag(T1, T2) + rho u u^T with one element of u
// in each half, are solved by themselves; with their eigenvectors, T is a diagonal matrix
// D and a change of rank one, rho z z^T (Cuppen, "A divide and conquer method for the
// symmetric tridiagonal eigenproblem", 1981).
func divide(ctx context.Context, threads int, d, e, q []float64, ld, vectors int) {
	n := len(d)
	if n <= leafOrder {
		for i := range n {
			q[i*ld+i] = 1
		}
		ql(d, e, q, ld)
		sortPairs(d, q, ld)
		return
	}
	half := n / 2
	rho, sign := math.Abs(e[half-1]), math.Copysign(1, e[half-1])
	d[half-1] -= rho
	d[half] -= rho
	// Halves of large matrices are worth a thread each.
	workers := 1
	if n > 8*leafOrder {
		workers = min(2, threads)
	}
	par.For(workers, 2, func(i int) {
		if i == 0 {
			divide(ctx, threads/workers, d[:half], e[:half-1], q, ld, half)
		} else {
			divide(ctx, threads/workers, d[half:], e[half:], q[half*ld+half:], ld, n-half)
		}
	})
	if ctx.Err() != nil {
		return
	}
	z := make([]float64, n)
	for i := range n {
		if i < half {
			z[i] = q[i*ld+half-1] / math.Sqrt2
		} else {
			z[i] = sign * q[i*ld+half] / math.Sqrt2
		}
	}
	p := rankOneProblem{threads: threads, half: half, d: d, z: z, rho: 2 * rho, q: q, ld: ld}
	p.solve(vectors)
}

// sortPairs puts eigenvalues in rising order, and the rows of q with them.
func sortPairs(d, q []float64, ld int) {
	n := len(d)
	order := argsort(d)
	values, rows := slices.Clone(d), make([]float64, n*n)
	for i := range n {
		copy(rows[i*n:], q[i*ld:][:n])
	}
	for i, o := range order {
		d[i] = values[o]
		copy(q[i*ld:][:n], rows[o*n:][:n])
	}
}

// argsort returns the indices that put x in rising order.
func argsort(x []float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	return order
}

// rankOneProblem is the eigenproblem of diag(d) + rho z z^T, |z| = 1, rho >= 0, whose
// coordinates are the rows of q: those before half are zero from column half on, the
// others before it.
type rankOneProblem struct {
	threads, half int
	d, z          []float64
	rho           float64
	q             []float64
	ld            int

	support  []byte // of each row of q: the halves in which it is not zero, as bits
	active   []int  // coordinates with a part in z, by d
	deflated []int  // the others
}

// The bits of a support.
const (
	leftHalf byte = 1 << iota
	rightHalf
)

// solve replaces d by the eigenvalues, rising, and the last rows of q by eigenvectors of the
// largest of them, as many as vectors says.
//
// Coordinates without a part in z are eigenvectors already. The eigenvalues of the others
// are the roots of the secular equation. So that vectors become orthogonal to the last
// digit, they are those of the z for which the computed roots are exact (Gu and
// Eisenstat, "A divide-and-conquer algorithm for the symmetric tridiagonal
// eigenproblem", 1995).
func (p *rankOneProblem) solve(vectors int) {
	p.deflate()
	k := len(p.active)
	d, z := make([]float64, k), make([]float64, k)
	for i, j := range p.active {
		d[i], z[i] = p.d[j], p.z[j]
	}
	values, s := secularRoots(p.threads, d, z, p.rho)
	z = exactUpdate(d, z, s)
	for _, j := range p.deflated {
		values = append(values, p.d[j])
	}
	order := argsort(values)
	var roots []int // those among the largest values, as rows of s
	for _, o := range order[len(order)-vectors:] {
		if o < k {
			roots = append(roots, o)
		}
	}
	for _, i := range roots {
		unitVector(s[i*k:][:k], z)
	}
	rows := Scratch(vectors * len(p.d))
	defer Release(rows)
	p.multiply(*rows, s, roots)
	p.store(*rows, values, order, vectors)
}

// deflate finds out which coordinates are active. Of two with nearly the same d one is
// rotated to have no part in z.
func (p *rankOneProblem) deflate() {
	n := len(p.d)
	tol := 0.0
	for i, d := range p.d {
		tol = max(tol, math.Abs(d), math.Abs(p.z[i]))
	}
	tol *= 8 * 0x1p-53
	p.support = make([]byte, n)
	for i := range p.support {
		p.support[i] = rightHalf
		if i < p.half {
			p.support[i] = leftHalf
		}
	}
	p.deflated = make([]int, 0, n)
	for _, j := range argsort(p.d) {
		if p.rho*math.Abs(p.z[j]) <= tol {
			p.deflated = append(p.deflated, j)
			continue
		}
		if last := len(p.active) - 1; last >= 0 {
			i := p.active[last]
			r := hypot(p.z[i], p.z[j])
			c, s := p.z[j]/r, p.z[i]/r
			if gap := p.d[j] - p.d[i]; math.Abs(gap*c*s) <= tol {
				// The row of i leaves the problem with none of z.
				p.z[i], p.z[j] = 0, r
				rotate(p.q[i*p.ld:][:n], p.q[j*p.ld:][:n], c, s)
				p.d[i], p.d[j] = p.d[i]+float64(gap*s*s), p.d[j]-float64(gap*s*s)
				p.support[i] |= p.support[j]
				p.support[j] = p.support[i]
				p.deflated = append(p.deflated, i)
				p.active = p.active[:last]
			}
		}
		p.active = append(p.active, j)
	}
}

// secularRoots returns all roots of the secular equation, rising, and as the rows of a
// matrix, for each root, all d less the root.
func secularRoots(threads int, d, z []float64, rho float64) (roots, deltas []float64) {
	k := len(d)
	roots, deltas = make([]float64, k), make([]float64, k*k)
	par.Blocks(threads, k, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			roots[i] = secular(i, d, z, rho, deltas[i*k:][:k])
		}
	})
	return roots, deltas
}

// exactUpdate returns the z, but for its length, of which roots with the given deltas are
// the exact eigenvalues.
func exactUpdate(d, z, deltas []float64) []float64 {
	k := len(d)
	zHat := make([]float64, k)
	for i := range zHat {
		zHat[i] = 1
	}
	for i := range k {
		for j, delta := range deltas[i*k:][:k] {
			if i == j {
				zHat[j] *= math.Abs(delta)
			} else {
				zHat[j] *= math.Abs(delta / (d[j] - d[i]))
			}
		}
	}
	for j, x := range zHat {
		zHat[j] = math.Copysign(math.Sqrt(x), z[j])
	}
	return zHat
}

// unitVector replaces a root's deltas by its eigenvector.
func unitVector(row, z []float64) {
	for j, delta := range row {
		row[j] = z[j] / delta
	}
	norm := math.Sqrt(Dot(row, row))
	for j := range row {
		row[j] /= norm
	}
}

// multiply sets rows to the eigenvectors of the given roots, in the coordinates of q: rows
// of s times the active rows of q. What is zero in one half need not be multiplied there.
func (p *rankOneProblem) multiply(rows, s []float64, roots []int) {
	n, k := len(p.d), len(p.active)
	clear(rows[:len(roots)*n])
	for side, cols := range [][2]int{{0, p.half}, {p.half, n}} {
		var terms []int
		for i, j := range p.active {
			if p.support[j]&(leftHalf<<side) != 0 {
				terms = append(terms, i)
			}
		}
		col, width := cols[0], cols[1]-cols[0]
		operands := Scratch(len(terms) * (len(roots) + width))
		a, b := (*operands)[:len(roots)*len(terms)], (*operands)[len(roots)*len(terms):]
		for x, i := range terms {
			for r, root := range roots {
				a[r*len(terms)+x] = s[root*k+i]
			}
			copy(b[x*width:], p.q[p.active[i]*p.ld+col:][:width])
		}
		Gemm(p.threads, Product{M: len(roots), N: width, K: len(terms), A: Rows(a, len(terms)), B: Rows(b, width), C: rows[col:], LDC: n})
		Release(operands)
	}
}

// store puts the eigenvalues into d in order, and eigenvectors of the largest into the last
// rows of q: rows begin with those of roots, and have room for the others.
func (p *rankOneProblem) store(rows, values []float64, order []int, vectors int) {
	n, k := len(p.d), len(p.active)
	largest := order[n-vectors:]
	roots := 0
	for _, o := range largest {
		if o < k {
			roots++
		}
	}
	unchanged := rows[roots*n:]
	for i, x := 0, unchanged; i < vectors; i++ {
		if o := largest[i]; o >= k {
			copy(x[:n], p.q[p.deflated[o-k]*p.ld:][:n])
			x = x[n:]
		}
	}
	for i, o := range order {
		p.d[i] = values[o]
		if i < n-vectors {
			continue
		}
		src := &rows
		if o >= k {
			src = &unchanged
		}
		copy(p.q[i*p.ld:][:n], (*src)[:n])
		*src = (*src)[n:]
	}
}
