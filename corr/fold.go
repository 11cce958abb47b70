package corr

import (
	"math"
	"slices"

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

	// sumSquares is the diagonal of prod as columns know it, before there are products.
	// It decides what a block is centred on, which prod's own diagonal would do otherwise
	// in the last digit, depending on how many blocks are folded at a time.
	sumSquares []float64
}

func (s *moments) clone() moments {
	return moments{s.count, slices.Clone(s.mean), slices.Clone(s.prod), slices.Clone(s.sumSquares)}
}

// blocksPerFold returns the largest number of blocks of p units that are folded at a
// time, so that threads meet seldom: as many as take 2 MB.
func blocksPerFold(p int) int { return max(1, min(8, 1<<19/(blockRows*p))) }

// fold merges blocks of n rows each, one after another in data, and sets in liveMask
// the units that ever left their first value. If there are several blocks, they are
// full.
//
// A block's rows y are centred on s, the mean so far (for the first block its own),
// and the block has products P = sum (y-s)(y-s)^T and residuals r = sum (y-s).
// With the count N and the mean M so far and the block's mean m = s + r/n, the
// formula of Chan, Golub and LeVeque is
//
//	prod += P - r r^T / n + d d^T n N / (n + N),  d = m - M
//	mean += d n / (n + N)
//
// That s is not m costs no accuracy in the end: the term in d adds at least half of the
// variance that r r^T / n takes away. Of units whose mean is less than their
// standard deviation s is 0, for a like reason: so the zeros of sparse activations
// stay zeros, whose products are exact.
//
// Units whose squares leave the range of float32 are multiplied by a power of two.
func (s *moments) fold(threads, n, blocks int, data, first []float32, liveMask []uint32) {
	p, width := len(s.mean), level3.Width()
	size := level3.PackedLen(p, n)
	packed := level3.Scratch(blocks * size)
	defer level3.Release(packed)
	panels := *packed
	residuals, deltas, scales := make([]float64, blocks*p), make([]float64, blocks*p), make([]float64, blocks*p)

	// Columns do not depend on each other, so every task takes its columns through all
	// blocks.
	columnsPerTask := (p/width + threads - 1) / threads * width
	par.Blocks(threads, p, max(columnsPerTask, width), func(lo, hi int) {
		c := newColumns(n, p, s.mean[lo:hi], s.sumSquares[lo:hi], first[lo:hi], liveMask[lo:hi])
		for b := range blocks {
			at := b*p + lo
			c.block(data[b*n*p+lo:(b+1)*n*p], s.count+int64(b*n), blockTerms{panels[b*size+lo*n:], residuals[at:], deltas[at:], scales[at:]})
		}
	})

	// Rows do not depend on each other either. A task of one or two panels evens out
	// between threads, larger ones would share the panels that they are multiplied with.
	count := (p + width - 1) / width
	panelsPerTask := max(1, min(2, count/8))
	par.Blocks(threads, count, panelsPerTask, func(lo, hi int) {
		begin, ldc := lo*width, (count-lo)*width
		length := (hi - lo) * width * ldc
		c := level3.Scratch(2 * length)
		defer level3.Release(c)
		firstHalf, secondHalf := (*c)[:length], (*c)[length:]
		for b := range blocks {
			block := level3.NewPackedB(panels[b*size:], p, n)
			if block.Gram(lo, hi, 0, min(n, halfRows), firstHalf, ldc); n > halfRows {
				block.Gram(lo, hi, halfRows, n, secondHalf, ldc)
			} else {
				clear(secondHalf)
			}
			productWeight, _ := mergeWeights(int64(n), s.count+int64(b*n))
			r, d, scale := residuals[b*p:][:p], deltas[b*p:][:p], scales[b*p:][:p]
			rescaled := slices.ContainsFunc(scale, func(s float64) bool { return s != 1 })
			for i := begin; i < min(p, hi*width); i++ {
				at := (i - begin) * (ldc + 1)
				x, y, prod := firstHalf[at:][:p-i], secondHalf[at:][:p-i], s.prod[i*p+i:(i+1)*p]
				if rescaled {
					unscale(prod, x, y, scale[i:])
				}
				vec.Merge(prod, x, y, -r[i]/float64(n), r[i:], productWeight*d[i], d[i:])
			}
		}
	})
	s.count += int64(blocks * n)
}

// halfRows is the number of rows whose products are summed in float32: a block has two
// halves, which are added in float64.
const halfRows = blockRows / 2

// unscale adds the products of a block's halves, of units that were multiplied by powers
// of two, to sums, and clears them. The scale of a product is that of the first unit
// times that of its own.
func unscale(sums []float64, firstHalf, secondHalf []float32, scale []float64) {
	for j := range firstHalf {
		sums[j] += (float64(firstHalf[j]) + float64(secondHalf[j])) / scale[0] / scale[j]
	}
	clear(firstHalf)
	clear(secondHalf)
}

// columns are the statistics of a range of units, whose columns of a block they centre
// and pack.
type columns struct {
	n, p                int       // rows of a block, and elements from one to the next
	mean, sumSquares    []float64 // of all rows so far
	blockSum            []float64 // of the block, centred
	shift, sum, squares []float32
	first               []float32
	liveMask            []uint32
}

// blockTerms are the terms of a block in the formula of fold: panels of centred rows, whose
// products are P, and for each unit r, d, and the power of two that its rows were
// multiplied by.
type blockTerms struct {
	panels                 []float32
	residual, delta, scale []float64
}

func newColumns(n, p int, mean, sumSquares []float64, first []float32, liveMask []uint32) *columns {
	units := len(mean)
	return &columns{
		n: n, p: p, mean: mean, sumSquares: sumSquares, blockSum: make([]float64, units),
		shift: make([]float32, units), sum: make([]float32, units), squares: make([]float32, units),
		first: first, liveMask: liveMask,
	}
}

// block computes the terms of a block that follows count rows, and takes it into the
// statistics.
func (c *columns) block(rows []float32, count int64, terms blockTerms) {
	if count == 0 {
		c.begin(rows)
	}
	n := float64(c.n)
	observations := max(count, int64(c.n)) // in sumSquares
	for i, m := range c.mean {
		c.shift[i] = float32(m)
		if m*m*float64(observations) <= c.sumSquares[i] {
			c.shift[i] = 0
		}
	}
	if count == 0 {
		clear(c.mean)
		clear(c.sumSquares)
	}
	c.pack(rows, terms.panels)
	productWeight, meanWeight := mergeWeights(int64(c.n), count)
	for i := range c.mean {
		r, squares, scale := c.blockSum[i], float64(c.squares[i]), 1.0
		if !(squares <= 1e34) || squares < 1e-30 && c.liveMask[i] != 0 {
			r, squares, scale = c.rescale(i, rows, terms.panels)
		}
		delta := float64(c.shift[i]) + r/n - c.mean[i]
		terms.residual[i], terms.delta[i], terms.scale[i] = r, delta, scale
		c.mean[i] += float64(delta * meanWeight)
		c.sumSquares[i] += squares - r*r/n + float64(productWeight*delta*delta)
	}
}

// rescale packs column i again, multiplied by a power of two so that its largest
// magnitude is near 1, and returns the sum and the sum of squares of the centred column
// as it was, and the power.
func (c *columns) rescale(i int, rows, panels []float32) (sum, squares, scale float64) {
	shift := float64(c.shift[i])
	var largest float64
	for k := range c.n {
		y := float64(rows[k*c.p+i]) - shift
		sum += y
		squares += float64(y * y)
		largest = max(largest, math.Abs(y))
	}
	_, exponent := math.Frexp(largest)
	scale = math.Ldexp(1, -exponent)
	width := level3.Width()
	for k := range c.n {
		panels[i/width*width*c.n+k*width+i%width] = float32((float64(rows[k*c.p+i]) - shift) * scale)
	}
	return sum, squares, scale
}

// pack centres the rows of a block in runs of 16: memory is read row after row, and sums
// in float32 stay short.
func (c *columns) pack(rows, panels []float32) {
	const runRows = 16
	clear(c.blockSum)
	clear(c.squares)
	zeros := make([]float32, len(c.sum))
	width := level3.Width()
	if len(c.mean)%width != 0 {
		clear(panels[len(c.mean)/width*width*c.n:][:width*c.n])
	}
	for k := 0; k < c.n; k += runRows {
		clear(c.sum)
		for j := 0; j < len(c.mean); j += width {
			end := min(len(c.mean), j+width)
			vec.Centre(min(runRows, c.n-k), panels[j*c.n+k*width:], width, rows[k*c.p+j:], c.p,
				vec.Columns{Shift: c.shift[j:end], First: c.first[j:end], Sum: c.sum[j:end], Squares: c.squares[j:end], Varied: c.liveMask[j:end]})
		}
		vec.Merge(c.blockSum, c.sum, zeros, 0, c.mean, 0, c.mean)
	}
}

// begin sets mean and sumSquares to those of the first block.
func (c *columns) begin(rows []float32) {
	for k := range c.n {
		for i, v := range rows[k*c.p:][:len(c.mean)] {
			c.mean[i] += float64(v)
		}
	}
	for i := range c.mean {
		c.mean[i] /= float64(c.n)
	}
	for k := range c.n {
		for i, v := range rows[k*c.p:][:len(c.mean)] {
			c.sumSquares[i] += float64((float64(v) - c.mean[i]) * (float64(v) - c.mean[i]))
		}
	}
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
		s.sumSquares[i] = s.prod[i*(p+1)]
	}
	s.count += o.count
}
