package match

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Pair is a row, a column and the matrix's value there.
type Pair struct {
	Row, Col int
	R        float64
}

// Mutual returns the mutual best partners of rank n, n positive: the pairs of which
// the column is among the row's n largest values and the row among the column's,
// by rows, then columns. With n = 1 these are best buddies (Dekel et al.,
// "Best-Buddies Similarity for robust template matching", CVPR 2015), one to one.
// Of equal values the first counts as larger; -Inf is nobody's partner. Errors are
// those of SemiMatching.
func Mutual(c mat.Matrix, n int) ([]Pair, error) {
	if n < 1 {
		panic(badRank)
	}
	v := values(c)
	byRow, byCol := make([]leaders, v.Rows), make([]leaders, v.Cols)
	for i := range byRow {
		if err := check(v, i); err != nil {
			return nil, err
		}
		for j, x := range v.Row(i) {
			byRow[i].offer(n, x, j)
			byCol[j].offer(n, x, i)
		}
	}
	var pairs []Pair
	for i, l := range byRow {
		from := len(pairs)
		for _, x := range l {
			if slices.ContainsFunc(byCol[x.at], func(y leader) bool { return y.at == i }) {
				pairs = append(pairs, Pair{i, x.at, x.value})
			}
		}
		slices.SortFunc(pairs[from:], func(a, b Pair) int { return a.Col - b.Col })
	}
	return pairs, nil
}

// leaders are the largest values so far, falling, of equal ones the first first.
type leaders []leader

type leader struct {
	value float64
	at    int
}

// offer puts x in if it is among the n largest.
func (l *leaders) offer(n int, x float64, at int) {
	if math.IsInf(x, -1) || len(*l) == n && !(x > (*l)[n-1].value) {
		return
	}
	if len(*l) < n {
		*l = append(*l, leader{})
	}
	s := *l
	k := len(s) - 1
	for ; k > 0 && s[k-1].value < x; k-- {
		s[k] = s[k-1]
	}
	s[k] = leader{x, at}
}
