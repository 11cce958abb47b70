// Package lapack gives gonum's eigenvectors of symmetric matrices and singular vectors the
// speed of this module's kernels, without cgo. It stands on gonum's BLAS, and so beside
// asm/blas:
//
//	blas64.Use(blas.Implementation{})
//	lapack64.Use(lapack.Implementation{})
//
// From then on mat.EigenSym is by Cuppen's divide and conquer, and mat.SVD by way of that;
// both are nearly all products of matrices. Whatever else stands on Dsyev and Dgesvd gains by
// as much. All other routines are gonum's own, as are small matrices, those with elements that are
// not finite, and singular values without vectors. Arguments that gonum's panics at are given
// to gonum's, and so panic in the same way.
//
// Values err, and vectors are orthonormal, as well as gonum's: by a few times n ulp of the
// largest value, and of 1. Vectors may have other signs than gonum's. Results are the
// same bits for any number of threads and, over package blas, in every tier.
package lapack
