package spectral

import (
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// similarMatrix returns a matrix whose largest eigenvalues are shift less the smallest ones
// of the Laplacian: D^(-1/2) W D^(-1/2), which is similar to D^(-1) W, or, for the
// unnormalised Laplacian, W - D with twice the largest degree added to the diagonal.
func similarMatrix(g mat.Symmetric, l Laplacian, degree []float64) []float64 {
	n := len(degree)
	a := make([]float64, n*n)
	w, root := toWeights(g), roots(degree)
	for i := range n {
		row := a[i*n:][:n]
		copy(row, w.row(i))
		if l != Unnormalized {
			for j, r := range root {
				row[j] /= root[i] * r
			}
		}
		row[i] = l.diagonal(degree, i)
	}
	return a
}

// diagonal returns element i of the diagonal of similarMatrix.
func (l Laplacian) diagonal(degree []float64, i int) float64 {
	switch {
	case l == Unnormalized:
		return l.shift(degree) - degree[i]
	case degree[i] == 0:
		return 1 // eigenvalue 0 of the Laplacian
	default:
		return 0
	}
}

// shift returns the sum of an eigenvalue of the Laplacian and the one of similarMatrix.
func (l Laplacian) shift(degree []float64) float64 {
	if l == Unnormalized {
		return 2 * slices.Max(degree)
	}
	return 1
}

// operator is the product with similarMatrix, by the weights alone.
type operator struct {
	threads  int
	n        int
	weights  *dense.PackedB
	scale    []float64 // of each row and column of weights
	diagonal []float64 // added to the scaled weights
}

func newOperator(threads int, m mat.Symmetric, l Laplacian, degree []float64) *operator {
	g, n := toWeights(m), len(degree)
	threads = par.Threads(threads)
	a := &operator{threads, n, dense.Pack(threads, n, n, dense.Rows(g.w, n)), make([]float64, n), make([]float64, n)}
	for i, r := range roots(degree) {
		a.scale[i] = 1
		if l != Unnormalized {
			a.scale[i] = 1 / r
		}
		a.diagonal[i] = l.diagonal(degree, i) - float64(a.scale[i]*g.At(i, i)*a.scale[i])
	}
	return a
}

// times returns the matrix times m vectors, as rows.
func (a *operator) times(m int, rows []float64) []float64 {
	n := a.n
	scaled, product := slices.Clone(rows[:m*n]), make([]float64, m*n)
	for i := range m {
		floats.Mul(scaled[i*n:][:n], a.scale)
	}
	a.weights.Multiply(a.threads, m, dense.Rows(scaled, n), product, n)
	for i := range m {
		row := product[i*n:][:n]
		floats.Mul(row, a.scale)
		for j, v := range rows[i*n:][:n] {
			row[j] += float64(a.diagonal[j] * v)
		}
	}
	return product
}
