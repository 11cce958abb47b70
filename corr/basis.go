package corr

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Basis returns the Pair of other units: those of a's network are the combinations of
// a's units with the weights in the columns of a, p x p', likewise b's, q x q'. A nil
// matrix leaves units as they are. Units of the result are numbered from 0. It panics
// if a shape does not fit.
func (c *Pair) Basis(a, b mat.Matrix) *Pair {
	n := &Pair{
		Threads: c.Threads, UnitsA: c.UnitsA, UnitsB: c.UnitsB, Count: c.Count, p: c.p, q: c.q,
		aa: c.aa, ab: c.ab, bb: c.bb, ma: c.ma, mb: c.mb, accuracy: c.accuracy,
	}
	n.prepare()
	threads := par.Threads(c.Threads)
	if a != nil {
		x, k := combinations(a, c.p)
		n.UnitsA, n.p, n.a, n.standardA = upTo(k), k, new(axes), new(axes)
		n.aa = product(threads, k, k, c.p, dense.Rows(x, k).T(), product(threads, c.p, k, c.p, dense.Rows(c.aa, c.p), x))
		n.ab = product(threads, k, c.q, c.p, dense.Rows(x, k).T(), c.ab)
		n.ma = product(threads, 1, k, c.p, dense.Rows(c.ma, c.p), x)
	}
	if b != nil {
		x, k := combinations(b, c.q)
		n.UnitsB, n.q = upTo(k), k
		n.bb = product(threads, k, k, c.q, dense.Rows(x, k).T(), product(threads, c.q, k, c.q, dense.Rows(c.bb, c.q), x))
		n.ab = product(threads, n.p, k, c.q, dense.Rows(n.ab, c.q), x)
		n.mb = product(threads, 1, k, c.q, dense.Rows(c.mb, c.q), x)
	}
	return n
}

// Select returns the Pair of some units only: those at the given places among c's.
func (c *Pair) Select(a, b []int) *Pair {
	n := &Pair{Threads: c.Threads, Count: c.Count, p: len(a), q: len(b), accuracy: c.accuracy}
	choose := func(x []float64, ld int, rows, cols []int) []float64 {
		y := make([]float64, 0, len(rows)*len(cols))
		for _, i := range rows {
			for _, j := range cols {
				y = append(y, x[i*ld+j])
			}
		}
		return y
	}
	n.aa, n.ab, n.bb = choose(c.aa, c.p, a, a), choose(c.ab, c.q, a, b), choose(c.bb, c.q, b, b)
	n.ma, n.mb = choose(c.ma, 0, []int{0}, a), choose(c.mb, 0, []int{0}, b)
	for _, i := range a {
		n.UnitsA = append(n.UnitsA, c.UnitsA[i])
	}
	for _, j := range b {
		n.UnitsB = append(n.UnitsB, c.UnitsB[j])
	}
	return n.prepare()
}

// Scaled returns the Pair of all units scaled to variance 1, so that each counts alike
// where units are combined.
func (c *Pair) Scaled() *Pair {
	n := &Pair{
		Threads: c.Threads, UnitsA: c.UnitsA, UnitsB: c.UnitsB, Count: c.Count, p: c.p, q: c.q, accuracy: c.accuracy,
		aa: standardise(c.aa, c.aa, c.aa, c.p, c.p), ab: standardise(c.ab, c.aa, c.bb, c.p, c.q), bb: standardise(c.bb, c.bb, c.bb, c.q, c.q),
		ma: scaled(c.ma, c.aa), mb: scaled(c.mb, c.bb),
	}
	return n.prepare()
}

// scaled returns means over standard deviations.
func scaled(means, covariances []float64) []float64 {
	x := slices.Clone(means)
	for i := range x {
		if v := covariances[i*(len(x)+1)]; v > 0 {
			x[i] /= math.Sqrt(v)
		}
	}
	return x
}

// combinations returns the elements and the number of columns of a matrix of so many rows.
func combinations(m mat.Matrix, rows int) ([]float64, int) {
	r, k := m.Dims()
	if r != rows || k == 0 {
		panic("corr: a basis needs weights for every unit")
	}
	return mat.DenseCopyOf(m).RawMatrix().Data, k
}

func upTo(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// product is A B of m x k and k x n, the latter's rows side by side.
func product(threads, m, n, k int, a dense.View, b []float64) []float64 {
	c := make([]float64, m*n)
	dense.Gemm(threads, m, n, k, 1, a, dense.Rows(b, n), c, n)
	return c
}

// Axes returns the principal axes of the units of a and of b, for [Pair.Basis]: as
// columns, directions of falling variance.
func (c *Pair) Axes() (a, b *mat.Dense) {
	columns := func(x *axes) *mat.Dense {
		return mat.DenseCopyOf(mat.NewDense(x.n, x.n, slices.Clone(x.rows)).T())
	}
	return columns(c.axesA()), columns(c.axesB())
}

// Alignment returns the q x p matrix with which [Pair.Basis] turns b's units towards
// a's: the rotation, or for networks of unequal size the partial isometry, after which
// their covariances have the largest sum (Schönemann, "A generalized solution of the
// orthogonal Procrustes problem", 1966). Then what remains is Procrustes' distance.
func (c *Pair) Alignment() *mat.Dense {
	x := make([]float64, c.q*c.p)
	for i := range c.p {
		for j := range c.q {
			x[j*c.p+i] = c.ab[i*c.q+j]
		}
	}
	values, left, rows := dense.Singular(par.Threads(c.Threads), c.q, c.p, x, true)
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

// Turn is a way from no rotation to a random one: the rotations Q^t for a Q from the
// Haar measure on rotations of n dimensions.
//
// Q turns planes by angles that lie between 0 and pi, 90 degrees on average and nearly
// evenly spread; Q^t turns the same planes by t times as much.
type Turn struct {
	n       int
	cosines []float64 // of Q's angles, for each of vectors
	vectors []float64 // rows: eigenvectors of the symmetric part of Q
	skew    []float64 // the skew part of Q times these, as columns
}

// Rotation draws an orthogonal matrix, n x n, from the Haar measure. It panics if n is
// below 1.
func Rotation(n int, rnd *rand.Rand) *mat.Dense {
	if n < 1 {
		panic("corr: a rotation needs a dimension")
	}
	q := mat.NewDense(n, n, nil)
	for i := range n {
		q.Set(i, i, 1)
	}
	dense.Rotate(rnd, n, n, q.RawMatrix().Data)
	return q
}

// NewTurn draws a rotation of n dimensions. It panics if n is below 1.
func NewTurn(n int, rnd *rand.Rand) *Turn {
	q := Rotation(n, rnd).RawMatrix().Data
	t := &Turn{n: n}
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

func (t *Turn) decompose(q []float64) {
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
	dense.Gemm(1, n, n, n, 1, dense.Rows(skew, n), dense.Rows(t.vectors, n).T(), t.skew, n)
}

// At returns Q^t, n x n: the identity at 0, Q at 1.
func (t *Turn) At(share float64) *mat.Dense {
	// Q^t = sum_k cos(t a_k) v_k v_k^T + sin(t a_k)/sin(a_k) A v_k v_k^T.
	n := t.n
	x := make([]float64, n*n)
	for k, c := range t.cosines {
		angle := math.Acos(max(-1, min(1, c)))
		cosine, ratio := math.Cos(share*angle), share
		if s := math.Sin(angle); s > 1e-7 {
			ratio = math.Sin(share*angle) / s
		}
		for i := range n {
			x[i*n+k] = float64(cosine*t.vectors[k*n+i]) + float64(ratio*t.skew[i*n+k])
		}
	}
	return mat.NewDense(n, n, product(1, n, n, n, dense.Rows(x, n), t.vectors))
}
