package corr

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/par"
)

// Covariance returns the Units(a) x Units(b) covariances of the units of two
// networks, or within one where a = b: E[(X_i - mu_i)(X_j - mu_j)]. It fills
// and returns dst; a nil dst is allocated, one of another shape panics.
func (m *Moments) Covariance(dst *mat.Dense, a, b int) *mat.Dense {
	s, _ := m.snapshot()
	return m.fill(dst, a, b, func(i, first int, row []float64) {
		for k := range row {
			row[k] = s.covariance(i, first+k)
		}
	})
}

// Correlation returns the Units(a) x Units(b) correlations of the units of two
// networks, or within one where a = b (paper, section 2):
//
//	c_ij = E[(X_i - mu_i)(X_j - mu_j)] / (sigma_i sigma_j)
//
// in [-1, 1], and exactly 1 for a unit with itself. The rows and columns of dead
// units (see Dead) are 0, and should be left out. It fills and returns
// dst; a nil dst is allocated, one of another shape panics.
func (m *Moments) Correlation(dst *mat.Dense, a, b int) *mat.Dense {
	s, liveMask := m.snapshot()
	std := make([]float64, m.total())
	for i := range std {
		std[i] = math.Sqrt(s.covariance(i, i))
	}
	within := a == b
	dst = m.fill(dst, a, b, func(i, first int, row []float64) {
		if within {
			row, first = row[i-first:], i
		}
		for k := range row {
			switch j := first + k; {
			case liveMask[i] == 0 || liveMask[j] == 0:
				row[k] = 0
			case i == j:
				row[k] = 1
			default:
				// By each, since a product of variances may leave the range.
				c := s.covariance(i, j) / std[i] / std[j]
				if math.IsNaN(c) {
					c = 0 // the unit varies by less than float32 products can hold
				}
				row[k] = max(-1, min(1, c))
			}
		}
	})
	if within {
		x := dst.RawMatrix()
		mirror(par.Threads(m.Threads), x.Rows, x.Data, x.Stride)
	}
	return dst
}

// fill sets dst to rows of units: f sets that of unit i of network a to its figures with the
// units of network b from the first on, all in the joint order.
func (m *Moments) fill(dst *mat.Dense, a, b int, f func(i, first int, row []float64)) *mat.Dense {
	m.require(a, b)
	if dst == nil {
		dst = mat.NewDense(m.units[a], m.units[b], nil)
	}
	if r, c := dst.Dims(); r != m.units[a] || c != m.units[b] {
		panic("corr: dst has the wrong shape")
	}
	par.Blocks(par.Threads(m.Threads), m.units[a], 32, func(from, to int) {
		for i := from; i < to; i++ {
			f(m.offsets[a]+i, m.offsets[b], dst.RawRowView(i))
		}
	})
	return dst
}

// Select returns the given rows and columns of c: of a correlation, say, those
// of live units.
func Select(c mat.Matrix, rows, cols []int) *mat.Dense {
	if len(rows) == 0 || len(cols) == 0 {
		return &mat.Dense{}
	}
	d := mat.NewDense(len(rows), len(cols), nil)
	if raw, ok := c.(*mat.Dense); ok {
		for i, r := range rows {
			from, to := raw.RawRowView(r), d.RawRowView(i)
			for j, k := range cols {
				to[j] = from[k]
			}
		}
		return d
	}
	for i, r := range rows {
		for j, k := range cols {
			d.Set(i, j, c.At(r, k))
		}
	}
	return d
}
