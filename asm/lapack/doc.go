// Package lapack gives gonum's eigenvectors of symmetric matrices and singular vectors the
// speed of this module's kernels, without cgo. It stands on gonum's BLAS, and so beside
// asm/blas:
//
//	blas64.Use(blas.Implementation{})
//	lapack64.Use(lapack.Implementation{})
//
// From then on mat.EigenSym is by Cuppen's divide and conquer, and mat.SVD by way of that,
// both of which are nearly all products of matrices. All other routines are gonum's own, as
// are small matrices and those with elements that are not finite. Arguments that gonum's
// panics at are given to gonum's, and so panic in the same way.
//
// The eigenvalues, singular values and vectors of an n x n matrix err as LAPACK's do: with
// residuals of a few times n ulp of the largest value, and vectors that are orthonormal to
// as much. Vectors that belong together may have other signs than gonum's. Results are the same
// bits for any number of threads and, over package blas, in every tier.
package lapack
