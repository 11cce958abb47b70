package corr

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// CrossMoments are the moments of two networks over the same observations without the
// covariances within either: means, variances, and the covariances of each unit of a with
// each of b. Those of p and q units take 8 p q bytes, where [Moments] take 8 (p+q)^2. Where
// that is too much, observations are gone through several times, for a part of a's units
// at a time.
//
// Every figure has the bits that Moments of both networks have, and so their accuracy,
// whatever part of the units it is computed with, however the stream is cut and on however
// many threads. CrossMoments are not safe for concurrent use.
type CrossMoments struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	// Source names what the samples are drawn from; see [Moments].
	Source string

	samples samples
	sides   [2]side
	prod    []float64 // p rows of q, ld apart: of slabs that are full, and the products of the other
	ld      int
	count   int64 // rows of the slabs that are full
	slab    int   // rows of the slab that is not full
	rows    int   // gathered in blocks, and not yet in the slab
	closed  bool
}

// side is what CrossMoments know of one network.
type side struct {
	units    int
	network  Network
	mean     []float64
	squares  []float64 // the diagonal of the summed products of the network with itself
	shift    []float32 // what the rows of the slab are centred on
	sum      []float64 // of its centred rows
	first    []float32
	liveMask []uint32
	block    []float32 // observations not yet in the slab; nil before there are
}

// crossBlocks is how many blocks are folded at a time at most: so many that sums are read
// and written at a small part of the speed of memory.
const crossBlocks = 8

// NewCrossMoments returns empty moments of networks of p and q units. It panics unless both
// have one.
func NewCrossMoments(p, q int) *CrossMoments {
	if p < 1 || q < 1 {
		panic("corr: network without units")
	}
	ld := crossStride(q)
	return &CrossMoments{prod: make([]float64, p*ld), ld: ld, sides: [2]side{newSide(p), newSide(q)}}
}

// crossStride returns how far rows of q sums lie apart: an odd number of lines of the cache,
// since those of an even number, such as a power of two, share few places in it.
func crossStride(q int) int {
	const line = 8
	return ((q+line-1)/line | 1) * line
}

func newSide(n int) side {
	return side{
		units: n, mean: make([]float64, n), squares: make([]float64, n), shift: make([]float32, n), sum: make([]float64, n),
		first: make([]float32, n), liveMask: make([]uint32, n),
	}
}

// EstimateCrossMemory returns an upper bound in bytes of the memory of CrossMoments of p and
// q units, whatever the number of observations.
func EstimateCrossMemory(p, q int) int64 {
	bytes := 8 * int64(p) * int64(crossStride(q))
	for _, n := range []int{p, q} {
		rows := crossBlocks * blockRows
		packed := int64(1) << bits.Len(uint(level3.PackedLen(n, rows))) // scratch comes in powers of two
		bytes += 4*(int64(rows)*int64(n)+packed) + 256*int64(n)
	}
	return bytes
}

// Units returns the numbers of units of a and of b.
func (m *CrossMoments) Units() (p, q int) { return m.sides[0].units, m.sides[1].units }

// Count returns the number of observations added.
func (m *CrossMoments) Count() int64 { return m.count + int64(m.slab+m.rows) }

// Add adds rows observations of a, rows x p, and of b, rows x q, both row-major, and of the
// same image positions. If one is NaN or infinite the error names it, and nothing is added.
// Add panics if a length does not fit.
func (m *CrossMoments) Add(rows int, a, b []float32) error {
	p, q := m.Units()
	if len(a) != rows*p || len(b) != rows*q {
		panic("corr: activations have the wrong length")
	}
	return m.AddTensors(nil, Rows(a, rows, p, p), Rows(b, rows, q, q))
}

// AddTensors adds observations as they lie in memory; see [Moments.AddTensors].
func (m *CrossMoments) AddTensors(ids []uint64, a, b Tensor) error {
	if m.closed {
		panic("corr: the moments are closed")
	}
	tensors := []Tensor{a, b}
	samples, rows := checkShapes([]int{m.sides[0].units, m.sides[1].units}, ids, tensors)
	if rows == 0 {
		return nil
	}
	threads := par.Threads(m.Threads)
	if err := check(threads, m.Count(), 0, rows, tensors); err != nil {
		return err
	}
	m.samples.record(ids, rows/samples)
	if m.Count() == 0 {
		for s, t := range tensors {
			t.copyTo(m.sides[s].first, m.sides[s].units, 0, 1)
		}
	}
	for lo := 0; lo < rows; {
		n := min(rows-lo, crossBlocks*blockRows-m.rows)
		for s, t := range tensors {
			x := &m.sides[s]
			if x.block == nil {
				x.block = make([]float32, crossBlocks*blockRows*x.units)
			}
			par.Blocks(threads, n, 128, func(from, to int) {
				t.copyTo(x.block[(m.rows+from)*x.units:], x.units, lo+from, lo+to)
			})
		}
		lo += n
		if m.rows += n; m.rows == crossBlocks*blockRows {
			m.foldBlocks()
		}
	}
	return nil
}

// foldBlocks takes all that is gathered into the moments: whole blocks, and then the rest.
func (m *CrossMoments) foldBlocks() {
	for done := 0; done < m.rows; {
		n := min(blockRows, m.rows-done)
		blocks := max(1, min((m.rows-done)/blockRows, blocksLeft(m.count, m.slab)))
		m.fold(n, blocks, done)
		done += n * blocks
	}
	m.rows = 0
}

// fold adds blocks of n rows each, from a gathered row on, for which the slab has room; see
// accumulator.fold.
func (m *CrossMoments) fold(n, blocks, from int) {
	both := takeFoldings(2)
	defer both.release()
	threads, width := par.Threads(m.Threads), level3.Width()
	for s := range m.sides {
		x := &m.sides[s]
		data := x.block[from*x.units:]
		if m.slab == 0 {
			chooseShift(x.shift, m.count, x.mean, x.squares, n, data)
		}
		f := both.set[s]
		f.start(n, x.units, blocks, band{0, (x.units + width - 1) / width})
		f.data, f.shift, f.first = data, x.shift, x.first
		copy(f.sum, x.sum)
		copy(f.varied, x.liveMask)
		par.Blocks(threads, x.units, 8*width, func(lo, hi int) { f.pack(lo, hi) })
		copy(x.sum, f.sum)
		copy(x.liveMask, f.varied)
		par.Blocks(threads, f.band.i1, 8, func(lo, hi int) { x.addSquares(f, lo, hi) })
	}
	a, b := both.set[0], both.set[1]
	down, across := crossTasks(threads, a.band.i1, b.band.i1)
	tasks := (b.band.i1 + across - 1) / across
	par.For(threads, (a.band.i1+down-1)/down*tasks, func(k int) {
		i0, j0 := k/tasks*down, k%tasks*across
		i1, j1 := min(a.band.i1, i0+down), min(b.band.i1, j0+across)
		for i := i0; i < i1; i += crossSide {
			for j := j0; j < j1; j += crossSide {
				multiplyTile(m.prod, m.ld, a, b, tile{i, min(i1, i+crossSide), j, min(j1, j+crossSide)})
			}
		}
	})
	if m.slab += n * blocks; blocksLeft(m.count, m.slab) == 0 {
		m.closeSlab()
	}
}

// crossSide is how many panels are multiplied with as many others before the next: the sums
// of so many, squared, stay in the cache for all blocks.
const crossSide = 6

// crossTasks returns how many panels of a and of b a task is.
func crossTasks(threads, a, b int) (down, across int) {
	if a >= b {
		return max(1, min(2*crossSide, a/threads)), b
	}
	return a, max(1, min(2*crossSide, b/threads))
}

// addSquares adds the sums of squares of the units of panels [lo, hi).
func (x *side) addSquares(f *folding, lo, hi int) {
	width := level3.Width()
	products := make([]float64, width*width)
	for b := range f.blocks {
		packed, exponents := f.block(b)
		for i := lo; i < hi; i++ {
			clear(products)
			packed.Gram(i, packed, i, products, width, nil)
			for u := i * width; u < min(x.units, (i+1)*width); u++ {
				v := products[(u-i*width)*(width+1)]
				if e := int(exponents[u]); e != 0 {
					v = math.Ldexp(v, 2*e)
				}
				x.squares[u] += v
			}
		}
	}
}

// closeSlab takes the slab, full or not, into the moments; see accumulator.close.
func (m *CrossMoments) closeSlab() {
	if m.slab == 0 {
		return
	}
	n := float64(m.slab)
	productWeight, meanWeight := mergeWeights(int64(m.slab), m.count)
	var d [2][]float64
	for s := range m.sides {
		x := &m.sides[s]
		d[s] = make([]float64, x.units)
		for i, r := range x.sum {
			d[s][i] = float64(x.shift[i]) + r/n - x.mean[i]
			x.mean[i] += float64(d[s][i] * meanWeight)
			vec.Shift(x.squares[i:i+1], -r/n, x.sum[i:i+1], productWeight*d[s][i], d[s][i:i+1])
		}
	}
	a, b := &m.sides[0], &m.sides[1]
	par.Blocks(par.Threads(m.Threads), a.units, 32, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vec.Shift(m.row(i), -a.sum[i]/n, b.sum, productWeight*d[0][i], d[1])
		}
	})
	m.count += int64(m.slab)
	m.slab = 0
	clear(a.sum)
	clear(b.sum)
}

// Close says that no more observations come, after which figures can be read and moments
// merged and saved, and AddTensors panics.
func (m *CrossMoments) Close() {
	m.foldBlocks()
	m.closeSlab()
	for s := range m.sides {
		m.sides[s].block = nil
	}
	m.closed = true
}

// row returns the summed products of unit i of a with the units of b.
func (m *CrossMoments) row(i int) []float64 { return m.prod[i*m.ld:][:m.sides[1].units] }

// mustBeClosed panics unless m is closed.
func (m *CrossMoments) mustBeClosed() {
	if !m.closed {
		panic("corr: the moments are not closed")
	}
}

// Mean returns the means of a's units, network 0, or of b's, network 1.
func (m *CrossMoments) Mean(network int) []float64 {
	m.mustBeClosed()
	return slices.Clone(m.sides[network].mean)
}

// Std returns the standard deviations (of the observations, dividing by their number) of
// the units of network 0 or 1.
func (m *CrossMoments) Std(network int) []float64 {
	m.mustBeClosed()
	std := make([]float64, m.sides[network].units)
	for i, v := range m.sides[network].squares {
		std[i] = math.Sqrt(v / float64(max(1, m.count)))
	}
	return std
}

// Live returns the units of network 0 or 1 that ever took another value than their first.
func (m *CrossMoments) Live(network int) []int {
	m.mustBeClosed()
	units := []int{}
	for i, v := range m.sides[network].liveMask {
		if v != 0 {
			units = append(units, i)
		}
	}
	return units
}

// Covariance returns the p x q covariances. It fills and returns dst; a nil dst is
// allocated, one of another shape panics.
func (m *CrossMoments) Covariance(dst *mat.Dense) *mat.Dense {
	m.mustBeClosed()
	return m.fill(dst, func(row []float64, i int) {
		for j, v := range m.row(i) {
			row[j] = v / float64(max(1, m.count))
		}
	})
}

// Correlation returns the p x q correlations, in [-1, 1]; those of dead units are 0, and not NaN
// as those of [Moments.Correlation], so that all can be gone through: see Live. It fills
// and returns dst; a nil dst is allocated, one of another shape panics.
func (m *CrossMoments) Correlation(dst *mat.Dense) *mat.Dense {
	rows := m.Correlations()
	return m.fill(dst, func(row []float64, i int) { rows(row, i) })
}

// Correlations returns what sets dst, of q numbers, to the correlations of unit i of a with
// the units of b, as Correlation has them: of many units a row at a time takes no memory. It
// may be called at once from many goroutines.
func (m *CrossMoments) Correlations() func(dst []float64, i int) {
	m.mustBeClosed()
	a, b, stdA, stdB := &m.sides[0], &m.sides[1], m.Std(0), m.Std(1)
	return func(dst []float64, i int) {
		for j, v := range m.row(i)[:len(dst)] {
			c := 0.0
			if a.liveMask[i] != 0 && b.liveMask[j] != 0 {
				if c = v / float64(m.count) / stdA[i] / stdB[j]; math.IsNaN(c) {
					c = 0 // the unit varies by less than float32 products can hold
				}
			}
			dst[j] = max(-1, min(1, c))
		}
	}
}

// Dims returns the numbers of units of a and of b.
func (m *CrossMoments) Dims() (rows, cols int) { return m.Units() }

// Pass calls visit for blocks of rows of the correlations, rising, that cover all: rows from
// number first on, which are valid until visit returns. An error of visit ends the pass. So
// package match goes through correlations that are nowhere held.
func (m *CrossMoments) Pass(visit func(first int, rows *mat.Dense) error) error {
	const block = 64
	p, q := m.Units()
	row := m.Correlations()
	x := mat.NewDense(min(block, p), q, nil)
	for lo := 0; lo < p; lo += block {
		n := min(block, p-lo)
		par.For(par.Threads(m.Threads), n, func(i int) { row(x.RawRowView(i), lo+i) })
		if err := visit(lo, x.Slice(0, n, 0, q).(*mat.Dense)); err != nil {
			return err
		}
	}
	return nil
}

// fill sets the rows of dst.
func (m *CrossMoments) fill(dst *mat.Dense, f func(row []float64, i int)) *mat.Dense {
	p, q := m.Units()
	if dst == nil {
		dst = mat.NewDense(p, q, nil)
	}
	if r, c := dst.Dims(); r != p || c != q {
		panic("corr: dst has the wrong shape")
	}
	par.Blocks(par.Threads(m.Threads), p, 32, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f(dst.RawRowView(i), i)
		}
	})
	return dst
}

// Describe says what network 0 or 1 is; see [Moments.Describe].
func (m *CrossMoments) Describe(network int, n Network) {
	if len(n.Units) != 0 && len(n.Units) != m.sides[network].units {
		panic("corr: names are needed for every unit")
	}
	m.sides[network].network = n
}

// Network returns the description of network 0 or 1, the zero value before Describe.
func (m *CrossMoments) Network(network int) Network { return m.sides[network].network }

// Merge adds the observations of o, as [Moments.Merge] does; both are closed.
func (m *CrossMoments) Merge(o *CrossMoments) error {
	m.mustBeClosed()
	o.mustBeClosed()
	var networks [2]Network
	for s := range m.sides {
		x, y := &m.sides[s], &o.sides[s]
		if x.units != y.units {
			return fmt.Errorf("corr: moments of a network of %d units cannot be merged with those of %d", x.units, y.units)
		}
		var err error
		if networks[s], err = x.network.reconcile(y.network); err != nil {
			return fmt.Errorf("corr: moments cannot be merged: network %d: %w", s, err)
		}
	}
	if m.Source != "" && o.Source != "" && m.Source != o.Source {
		return fmt.Errorf("corr: moments of %q cannot be merged with those of %q", m.Source, o.Source)
	}
	merged := m.samples
	if err := merged.merge(o.samples); err != nil {
		return fmt.Errorf("corr: moments cannot be merged: %w", err)
	}
	if m.Source == "" {
		m.Source = o.Source
	}
	m.sides[0].network, m.sides[1].network = networks[0], networks[1]
	if o.count == 0 {
		return nil
	}
	m.samples = merged
	productWeight, meanWeight := mergeWeights(o.count, m.count)
	var d [2][]float64
	for s := range m.sides {
		x, y := &m.sides[s], &o.sides[s]
		if m.count == 0 {
			copy(x.first, y.first)
		}
		d[s] = make([]float64, x.units)
		for i := range d[s] {
			d[s][i] = y.mean[i] - x.mean[i]
			x.squares[i] += y.squares[i] + float64(float64(productWeight*d[s][i])*d[s][i])
			x.mean[i] += float64(d[s][i] * meanWeight)
			if x.liveMask[i] |= y.liveMask[i]; x.first[i] != y.first[i] {
				x.liveMask[i] = math.MaxUint32
			}
		}
	}
	par.For(par.Threads(m.Threads), m.sides[0].units, func(i int) {
		wd, row := float64(productWeight*d[0][i]), m.row(i)
		for j, v := range o.row(i) {
			row[j] += v + float64(wd*d[1][j])
		}
	})
	m.count += o.count
	return nil
}
