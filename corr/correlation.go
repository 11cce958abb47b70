package corr

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Covariance returns the Units(a) x Units(b) covariances of the units of two
// networks, or within one where a = b: E[(X_i - mu_i)(X_j - mu_j)]. It fills
// and returns dst; a nil dst is allocated, one of another shape panics.
func (m *Moments) Covariance(dst *mat.Dense, a, b int) *mat.Dense {
	s, _ := m.snapshot()
	return m.fill(dst, a, b, s.covariance)
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
	return m.fill(dst, a, b, func(i, j int) float64 {
		switch {
		case liveMask[i] == 0 || liveMask[j] == 0:
			return 0
		case i == j:
			return 1
		}
		// The root of each, since a product of variances may leave the range.
		c := s.covariance(i, j) / math.Sqrt(s.covariance(i, i)) / math.Sqrt(s.covariance(j, j))
		if math.IsNaN(c) {
			return 0 // the unit varies by less than float32 products can hold
		}
		return max(-1, min(1, c))
	})
}

// fill sets dst to f of each unit of network a and each of b, in the joint order.
func (m *Moments) fill(dst *mat.Dense, a, b int, f func(i, j int) float64) *mat.Dense {
	if dst == nil {
		dst = mat.NewDense(m.units[a], m.units[b], nil)
	}
	if r, c := dst.Dims(); r != m.units[a] || c != m.units[b] {
		panic("corr: dst has the wrong shape")
	}
	for i := range m.units[a] {
		for j := range m.units[b] {
			dst.Set(i, j, f(m.offsets[a]+i, m.offsets[b]+j))
		}
	}
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
