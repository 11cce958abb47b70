package identification

import (
	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Features, or images, that others before them explain but for such a share of their
// variance depend on these: inner products of images are rounded to float32, features'
// activations are, and their own inner products are not.
const (
	dependentFeature = 1e-10
	dependentImage   = 1e-6
)

// basis returns rows of an orthonormal basis of what centred features span, one for each
// image, and its dimension. A dimension one less than the images is everything that is
// centred, and then there is no need of a basis, which is nil.
//
// Where features are no fewer than images, the inner products of images tell: they are
// K = L L^T, and the columns of L span what the features do.
func basis(threads int, r *representation, x []float32) (q []float32, dimension int, err error) {
	n, p := r.Images, r.Features
	var rows []float64
	if p < n {
		rows = make([]float64, n*p)
		for i, v := range x[:n*p] {
			rows[i] = float64(v)
		}
	} else {
		inner, err := r.inner()
		if err != nil {
			return nil, 0, err
		}
		if rows, p = factor(threads, n, inner); rows == nil {
			return nil, n - 1, nil
		}
	}
	g := make([]float64, p*p)
	const strip = 512
	for j := 0; j < p; j += strip { // from the diagonal down
		dense.Gemm(threads, dense.Product{M: p - j, N: min(strip, p-j), K: n,
			A: dense.Rows(rows[j:], p).T(), B: dense.Rows(rows[j:], p), C: g[j*p+j:], LDC: p})
	}
	for _, kept := range dense.Cholesky(threads, p, g, dependentFeature) {
		if kept {
			dimension++
		}
	}
	if dimension >= n-1 {
		return nil, n - 1, nil
	}
	dense.Eliminate(threads, n, p, rows, g)
	q = make([]float32, n*dimension)
	par.Blocks(threads, n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			to := q[i*dimension:][:0]
			for j, v := range rows[i*p:][:p] {
				if g[j*p+j] != 0 {
					to = append(to, float32(v))
				}
			}
		}
	})
	return q, dimension, nil
}

// factor returns a matrix of n rows and independent columns that span what the matrix of
// inner products of centred rows does, and how many columns; nil if that is everything.
func factor(threads, n int, inner triangle) (rows []float64, p int) {
	k := inner.lower()
	var trace float64
	for _, v := range inner.diagonal {
		trace += v
	}
	// All rows are orthogonal to that of ones, which is added to make the whole of rank n.
	for i := range n {
		for j := range i + 1 {
			k[i*n+j] += trace / float64(n) / float64(n)
		}
	}
	var columns []int
	for j, kept := range dense.Cholesky(threads, n, k, dependentImage) {
		if kept {
			columns = append(columns, j)
		}
	}
	if len(columns) == n {
		return nil, 0
	}
	// Centring takes the ones out again.
	rows = make([]float64, n*len(columns))
	for c, j := range columns {
		var mean float64
		for i := j; i < n; i++ {
			mean += k[i*n+j] / float64(n)
		}
		for i := range n {
			rows[i*len(columns)+c] = -mean
			if i >= j {
				rows[i*len(columns)+c] += k[i*n+j]
			}
		}
	}
	return rows, len(columns)
}
