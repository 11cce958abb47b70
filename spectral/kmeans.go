package spectral

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// KMeansOptions are the options of [KMeans].
type KMeansOptions struct {
	Restarts int    // independent starts, of which the best is kept; 0 means 10
	MaxIter  int    // Lloyd iterations per start; 0 means 300
	Seed     uint64 // start r draws from the PCG stream (Seed, r)
	Threads  int    // of which each has its own starts; 0 means all cores
}

// KMeans returns labels of the n rows of x for exactly k groups, none empty, of small
// summed squared distance to their means, which is the inertia.
// Each start is seeded by greedy k-means++ (Arthur, Vassilvitskii 2007) and
// refined by Lloyd's iteration; ties go to the lower centre, the lower row and the
// earlier start, and a group left empty takes the row farthest from its centre.
// Labels are canonical and do not depend on Threads. It panics unless
// min(1, n) <= k <= n, and returns an error if an entry of x is not finite, an option is
// negative, or the context ends.
//
// A start takes n k d log k steps for its centres, and n k d for the first iteration; later ones
// take fewer, of the centres alone whose points have changed.
//
// See also [PivotedQR] and [Cluster].
func KMeans(ctx context.Context, x mat.Matrix, k int, o KMeansOptions) (labels []int, inertia float64, err error) {
	n, d := x.Dims()
	if k < min(1, n) || k > n {
		panic(badClusters)
	}
	if o.Restarts < 0 || o.MaxIter < 0 {
		return nil, 0, fmt.Errorf("spectral: k-means with %d restarts of %d iterations: want none below 0", o.Restarts, o.MaxIter)
	}
	if n == 0 {
		return nil, 0, nil
	}
	points := make([]float64, 0, n*d)
	for i := range n {
		for j := range d {
			v := x.At(i, j)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, 0, fmt.Errorf("spectral: row %d, column %d of the points is %v: k-means needs finite numbers", i, j, v)
			}
			points = append(points, v)
		}
	}
	if o.Restarts == 0 {
		o.Restarts = 10
	}
	if o.MaxIter == 0 {
		o.MaxIter = 300
	}
	c := newPointSet(n, d, points)
	starts := make([]*lloyd, o.Restarts)
	for r := range starts {
		starts[r] = &lloyd{
			pointSet: c, k: k, rnd: rand.New(rand.NewPCG(o.Seed, uint64(r))),
			centres: make([]float64, k*d), label: make([]int, n), size: make([]int, k), dist: make([]float64, n),
		}
	}
	threads := min(par.Threads(o.Threads), o.Restarts)
	par.Blocks(threads, o.Restarts, (o.Restarts+threads-1)/threads, func(lo, hi int) {
		seedCentres(ctx, starts[lo:hi])
		for _, s := range starts[lo:hi] {
			s.run(ctx, o.MaxIter)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	best := starts[0]
	for _, s := range starts[1:] {
		if s.inertia() < best.inertia() {
			best = s
		}
	}
	canonicalize(best.label)
	return best.label, best.inertia(), nil
}

// pointSet is the n points of d dimensions.
type pointSet struct {
	n, d    int
	points  []float64      // n x d
	columns *dense.PackedB // points transposed, d x n
	square  []float64      // squared length of each point
}

func newPointSet(n, d int, points []float64) *pointSet {
	c := &pointSet{n, d, points, dense.Pack(1, d, n, dense.Rows(points, d).T()), make([]float64, n)}
	for i := range n {
		c.square[i] = floats.Dot(c.point(i), c.point(i))
	}
	return c
}

func (c *pointSet) point(i int) []float64 { return c.points[i*c.d:][:c.d] }

// inner returns the inner products, vectors x n, of the vectors in rows with all points, in
// dst if its capacity suffices.
func (c *pointSet) inner(dst, rows []float64) []float64 {
	m := len(rows) / c.d
	dst = slices.Grow(dst[:0], m*c.n)[:m*c.n]
	clear(dst)
	c.columns.Multiply(1, m, dense.Rows(rows, c.d), dst, c.n)
	return dst
}

// lloyd is the state of one start.
type lloyd struct {
	*pointSet
	k       int
	rnd     *rand.Rand
	centres []float64 // k x d
	label   []int     // centre of each point
	size    []int     // points of each centre
	dist    []float64 // squared distance of each point to its centre
}

func (s *lloyd) centre(c int) []float64 { return s.centres[c*s.d:][:s.d] }
func (s *lloyd) inertia() float64       { return floats.Sum(s.dist) }

// seedCentres places the centres of starts: each is the best of candidates drawn with
// probability proportional to the squared distance to the nearest centre so far. The
// starts take each step at the same time, so that one product serves the candidates of
// all.
func seedCentres(ctx context.Context, starts []*lloyd) {
	c, k := starts[0].pointSet, starts[0].k
	for _, s := range starts {
		for i := range s.dist {
			s.dist[i] = math.Inf(1)
		}
	}
	var drawn []int
	var rows, inner []float64
	for step := range k {
		if ctx.Err() != nil {
			return
		}
		drawn, rows = drawn[:0], rows[:0]
		for _, s := range starts {
			if step == 0 {
				drawn = append(drawn, s.rnd.IntN(c.n))
			} else {
				drawn = s.draw(drawn, 2+int(math.Log(float64(k))))
			}
		}
		for _, p := range drawn {
			rows = append(rows, c.point(p)...)
		}
		inner = c.inner(inner, rows)
		trials := len(drawn) / len(starts)
		for r, s := range starts {
			s.placeCentre(step, drawn[r*trials:][:trials], inner[r*trials*c.n:])
		}
	}
}

// draw appends the indices of count points drawn with probability proportional to dist.
func (s *lloyd) draw(drawn []int, count int) []int {
	total := floats.Sum(s.dist)
	for range count {
		u := s.rnd.Float64() * total
		point := 0 // rounding may leave u positive at the end; all may be zero
		for i, w := range s.dist {
			if w > 0 {
				point = i
				if u -= w; u < 0 {
					break
				}
			}
		}
		drawn = append(drawn, point)
	}
	return drawn
}

// placeCentre sets centre c to the point, of those drawn, that leaves the least summed
// distance. Distances are |x|² + |p|² - 2 x.p; below the rounding error of equal points
// they are 0. It overwrites inner, the products of the points drawn with all points.
func (s *lloyd) placeCentre(c int, drawn []int, inner []float64) {
	leastTotal := math.Inf(1)
	var best []float64
	for t, p := range drawn {
		row, square := inner[t*s.n:][:s.n], s.square[:s.n]
		for i, nearest := range s.dist[:s.n] {
			squares := square[i] + square[p]
			d := squares - 2*row[i]
			if d < 1e-14*squares {
				d = 0
			}
			row[i] = min(d, nearest)
		}
		if total := floats.Sum(row); total < leastTotal || best == nil {
			leastTotal, best = total, row
			copy(s.centre(c), s.point(p))
		}
	}
	copy(s.dist, best)
}

// run iterates Lloyd's algorithm. Only centres whose points have changed are computed
// again, and their products with the points.
func (s *lloyd) run(ctx context.Context, maxIter int) {
	stale := make([]int, s.k)
	for c := range stale {
		stale[c] = c
	}
	for i := range s.label {
		s.label[i] = -1
	}
	previous, scores, inner := make([]int, s.n), make([]float64, s.k*s.n), make([]float64, s.k*s.n)
	for range maxIter {
		if ctx.Err() != nil {
			return
		}
		s.score(scores, inner, stale)
		copy(previous, s.label)
		s.assign(scores)
		s.repair()
		stale = s.changedCentres(stale[:0], previous)
		if len(stale) == 0 {
			break
		}
		s.update(stale)
	}
	s.updateDistances()
}

// score sets the rows of the given centres in the k x n scores: |c|² - 2 x.c, which is
// least for the centre nearest to x. It overwrites inner.
func (s *lloyd) score(scores, inner []float64, centres []int) {
	rows := make([]float64, 0, len(centres)*s.d)
	for _, c := range centres {
		rows = append(rows, s.centre(c)...)
	}
	inner = s.inner(inner, rows)
	for r, c := range centres {
		square := floats.Dot(s.centre(c), s.centre(c))
		row := scores[c*s.n:][:s.n]
		for i, v := range inner[r*s.n:][:s.n] {
			row[i] = square - 2*v
		}
	}
}

// assign gives each point the nearest centre, the lower of those that tie.
func (s *lloyd) assign(scores []float64) {
	minima := slices.Clone(scores[:s.n])
	label := s.label[:s.n]
	clear(label)
	for c := 1; c < s.k; c++ {
		for i, v := range scores[c*s.n:][:len(minima)] {
			if v < minima[i] {
				label[i], minima[i] = c, v
			}
		}
	}
	clear(s.size)
	for _, c := range label {
		s.size[c]++
	}
}

// updateDistances computes dist.
func (s *lloyd) updateDistances() {
	for i, c := range s.label {
		s.dist[i] = squaredDistance(s.point(i), s.centre(c))
	}
}

// repair gives each empty centre the point that is farthest from its own centre and not
// the only one there, the first of those that tie. One exists as k <= n.
func (s *lloyd) repair() {
	if slices.Min(s.size) > 0 {
		return
	}
	s.updateDistances()
	for c, size := range s.size {
		if size > 0 {
			continue
		}
		farthest := -1
		for i, l := range s.label {
			if s.size[l] > 1 && (farthest < 0 || s.dist[i] > s.dist[farthest]) {
				farthest = i
			}
		}
		s.size[s.label[farthest]]--
		s.label[farthest], s.dist[farthest], s.size[c] = c, 0, 1
	}
}

// changedCentres appends the centres that have lost or won a point.
func (s *lloyd) changedCentres(centres, previous []int) []int {
	changed := make([]bool, s.k)
	for i, l := range s.label {
		if origin := previous[i]; origin != l {
			changed[l] = true
			if origin >= 0 {
				changed[origin] = true
			}
		}
	}
	for c, ok := range changed {
		if ok {
			centres = append(centres, c)
		}
	}
	return centres
}

// update moves centres to the mean of their points.
func (s *lloyd) update(centres []int) {
	selected := make([]bool, s.k)
	for _, c := range centres {
		selected[c] = true
		clear(s.centre(c))
	}
	for i, l := range s.label {
		if selected[l] {
			floats.Add(s.centre(l), s.point(i))
		}
	}
	for _, c := range centres {
		floats.Scale(1/float64(s.size[c]), s.centre(c))
	}
}

// squaredDistance returns the squared Euclidean distance of a and b.
func squaredDistance(a, b []float64) float64 {
	b = b[:len(a)]
	var p, q, r, s float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		p, q, r, s = p+float64(d0*d0), q+float64(d1*d1), r+float64(d2*d2), s+float64(d3*d3)
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		p += float64(d * d)
	}
	return (p + q) + (r + s)
}
