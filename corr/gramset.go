package corr

import (
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// gramSet is Grams of the same samples, each of them in an order of its own. The sums over
// every two samples that measures of two Grams need are found of all that are in the set at
// once: in another order a row has to be gathered, which takes longer than to multiply it with
// those of others.
type gramSet struct {
	grams  []*Gram
	orders [][]int // Gram g has sample orders[g][i] where others have theirs; nil: i

	mu       sync.Mutex
	sums     map[any][]float64 // by kind, Gram x Gram
	features int               // of all Grams when these were found
}

// NewGramPairs returns the pair of each two Grams, 0 and 1, 0 and 2, to the last two, where Gram
// g has sample orders[g][i] where others have theirs, and sample i itself if orders, or that of
// g, is nil. What is not fast to find of a pair is found of all when a measure first asks for
// it. Pairs of a nil Gram are nil. Grams of other samples are an error as in [NewGramPair].
// NewGramPairs panics unless there is an order for each Gram and it is a permutation of the
// samples.
func NewGramPairs(grams []*Gram, orders [][]int) ([]*GramPair, error) {
	s := &gramSet{grams: grams, orders: orders}
	if orders == nil {
		s.orders = make([][]int, len(grams))
	}
	if len(s.orders) != len(grams) {
		panic("corr: an order is needed for every Gram")
	}
	for g, order := range s.orders {
		if order != nil && grams[g] != nil {
			checkPermutation(order, grams[g].n)
		}
	}
	var pairs []*GramPair
	for x, a := range grams {
		for y := x + 1; y < len(grams); y++ {
			b := grams[y]
			if a == nil || b == nil {
				pairs = append(pairs, nil)
				continue
			}
			if err := sameSamples(a, b); err != nil {
				return nil, err
			}
			pairs = append(pairs, &GramPair{a: a, b: b, order: partners(s.orders[x], s.orders[y]), set: s, x: x, y: y})
		}
	}
	return pairs, nil
}

// partners returns which sample has the place in order b that each has in order a.
func partners(a, b []int) []int {
	if a == nil {
		return b
	}
	p := make([]int, len(a))
	for i, sample := range a {
		p[sample] = i
		if b != nil {
			p[sample] = b[i]
		}
	}
	return p
}

// offDiagonal returns the sum over every two different samples of the products of their inner
// products in two Grams.
func (s *gramSet) offDiagonal(threads, x, y int) float64 {
	return 2 * s.of(threads, inner{}, x, y, func(g *Gram) fillRow { return g.row })
}

// inner is the key of inner products among sums.
type inner struct{}

// rankProducts returns the sum over every two different samples, counted once, of the products of the
// ranks of their distances in two Grams, less their means.
func (s *gramSet) rankProducts(threads int, d Distance, x, y int) float64 {
	return s.of(threads, d, x, y, func(g *Gram) fillRow {
		if r, err := g.ranks(threads, d); err == nil {
			return r.row
		}
		return nil // of which no pair asks
	})
}

// of returns the sum of a kind for two Grams, of which the rows are given.
func (s *gramSet) of(threads int, kind any, x, y int, rowsOf func(*Gram) fillRow) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	features := 0
	for _, g := range s.grams {
		if g != nil {
			features += g.features
		}
	}
	if s.sums == nil || s.features != features {
		s.sums, s.features = make(map[any][]float64), features
	}
	if s.sums[kind] == nil {
		s.sums[kind] = s.eachTwo(threads, rowsOf)
	}
	return s.sums[kind][x*len(s.grams)+y]
}

// fillRow sets dst to what a matrix has of the sample order[i] and those after it in the order,
// in which nil stands for 0, 1, 2, ...
type fillRow func(dst []float64, i int, order []int)

// row is of inner products.
func (g *Gram) row(dst []float64, i int, order []int) { fillAfter(dst, g.products, g.n, 0, i, order) }

// row is of ranks less their mean.
func (r *ranks) row(dst []float64, i int, order []int) {
	fillAfter(dst, r.twice, r.n, r.mean, i, order)
}

// fillAfter is fillRow for the elements of an n x n matrix less a number.
func fillAfter[T float32 | uint32](dst []float64, x []T, n int, less float64, i int, order []int) {
	if order == nil {
		for k, v := range x[i*n+i+1:][:len(dst)] {
			dst[k] = float64(v) - less
		}
		return
	}
	row, others := x[order[i]*n:][:n], order[i+1:]
	dst = dst[:len(others)]
	for k, sample := range others {
		dst[k] = float64(row[sample]) - less
	}
}

// eachTwo returns the sums over every two samples of the products of what the rows of two
// Grams have of them, the same bits for any number of threads. A Gram without rows has no sums.
func (s *gramSet) eachTwo(threads int, rowsOf func(*Gram) fillRow) []float64 {
	const block = 64
	n, grams := 0, len(s.grams)
	rows := make([]fillRow, grams)
	for i, g := range s.grams {
		if g != nil {
			rows[i], n = rowsOf(g), g.n
		}
	}
	parts := make([][]float64, (n+block-1)/block)
	par.Blocks(threads, n, block, func(lo, hi int) {
		part, buffers := make([]float64, grams*grams), make([]float64, grams*n)
		for i := lo; i < hi; i++ {
			others := n - 1 - i
			for g, fill := range rows {
				if fill == nil {
					continue
				}
				row := buffers[g*n:][:others]
				fill(row, i, s.orders[g])
				for h := range g {
					if rows[h] != nil {
						part[h*grams+g] += dense.Dot(row, buffers[h*n:])
					}
				}
			}
		}
		parts[lo/block] = part
	})
	sums := make([]float64, grams*grams)
	for _, part := range parts {
		for i, v := range part {
			sums[i] += v
		}
	}
	return sums
}
