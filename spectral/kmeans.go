package spectral

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// KMeansOptions steers [KMeans].
type KMeansOptions struct {
	Restarts int    // independent starts, of which the best is kept; 0 means 10
	MaxIter  int    // Lloyd iterations per start; 0 means 300
	Seed     uint64 // start r draws from the PCG stream (Seed, r)
	Threads  int    // restarts run side by side; 0 means all cores
}

// KMeans divides the n rows of x into exactly k groups, none empty, of small
// summed squared distance to their means, which is returned as the inertia.
// Each start is seeded by greedy k-means++ (Arthur, Vassilvitskii 2007) and
// refined by Lloyd's iteration; ties go to the lower centre, the lower row and the
// earlier start, and a group left empty takes the row farthest from its centre.
// Labels are canonical and do not depend on Threads. It panics unless
// min(1, n) <= k <= n, and returns an error if an entry of x is not finite.
func KMeans(x mat.Matrix, k int, o KMeansOptions) (labels []int, inertia float64, err error) {
	n, d := x.Dims()
	if k < min(1, n) || k > n {
		panic(badClusters)
	}
	if o.Restarts < 0 || o.MaxIter < 0 {
		panic(badOptions)
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
	columns, square := make([]float64, n*d), make([]float64, n)
	for i := range n {
		for j, v := range points[i*d:][:d] {
			columns[j*n+i] = v
			square[i] += v * v
		}
	}
	starts := make([]*lloyd, o.Restarts)
	par.For(par.Threads(o.Threads), o.Restarts, func(r int) {
		starts[r] = &lloyd{
			n: n, d: d, k: k, points: points, columns: columns, square: square,
			centres: make([]float64, k*d), label: make([]int, n), dist: make([]float64, n), size: make([]int, k),
			inner: make([]float64, n),
		}
		starts[r].run(rand.New(rand.NewPCG(o.Seed, uint64(r))), o.MaxIter)
	})
	best := starts[0]
	for _, s := range starts[1:] {
		if s.inertia() < best.inertia() {
			best = s
		}
	}
	canonical(best.label)
	return best.label, best.inertia(), nil
}

// lloyd is the state of one start.
type lloyd struct {
	n, d, k int
	points  []float64 // n x d
	columns []float64 // the same, d x n
	square  []float64 // squared length of each point
	centres []float64 // k x d
	label   []int     // centre of each point
	dist    []float64 // squared distance of each point to its centre
	size    []int     // points of each centre
	inner   []float64 // a product of each point
}

func (s *lloyd) point(i int) []float64  { return s.points[i*s.d:][:s.d] }
func (s *lloyd) centre(c int) []float64 { return s.centres[c*s.d:][:s.d] }
func (s *lloyd) inertia() float64       { return floats.Sum(s.dist) }

func (s *lloyd) run(rng *rand.Rand, maxIter int) {
	s.seed(rng)
	before := make([]int, s.n)
	for range maxIter {
		copy(before, s.label)
		s.assign()
		s.repair()
		if slices.Equal(before, s.label) {
			break
		}
		s.update()
	}
}

// seed places the centres: each is the best of a few points drawn with
// probability proportional to the squared distance to the nearest centre so far.
func (s *lloyd) seed(rng *rand.Rand) {
	first := rng.IntN(s.n)
	copy(s.centre(0), s.point(first))
	for i := range s.dist {
		s.dist[i] = math.Inf(1)
	}
	s.nearer(s.dist, s.dist, first)
	trials := 2 + int(math.Log(float64(s.k)))
	best, trial := make([]float64, s.n), make([]float64, s.n)
	for c := 1; c < s.k; c++ {
		least := math.Inf(1)
		for range trials {
			p := draw(rng, s.dist)
			s.nearer(trial, s.dist, p)
			if total := floats.Sum(trial); total < least {
				least = total
				copy(s.centre(c), s.point(p))
				best, trial = trial, best
			}
		}
		s.dist, best = best, s.dist
	}
	for i := range s.label {
		s.label[i] = -1
	}
}

// nearer sets dst to the smaller of dist and the squared distances to point p, by
// |x|² + |p|² - 2 x.p, of which what rounding leaves of equal points is none.
func (s *lloyd) nearer(dst, dist []float64, p int) {
	inner := s.inner
	clear(inner)
	dense.Thin(1, 1, s.n, s.d, s.point(p), s.d, s.columns, s.n, inner, s.n)
	for i, v := range inner {
		both := s.square[i] + s.square[p]
		d := both - 2*v
		if d < 1e-14*both {
			d = 0
		}
		dst[i] = min(dist[i], d)
	}
}

// draw returns an index with probability proportional to its weight.
func draw(rng *rand.Rand, weight []float64) int {
	u := rng.Float64() * floats.Sum(weight)
	last := 0 // rounding may leave u positive at the end; all weights may be zero
	for i, w := range weight {
		if w > 0 {
			last = i
			if u -= w; u < 0 {
				break
			}
		}
	}
	return last
}

// assign gives each point the nearest centre, the lower of those that tie: the one with
// the least |c|² - 2 x.c, which products of matrices give.
func (s *lloyd) assign() {
	clear(s.size)
	square := make([]float64, s.k)
	for c := range square {
		for _, v := range s.centre(c) {
			square[c] += v * v
		}
	}
	scores := make([]float64, s.n*s.k)
	dense.Gemm(1, s.n, s.k, s.d, -2, dense.Rows(s.points, s.d), dense.Rows(s.centres, s.d).T(), scores, s.k)
	for i := range s.label {
		label, least := 0, math.Inf(1)
		for c, v := range scores[i*s.k:][:s.k] {
			if v += square[c]; v < least {
				label, least = c, v
			}
		}
		s.label[i], s.dist[i] = label, distance(s.point(i), s.centre(label))
		s.size[label]++
	}
}

// repair gives each empty centre the point farthest from its own, the first of
// those that tie, unless that point is alone there. One exists as k <= n.
func (s *lloyd) repair() {
	for c, size := range s.size {
		if size > 0 {
			continue
		}
		far := -1
		for i, l := range s.label {
			if s.size[l] > 1 && (far < 0 || s.dist[i] > s.dist[far]) {
				far = i
			}
		}
		s.size[s.label[far]]--
		s.label[far], s.dist[far], s.size[c] = c, 0, 1
	}
}

// update moves each centre to the mean of its points.
func (s *lloyd) update() {
	clear(s.centres)
	for i, l := range s.label {
		c := s.centre(l)
		for j, v := range s.point(i) {
			c[j] += v
		}
	}
	for l, size := range s.size {
		c := s.centre(l)
		for j := range c {
			c[j] /= float64(size)
		}
	}
}

// distance returns the squared Euclidean distance.
func distance(a, b []float64) float64 {
	b = b[:len(a)]
	var p, q, r, s float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		p, q, r, s = p+d0*d0, q+d1*d1, r+d2*d2, s+d3*d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		p += d * d
	}
	return (p + q) + (r + s)
}
