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
	nx, ny := xy.Dims()
	square(xx, nx)
	square(yy, ny)
	g := newSym(nx + ny)
	within := func(m mat.Matrix, n, at int) {
		for i := range n {
			for j := i; j < n; j++ {
				v := m.At(i, j)
				if w := m.At(j, i); math.Abs(v-w) > 1e-8 || math.IsNaN(v) != math.IsNaN(w) {
					panic(asymmetric)
				}
				g.SetSym(at+i, at+j, v)
			}
		}
	}
	within(xx, nx, 0)
	within(yy, ny, nx)
	for i := range nx {
		for j := range ny {
			g.SetSym(i, nx+j, xy.At(i, j))
		}
	}
	return g
}

// MappingGraph returns B = [[I, W], [Wᵀ, I]] of a sparse mapping between two
// networks, whose average-linkage tree the paper shows: W is sources x targets, unit i of the source network is vertex i and unit j of the target
// network vertex sources+j.
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

func square(m mat.Matrix, n int) {
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
