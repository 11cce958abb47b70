package spectral

import (
	"cmp"
	"math"
	"slices"

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
	if err := check(m, math.Inf(-1)); err != nil {
		return nil, err
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
	sim    []float64 // n x n; minus distances, or for Ward minus their squares; -Inf on the diagonal and in columns of empty slots
	size   []int     // leaves in each slot, 0: empty
	slots  []int     // the chain
}

func newChain(m mat.Symmetric, o LinkageOptions) (*chain, error) {
	n := m.SymmetricDim()
	c := &chain{method: o.Method, n: n, sim: make([]float64, n*n), size: make([]int, n)}
	errs := make([]error, n)
	par.For(par.Threads(o.Threads), n, func(i int) {
		row := c.row(i)
		for j := range row {
			v := m.At(i, j)
			switch {
			case o.Method == Ward && o.Distances:
				if i != j && v < 0 {
					errs[i] = notEuclidean(i, j, v)
				}
				v = -v * v
			case o.Method == Ward:
				if v = 2*v - m.At(i, i) - m.At(j, j); v > 1e-9*(math.Abs(m.At(i, i))+math.Abs(m.At(j, j))) {
					errs[i] = notEuclidean(i, j, -v)
				}
				v = min(0, v)
			case o.Distances:
				v = -v
			}
			row[j] = v
		}
		row[i] = math.Inf(-1)
		c.size[i] = 1
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
		if slot, s := largestOf(row); s > best {
			near, best = slot, s
		}
		if near == back {
			c.slots = c.slots[:len(c.slots)-2]
			c.merge(tip, near)
			return join{tip, near, best}
		}
		c.slots = append(c.slots, near)
	}
}

// largestOf returns the first of the largest values, in four parts that do not wait for
// each other.
func largestOf(x []float64) (at int, most float64) {
	a, b, c, d := math.Inf(-1), math.Inf(-1), math.Inf(-1), math.Inf(-1)
	i := 0
	for ; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		a, b, c, d = max(a, v[0]), max(b, v[1]), max(c, v[2]), max(d, v[3])
	}
	most = max(a, b, c, d)
	for ; i < len(x); i++ {
		most = max(most, x[i])
	}
	return slices.Index(x, most), most
}

// merge empties slot a into slot b, by the formulas of Lance and Williams.
func (c *chain) merge(a, b int) {
	ra, rb := c.row(a), c.row(b)
	na, nb := float64(c.size[a]), float64(c.size[b])
	between := ra[b]
	for k, x := range ra {
		if c.size[k] == 0 || k == a || k == b {
			continue
		}
		y := rb[k]
		var s float64
		switch c.method {
		case Average:
			// The mean is never above its larger part; rounding must not undo that.
			s = min((na*x+nb*y)/(na+nb), max(x, y))
		case Complete:
			s = min(x, y)
		case Single:
			s = max(x, y)
		case Ward:
			nk := float64(c.size[k])
			s = min(((na+nk)*x+(nb+nk)*y-nk*between)/(na+nb+nk), max(x, y))
		}
		rb[k] = s
		c.sim[k*c.n+b] = s
		c.sim[k*c.n+a] = math.Inf(-1)
	}
	rb[a] = math.Inf(-1)
	c.size[b] += c.size[a]
	c.size[a] = 0
}
