package spectral

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Smallest returns the k smallest eigenvalues of a graph's Laplacian and their
// eigenvectors, and no others: Values has k. It is Decompose otherwise, to residuals of
// 1e-8 of the largest eigenvalue at most, so that eigenvalues err by far less; threads is the number of them, 0 for all.
//
// Where k is small beside n it looks for them in a block Krylov space, which takes
// time of n² for each of some times k vectors and not of n³ (Golub and Underwood, "The
// block Lanczos method for computing eigenvalues", 1977), with the vectors that
// components determine in it from the start.
func Smallest(g mat.Symmetric, l Laplacian, k, threads int) (*Spectrum, error) {
	g = flat(g)
	n := g.SymmetricDim()
	if k < 0 || k > n {
		panic(badClusters)
	}
	if l < Unnormalized || l > RandomWalk {
		panic(badLaplace)
	}
	if err := check(g, 0); err != nil {
		return nil, err
	}
	if n >= 256 && 6*k+64 < n {
		d := degrees(g)
		matrix := similar(g, l, d)
		kr := krylov{threads: par.Threads(threads), n: n, a: matrix, rnd: rand.New(rand.NewPCG(1, uint64(n)))}
		if values, rows, ok := kr.largest(k, null(g, l, d)); ok {
			s := &Spectrum{Vectors: new(mat.Dense), Values: make([]float64, k)}
			for i, v := range values {
				s.Values[i] = l.shift(d) - v
			}
			s.finish(matrix, l, d, rows)
			return s, nil
		}
	}
	s, err := decompose(g, l, k, threads)
	if err == nil {
		s.Values = s.Values[:k]
	}
	return s, err
}

// null returns, as rows, the eigenvectors of the Laplacian's eigenvalue 0: one for each
// component, constant on it, or, but for the unnormalised one, the roots of degrees.
func null(g mat.Symmetric, l Laplacian, degree []float64) []float64 {
	n := len(degree)
	of, count := componentsOf(g)
	rows, root := make([]float64, count*n), roots(degree)
	for i, c := range of {
		rows[c*n+i] = 1
		if l != Unnormalized {
			rows[c*n+i] = root[i]
		}
	}
	for c := range count {
		row := rows[c*n:][:n]
		floats.Scale(1/floats.Norm(row, 2), row)
	}
	return rows
}

// krylov looks for the largest eigenvalues of a symmetric matrix in a space that grows.
type krylov struct {
	threads, n int
	a          []float64 // n x n
	rnd        *rand.Rand

	basis []float64 // orthonormal rows
	image []float64 // a times each
	gram  []float64 // basis times image, m x m
	m     int
}

// width is how many vectors the space grows by: matrices are read once for so many, and
// eigenvalues that occur as often are all found.
const width = 8

// largest returns the k largest eigenvalues, falling, and eigenvectors as rows, given
// some that are known. It gives up when the space is no longer small, and where so many
// eigenvalues are the same, apart from known ones, that there may be more of them than
// a block can tell.
func (s *krylov) largest(k int, known []float64) (values, rows []float64, ok bool) {
	n := s.n
	s.add(known, len(known)/n)
	first := make([]float64, width*n)
	for i := range first {
		first[i] = s.rnd.NormFloat64()
	}
	s.add(first, width)
	for next := 2*k + 2*width; s.m+width <= n/2; {
		s.add(s.image[(s.m-width)*n:], width)
		if s.m < next {
			continue
		}
		next = s.m + s.m/2
		theta, y := dense.Eigen(s.threads, s.m, slices.Clone(s.gram), k)
		rows = make([]float64, k*n)
		dense.Gemm(s.threads, k, n, s.m, 1, dense.Rows(y, s.m), dense.Rows(s.basis, n), rows, n)
		residual := make([]float64, k*n)
		dense.Gemm(s.threads, k, n, s.m, 1, dense.Rows(y, s.m), dense.Rows(s.image, n), residual, n)
		done := true
		for j := 0; j < k && done; j++ {
			floats.AddScaled(residual[j*n:][:n], -theta[j], rows[j*n:][:n])
			done = floats.Norm(residual[j*n:][:n], 2) <= 1e-8*math.Abs(theta[0])
		}
		if !done {
			continue
		}
		for j := len(known) / n; j+width <= k; j++ {
			if theta[j]-theta[j+width-1] <= 1e-7*math.Abs(theta[0]) {
				return nil, nil, false
			}
		}
		return theta[:k], rows, true
	}
	return nil, nil, false
}

// add makes count rows a part of the basis: orthogonal to it, twice, since once leaves
// rounding of what is taken away, and to each other. A row that depends on the others
// is replaced by a random one.
func (s *krylov) add(rows []float64, count int) {
	n := s.n
	fresh := slices.Clone(rows[:count*n])
	for range 2 {
		s.project(fresh, count)
		for i := range count {
			row := fresh[i*n:][:n]
			norm := floats.Norm(row, 2)
			for j := range i {
				floats.AddScaled(row, -floats.Dot(row, fresh[j*n:][:n]), fresh[j*n:][:n])
			}
			rest := floats.Norm(row, 2)
			if rest <= 1e-10*norm || rest == 0 {
				for c := range row {
					row[c] = s.rnd.NormFloat64()
				}
				s.project(row, 1)
				for j := range i {
					floats.AddScaled(row, -floats.Dot(row, fresh[j*n:][:n]), fresh[j*n:][:n])
				}
				rest = floats.Norm(row, 2)
			}
			floats.Scale(1/rest, row)
		}
	}
	s.basis, s.image = append(s.basis, fresh...), append(s.image, make([]float64, count*n)...)
	image := s.image[s.m*n:]
	s.times(image, fresh, count)
	m := s.m + count
	gram := make([]float64, m*m)
	for i := range s.m {
		copy(gram[i*m:], s.gram[i*s.m:][:s.m])
	}
	dense.Gemm(s.threads, count, m, n, 1, dense.Rows(image, n), dense.Rows(s.basis, n).T(), gram[s.m*m:], m)
	s.gram, s.m = gram, m // the lower triangle
}

// times adds rows times a to dst. A few rows of a at a time, and not all of their
// columns, stay in the first-level cache for all of the rows; a product of matrices would
// pack all of a for them.
func (s *krylov) times(dst, rows []float64, count int) {
	n := s.n
	par.Blocks(s.threads, n, 512, func(lo, hi int) {
		for k := 0; k < n; k += 4 {
			members := []int{0, 1, 2, 3}[:min(4, n-k)]
			for i := range count {
				dense.Combine(dst[i*n+lo:i*n+hi], s.a[k*n+lo:], n, members, rows[i*n+k:][:len(members)])
			}
		}
	})
}

// project takes from rows their parts in the basis.
func (s *krylov) project(rows []float64, count int) {
	if s.m == 0 {
		return
	}
	inner := make([]float64, count*s.m)
	dense.Gemm(s.threads, count, s.m, s.n, 1, dense.Rows(rows, s.n), dense.Rows(s.basis, s.n).T(), inner, s.m)
	dense.Gemm(s.threads, count, s.n, s.m, -1, dense.Rows(inner, s.m), dense.Rows(s.basis, s.n), rows, s.n)
}
