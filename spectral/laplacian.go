package spectral

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Laplacian is one of the matrices whose smallest eigenvectors cluster a graph of
// weights W and degrees D = diag(W1). Each is positive semidefinite (random walk:
// similar to such a matrix), and the multiplicity of its eigenvalue 0 is the
// number of connected components.
type Laplacian int

const (
	Unnormalized Laplacian = iota // D - W, the paper's choice
	Symmetric                     // I - D^(-1/2) W D^(-1/2): Ng, Jordan, Weiss (2002)
	RandomWalk                    // I - D^(-1) W: Shi, Malik (2000)
)

// Matrix returns the Laplacian of the n x n graph, in dst (n x n; nil allocates;
// another shape panics). The row of an isolated vertex is zero in all three.
func (l Laplacian) Matrix(dst *mat.Dense, g mat.Symmetric) *mat.Dense {
	n := g.SymmetricDim()
	if dst == nil {
		dst = new(mat.Dense)
		if n > 0 {
			dst = mat.NewDense(n, n, nil)
		}
	}
	checkSquare(dst, n)
	l.check()
	degree := degrees(g)
	root := roots(degree)
	for i, d := range degree {
		for j := range n {
			w := g.At(i, j)
			if i == j {
				w = -d
			}
			switch {
			case l == Symmetric:
				w /= root[i] * root[j]
			case l == RandomWalk && d > 0:
				w /= d
			}
			dst.Set(i, j, 0-w) // no negative zeros
		}
	}
	return dst
}

// check panics if l is not one of the Laplacians.
func (l Laplacian) check() {
	if l < Unnormalized || l > RandomWalk {
		panic(badLaplace)
	}
}

// roots returns the square root of each degree, and 1 for the degree 0 of an
// isolated vertex, which no scaling may touch.
func roots(degree []float64) []float64 {
	r := make([]float64, len(degree))
	for i, d := range degree {
		r[i] = 1
		if d > 0 {
			r[i] = math.Sqrt(d)
		}
	}
	return r
}
