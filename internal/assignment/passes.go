package assignment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// Passes is a matrix of finite values that is gone through, as often as asked, since it is
// too large to hold or to be worth it.
type Passes interface {
	Dims() (rows, cols int)

	// Pass calls visit for blocks of rows, rising, that cover all: rows from number first on.
	// The block may be overwritten after visit returns. An error of visit ends the pass.
	Pass(visit func(first int, block Matrix) error) error
}

// Passed is an assignment found in passes, and what it rests on: in the last one every value
// was held to the dual variables.
type Passed struct {
	Solution
	Value   []float64 // of each row and its partner; 0: none
	Passes  int
	Pairs   int     // that were candidates
	Excess  float64 // the most by which a value, c_ij, is above u_i + v_j
	Largest float64 // magnitude of a value
}

// tolerance is what rounding may add to a gain, as a share of the largest magnitude.
const tolerance = 1e-12

// MaxPasses is Max for a matrix that is gone through. Each row has a list of candidates, at
// first those of its largest values; the assignment among candidates is solved, with its dual
// variables; in a pass over the matrix those pairs become candidates that gain more at these
// than the row's own; and so on until there is none (column generation, as for large linear
// programs: Gilmore and Gomory, 1961). Then the dual variables prove the assignment optimal
// among all pairs: its sum is within n(1e-12 c) of the largest, for the largest magnitude c
// and n pairs.
//
// Memory is some 100 bytes a row and column and 24 a candidate, of which there are a few
// dozen a row.
func MaxPasses(ctx context.Context, threads int, c Passes) (Passed, error) {
	rows, cols := c.Dims()
	if rows == 0 || cols == 0 {
		return Passed{Solution: Solution{Partner: slices.Repeat([]int{-1}, rows), U: make([]float64, rows), V: make([]float64, cols)}, Value: make([]float64, rows)}, nil
	}
	x := &candidates{threads: threads, matrix: c, rows: rows, cols: cols, lists: make([]candidateList, rows)}
	s, err := x.start(ctx)
	for err == nil {
		deficient, ended := s.solve(ctx)
		if ended != nil {
			return Passed{}, ended
		}
		if deficient != nil {
			panic("assignment: candidates have no complete matching") // the diagonal is one
		}
		x.Solution = s.solution()
		var added int
		if added, err = x.price(ctx); err == nil && added == 0 {
			x.Value = make([]float64, rows)
			for i, j := range x.Partner {
				if l := x.lists[i]; j >= 0 {
					x.Value[i] = l.value[slices.Index(l.column, int32(j))]
				}
			}
			return x.Passed, nil
		}
		s = x.restrict(s)
	}
	return Passed{}, err
}

// candidates are the pairs that are considered.
type candidates struct {
	Passed
	threads    int
	matrix     Passes
	rows, cols int
	lists      []candidateList // by row of the matrix
	maxima     []float64       // of columns
	argmax     []int32         // the first rows that have them
}

// candidateList is some columns of a row, rising, and the values there.
type candidateList struct {
	column []int32
	value  []float64
}

// add adds columns that are not on the list, and returns how many there were.
func (l *candidateList) add(columns []int32, row []float64) (added int) {
	for _, j := range columns {
		if k, ok := slices.BinarySearch(l.column, j); !ok {
			l.column, l.value = slices.Insert(l.column, k, j), slices.Insert(l.value, k, row[j])
			added++
		}
	}
	return added
}

// pass calls f for each row of the matrix, at most threads at a time, after block for blocks of
// them, and counts. The context ends it between blocks.
func (x *candidates) pass(ctx context.Context, block func(first int, b Matrix), f func(i int, row []float64) error) error {
	x.Passes++
	return x.matrix.Pass(func(first int, b Matrix) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if block != nil {
			block(first, b)
		}
		errs := make([]error, b.Rows)
		par.For(x.threads, b.Rows, func(r int) { errs[r] = f(first+r, b.Row(r)) })
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// start goes through the matrix for the first candidates: the largest values of rows, those of
// columns, and the diagonal, which is a complete matching.
func (x *candidates) start(ctx context.Context) (*solver, error) {
	prices := make([]float64, x.cols)
	x.maxima, x.argmax = slices.Repeat([]float64{math.Inf(-1)}, x.cols), make([]int32, x.cols)
	largest := make([]float64, x.rows)
	err := x.pass(ctx, func(first int, b Matrix) {
		par.Blocks(x.threads, x.cols, 1024, func(lo, hi int) {
			for r := range b.Rows {
				ColumnMax(x.maxima[lo:hi], x.argmax[lo:hi], b.Row(r)[lo:hi], int32(first+r))
			}
		})
	}, func(i int, row []float64) error {
		for j, v := range row {
			if !(math.Abs(v) <= Limit) {
				return fmt.Errorf("value %v at row %d, column %d; want one within ±%g", v, i, j, Limit)
			}
			largest[i] = max(largest[i], math.Abs(v))
		}
		columns := make([]int32, min(maxListLen, x.cols))
		n, _ := bestColumns(columns, row, prices, i, math.Inf(-1))
		l := &x.lists[i]
		l.add(columns[:n], row)
		if i < x.cols {
			l.add([]int32{int32(i)}, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for j, i := range x.argmax {
		x.lists[i].add([]int32{int32(j)}, x.maxima)
	}
	for _, v := range largest {
		x.Largest = max(x.Largest, v)
	}
	return x.restrict(nil), nil
}

// price adds to the candidates pairs that gain more than the solution's dual variables allow,
// and returns how many.
func (x *candidates) price(ctx context.Context) (added int, err error) {
	counts, excess := make([]int, x.rows), make([]float64, x.rows)
	err = x.pass(ctx, nil, func(i int, row []float64) error {
		columns := make([]int32, min(maxListLen, x.cols))
		least := x.U[i] + float64(tolerance*x.Largest)
		n, _ := bestColumns(columns, row, x.V, i, least)
		for _, j := range columns[:n] {
			excess[i] = max(excess[i], row[j]-x.V[j]-x.U[i])
		}
		counts[i] = x.lists[i].add(columns[:n], row)
		return nil
	})
	x.Excess = slices.Max(append(excess, 0))
	for _, n := range counts {
		added += n
	}
	return added, err
}

// restrict returns a solver of the assignment among candidates. If there are as many rows as
// columns it goes on from where another ended: its prices, and of its pairs those that are
// still their rows' best.
func (x *candidates) restrict(from *solver) *solver {
	s := newSolver(Matrix{Rows: min(x.rows, x.cols), Cols: max(x.rows, x.cols), Transposed: x.rows > x.cols})
	s.lists = x.solverLists(s)
	switch {
	case s.Rows < s.Cols: // prices of columns that are unassigned must be 0
	case from == nil:
		copy(s.price, x.maxima)
		s.reduceColumns(x.argmax)
	default:
		copy(s.price, from.price)
		for i, j := range from.col {
			column, value := s.lists.row(int32(i))
			gain := from.value[i] - s.price[j]
			best := true
			for k, other := range column {
				best = best && value[k]-s.price[other] <= gain
			}
			if best {
				s.assign(int32(i), j)
			}
		}
	}
	return s
}

// solverLists returns the candidates as the lists of the solver's rows, beyond which there is
// nothing.
func (x *candidates) solverLists(s *solver) lists {
	l := lists{start: make([]int, s.Rows), count: make([]int32, s.Rows), bound: slices.Repeat([]float64{math.Inf(-1)}, s.Rows)}
	each := func(f func(row, col int32, value float64)) {
		for i, list := range x.lists {
			for k, j := range list.column {
				if s.Transposed {
					f(j, int32(i), list.value[k])
				} else {
					f(int32(i), j, list.value[k])
				}
			}
		}
	}
	x.Pairs = 0
	each(func(row, _ int32, _ float64) { l.count[row]++; x.Pairs++ })
	for i := range l.start[1:] {
		l.start[i+1] = l.start[i] + int(l.count[i])
	}
	clear(l.count)
	l.column, l.value = make([]int32, x.Pairs), make([]float64, x.Pairs)
	each(func(row, col int32, value float64) {
		k := l.start[row] + int(l.count[row])
		l.column[k], l.value[k] = col, value
		l.count[row]++
	})
	return l
}
