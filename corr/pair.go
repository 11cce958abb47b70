package corr

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Pair is what two networks' units have to do with each other: their means and
// covariances within and between, from which the measures of similarity follow. Of
// Moments they are those of live units. A Pair keeps factorisations for the next
// measure, and is not safe for concurrent use.
type Pair struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	UnitsA, UnitsB []int // which units of the networks these are
	Count          int64 // observations

	p, q       int
	aa, ab, bb []float64 // covariances, row-major
	ma, mb     []float64 // means
	accuracy   float64   // of a correlation

	a, b, standardA, standardB *axes // found when first asked for
	white                      []float64
	canonical                  *canonical
}

// prepare makes room for what is found later.
func (c *Pair) prepare() *Pair {
	c.a, c.b, c.standardA, c.standardB = new(axes), new(axes), new(axes), new(axes)
	return c
}

// Errors of measures. A measure that would take a value that data have no part in is
// refused, not returned.
var (
	ErrDead   = errors.New("no unit is live")
	ErrTooFew = errors.New("too few observations")
)

// Pair returns the covariances of the live units of networks a and b.
func (m *Moments) Pair(a, b int) *Pair {
	return m.PairOf(a, b, m.Live(a), m.Live(b))
}

// PairOf returns the covariances of chosen units of networks a and b: those, say, of
// another Pair. Of dead units all correlations are 0.
func (m *Moments) PairOf(a, b int, unitsA, unitsB []int) *Pair {
	s, _ := m.snapshot()
	return s.pair(m.begin[a], m.begin[b], unitsA, unitsB, m.Threads)
}

func (s *moments) pair(fromA, fromB int, unitsA, unitsB []int, threads int) *Pair {
	c := &Pair{Threads: threads, UnitsA: unitsA, UnitsB: unitsB, Count: s.count, p: len(unitsA), q: len(unitsB), accuracy: 1e-6}
	fill := func(from1 int, units1 []int, from2 int, units2 []int) []float64 {
		x := make([]float64, len(units1)*len(units2))
		for i, u := range units1 {
			for j, v := range units2 {
				x[i*len(units2)+j] = s.covariance(from1+u, from2+v)
			}
		}
		return x
	}
	c.aa, c.ab, c.bb = fill(fromA, unitsA, fromA, unitsA), fill(fromA, unitsA, fromB, unitsB), fill(fromB, unitsB, fromB, unitsB)
	c.ma, c.mb = make([]float64, c.p), make([]float64, c.q)
	for i, u := range unitsA {
		c.ma[i] = s.mean[fromA+u]
	}
	for j, u := range unitsB {
		c.mb[j] = s.mean[fromB+u]
	}
	return c.prepare()
}

// NewPair returns a Pair of given covariances, p x p, p x q and q x q, over count
// observations, in float64; means are 0. It panics if the shapes do not fit. NaN,
// infinite, and covariances larger than the variances allow, are an error.
func NewPair(aa, ab, bb mat.Matrix, count int64) (*Pair, error) {
	p, q := ab.Dims()
	if r, c := aa.Dims(); r != p || c != p {
		panic("corr: covariances do not fit together")
	}
	if r, c := bb.Dims(); r != q || c != q {
		panic("corr: covariances do not fit together")
	}
	c := &Pair{p: p, q: q, Count: count, ma: make([]float64, p), mb: make([]float64, q), accuracy: 1e-12}
	for i := range p {
		c.UnitsA = append(c.UnitsA, i)
	}
	for i := range q {
		c.UnitsB = append(c.UnitsB, i)
	}
	read := func(name string, m, rows, cols mat.Matrix) ([]float64, error) {
		r, k := m.Dims()
		x := make([]float64, r*k)
		for i := range r {
			for j := range k {
				v := m.At(i, j)
				most := math.Sqrt(rows.At(i, i)) * math.Sqrt(cols.At(j, j))
				if !(math.Abs(v) <= most*(1+1e-9)) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("corr: covariance %v at row %d, column %d of %s: not one of variances %v and %v", v, i, j, name, rows.At(i, i), cols.At(j, j))
				}
				x[i*k+j] = v
			}
		}
		return x, nil
	}
	var err [3]error
	c.aa, err[0] = read("aa", aa, aa, aa)
	c.ab, err[1] = read("ab", ab, aa, bb)
	c.bb, err[2] = read("bb", bb, bb, bb)
	if e := errors.Join(err[:]...); e != nil {
		return nil, e
	}
	return c.prepare(), nil
}

// Swap returns the same Pair, seen from b. It shares memory and factorisations with c.
func (c *Pair) Swap() *Pair {
	ba := make([]float64, len(c.ab))
	for i := range c.p {
		for j := range c.q {
			ba[j*c.p+i] = c.ab[i*c.q+j]
		}
	}
	return &Pair{
		Threads: c.Threads, UnitsA: c.UnitsB, UnitsB: c.UnitsA, Count: c.Count,
		p: c.q, q: c.p, aa: c.bb, ab: ba, bb: c.aa, ma: c.mb, mb: c.ma, accuracy: c.accuracy,
		a: c.b, b: c.a, standardA: c.standardB, standardB: c.standardA,
	}
}

// Correlation returns the p x q correlations between the units; 0 of a unit of
// variance 0.
func (c *Pair) Correlation() *mat.Dense {
	if c.p == 0 || c.q == 0 {
		return &mat.Dense{}
	}
	r := standardise(c.ab, c.aa, c.bb, c.p, c.q)
	for i, v := range r {
		r[i] = max(-1, min(1, v))
	}
	return mat.NewDense(c.p, c.q, r)
}

// standardise divides covariances by standard deviations.
func standardise(x, rows, cols []float64, p, q int) []float64 {
	r, deviations := make([]float64, p*q), diagonal(cols, q)
	for j, v := range deviations {
		deviations[j] = math.Sqrt(v)
	}
	for i := range p {
		si := math.Sqrt(rows[i*(p+1)])
		for j, sj := range deviations {
			if si > 0 && sj > 0 {
				r[i*q+j] = x[i*q+j] / si / sj
			}
		}
	}
	return r
}

// ready returns an error where no measure makes sense.
func (c *Pair) ready() error {
	if c.p == 0 || c.q == 0 || trace(c.aa, c.p) == 0 || trace(c.bb, c.q) == 0 {
		return fmt.Errorf("corr: %w", ErrDead)
	}
	if c.Count < 3 {
		return fmt.Errorf("corr: %w: %d", ErrTooFew, c.Count)
	}
	return nil
}

func trace(x []float64, p int) float64 {
	var s float64
	for i := range p {
		s += x[i*(p+1)]
	}
	return s
}

// axes are the principal axes of a covariance: variances, falling, and as rows
// directions.
type axes struct {
	n         int
	variances []float64
	rows      []float64
	rank      int // variances above what rounding of covariances can make of 0
}

// principal finds the axes of a matrix whose elements' errors are accuracy times the
// mean of its diagonal or less. Like any random symmetric matrix, their matrix has
// eigenvalues of the root of its order times that.
func (a *axes) principal(c *Pair, x []float64, n int) *axes {
	if a.n == 0 {
		values, rows := dense.Eigen(par.Threads(c.Threads), n, slices.Clone(x), n)
		*a = axes{n: n, variances: values, rows: rows}
		least := c.accuracy / math.Sqrt(float64(n)) * trace(x, n)
		for a.rank < n && values[a.rank] > least {
			a.rank++
		}
	}
	return a
}

func (c *Pair) axesA() *axes { return c.a.principal(c, c.aa, c.p) }

func (c *Pair) axesB() *axes { return c.b.principal(c, c.bb, c.q) }

// standard returns the axes of the units scaled to variance 1.
func (c *Pair) standard() (a, b *axes) {
	return c.standardA.principal(c, standardise(c.aa, c.aa, c.aa, c.p, c.p), c.p),
		c.standardB.principal(c, standardise(c.bb, c.bb, c.bb, c.q, c.q), c.q)
}

// Rank returns the dimensions of the spaces that the units of a and of b span: the
// ranks of their correlation matrices, as far as their accuracy tells. Less than the
// number of units means units that others determine.
func (c *Pair) Rank() (a, b int) {
	x, y := c.standard()
	return x.rank, y.rank
}

// onto returns the first k axes times x, n x m: k x m.
func (a *axes) onto(threads, k int, x []float64, m int) []float64 {
	y := make([]float64, k*m)
	dense.Gemm(threads, k, m, a.n, 1, dense.Rows(a.rows, a.n), dense.Rows(x, m), y, m)
	return y
}

// across returns the first k of axes a times x times the first l of axes b, all scaled
// to variance 1: k x l.
func across(threads int, a, b *axes, k, l int, x []float64) []float64 {
	half := a.onto(threads, k, x, b.n)
	y := make([]float64, k*l)
	dense.Gemm(threads, k, l, b.n, 1, dense.Rows(half, b.n), dense.Rows(b.rows, b.n).T(), y, l)
	for i := range k {
		for j := range l {
			y[i*l+j] /= math.Sqrt(a.variances[i]) * math.Sqrt(b.variances[j])
		}
	}
	return y
}
