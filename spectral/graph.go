package spectral

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// largest bounds weights, so that no sum or product of them overflows.
const largest = 1e150

// check returns an error naming the first weight that is not a number of sensible
// size or is below lowest.
func check(g mat.Symmetric, lowest float64) error {
	n := g.SymmetricDim()
	for i := range n {
		for j := i + 1; j < n; j++ {
			w := g.At(i, j)
			if !(math.Abs(w) <= largest) {
				return fmt.Errorf("spectral: the weight between vertices %d and %d is %v: weights must be finite, at most 1e150, and 0 for units without variance", i, j, w)
			}
			if w < lowest {
				return fmt.Errorf("spectral: the weight between vertices %d and %d is negative (%v): make the graph with Affinity", i, j, w)
			}
		}
	}
	return nil
}

// degrees returns the summed weight of each vertex's edges.
func degrees(g mat.Symmetric) []float64 {
	d := make([]float64, g.SymmetricDim())
	for i := range d {
		for j := range i {
			w := g.At(i, j)
			d[i] += w
			d[j] += w
		}
	}
	return d
}

// components returns the number of connected parts of g.
func components(g mat.Symmetric) int {
	n := g.SymmetricDim()
	seen := make([]bool, n)
	count := 0
	for root := range n {
		if seen[root] {
			continue
		}
		count++
		seen[root] = true
		for reached := []int{root}; len(reached) > 0; {
			i := reached[len(reached)-1]
			reached = reached[:len(reached)-1]
			for j := range n {
				if !seen[j] && g.At(i, j) > 0 {
					seen[j] = true
					reached = append(reached, j)
				}
			}
		}
	}
	return count
}

// induced returns the graph of the given vertices and the edges between them.
func induced(g mat.Symmetric, vertices []int) *mat.SymDense {
	sub := newSym(len(vertices))
	for i, v := range vertices {
		for j := i + 1; j < len(vertices); j++ {
			sub.SetSym(i, j, g.At(v, vertices[j]))
		}
	}
	return sub
}

// canonical renumbers labels in place by first appearance, leaving negative
// ones, and returns how many there are.
func canonical(labels []int) int {
	number := make(map[int]int)
	for i, l := range labels {
		if l < 0 {
			continue
		}
		if _, seen := number[l]; !seen {
			number[l] = len(number)
		}
		labels[i] = number[l]
	}
	return len(number)
}

// members lists the vertices of each of k labels, in rising order.
func members(labels []int, k int) [][]int {
	groups := make([][]int, k)
	for i, l := range labels {
		if l >= 0 {
			groups[l] = append(groups[l], i)
		}
	}
	return groups
}
