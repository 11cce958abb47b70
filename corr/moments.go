package corr

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// blockRows is how many observations are multiplied at once in float32. It is
// part of the meaning of a result: blocks begin at every blockRows-th row that
// was added, wherever the caller cut the stream.
const blockRows = 128

// Moments are the joint first and second moments of the units of one or more
// networks over the same observations.
//
// Observations are gathered in blocks of 128. A block is centred on its own
// mean, its products are summed in float32 by fused multiply-adds, and the
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

	units  []int // per network
	begin  []int // first unit of each network in the joint order, and their total
	first  []float32
	varies []bool // whether a unit ever differed from its first observation
	whole  moments
	block  []float32 // observations not yet merged, rows of all units
	rows   int       // in block
	prod   []float32 // scratch: the products of a block
}

// moments are a count, means, and the upper triangle of the matrix of summed
// products of deviations from them.
type moments struct {
	count int64
	mean  []float64
	prod  []float64
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
	m.first, m.varies = make([]float32, p), make([]bool, p)
	m.block = make([]float32, blockRows*p)
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
		for j, v := range a {
			if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
				return fmt.Errorf("corr: network %d, row %d, unit %d: activation is %v", i, m.Count()+int64(j/m.units[i]), j%m.units[i], v)
			}
		}
	}
	p := m.total()
	for at := 0; at < rows; {
		n := min(rows-at, blockRows-m.rows)
		for i, a := range activations {
			u := m.units[i]
			for r := range n {
				copy(m.block[(m.rows+r)*p+m.begin[i]:], a[(at+r)*u:][:u])
			}
		}
		if m.Count() == 0 {
			copy(m.first, m.block[:p])
		}
		m.rows += n
		at += n
		if m.rows == blockRows {
			m.whole.fold(m, m.varies)
			m.rows = 0
		}
	}
	return nil
}

// fold merges m's block into s, and notes in varies which units varied.
func (s *moments) fold(m *Moments, varies []bool) {
	n, p := m.rows, m.total()
	threads := par.Threads(m.Threads)
	shift, mean, rest := make([]float32, p), make([]float64, p), make([]float64, p)
	par.Blocks(threads, p, 64, func(lo, hi int) {
		sum, first, moved := rest[lo:hi], m.first[lo:hi], varies[lo:hi]
		for r := range n {
			for i, v := range m.block[r*p+lo : r*p+hi] {
				sum[i] += float64(v)
				if v != first[i] {
					moved[i] = true
				}
			}
		}
		for i := lo; i < hi; i++ {
			mean[i] = rest[i] / float64(n)
			shift[i] = float32(mean[i])
			rest[i] -= float64(float64(n) * float64(shift[i])) // what centring leaves, through rounding
		}
	})
	if m.prod == nil {
		m.prod = make([]float32, p*p)
	}
	level3.Syrk(threads, p, n, level3.Cols{Data: m.block, Stride: p, Shift: shift}, m.prod, p)
	s.merge(threads, int64(n), mean, func(i int, row []float64) {
		for j, v := range m.prod[i*p+i : (i+1)*p] {
			row[j] += float64(v) - float64(rest[i]*rest[i+j])/float64(n)
		}
	})
}

// merge is Chan's formula: with the counts n, the means and d their difference,
//
//	prod += prod' + d d^T n n' / (n + n')
//	mean += d n' / (n + n')
//
// where add adds row i of prod', from the diagonal on, to the row it is given.
func (s *moments) merge(threads int, count int64, mean []float64, add func(i int, row []float64)) {
	p, total := len(s.mean), s.count+count
	if count == 0 {
		return
	}
	weight, share := float64(s.count)*(float64(count)/float64(total)), float64(count)/float64(total)
	d := make([]float64, p)
	for i := range d {
		d[i] = mean[i] - s.mean[i]
	}
	par.For(threads, p, func(i int) {
		row := s.prod[i*p+i : (i+1)*p]
		add(i, row)
		if wd := float64(weight * d[i]); wd != 0 {
			for j, v := range d[i:] {
				row[j] += float64(wd * v)
			}
		}
	})
	for i := range d {
		s.mean[i] += float64(d[i] * share)
	}
	s.count = total
}

// snapshot returns the moments and which units varied, the block that is not
// yet full included. Adding more is not affected.
func (m *Moments) snapshot() (moments, []bool) {
	if m.rows == 0 {
		return m.whole, m.varies
	}
	s := moments{m.whole.count, append([]float64(nil), m.whole.mean...), append([]float64(nil), m.whole.prod...)}
	varies := append([]bool(nil), m.varies...)
	s.fold(m, varies)
	return s, varies
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
	s, varies := m.snapshot()
	t, others := o.snapshot()
	for i := range varies {
		m.varies[i] = varies[i] || others[i] || m.first[i] != o.first[i]
	}
	p := m.total()
	s.merge(par.Threads(m.Threads), t.count, t.mean, func(i int, row []float64) {
		for j, v := range t.prod[i*p+i : (i+1)*p] {
			row[j] += v
		}
	})
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
	_, varies := m.snapshot()
	units := []int{}
	for i, v := range varies[m.begin[network]:m.begin[network+1]] {
		if v == live {
			units = append(units, i)
		}
	}
	return units
}
