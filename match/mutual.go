package match

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// MatchedPair is a row, a column and the matrix's value at them.
type MatchedPair struct {
	Row, Col int
	R        float64
}

// Mutual returns the mutual best partners of rank n, n positive: the pairs whose value is
// among the n largest of the row and among the n largest of the column, by rows, then
// columns. With n = 1 these are best buddies (Dekel et al.,
// "Best-Buddies Similarity for robust template matching", CVPR 2015), one to one.
// Of equal values the first counts as larger; a value of -Inf forbids a pair. Errors are
// those of SemiMatching, and a rank below 1 panics. It takes at most rows x columns x n steps.
//
// See also [SemiMatching] and [MutualPasses].
func Mutual(c mat.Matrix, n int) ([]MatchedPair, error) {
	if n < 1 {
		panic(badRank)
	}
	v := values(c)
	byRow, byCol := make([]topValues, v.Rows), make([]topValues, v.Cols)
	for i := range byRow {
		if err := check(v, i); err != nil {
			return nil, err
		}
		for j, x := range v.Row(i) {
			byRow[i].insert(n, x, j)
			byCol[j].insert(n, x, i)
		}
	}
	var pairs []MatchedPair
	for i, l := range byRow {
		from := len(pairs)
		for _, x := range l {
			if slices.ContainsFunc(byCol[x.index], func(y rankedValue) bool { return y.index == i }) {
				pairs = append(pairs, MatchedPair{i, x.index, x.value})
			}
		}
		slices.SortFunc(pairs[from:], func(a, b MatchedPair) int { return a.Col - b.Col })
	}
	return pairs, nil
}

// topValues are the largest values so far, falling, equal ones in the order of indices.
type topValues []rankedValue

type rankedValue struct {
	value float64
	index int
}

// insert inserts x if it is among the n largest values.
func (l *topValues) insert(n int, x float64, index int) {
	if math.IsInf(x, -1) || len(*l) == n && !(x > (*l)[n-1].value) {
		return
	}
	if len(*l) < n {
		*l = append(*l, rankedValue{})
	}
	s := *l
	k := len(s) - 1
	for ; k > 0 && s[k-1].value < x; k-- {
		s[k] = s[k-1]
	}
	s[k] = rankedValue{x, index}
}
