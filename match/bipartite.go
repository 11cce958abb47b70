package match

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// ErrInfeasible is wrapped by Bipartite's error when forbidden pairs leave no
// complete matching.
var ErrInfeasible = assignment.ErrInfeasible

// ValueError says where a matrix has a value that cannot be matched: NaN, or one beyond
// ±1e300 but not -Inf.
type ValueError = assignment.ValueError

// Bipartite returns the one-to-one matching of rows and columns of c with the
// largest sum (paper, section 3): every row gets a partner, or, if there are
// more rows than columns, every column does. A value of -Inf forbids a pair.
//
// NaN, and values beyond ±1e300 other than -Inf, are a *[ValueError] that names their
// place; an error wrapping [ErrInfeasible] names a set of rows (or columns) whose allowed
// partners are fewer than the set. Among matchings with equal sums the choice depends on
// the values alone, however they are stored: rows, or columns if they are fewer, bid in
// their order, and each prefers the first of equally good partners, counted from its own
// number where there are many.
//
// The method is Jonker and Volgenant's ("A shortest augmenting path algorithm
// for dense and sparse linear assignment problems", Computing 38, 1987): exact. Of n rows
// and m >= n columns it takes at most n² m steps. A [mat.Dense] with no more rows than columns is read
// where it lies, and so is the transpose of one with fewer columns than rows; of
// other matrices one copy is made. The rest of the working memory is at most some
// 1 KiB a row or column.
//
// See also [BipartiteContext], [Greedy], [Mutual] and [SoftMatching].
func Bipartite(c mat.Matrix) (Matching, error) { return BipartiteContext(context.Background(), c) }

// BipartiteContext is [Bipartite], which ends with the context's error if that ends first: a
// matching of several thousand units may take seconds.
func BipartiteContext(ctx context.Context, c mat.Matrix) (Matching, error) {
	s, err := assignment.MaxContext(ctx, assignmentMatrix(c))
	if err != nil {
		return Matching{}, fmt.Errorf("match: %w", err)
	}
	m := newMatching(c, s.Partner)
	m.U, m.V = s.U, s.V
	return m, nil
}

// assignmentMatrix returns the values of c, or of its transpose if that copies less and the
// same side bids, which is the smaller one, of a square matrix the rows.
func assignmentMatrix(c mat.Matrix) assignment.Matrix {
	rows, cols := c.Dims()
	if _, raw := c.(mat.RawMatrixer); !raw && rows != cols {
		t := c.T()
		if _, raw := t.(mat.RawMatrixer); raw || rows > cols {
			v := values(t)
			v.Transposed = true
			return v
		}
	}
	return values(c)
}

// values returns the values of c, without a copy if c is stored by rows.
func values(c mat.Matrix) assignment.Matrix {
	if d, ok := c.(mat.RawMatrixer); ok {
		raw := d.RawMatrix()
		return assignment.Matrix{Rows: raw.Rows, Cols: raw.Cols, Stride: raw.Stride, Data: raw.Data}
	}
	rows, cols := c.Dims()
	v := assignment.Matrix{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
	for i := range rows {
		mat.Row(v.Row(i), i, c)
	}
	return v
}
