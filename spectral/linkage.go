package spectral

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/par"
)

// Linkage is a definition of the distance between clusters.
type Linkage int

const (
	Average  Linkage = iota // the mean over pairs of leaves, the paper's choice (UPGMA)
	Complete                // the farthest pair
	Single                  // the nearest pair
	Ward                    // the increase of the summed squared distances to means (Ward, 1963)
)

// LinkageOptions are the options of [Link]. The zero value is average linkage on
// similarities.
type LinkageOptions struct {
	Method    Linkage
	Distances bool // the matrix holds distances, and not similarities
	Threads   int  // 0: all
}

// Link returns the tree of the agglomerative clustering of n leaves: the two nearest
// clusters are joined until one is left. m holds similarities, which may be negative, or
// distances; its diagonal is not read. Ward's method needs Euclidean distances, so its
// similarities are inner products, diagonal included, and the tree's heights are distances
// sqrt(s_ii + s_jj - 2 s_ij). It returns a *[WeightError] if a value is not finite, or, for Ward,
// if a distance or such a square is negative, and the context's error if that ends.
//
// It takes O(n²) time and n² memory by the nearest-neighbour chain: a chain of
// clusters, each the nearest to the one before, ends in two that are nearest to
// each other, and these can be joined at once, out of order, since these linkages
// are reducible: a joined cluster is never nearer to a third than its
// nearer part was (Murtagh 1983; Müllner 2011). Where values tie, any greedy
// order is a right answer; the order of the leaves decides.
//
// See also [AverageLinkage], [Tree.Cut] and [Tree.OptimalOrder].
func Link(ctx context.Context, m mat.Symmetric, o LinkageOptions) (*Tree, error) {
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
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		joins = append(joins, c.nextJoin())
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
	t := newTree(n, joins)
	t.Distances = distances
	return t, nil
}

// AverageLinkage returns the tree of similarities by average linkage: that of [Link] with the
// zero options, without a context.
func AverageLinkage(sim mat.Symmetric) (*Tree, error) {
	return Link(context.Background(), sim, LinkageOptions{})
}

// join is a merge of the clusters that hold leaves a and b.
type join struct {
	a, b   int
	height float64 // as a similarity
}

// chain is the state of the nearest-neighbour chain. A slot is the place of a cluster, which
// contains the leaf of the slot's number.
type chain struct {
	method   Linkage
	n        int
	sim      []float64 // n x n; minus distances, or for Ward minus their squares; -Inf on the diagonal
	size     []int     // leaves in each slot
	occupied []int     // slots with a cluster, rising; rows and columns of others have no meaning
	stack    []int     // the chain
}

// newChain returns the chain of single leaves, or the error of Link.
func newChain(m mat.Symmetric, o LinkageOptions) (*chain, error) {
	n := m.SymmetricDim()
	g := toWeights(m)
	if err := check(g, math.Inf(-1)); err != nil {
		return nil, err
	}
	c := &chain{method: o.Method, n: n, sim: g.w, size: make([]int, n), occupied: make([]int, n)}
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
		c.size[i], c.occupied[i] = 1, i
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *chain) row(slot int) []float64 { return c.sim[slot*c.n:][:c.n] }

// nextJoin follows the chain to the next pair of mutually nearest clusters and joins
// it. Two or more clusters must be left.
func (c *chain) nextJoin() join {
	for {
		if len(c.stack) == 0 {
			c.stack = append(c.stack, 0) // slot 0 is never emptied: the chain's first slot is only merged into
		}
		tip := c.stack[len(c.stack)-1]
		row := c.row(tip)
		previous, nearest, best := -1, -1, math.Inf(-1)
		if len(c.stack) > 1 { // which wins ties, or the chain would circle
			previous = c.stack[len(c.stack)-2]
			nearest, best = previous, row[previous]
		}
		for _, slot := range c.occupied {
			if s := row[slot]; s > best {
				nearest, best = slot, s
			}
		}
		if nearest == previous {
			c.stack = c.stack[:len(c.stack)-2]
			c.merge(tip, nearest)
			return join{tip, nearest, best}
		}
		c.stack = append(c.stack, nearest)
	}
}

// merge empties slot a into slot b, by the formulas of Lance and Williams.
func (c *chain) merge(a, b int) {
	at, _ := slices.BinarySearch(c.occupied, a)
	c.occupied = slices.Delete(c.occupied, at, at+1)
	ra, rb := c.row(a), c.row(b)
	na, nb := float64(c.size[a]), float64(c.size[b])
	similarity := ra[b]
	for _, k := range c.occupied {
		x, y := ra[k], rb[k]
		s := x
		switch c.method {
		case Average:
			s = (float64(na*x) + float64(nb*y)) / (na + nb)
		case Complete:
			s = min(x, y)
		case Single:
			s = max(x, y)
		case Ward:
			nk := float64(c.size[k])
			s = (float64((na+nk)*x) + float64((nb+nk)*y) - float64(nk*similarity)) / (na + nb + nk)
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
