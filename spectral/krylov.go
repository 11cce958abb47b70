package spectral

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Smallest returns the k smallest eigenvalues of a graph's Laplacian and their
// eigenvectors. Panics and errors are those of [Decompose], signs as well; residuals are at
// most 1e-8 of the largest eigenvalue, and eigenvalues err by far less. Threads limits the
// threads at work; 0 means all. If the context ends, its error is Smallest's.
//
// Where k is small beside n it searches a block Krylov space, which takes time in
// proportion to k n² and not to n³ (Golub and Underwood, "The block Lanczos method for
// computing eigenvalues", 1977). The space begins with the eigenvectors of eigenvalue 0,
// which the components determine.
func Smallest(ctx context.Context, m mat.Symmetric, l Laplacian, k, threads int) (*Spectrum, error) {
	g, err := checkGraph(m, l, k)
	if err != nil {
		return nil, err
	}
	if n := g.n; n >= 256 && 6*k+64 < n {
		d := degrees(g)
		s := krylov{
			threads: par.Threads(threads), n: n, a: newOperator(threads, g, l, d), rnd: rand.New(rand.NewPCG(1, uint64(n))),
		}
		if values, rows, ok := s.largest(ctx, k, nullSpace(g, l, d)); ok {
			return newSpectrum(s.a, l, d, values, rows), nil
		}
	}
	s, err := Decompose(ctx, g, l, k, threads)
	if err != nil {
		return nil, err
	}
	s.Values = s.Values[:k]
	return s, nil
}

// nullSpace returns the eigenvectors of the Laplacian's eigenvalue 0 as rows: one for each
// component, constant on it, or, unless the Laplacian is unnormalised, proportional to the
// roots of degrees.
func nullSpace(g mat.Symmetric, l Laplacian, degree []float64) []float64 {
	n := len(degree)
	component, count := components(g)
	rows, root := make([]float64, count*n), roots(degree)
	for i, c := range component {
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

// krylov is a block Krylov space, in which the largest eigenvalues of a symmetric matrix
// are approximated. It grows by the products of the matrix with the last block,
// orthogonal to all blocks before.
type krylov struct {
	threads, n int
	a          *operator
	rnd        *rand.Rand

	m       int
	basis   []float64 // m orthonormal rows
	columns []float64 // basis transposed, n x m of stride ld
	ld      int
	gram    []float64 // lower triangle of basis a basisᵀ, m x m of stride ld
}

// blockSize is the number of vectors that the space grows by: each reading of the matrix
// serves all of them, and eigenvalues of up to this multiplicity are found whole.
const blockSize = 12

// largest returns the k largest eigenvalues, falling, and eigenvectors as rows. The rows of
// start are the eigenvectors of the first of them. ok is false if the space is no longer
// small, if an eigenvalue beside those occurs as often as a block has vectors, and so
// might occur more often, or if the context ends.
func (s *krylov) largest(ctx context.Context, k int, start []float64) (values, rows []float64, ok bool) {
	n := s.n
	count := len(start) / n
	if count > 0 {
		s.add(slices.Clone(start), slices.Repeat([]float64{1}, count))
		s.expand(count)
	}
	block := make([]float64, blockSize*n)
	for i := range block {
		block[i] = s.rnd.NormFloat64()
	}
	_, size := s.projectOut(block, blockSize)
	const tolerance = 1e-8
	lastResidual, lastSize, maxSize := 0.0, 0, n/2-blockSize
	for checkSize := 2*k + 2*blockSize; s.m <= maxSize && ctx.Err() == nil; {
		s.add(block, size)
		block, size = s.expand(blockSize)
		if s.m < min(checkSize, maxSize) {
			continue
		}
		lower := make([]float64, s.m*s.m)
		for i := range s.m {
			copy(lower[i*s.m:][:s.m], s.gram[i*s.ld:])
		}
		theta, y, err := dense.EigenContext(ctx, s.threads, s.m, lower, k)
		if err != nil {
			return nil, nil, false
		}
		if residual := s.residual(theta[:k], y, block); residual > tolerance {
			// Residuals fall by nearly the same factor with each block, later by more.
			residualLog, growth := math.Log(residual), 2*blockSize
			if lastSize > 0 {
				rate := max(0, lastResidual-residualLog) / float64(s.m-lastSize)
				growth = int(min(0.85*(residualLog-math.Log(tolerance))/rate, 0.75*float64(s.m)))
			}
			lastResidual, lastSize, checkSize = residualLog, s.m, s.m+growth
			continue
		}
		for j := count; j+blockSize <= k; j++ {
			if theta[j]-theta[j+blockSize-1] <= 1e-7*math.Abs(theta[0]) {
				return nil, nil, false
			}
		}
		rows = make([]float64, k*n)
		dense.Gemm(s.threads, dense.Product{M: k, N: n, K: s.m, A: dense.Rows(y, s.m), B: dense.Rows(s.basis, n), C: rows, LDC: n})
		return theta[:k], rows, true
	}
	return nil, nil, false
}

// residual returns the largest residual, relative to the largest eigenvalue, of the
// eigenvectors whose coordinates in the space are the rows of y. The products of the
// matrix with the basis are in the space but for those of the last block, whose parts
// outside it are remainder: so a residual is the last coordinates times remainder.
func (s *krylov) residual(theta, y, remainder []float64) float64 {
	var largest float64
	sum := make([]float64, s.n)
	for j := range theta {
		clear(sum)
		coordinates := y[(j+1)*s.m-blockSize:][:blockSize]
		for i, v := range coordinates {
			floats.AddScaled(sum, v, remainder[i*s.n:][:s.n])
		}
		largest = max(largest, floats.Norm(sum, 2)/math.Abs(theta[0]))
	}
	return largest
}

// add appends rows, which are orthogonal to the basis, to it, given the norms that they
// had before they were made so. A row that depends on the others is replaced by a random
// one.
func (s *krylov) add(rows, size []float64) {
	n, count := s.n, len(size)
	for repeat := true; repeat; {
		repeat = false
		for i, length := range size {
			row := rows[i*n:][:n]
			s.orthogonalize(rows, i)
			norm := floats.Norm(row, 2)
			// Rounding of what was subtracted is not small beside a small remainder.
			repeat = repeat || norm < 0.1*length
			if norm <= 1e-10*length {
				for c := range row {
					row[c] = s.rnd.NormFloat64()
				}
				s.projectOut(row, 1)
				s.orthogonalize(rows, i)
				norm = floats.Norm(row, 2)
			}
			floats.Scale(1/norm, row)
		}
		if repeat {
			_, size = s.projectOut(rows, count)
		}
	}
	if s.m+count > s.ld {
		s.reserve(2 * (s.m + count))
	}
	s.basis = append(s.basis, rows[:count*n]...)
	for c := range n {
		column := s.columns[c*s.ld+s.m:][:count]
		for i := range column {
			column[i] = rows[i*n+c]
		}
	}
	s.m += count
}

// orthogonalize subtracts from row i its projections on the rows before.
func (s *krylov) orthogonalize(rows []float64, i int) {
	row := rows[i*s.n:][:s.n]
	for j := range i {
		direction := rows[j*s.n:][:s.n]
		floats.AddScaled(row, -floats.Dot(row, direction), direction)
	}
}

// expand returns the matrix times the last count rows of the basis, less their projections
// on it, which become those rows of gram, and the norms before the subtraction.
func (s *krylov) expand(count int) (image, size []float64) {
	n := s.n
	image = s.a.times(count, s.basis[(s.m-count)*n:])
	inner, size := s.projectOut(image, count)
	for i := range count {
		copy(s.gram[(s.m-count+i)*s.ld:], inner[i*s.m:][:s.m])
	}
	return image, size
}

// projectOut subtracts from rows their projections on the basis, and returns the
// coordinates of these, count x m, and the norms of the rows before.
func (s *krylov) projectOut(rows []float64, count int) (inner, size []float64) {
	size = make([]float64, count)
	for i := range size {
		size[i] = floats.Norm(rows[i*s.n:][:s.n], 2)
	}
	inner = make([]float64, count*s.m)
	dense.ThinGemm(s.threads, dense.Product{M: count, N: s.m, K: s.n, A: dense.Rows(rows, s.n), B: dense.Rows(s.columns, s.ld), C: inner, LDC: s.m})
	negated := slices.Clone(inner)
	floats.Scale(-1, negated)
	dense.ThinGemm(s.threads, dense.Product{M: count, N: s.n, K: s.m, A: dense.Rows(negated, s.m), B: dense.Rows(s.basis, s.n), C: rows, LDC: s.n})
	return inner, size
}

// reserve enlarges the stride to ld vectors.
func (s *krylov) reserve(ld int) {
	columns, gram := make([]float64, s.n*ld), make([]float64, ld*ld)
	for c := range s.n {
		copy(columns[c*ld:], s.columns[c*s.ld:][:s.m])
	}
	for i := range s.m {
		copy(gram[i*ld:], s.gram[i*s.ld:][:s.m])
	}
	s.columns, s.gram, s.ld = columns, gram, ld
	s.basis = slices.Grow(s.basis, (ld-s.m)*s.n)
}
