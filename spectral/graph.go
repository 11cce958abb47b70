package spectral

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// maxWeight bounds weights, so that no sum or product of them overflows.
const maxWeight = 1e150

// weights are a symmetric matrix in full storage, by rows.
type weights struct {
	n int
	w []float64 // n x n
}

func (g *weights) row(i int) []float64 { return g.w[i*g.n:][:g.n] }
func (g *weights) At(i, j int) float64 { return g.w[i*g.n+j] }
func (g *weights) Dims() (r, c int)    { return g.n, g.n }
func (g *weights) T() mat.Matrix       { return g }
func (g *weights) SymmetricDim() int   { return g.n }

// subgraph returns the graph of the given vertices and the edges between them.
func (g *weights) subgraph(vertices []int) *weights {
	s := &weights{len(vertices), make([]float64, len(vertices)*len(vertices))}
	for i, v := range vertices {
		row, from := s.row(i), g.row(v)
		for j, u := range vertices {
			row[j] = from[u]
		}
	}
	return s
}

// toWeights returns a copy of g in full storage, or g itself if it is stored so.
func toWeights(g mat.Symmetric) *weights {
	if w, ok := g.(*weights); ok {
		return w
	}
	n := g.SymmetricDim()
	s := &weights{n, make([]float64, n*n)}
	if raw, ok := g.(mat.RawSymmetricer); ok && n > 0 && raw.RawSymmetric().Uplo == blas.Upper {
		m := raw.RawSymmetric()
		const side = 32 // of tiles, which are mirrored in the cache
		var tile [side][side]float64
		for i0 := 0; i0 < n; i0 += side {
			height := min(side, n-i0)
			for j0 := i0; j0 < n; j0 += side {
				width := min(side, n-j0)
				for i := range height {
					from := m.Data[(i0+i)*m.Stride+j0:][:width]
					if j0 > i0 {
						copy(s.w[(i0+i)*n+j0:], from)
					}
					for j, v := range from {
						tile[j][i] = v
					}
				}
				if j0 == i0 {
					for i := range height {
						for j := range i {
							tile[j][i] = tile[i][j]
						}
					}
				}
				for j := range width {
					copy(s.w[(j0+j)*n+i0:], tile[j][:height])
				}
			}
		}
		return s
	}
	for i := range n {
		row := s.row(i)
		for j := range row {
			row[j] = g.At(i, j)
		}
	}
	return s
}

// WeightError says between which vertices a weight, or a distance, is none.
type WeightError struct {
	I, J   int
	Weight float64
	want   string
}

func (e *WeightError) Error() string {
	return fmt.Sprintf("spectral: the weight between vertices %d and %d is %v, and %s", e.I, e.J, e.Weight, e.want)
}

// check returns an error naming the first weight that is not a number of sensible
// size or is below lowest.
func check(m mat.Symmetric, lowest float64) error {
	g := toWeights(m)
	for i := range g.n {
		for j, w := range g.row(i)[i+1:] {
			if !(math.Abs(w) <= maxWeight) {
				return &WeightError{i, i + 1 + j, w, "must be finite and at most 1e150; leave out units without variance"}
			}
			if w < lowest {
				return &WeightError{i, i + 1 + j, w, "must not be negative: make the graph with Affinity"}
			}
		}
	}
	return nil
}

// notEuclidean returns the error of a distance, or its square, that is negative.
func notEuclidean(i, j int, v float64) error {
	return &WeightError{i, j, v, "is a distance, or its square: Ward's method needs Euclidean distances, or inner products"}
}

// degrees returns the summed weight of each vertex's edges.
func degrees(m mat.Symmetric) []float64 {
	g := toWeights(m)
	d := make([]float64, g.n)
	for i := range d {
		row := g.row(i)
		d[i] = floats.Sum(row[:i]) + floats.Sum(row[i+1:])
	}
	return d
}

// components returns the connected component of each vertex, numbered in the order of
// their first vertices, and the number of components.
func components(m mat.Symmetric) (component []int, count int) {
	g := toWeights(m)
	n := g.n
	component = make([]int, n)
	for i := range component {
		component[i] = -1
	}
	for root := range n {
		if component[root] >= 0 {
			continue
		}
		component[root] = count
		for stack := []int{root}; len(stack) > 0; {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for j, w := range g.row(i) {
				if component[j] < 0 && w > 0 {
					component[j] = count
					stack = append(stack, j)
				}
			}
		}
		count++
	}
	return component, count
}

// canonicalize renumbers labels in place by first appearance, leaving negative
// ones, and returns how many there are.
func canonicalize(labels []int) int {
	number := make(map[int]int)
	for i, l := range labels {
		if l < 0 {
			continue
		}
		if _, ok := number[l]; !ok {
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
