package match

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
	"github.com/convergent-go/convergent/internal/par"
)

// Passes is a matrix that is gone through, as often as asked, since it is too large to hold,
// such as the correlations of corr.CrossMoments. Values are finite.
type Passes interface {
	Dims() (rows, cols int)

	// Pass calls visit for blocks of rows, rising, that cover all: rows from number first
	// on, valid until visit returns. An error of visit ends the pass, and is its error.
	Pass(visit func(first int, rows *mat.Dense) error) error
}

// Certificate says what a matching of BipartitePasses rests on.
type Certificate struct {
	Passes int // over the matrix, the last of which held every value to the dual variables
	Pairs  int // that were candidates

	// Excess is the most by which a value is above the dual variables, u_i + v_j, at most
	// 1e-12 times the largest magnitude: the sum of the matching's values is at most Excess
	// times the number of pairs below the largest there is, and rounding.
	Excess float64
}

// BipartitePasses is [Bipartite] for a matrix that is gone through: exact, too, and of the
// same sum; among matchings of equal sums it may choose another. Rows, and columns, have
// lists of candidates, at first their largest values; the assignment among candidates is
// solved; in a pass over the matrix those pairs become candidates that its dual variables
// say would gain; and so on until there are none, which proves it optimal among all pairs.
// How many passes that takes depends on the matrix: correlations of networks that have partners
// take a few, many units that are equal more, and a matrix of rank one, whose rows all want the
// same columns, dozens. It ends with the context's error if that ends first, between blocks and rows.
//
// Values of -Inf are an error, too: no pair can be forbidden.
func BipartitePasses(ctx context.Context, c Passes) (Matching, Certificate, error) {
	s, err := assignment.MaxPasses(ctx, par.Threads(0), blocks{c})
	if err != nil {
		return Matching{}, Certificate{}, fmt.Errorf("match: %w", err)
	}
	m := Matching{Partner: s.Partner, R: s.Value, U: s.U, V: s.V}
	m.Mean = meanOfPairs(m.Partner, m.R)
	return m, Certificate{Passes: s.Passes, Pairs: s.Pairs, Excess: s.Excess}, nil
}

// blocks are the rows of a matrix as package assignment reads them.
type blocks struct{ Passes }

func (b blocks) Pass(visit func(first int, block assignment.Matrix) error) error {
	return b.Passes.Pass(func(first int, rows *mat.Dense) error { return visit(first, values(rows)) })
}

// SemiMatchingPasses is [SemiMatching] for a matrix that is gone through, once, of its rows and
// of its columns: byRow.Partner are columns, byCol.Partner rows. It ends with the context's error
// if that ends first, between blocks.
func SemiMatchingPasses(ctx context.Context, c Passes) (byRow, byCol Matching, err error) {
	rows, cols := c.Dims()
	byRow = Matching{Partner: make([]int, rows), R: make([]float64, rows)}
	byCol = Matching{Partner: make([]int, cols), R: make([]float64, cols)}
	argmax, prices, threads := make([]int32, cols), make([]float64, cols), par.Threads(0)
	for j := range byCol.R {
		byCol.R[j] = math.Inf(-1)
	}
	err = c.Pass(func(first int, block *mat.Dense) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := values(block)
		errs := make([]error, v.Rows)
		par.For(threads, v.Rows, func(r int) {
			for j, x := range v.Row(r) {
				if !(math.Abs(x) <= limit) {
					errs[r] = fmt.Errorf("match: value %v at row %d, column %d; want one within ±%g", x, first+r, j, limit)
					return
				}
			}
			b := assignment.TopTwo(v.Row(r), prices)
			byRow.Partner[first+r], byRow.R[first+r] = b.Column1, b.Gain1
		})
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		par.Blocks(threads, cols, 1024, func(lo, hi int) {
			for r := range v.Rows {
				assignment.ColumnMax(byCol.R[lo:hi], argmax[lo:hi], v.Row(r)[lo:hi], int32(first+r))
			}
		})
		return nil
	})
	for j, i := range argmax {
		byCol.Partner[j] = int(i)
	}
	byRow.Mean, byCol.Mean = meanOfPairs(byRow.Partner, byRow.R), meanOfPairs(byCol.Partner, byCol.R)
	return byRow, byCol, err
}

// MutualPasses returns what [Mutual] does with n = 1, of the matchings of SemiMatchingPasses.
func MutualPasses(byRow, byCol Matching) []MatchedPair {
	var pairs []MatchedPair
	for i, j := range byRow.Partner {
		if byCol.Partner[j] == i {
			pairs = append(pairs, MatchedPair{i, j, byRow.R[i]})
		}
	}
	return pairs
}
