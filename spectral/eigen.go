package spectral

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Spectrum holds eigenvalues and the first eigenvectors of a Laplacian.
type Spectrum struct {
	Values    []float64  // all n eigenvalues, rising
	Vectors   *mat.Dense // n x k, columns of norm 1 in the order of Values
	Residuals []float64  // for each vector u, the norm of Lu - λu: the certificate
}

// Decompose returns the eigenvalues of the Laplacian of an n x n graph and its
// eigenvectors for the k smallest. Signs are canonical: the entry of largest
// magnitude, the first of those that tie, is positive. For [RandomWalk] the
// vectors are D^(-1/2) v with v those of [Symmetric], scaled to norm 1. It panics
// unless 0 <= k <= n, and returns an error for a weight that is negative or not
// finite.
func Decompose(g mat.Symmetric, l Laplacian, k int) (*Spectrum, error) {
	n := g.SymmetricDim()
	if k < 0 || k > n {
		panic(badClusters)
	}
	if err := check(g, 0); err != nil {
		return nil, err
	}
	s := &Spectrum{Vectors: new(mat.Dense), Residuals: make([]float64, k)}
	if n == 0 {
		return s, nil
	}
	lap := l.Matrix(nil, g)
	similar := lap // the symmetric matrix with the same eigenvalues
	if l == RandomWalk {
		similar = Symmetric.Matrix(nil, g)
	}
	var dense mat.EigenSym
	if !dense.Factorize(mat.NewSymDense(n, similar.RawMatrix().Data), true) {
		return nil, errors.New("spectral: the eigenvalue iteration did not converge: look for weights of very different size")
	}
	s.Values = dense.Values(nil)
	if k == 0 {
		return s, nil
	}
	var all mat.Dense
	dense.VectorsTo(&all)
	s.Vectors = mat.DenseCopyOf(all.Slice(0, n, 0, k))

	if l == RandomWalk {
		root := roots(degrees(g))
		s.Vectors.Apply(func(i, _ int, v float64) float64 { return v / root[i] }, s.Vectors)
	}
	column := make([]float64, n)
	for j := range k {
		mat.Col(column, j, s.Vectors)
		floats.Scale(sign(column)/floats.Norm(column, 2), column)
		s.Vectors.SetCol(j, column)
	}
	var residual mat.Dense
	residual.Mul(lap, s.Vectors)
	for j, value := range s.Values[:k] {
		mat.Col(column, j, &residual)
		floats.AddScaled(column, -value, mat.Col(nil, j, s.Vectors))
		s.Residuals[j] = floats.Norm(column, 2)
	}
	return s, nil
}

// sign returns the sign of the entry of largest magnitude. Entries that tie in
// exact arithmetic, as in a symmetric graph, must not be told apart by rounding.
func sign(v []float64) float64 {
	largest := floats.Norm(v, math.Inf(1))
	for _, x := range v {
		if math.Abs(x) >= (1-1e-6)*largest {
			return math.Copysign(1, x)
		}
	}
	return 1
}

// Eigengap returns the k in [minK, maxK] with the largest gap between the k-th
// and the next of the rising eigenvalues, the smallest such k if several tie:
// the number of clusters when it is not known (von Luxburg 2007). It
// panics unless 1 <= minK <= maxK < len(values).
func Eigengap(values []float64, minK, maxK int) int {
	if minK < 1 || maxK < minK || maxK >= len(values) {
		panic(badGap)
	}
	best := minK
	for k := minK + 1; k <= maxK; k++ {
		if values[k]-values[k-1] > values[best]-values[best-1] {
			best = k
		}
	}
	return best
}
