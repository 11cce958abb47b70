package spectral

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// AverageLinkage joins the two clusters of largest average similarity until one
// is left, starting from n single leaves. Similarities may be negative; the
// diagonal is not read. It returns an error if one is not finite.
//
// It runs in O(n²) time and n² memory by the nearest-neighbour chain: a chain of
// clusters, each the nearest to the one before, ends in two that are nearest to
// each other, and these can be joined at once, out of order, since average
// linkage is reducible: a joined cluster is never nearer to a third than its
// nearer part was (Murtagh 1983; Müllner 2011). Where similarities tie, any greedy
// order is a right answer; this one is fixed by the order of the leaves.
func AverageLinkage(sim mat.Symmetric) (*Tree, error) {
	if err := check(sim, math.Inf(-1)); err != nil {
		return nil, err
	}
	n := sim.SymmetricDim()
	c := newChain(sim)
	joins := make([]join, 0, max(n-1, 0))
	for len(joins) < n-1 {
		joins = append(joins, c.next())
	}
	// Joining parts before wholes, the chain lists equal heights in a valid order.
	slices.SortStableFunc(joins, func(a, b join) int { return cmp.Compare(b.height, a.height) })
	return number(n, joins), nil
}

// join is a merge of the clusters that hold leaves a and b.
type join struct {
	a, b   int
	height float64
}

// chain is the state of the nearest-neighbour chain. A slot holds a cluster that
// contains the leaf of that number.
type chain struct {
	n     int
	sim   []float64 // n x n averages; -Inf on the diagonal and in columns of empty slots
	size  []int     // leaves in each slot that is not empty
	slots []int     // the chain
}

func newChain(sim mat.Symmetric) *chain {
	n := sim.SymmetricDim()
	c := &chain{n: n, sim: make([]float64, n*n), size: make([]int, n)}
	for i := range n {
		row := c.row(i)
		for j := range row {
			row[j] = sim.At(i, j)
		}
		row[i] = math.Inf(-1)
		c.size[i] = 1
	}
	return c
}

func (c *chain) row(slot int) []float64 { return c.sim[slot*c.n:][:c.n] }

// next follows the chain to the next pair of mutually nearest clusters and joins
// it. Two or more clusters must be left.
func (c *chain) next() join {
	for {
		if len(c.slots) == 0 {
			c.slots = append(c.slots, 0) // slot 0 is never emptied: the chain's first is only merged into
		}
		tip := c.slots[len(c.slots)-1]
		row := c.row(tip)
		near, best := -1, math.Inf(-1)
		if len(c.slots) > 1 { // among ties the way back wins, or the chain would circle
			near = c.slots[len(c.slots)-2]
			best = row[near]
		}
		back := near
		for slot, s := range row {
			if s > best {
				near, best = slot, s
			}
		}
		if near == back {
			c.slots = c.slots[:len(c.slots)-2]
			c.merge(tip, near)
			return join{tip, near, best}
		}
		c.slots = append(c.slots, near)
	}
}

// merge empties slot a into slot b.
func (c *chain) merge(a, b int) {
	ra, rb := c.row(a), c.row(b)
	na, nb := float64(c.size[a]), float64(c.size[b])
	for k, x := range ra {
		y := rb[k]
		// The mean is never above its larger part; rounding must not undo that.
		s := min((na*x+nb*y)/(na+nb), max(x, y))
		rb[k] = s
		c.sim[k*c.n+b] = s
		c.sim[k*c.n+a] = math.Inf(-1)
	}
	c.size[b] += c.size[a]
}
