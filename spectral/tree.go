package spectral

import "sort"

// Merge is a join of two clusters of a [Tree].
type Merge struct {
	A, B   int     // ids of the clusters joined, A < B
	Height float64 // their similarity or distance
	Size   int     // leaves of the new cluster
}

// Tree is a binary tree over N leaves, numbered as scipy's linkage does: ids below
// N are leaves, and merge i makes the cluster of id N+i. The nearest clusters are
// merged first: merges come in falling order of similarity, or in rising order of
// distance.
type Tree struct {
	N         int
	Merges    []Merge // N-1 of them; none if N = 0
	Distances bool    // heights are distances
}

// newTree returns the tree of joins of the clusters of leaves, which are in their final
// order.
func newTree(n int, joins []join) *Tree {
	t := &Tree{N: n, Merges: make([]Merge, 0, len(joins))}
	parent := make([]int, n+len(joins)) // union-find over ids
	for id := range parent {
		parent[id] = id
	}
	find := func(id int) int {
		for parent[id] != id {
			parent[id] = parent[parent[id]]
			id = parent[id]
		}
		return id
	}
	for i, j := range joins {
		a, b := find(j.a), find(j.b)
		parent[a], parent[b] = n+i, n+i
		t.Merges = append(t.Merges, Merge{min(a, b), max(a, b), j.height, t.size(a) + t.size(b)})
	}
	return t
}

// size returns the number of leaves below an id.
func (t *Tree) size(id int) int {
	if id < t.N {
		return 1
	}
	return t.Merges[id-t.N].Size
}

// Cut returns canonical labels of the leaves in the k clusters left after the
// first N-k merges. It panics unless min(1, N) <= k <= N.
func (t *Tree) Cut(k int) []int {
	if k < min(1, t.N) || k > t.N {
		panic(badClusters)
	}
	return t.labels(t.N - k)
}

// CutHeight returns canonical labels of the leaves in the clusters made by the
// merges of similarity h or more, or of distance h or less.
func (t *Tree) CutHeight(h float64) []int {
	return t.labels(sort.Search(len(t.Merges), func(i int) bool {
		if t.Distances {
			return t.Merges[i].Height > h
		}
		return t.Merges[i].Height < h
	}))
}

// labels returns the canonical labels after the given number of merges.
func (t *Tree) labels(merges int) []int {
	root := make([]int, t.N+merges) // the last merge above each id
	for id := range root {
		root[id] = id
	}
	for i := merges - 1; i >= 0; i-- {
		m := t.Merges[i]
		root[m.A], root[m.B] = root[t.N+i], root[t.N+i]
	}
	labels := root[:t.N:t.N]
	canonicalize(labels)
	return labels
}

// Order returns the leaves from left to right as the tree is drawn, with A left of
// B at each merge, so that the leaves of every cluster are neighbours.
func (t *Tree) Order() []int {
	start := make([]int, t.N+len(t.Merges)) // position of each id's first leaf
	for i := len(t.Merges) - 1; i >= 0; i-- {
		m := t.Merges[i]
		start[m.A] = start[t.N+i]
		start[m.B] = start[t.N+i] + t.size(m.A)
	}
	order := make([]int, t.N)
	for leaf, at := range start[:t.N] {
		order[at] = leaf
	}
	return order
}
