package spectral

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Combine returns [[xx, xy], [xyᵀ, yy]], the joint correlations of two networks
// (the paper's many to many): xx is nx x nx, xy is nx x ny, yy is ny x ny, and unit j of
// the second network becomes vertex nx+j. It panics if the shapes do not agree or
// if xx or yy is not symmetric to within 1e-8.
func Combine(xx, xy, yy mat.Matrix) *mat.SymDense {
	return CombineAll([][]mat.Matrix{{xx, xy}, {yy}})
}

// CombineAll returns the joint correlations of any number of networks: blocks[a][b] are
// those of the units of network a with the units of network a+b, so that blocks[a]
// begins with those within a. The units of each network follow those of the networks
// before. It panics as Combine does.
func CombineAll(blocks [][]mat.Matrix) *mat.SymDense {
	offsets := []int{0}
	for a, row := range blocks {
		if len(row) != len(blocks)-a {
			panic(badShape)
		}
		width, _ := row[0].Dims()
		offsets = append(offsets, offsets[a]+width)
	}
	g := newSym(offsets[len(blocks)])
	for a, row := range blocks {
		for b, m := range row {
			r, c := m.Dims()
			if r != offsets[a+1]-offsets[a] || c != offsets[a+b+1]-offsets[a+b] {
				panic(badShape)
			}
			for i := range r {
				for j := range c {
					v := m.At(i, j)
					if b == 0 {
						if w := m.At(j, i); math.Abs(v-w) > 1e-8 || math.IsNaN(v) != math.IsNaN(w) {
							panic(asymmetric)
						}
						if j < i {
							continue
						}
					}
					g.SetSym(offsets[a]+i, offsets[a+b]+j, v)
				}
			}
		}
	}
	return g
}

// MappingGraph returns B = [[I, W], [Wᵀ, I]] of a sparse mapping between two
// networks, whose average-linkage tree the paper shows: W is sources x targets, unit i of
// the source network is vertex i and unit j of the target network vertex sources+j.
func MappingGraph(w mat.Matrix) *mat.SymDense {
	sources, targets := w.Dims()
	b := newSym(sources + targets)
	for i := range sources + targets {
		b.SetSym(i, i, 1)
	}
	for i := range sources {
		for j := range targets {
			b.SetSym(i, sources+j, w.At(i, j))
		}
	}
	return b
}

// checkSquare panics unless m is n x n.
func checkSquare(m mat.Matrix, n int) {
	if r, c := m.Dims(); r != n || c != n {
		panic(badShape)
	}
}

// newSym allocates n x n zeros; gonum's own constructor refuses n = 0.
func newSym(n int) *mat.SymDense {
	if n == 0 {
		return new(mat.SymDense)
	}
	return mat.NewSymDense(n, nil)
}
