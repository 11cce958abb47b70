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
// in [-1, 1], and exactly 1 for a unit with itself. Those of dead units (see Dead) are not
// defined, and NaN: packages match and spectral refuse them, so that no dead unit is matched
// unawares. Leave them out by [Select], or see [ZeroNaN]; [Moments.Pair] has live units alone.
// It fills and returns dst; a nil dst is allocated, one of another shape panics.
//
// See also [Moments.CorrelationSym] for what is within a network.
func (m *Moments) Correlation(dst *mat.Dense, a, b int) *mat.Dense {
	if a == b {
		return m.within(dst, a)
	}
	return m.fill(dst, a, b, m.correlations())
}

// within is Correlation within a network.
func (m *Moments) within(dst *mat.Dense, network int) *mat.Dense {
	correlations := m.correlations()
	dst = m.fill(dst, network, network, func(i, first int, row []float64) {
		correlations(i, i, row[i-first:])
	})
	x := dst.RawMatrix()
	mirror(par.Threads(m.Threads), x.Rows, x.Data, x.Stride)
	return dst
}

// CorrelationSym returns what Correlation(nil, network, network) does as a symmetric matrix,
// which package spectral takes. It fills and returns dst; a nil dst is allocated, one of
// another shape panics.
func (m *Moments) CorrelationSym(dst *mat.SymDense, network int) *mat.SymDense {
	n := m.Units(network)
	if dst == nil {
		dst = mat.NewSymDense(n, nil)
	}
	if dst.SymmetricDim() != n {
		panic(badDst)
	}
	correlations, raw, first := m.correlations(), dst.RawSymmetric(), m.offsets[network]
	par.Blocks(par.Threads(m.Threads), n, 32, func(from, to int) {
		for i := from; i < to; i++ {
			correlations(first+i, first+i, raw.Data[i*raw.Stride+i:][:n-i])
		}
	})
	return dst
}

// correlations returns a function that sets a row to the correlations of unit i with units
// first, first+1, ..., all in the joint order.
func (m *Moments) correlations() func(i, first int, row []float64) {
	s, liveMask := m.snapshot()
	std := make([]float64, m.total())
	for i := range std {
		std[i] = math.Sqrt(s.covariance(i, i))
	}
	return func(i, first int, row []float64) {
		for k := range row {
			switch j := first + k; {
			case liveMask[i] == 0 || liveMask[j] == 0:
				row[k] = math.NaN()
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
	}
}

// ZeroNaN sets what is NaN in c to 0, such as the correlations of dead units, and returns c.
func ZeroNaN(c *mat.Dense) *mat.Dense {
	rows, _ := c.Dims()
	for i := range rows {
		row := c.RawRowView(i)
		for j, v := range row {
			if math.IsNaN(v) {
				row[j] = 0
			}
		}
	}
	return c
}

// fill sets dst to rows of units: f sets that of unit i of network a to its figures with the
// units of network b from the first on, all in the joint order.
func (m *Moments) fill(dst *mat.Dense, a, b int, f func(i, first int, row []float64)) *mat.Dense {
	m.require(a, b)
	if dst == nil {
		dst = mat.NewDense(m.units[a], m.units[b], nil)
	}
	if r, c := dst.Dims(); r != m.units[a] || c != m.units[b] {
		panic(badDst)
	}
	par.Blocks(par.Threads(m.Threads), m.units[a], 32, func(from, to int) {
		for i := from; i < to; i++ {
			f(m.offsets[a]+i, m.offsets[b], dst.RawRowView(i))
		}
	})
	return dst
}

// SelectSym returns the given rows and columns of c: of a correlation within a network, say,
// those of live units.
func SelectSym(c mat.Symmetric, units []int) *mat.SymDense {
	if len(units) == 0 {
		return &mat.SymDense{}
	}
	d := mat.NewSymDense(len(units), nil)
	for i, u := range units {
		for j := i; j < len(units); j++ {
			d.SetSym(i, j, c.At(u, units[j]))
		}
	}
	return d
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
