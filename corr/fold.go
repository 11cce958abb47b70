package corr

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// moments are a count, means, and the upper triangle of the matrix of summed
// products of deviations from them.
type moments struct {
	count int64
	mean  []float64
	prod  []float64
}

func (s *moments) clone() moments {
	return moments{s.count, slices.Clone(s.mean), slices.Clone(s.prod)}
}

// accumulator adds up moments, slab by slab: blocks of rows that are centred on one shift.
// The rows y of a slab, of which there are n, have products P = sum (y-s)(y-s)^T and
// residuals r = sum (y-s) with the shift s. With the count N and the mean M so far and the
// slab's mean m = s + r/n, the formula of Chan, Golub and LeVeque is
//
//	prod += P - r r^T / n + d d^T n N / (n + N),  d = m - M
//	mean += d n / (n + N)
//
// P is added to prod block by block, all else when the slab is full. The shift is the mean
// so far, for the first slab, of one block, its own. That it is not m costs no accuracy
// in the end, as a slab has no more rows than there were before it: then the term in d
// adds at least half of the variance that r r^T / n takes away. Of units whose mean is
// less than their standard deviation the shift is 0, for a like reason: so the zeros of
// sparse activations stay zeros, whose products are exact.
type accumulator struct {
	moments           // of the slabs that are full; but prod has the products of the other
	rows    int       // of the slab that is not full
	shift   []float32 // what its rows are centred on
	sum     []float64 // of its centred rows
}

// slabBlocks is the largest number of blocks in a slab.
const slabBlocks = 16

// newAccumulator returns an accumulator that goes on from moments.
func newAccumulator(s moments) accumulator {
	p := len(s.mean)
	return accumulator{moments: s, shift: make([]float32, p), sum: make([]float64, p)}
}

func (a *accumulator) clone() accumulator {
	return accumulator{a.moments.clone(), a.rows, slices.Clone(a.shift), slices.Clone(a.sum)}
}

// blocksLeft returns how many blocks the slab has room for.
func (a *accumulator) blocksLeft() int { return blocksLeft(a.count, a.rows) }

// blocksLeft returns how many blocks a slab of so many rows has room for, after so many
// rows before it.
func blocksLeft(before int64, rows int) int {
	return int(max(1, min(slabBlocks, before/blockRows))) - rows/blockRows
}

// blocksPerFold returns the largest number of blocks of p units that are folded at a
// time. Those of few units, as many rows that follow and the sums stay in a second-level
// cache of 1 MB; of many, blocks are so many that sums are not read and written for the
// products of a few rows.
func blocksPerFold(p int) int {
	if p > 256 {
		return 4
	}
	return max(2, min(slabBlocks, 1<<16/(blockRows*p)))
}

// fold adds blocks of n rows each, one after another in data, for which the slab has
// room, and sets in liveMask the units that ever left their first value. Less than
// blockRows are a block only if no other follows. It reports false, and
// has changed nothing, if a value is NaN or infinite.
//
// Units whose products would leave the range of float32 are multiplied by a power of two.
func (a *accumulator) fold(threads, n, blocks int, data, first []float32, liveMask []uint32) bool {
	if a.rows == 0 {
		a.choose(n, data)
	}
	p, width := len(a.mean), level3.Width()
	bands := bandsOf((p+width-1)/width, threads)
	shares := takeFoldings(len(bands))
	defer shares.release()
	ahead := data[n*blocks*p:]
	ahead = ahead[:min(len(ahead), n*blocks*p)]
	var finite bool
	par.For(threads, len(bands), func(i int) {
		f := shares.set[i]
		f.start(n, p, blocks, bands[i])
		f.data, f.ahead, f.shift, f.first = data, ahead, a.shift, first
		copy(f.sum, a.sum)
		copy(f.varied, liveMask)
		if ok := f.pack(f.band.i0*width, p); i == 0 { // which has all columns
			finite = ok
		}
	})
	if !finite {
		return false
	}
	copy(a.sum, shares.set[0].sum)
	copy(liveMask, shares.set[0].varied)
	par.For(threads, len(bands), func(i int) { shares.set[i].multiply(a.prod) })
	if a.rows += n * blocks; a.blocksLeft() == 0 {
		a.close(threads)
	}
	return true
}

// choose sets the shift of a slab whose first block of n rows data begin with.
func (a *accumulator) choose(n int, data []float32) {
	chooseShift(a.shift, a.count, a.mean, diagonal(a.prod, len(a.mean)), n, data)
}

// chooseShift sets the shift of a slab whose first block of n rows data begin with, where
// so many rows before have a mean and a sum of squares of deviations from it.
func chooseShift(shift []float32, before int64, mean, squares []float64, n int, data []float32) {
	count := float64(before)
	if before == 0 {
		count = float64(n)
		mean, squares = firstMoments(n, len(shift), data)
	}
	for i, m := range mean {
		shift[i] = float32(m)
		if float64(m*m)*count <= squares[i] {
			shift[i] = 0
		}
	}
}

// firstMoments returns the means of n rows, and the sums of squares of deviations from them.
func firstMoments(n, p int, rows []float32) (mean, squares []float64) {
	mean, squares = make([]float64, p), make([]float64, p)
	for k := range n {
		for i, v := range rows[k*p:][:p] {
			mean[i] += float64(v)
		}
	}
	for i := range mean {
		mean[i] /= float64(n)
	}
	for k := range n {
		for i, v := range rows[k*p:][:p] {
			d := float64(v) - mean[i]
			squares[i] += float64(d * d)
		}
	}
	return mean, squares
}

// close takes the slab, full or not, into the moments.
func (a *accumulator) close(threads int) {
	if a.rows == 0 {
		return
	}
	p, n := len(a.mean), float64(a.rows)
	productWeight, meanWeight := mergeWeights(int64(a.rows), a.count)
	d := make([]float64, p)
	for i, r := range a.sum {
		d[i] = float64(a.shift[i]) + r/n - a.mean[i]
		a.mean[i] += float64(d[i] * meanWeight)
	}
	par.Blocks(threads, p, 32, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vec.Shift(a.prod[i*p+i:(i+1)*p], -a.sum[i]/n, a.sum[i:], productWeight*d[i], d[i:])
		}
	})
	a.count += int64(a.rows)
	a.rows = 0
	clear(a.sum)
}

// folding is blocks of rows on their way into an accumulator: what one thread does, which
// packs for itself all that it multiplies, since to read what another core has packed takes
// longer.
type folding struct {
	n, p, blocks int
	band         band
	data         []float32
	panels       []float32 // of centred rows, size floats a block, from the band's first on
	size         int
	shift, first []float32
	sum          []float64 // of centred rows
	varied       []uint32
	exponents    []int32     // of units in blocks: of the powers of two that rows were divided by
	blockSum     []float64   // of a block
	largest      []uint32    // magnitudes in a block
	rescaled     atomic.Bool // whether an exponent is not 0
	ahead        []float32   // rows that the next fold packs
	asked, due   int         // how many of its values are asked for, and should be
	products     int         // of two panels, each of which asks for some
}

// foldings are those of the threads of one fold. They are kept for the next, since new memory
// costs more than it takes to fill, and together, so that a thread finds again what lies in
// its core's cache.
type foldings struct{ set []*folding }

var foldingsPool = sync.Pool{New: func() any { return new(foldings) }}

// takeFoldings returns so many foldings, or more.
func takeFoldings(n int) *foldings {
	s := foldingsPool.Get().(*foldings)
	for len(s.set) < n {
		s.set = append(s.set, new(folding))
	}
	return s
}

// release gives back the memory.
func (s *foldings) release() {
	for _, f := range s.set {
		f.data, f.ahead, f.shift, f.first = nil, nil, nil, nil
	}
	foldingsPool.Put(s)
}

// start makes memory for so many blocks of n rows, of any content but for exponents of zero.
func (f *folding) start(n, p, blocks int, b band) {
	f.n, f.p, f.blocks, f.band, f.size = n, p, blocks, b, level3.PackedLen(p-b.i0*level3.Width(), n)
	f.panels = resize(f.panels, blocks*f.size)
	f.sum, f.blockSum = resize(f.sum, p), resize(f.blockSum, p)
	f.varied, f.largest, f.exponents = resize(f.varied, p), resize(f.largest, p), resize(f.exponents, blocks*p)
	clear(f.exponents)
	f.rescaled.Store(false)
}

// resize returns x, or other memory where it does not suffice, with n elements.
func resize[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// pack centres and packs columns [lo, hi) of all blocks, whole panels of those from the
// band's first on. It reports false if an element is NaN or infinite.
func (f *folding) pack(lo, hi int) bool {
	// A run of rows at a time, since memory is read row after row.
	const runRows = 32
	width := level3.Width()
	base, sum, largest := f.band.i0*width, f.blockSum, f.largest
	for b := range f.blocks {
		rows, panels := f.data[b*f.n*f.p:], f.panels[b*f.size:]
		if hi%width != 0 {
			clear(panels[(hi/width-f.band.i0)*width*f.n:][:width*f.n])
		}
		clear(sum[lo:hi])
		clear(largest[lo:hi])
		for k := 0; k < f.n; k += runRows {
			for j := lo; j < hi; j += width {
				end := min(hi, j+width)
				vec.Centre(min(runRows, f.n-k), panels[(j-base)*f.n+k*width:], width, rows[k*f.p+j:], f.p,
					vec.Columns{Shift: f.shift[j:end], First: f.first[j:end], Sum: sum[j:end], Largest: largest[j:end], Varied: f.varied[j:end]})
			}
		}
		for i := lo; i < hi; i++ {
			if y := math.Float32frombits(largest[i]); !(y <= 1e17) || y < 1e-15 && y > 0 {
				if sum[i] = f.rescale(b, i); math.IsNaN(sum[i]) || math.IsInf(sum[i], 0) {
					return false
				}
			}
			f.sum[i] += sum[i]
		}
	}
	return true
}

// rescale packs column i of block b again, divided by a power of two so that its largest
// magnitude is near 1, and returns the sum of the centred column as it was.
func (f *folding) rescale(b, i int) (sum float64) {
	rows, shift := f.data[b*f.n*f.p:], float64(f.shift[i])
	var largest float64
	for k := range f.n {
		y := float64(rows[k*f.p+i]) - shift
		sum += y
		largest = max(largest, math.Abs(y))
	}
	_, exponent := math.Frexp(largest)
	f.exponents[b*f.p+i] = int32(exponent)
	f.rescaled.Store(true)
	scale, width := math.Ldexp(1, -exponent), level3.Width()
	column := f.panels[b*f.size+(i/width-f.band.i0)*width*f.n+i%width:]
	for k := range f.n {
		column[k*width] = float32((float64(rows[k*f.p+i]) - shift) * scale)
	}
	return sum
}

// multiply adds the products of all blocks in the band to the sums.
func (f *folding) multiply(prod []float64) {
	const side = 4 // panels: the sums of so many, squared, stay in the cache for all blocks
	width, lo := level3.Width(), f.band.i0
	panels := (f.p + width - 1) / width
	f.asked, f.due, f.products = 0, 0, max(1, f.blocks*(products(panels, f.band)-(f.band.i1-lo)))
	for i := lo; i < f.band.i1; i += side {
		for j := i; j < panels; j += side {
			multiplyTile(prod, f.p, f, f, tile{i, min(f.band.i1, i+side), j, min(panels, j+side)})
		}
	}
	for i := lo; i < f.band.i1; i++ { // what products of panels with themselves left below the diagonal
		for x := i * width; x < min(f.p, (i+1)*width); x++ {
			clear(prod[x*f.p+i*width : x*f.p+x])
		}
	}
}

// next returns what the next product of two panels asks for of what is ahead, so that all is
// asked for evenly.
func (f *folding) next() []float32 {
	if len(f.ahead) == 0 {
		return nil
	}
	f.due += len(f.ahead) / f.products
	n := min(len(f.ahead)-f.asked, level3.GramAhead(f.n))
	if f.due < f.asked+n {
		return nil
	}
	f.asked += n
	return f.ahead[f.asked-n : f.asked]
}

// tile is rows [i0, i1) and columns [j0, j1) of a matrix of panels.
type tile struct{ i0, i1, j0, j1 int }

// multiplyTile adds the products of left's panels with right's, block by block, to sums
// whose rows are ld apart; of a folding with itself those from the diagonal on.
func multiplyTile(sums []float64, ld int, left, right *folding, t tile) {
	width, lo := level3.Width(), left.band.i0
	for b := range left.blocks {
		x, exponentsX := left.block(b)
		y, exponentsY := right.block(b)
		rescaled := left.rescaled.Load() || right.rescaled.Load()
		for j := t.j0; j < t.j1; j++ { // a panel stays in the cache for all that it is multiplied with
			i1 := t.i1
			if left == right {
				i1 = min(i1, j+1)
			}
			for i := t.i0; i < i1; i++ {
				tile := sums[i*width*ld+j*width:]
				if !rescaled {
					var ahead []float32
					if left != right || i != j {
						ahead = left.next()
					}
					x.Gram(i-lo, y, j-right.band.i0, tile, ld, ahead)
					continue
				}
				scaled := make([]float64, width*width)
				x.Gram(i-lo, y, j-right.band.i0, scaled, width, nil)
				for r := range min(width, left.p-i*width) {
					for c := range min(width, right.p-j*width) {
						tile[r*ld+c] += math.Ldexp(scaled[r*width+c], int(exponentsX[i*width+r]+exponentsY[j*width+c]))
					}
				}
			}
		}
	}
}

// block returns block b, packed, and the exponents of all units in it.
func (f *folding) block(b int) (level3.PackedB, []int32) {
	return level3.NewPackedB(f.panels[b*f.size:], f.p-f.band.i0*level3.Width(), f.n), f.exponents[b*f.p:][:f.p]
}

// band is rows [i0, i1) of a triangle of panels.
type band struct{ i0, i1 int }

// products returns how many products of panels are in a band of a triangle of so many rows.
func products(panels int, b band) int { return (b.i1 - b.i0) * (2*panels - b.i0 - b.i1 + 1) / 2 }

// bandsOf returns at most so many bands of about equal size of a triangle, from the longest
// row to the last panel.
func bandsOf(panels, threads int) []band {
	var bands []band
	left := panels * (panels + 1) / 2 // products
	for i0 := 0; i0 < panels; threads-- {
		share, i1 := (left+threads-1)/threads, i0
		for size := 0; i1 < panels && (i1 == i0 || 2*size+panels-i1 <= 2*share); i1++ {
			size += panels - i1
			left -= panels - i1
		}
		if threads == 1 {
			left, i1 = 0, panels
		}
		bands = append(bands, band{i0, i1})
		i0 = i1
	}
	return bands
}

// mergeWeights returns the weights of the differences of means when n rows follow count:
// n N / (n + N) in products and n / (n + N) in means.
func mergeWeights(n, count int64) (productWeight, meanWeight float64) {
	meanWeight = float64(n) / float64(count+n)
	return float64(count) * meanWeight, meanWeight
}

// merge adds the moments of other observations, by the same formula.
func (s *moments) merge(threads int, o moments) {
	p := len(s.mean)
	productWeight, meanWeight := mergeWeights(o.count, s.count)
	d := make([]float64, p)
	for i := range d {
		d[i] = o.mean[i] - s.mean[i]
	}
	par.For(threads, p, func(i int) {
		wd, row := float64(productWeight*d[i]), s.prod[i*p:][:p]
		for j := i; j < p; j++ {
			row[j] += o.prod[i*p+j] + float64(wd*d[j])
		}
	})
	for i := range d {
		s.mean[i] += float64(d[i] * meanWeight)
	}
	s.count += o.count
}
