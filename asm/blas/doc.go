// Package blas gives gonum the speed of this module's kernels, without cgo:
//
//	blas64.Use(blas.Implementation{})
//	blas32.Use(blas.Implementation{})
//
// From then on whatever stands on gonum's BLAS, such as package mat and gonum's LAPACK,
// multiplies by AVX2 or AVX-512 on all cores, in float64 and float32.
//
// The routines of level 3 (Gemm, Symm, Syrk, Syr2k, Trmm and Trsm) are products of blocks;
// at the diagonal of a triangle few rows are left, which are eliminated one by one. Those of
// matrices and vectors (Gemv, Symv, Ger, Trsv and, in float64, Trmv) and of vectors side by side
// (Dot, Axpy, Scal, Asum, Nrm2) have kernels of their own; Gemv divides large matrices among
// cores. What is small and all other routines, the complex ones among them, are gonum's own.
// Arguments that gonum's panics at are given to gonum's, and so panic in the same way.
// Package lapack, beside this one, does the same for eigenvectors and singular vectors.
//
// A result is the same for any number of threads, and one of the routines named in every
// tier and architecture too (see package asm), unless it is small or of vectors whose
// elements lie apart, but not the same bits as gonum's: sums are fused and in another order. The
// bounds on errors of textbooks hold: that of a product of k terms is k u sum |a||b|, with
// u = 2^-53 or 2^-24; a solution of Trsm has a residual as small as by substitution.
package blas
