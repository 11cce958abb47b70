package spectral

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/par"
)

// Linkage says how near a joined cluster is to another one.
type Linkage int

const (
	Average  Linkage = iota // the mean over pairs of leaves, the paper's choice (UPGMA)
	Complete                // the farthest pair
	Single                  // the nearest pair
	Ward                    // by how much joining raises the summed squared distances to means (Ward, 1963)
)

// LinkageOptions steer [Link]. The zero value is average linkage on similarities.
type LinkageOptions struct {
	Method    Linkage
	Distances bool // the matrix holds distances, and not similarities
	Threads   int  // 0: all
}

// Link joins the two nearest clusters until one is left, starting from n single leaves.
// It reads similarities, which may be negative, or distances, and not the diagonal; but
// for Ward's method, which needs Euclidean distances, similarities are inner products,
// and make distances sqrt(s_ii + s_jj - 2 s_ij), which the tree's heights are then too.
// It returns an error if a value is not finite, or, for Ward, if distances are negative
// or inner products none.
//
// It runs in O(n²) time and n² memory by the nearest-neighbour chain: a chain of
// clusters, each the nearest to the one before, ends in two that are nearest to
// each other, and these can be joined at once, out of order, since these linkages
// are reducible: a joined cluster is never nearer to a third than its
// nearer part was (Murtagh 1983; Müllner 2011). Where values tie, any greedy
// order is a right answer; this one is fixed by the order of the leaves.
func Link(m mat.Symmetric, o LinkageOptions) (*Tree, error) {
	if o.Method < Average || o.Method > Ward {
		panic(badKind)
	}
	c, err := newChain(m, o)
	if err != nil {
		return nil, err
	}
	n := c.n
	joins := make([]join, 0, max(n-1, 0))
	for len(joins) < n-1 {
		joins = append(joins, c.next())
	}
	// Joining parts before wholes, the chain lists equal heights in a valid order.
	slices.SortStableFunc(joins, func(a, b join) int { return cmp.Compare(b.height, a.height) })
	distances := o.Distances || o.Method == Ward
	for i := range joins {
		switch h := &joins[i].height; {
		case o.Method == Ward:
			*h = math.Sqrt(-*h)
		case distances:
			*h = 0 - *h
		}
	}
	t := number(n, joins)
	t.Distances = distances
	return t, nil
}

// AverageLinkage is Link of similarities by their averages.
func AverageLinkage(sim mat.Symmetric) (*Tree, error) { return Link(sim, LinkageOptions{}) }

// join is a merge of the clusters that hold leaves a and b.
type join struct {
	a, b   int
	height float64 // as a similarity
}

// chain is the state of the nearest-neighbour chain. A slot holds a cluster that
// contains the leaf of that number.
type chain struct {
	method Linkage
	n      int
	sim    []float64 // n x n; minus distances, or for Ward minus their squares; -Inf on the diagonal
	size   []int     // leaves in each slot
	full   []int     // slots that are not empty, rising; of others, rows and columns hold anything
	slots  []int     // the chain
}

func newChain(m mat.Symmetric, o LinkageOptions) (*chain, error) {
	n := m.SymmetricDim()
	g := flat(m)
	if err := check(g, math.Inf(-1)); err != nil {
		return nil, err
	}
	c := &chain{method: o.Method, n: n, sim: g.w, size: make([]int, n), full: make([]int, n)}
	square := make([]float64, n)
	for i := range square {
		square[i] = g.At(i, i)
	}
	errs := make([]error, n)
	par.For(par.Threads(o.Threads), n, func(i int) {
		row := c.row(i)
		switch {
		case o.Method == Ward && o.Distances:
			for j, v := range row {
				if i != j && v < 0 {
					errs[i] = notEuclidean(i, j, v)
				}
				row[j] = -v * v
			}
		case o.Method == Ward:
			for j, v := range row {
				if v = 2*v - square[i] - square[j]; v > 1e-9*(math.Abs(square[i])+math.Abs(square[j])) {
					errs[i] = notEuclidean(i, j, -v)
				}
				row[j] = min(0, v)
			}
		case o.Distances:
			floats.Scale(-1, row)
		}
		row[i] = math.Inf(-1)
		c.size[i], c.full[i] = 1, i
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return c, nil
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
		back, near, best := -1, -1, math.Inf(-1)
		if len(c.slots) > 1 { // among ties the way back wins, or the chain would circle
			back = c.slots[len(c.slots)-2]
			near, best = back, row[back]
		}
		for _, slot := range c.full {
			if s := row[slot]; s > best {
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

// merge empties slot a into slot b, by the formulas of Lance and Williams.
func (c *chain) merge(a, b int) {
	at, _ := slices.BinarySearch(c.full, a)
	c.full = slices.Delete(c.full, at, at+1)
	ra, rb := c.row(a), c.row(b)
	na, nb := float64(c.size[a]), float64(c.size[b])
	between := ra[b]
	for _, k := range c.full {
		x, y := ra[k], rb[k]
		s := x
		switch c.method {
		case Average:
			s = (na*x + nb*y) / (na + nb)
		case Complete:
			s = min(x, y)
		case Single:
			s = max(x, y)
		case Ward:
			nk := float64(c.size[k])
			s = ((na+nk)*x + (nb+nk)*y - nk*between) / (na + nb + nk)
		}
		if s > x && s > y { // by rounding only
			s = max(x, y)
		}
		rb[k] = s
		c.sim[k*c.n+b] = s
	}
	rb[b] = math.Inf(-1)
	c.size[b] += c.size[a]
}
