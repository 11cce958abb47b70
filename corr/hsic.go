package corr

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// HSIC are the sums from which the Hilbert-Schmidt independence criterion of linear
// kernels of every two networks follows, unbiased, and with it debiased CKA: in one
// pass, of any length, that can be merged with others.
//
// # Derivation
//
// For samples x_i and y_i, the rows of X and Y, and their inner products K = XX^T and
// L = YY^T, whose diagonals are set to zero in K' and L', the unbiased estimator of n
// samples is (Song, Smola, Gretton, Bedo and Borgwardt, "Feature selection via
// dependence maximization", JMLR 13, 2012, equation 5)
//
//	[tr K'L' + 1'K'1 1'L'1 / ((n-1)(n-2)) - 2 1'K'L'1 / (n-2)] / (n(n-3))
//
// To move all x_i by the same vector adds f_i + f_j to each K_ij off the diagonal, for
// some f, and this does not change the estimate, as that of f_i + f_j with any L' is 0
// (Székely and Rizzo, "Partial distance correlation", 2014). So let X and Y be centred
// on their means. Then K1 = 0 and L1 = 0, and with u_i = |x_i|^2 and v_i = |y_i|^2, the
// diagonals of K and L,
//
//	K'1 = -u    tr K'L' = tr KL - sum u_i v_i    1'K'L'1 = sum u_i v_i
//
// where tr KL = |X^T Y|_F^2 and sum u_i = tr X^T X are known from second moments. What
// these do not give is sum u_i v_i alone. It is kept about the mean so far, and when the
// mean moves by d in x and e in y, then
//
//	|x-d|^2 |y-e|^2 = (u - 2 d'x + d'd) (v - 2 e'y + e'e)
//
// summed over samples needs, beyond second moments, sum u y and sum v x. These move
// likewise: for z, the units of all networks, and g, which they move by,
//
//	sum |x-d|^2 (z-g) = sum u z - g sum u - 2 sum z x'd - n d'd g
//
// All of this is in float64, about means, so neither a mean far from zero nor the number
// of samples costs accuracy.
//
// A sample is what is independent, such as an image: pool or flatten positions first
// (see [Tensor.Pool], [Tensor.Flatten]). For many more units than samples see [Gram].
//
// Memory is 8 P^2 bytes for P units of all networks, and twice that and 8 KB for each unit
// besides while samples are added. Neither how the stream is cut nor the number of threads
// changes a bit. Several goroutines may read figures at once; adding excludes all else.
type HSIC struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	samples samples
	units   []int // per network
	begin   []int // first unit of each network in the joint order, and their total
	whole   hsic
	block   []float32 // samples not yet in whole, rows of all units
	rows    int       // in block
	figures *hsicSnapshot
}

// hsicSnapshot is the sums of all samples, once a figure is read.
type hsicSnapshot struct {
	once sync.Once
	*hsic
}

// hsicRows is how many samples are added to the sums at once.
const hsicRows = 512

// NewHSIC returns empty sums for networks of the given numbers of units. It panics if
// there is no network or one has no unit.
func NewHSIC(units ...int) *HSIC {
	if len(units) == 0 {
		panic("corr: no networks")
	}
	h := &HSIC{units: slices.Clone(units), begin: []int{0}, figures: new(hsicSnapshot)}
	for i, u := range units {
		if u < 1 {
			panic("corr: network without units")
		}
		h.begin = append(h.begin, h.begin[i]+u)
	}
	h.whole = newHSIC(h.begin)
	h.block = make([]float32, hsicRows*len(h.whole.mean))
	return h
}

// Count returns the number of samples added.
func (h *HSIC) Count() int64 { return h.whole.count + int64(h.rows) }

// Add adds samples: activations[i] holds those of network i, one row of its units for
// each sample, in row-major order. If one is NaN or infinite the error names it, and
// nothing is added. Add panics if a length does not fit.
func (h *HSIC) Add(samples int, activations ...[]float32) error {
	if len(activations) != len(h.units) {
		panic("corr: activations are needed for every network")
	}
	tensors := make([]Tensor, len(activations))
	for i, a := range activations {
		if len(a) != samples*h.units[i] {
			panic("corr: activations have the wrong length")
		}
		tensors[i] = Rows(a, samples, h.units[i], h.units[i])
	}
	return h.AddTensors(nil, tensors...)
}

// AddTensors adds samples as they lie in memory, a tensor of each network, all of the
// same samples and of one position. ids identify the samples, one each, so that the same
// pass is not merged twice; without ids, which is nil, nothing is checked.
//
// If an activation is NaN or infinite the error names it, and nothing is added.
// AddTensors panics if a shape does not fit.
func (h *HSIC) AddTensors(ids []uint64, tensors ...Tensor) error {
	if len(tensors) != len(h.units) {
		panic("corr: activations are needed for every network")
	}
	n := tensors[0].samples
	for i, t := range tensors {
		if t.positions != 1 {
			panic("corr: a sample has several positions: pool or flatten them")
		}
		if t.units != h.units[i] || t.samples != n {
			panic("corr: a tensor has the wrong shape")
		}
	}
	if ids != nil && len(ids) != n {
		panic("corr: an identifier is needed for every sample")
	}
	if n == 0 {
		return nil
	}
	threads := par.Threads(h.Threads)
	if err := check(threads, h.Count(), 0, n, tensors); err != nil {
		return err
	}
	if ids == nil {
		h.samples.Unknown = true
	} else {
		h.samples.add(ids, 1)
	}
	h.figures = new(hsicSnapshot)
	p := len(h.whole.mean)
	for lo, hi := 0, 0; lo < n; lo = hi {
		hi = min(n, lo+hsicRows-h.rows)
		for i, t := range tensors {
			t.copyTo(h.block[h.rows*p+h.begin[i]:], p, lo, hi)
		}
		if h.rows += hi - lo; h.rows == hsicRows {
			h.whole.merge(threads, h.begin, hsicOf(threads, h.begin, h.rows, h.block))
			h.rows = 0
		}
	}
	return nil
}

// Merge adds the samples of o, of networks of the same numbers of units. The result
// agrees with one pass over both up to rounding in float64, in whatever order parts are
// merged. Other units, or samples that h has already, as far as both know theirs, are an
// error; then h is unchanged.
func (h *HSIC) Merge(o *HSIC) error {
	if !slices.Equal(h.units, o.units) {
		return fmt.Errorf("corr: HSIC of networks of %v units cannot be merged with those of %v", h.units, o.units)
	}
	if o.Count() == 0 {
		return nil
	}
	if err := h.samples.merge(o.samples); err != nil {
		return fmt.Errorf("corr: HSIC cannot be merged: %w", err)
	}
	sum := h.snapshot().clone()
	sum.merge(par.Threads(h.Threads), h.begin, o.snapshot().clone())
	h.whole, h.rows, h.figures = sum, 0, new(hsicSnapshot)
	return nil
}

// snapshot returns the sums of all samples. Adding more is not affected.
func (h *HSIC) snapshot() *hsic {
	if h.rows == 0 {
		return &h.whole
	}
	f := h.figures
	f.once.Do(func() {
		total, threads := h.whole.clone(), par.Threads(h.Threads)
		total.merge(threads, h.begin, hsicOf(threads, h.begin, h.rows, h.block))
		f.hsic = &total
	})
	return f.hsic
}

// require panics unless there are networks a and b.
func (h *HSIC) require(a, b int) {
	if min(a, b) < 0 || max(a, b) >= len(h.units) {
		panic(badNetwork)
	}
}

// Unbiased returns the unbiased estimate of HSIC for linear kernels of networks a and b:
// of the squared Frobenius norm of the covariances that their units have in the
// population. Its mean over independent data is 0, so it can be negative. Fewer than 4
// samples are an error that wraps [ErrTooFewObservations].
func (h *HSIC) Unbiased(a, b int) (float64, error) {
	h.require(a, b)
	if h.Count() < 4 {
		return math.NaN(), fmt.Errorf("corr: %w: unbiased HSIC needs 4 samples, there are %d", ErrTooFewObservations, h.Count())
	}
	s := h.snapshot()
	q := s.fourth[min(a, b)*len(h.units)+max(a, b)]
	u, v := s.trace(h.begin, a), s.trace(h.begin, b)
	return unbiasedHSIC(int(s.count), s.squaredNorm(h.begin, a, b)-q, -u, -v, q), nil
}

// unbiasedHSIC is the estimator of Song and others of matrices with zero diagonals,
// given tr K'L', the sums of all elements of each, and 1'K'L'1.
func unbiasedHSIC(samples int, trace, sumK, sumL, rows float64) float64 {
	n := float64(samples)
	return (trace + sumK*sumL/(n-1)/(n-2) - 2*rows/(n-2)) / n / (n - 3)
}

// CKA returns linear CKA of networks a and b over samples, which [Pair.CKA] documents:
// with d dimensions and n samples, of independent data it is of the order of d/n.
func (h *HSIC) CKA(a, b int) (float64, error) {
	h.require(a, b)
	s := h.snapshot()
	x, y := s.squaredNorm(h.begin, a, a), s.squaredNorm(h.begin, b, b)
	if s.count < 3 {
		return math.NaN(), fmt.Errorf("corr: %w: %d", ErrTooFewObservations, s.count)
	}
	if x == 0 || y == 0 {
		return math.NaN(), fmt.Errorf("corr: %w", ErrNoLiveUnits)
	}
	return min(1, s.squaredNorm(h.begin, a, b)/(math.Sqrt(x)*math.Sqrt(y))), nil
}

// DebiasedCKA returns linear CKA of networks a and b with the unbiased estimates of
// HSIC in place of those of the samples (Nguyen, Raghu and Kornblith, "Do wide and deep
// networks learn the same things?", ICLR 2021):
//
//	HSIC(a, b) / sqrt(HSIC(a, a) HSIC(b, b))
//
// in [-1, 1], 1 for a network with itself; symmetric; invariant to rotations of either
// network's units and to a factor for all of them. That of independent data is 0 on
// average, however few the samples: over all permutations of b's, exactly.
//
// Fewer than 4 samples are an error that wraps [ErrTooFewObservations], and so is, wrapping
// [ErrNoLiveUnits], a network whose units are all dead. Samples that are all equally far from
// each other, but for a term that each adds to its own distances, have no structure to
// compare, which is an error too.
func (h *HSIC) DebiasedCKA(a, b int) (float64, error) {
	var hsic [3]float64
	for i, pair := range [][2]int{{a, b}, {a, a}, {b, b}} {
		var err error
		if hsic[i], err = h.Unbiased(pair[0], pair[1]); err != nil {
			return math.NaN(), err
		}
	}
	s := h.snapshot()
	return debiasedCKA(int(s.count), hsic, s.squaredNorm(h.begin, a, a), s.squaredNorm(h.begin, b, b))
}

// debiasedCKA returns that of HSIC of a and b, a and a, and b and b, and the squared
// norms of the inner products of centred samples.
func debiasedCKA(samples int, hsic [3]float64, squaresA, squaresB float64) (float64, error) {
	n := float64(samples)
	for i, squares := range []float64{squaresA, squaresB} {
		if squares == 0 {
			return math.NaN(), fmt.Errorf("corr: %w", ErrNoLiveUnits)
		}
		// What is left of products that cancel is rounding.
		if hsic[1+i]*n*(n-3) < 1e-12*squares {
			ordinal := [2]string{"first", "second"}[i]
			return math.NaN(), fmt.Errorf("corr: samples of the %s network have no structure: debiased CKA is not defined", ordinal)
		}
	}
	// Rounding takes some beyond 1.
	return max(-1, min(1, hsic[0]/(math.Sqrt(hsic[1])*math.Sqrt(hsic[2])))), nil
}

// hsic are sums over samples of what deviates from the mean: z the units of all
// networks side by side, x_a those of network a.
type hsic struct {
	count  int64
	mean   []float64
	prod   []float64 // units x units: z z^T
	third  []float64 // networks x units: |x_a|^2 z
	fourth []float64 // networks x networks, a <= b: |x_a|^2 |x_b|^2
}

func newHSIC(begin []int) hsic {
	networks := len(begin) - 1
	p := begin[networks]
	return hsic{0, make([]float64, p), make([]float64, p*p), make([]float64, networks*p), make([]float64, networks*networks)}
}

func (s *hsic) clone() hsic {
	return hsic{s.count, slices.Clone(s.mean), slices.Clone(s.prod), slices.Clone(s.third), slices.Clone(s.fourth)}
}

// hsicOf returns the sums of n rows.
func hsicOf(threads int, begin []int, n int, rows []float32) hsic {
	s := newHSIC(begin)
	s.count = int64(n)
	p, networks := len(s.mean), len(begin)-1
	z, norms := make([]float64, n*p), make([]float64, n*networks)
	for r := range n {
		for i, v := range rows[r*p:][:p] {
			s.mean[i] += float64(v)
		}
	}
	for i := range s.mean {
		s.mean[i] /= float64(n)
	}
	par.For(threads, n, func(r int) {
		row := z[r*p:][:p]
		for i, v := range rows[r*p:][:p] {
			row[i] = float64(v) - s.mean[i]
		}
		for a := range networks {
			x := row[begin[a]:begin[a+1]]
			norms[r*networks+a] = dense.Dot(x, x)
		}
	})
	par.Blocks(threads, p, 128, func(lo, hi int) {
		dense.Gemm(1, dense.Product{M: hi - lo, N: p - lo, K: n, A: dense.Rows(z[lo:], p).T(), B: dense.Rows(z[lo:], p), C: s.prod[lo*p+lo:], LDC: p})
	})
	for i := range p {
		for j := range i {
			s.prod[i*p+j] = s.prod[j*p+i]
		}
	}
	dense.Gemm(threads, dense.Product{M: networks, N: p, K: n, A: dense.Rows(norms, networks).T(), B: dense.Rows(z, p), C: s.third, LDC: p})
	dense.Gemm(threads, dense.Product{M: networks, N: networks, K: n, A: dense.Rows(norms, networks).T(), B: dense.Rows(norms, networks), C: s.fourth, LDC: networks})
	return s
}

// merge adds the sums of other samples, and makes use of their memory.
func (s *hsic) merge(threads int, begin []int, o hsic) {
	if s.count == 0 {
		*s = o
		return
	}
	total := float64(s.count + o.count)
	there, back := make([]float64, len(s.mean)), make([]float64, len(s.mean))
	for i := range there {
		d := o.mean[i] - s.mean[i]
		there[i], back[i] = d*(float64(o.count)/total), -d*(float64(s.count)/total)
	}
	s.move(threads, begin, there)
	o.move(threads, begin, back)
	for _, x := range [][2][]float64{{s.prod, o.prod}, {s.third, o.third}, {s.fourth, o.fourth}} {
		par.Blocks(threads, len(x[0]), 1<<16, func(lo, hi int) {
			dense.AddScaled(x[0][lo:hi], 1, x[1][lo:hi])
		})
	}
	s.count += o.count
}

// move takes deviations from the mean plus d instead of the mean.
func (s *hsic) move(threads int, begin []int, d []float64) {
	p, networks, n := len(s.mean), len(begin)-1, float64(s.count)
	along := make([]float64, networks*p) // of network a: z x_a'd_a
	par.Blocks(threads, p, 512, func(lo, hi int) {
		for a := range networks {
			for i := begin[a]; i < begin[a+1]; i++ {
				dense.AddScaled(along[a*p+lo:a*p+hi], d[i], s.prod[i*p+lo:i*p+hi])
			}
		}
	})
	traces, lengths := make([]float64, networks), make([]float64, networks)
	of := func(x []float64, a int) []float64 { return x[begin[a]:begin[a+1]] }
	for a := range networks {
		traces[a], lengths[a] = s.trace(begin, a), dense.Dot(of(d, a), of(d, a))
	}
	for a := range networks {
		for b := a; b < networks; b++ {
			s.fourth[a*networks+b] += 4*dense.Dot(of(along[a*p:], b), of(d, b)) -
				2*dense.Dot(of(s.third[a*p:], b), of(d, b)) - 2*dense.Dot(of(s.third[b*p:], a), of(d, a)) +
				float64(lengths[b]*traces[a]) + float64(lengths[a]*traces[b]) + float64(n*lengths[a]*lengths[b])
		}
	}
	for a := range networks {
		third := s.third[a*p:][:p]
		dense.AddScaled(third, -2, along[a*p:][:p])
		dense.AddScaled(third, -(traces[a] + float64(n*lengths[a])), d)
	}
	par.For(threads, p, func(i int) {
		dense.AddScaled(s.prod[i*p:][:p], n*d[i], d)
	})
	for i := range d {
		s.mean[i] += d[i]
	}
}

// trace is that of network a's products.
func (s *hsic) trace(begin []int, a int) float64 {
	var sum float64
	for i := begin[a]; i < begin[a+1]; i++ {
		sum += s.prod[i*(len(s.mean)+1)]
	}
	return sum
}

// squares is the squared Frobenius norm of the products of networks a and b, the same
// bits for b and a.
func (s *hsic) squaredNorm(begin []int, a, b int) float64 {
	a, b = min(a, b), max(a, b)
	var sum float64
	for i := begin[a]; i < begin[a+1]; i++ {
		sum += squaredNorm(s.prod[i*len(s.mean):][begin[b]:begin[b+1]])
	}
	return sum
}
