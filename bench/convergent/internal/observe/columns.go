package observe

import (
	"math"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Columns is live units of a layer, or directions of the space that they span, each a column
// of mean 0 and norm 1 over images.
type Columns struct {
	Units  int
	images int
	data   []float32 // images x units
}

// Standardized returns the live units of a layer: their products with others are
// correlations.
func (f *Features) Standardized(layer int) *Columns {
	images, units := len(f.Images), f.units[layer]
	c := &Columns{images: images}
	means, squares := make([]float64, units), make([]float64, units)
	for i := range images {
		for u, v := range f.Rows[layer][i*units:][:units] {
			means[u] += float64(v) / float64(images)
		}
	}
	live := make([]int, 0, units)
	for u := range units {
		for i := range images {
			if f.Rows[layer][i*units+u] != f.Rows[layer][u] {
				live = append(live, u)
				break
			}
		}
	}
	for i := range images {
		for u, v := range f.Rows[layer][i*units:][:units] {
			d := float64(v) - means[u]
			squares[u] += float64(d * d)
		}
	}
	c.Units, c.data = len(live), make([]float32, 0, images*len(live))
	for i := range images {
		row := f.Rows[layer][i*units:][:units]
		for _, u := range live {
			c.data = append(c.data, float32((float64(row[u])-means[u])/math.Sqrt(squares[u])))
		}
	}
	return c
}

// Product returns the inner products of the columns with those of other, row by row, in memory to
// be given back to [level3.Release].
func (c *Columns) Product(other *Columns) *[]float32 {
	products := level3.Scratch(c.Units * other.Units)
	level3.Gemm(1, level3.Product{
		M: c.Units, N: other.Units, K: c.images, C: *products, LDC: other.Units,
		A: level3.Cols{Data: c.data, Stride: c.Units}, B: level3.Cols{Data: other.data, Stride: other.Units},
	})
	return products
}

// Span returns orthonormal columns that span what the units do; nil if they span all that so
// many images allow, which predicts anything.
//
// They are the left singular vectors, from the inner products of units or, where these are
// fewer, of images.
func (c *Columns) Span(threads int) *Columns {
	n, p := c.images, c.Units
	if p == 0 {
		return nil
	}
	threads = par.Threads(threads)
	rows := make([]float64, len(c.data))
	for i, v := range c.data {
		rows[i] = float64(v)
	}
	x := dense.Rows(rows, p)
	byImages := n <= p
	side, terms, left := p, n, x.T()
	if byImages {
		side, terms, left = n, p, x
	}
	// eigen returns the eigenvalues that are not rounding, and as many vectors as are asked for.
	eigen := func(vectors int) (values, rows []float64) {
		products := make([]float64, side*side)
		dense.Gemm(threads, dense.Product{M: side, N: side, K: terms, A: left, B: left.T(), C: products, LDC: side})
		values, rows = dense.Eigen(threads, side, products, vectors)
		rank := 0
		for rank < side && values[rank] > 1e-6*math.Sqrt(float64(p)) { // as for [corr.Pair.Rank]
			rank++
		}
		return values[:rank], rows
	}
	if p >= n-1 { // where vectors are seldom needed
		if values, _ := eigen(0); len(values) >= n-1 {
			return nil
		}
	}
	values, vectors := eigen(side)
	rank := len(values)
	s := &Columns{Units: rank, images: n, data: make([]float32, n*rank)}
	if byImages {
		for k := range rank {
			for i, v := range vectors[k*n:][:n] {
				s.data[i*rank+k] = float32(v)
			}
		}
		return s
	}
	span := make([]float64, n*rank)
	dense.Gemm(threads, dense.Product{M: n, N: rank, K: p, A: x, B: dense.Rows(vectors, p).T(), C: span, LDC: rank})
	for i, v := range span {
		s.data[i] = float32(v / math.Sqrt(values[i%rank]))
	}
	return s
}
