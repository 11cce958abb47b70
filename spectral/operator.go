package spectral

import (
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// similar returns the matrix whose largest eigenvalues are the Laplacian's smallest ones
// taken from its shift: D^(-1/2) W D^(-1/2), which is similar to D^(-1) W, and, for the
// unnormalised Laplacian, W - D and twice the largest degree on the diagonal.
func similar(g mat.Symmetric, l Laplacian, degree []float64) []float64 {
	n := len(degree)
	a := make([]float64, n*n)
	w, root := flat(g), roots(degree)
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

// diagonal is what similar has there.
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

// shift is what eigenvalues of similar are taken from.
func (l Laplacian) shift(degree []float64) float64 {
	if l == Unnormalized {
		return 2 * slices.Max(degree)
	}
	return 1
}

// operator multiplies with the matrix similar, of which it keeps the weights only.
type operator struct {
	threads  int
	n        int
	weights  *dense.Packed
	scale    []float64 // of each row and column of weights
	diagonal []float64 // what is added to that
}

func newOperator(threads int, m mat.Symmetric, l Laplacian, degree []float64) *operator {
	g, n := flat(m), len(degree)
	threads = par.Threads(threads)
	a := &operator{threads, n, dense.Pack(threads, n, n, dense.Rows(g.w, n)), make([]float64, n), make([]float64, n)}
	for i, r := range roots(degree) {
		a.scale[i] = 1
		if l != Unnormalized {
			a.scale[i] = 1 / r
		}
		a.diagonal[i] = l.diagonal(degree, i) - a.scale[i]*g.At(i, i)*a.scale[i]
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
	a.weights.Product(a.threads, m, dense.Rows(scaled, n), product, n)
	for i := range m {
		row := product[i*n:][:n]
		floats.Mul(row, a.scale)
		for j, v := range rows[i*n:][:n] {
			row[j] += a.diagonal[j] * v
		}
	}
	return product
}
