package corr

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// GramPair is what two networks' inner products of the same samples have to do with each
// other. From these follow measures that a [Pair] of units has no answer to, and some that
// are those of a Pair at another cost, which is n^2 for n samples whatever the features.
//
// A measure keeps what it found of a Gram for the next permutation of samples, and of the
// pair for the next measure; a GramPair may be used by several at once, as long as nothing is
// added to its Grams.
type GramPair struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	a, b  *Gram
	order []int // sample i of a is with sample order[i] of b; nil: with i

	set  *gramSet
	x, y int // a and b in the set
}

// NewGramPair returns the pair of two Grams of the same samples in the same order. Others,
// as far as both know theirs, are an error.
func NewGramPair(a, b *Gram) (*GramPair, error) {
	if err := sameSamples(a, b); err != nil {
		return nil, err
	}
	return newGramPair(0, a, b, nil), nil
}

func newGramPair(threads int, a, b *Gram, order []int) *GramPair {
	return &GramPair{Threads: threads, a: a, b: b, order: order, set: &gramSet{grams: []*Gram{a, b}, orders: [][]int{nil, order}}, y: 1}
}

// sameSamples returns an error if Grams are not of the same samples, as far as both know theirs.
func sameSamples(a, b *Gram) error {
	if a.n != b.n {
		return fmt.Errorf("corr: Grams of %d and of %d samples are not of the same", a.n, b.n)
	}
	if a.unidentified || b.unidentified {
		return nil
	}
	return different(a.ids, b.ids, 0, "the second Gram", "the first")
}

// Permuted returns the pair in which sample i of a is with the sample of b that was with
// sample order[i] of a. It shares memory, and what measures found, with c. It panics unless
// order is a permutation of the samples.
func (c *GramPair) Permuted(order []int) *GramPair {
	checkPermutation(order, c.a.n)
	partner := make([]int, len(order))
	for i := range partner {
		partner[i] = c.at(order[i])
	}
	return newGramPair(c.Threads, c.a, c.b, partner)
}

// checkPermutation panics unless order is a permutation of so many samples.
func checkPermutation(order []int, samples int) {
	taken := make([]bool, samples)
	sound := len(order) == samples
	for _, sample := range order {
		if sound = sound && sample >= 0 && sample < samples && !taken[sample]; !sound {
			break
		}
		taken[sample] = true
	}
	if !sound {
		panic("corr: not a permutation of the samples")
	}
}

// at is the sample of b that is with sample i of a.
func (c *GramPair) at(i int) int {
	if c.order == nil {
		return i
	}
	return c.order[i]
}

// RBF returns the pair of both networks' RBF kernels, in the same permutation of samples;
// see [Gram.RBF]. For many permutations make it once.
func (c *GramPair) RBF(share float64) (*GramPair, error) {
	a, err := c.a.RBF(share)
	if err != nil {
		return nil, c.in(0, err)
	}
	b, err := c.b.RBF(share)
	if err != nil {
		return nil, c.in(1, err)
	}
	return newGramPair(c.Threads, a, b, c.order), nil
}

// PermutationNull asks what samples that do not belong together would give: each draw
// permutes the samples of b at random, and takes the measure. Draw i depends on the seed
// and i alone. The measure must be safe to compute at once for different permutations; an
// error of it is one of PermutationNull.
func (c *GramPair) PermutationNull(ctx context.Context, draws int, seed uint64, measure func(*GramPair) (float64, error)) (Null, error) {
	if _, err := measure(c); err != nil { // and what all draws share is found by all threads
		return Null{}, err
	}
	var mu sync.Mutex
	var failed error
	null, err := draw(ctx, c.Threads, draws, seed, func(rnd *rand.Rand) float64 {
		p := c.Permuted(rnd.Perm(c.a.n))
		p.Threads = 1
		v, err := measure(p)
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = err
		}
		return v
	})
	if err == nil {
		err = failed
	}
	return null, err
}

// ready returns an error where no measure makes sense.
func (c *GramPair) ready(threshold int) error {
	if err := c.a.ready(threshold); err != nil {
		return c.in(0, err)
	}
	if err := c.b.ready(threshold); err != nil {
		return c.in(1, err)
	}
	return nil
}

// in says of which network an error is.
func (c *GramPair) in(network int, err error) error {
	return fmt.Errorf("%s network: %w", [2]string{"first", "second"}[network], err)
}

// CKA returns centred kernel alignment, for Grams of features linear CKA, which
// [Pair.CKA] documents: the cosine of K and L, the inner products of centred features,
//
//	<K, L> / (|K|_F |L|_F)
//
// in [0, 1] in n^2/2 steps. On average over permutations of n samples it is
// tr K tr L / ((n-1) |K|_F |L|_F), which for more features than samples is near 1:
// compare it with that, or take [GramPair.DebiasedCKA].
func (c *GramPair) CKA() (float64, error) {
	if err := c.ready(3); err != nil {
		return math.NaN(), err
	}
	between, a, b := c.sums()
	// Rounding takes some above 1.
	return min(1, between.innerProduct()/(math.Sqrt(a.innerProduct())*math.Sqrt(b.innerProduct()))), nil
}

// DebiasedCKA returns the same with unbiased estimates of HSIC, which
// [HSIC.DebiasedCKA] documents: in [-1, 1], and 0 on average over permutations of
// samples. Fewer than 4 samples are an error that wraps [ErrTooFewObservations].
func (c *GramPair) DebiasedCKA() (float64, error) {
	if err := c.ready(4); err != nil {
		return math.NaN(), err
	}
	between, a, b := c.sums()
	n := c.a.n
	return debiasedCKA(n, [3]float64{between.unbiased(n), a.unbiased(n), b.unbiased(n)}, a.innerProduct(), b.innerProduct())
}

// sums are those over the products of two matrices' elements.
type sums struct {
	off, diagonal float64 // off the diagonal, and on it
	rows          float64 // of the sums of rows off the diagonal
	sumK, sumL    float64 // of the matrices' own elements off the diagonal
}

// all is the inner product of the matrices.
func (s sums) innerProduct() float64 { return s.off + s.diagonal }

func (s sums) unbiased(samples int) float64 {
	return unbiasedHSIC(samples, s.off, s.sumK, s.sumL, s.rows)
}

// sums returns those between a and b, within a, and within b.
func (c *GramPair) sums() (between, a, b sums) {
	type key struct{}
	within := func(g *Gram) sums {
		return share(g, key{}, func() sums { return newGramPair(c.Threads, g, g, nil).between() })
	}
	return c.between(), within(c.a), within(c.b)
}

func (c *GramPair) between() sums {
	threads := par.Threads(c.Threads)
	s := sums{off: c.set.offDiagonal(threads, c.x, c.y)}
	a, b := c.a.rowsOff(threads), c.b.rowsOff(threads)
	for i := range c.a.n {
		j := c.at(i)
		s.diagonal += float64(c.a.diagonal(i) * c.b.diagonal(j)) // exact
		s.rows += float64(a[i] * b[j])
		s.sumK += a[i]
		s.sumL += b[j]
	}
	return s
}

// rowsOff returns the sums of rows off the diagonal.
func (g *Gram) rowsOff(threads int) []float64 {
	type key struct{}
	return share(g, key{}, func() []float64 {
		sums := make([]float64, g.n)
		par.Blocks(threads, g.n, 16, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for _, v := range g.products[i*g.n:][:g.n] {
					sums[i] += float64(v)
				}
				sums[i] -= g.diagonal(i)
			}
		})
		return sums
	})
}

// NBS returns normalised Bures similarity, for Grams of features that of [Pair.NBS],
//
//	tr (K^(1/2) L K^(1/2))^(1/2) / sqrt(tr K tr L)
//
// of the inner products K and L of centred features. It is the way for more features than
// samples; of fewer, a Pair is faster and more accurate.
//
// It takes n^3 steps some ten times for each network, once, and about as many for each
// permutation, in 8 n^2 bytes for each network and 32 n^2 at work: a few thousand samples,
// not 20,000. Directions whose share of the variance is less than 2^-22 n^(-1/2), which is
// what rounding of inner products makes of none, are left out: where all m of them are
// real the result is too small by sqrt(m) 2^-11 n^(-1/4) at most.
func (c *GramPair) NBS() (float64, error) {
	if err := c.ready(3); err != nil {
		return math.NaN(), err
	}
	n, threads := c.a.n, par.Threads(c.Threads)
	a, b := c.a.root(threads), c.b.root(threads)
	k, l := len(a)/n, len(b)/n
	if c.order != nil {
		turned := make([]float64, len(b))
		for r := range l {
			for i, o := range c.order {
				turned[r*n+i] = b[r*n+o]
			}
		}
		b = turned
	}
	cross := make([]float64, k*l)
	dense.Gemm(threads, dense.Product{M: k, N: l, K: n, A: dense.Rows(a, n), B: dense.Rows(b, n).T(), C: cross, LDC: l})
	return min(1, dense.NuclearNorm(threads, k, l, cross)/(math.Sqrt(squaredNorm(a))*math.Sqrt(squaredNorm(b)))), nil
}

// Procrustes returns the shape distance sqrt(2 - 2 NBS), which [Pair.Procrustes]
// documents; see [GramPair.NBS] for its cost and accuracy.
func (c *GramPair) Procrustes() (float64, error) {
	s, err := c.NBS()
	return math.Sqrt(2 - 2*s), err
}

// root returns R with R^T R the inner products: principal axes, as rows, times standard
// deviations.
func (g *Gram) root(threads int) []float64 {
	type key struct{}
	return share(g, key{}, func() []float64 {
		n := g.n
		x := make([]float64, n*n)
		for i, v := range g.products {
			x[i] = float64(v)
		}
		threshold := 0x1p-22 / math.Sqrt(float64(n)) * trace(x, n)
		values, rows := dense.Eigen(threads, n, x, n)
		rank := 0
		for ; rank < n && values[rank] > threshold; rank++ {
			for i := range n {
				rows[rank*n+i] *= math.Sqrt(values[rank])
			}
		}
		return rows[:rank*n]
	})
}
