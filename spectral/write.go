package spectral

import (
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Linkage returns the tree as scipy's linkage matrix, merges x 4: the ids of the clusters
// joined, the distance and the number of leaves. Scipy needs rising distances: for a tree
// of similarities they are 1 - height, as for correlations. It is empty for fewer than two
// leaves.
func (t *Tree) Linkage() *mat.Dense {
	if len(t.Merges) == 0 {
		return new(mat.Dense)
	}
	z := mat.NewDense(len(t.Merges), 4, nil)
	for i, m := range t.Merges {
		z.SetRow(i, []float64{float64(m.A), float64(m.B), t.distance(m.Height), float64(m.Size)})
	}
	return z
}

// distance returns the distance of a height.
func (t *Tree) distance(height float64) float64 {
	if t.Distances {
		return height
	}
	return 1 - height
}

// Newick returns the tree in the Newick format, which programs for trees read. names are
// those of the leaves, nil their numbers; a name with characters that Newick reserves is
// quoted. The length of a branch is the rise of the distance (1 - height of similarities)
// from merge to merge. It panics if there is not a name for each leaf. A tree without
// leaves is ";".
func (t *Tree) Newick(names []string) string {
	if names != nil && len(names) != t.N {
		panic(badShape)
	}
	parts := make([]string, t.N+len(t.Merges))
	height := make([]float64, len(parts))
	for i := range t.N {
		name := strconv.Itoa(i)
		if names != nil {
			name = names[i]
		}
		if name == "" || strings.ContainsAny(name, " \t\n\r()[]{}:;,'_\"") {
			name = "'" + strings.ReplaceAll(name, "'", "''") + "'"
		}
		parts[i] = name
	}
	for i, m := range t.Merges {
		height[t.N+i] = t.distance(m.Height)
		branch := func(id int) string {
			length := height[t.N+i]
			if id >= t.N {
				length -= height[id]
			}
			return parts[id] + ":" + strconv.FormatFloat(length, 'g', -1, 64)
		}
		parts[t.N+i] = "(" + branch(m.A) + "," + branch(m.B) + ")"
		parts[m.A], parts[m.B] = "", "" // no longer needed
	}
	if len(parts) == 0 {
		return ";"
	}
	return parts[len(parts)-1] + ";"
}

// Cophenetic returns the n x n heights at which each two leaves are joined, with those
// of a leaf with itself 1 for similarities and 0 for distances. It fills and returns
// dst; nil allocates, another shape panics.
func (t *Tree) Cophenetic(dst *mat.SymDense) *mat.SymDense {
	if dst == nil {
		dst = newSym(t.N)
	}
	if dst.SymmetricDim() != t.N {
		panic(badShape)
	}
	leaves := make([][]int, t.N+len(t.Merges))
	for i := range t.N {
		leaves[i] = []int{i}
		self := 1.0
		if t.Distances {
			self = 0
		}
		dst.SetSym(i, i, self)
	}
	for i, m := range t.Merges {
		for _, a := range leaves[m.A] {
			for _, b := range leaves[m.B] {
				dst.SetSym(a, b, m.Height)
			}
		}
		leaves[t.N+i] = append(leaves[m.A], leaves[m.B]...)
		leaves[m.A], leaves[m.B] = nil, nil
	}
	return dst
}
