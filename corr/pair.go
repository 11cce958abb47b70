package corr

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Pair is the means and covariances of two networks' units, within each and between
// them, from which the measures of similarity follow. It keeps factorisations for the
// next measure, and is not safe for concurrent use.
//
// Pairs that share factorisations within networks, by [Pair.Swap] and [Pair.WithBetween],
// may be used at once.
type Pair struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	UnitsA, UnitsB []int // numbers of the units in their networks
	Count          int64 // observations

	p, q int // units of a and of b
	pairMoments
	accuracy float64 // of a correlation

	// Factorisations, computed when they are first needed. Those within a network may be
	// shared between Pairs.
	principalA, principalB, standardA, standardB *axes
	turnedA, turnedB                             *turned
	cca                                          *canonicalAnalysis
	nuclear                                      *float64
	standard                                     []float64
	projection, components                       []float64
	reverse, inAxes                              *Pair
	alignment                                    *mat.Dense
}

// pairMoments are the covariances, row-major, and the means of the units of a Pair.
type pairMoments struct {
	aa, ab, bb []float64
	ma, mb     []float64
}

// newPairMoments returns zeros for p and q units.
func newPairMoments(p, q int) pairMoments {
	return pairMoments{make([]float64, p*p), make([]float64, p*q), make([]float64, q*q), make([]float64, p), make([]float64, q)}
}

// newPair returns a Pair of the given moments. accuracy bounds a correlation's error.
func newPair(unitsA, unitsB []int, count int64, accuracy float64, m pairMoments) *Pair {
	return &Pair{
		UnitsA: unitsA, UnitsB: unitsB, Count: count, p: len(unitsA), q: len(unitsB), pairMoments: m, accuracy: accuracy,
		principalA: new(axes), principalB: new(axes), standardA: new(axes), standardB: new(axes),
		turnedA: new(turned), turnedB: new(turned),
	}
}

// derive returns a Pair of other units, or moments, over the observations of c.
func (c *Pair) derive(unitsA, unitsB []int, m pairMoments) *Pair {
	d := newPair(unitsA, unitsB, c.Count, c.accuracy, m)
	d.Threads = c.Threads
	return d
}

// Errors of measures whose value would not depend on the data.
var (
	ErrNoLiveUnits        = errors.New("no unit is live")
	ErrTooFewObservations = errors.New("too few observations")
)

// Pair returns the means and covariances of the live units of networks a and b.
func (m *Moments) Pair(a, b int) *Pair {
	return m.PairOf(a, b, m.Live(a), m.Live(b))
}

// PairOf returns the means and covariances of chosen units of networks a and b, such as
// those of another Pair; all correlations of dead units are 0. It panics if a network has no
// such unit.
func (m *Moments) PairOf(a, b int, unitsA, unitsB []int) *Pair {
	checkUnits(unitsA, m.Units(a))
	checkUnits(unitsB, m.Units(b))
	s, _ := m.snapshot()
	c := s.pair(m.offsets[a], m.offsets[b], unitsA, unitsB)
	c.Threads = m.Threads
	return c
}

// checkUnits panics unless a network of n units has all of these.
func checkUnits(units []int, n int) {
	if slices.ContainsFunc(units, func(u int) bool { return u < 0 || u >= n }) {
		panic(badUnit)
	}
}

// pair returns the Pair of units whose networks begin at the given offsets.
func (s *moments) pair(offsetA, offsetB int, unitsA, unitsB []int) *Pair {
	between := func(offset1 int, units1 []int, offset2 int, units2 []int) []float64 {
		x := make([]float64, len(units1)*len(units2))
		for i, u := range units1 {
			for j, v := range units2 {
				x[i*len(units2)+j] = s.covariance(offset1+u, offset2+v)
			}
		}
		return x
	}
	means := func(offset int, units []int) []float64 {
		x := make([]float64, len(units))
		for i, u := range units {
			x[i] = s.mean[offset+u]
		}
		return x
	}
	return newPair(unitsA, unitsB, s.count, 1e-6, pairMoments{
		between(offsetA, unitsA, offsetA, unitsA), between(offsetA, unitsA, offsetB, unitsB), between(offsetB, unitsB, offsetB, unitsB),
		means(offsetA, unitsA), means(offsetB, unitsB),
	})
}

// NewPair returns a Pair of given covariances, p x p, p x q and q x q, over count
// observations, in float64; means are 0. It panics if the shapes do not fit. NaN,
// infinite values, and covariances larger than the variances allow, are an error.
func NewPair(aa, ab, bb mat.Matrix, count int64) (*Pair, error) {
	p, q := ab.Dims()
	if r, c := aa.Dims(); r != p || c != p {
		panic("corr: covariances do not fit together")
	}
	if r, c := bb.Dims(); r != q || c != q {
		panic("corr: covariances do not fit together")
	}
	m := newPairMoments(p, q)
	if err := errors.Join(
		readCovariances(m.aa, "aa", aa, aa, aa),
		readCovariances(m.ab, "ab", ab, aa, bb),
		readCovariances(m.bb, "bb", bb, bb, bb),
	); err != nil {
		return nil, err
	}
	return newPair(indices(p), indices(q), count, 1e-12, m), nil
}

// readCovariances sets dst to the elements of m, or returns an error that names the first
// that is not a covariance of variables whose variances are on the diagonals of rows and
// cols.
func readCovariances(dst []float64, name string, m, rows, cols mat.Matrix) error {
	r, k := m.Dims()
	for i := range r {
		for j := range k {
			v := m.At(i, j)
			bound := math.Sqrt(rows.At(i, i)) * math.Sqrt(cols.At(j, j))
			if !(math.Abs(v) <= bound*(1+1e-9)) || math.IsInf(v, 0) {
				return fmt.Errorf("corr: covariance %v at row %d, column %d of %s: not one of variances %v and %v", v, i, j, name, rows.At(i, i), cols.At(j, j))
			}
			dst[i*k+j] = v
		}
	}
	return nil
}

// Swap returns the Pair with a and b exchanged. It shares memory and factorisations with
// c.
func (c *Pair) Swap() *Pair {
	d := c.derive(c.UnitsB, c.UnitsA, pairMoments{c.bb, transpose(c.ab, c.p, c.q), c.aa, c.mb, c.ma})
	d.principalA, d.principalB, d.standardA, d.standardB = c.principalB, c.principalA, c.standardB, c.standardA
	d.turnedA, d.turnedB = c.turnedB, c.turnedA
	d.nuclear = c.nuclear
	return d
}

// transpose returns the transpose of the p x q matrix x, which it reads in blocks: as wide as a
// line of the cache, since rows of many a matrix are a power of two apart, and then lines that
// hold a column share few places in the cache.
func transpose(x []float64, p, q int) []float64 {
	const block = 8
	y := make([]float64, len(x))
	for i0 := 0; i0 < p; i0 += block {
		for j0 := 0; j0 < q; j0 += block {
			for i := i0; i < min(p, i0+block); i++ {
				for j := j0; j < min(q, j0+block); j++ {
					y[j*p+i] = x[i*q+j]
				}
			}
		}
	}
	return y
}

// WithBetween returns the Pair of the same units whose covariances between a and b are ab,
// p x q, as they are when b's network sees samples in another order, which leaves all that
// is within a network as it is. It shares memory and factorisations within networks with c,
// so that these are computed once for many such Pairs; all of them may be at work at once.
// It panics if the shape does not fit.
func (c *Pair) WithBetween(ab mat.Matrix) *Pair {
	if p, q := ab.Dims(); p != c.p || q != c.q {
		panic("corr: covariances do not fit together")
	}
	m := c.pairMoments
	m.ab = mat.DenseCopyOf(ab).RawMatrix().Data
	d := c.derive(c.UnitsA, c.UnitsB, m)
	d.principalA, d.principalB, d.standardA, d.standardB = c.principalA, c.principalB, c.standardA, c.standardB
	d.turnedA, d.turnedB = c.turnedA, c.turnedB
	return d
}

// reversed is Swap, once for all measures.
func (c *Pair) reversed() *Pair {
	if c.reverse == nil {
		c.reverse = c.Swap()
		c.reverse.reverse = c
	}
	return c.reverse
}

// nuclearNorm is the sum of the singular values of the covariances between a and b, or, which
// is the same, between the principal axes of both that have variance.
func (c *Pair) nuclearNorm() float64 {
	if c.nuclear == nil {
		threads, p, q, ab := par.Threads(c.Threads), c.p, c.q, c.ab
		if few := c.Count - 1; few < int64(p) && few < int64(q) {
			p, q, ab = c.axesA().held, c.axesB().held, c.componentBetween()
		}
		norm := dense.NuclearNorm(threads, p, q, ab)
		c.nuclear = &norm
	}
	return *c.nuclear
}

// axisBetween is the covariances between the principal axes of a and the units of b.
func (c *Pair) axisBetween() []float64 {
	if c.projection == nil {
		c.projection = c.axesA().project(par.Threads(c.Threads), c.axesA().held, c.ab, c.q)
	}
	return c.projection
}

// componentBetween is the covariances between the principal axes of a and those of b.
func (c *Pair) componentBetween() []float64 {
	if c.components == nil {
		k, l := c.axesA().held, c.axesB().held
		c.components = product(par.Threads(c.Threads), k, l, c.q, dense.Rows(c.axisBetween(), c.q), c.axesB().columns(l))
	}
	return c.components
}

// columns returns the first k axes as the columns of a matrix.
func (a *axes) columns(k int) []float64 {
	return transpose(a.rows[:k*a.n], k, a.n)
}

// Variances returns the variances of the units of a and of b.
func (c *Pair) Variances() (a, b []float64) { return diagonal(c.aa, c.p), diagonal(c.bb, c.q) }

// Correlation returns the p x q correlations between the units; those of a unit of
// variance 0 are 0.
func (c *Pair) Correlation() *mat.Dense {
	if c.p == 0 || c.q == 0 {
		return &mat.Dense{}
	}
	r := slices.Clone(c.standardBetween())
	for i, v := range r {
		r[i] = max(-1, min(1, v))
	}
	return mat.NewDense(c.p, c.q, r)
}

// Within returns the p x p correlations among a's units and the q x q among b's, which
// package spectral takes; those of a unit of variance 0 are 0, with itself too.
func (c *Pair) Within() (a, b *mat.SymDense) {
	within := func(x []float64, n int) *mat.SymDense {
		if n == 0 {
			return &mat.SymDense{}
		}
		return mat.NewSymDense(n, standardise(x, x, x, n, n))
	}
	return within(c.aa, c.p), within(c.bb, c.q)
}

// standardBetween is the covariances between a and b of units scaled to variance 1.
func (c *Pair) standardBetween() []float64 {
	if c.standard == nil {
		c.standard = standardise(c.ab, c.aa, c.bb, c.p, c.q)
	}
	return c.standard
}

// standardise returns the p x q covariances x divided by the standard deviations, whose
// squares are on the diagonals of rows and cols; 0 for a unit of variance 0.
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

// checkVariance returns an error if no unit of a network varies, or observations are too
// few for a variance.
func (c *Pair) checkVariance() error {
	if c.p == 0 || c.q == 0 || trace(c.aa, c.p) == 0 || trace(c.bb, c.q) == 0 {
		return fmt.Errorf("corr: %w", ErrNoLiveUnits)
	}
	if c.Count < 3 {
		return fmt.Errorf("corr: %w: %d", ErrTooFewObservations, c.Count)
	}
	return nil
}

// trace returns the trace of the p x p matrix x.
func trace(x []float64, p int) float64 {
	var s float64
	for i := range p {
		s += x[i*(p+1)]
	}
	return s
}

// axes are the principal axes of a covariance matrix. Where there are no more observations than
// units, those that have no variance are not held.
type axes struct {
	once      sync.Once
	n         int       // units
	held      int       // axes whose directions are known
	variances []float64 // along all axes, falling
	rows      []float64 // directions
	rank      int       // number of variances above what rounding of covariances can make of 0
}

// decompose computes the axes of the n x n matrix that of returns, in memory of its own,
// unless that is done. The elements of the matrix err by c's accuracy times the mean of its
// diagonal or less, and the matrix of errors, like any random symmetric matrix, has
// eigenvalues of the root of its order times that.
func (a *axes) decompose(c *Pair, n int, of func() []float64) *axes {
	a.once.Do(func() {
		x := of()
		threshold := c.accuracy / math.Sqrt(float64(n)) * trace(x, n)
		a.n = n
		a.variances, a.rows = eigen(par.Threads(c.Threads), n, x, c.Count-1, c.accuracy, of)
		a.held = len(a.rows) / max(1, n)
		for a.rank < n && a.variances[a.rank] > threshold {
			a.rank++
		}
	})
	return a
}

// eigen returns the eigenvalues and eigenvectors of x, which has the given rank at most if it is
// the covariances of few observations. It overwrites x, and then asks for it again if it is
// not.
func eigen(threads, n int, x []float64, rank int64, accuracy float64, of func() []float64) (values, rows []float64) {
	if rank >= 1 && rank < int64(n) {
		if values, rows, ok := dense.LowRankEigen(threads, n, x, int(rank), accuracy); ok {
			return append(values, make([]float64, n-len(values))...), rows
		}
		x = of()
	}
	return dense.Eigen(threads, n, x, n)
}

func (c *Pair) axesA() *axes {
	return c.principalA.decompose(c, c.p, func() []float64 { return slices.Clone(c.aa) })
}

func (c *Pair) axesB() *axes {
	return c.principalB.decompose(c, c.q, func() []float64 { return slices.Clone(c.bb) })
}

// standardAxes returns the principal axes of the units scaled to variance 1.
func (c *Pair) standardAxes() (a, b *axes) {
	return c.standardAxesA(), c.standardB.decompose(c, c.q, func() []float64 { return standardise(c.bb, c.bb, c.bb, c.q, c.q) })
}

func (c *Pair) standardAxesA() *axes {
	return c.standardA.decompose(c, c.p, func() []float64 { return standardise(c.aa, c.aa, c.aa, c.p, c.p) })
}

// Rank returns the dimensions of the spaces that the units of a and of b span: the
// numerical ranks of their correlation matrices. A rank below the number of units means
// that units are linear combinations of others.
func (c *Pair) Rank() (a, b int) {
	x, y := c.standardAxes()
	return x.rank, y.rank
}

// project returns the product, k x m, of the first k axes with x, n x m.
func (a *axes) project(threads, k int, x []float64, m int) []float64 {
	y := make([]float64, k*m)
	dense.Gemm(threads, dense.Product{M: k, N: m, K: a.n, A: dense.Rows(a.rows, a.n), B: dense.Rows(x, m), C: y, LDC: m})
	return y
}

// componentCorrelations returns the k x l correlations between the first k principal
// components of a and the first l of b.
func (c *Pair) componentCorrelations(k, l int) []float64 {
	a, b, all, width := c.axesA(), c.axesB(), c.componentBetween(), c.axesB().held
	y := make([]float64, 0, k*l)
	for i := range k {
		y = append(y, all[i*width:][:l]...)
	}
	scaleComponents(y, a, b, k, l)
	return y
}

// scaleComponents makes correlations of the covariances of k principal components of a and l of
// b.
func scaleComponents(y []float64, a, b *axes, k, l int) {
	deviations := make([]float64, l)
	for j := range deviations {
		deviations[j] = math.Sqrt(b.variances[j])
	}
	for i := range k {
		deviation, row := math.Sqrt(a.variances[i]), y[i*l:][:l]
		for j, s := range deviations {
			row[j] /= deviation * s
		}
	}
}
