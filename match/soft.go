package match

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Transport is a soft matching: an optimal transport between rows and columns.
type Transport struct {
	// Plan is the mass of each pair, rows x columns, all >= 0: the sum of each row is
	// 1/rows, that of each column 1/columns.
	Plan *mat.Dense
	Mean float64   // of the values, weighted by the plan
	U, V []float64 // dual variables of rows and columns: see Verify
}

// SoftMatching returns the optimal transport between the uniform distributions over rows
// and over columns of c, whose mean value is the largest: a matching of networks of unequal
// width (Khosla and Williams, "Soft Matching Distance: A metric on neural representations
// that captures single-neuron tuning", 2024). For as many rows as columns it is Bipartite.
// A value of -Inf forbids a pair; errors are Bipartite's, and the context's if that ends first.
//
// It is exact: flows are integers, in units of one over the least common multiple
// of rows and columns. A plan has at most rows+columns-1 pairs with mass where no two
// paths are equally good. Among plans with equal means the choice depends on the values
// alone: rows, or columns if they are more, send their mass in their order, each along the
// first of equally short paths.
//
// The method is that of shortest paths with scaling (Edmonds and Karp, "Theoretical
// improvements in algorithmic efficiency for network flow problems", J. ACM 19, 1972): of n
// rows and m columns it takes at most some n m (n + m) log2(min(n, m)) steps, for most values
// far fewer. 1,021 x 1,019 take a second.
func SoftMatching(ctx context.Context, c mat.Matrix) (Transport, error) {
	rows, cols := c.Dims()
	s := Transport{Plan: new(mat.Dense)}
	if rows == cols {
		m, err := BipartiteContext(ctx, c)
		if err != nil || rows == 0 {
			return s, err
		}
		s.Plan = mat.NewDense(rows, cols, nil)
		for i, j := range m.Partner {
			s.Plan.Set(i, j, 1/float64(rows))
		}
		s.Mean, s.U, s.V = m.Mean, m.U, m.V
		return s, nil
	}
	p, err := assignment.Transport(ctx, values(c))
	if err != nil {
		return Transport{}, fmt.Errorf("match: %w", err)
	}
	s.U, s.V = p.U, p.V
	if rows == 0 || cols == 0 {
		return s, nil
	}
	s.Plan = mat.NewDense(rows, cols, nil)
	for _, f := range p.Flows {
		mass := float64(f.Units) / float64(p.Units)
		s.Plan.Set(f.Row, f.Col, mass)
		s.Mean += float64(mass * c.At(f.Row, f.Col))
	}
	return s, nil
}

// Verify proves that s is a soft matching of c with the largest mean, from s itself
// and its dual variables alone: u_i + v_j >= c_ij everywhere, with equality, within
// tol times the largest magnitude in c, where the plan has mass. Then no plan's mean is
// above that of the dual variables, mean(u) + mean(v), and this one's equals it, within
// the same. It returns nil, or an error that says what does not hold. Sums of the plan may
// err by rounding.
func (s Transport) Verify(c mat.Matrix, tol float64) error {
	rows, cols := c.Dims()
	if len(s.U) != rows || len(s.V) != cols {
		panic(badShape)
	}
	if rows == 0 || cols == 0 {
		return nil
	}
	if r, k := s.Plan.Dims(); r != rows || k != cols {
		panic(badShape)
	}
	rowSums, colSums := make([]float64, rows), make([]float64, cols)
	matrix := values(c)
	tol = float64(tol * largest(matrix))
	for i, u := range s.U {
		plan := s.Plan.RawRowView(i)
		for j, x := range matrix.Row(i) {
			mass, v := plan[j], s.V[j]
			if !(mass >= 0) {
				return fmt.Errorf("match: a mass of %g at row %d, column %d; want one >= 0", mass, i, j)
			}
			if !(u+v >= x-tol) {
				return fmt.Errorf("match: dual variables not feasible at row %d, column %d: u + v = %g < c = %g", i, j, u+v, x)
			}
			if mass > 0 && !(u+v <= x+tol) {
				return fmt.Errorf("match: row %d and column %d have mass and are not tight: u + v - c = %g", i, j, u+v-x)
			}
			rowSums[i] += mass
			colSums[j] += mass
		}
	}
	if err := verifyMarginal("row", rowSums); err != nil {
		return err
	}
	return verifyMarginal("column", colSums)
}

// verifyMarginal checks that the sums of a side are those of its uniform distribution.
func verifyMarginal(side string, sums []float64) error {
	want := 1 / float64(len(sums))
	for i, x := range sums {
		if !(math.Abs(x-want) <= 1e-12*want) {
			return fmt.Errorf("match: the masses of %s %d have the sum %g; want %g", side, i, x, want)
		}
	}
	return nil
}
