package corr

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Gram are the inner products of every two samples of one network, over its features:
// pooled or flattened activations, which may be many more than the samples. It is the
// twin of [Moments], which are sums over samples for every two units, and holds what
// these cannot give: neighbours, ranks of distances, and kernels that are not linear. A
// [GramPair] of two networks has the measures.
//
// Features are centred on their means over all samples, which neither distances nor
// kernels that are centred anyway see. So a mean far from zero costs no accuracy. What
// activations are without this, for cosines, follows from a few sums for each sample.
//
// # Memory
//
// A Gram of n samples takes 4 n^2 bytes, 1.6 GB for 20,000 samples, whatever the number of
// features. While features are added it takes some 6 KB for each sample more, and if not all
// samples come at once, a copy of one block of features.
//
// # Accuracy
//
// An inner product is summed in float32, by one fused multiply-add a feature, in runs of
// 384 features or less which are then added up. With u = 2^-24, that of p features in r
// runs errs by at most
//
//	(384 + r) u sum_k |x_ik x_jk|
//
// if every rounding were the largest there is and all had one sign. Roundings that are
// independent make an error of about 0.2 u |x_i| |x_j|, 1e-8, for samples that differ,
// and of some 3 u for those that nearly agree. Samples that are equal are at distance 0
// exactly.
//
// How samples are cut into calls, and the number of threads, change no bit; how features
// are cut into blocks may change the last. A Gram that is complete may be read by several
// GramPairs at once.
type Gram struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	n            int
	ids          []uint64 // of the samples
	unidentified bool     // some samples came without
	features     int      // whose products were added
	kernel       bool     // inner products are not of features

	rows    []float32 // of the block of features that comes in, all of its samples so far
	pending int       // samples in rows

	products []float32 // n x n, of centred features
	centre   float64   // |m|^2 of the mean m

	// For each sample x: (x-m).m, and over its features the sum and that of squares.
	lift, sum, squares []float64

	mu    sync.Mutex
	cache map[any]any // what measures share
}

// NewGram returns an empty Gram of so many samples. It panics if there is none.
func NewGram(samples int) *Gram {
	if samples < 1 {
		panic("corr: no samples")
	}
	n := samples
	return &Gram{
		n: n, ids: make([]uint64, n), products: make([]float32, n*n),
		lift: make([]float64, n), sum: make([]float64, n), squares: make([]float64, n),
	}
}

// Samples returns the number of samples.
func (g *Gram) Samples() int { return g.n }

// Features returns the number of features of which all samples were added.
func (g *Gram) Features() int { return g.features }

// mostActivation is the largest whose squares may be summed in float32.
const mostActivation = 1e15

// Add adds the next samples, a tensor of one position with the units as features. Once
// all samples have come, the next block of features may follow, again from the first
// sample on: features of any number go in block by block, in memory for one block. A
// tensor of all samples is a block that is not copied.
//
// ids identify the samples, one each, so that each block must have the same in the same
// order, and so must two networks that are compared; without, which is nil, nothing is
// checked. An activation that is NaN or infinite, or beyond 1e15, whose square float32
// cannot hold, is an error that is or wraps an *[ActivationError], whose Row is the sample and
// Unit the feature, and nothing is added.
//
// Add panics if the tensor has several positions, other features than the samples before
// it, or more samples than are missing.
func (g *Gram) Add(ids []uint64, t Tensor) error {
	switch {
	case g.kernel:
		panic("corr: features cannot be added to another kernel")
	case t.positions != 1:
		panic("corr: a sample has several positions: pool or flatten them")
	case t.samples > g.n-g.pending || g.pending > 0 && t.units*g.pending != len(g.rows):
		panic("corr: a tensor has the wrong shape")
	case ids != nil && len(ids) != t.samples:
		panic("corr: an identifier is needed for every sample")
	case t.samples == 0:
		return nil
	}
	if err := g.sound(t); err != nil {
		return err
	}
	if err := g.identify(ids); err != nil {
		return err
	}
	g.cache = nil
	if t.samples == g.n {
		g.fold(t)
		return nil
	}
	g.rows = slices.Grow(g.rows, t.units*(g.n-g.pending))[:t.units*(g.pending+t.samples)]
	t.copyTo(g.rows[t.units*g.pending:], t.units, 0, t.samples)
	if g.pending += t.samples; g.pending == g.n {
		g.fold(Rows(g.rows, g.n, t.units, t.units))
		g.rows, g.pending = g.rows[:0], 0
	}
	return nil
}

// sound returns an error that names an activation that cannot be summed.
func (g *Gram) sound(t Tensor) error {
	bad := make([]int, t.samples) // 1 + the first bad feature
	par.Blocks(par.Threads(g.Threads), t.samples, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for k, v := range t.data[i*t.sampleStride:][:t.units] {
				if !(-mostActivation <= v && v <= mostActivation) {
					bad[i] = 1 + k
					break
				}
			}
		}
	})
	for i, k := range bad {
		if k > 0 {
			err := &ActivationError{0, int64(g.pending + i), g.features + k - 1, t.at(i, k-1)}
			if x := float64(err.Value); !math.IsNaN(x) && !math.IsInf(x, 0) {
				return fmt.Errorf("%w, which squares to more than float32 holds: scale the network's activations", err)
			}
			return err
		}
	}
	return nil
}

// identify notes the next samples, or compares them with those of the first block.
func (g *Gram) identify(ids []uint64) error {
	switch {
	case g.features == 0 && ids == nil:
		g.unidentified = true
	case g.features == 0:
		copy(g.ids[g.pending:], ids)
	case ids != nil && !g.unidentified:
		return different(g.ids[g.pending:], ids, g.pending, "this block of features", "the first")
	}
	return nil
}

// different returns an error that names the first sample, counted from a number on, that
// is not the same.
func different(a, b []uint64, from int, here, there string) error {
	for i, id := range b {
		if a[i] != id {
			return fmt.Errorf("corr: sample %d is %d in %s and %d in %s", from+i, id, here, a[i], there)
		}
	}
	return nil
}

// fold adds the products of a block of features of all samples.
func (g *Gram) fold(t Tensor) {
	const chunk = 2 * level3.KC // features at a time
	const tall = 512            // rows of products at a time
	threads, n := par.Threads(g.Threads), g.n
	buffer := level3.Scratch(n * min(chunk, t.units))
	defer level3.Release(buffer)
	for from := 0; from < t.units; from += chunk {
		part := t
		part.data, part.units = t.data[from:], min(chunk, t.units-from)
		x, width := *buffer, part.units
		par.Blocks(threads, n, 64, func(lo, hi int) {
			part.copyTo(x[lo*width:], width, lo, hi)
		})
		g.centreFeatures(threads, x[:n*width], width)
		for i := 0; i < n; i += tall { // the upper triangle, and some below
			rows := level3.Rows{Data: x[i*width:], Stride: width}
			level3.Gemm(threads, level3.Product{M: min(tall, n-i), N: n - i, K: width, A: rows, B: rows, C: g.products[i*n+i:], LDC: n, Epilogue: level3.Epilogue{Accumulate: true}})
		}
	}
	mirror(threads, n, g.products, n)
	g.features += t.units
}

// centreFeatures takes the means of features, side by side in rows, from them.
func (g *Gram) centreFeatures(threads int, x []float32, width int) {
	means := make([]float64, width)
	par.Blocks(threads, width, 64, func(lo, hi int) {
		for i := range g.n {
			for k, v := range x[i*width:][lo:hi] {
				means[lo+k] += float64(v)
			}
		}
	})
	for k := range means {
		means[k] /= float64(g.n)
		g.centre += float64(means[k] * means[k])
	}
	par.Blocks(threads, g.n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := x[i*width:][:width]
			for k, v := range row {
				y, m := float64(v), means[k]
				g.sum[i] += y
				g.squares[i] += float64(y * y)
				g.lift[i] += float64((y - m) * m)
				row[k] = float32(y - m)
			}
		}
	})
}

// mirror copies the upper triangle of an n x n matrix, whose rows lie ld apart, to the
// lower.
func mirror[T float32 | float64](threads, n int, x []T, ld int) {
	const chunk = 64
	par.Blocks(threads, n, chunk, func(lo, hi int) {
		for j := 0; j < lo; j += chunk { // rows of the triangle above
			for i := lo; i < hi; i++ {
				for k := range chunk {
					x[i*ld+j+k] = x[(j+k)*ld+i]
				}
			}
		}
		for i := lo; i < hi; i++ {
			for j := lo; j < i; j++ {
				x[i*ld+j] = x[j*ld+i]
			}
		}
	})
}

// diagonal is sample i's product with itself: its squared distance from the mean.
func (g *Gram) diagonal(i int) float64 { return float64(g.products[i*(g.n+1)]) }

// ready returns an error where no measure makes sense, of least samples at the least.
func (g *Gram) ready(least int) error {
	if !g.kernel && (g.features == 0 || g.pending > 0) {
		return fmt.Errorf("corr: a Gram is not complete: %d of %d samples after %d features", g.pending, g.n, g.features)
	}
	if g.n < least {
		return fmt.Errorf("corr: %w: %d samples, where %d are needed", ErrTooFewObservations, g.n, least)
	}
	var trace float64
	for i := range g.n {
		trace += g.diagonal(i)
	}
	switch mean := trace / float64(g.n); {
	case mean == 0:
		return fmt.Errorf("corr: %w: all samples are the same", ErrNoLiveUnits)
	case mean < 1e-30:
		return errors.New("corr: samples differ by less than float32 can square: scale the network's activations")
	}
	return nil
}

// share returns what the first measure that asks for it finds, for others too. The key is
// of a type of the function that asks, so that no other has the same.
func share[T any](g *Gram, key any, find func() T) T {
	g.mu.Lock()
	if g.cache == nil {
		g.cache = make(map[any]any)
	}
	compute, ok := g.cache[key].(func() T)
	if !ok {
		compute = sync.OnceValue(find)
		g.cache[key] = compute
	}
	g.mu.Unlock()
	return compute()
}
