package corr

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Groups are moments of groups of images, for intervals by the jackknife and the bootstrap:
// positions of an image are not independent, images are, and a group of them, with its
// moments, stands for many. One pass keeps all groups; their memory is that of so many Moments
// with two blocks each. Where products would take more than 32 MB, groups of less than two
// blocks, and of fewer observations than there are units, are kept as they came.
type Groups struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	parts  []*Moments
	closed bool
	total  *Moments // once closed, if all parts have products
}

// mostProducts is how many products all groups together have at most that hold them whatever
// their observations.
const mostProducts = 1 << 22

// groupRows is how many observations of a group are gathered before their products are added.
const groupRows = 2 * blockRows

// NewGroups returns empty moments of so many groups for networks of the given numbers
// of units. 100 are plenty; with as many groups as images each has one. It panics if
// there is no group, no network, or one has no unit.
func NewGroups(groups int, units ...int) *Groups {
	if groups < 1 {
		panic("corr: no groups")
	}
	g := &Groups{parts: make([]*Moments, groups)}
	for i := range g.parts {
		m := newMoments(units)
		m.Threads, m.capacity = 1, groupRows/blockRows
		if p := m.total(); groups*p*p <= mostProducts {
			m.allocate() // else when there are groupRows observations
		}
		g.parts[i] = m
	}
	return g
}

// EstimateGroups returns about how many bytes so many groups of so many observations in all take,
// for networks of the given numbers of units.
func EstimateGroups(groups int, rows int64, units ...int) int64 {
	p := int64(total(units))
	each := (rows + int64(groups) - 1) / int64(groups)
	if int64(groups)*p*p > mostProducts && each < min(groupRows, p) {
		return 2 * 4 * p * rows
	}
	return int64(groups) * (8*p*p + 4*groupRows*p)
}

// EstimateBootstrap returns about how many bytes [Groups.Bootstrap] of two networks of
// so many live units takes beside the groups: the products of each group, those of 16 resamples
// at a time, and the factorisations of as many Pairs as there are threads, which most measures
// need. [Groups.Jackknife] takes no more.
func EstimateBootstrap(groups, unitsA, unitsB int) int64 {
	p := int64(unitsA + unitsB)
	return 8 * (int64(groups)*(p*(p+3)/2) + bootstrapBatch*2*p*(p+3) + int64(1+par.Threads(0))*8*p*p)
}

// AddTensors adds observations, a tensor of each network, all of the same samples and
// positions. images are the numbers of the samples' images, which fall to groups in
// turn: image i to group i modulo their number. All observations of an image have one
// number, in whatever calls they are added. See [Moments.AddTensors] for errors and for
// ids, which identify the samples.
func (g *Groups) AddTensors(ids, images []uint64, tensors ...Tensor) error {
	if g.closed {
		panic(badClosed)
	}
	first := g.parts[0]
	samples, rows := checkShapes(first.units, ids, tensors)
	if len(images) != samples {
		panic("corr: an image is needed for every sample")
	}
	if rows == 0 {
		return nil
	}
	threads := par.Threads(g.Threads)
	if err := check(threads, g.Count(), 0, rows, tensors); err != nil {
		return err
	}
	members := make([][]int, len(g.parts))
	for i, image := range images {
		group := image % uint64(len(g.parts))
		members[group] = append(members[group], i)
	}
	positions := rows / samples
	par.For(threads, len(g.parts), func(i int) {
		m := g.parts[i]
		m.reserve(len(members[i]) * positions)
		for _, sample := range members[i] {
			m.gather(sample*positions, (sample+1)*positions, tensors)
			if ids != nil {
				m.samples.add(ids[sample:sample+1], positions)
			} else {
				m.samples.Unknown = true
			}
		}
	})
	return nil
}

// reserve makes room for observations of a group: in its block, which is no larger than it needs
// to be, and for products if that is filled.
func (m *Moments) reserve(rows int) {
	p, most := m.total(), m.capacity*blockRows
	if have := len(m.block) / p; have < min(most, m.rows+rows) {
		block := make([]float32, min(most, max(2*have, m.rows+rows))*p)
		copy(block, m.block[:m.rows*p])
		m.block = block
	}
	if m.rows+rows >= most {
		m.allocate()
	}
}

// allocate makes room for products.
func (m *Moments) allocate() {
	if m.accumulator.prod == nil {
		m.accumulator.prod = make([]float64, m.total()*m.total())
	}
}

// kept reports whether there are observations alone, and no products.
func (m *Moments) kept() bool { return m.accumulator.prod == nil }

// Count returns the number of observations added.
func (g *Groups) Count() int64 {
	var n int64
	for _, m := range g.parts {
		n += m.Count()
	}
	return n
}

// Len returns the number of groups.
func (g *Groups) Len() int { return len(g.parts) }

// Rows returns the number of observations in a group.
func (g *Groups) Rows(i int) int64 { return g.part(i).Count() }

// part returns the moments, or observations, of group i.
func (g *Groups) part(i int) *Moments {
	if i < 0 || i >= len(g.parts) {
		panic(badGroup)
	}
	return g.parts[i]
}

// Group returns the moments of one group, to read or to merge into others; observations
// held out, say.
func (g *Groups) Group(i int) *Moments {
	if m := g.part(i); !m.kept() {
		return m
	}
	return g.Sum(i)
}

// Total returns the moments of all observations.
func (g *Groups) Total() *Moments {
	if g.total != nil {
		return g.total.clone()
	}
	return g.sum()
}

func (g *Groups) sum() *Moments { return g.Sum(indices(len(g.parts))...) }

// Sum returns the moments of some groups; of observations held out, say.
func (g *Groups) Sum(groups ...int) *Moments {
	return g.sumOf(indices(len(g.parts[0].units)), groups)
}

// sumOf returns the moments of some networks, or of all if a group has products, in groups.
func (g *Groups) sumOf(networks, groups []int) *Moments {
	var units []int
	for _, n := range networks {
		units = append(units, g.parts[0].Units(n))
	}
	sum := NewMoments(units...)
	sum.Threads = g.Threads
	for _, i := range groups {
		m := g.part(i)
		switch {
		case m.Count() == 0:
		case m.kept():
			var tensors []Tensor
			for k, n := range networks {
				tensors = append(tensors, Rows(m.block[m.offsets[n]:], m.rows, units[k], m.total()))
			}
			sum.gather(0, m.rows, tensors)
			sum.samples.append(m.samples)
		default:
			sum.absorb(m)
		}
	}
	sum.flush() // once for all that read it
	return sum
}

// pair returns the Pair of two networks in some groups: of their live units, if none are given.
func (g *Groups) pair(a, b int, groups []int, unitsA, unitsB []int) *Pair {
	m := g.total
	switch {
	case len(groups) == 1 && !g.parts[groups[0]].kept():
		m = g.parts[groups[0]]
	case m != nil && len(groups) == len(g.parts):
	case slices.ContainsFunc(g.parts, func(m *Moments) bool { return !m.kept() }):
		m = g.Sum(groups...)
	default:
		m, a, b = g.sumOf([]int{a, b}, groups), 0, 1
	}
	if unitsA == nil {
		unitsA, unitsB = m.Live(a), m.Live(b)
	}
	return m.PairOf(a, b, unitsA, unitsB)
}

// Means returns the means of a network's units in each group.
func (g *Groups) Means(network int) [][]float64 {
	means := make([][]float64, len(g.parts))
	for i, m := range g.parts {
		if m.kept() {
			m = g.sumOf([]int{network}, []int{i})
			means[i] = m.Mean(0)
		} else {
			means[i] = m.Mean(network)
		}
	}
	return means
}

// Close says that no more observations come, after which AddTensors panics. What the
// groups wait with until a block of observations is full, and add anew for each figure,
// is then added once, but for those of which observations are kept.
func (g *Groups) Close() {
	par.For(par.Threads(g.Threads), len(g.parts), func(i int) {
		m := g.parts[i]
		if m.kept() && m.rows < m.total() {
			m.block = slices.Clone(m.block[:m.rows*m.total()])
			return
		}
		m.allocate()
		m.foldBlock()
		m.flush()
		m.block = nil
	})
	g.closed = true
	if !slices.ContainsFunc(g.parts, (*Moments).kept) {
		g.total = g.sum()
	}
}

// BootstrapOptions say how to bootstrap; the zero value is sensible.
type BootstrapOptions struct {
	Draws    int                   // resamples; 0: 1000
	Level    float64               // of intervals; 0: 0.95
	Seed     uint64                // draw i depends on it and on i alone
	Progress func(done, total int) // draws; calls do not overlap
}

// Interval is a figure with its distribution over resamples of images.
type Interval struct {
	Value     float64 // of all images
	Low, High float64 // percentiles of the resamples; NaN if a figure of one is
	Std       float64 // of the resamples: the standard error

	// Draws are the figures of the resamples. Those of one number are of the same
	// images for all networks, so that a mean over networks has draws of its own.
	Draws []float64
}

// bootstrapBatch is how many resamples are made by one product of matrices.
const bootstrapBatch = 16

// minGroups is how many groups with images a bootstrap must have: the spread of fewer
// figures is no more than a guess.
const minGroups = 10

// Bootstrap returns intervals of figures of networks a and b, such as measures or the
// correlations of matched pairs: it computes them for all images, and for resamples of
// as many groups of images as there are, drawn with replacement (Efron, "Bootstrap
// methods: another look at the jackknife", 1979). Figures must come in equal number
// from each call, and be safe to compute at once for different Pairs, whose units are
// those that are live in all images.
//
// Fewer than 10 groups with images are an error that wraps [ErrTooFewObservations]; options
// out of range are an error before anything is computed, and an error of figures is one of
// Bootstrap.
//
// A draw takes g p^2/2 multiply-adds for g groups and the p units of both networks, and figures.
func (g *Groups) Bootstrap(ctx context.Context, o BootstrapOptions, a, b int, figures func(*Pair) ([]float64, error)) ([]Interval, error) {
	if o.Draws == 0 {
		o.Draws = 1000
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Draws < 0 {
		return nil, fmt.Errorf("corr: a bootstrap of %d draws; want 0 for 1000, or more", o.Draws)
	}
	if !(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("corr: intervals of level %v; want a share between 0 and 1, such as 0.95", o.Level)
	}
	observed := g.pair(a, b, indices(len(g.parts)), nil, nil)
	observed.Threads = g.Threads
	values, err := figures(observed)
	if err != nil {
		return nil, err
	}
	r := newResampler(g, a, b, observed)
	if r.groupCount < minGroups {
		return nil, fmt.Errorf("corr: %w: a bootstrap of %d groups of images says little; use %d or more", ErrTooFewObservations, r.groupCount, minGroups)
	}
	draws := make([][]float64, o.Draws)
	threads := par.Threads(g.Threads)
	for lo := 0; lo < o.Draws; lo += bootstrapBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(bootstrapBatch, o.Draws-lo)
		pairs := r.pairs(threads, r.multiplicities(o.Seed, lo, n))
		errs := make([]error, n)
		par.For(threads, n, func(i int) {
			draws[lo+i], errs[i] = figures(pairs[i])
			if errs[i] == nil && len(draws[lo+i]) != len(values) {
				errs[i] = errors.New("corr: figures of a resample are of another number")
			}
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(lo+n, o.Draws)
		}
	}
	intervals := make([]Interval, len(values))
	for i, v := range values {
		null := Null{Draws: make([]float64, o.Draws)}
		for d := range draws {
			null.Draws[d] = draws[d][i]
		}
		quantiles := null.Quantiles((1-o.Level)/2, (1+o.Level)/2)
		intervals[i] = Interval{v, quantiles[0], quantiles[1], null.Std(), null.Draws}
	}
	return intervals, nil
}

// resampler makes Pairs of resamples. Of each group it holds the products of all
// units' deviations from the means of all images, whose weighted sums are those of
// resamples but for the means of these.
type resampler struct {
	groupCount int
	rows       []float64 // in each group
	means      []float64 // groups x units: less those of all images
	prods      []float64 // groups x triangle
	pair       *Pair
	centre     []float64
}

func newResampler(g *Groups, a, b int, pair *Pair) *resampler {
	r := &resampler{pair: pair}
	p, n := pair.p, pair.p+pair.q
	triangle := n * (n + 1) / 2
	r.centre = append(slices.Clone(pair.ma), pair.mb...)
	for k, m := range g.parts {
		if m.Count() == 0 {
			continue
		}
		c := g.pair(a, b, []int{k}, pair.UnitsA, pair.UnitsB)
		count := float64(c.Count)
		d := append(slices.Clone(c.ma), c.mb...)
		for i := range d {
			d[i] -= r.centre[i]
		}
		prods := make([]float64, 0, triangle)
		for i := range n {
			var row []float64
			if i < p {
				row = append(slices.Clone(c.aa[i*p+i:(i+1)*p]), c.ab[i*pair.q:][:pair.q]...)
			} else {
				row = c.bb[(i-p)*pair.q+i-p:][:n-i]
			}
			for j, v := range row {
				prods = append(prods, float64(count*v)+float64(count*d[i]*d[i+j]))
			}
		}
		r.groupCount++
		r.rows, r.means, r.prods = append(r.rows, count), append(r.means, d...), append(r.prods, prods...)
	}
	return r
}

// multiplicities says how often each group is in each of n draws from number lo on.
func (r *resampler) multiplicities(seed uint64, lo, n int) []float64 {
	multiplicities := make([]float64, n*r.groupCount)
	for i := range n {
		rnd := rand.New(rand.NewPCG(seed, uint64(lo+i)))
		for range r.groupCount {
			multiplicities[i*r.groupCount+rnd.IntN(r.groupCount)]++
		}
	}
	return multiplicities
}

// pairs returns those of resamples in which each group is so many times.
func (r *resampler) pairs(threads int, multiplicities []float64) []*Pair {
	n := len(multiplicities) / r.groupCount
	units := len(r.centre)
	triangle := units * (units + 1) / 2
	weights := make([]float64, n*r.groupCount)
	for i := range weights {
		weights[i] = multiplicities[i] * r.rows[i%r.groupCount]
	}
	prods, means := make([]float64, n*triangle), make([]float64, n*units)
	// Columns are many: a part of them is a task.
	par.Blocks(threads, triangle, 4096, func(from, to int) {
		dense.Gemm(1, dense.Product{M: n, N: to - from, K: r.groupCount, A: dense.Rows(multiplicities, r.groupCount), B: dense.Rows(r.prods[from:], triangle), C: prods[from:], LDC: triangle})
	})
	dense.Gemm(1, dense.Product{M: n, N: units, K: r.groupCount, A: dense.Rows(weights, r.groupCount), B: dense.Rows(r.means, units), C: means, LDC: units})
	pairs := make([]*Pair, n)
	par.For(threads, n, func(i int) {
		var rows, distinctRows float64
		for k, w := range weights[i*r.groupCount:][:r.groupCount] {
			rows += w
			if w > 0 {
				distinctRows += r.rows[k]
			}
		}
		pairs[i] = r.fill(prods[i*triangle:][:triangle], means[i*units:][:units], rows, int64(distinctRows))
	})
	return pairs
}

// fill returns the Pair of summed products and means. Its observations are the distinct
// ones of the resample, since a copy is no further observation.
func (r *resampler) fill(prods, means []float64, rows float64, distinctRows int64) *Pair {
	p, q := r.pair.p, r.pair.q
	c := newPair(r.pair.UnitsA, r.pair.UnitsB, distinctRows, r.pair.accuracy, newPairMoments(p, q))
	c.Threads = 1
	for i := range means {
		means[i] /= rows
		if i < p {
			c.ma[i] = r.centre[i] + means[i]
		} else {
			c.mb[i-p] = r.centre[i] + means[i]
		}
	}
	for i := range p + q {
		for j := i; j < p+q; j++ {
			v := prods[0]/rows - float64(means[i]*means[j])
			prods = prods[1:]
			switch {
			case i == j:
				v = max(0, v)
				fallthrough
			case j < p || i >= p:
				if j < p {
					c.aa[i*p+j], c.aa[j*p+i] = v, v
				} else {
					c.bb[(i-p)*q+j-p], c.bb[(j-p)*q+i-p] = v, v
				}
			default:
				c.ab[i*q+j-p] = v
			}
		}
	}
	return c
}
