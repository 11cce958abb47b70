package match

import (
	"cmp"
	"container/heap"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Greedy returns the one-to-one matching of rows and columns of c that takes the largest
// remaining value each time; of equal ones that of the first row, then of the first
// column. Its sum is at most Bipartite's, and at least half of it where no value
// is negative and none forbidden. Pairs of -Inf are never made. Errors are those of
// SemiMatching; the matching has no dual variables.
//
// Of n rows and m columns it takes n m steps, and m more each time that the best column of a row
// has been taken: n² m at most.
//
// See also [Bipartite].
func Greedy(c mat.Matrix) (Matching, error) {
	v := values(c)
	partner := make([]int, v.Rows)
	prices := make([]float64, v.Cols) // of columns; +Inf for one that has a partner
	var queue offers
	offer := func(i int) {
		if b := assignment.TopTwo(v.Row(i), prices); b.Column1 >= 0 {
			heap.Push(&queue, bid{b.Gain1, i, b.Column1})
		}
	}
	for i := range partner {
		if err := check(v, i); err != nil {
			return Matching{}, err
		}
		partner[i] = -1
		offer(i)
	}
	for len(queue) > 0 {
		b := heap.Pop(&queue).(bid)
		if prices[b.col] == 0 {
			partner[b.row], prices[b.col] = b.col, math.Inf(1)
		} else {
			offer(b.row)
		}
	}
	return newMatching(c, partner), nil
}

// bid is a row's offer for the column of its largest value, the first of equal ones.
type bid struct {
	value    float64
	row, col int
}

// offers is a heap of bids, the largest first.
type offers []bid

func (o offers) Len() int      { return len(o) }
func (o offers) Swap(i, j int) { o[i], o[j] = o[j], o[i] }
func (o *offers) Push(b any)   { *o = append(*o, b.(bid)) }
func (o offers) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(o[j].value, o[i].value), cmp.Compare(o[i].row, o[j].row)) < 0
}
func (o *offers) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}
