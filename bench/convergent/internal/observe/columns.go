package observe

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
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

// Product returns the inner products of the columns with those of other.
func (c *Columns) Product(other *Columns) *mat.Dense {
	sums := make([]float32, c.Units*other.Units)
	level3.Gemm(1, level3.Product{
		M: c.Units, N: other.Units, K: c.images, C: sums, LDC: other.Units,
		A: level3.Cols{Data: c.data, Stride: c.Units}, B: level3.Cols{Data: other.data, Stride: other.Units},
	})
	d := mat.NewDense(c.Units, other.Units, nil)
	for i, v := range sums {
		d.RawMatrix().Data[i] = float64(v)
	}
	return d
}

// Span returns orthonormal columns that span what the units do; nil if they span all that so
// many images allow, which predicts anything.
func (c *Columns) Span(threads int) *Columns {
	if c.Units == 0 {
		return nil
	}
	m := corr.NewMoments(c.Units)
	m.Threads = threads
	if err := m.Add(c.images, c.data); err != nil {
		panic("observe: standardised units are not finite") // which they were made to be
	}
	p := m.Pair(0, 0)
	p.Threads = threads
	weights, err := p.Whitening()
	if errors.Is(err, corr.ErrTooFewObservations) || weights == nil {
		return nil
	}
	_, rank := weights.Dims()
	rows := make([]float64, len(c.data))
	for i, v := range c.data {
		rows[i] = float64(v)
	}
	span, root := make([]float64, c.images*rank), math.Sqrt(float64(c.images))
	dense.Gemm(par.Threads(threads), dense.Product{M: c.images, N: rank, K: c.Units, Alpha: 1 / root, A: dense.Rows(rows, c.Units), B: dense.Rows(weights.RawMatrix().Data, rank), C: span, LDC: rank})
	s := &Columns{Units: rank, images: c.images, data: make([]float32, len(span))}
	for i, v := range span {
		s.data[i] = float32(v)
	}
	return s
}
