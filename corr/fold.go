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

	// The diagonal of prod as columns know it, before there are products. It decides
	// what a block is centred on, which prod's own would do otherwise in the last digit,
	// and so by how many blocks are folded at a time.
	spread []float64
}

func (s *moments) clone() moments {
	return moments{s.count, slices.Clone(s.mean), slices.Clone(s.prod), slices.Clone(s.spread)}
}

// together is how many blocks are folded at a time at most, so that threads meet
// seldom: as many as take 2 MB.
func together(p int) int { return max(1, min(8, 1<<19/(blockRows*p))) }

// fold merges blocks of n rows each, one after another in data, and notes in moved
// which units ever left their first value. More than one block are full ones.
//
// A block's rows y are centred on s, the mean so far (for the first block its own),
// and the block has products P = sum (y-s)(y-s)^T and what remains, r = sum (y-s).
// With the count N and the mean M so far and the block's mean m = s + r/n, the
// formula of Chan, Golub and LeVeque is
//
//	prod += P - r r^T / n + d d^T n N / (n + N),  d = m - M
//	mean += d n / (n + N)
//
// That s is not m costs no accuracy in the end: with d the whole gains at least half
// of the variance that r r^T / n takes away. Of units whose mean is less than their
// standard deviation s is 0, for a like reason: so the zeros of sparse activations
// stay zeros, whose products are exact.
//
// Units whose squares leave the range of float32 are multiplied by a power of two.
func (s *moments) fold(threads, n, blocks int, data, first []float32, moved []uint32) {
	p, width := len(s.mean), level3.Width()
	size := level3.PreparedLen(p, n)
	packed := level3.Scratch(blocks * size)
	defer level3.Release(packed)
	panels := *packed
	rest, d, scale := make([]float64, blocks*p), make([]float64, blocks*p), make([]float64, blocks*p)

	// Columns do not depend on each other, so every thread takes some through all
	// blocks.
	share := (p/width + threads - 1) / threads * width
	par.Blocks(threads, p, max(share, width), func(lo, hi int) {
		c := newColumns(s.mean[lo:hi], s.spread[lo:hi], first[lo:hi], moved[lo:hi])
		for b := range blocks {
			c.block(data[b*n*p+lo:(b+1)*n*p], n, p, s.count+int64(b*n), panels[b*size+lo*n:], rest[b*p+lo:], d[b*p+lo:], scale[b*p+lo:])
		}
	})

	// Rows do not depend on each other either. Few of them even out between threads,
	// many share the panels that they are multiplied with.
	count := (p + width - 1) / width
	some := max(1, min(2, count/8))
	par.Blocks(threads, count, some, func(lo, hi int) {
		first, ldc := lo*width, (count-lo)*width
		length := (hi - lo) * width * ldc
		c := level3.Scratch(2 * length)
		defer level3.Release(c)
		for b := range blocks {
			block := level3.Prepare(panels[b*size:], p, n)
			sums, more := (*c)[:length], (*c)[length:]
			if block.Gram(lo, hi, 0, min(n, halfRows), sums, ldc); n > halfRows {
				block.Gram(lo, hi, halfRows, n, more, ldc)
			} else {
				clear(more)
			}
			weight, _ := weights(int64(n), s.count+int64(b*n))
			u, v, scale := rest[b*p:][:p], d[b*p:][:p], scale[b*p:][:p]
			scaled := slices.ContainsFunc(scale, func(s float64) bool { return s != 1 })
			for i := first; i < min(p, hi*width); i++ {
				at := (i - first) * (ldc + 1)
				row, more, prod := sums[at:][:p-i], more[at:][:p-i], s.prod[i*p+i:(i+1)*p]
				if scaled {
					unscale(prod, row, more, scale[i:])
				}
				vec.Merge(prod, row, more, -u[i]/float64(n), u[i:], weight*v[i], v[i:])
			}
		}
	})
	s.count += int64(blocks * n)
}

// halfRows is how many rows' products are summed in float32: blocks have two halves,
// which float64 brings together.
const halfRows = blockRows / 2

// unscale adds products of units that were multiplied by powers of two to sums, and
// clears them. The scale of row and more is that of the first unit times their own.
func unscale(sums []float64, row, more []float32, scale []float64) {
	for j := range row {
		sums[j] += (float64(row[j]) + float64(more[j])) / scale[0] / scale[j]
	}
	clear(row)
	clear(more)
}

// columns are some columns of data on their way to products.
type columns struct {
	mean, spread        []float64 // so far
	total               []float64 // the block's sum
	shift, sum, squares []float32
	first               []float32
	moved               []uint32
}

func newColumns(mean, spread []float64, first []float32, moved []uint32) *columns {
	n := len(mean)
	return &columns{mean, spread, make([]float64, n), make([]float32, n), make([]float32, n), make([]float32, n), first, moved}
}

// block packs n rows that lie p apart in panels, after count rows, and gives what
// remains, what the means differ by, and what columns are multiplied by.
func (c *columns) block(rows []float32, n, p int, count int64, panels []float32, rest, d, scale []float64) {
	if count == 0 {
		c.begin(rows, n, p)
	}
	total := max(count, int64(n)) // that spread is the sum over
	for i, m := range c.mean {
		c.shift[i] = float32(m)
		if m*m*float64(total) <= c.spread[i] {
			c.shift[i] = 0
		}
	}
	if count == 0 {
		clear(c.mean)
		clear(c.spread)
	}
	c.pack(rows, n, p, panels)
	weight, share := weights(int64(n), count)
	for i := range c.mean {
		r, squares := c.total[i], float64(c.squares[i])
		scale[i] = 1
		if !(squares <= 1e34) || squares < 1e-30 && c.moved[i] != 0 {
			r, squares, scale[i] = c.rescale(i, rows, n, p, panels)
		}
		delta := float64(c.shift[i]) + r/float64(n) - c.mean[i]
		rest[i], d[i] = r, delta
		c.mean[i] += float64(delta * share)
		c.spread[i] += squares - r*r/float64(n) + float64(weight*delta*delta)
	}
}

// rescale packs column i again, multiplied by a power of two so that its largest
// value is near 1, and returns its sum and that of squares, without that, and the
// power.
func (c *columns) rescale(i int, rows []float32, n, p int, panels []float32) (sum, squares, scale float64) {
	shift := float64(c.shift[i])
	var most float64
	for k := range n {
		y := float64(rows[k*p+i]) - shift
		sum += y
		squares += float64(y * y)
		most = max(most, math.Abs(y))
	}
	_, exponent := math.Frexp(most)
	scale = math.Ldexp(1, -exponent)
	width := level3.Width()
	for k := range n {
		panels[i/width*width*n+k*width+i%width] = float32((float64(rows[k*p+i]) - shift) * scale)
	}
	return sum, squares, scale
}

// pack centres n rows, some at a time: memory is read row after row, and sums in
// float32 stay short.
func (c *columns) pack(rows []float32, n, p int, panels []float32) {
	const some = 16
	clear(c.total)
	clear(c.squares)
	nothing := make([]float32, len(c.sum))
	width := level3.Width()
	if len(c.mean)%width != 0 {
		clear(panels[len(c.mean)/width*width*n:][:width*n])
	}
	for k := 0; k < n; k += some {
		clear(c.sum)
		for j := 0; j < len(c.mean); j += width {
			end := min(len(c.mean), j+width)
			vec.Centre(min(some, n-k), end-j, panels[j*n+k*width:], width, rows[k*p+j:], p,
				c.shift[j:end], c.first[j:end], c.sum[j:end], c.squares[j:end], c.moved[j:end])
		}
		vec.Merge(c.total, c.sum, nothing, 0, c.mean, 0, c.mean)
	}
}

// begin sets mean and spread to those of the first block.
func (c *columns) begin(rows []float32, n, p int) {
	for k := range n {
		for i, v := range rows[k*p:][:len(c.mean)] {
			c.mean[i] += float64(v)
		}
	}
	for i := range c.mean {
		c.mean[i] /= float64(n)
	}
	for k := range n {
		for i, v := range rows[k*p:][:len(c.mean)] {
			c.spread[i] += float64((float64(v) - c.mean[i]) * (float64(v) - c.mean[i]))
		}
	}
}

// weights are those of the differences of means, in products and in means, when n
// rows follow count.
func weights(n, count int64) (weight, share float64) {
	share = float64(n) / float64(count+n)
	return float64(count) * share, share
}

// merge adds the moments of other observations, by the same formula.
func (s *moments) merge(threads int, o moments) {
	p := len(s.mean)
	weight, share := weights(o.count, s.count)
	d := make([]float64, p)
	for i := range d {
		d[i] = o.mean[i] - s.mean[i]
	}
	par.For(threads, p, func(i int) {
		wd, row := float64(weight*d[i]), s.prod[i*p:][:p]
		for j := i; j < p; j++ {
			row[j] += o.prod[i*p+j] + float64(wd*d[j])
		}
	})
	for i := range d {
		s.mean[i] += float64(d[i] * share)
		s.spread[i] = s.prod[i*(p+1)]
	}
	s.count += o.count
}
