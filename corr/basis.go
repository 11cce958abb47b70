package corr

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Basis returns the Pair in another basis: the units of a's network are the combinations
// of a's units with the weights in the columns of a, p x p', and likewise those of b's
// with b, q x q'. A nil matrix leaves a network's units as they are; other units are
// numbered from 0. It panics if a shape does not fit.
func (c *Pair) Basis(a, b mat.Matrix) *Pair {
	unitsA, unitsB, m := c.UnitsA, c.UnitsB, c.pairMoments
	threads := par.Threads(c.Threads)
	if a != nil {
		x, k := basisWeights(a, c.p)
		unitsA = indices(k)
		m.aa = product(threads, k, k, c.p, dense.Rows(x, k).T(), product(threads, c.p, k, c.p, dense.Rows(c.aa, c.p), x))
		m.ab = product(threads, k, c.q, c.p, dense.Rows(x, k).T(), c.ab)
		m.ma = product(threads, 1, k, c.p, dense.Rows(c.ma, c.p), x)
	}
	if b != nil {
		x, k := basisWeights(b, c.q)
		unitsB = indices(k)
		m.bb = product(threads, k, k, c.q, dense.Rows(x, k).T(), product(threads, c.q, k, c.q, dense.Rows(c.bb, c.q), x))
		m.ab = product(threads, len(unitsA), k, c.q, dense.Rows(m.ab, c.q), x)
		m.mb = product(threads, 1, k, c.q, dense.Rows(c.mb, c.q), x)
	}
	return c.derive(unitsA, unitsB, m)
}

// Select returns the Pair of the units at the given places among those of c.
func (c *Pair) Select(a, b []int) *Pair {
	submatrix := func(x []float64, ld int, rows, cols []int) []float64 {
		y := make([]float64, 0, len(rows)*len(cols))
		for _, i := range rows {
			for _, j := range cols {
				y = append(y, x[i*ld+j])
			}
		}
		return y
	}
	var unitsA, unitsB []int
	for _, i := range a {
		unitsA = append(unitsA, c.UnitsA[i])
	}
	for _, j := range b {
		unitsB = append(unitsB, c.UnitsB[j])
	}
	return c.derive(unitsA, unitsB, pairMoments{
		submatrix(c.aa, c.p, a, a), submatrix(c.ab, c.q, a, b), submatrix(c.bb, c.q, b, b),
		submatrix(c.ma, 0, []int{0}, a), submatrix(c.mb, 0, []int{0}, b),
	})
}

// Scaled returns the Pair of units that are multiplied by factors, one for each unit of a and of
// b; nil is 1.
func (c *Pair) Scaled(a, b []float64) *Pair {
	scale := func(x, rows, cols []float64) []float64 {
		y := slices.Clone(x)
		for i, s := range rows {
			floats.Scale(s, y[i*len(x)/len(rows):(i+1)*len(x)/len(rows)])
		}
		for j := 0; cols != nil && j < len(y); j += len(cols) {
			floats.Mul(y[j:j+len(cols)], cols)
		}
		return y
	}
	return c.derive(c.UnitsA, c.UnitsB, pairMoments{scale(c.aa, a, a), scale(c.ab, a, b), scale(c.bb, b, b), scale(c.ma, a, nil), scale(c.mb, b, nil)})
}

// Standardized returns the Pair of the units scaled to variance 1, so that each counts
// alike where units are combined. It shares the factorisations of such units with c.
func (c *Pair) Standardized() *Pair {
	d := c.derive(c.UnitsA, c.UnitsB, pairMoments{
		standardise(c.aa, c.aa, c.aa, c.p, c.p), c.standardBetween(), standardise(c.bb, c.bb, c.bb, c.q, c.q),
		standardMeans(c.ma, c.aa), standardMeans(c.mb, c.bb),
	})
	d.principalA, d.principalB, d.standardA, d.standardB = c.standardA, c.standardB, c.standardA, c.standardB
	return d
}

// standardMeans returns means divided by standard deviations.
func standardMeans(means, covariances []float64) []float64 {
	x := slices.Clone(means)
	for i := range x {
		if v := covariances[i*(len(x)+1)]; v > 0 {
			x[i] /= math.Sqrt(v)
		}
	}
	return x
}

// basisWeights returns the elements of m, which are not to be changed, of the given number of rows, and its number of
// columns.
func basisWeights(m mat.Matrix, rows int) ([]float64, int) {
	r, k := m.Dims()
	if r != rows || k == 0 {
		panic("corr: a basis needs weights for every unit")
	}
	if d, ok := m.(*mat.Dense); ok && d.RawMatrix().Stride == k {
		return d.RawMatrix().Data, k
	}
	return mat.DenseCopyOf(m).RawMatrix().Data, k
}

// indices returns 0, 1, ..., n-1.
func indices(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// product returns A B, m x n, of A, m x k, and the rows b of B, k x n.
func product(threads, m, n, k int, a dense.View, b []float64) []float64 {
	c := make([]float64, m*n)
	dense.Gemm(threads, dense.Product{M: m, N: n, K: k, A: a, B: dense.Rows(b, n), C: c, LDC: n})
	return c
}

// Axes returns the principal axes of the units of a, p x p, and of b, q x q, for
// [Pair.Basis]: the columns are directions of falling variance. Where there are no more
// observations than units, columns that would have no variance are 0.
func (c *Pair) Axes() (a, b *mat.Dense) {
	columns := func(x *axes) *mat.Dense {
		d := mat.NewDense(x.n, x.n, nil)
		for k := range x.held {
			d.SetCol(k, x.rows[k*x.n:][:x.n])
		}
		return d
	}
	return columns(c.axesA()), columns(c.axesB())
}

// Principal returns the Pair in the principal axes of both networks, which [Pair.Basis] with
// [Pair.Axes] gives but for axes that few observations leave without variance. It shares
// what it takes with c.
func (c *Pair) Principal() *Pair {
	if c.inAxes == nil {
		a, b := c.axesA(), c.axesB()
		diagonal := func(x *axes) []float64 {
			d := make([]float64, x.held*x.held)
			for i, v := range x.variances[:x.held] {
				d[i*(x.held+1)] = max(0, v)
			}
			return d
		}
		threads := par.Threads(c.Threads)
		c.inAxes = c.derive(indices(a.held), indices(b.held), pairMoments{
			diagonal(a), c.componentBetween(), diagonal(b), a.project(threads, a.held, c.ma, 1), b.project(threads, b.held, c.mb, 1),
		})
		c.inAxes.principalA.setIdentity(a)
		c.inAxes.principalB.setIdentity(b)
		c.inAxes.inAxes = c.inAxes
	}
	return c.inAxes
}

// setIdentity makes them those of units that are principal axes already.
func (a *axes) setIdentity(of *axes) {
	a.once.Do(func() {
		a.n, a.held, a.rank, a.variances = of.held, of.held, of.rank, of.variances[:of.held]
		a.rows = make([]float64, a.n*a.n)
		for i := range a.n {
			a.rows[i*(a.n+1)] = 1
		}
	})
}

// Alignment returns the q x p matrix with which [Pair.Basis] turns b's units towards
// a's: the rotation, or for networks of unequal size the partial isometry, after which
// their covariances have the largest sum (Schönemann, "A generalized solution of the
// orthogonal Procrustes problem", 1966). The distance that remains is [Pair.Procrustes].
func (c *Pair) Alignment() *mat.Dense {
	// Found in principal axes, which turn with their networks.
	inner := c.Principal()
	if inner.alignment == nil {
		inner.alignment = inner.align()
	}
	if inner == c {
		return mat.DenseCopyOf(inner.alignment)
	}
	a, b, threads := c.axesA(), c.axesB(), par.Threads(c.Threads)
	half := product(threads, b.held, c.p, a.held, dense.Rows(inner.alignment.RawMatrix().Data, a.held), a.rows)
	return mat.NewDense(c.q, c.p, product(threads, c.q, c.p, b.held, dense.Rows(b.rows, c.q).T(), half))
}

// align is Alignment by the singular value decomposition of the covariances.
func (c *Pair) align() *mat.Dense {
	values, left, rows := dense.SVD(par.Threads(c.Threads), c.q, c.p, transpose(c.ab, c.p, c.q), true)
	// rows are U^T X = D V^T: their directions are those of V^T.
	for k := range c.q {
		scale := 0.0
		if k < c.p && values[k] > 1e-12*values[0] {
			scale = 1 / values[k]
		}
		for i := range c.p {
			rows[k*c.p+i] *= scale
		}
	}
	return mat.NewDense(c.q, c.p, product(par.Threads(c.Threads), c.q, c.p, c.q, dense.Rows(left, c.q).T(), rows))
}

// RotationPath is the path of rotations Q^t from the identity to a rotation Q from the
// Haar measure on rotations of n dimensions.
//
// Q turns planes by angles that lie between 0 and pi, 90 degrees on average and nearly
// evenly spread; Q^t turns the same planes by t times as much.
type RotationPath struct {
	n      int
	basis  []float64 // n x n: rows 2k and 2k+1 span plane k; of odd n the last one is not turned
	angles []float64 // of the planes
}

// Rotation returns a random orthogonal matrix, n x n, from the Haar measure. It panics if
// n is below 1.
func Rotation(n int, rnd *rand.Rand) *mat.Dense {
	if n < 1 {
		panic("corr: a rotation needs a dimension")
	}
	return Directions(n, n, rnd)
}

// Directions returns the first k rows of a random orthogonal matrix of order n, k x n, from the
// Haar measure. It panics unless 1 <= k <= n.
func Directions(n, k int, rnd *rand.Rand) *mat.Dense {
	if k < 1 || k > n {
		panic("corr: not so many directions")
	}
	if gaussian(n, k) {
		x := gaussianDirections(n, k, rnd)
		defer dense.Release(x)
		return mat.NewDense(k, n, transpose(*x, n, k))
	}
	d := mat.NewDense(k, n, nil)
	rotatedDirections(d.RawMatrix().Data, n, k, rnd)
	return d
}

// rotatedDirections sets x to the rows of Directions, the first of a rotation.
func rotatedDirections(x []float64, n, k int, rnd *rand.Rand) {
	clear(x)
	for i := range k {
		x[i*n+i] = 1
	}
	dense.Rotate(rnd, k, n, x)
}

// gaussian says whether directions are made from Gaussian ones: where there are fewer of them than
// dimensions, so that these are far from depending on each other, and that is faster.
func gaussian(n, k int) bool { return 5*k <= 4*n }

// gaussianDirections returns the rows of Directions, as the columns of a matrix, from Gaussian ones,
// orthonormalised by a Cholesky factor of their inner products: in half the steps that reflections
// take. The matrix is to be released.
func gaussianDirections(n, k int, rnd *rand.Rand) *[]float64 {
	x, gram := dense.Scratch(n*k), dense.Scratch(k*k)
	defer dense.Release(gram)
	for i := range *x {
		(*x)[i] = rnd.NormFloat64()
	}
	clear(*gram)
	par.Blocks(1, k, 64, func(lo, hi int) { // below the diagonal
		dense.Gemm(1, dense.Product{M: hi - lo, N: hi, K: n, A: dense.Rows((*x)[lo:], k).T(), B: dense.Rows(*x, k), C: (*gram)[lo*k:], LDC: k})
	})
	dense.Cholesky(1, k, *gram, 0)
	dense.Eliminate(1, n, k, *x, *gram)
	return x
}

// NewRotationPath returns the path to a random rotation of n dimensions. It panics if n is
// below 1.
//
// The Haar measure is the same in any basis, so that the planes are those of a random basis,
// whatever the angles are.
func NewRotationPath(n int, rnd *rand.Rand) *RotationPath {
	return &RotationPath{n, Rotation(n, rnd).RawMatrix().Data, rotationAngles(n, rnd)}
}

// rotationAngles returns the angles of the planes of a random rotation of n dimensions, from the
// largest to the smallest.
//
// For m = n/2 planes, the numbers x = 2 cos(angle) have a density in proportion to
//
//	product over j < k of (x_j - x_k)^2, times product over k of (2 - x_k)^a (2 + x_k)^(-1/2)
//
// with a = -1/2 of even n and 1/2 of odd n (Weyl). The eigenvalues of a tridiagonal matrix of
// independent random numbers have that density (Killip and Nenciu, "Matrix models for circular
// ensembles", 2004, theorem 2), in m^2 steps.
func rotationAngles(n int, rnd *rand.Rand) []float64 {
	m := n / 2
	chiSquare := func(freedom int) float64 {
		var sum float64
		for range freedom {
			v := rnd.NormFloat64()
			sum += float64(v * v)
		}
		return sum
	}
	alpha := make([]float64, 2*m+1) // of k at k+1
	for k := range alpha {
		alpha[k] = -1
		if freedom := 2*m - k; k > 0 && freedom > 0 {
			x, y := chiSquare(freedom), chiSquare(freedom+2*(n%2))
			alpha[k] = (x - y) / (x + y)
		}
	}
	d, e := make([]float64, m), make([]float64, max(0, m-1))
	for k := range d {
		before, own := alpha[2*k], alpha[2*k+1]
		d[k] = float64((1 - before) * own)
		if k > 0 {
			d[k] -= float64((1 + before) * alpha[2*k-1])
		}
		if k < m-1 {
			e[k] = math.Sqrt((1 - before) * (1 - float64(own*own)) * (1 + alpha[2*k+2]))
		}
	}
	angles := dense.Tridiagonal(d, e)
	for k, x := range angles {
		angles[k] = math.Acos(max(-1, min(1, x/2)))
	}
	return angles
}

// At returns Q^t, n x n: the identity at 0, Q at 1.
func (t *RotationPath) At(power float64) *mat.Dense {
	n := t.n
	turned := slices.Clone(t.basis)
	for k, angle := range t.angles {
		cos, sin := math.Cos(power*angle), math.Sin(power*angle)
		u, v := turned[2*k*n:][:n], turned[(2*k+1)*n:][:n]
		for i, x := range u {
			y := v[i]
			u[i], v[i] = float64(cos*x)-float64(sin*y), float64(sin*x)+float64(cos*y)
		}
	}
	return mat.NewDense(n, n, product(1, n, n, n, dense.Rows(t.basis, n).T(), turned))
}
