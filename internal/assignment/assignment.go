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
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/vec"
)

// ErrInfeasible is wrapped by the error that says which rows or columns are
// allowed too few partners between them.
var ErrInfeasible = errors.New("no complete matching without forbidden pairs")

// Limit on values keeps sums of many of them finite.
const Limit = 1e300

// Matrix holds values by rows, Stride apart; -Inf forbids a pair.
type Matrix struct {
	Rows, Cols, Stride int
	Data               []float64
}

// Row returns row i.
func (c Matrix) Row(i int) []float64 { return c.Data[i*c.Stride:][:c.Cols] }

// Transposed returns a copy with rows for columns.
func (c Matrix) Transposed() Matrix {
	t := Matrix{Rows: c.Cols, Cols: c.Rows, Stride: c.Rows, Data: make([]float64, c.Rows*c.Cols)}
	const block = 16 // rows whose places in t share cache lines
	for lo := 0; lo < c.Rows; lo += block {
		for j := range c.Cols {
			to := t.Data[j*t.Stride:][:t.Cols]
			for i := lo; i < min(lo+block, c.Rows); i++ {
				to[i] = c.Data[i*c.Stride+j]
			}
		}
	}
	return t
}

// Check returns an error that names the first value in row i that is NaN or
// beyond ±Limit but not -Inf.
func Check(row []float64, i int) error {
	if vec.Within(row, Limit) {
		return nil
	}
	j := slices.IndexFunc(row, func(x float64) bool { return !(math.Abs(x) <= Limit || math.IsInf(x, -1)) })
	return fmt.Errorf("value %v at row %d, column %d; want one within ±%g, or -Inf for a forbidden pair", row[j], i, j, Limit)
}

// Solution is an assignment with its dual variables: U_i + V_j >= c_ij, with
// equality at pairs; and, on the side that has more vertices, >= 0, and 0 at
// vertices without a partner.
type Solution struct {
	Partner []int // the column of each row; -1: none
	U, V    []float64
}

// Max gives each row its own column, or, if there are more rows than columns,
// each column its own row, with the largest sum.
//
// Of equal gains a row prefers the first column, until lists overflow with
// equals: a row's list is then the first that follow the row's own number, so
// that rows do not all want the same. The choice depends on the values alone.
func Max(c Matrix) (Solution, error) {
	flip := c.Rows > c.Cols
	if flip {
		for i := range c.Rows {
			if err := Check(c.Row(i), i); err != nil {
				return Solution{}, err
			}
		}
		c = c.Transposed()
	}
	s := newSolver(c)
	if err := s.start(); err != nil {
		return Solution{}, err
	}
	if reached := s.solve(); reached != nil {
		side, other := "rows", "columns"
		if flip {
			side, other = other, side
		}
		return Solution{}, fmt.Errorf("%w: %s %v are allowed only %d %s between them", ErrInfeasible, side, reached, len(reached)-1, other)
	}
	x := Solution{Partner: make([]int, c.Rows), U: make([]float64, c.Rows), V: s.price}
	for i, j := range s.col {
		x.Partner[i] = int(j)
		x.U[i] = s.paid[i] - s.price[j]
	}
	if flip {
		x.U, x.V = x.V, x.U
		x.Partner = make([]int, c.Cols)
		for j, i := range s.row {
			x.Partner[j] = int(i)
		}
	}
	return x, nil
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
	paid  []float64 // the value of a row's pair
	lists

	queue queue   // of columns, and of rows after them, by length of the shortest path
	from  []int32 // the row before a column on it
	done  []step  // columns whose paths are final
	hits  []int32

	// A search's nearest unassigned column so far, and its distance: a path no
	// shorter is of no use, so that ties end the search.
	end    int32
	length float64
	base   []float64 // of a row in the queue, its distance plus u_i

	scanned         int // rows that a search had to scan
	scans, patience int // how many searches are still to scan, and were to last time
}

// step is a column reached by a shortest path of the given length.
type step struct {
	col  int32
	dist float64
}

func newSolver(c Matrix) *solver {
	n, m := c.Rows, c.Cols
	s := &solver{
		Matrix: c, price: make([]float64, m), row: make([]int32, m),
		col: make([]int32, n), paid: make([]float64, n),
		lists: newLists(n, min(listed, m)),
		queue: newQueue(m + n), from: make([]int32, m), base: make([]float64, n), hits: make([]int32, m),
	}
	for j := range s.row {
		s.row[j] = -1
	}
	for i := range s.col {
		s.col[i] = -1
	}
	return s
}

func (s *solver) assign(i, j int32) {
	s.col[i], s.row[j] = j, i
	s.paid[i] = s.Data[int(i)*s.Stride+int(j)]
}

// solve assigns all rows, or returns rows that have too few columns.
func (s *solver) solve() []int {
	var free []int32
	for i, j := range s.col {
		if j < 0 {
			free = append(free, int32(i))
		}
	}
	for range 2 {
		free = s.reduceRows(free)
	}
	for _, i := range free {
		if reached := s.augment(i); reached != nil {
			return reached
		}
	}
	return nil
}
