package match

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Verify proves that m is a matching of c with the largest sum, from m itself and
// its dual variables alone. With tol = 0 the proof is exact, as values that are integers
// allow; otherwise the sum is proved to be within 2 tol of the largest, times the larger
// dimension and the largest magnitude in c, to which the rounding of dual variables is
// relative. It returns nil, or an error that says what does not hold.
//
// The proof: let u_i + v_j >= c_ij everywhere, and, on the side that has more
// vertices, the dual variables be >= 0, and 0 at vertices without a partner. Then
// any complete matching has
//
//	sum c_ij <= sum (u_i + v_j) <= sum u_i + sum v_j,
//
// and one with c_ij = u_i + v_j at its pairs has the sum on the right.
func (m Matching) Verify(c mat.Matrix, tol float64) error {
	rows, cols := c.Dims()
	if len(m.Partner) != rows || len(m.U) != rows || len(m.V) != cols {
		panic(badShape)
	}
	matrix := values(c)
	tol = float64(tol * largest(matrix))
	mate := make([]int, cols)
	for j := range mate {
		mate[j] = -1
	}
	pairs := 0
	for i, j := range m.Partner {
		if j < 0 {
			continue
		}
		if j >= cols || mate[j] >= 0 {
			return fmt.Errorf("match: row %d has partner %d, which does not exist or is taken", i, j)
		}
		mate[j] = i
		pairs++
		if gap := m.U[i] + m.V[j] - c.At(i, j); !(math.Abs(gap) <= tol) {
			return fmt.Errorf("match: row %d and its partner %d are not tight: u + v - c = %g", i, j, gap)
		}
	}
	if pairs != min(rows, cols) {
		return fmt.Errorf("match: %d pairs, want %d", pairs, min(rows, cols))
	}
	for i, u := range m.U {
		for j, x := range matrix.Row(i) {
			if !(u+m.V[j] >= x-tol) {
				return fmt.Errorf("match: dual variables not feasible at row %d, column %d: u + v = %g < c = %g", i, j, u+m.V[j], x)
			}
		}
	}
	if rows > cols {
		return verifySlackness("row", m.U, m.Partner, tol)
	}
	if cols > rows {
		return verifySlackness("column", m.V, mate, tol)
	}
	return nil
}

// verifySlackness checks complementary slackness on the side that has more vertices.
func verifySlackness(side string, dual []float64, partner []int, tol float64) error {
	for i, x := range dual {
		if !(x >= -tol) || partner[i] < 0 && !(x <= tol) {
			return fmt.Errorf("match: dual variable %g at %s %d; want >= 0, and 0 without a partner", x, side, i)
		}
	}
	return nil
}

// largest returns the largest magnitude in c, forbidden pairs left out.
func largest(c assignment.Matrix) float64 {
	var most float64
	for i := range c.Rows {
		for _, x := range c.Row(i) {
			if a := math.Abs(x); a > most && !math.IsInf(x, 0) {
				most = a
			}
		}
	}
	return most
}
