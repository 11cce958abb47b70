package corr

import (
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// blockRows is how many observations are multiplied at once in float32. It is
// part of the meaning of a result: blocks begin at every blockRows-th row that
// was added, wherever the caller cut the stream.
const blockRows = level3.KC

// Moments are the joint first and second moments of the units of one or more
// networks over the same observations.
//
// Observations are gathered in blocks of 384. A block is centred on the mean so
// far, its products are summed in float32 by fused multiply-adds, and the
// block's moments are merged into the whole in float64 by the formula of Chan,
// Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing
// sample variances", 1979). So neither a mean far from zero nor the number of
// observations costs accuracy: a correlation errs by what rounding does within
// one block of centred values, a few 1e-7 at most, and less as blocks average.
//
// Neither how the stream is cut nor the number of threads changes a bit. Moments
// are not safe for concurrent use.
type Moments struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	units []int // per network
	begin []int // first unit of each network in the joint order, and their total
	first []float32
	moved []uint32 // whether a unit ever differed from its first observation: all ones, or zero
	whole moments
	block []float32 // observations not yet merged, rows of all units
	rows  int       // in block
	work  workspace
}

// NewMoments returns empty moments for networks of the given numbers of units.
// It panics if there is no network or one has no unit.
func NewMoments(units ...int) *Moments {
	if len(units) == 0 {
		panic("corr: no networks")
	}
	m := &Moments{units: append([]int(nil), units...), begin: []int{0}}
	for i, u := range units {
		if u < 1 {
			panic("corr: network without units")
		}
		m.begin = append(m.begin, m.begin[i]+u)
	}
	p := m.total()
	m.first, m.moved = make([]float32, p), make([]uint32, p)
	m.block = make([]float32, together(p)*blockRows*p)
	m.whole = moments{mean: make([]float64, p), prod: make([]float64, p*p)}
	return m
}

// total is the number of units of all networks.
func (m *Moments) total() int { return m.begin[len(m.units)] }

// Networks returns the number of networks.
func (m *Moments) Networks() int { return len(m.units) }

// Units returns the number of units of a network.
func (m *Moments) Units(network int) int { return m.units[network] }

// Count returns the number of observations added.
func (m *Moments) Count() int64 { return m.whole.count + int64(m.rows) }

// Add adds observations: activations[i] holds those of network i, rows x
// Units(i) in row-major order, and row j of every network belongs to the same
// image position. If one is NaN or infinite the error names it, and nothing is
// added. Add panics if a length does not fit.
func (m *Moments) Add(rows int, activations ...[]float32) error {
	if len(activations) != len(m.units) {
		panic("corr: activations are needed for every network")
	}
	for i, a := range activations {
		if len(a) != rows*m.units[i] {
			panic("corr: activations have the wrong length")
		}
	}
	if rows < 2*m.total() {
		if err := m.check(rows, activations); err != nil {
			return err
		}
		m.gather(rows, activations)
		return nil
	}
	// Reading so many rows twice costs more than to keep what was before.
	before := m.clone()
	p := m.total()
	for at, n := 0, 0; at < rows; at += n {
		n = min(rows-at, together(p)*blockRows)
		part := make([][]float32, len(activations))
		for i, a := range activations {
			part[i] = a[at*m.units[i] : (at+n)*m.units[i]]
		}
		if err := m.check(n, part); err != nil {
			*m = *before
			return err
		}
		m.gather(n, part)
	}
	return nil
}

// clone returns a copy that shares no memory with m.
func (m *Moments) clone() *Moments {
	c := *m
	c.first, c.moved, c.block = slices.Clone(m.first), slices.Clone(m.moved), slices.Clone(m.block)
	c.work = workspace{}
	c.whole = moments{m.whole.count, slices.Clone(m.whole.mean), slices.Clone(m.whole.prod)}
	return &c
}

// gather folds full blocks of the rows, and those kept before, and keeps the rest.
func (m *Moments) gather(rows int, activations [][]float32) {
	p := m.total()
	if m.Count() == 0 && rows > 0 {
		for i, a := range activations {
			copy(m.first[m.begin[i]:], a[:m.units[i]])
		}
	}
	for at := 0; at < rows; {
		if whole := (rows - at) / blockRows; len(m.units) == 1 && m.rows == 0 && whole > 0 { // no need to gather
			blocks := min(whole, together(p))
			m.fold(blocks, activations[0][at*p:])
			at += blocks * blockRows
			continue
		}
		n := min(rows-at, len(m.block)/p-m.rows)
		for i, a := range activations {
			u := m.units[i]
			for r := range n {
				copy(m.block[(m.rows+r)*p+m.begin[i]:], a[(at+r)*u:][:u])
			}
		}
		m.rows += n
		at += n
		blocks := m.rows / blockRows
		m.fold(blocks, m.block)
		m.rows -= blocks * blockRows
		copy(m.block, m.block[blocks*blockRows*p:][:m.rows*p])
	}
}

// check returns an error that names the first activation that is NaN or infinite.
func (m *Moments) check(rows int, activations [][]float32) error {
	for i, a := range activations {
		u := m.units[i]
		share := max(1, (rows+par.Threads(m.Threads)-1)/par.Threads(m.Threads))
		bad := make([]bool, rows/share+1)
		par.Blocks(par.Threads(m.Threads), rows, share, func(lo, hi int) {
			bad[lo/share] = !vec.Finite(a[lo*u : hi*u])
		})
		if !slices.Contains(bad, true) {
			continue
		}
		for j, v := range a {
			if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("corr: network %d, row %d, unit %d: activation is %v", i, m.Count()+int64(j/u), j%u, v)
			}
		}
	}
	return nil
}

// fold merges full blocks.
func (m *Moments) fold(blocks int, data []float32) {
	if blocks > 0 {
		m.whole.fold(&m.work, par.Threads(m.Threads), blockRows, blocks, data, m.first, m.moved)
	}
}

// snapshot returns the moments and which units varied, the block that is not
// yet full included. Adding more is not affected.
func (m *Moments) snapshot() (moments, []uint32) {
	if m.rows == 0 {
		return m.whole, m.moved
	}
	s := moments{m.whole.count, slices.Clone(m.whole.mean), slices.Clone(m.whole.prod)}
	moved := slices.Clone(m.moved)
	s.fold(new(workspace), par.Threads(m.Threads), m.rows, 1, m.block, m.first, moved)
	return s, moved
}

// Merge adds the observations of o, of networks of the same numbers of units.
// The result agrees with one pass over both up to rounding in float64.
func (m *Moments) Merge(o *Moments) error {
	if fmt.Sprint(m.units) != fmt.Sprint(o.units) {
		return fmt.Errorf("corr: moments of networks of %v units cannot be merged with those of %v", m.units, o.units)
	}
	if o.Count() == 0 {
		return nil
	}
	if m.Count() == 0 {
		copy(m.first, o.first)
	}
	s, moved := m.snapshot()
	t, others := o.snapshot()
	for i := range moved {
		m.moved[i] = moved[i] | others[i]
		if m.first[i] != o.first[i] {
			m.moved[i] = math.MaxUint32
		}
	}
	s.merge(par.Threads(m.Threads), t)
	m.whole, m.rows = s, 0
	return nil
}

// Mean returns the means of a network's units; zeros before the first
// observation.
func (m *Moments) Mean(network int) []float64 {
	s, _ := m.snapshot()
	return append([]float64(nil), s.mean[m.begin[network]:m.begin[network+1]]...)
}

// Std returns the standard deviations (of the observations, dividing by their
// number) of a network's units.
func (m *Moments) Std(network int) []float64 {
	s, _ := m.snapshot()
	std := make([]float64, m.units[network])
	for i := range std {
		std[i] = math.Sqrt(s.covariance(m.begin[network]+i, m.begin[network]+i))
	}
	return std
}

// covariance divides by the number of observations.
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
func (m *Moments) Dead(network int) []int { return m.which(network, false) }

// Live returns the units of a network that are not dead.
func (m *Moments) Live(network int) []int { return m.which(network, true) }

func (m *Moments) which(network int, live bool) []int {
	_, moved := m.snapshot()
	units := []int{}
	for i, v := range moved[m.begin[network]:m.begin[network+1]] {
		if (v != 0) == live {
			units = append(units, i)
		}
	}
	return units
}
