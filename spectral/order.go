package spectral

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// OptimalOrder returns the leaves from left to right in the optimal order of the tree: of
// the 2^(n-1) orders in which its merges can be drawn, one with the least sum of distances
// between neighbours, or the largest sum of similarities. m is the matrix that the tree was
// made of, or another one of its shape; it panics on another shape. If the context ends, its
// error is OptimalOrder's.
//
// It takes O(n³) time and two times n² memory (Bar-Joseph, Gifford and Jaakkola, "Fast
// optimal leaf ordering for hierarchical clustering", Bioinformatics 17, 2001): the best
// order of a cluster with leaf i at its left and j at its right end has i in one part
// and j in the other, and follows from those of the parts.
func (t *Tree) OptimalOrder(ctx context.Context, m mat.Symmetric) ([]int, error) {
	n := t.N
	if m.SymmetricDim() != n {
		panic(badShape)
	}
	o := ordering{t: t, n: n, distance: make([]float64, n*n), cost: make([]float64, n*n), leaves: make([][]int, n+len(t.Merges))}
	for i := range n {
		o.leaves[i] = []int{i}
		for j := range n {
			o.distance[i*n+j] = m.At(i, j)
			if !t.Distances {
				o.distance[i*n+j] = -m.At(i, j)
			}
		}
	}
	for i, merge := range t.Merges {
		if err := o.join(ctx, merge.A, merge.B); err != nil {
			return nil, err
		}
		o.leaves[n+i] = append(append([]int(nil), o.leaves[merge.A]...), o.leaves[merge.B]...)
	}
	if len(t.Merges) == 0 {
		return indices(n), nil
	}
	root := t.Merges[len(t.Merges)-1]
	left, right, best := -1, -1, math.Inf(1)
	for _, i := range o.leaves[root.A] {
		for _, j := range o.leaves[root.B] {
			if c := o.cost[i*n+j]; c < best {
				left, right, best = i, j, c
			}
		}
	}
	return o.appendOrder(nil, n+len(t.Merges)-1, left, right), nil
}

// indices returns 0, 1, ..., n-1.
func indices(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// ordering is, for any two leaves, the cost of the best order of the smallest cluster
// with both that has them at its ends.
type ordering struct {
	t              *Tree
	n              int
	distance, cost []float64
	leaves         [][]int // below each id
}

// ends returns the leaves that can be at the other end of cluster id from leaf i.
func (o *ordering) ends(id, i int) []int {
	if id < o.n {
		return o.leaves[id]
	}
	m := o.t.Merges[id-o.n]
	if slices.Contains(o.leaves[m.A], i) {
		return o.leaves[m.B]
	}
	return o.leaves[m.A]
}

// join computes the costs of the orders of the cluster of a and b.
func (o *ordering) join(ctx context.Context, a, b int) error {
	n := o.n
	via := make([]float64, len(o.leaves[b])) // from i through all of a to each leaf of b
	ends := make([][]int, len(o.leaves[b]))
	position := make(map[int]int, len(o.leaves[b]))
	for x, j := range o.leaves[b] {
		ends[x] = o.ends(b, j)
		position[j] = x
	}
	inner := make([][]int, len(ends)) // the same as places in leaves of b
	for x, e := range ends {
		for _, l := range e {
			inner[x] = append(inner[x], position[l])
		}
	}
	for _, i := range o.leaves[a] {
		if err := ctx.Err(); err != nil {
			return err
		}
		for x := range via {
			via[x] = math.Inf(1)
		}
		for _, k := range o.ends(a, i) {
			base, distances := o.cost[i*n+k], o.distance[k*n:][:n]
			for x, l := range o.leaves[b] {
				via[x] = min(via[x], base+distances[l])
			}
		}
		for x, j := range o.leaves[b] {
			best, cost := math.Inf(1), o.cost[j*n:][:n]
			for y, l := range ends[x] {
				best = min(best, via[inner[x][y]]+cost[l])
			}
			o.cost[i*n+j], o.cost[j*n+i] = best, best
		}
	}
	return nil
}

// appendOrder appends the best order of cluster id from leaf left to leaf right.
func (o *ordering) appendOrder(order []int, id, left, right int) []int {
	if id < o.n {
		return append(order, id)
	}
	n, m := o.n, o.t.Merges[id-o.n]
	a, b := m.A, m.B
	if !slices.Contains(o.leaves[a], left) {
		a, b = b, a
	}
	end, start, best := -1, -1, math.Inf(1)
	for _, k := range o.ends(a, left) {
		for _, l := range o.ends(b, right) {
			if c := o.cost[left*n+k] + o.distance[k*n+l] + o.cost[l*n+right]; c < best {
				end, start, best = k, l, c
			}
		}
	}
	return o.appendOrder(o.appendOrder(order, a, left, end), b, start, right)
}
