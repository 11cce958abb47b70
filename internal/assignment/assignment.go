// Package assignment solves the assignment problem and the transportation
// problem between uniform marginals, exactly, with dual variables that prove it.
//
// The method is Jonker and Volgenant's ("A shortest augmenting path algorithm
// for dense and sparse linear assignment problems", Computing 38, 1987): column
// reduction, reduction transfer, augmenting row reduction, and augmentation along
// shortest paths. What is new is what is read: each row keeps a short list of its
// best columns. Prices of columns only rise, so that what is not on the list can
// never gain more than it did when the list was made. That bound tells when a
// list is enough, for a bid and along a path; only where it is not is the row
// scanned again, by the kernels of package asm. The result is that of full scans.
package assignment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/asm"
)

// ErrInfeasible is wrapped by the error that says which rows or columns are
// allowed too few partners between them.
var ErrInfeasible = errors.New("no complete matching without forbidden pairs")

// Limit on values keeps sums of many of them finite.
const Limit = 1e300

// Matrix holds values by rows, Stride apart; -Inf forbids a pair. If it is Transposed, its
// rows are what the caller calls columns: so errors and results name them.
type Matrix struct {
	Rows, Cols, Stride int
	Data               []float64
	Transposed         bool
}

// Row returns row i.
func (c Matrix) Row(i int) []float64 { return c.Data[i*c.Stride:][:c.Cols] }

// transpose returns a checked copy with rows for columns.
func transpose(c Matrix) (Matrix, error) {
	t := Matrix{Rows: c.Cols, Cols: c.Rows, Stride: c.Rows, Data: make([]float64, c.Rows*c.Cols), Transposed: !c.Transposed}
	i := 0
	for ; i+8 <= c.Rows; i += 8 { // a cache line of t at a time
		var r [8][]float64
		for k := range r {
			r[k] = c.Row(i + k)
			if err := c.Check(i + k); err != nil {
				return t, err
			}
		}
		r0, r1, r2, r3, r4, r5, r6, r7 := r[0][:c.Cols], r[1][:c.Cols], r[2][:c.Cols], r[3][:c.Cols], r[4][:c.Cols], r[5][:c.Cols], r[6][:c.Cols], r[7][:c.Cols]
		for j := range c.Cols {
			row := t.Data[j*t.Stride+i:][:8]
			row[0], row[1], row[2], row[3] = r0[j], r1[j], r2[j], r3[j]
			row[4], row[5], row[6], row[7] = r4[j], r5[j], r6[j], r7[j]
		}
	}
	for ; i < c.Rows; i++ {
		if err := c.Check(i); err != nil {
			return t, err
		}
		for j, x := range c.Row(i) {
			t.Data[j*t.Stride+i] = x
		}
	}
	return t, nil
}

// ValueError says which value is NaN or beyond ±Limit but not -Inf.
type ValueError struct {
	Row, Col int
	Value    float64
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("value %v at row %d, column %d; want one within ±%g, or -Inf for a forbidden pair", e.Value, e.Row, e.Col, Limit)
}

// Check returns a *ValueError that names the first value in row i that is NaN or
// beyond ±Limit but not -Inf.
func (c Matrix) Check(i int) error {
	row := c.Row(i)
	if asm.Active().Bounded(row, Limit) {
		return nil
	}
	j := slices.IndexFunc(row, func(x float64) bool { return !(math.Abs(x) <= Limit || math.IsInf(x, -1)) })
	x := row[j]
	if c.Transposed {
		i, j = j, i
	}
	return &ValueError{i, j, x}
}

// Solution is an assignment with its dual variables: U_i + V_j >= c_ij, with
// equality at pairs; and, on the side that has more vertices, >= 0, and 0 at
// vertices without a partner.
type Solution struct {
	Partner []int     // the column of each row; -1: none
	U, V    []float64 // of rows and of columns
}

// Max gives each row its own column, or, if there are more rows than columns,
// each column its own row, with the largest sum.
//
// Among assignments with equal sums the choice depends on the values alone: rows bid
// in their order, each for the first of its equally good columns, counted from the
// row's own number where there are too many for its list; and of equally short
// paths the first is taken.
func Max(c Matrix) (Solution, error) { return MaxContext(context.Background(), c) }

// MaxContext is Max, which ends with the context's error if that ends first.
func MaxContext(ctx context.Context, c Matrix) (Solution, error) {
	if c.Rows > c.Cols {
		var err error
		if c, err = transpose(c); err != nil {
			return Solution{}, err
		}
	}
	s := newSolver(c)
	if err := s.initialise(); err != nil {
		return Solution{}, err
	}
	deficient, err := s.solve(ctx)
	if err != nil {
		return Solution{}, err
	}
	if deficient != nil {
		side, other := "rows", "columns"
		if c.Transposed {
			side, other = other, side
		}
		return Solution{}, fmt.Errorf("%w: %s %v are allowed only %d %s between them", ErrInfeasible, side, deficient, len(deficient)-1, other)
	}
	return s.solution(), nil
}

// solution returns the assignment of all rows.
func (s *solver) solution() Solution {
	x := Solution{Partner: make([]int, s.Rows), U: make([]float64, s.Rows), V: s.price}
	for i, j := range s.col {
		x.Partner[i] = int(j)
		x.U[i] = s.value[i] - s.price[j]
	}
	if s.Transposed {
		x.U, x.V = x.V, x.U
		x.Partner = make([]int, s.Cols)
		for j, i := range s.row {
			x.Partner[j] = int(i)
		}
	}
	return x
}

// solver assigns each of n rows its own of m >= n columns.
//
// At prices p, column j gains row i c_ij - p_j. Throughout, an assigned row has
// a column of largest gain, u_i, so that u_i + p_j >= c_ij with equality where
// assigned; and if m > n, p_j = 0 where unassigned and p_j >= 0 elsewhere. Once
// all rows are assigned these prove the assignment optimal.
type solver struct {
	Matrix
	price []float64
	row   []int32   // of a column; -1: unassigned
	col   []int32   // of a row; -1: unassigned
	value []float64 // of a row's pair
	lists lists

	queue   queue   // of columns, and of rows after them, by length of the shortest path
	pred    []int32 // the row before a column on it
	labels  []label // permanent ones: columns whose paths are final
	columns []int32 // scratch of scans

	// A search's nearest unassigned column so far, and its distance: a path no
	// shorter is of no use, so that ties end the search.
	end    int32
	length float64
	base   []float64 // of a row in the queue, its distance plus u_i

	rowScans             int // rows that a search by lists had to scan
	fullScans, lastScans int // how many searches are still to scan every row, and were to last time
}

// label is a column with the length of the shortest path to it.
type label struct {
	col  int32
	dist float64
}

func newSolver(c Matrix) *solver {
	n, m := c.Rows, c.Cols
	s := &solver{
		Matrix: c, price: make([]float64, m), row: make([]int32, m),
		col: make([]int32, n), value: make([]float64, n),
		lists: newLists(n, min(maxListLen, m)),
		queue: newQueue(m + n), pred: make([]int32, m), base: make([]float64, n), columns: make([]int32, m),
	}
	for j := range s.row {
		s.row[j] = -1
	}
	for i := range s.col {
		s.col[i] = -1
	}
	return s
}

// assign gives row i column j.
func (s *solver) assign(i, j int32) {
	s.col[i], s.row[j] = j, i
	s.value[i] = s.at(i, j)
}

// at returns the value of row i at column j, which is on its list if these are all there is.
func (s *solver) at(i, j int32) float64 {
	if s.Data != nil {
		return s.Data[int(i)*s.Stride+int(j)]
	}
	column, value := s.lists.row(i)
	return value[slices.Index(column, j)]
}

// solve assigns all rows, or returns rows that have too few columns.
func (s *solver) solve(ctx context.Context) (deficient []int, err error) {
	var unassigned []int32
	for i, j := range s.col {
		if j < 0 {
			unassigned = append(unassigned, int32(i))
		}
	}
	for range 2 {
		unassigned = s.reduceRows(unassigned)
	}
	for _, i := range unassigned {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if deficient := s.augment(i); deficient != nil {
			return deficient, nil
		}
	}
	return nil, nil
}
