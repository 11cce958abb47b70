package match

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// ErrInfeasible is wrapped by Bipartite's error when forbidden pairs leave no
// complete matching.
var ErrInfeasible = errors.New("match: no complete matching without forbidden pairs")

// Bipartite returns the one-to-one matching of rows and columns of c with the
// largest sum (paper, section 3): every row gets a partner, or, if there are
// more rows than columns, every column does. A value of -Inf forbids a pair.
//
// NaN, and values beyond ±1e300 other than -Inf, are an error that names their
// place; an error wrapping [ErrInfeasible] names rows (or columns) that are
// allowed too few partners between them. Among matchings with equal sums the
// choice is arbitrary, but always the same.
//
// The method is Jonker and Volgenant's ("A shortest augmenting path algorithm
// for dense and sparse linear assignment problems", Computing 38, 1987): exact,
// at most cubic in time, with one copy of c and vectors as working memory.
func Bipartite(c mat.Matrix) (Matching, error) {
	rows, cols := c.Dims()
	flip := rows > cols
	n, m := min(rows, cols), max(rows, cols)
	cost := make([]float64, n*m)
	line := make([]float64, cols)
	for i := range rows {
		if err := read(line, c, i); err != nil {
			return Matching{}, err
		}
		for j, x := range line {
			if flip {
				cost[j*m+i] = -x
			} else {
				cost[i*m+j] = -x
			}
		}
	}
	partner, u, v, reached := assignment.Solve(n, m, cost)
	if reached != nil {
		side, other := "rows", "columns"
		if flip {
			side, other = other, side
		}
		return Matching{}, fmt.Errorf("%w: %s %v are allowed only %d %s between them", ErrInfeasible, side, reached, len(reached)-1, other)
	}
	for i := range u {
		u[i] = -u[i]
	}
	for j := range v {
		v[j] = -v[j]
	}
	if flip {
		column := make([]int, m)
		for i := range column {
			column[i] = -1
		}
		for i, j := range partner {
			column[j] = i
		}
		partner, u, v = column, v, u
	}
	matching := newMatching(c, partner)
	matching.U, matching.V = u, v
	return matching, nil
}
