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
// alike where units are combined.
func (c *Pair) Standardized() *Pair {
	return c.derive(c.UnitsA, c.UnitsB, pairMoments{
		standardise(c.aa, c.aa, c.aa, c.p, c.p), standardise(c.ab, c.aa, c.bb, c.p, c.q), standardise(c.bb, c.bb, c.bb, c.q, c.q),
		standardMeans(c.ma, c.aa), standardMeans(c.mb, c.bb),
	})
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

// basisWeights returns the elements of m, of the given number of rows, and its number of
// columns.
func basisWeights(m mat.Matrix, rows int) ([]float64, int) {
	r, k := m.Dims()
	if r != rows || k == 0 {
		panic("corr: a basis needs weights for every unit")
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
	n       int
	cosines []float64 // of Q's angles, for each of vectors
	vectors []float64 // rows: eigenvectors of the symmetric part of Q
	skew    []float64 // the skew part of Q times these, as columns
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
	if 5*k <= 4*n {
		return mat.NewDense(k, n, gaussianDirections(n, k, rnd))
	}
	d := mat.NewDense(k, n, nil)
	for i := range k {
		d.Set(i, i, 1)
	}
	dense.Rotate(rnd, k, n, d.RawMatrix().Data)
	return d
}

// gaussianDirections returns the rows of Directions from Gaussian ones, orthonormalised by a Cholesky
// factor of their inner products: in half the steps that reflections take, and to rounding as
// long as there are fewer of them than dimensions.
func gaussianDirections(n, k int, rnd *rand.Rand) []float64 {
	x := make([]float64, n*k) // as columns
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	gram := make([]float64, k*k) // below the diagonal
	par.Blocks(1, k, 64, func(lo, hi int) {
		dense.Gemm(1, dense.Product{M: hi - lo, N: hi, K: n, A: dense.Rows(x[lo:], k).T(), B: dense.Rows(x, k), C: gram[lo*k:], LDC: k})
	})
	dense.Cholesky(1, k, gram, 0)
	dense.Eliminate(1, n, k, x, gram)
	return transpose(x, n, k)
}

// NewRotationPath returns the path to a random rotation of n dimensions. It panics if n is
// below 1.
func NewRotationPath(n int, rnd *rand.Rand) *RotationPath {
	q := Rotation(n, rnd).RawMatrix().Data
	t := &RotationPath{n: n}
	// Q's planes are eigenspaces of its symmetric part S = (Q + Q^T)/2, with its
	// angles' cosines for eigenvalues, and its skew part A = (Q - Q^T)/2 turns within
	// them. A reflection has an eigenvalue -1 besides.
	if t.decompose(q); t.cosines[n-1] < -1+1e-12 {
		for j := range n {
			q[j] = -q[j]
		}
		t.decompose(q)
	}
	return t
}

// decompose sets the path to that of q.
func (t *RotationPath) decompose(q []float64) {
	n := t.n
	symmetric, skew := make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		for j := range n {
			symmetric[i*n+j] = (q[i*n+j] + q[j*n+i]) / 2
			skew[i*n+j] = (q[i*n+j] - q[j*n+i]) / 2
		}
	}
	t.cosines, t.vectors = dense.Eigen(1, n, symmetric, n)
	t.skew = make([]float64, n*n)
	dense.Gemm(1, dense.Product{M: n, N: n, K: n, A: dense.Rows(skew, n), B: dense.Rows(t.vectors, n).T(), C: t.skew, LDC: n})
}

// At returns Q^t, n x n: the identity at 0, Q at 1.
func (t *RotationPath) At(power float64) *mat.Dense {
	// Q^t = sum_k cos(t a_k) v_k v_k^T + sin(t a_k)/sin(a_k) A v_k v_k^T.
	n := t.n
	x := make([]float64, n*n)
	for k, c := range t.cosines {
		angle := math.Acos(max(-1, min(1, c)))
		cosine, ratio := math.Cos(power*angle), power
		if s := math.Sin(angle); s > 1e-7 {
			ratio = math.Sin(power*angle) / s
		}
		for i := range n {
			x[i*n+k] = float64(cosine*t.vectors[k*n+i]) + float64(ratio*t.skew[i*n+k])
		}
	}
	return mat.NewDense(n, n, product(1, n, n, n, dense.Rows(x, n), t.vectors))
}
