package spectral

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Assignment is a method that makes clusters of the rows of eigenvectors.
type Assignment int

const (
	KMeansAssignment    Assignment = iota // [KMeans], the paper's choice
	PivotedQRAssignment                   // [PivotedQR], which draws no random numbers and is faster
)

// PivotedQR returns labels of the n rows of x, k orthonormal eigenvectors, for at most k groups
// (Damle, Minden and Ying, "Simple, direct and efficient multi-way spectral clustering",
// Information and Inference 8, 2019). The rows of points deep inside k clusters are
// nearly orthogonal, so a QR factorisation of xᵀ with column pivoting finds one point
// of each; the eigenvectors are rotated to them, and each point goes to the coordinate
// of largest magnitude, the lower of those that tie. Labels are canonical. It panics
// unless k <= n, and returns an error if the decomposition fails, as it does for
// entries that are not finite.
//
// It takes n k² steps. See also [KMeans].
func PivotedQR(x mat.Matrix) ([]int, error) {
	n, k := x.Dims()
	if k > n || n > 0 && k == 0 {
		panic(badClusters)
	}
	if n == 0 {
		return nil, nil
	}
	rows := mat.NewDense(k, k, nil)
	for r, i := range pivots(x) {
		for j := range k {
			rows.Set(j, r, x.At(i, j))
		}
	}
	var svd mat.SVD
	if !svd.Factorize(rows, mat.SVDFull) {
		return nil, errNotFinite
	}
	var u, v, rotation, rotated mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	rotation.Mul(&u, v.T())
	rotated.Mul(x, &rotation)
	labels := make([]int, n)
	for i := range labels {
		for j, y := range rotated.RawRowView(i) {
			if math.Abs(y) > math.Abs(rotated.At(i, labels[i])) {
				labels[i] = j
			}
		}
	}
	canonicalize(labels)
	return labels, nil
}

// pivots returns the k rows of x that are the pivots of a QR factorisation of its
// transpose: the part that is orthogonal to the pivots before is longest in each.
func pivots(x mat.Matrix) []int {
	n, k := x.Dims()
	residual := mat.DenseCopyOf(x)
	rows := make([]int, k)
	for r := range rows {
		norm := -1.0
		for i := range n {
			if l := floats.Norm(residual.RawRowView(i), 2); l > norm {
				rows[r], norm = i, l
			}
		}
		if norm == 0 {
			continue
		}
		axis := make([]float64, k)
		floats.ScaleTo(axis, 1/norm, residual.RawRowView(rows[r]))
		for i := range n {
			row := residual.RawRowView(i)
			floats.AddScaled(row, -floats.Dot(row, axis), axis)
		}
	}
	return rows
}
