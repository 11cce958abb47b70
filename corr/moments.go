package corr

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// blockRows is the number of observations in a block. It is part of the meaning of a
// result: blocks begin at every blockRows-th row that was added, wherever the caller cut
// the stream.
const blockRows = level3.KC / 2

// Moments are the joint first and second moments of the units of one or more
// networks over the same observations.
//
// Observations are gathered in blocks of 192. A block is centred on the mean so
// far, or that of some blocks ago, and its products are summed in float32 by fused
// multiply-adds. From 1 to 16 blocks of one centre are added in float64, and
// their moments are merged into the whole by the formula of Chan,
// Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing
// sample variances", 1979). So neither a mean far from zero, nor the scale of a unit,
// nor the number of observations costs accuracy.
//
// # Accuracy
//
// What is left is rounding within a block of 192 centred rows, whose products are
// summed in 6 runs of 32: with u = 2^-24, a sum of products y_i y_j errs by at most
//
//	(32 + 6) u sum |y_i y_j| <= 38 u sqrt(sum y_i^2 sum y_j^2)
//
// and a correlation by twice that, 4.5e-6, if every rounding were the largest there is
// and they all had one sign. Rounding errors of different terms are independent in
// nearly all data, and then they add up like a random walk: 3e-8 in one block, less as
// blocks average. They are not where all terms are alike, as of units with two values;
// then partial sums grow evenly, and the sum over them, (33/2 + 7/2) u, times the mean
// of an ulp over numbers in its range, 0.72, bounds a correlation's error by 9e-7. So
// correlations err by less than 1e-6.
//
// Neither how the stream is cut nor the number of threads changes a bit.
//
// # Reading
//
// The first figure that is read after observations were added takes those into account
// that are not merged yet: a copy of the products, p^2 float64 of p units in all, which the
// next figures read as well and the next observations discard. Several goroutines may read
// at once; adding excludes all else.
type Moments struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	// Source names what the samples are drawn from, such as a data set; moments of
	// different sources cannot be merged. Empty is unknown.
	Source string

	// Manifest says what the moments were made of, in the words of whoever made them. Files
	// keep it, and merged moments that of the receiver; nothing here looks at it.
	Manifest string

	networks []Network
	samples  samples

	units       []int       // per network
	offsets     []int       // first unit of each network in the joint order, and their total
	first       []float32   // first observation
	liveMask    []uint32    // all ones for a unit that ever differed from its first observation, else 0
	accumulator accumulator // of full blocks
	block       []float32   // observations not yet merged, rows of all units; nil before there are
	capacity    int         // blocks that it holds
	rows        int         // in block
	figures     *snapshot   // of all of that, once a figure is read
}

// snapshot is the moments of all observations, those that are not merged yet included.
type snapshot struct {
	once sync.Once
	moments
	liveMask []uint32
}

// NewMoments returns empty moments for networks of the given numbers of units.
// It panics if there is no network or one has no unit.
func NewMoments(units ...int) *Moments {
	m := newMoments(units)
	m.capacity = blocksPerFold(m.total())
	m.allocate()
	return m
}

// newMoments returns moments whose block has no capacity yet, and without products.
func newMoments(units []int) *Moments {
	if len(units) == 0 {
		panic("corr: no networks")
	}
	m := &Moments{units: slices.Clone(units), offsets: []int{0}, networks: make([]Network, len(units)), figures: new(snapshot)}
	for i, u := range units {
		if u < 1 {
			panic("corr: network without units")
		}
		m.offsets = append(m.offsets, m.offsets[i]+u)
	}
	p := m.total()
	m.first, m.liveMask = make([]float32, p), make([]uint32, p)
	m.accumulator = newAccumulator(moments{mean: make([]float64, p)})
	return m
}

// total returns the sum of numbers of units.
func total(units []int) int {
	var p int
	for _, u := range units {
		p += u
	}
	return p
}

// total returns the number of units of all networks.
func (m *Moments) total() int { return m.offsets[len(m.units)] }

// Networks returns the number of networks.
func (m *Moments) Networks() int { return len(m.units) }

// Units returns the number of units of a network.
func (m *Moments) Units(network int) int {
	m.require(network)
	return m.units[network]
}

// require panics unless there are the networks.
func (m *Moments) require(networks ...int) {
	for _, n := range networks {
		if n < 0 || n >= len(m.units) {
			panic(badNetwork)
		}
	}
}

// Count returns the number of observations added.
func (m *Moments) Count() int64 { return m.accumulator.count + int64(m.accumulator.rows+m.rows) }

// EstimateMemory returns an upper bound in bytes of the memory of moments of networks of
// the given numbers of units, whatever the number of observations, while they are added
// and while figures are read: two matrices of products in float64, one of them only then,
// and the blocks of observations that are folded at a time, which each thread packs.
func EstimateMemory(units ...int) int64 {
	p := int64(total(units))
	blocks := int64(blocksPerFold(int(p))) * blockRows
	padded := p + int64(level3.Width())
	return 2*8*p*p + 4*blocks*(p+int64(par.Threads(0))*padded) + 256*p
}

// Add adds observations: activations[i] holds those of network i, rows x
// Units(i) in row-major order, and row j of every network belongs to the same
// image position. If one is NaN or infinite the error is an *[ActivationError], and nothing
// is added. Add panics if a length does not fit.
func (m *Moments) Add(rows int, activations ...[]float32) error {
	if len(activations) != len(m.units) {
		panic("corr: activations are needed for every network")
	}
	tensors := make([]Tensor, len(activations))
	for i, a := range activations {
		if len(a) != rows*m.units[i] {
			panic("corr: activations have the wrong length")
		}
		tensors[i] = Rows(a, rows, m.units[i], m.units[i])
	}
	return m.AddTensors(nil, tensors...)
}

// AddTensors adds observations as they lie in memory, a tensor of each network, all of
// the same samples and positions. ids identify the samples, one each, so that Merge and
// SameSamples can tell which samples two moments are of. Nil ids are unknown, and then
// neither checks them.
//
// If an activation is NaN or infinite the error is an *[ActivationError], and nothing is added.
// AddTensors panics if a shape does not fit.
func (m *Moments) AddTensors(ids []uint64, tensors ...Tensor) error {
	samples, rows := checkShapes(m.units, ids, tensors)
	if rows == 0 {
		return nil
	}
	if err := m.add(rows, tensors); err != nil {
		return err
	}
	m.samples.record(ids, rows/samples)
	return nil
}

// checkShapes panics unless tensors are of all networks, of the given numbers of units, and
// the same samples, with an identifier each or none, and returns the numbers of samples and
// rows.
func checkShapes(units []int, ids []uint64, tensors []Tensor) (samples, rows int) {
	if len(tensors) != len(units) {
		panic("corr: activations are needed for every network")
	}
	samples, rows = tensors[0].samples, tensors[0].Len()
	for i, t := range tensors {
		if t.units != units[i] || t.samples != samples || t.Len() != rows {
			panic("corr: a tensor has the wrong shape")
		}
	}
	if ids != nil && len(ids) != samples {
		panic("corr: an identifier is needed for every sample")
	}
	return samples, rows
}

// add adds rows. Whether they are finite is found when they are packed; before that only
// of those that stay in the block, or of all where what one fold adds another might have
// to take back and so few rows are read twice at less cost than the moments are copied.
func (m *Moments) add(rows int, tensors []Tensor) error {
	threads, full := par.Threads(m.Threads), (m.rows+rows)/blockRows
	staying := min(rows, m.rows+rows-full*blockRows)
	undo := func() {}
	switch {
	case full <= min(m.capacity, m.accumulator.blocksLeft()): // one fold
		before := m.rows
		undo = func() { m.rows = before }
	case m.Count() == 0:
		undo = m.reset
	case rows < 16*m.total():
		staying = rows
	default:
		before := m.clone()
		undo = func() { *m = *before }
	}
	if !isFinite(threads, rows-staying, rows, tensors) || !m.gather(0, rows, tensors) {
		undo()
		return check(threads, m.Count(), 0, rows, tensors)
	}
	return nil
}

// reset forgets all observations.
func (m *Moments) reset() {
	a := &m.accumulator
	a.count, a.rows, m.rows, m.figures = 0, 0, 0, new(snapshot)
	for _, x := range [][]float64{a.mean, a.prod, a.sum} {
		clear(x)
	}
	for _, x := range [][]float32{a.shift, m.first} {
		clear(x)
	}
	clear(m.liveMask)
}

// clone returns a copy that shares no memory with m.
func (m *Moments) clone() *Moments {
	c := *m
	c.first, c.liveMask = slices.Clone(m.first), slices.Clone(m.liveMask)
	c.accumulator, c.figures = m.accumulator.clone(), new(snapshot)
	if c.block = nil; m.rows > 0 {
		c.makeBlock()
		copy(c.block, m.block[:m.rows*m.total()])
	}
	return &c
}

// gather appends rows [lo, hi) to the block, and folds it whenever it is full, unless
// observations are kept. It stops and reports false if a value in a full block is NaN or
// infinite.
func (m *Moments) gather(lo, hi int, tensors []Tensor) bool {
	p, threads := m.total(), par.Threads(m.Threads)
	m.figures = new(snapshot)
	if m.Count() == 0 {
		for i, t := range tensors {
			t.copyTo(m.first[m.offsets[i]:], p, lo, lo+1)
		}
	}
	for lo < hi {
		if full := (hi - lo) / blockRows; len(m.units) == 1 && m.rows == 0 && full > 0 && !m.kept() {
			if data, ok := tensors[0].matrix(lo); ok { // no need to gather
				if !m.fold(full, data) {
					return false
				}
				lo += full * blockRows
				continue
			}
		}
		m.makeBlock()
		n := min(hi-lo, len(m.block)/p-m.rows)
		par.Blocks(threads, n, 128, func(from, to int) {
			for i, t := range tensors {
				t.copyTo(m.block[(m.rows+from)*p+m.offsets[i]:], p, lo+from, lo+to)
			}
		})
		m.rows += n
		lo += n
		if !m.kept() && !m.foldBlock() {
			return false
		}
	}
	return true
}

// foldBlock folds what is full of the block, and reports false if a value in it is NaN or
// infinite.
func (m *Moments) foldBlock() bool {
	p, full := m.total(), m.rows/blockRows
	if !m.fold(full, m.block) {
		return false
	}
	m.rows -= full * blockRows
	copy(m.block, m.block[full*blockRows*p:][:m.rows*p])
	return true
}

// makeBlock makes memory for the block, where there is none.
func (m *Moments) makeBlock() {
	if m.block == nil {
		m.block = make([]float32, m.capacity*blockRows*m.total())
	}
}

// ActivationError says which activation is NaN or infinite, or for a [Gram] too large: in the
// row that many after the first that was ever added.
type ActivationError struct {
	Network int
	Row     int64
	Unit    int
	Value   float32
}

func (e *ActivationError) Error() string {
	return fmt.Sprintf("corr: network %d, row %d, unit %d: activation is %v", e.Network, e.Row, e.Unit, e.Value)
}

// check returns an *ActivationError that names the first activation in rows [lo, hi) that is NaN
// or infinite. The error counts rows from the first that was ever added; offset is the
// number of rows before these tensors.
func check(threads int, offset int64, lo, hi int, tensors []Tensor) error {
	for i, t := range tensors {
		if row, unit, ok := t.checkFinite(threads, lo, hi); !ok {
			return &ActivationError{i, offset + int64(row-lo), unit, t.at(row, unit)}
		}
	}
	return nil
}

// isFinite reports whether all activations in rows [lo, hi) are finite.
func isFinite(threads, lo, hi int, tensors []Tensor) bool {
	for _, t := range tensors {
		if _, _, ok := t.checkFinite(threads, lo, hi); !ok {
			return false
		}
	}
	return true
}

// fold adds full blocks to the accumulator, and reports false if a value is NaN or
// infinite: then it and what follows are not added.
func (m *Moments) fold(blocks int, data []float32) bool {
	for blocks > 0 {
		n := min(blocks, blocksPerFold(m.total()), m.accumulator.blocksLeft())
		if !m.accumulator.fold(par.Threads(m.Threads), blockRows, n, data, m.first, m.liveMask) {
			return false
		}
		blocks, data = blocks-n, data[n*blockRows*m.total():]
	}
	return true
}

// snapshot returns the moments and the mask of live units, the block that is not yet
// full included, to read. It does not affect observations that are added later.
func (m *Moments) snapshot() (moments, []uint32) {
	f := m.figures
	f.once.Do(func() { f.moments, f.liveMask = m.merged() })
	return f.moments, f.liveMask
}

// merged is snapshot, of which nothing is kept for the next figure.
func (m *Moments) merged() (moments, []uint32) {
	if m.rows == 0 && m.accumulator.rows == 0 {
		return m.accumulator.moments, m.liveMask
	}
	c := *m
	c.accumulator, c.liveMask = m.accumulator.clone(), slices.Clone(m.liveMask)
	c.flush()
	return c.accumulator.moments, c.liveMask
}

// flush takes the observations of a block and a slab that are not full into the moments.
func (m *Moments) flush() {
	threads := par.Threads(m.Threads)
	m.figures = new(snapshot)
	if m.rows > 0 {
		m.accumulator.fold(threads, m.rows, 1, m.block, m.first, m.liveMask)
		m.rows = 0
	}
	m.accumulator.close(threads)
}

// Merge adds the observations of o, of networks of the same numbers of units, in float64.
// The result agrees with one pass over both, and with parts merged in another order, as
// closely as moments are accurate: blocks of rows differ. Moments of other networks, layers, units or sources, or of samples
// that m has already, are an error where both sides are known; then m is unchanged.
func (m *Moments) Merge(o *Moments) error {
	if !slices.Equal(m.units, o.units) {
		return fmt.Errorf("corr: moments of networks of %v units cannot be merged with those of %v", m.units, o.units)
	}
	if m.Source != "" && o.Source != "" && m.Source != o.Source {
		return fmt.Errorf("corr: moments of %q cannot be merged with those of %q", m.Source, o.Source)
	}
	networks := slices.Clone(m.networks)
	for i := range networks {
		var err error
		if networks[i], err = networks[i].reconcile(o.networks[i]); err != nil {
			return fmt.Errorf("corr: moments cannot be merged: network %d: %w", i, err)
		}
	}
	if m.Source == "" {
		m.Source = o.Source
	}
	if o.Count() == 0 {
		m.networks = networks
		return nil
	}
	own := m.samples
	if err := own.merge(o.samples); err != nil {
		return fmt.Errorf("corr: moments cannot be merged: %w", err)
	}
	m.networks = networks
	m.absorb(o)
	return nil
}

// absorb adds the observations of o, whatever they are of.
func (m *Moments) absorb(o *Moments) {
	m.samples.append(o.samples)
	if m.Count() == 0 {
		copy(m.first, o.first)
	}
	m.flush()
	s, live := o.merged()
	for i := range live {
		m.liveMask[i] |= live[i]
		if m.first[i] != o.first[i] {
			m.liveMask[i] = math.MaxUint32
		}
	}
	m.accumulator.merge(par.Threads(m.Threads), s)
}

// Mean returns the means of a network's units; zeros before the first
// observation.
func (m *Moments) Mean(network int) []float64 {
	m.require(network)
	s, _ := m.snapshot()
	return append([]float64(nil), s.mean[m.offsets[network]:m.offsets[network+1]]...)
}

// Std returns the standard deviations (of the observations, dividing by their
// number) of a network's units.
func (m *Moments) Std(network int) []float64 {
	m.require(network)
	s, _ := m.snapshot()
	std := make([]float64, m.units[network])
	for i := range std {
		std[i] = math.Sqrt(s.covariance(m.offsets[network]+i, m.offsets[network]+i))
	}
	return std
}

// covariance returns the covariance of units i and j, dividing by the number of
// observations.
func (s *moments) covariance(i, j int) float64 {
	if s.count == 0 {
		return 0
	}
	i, j = min(i, j), max(i, j)
	return s.prod[i*len(s.mean)+j] / float64(s.count)
}

// Dead returns the units of a network that took one value only, exactly: their
// correlation with anything is not defined. Before the first observation every
// unit is dead.
func (m *Moments) Dead(network int) []int { return m.filterUnits(network, false) }

// Live returns the units of a network that are not dead.
func (m *Moments) Live(network int) []int { return m.filterUnits(network, true) }

// filterUnits returns the units of a network that are live, or those that are not.
func (m *Moments) filterUnits(network int, live bool) []int {
	m.require(network)
	_, liveMask := m.snapshot()
	units := []int{}
	for i, v := range liveMask[m.offsets[network]:m.offsets[network+1]] {
		if (v != 0) == live {
			units = append(units, i)
		}
	}
	return units
}
