package match

import (
	"cmp"
	"container/heap"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/vec"
)

// Greedy matches rows and columns of c one to one by the largest value that
// remains, again and again; of equal ones that of the first row, then of the first
// column. Its sum is at most Bipartite's, and at least half of it where no value
// is negative and none forbidden. Pairs of -Inf are never made. Errors are those of
// SemiMatching; the matching has no dual variables.
func Greedy(c mat.Matrix) (Matching, error) {
	v := values(c)
	partner := make([]int, v.Rows)
	taken := make([]float64, v.Cols) // +Inf for a column that is: it gains nothing
	var queue offers
	offer := func(i int) {
		if b := vec.TopTwo(v.Row(i), taken); b.J >= 0 {
			heap.Push(&queue, bid{b.First, i, b.J})
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
		if taken[b.col] == 0 {
			partner[b.row], taken[b.col] = b.col, math.Inf(1)
		} else {
			offer(b.row)
		}
	}
	return newMatching(c, partner), nil
}

// bid is the largest value of a row, and its first place, when it was made.
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
