package spectral

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Spectrum is the eigenvalues and the first k eigenvectors of a Laplacian.
type Spectrum struct {
	Values    []float64  // eigenvalues, rising: all n from Decompose, k from Smallest
	Vectors   *mat.Dense // n x k, columns of norm 1 in the order of Values
	Residuals []float64  // for each vector u, the norm of Lu - λu: the certificate
}

// Decompose returns the eigenvalues of the Laplacian of an n x n graph and its
// eigenvectors for the k smallest. Signs are canonical: the entry of largest
// magnitude, the first of those that tie, is positive. For [RandomWalk] the
// vectors are D^(-1/2) v with v those of [Symmetric], scaled to norm 1. It panics
// unless 0 <= k <= n, and returns a *[WeightError] for a weight that is negative or not
// finite, and the context's error if that ends first.
//
// It takes n³ steps. Threads limits the threads at work; 0 means all. See also [Smallest].
func Decompose(ctx context.Context, m mat.Symmetric, l Laplacian, k, threads int) (*Spectrum, error) {
	g, err := checkGraph(m, l, k)
	if err != nil {
		return nil, err
	}
	if g.n == 0 {
		return &Spectrum{Vectors: new(mat.Dense)}, nil
	}
	d := degrees(g)
	values, rows, err := dense.EigenContext(ctx, par.Threads(threads), g.n, similarMatrix(g, l, d), k)
	if err != nil {
		return nil, err
	}
	return newSpectrum(newOperator(threads, g, l, d), l, d, values, rows), nil
}

// checkGraph returns the weights of a graph, of which k eigenvectors of the Laplacian are
// asked for, or an error that names the first weight that is negative or not finite.
func checkGraph(m mat.Symmetric, l Laplacian, k int) (*weights, error) {
	g := toWeights(m)
	if k < 0 || k > g.n {
		panic(badClusters)
	}
	l.check()
	return g, check(g, 0)
}

// newSpectrum returns the spectrum of the Laplacian from eigenvalues, and eigenvectors as
// rows, which it overwrites, of the matrix that a multiplies with: see similarMatrix.
func newSpectrum(a *operator, l Laplacian, degree, values, rows []float64) *Spectrum {
	n, shift := len(degree), l.shift(degree)
	k := len(rows) / n
	s := &Spectrum{Values: make([]float64, len(values)), Vectors: new(mat.Dense), Residuals: make([]float64, k)}
	for i, v := range values {
		s.Values[i] = shift - v
	}
	if k == 0 {
		return s
	}
	root := roots(degree)
	if l == RandomWalk {
		for i := range rows {
			rows[i] /= root[i%n]
		}
	}
	for j := range k {
		row := rows[j*n:][:n]
		floats.Scale(sign(row)/floats.Norm(row, 2), row)
	}
	// L u - lambda u, where L is the shift less the matrix, or D^(-1/2) that D^(1/2).
	scaled := slices.Clone(rows)
	if l == RandomWalk {
		for i := range scaled {
			scaled[i] *= root[i%n]
		}
	}
	product := a.times(k, scaled)
	for j := range k {
		row := product[j*n:][:n]
		if l == RandomWalk {
			for i, r := range root {
				row[i] /= r
			}
		}
		for i, v := range row {
			row[i] = float64((shift-s.Values[j])*rows[j*n+i]) - v
		}
		s.Residuals[j] = floats.Norm(row, 2)
	}
	s.Vectors = mat.NewDense(n, k, nil)
	for j := range k {
		s.Vectors.SetCol(j, rows[j*n:][:n])
	}
	return s
}

// sign returns the sign of the entry of largest magnitude, the first of those that tie.
// Magnitudes within 1e-6 of the largest tie, since rounding must not decide between
// entries that are equal in exact arithmetic, as in a symmetric graph.
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
