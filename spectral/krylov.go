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
// 1e-8 of the largest eigenvalue at most, so that eigenvalues err by far less. Threads
// limits the threads at work; 0 means all.
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
		kr := krylov{
			threads: par.Threads(threads), n: n, a: newOperator(threads, g, l, d), rnd: rand.New(rand.NewPCG(1, uint64(n))),
		}
		if values, rows, ok := kr.largest(k, null(g, l, d)); ok {
			s := &Spectrum{Vectors: new(mat.Dense), Values: make([]float64, k)}
			for i, v := range values {
				s.Values[i] = l.shift(d) - v
			}
			s.finish(kr.a, l, d, rows)
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

// krylov looks for the largest eigenvalues of a symmetric matrix in a space that grows
// by the matrix times what it grew by last, orthogonal to all before.
type krylov struct {
	threads, n int
	a          *operator
	rnd        *rand.Rand

	m       int
	basis   []float64 // m orthonormal rows
	columns []float64 // the same, transposed: rows ld apart
	ld      int
	gram    []float64 // basis a basisᵀ, its lower triangle, rows ld apart
}

// width is how many vectors the space grows by: matrices are read once for so many, and
// eigenvalues that occur as often are all found.
const width = 12

// largest returns the k largest eigenvalues, falling, and eigenvectors as rows, given
// some that are known. It gives up when the space is no longer small, and where so many
// eigenvalues are the same, apart from known ones, that there may be more of them than
// a block can tell.
func (s *krylov) largest(k int, known []float64) (values, rows []float64, ok bool) {
	n := s.n
	if count := len(known) / n; count > 0 {
		s.add(slices.Clone(known), slices.Repeat([]float64{1}, count))
		s.expand(count)
	}
	block := make([]float64, width*n)
	for i := range block {
		block[i] = s.rnd.NormFloat64()
	}
	_, size := s.project(block, width)
	const small = 1e-8
	last, before, most := 0.0, 0, n/2-width
	for next := 2*k + 2*width; s.m <= most; {
		s.add(block, size)
		block, size = s.expand(width)
		if s.m < min(next, most) {
			continue
		}
		lower := make([]float64, s.m*s.m)
		for i := range s.m {
			copy(lower[i*s.m:][:s.m], s.gram[i*s.ld:])
		}
		theta, y := dense.Eigen(s.threads, s.m, lower, k)
		if residual := s.residual(theta[:k], y, block); residual > small {
			// Residuals fall by nearly the same factor with each block, later by more.
			now, further := math.Log(residual), 2*width
			if before > 0 {
				rate := max(0, last-now) / float64(s.m-before)
				further = int(min(0.85*(now-math.Log(small))/rate, 0.75*float64(s.m)))
			}
			last, before, next = now, s.m, s.m+further
			continue
		}
		for j := len(known) / n; j+width <= k; j++ {
			if theta[j]-theta[j+width-1] <= 1e-7*math.Abs(theta[0]) {
				return nil, nil, false
			}
		}
		rows = make([]float64, k*n)
		dense.Gemm(s.threads, k, n, s.m, 1, dense.Rows(y, s.m), dense.Rows(s.basis, n), rows, n)
		return theta[:k], rows, true
	}
	return nil, nil, false
}

// residual returns the largest residual of the eigenvectors of the given coordinates in
// the space, beside the largest eigenvalue. The matrix times any vector of the space
// stays in it, but for the last block's, which leaves it by rest: so the residual of y
// is y's last part times rest.
func (s *krylov) residual(theta, y, rest []float64) float64 {
	var most float64
	sum := make([]float64, s.n)
	for j := range theta {
		clear(sum)
		last := y[(j+1)*s.m-width:][:width]
		for i, v := range last {
			floats.AddScaled(sum, v, rest[i*s.n:][:s.n])
		}
		most = max(most, floats.Norm(sum, 2)/math.Abs(theta[0]))
	}
	return most
}

// add makes rows, which are orthogonal to the basis, a part of it, given the sizes that
// they had before they were made so. A row that depends on the others is replaced by a
// random one.
func (s *krylov) add(rows, size []float64) {
	n, count := s.n, len(size)
	for again := true; again; {
		again = false
		for i, before := range size {
			row := rows[i*n:][:n]
			s.separate(rows, i)
			rest := floats.Norm(row, 2)
			// Beside a small rest, rounding of what was taken away is not.
			again = again || rest < 0.1*before
			if rest <= 1e-10*before {
				for c := range row {
					row[c] = s.rnd.NormFloat64()
				}
				s.project(row, 1)
				s.separate(rows, i)
				rest = floats.Norm(row, 2)
			}
			floats.Scale(1/rest, row)
		}
		if again {
			_, size = s.project(rows, count)
		}
	}
	if s.m+count > s.ld {
		s.widen(2 * (s.m + count))
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

// separate takes from row i its parts in the rows before.
func (s *krylov) separate(rows []float64, i int) {
	row := rows[i*s.n:][:s.n]
	for j := range i {
		other := rows[j*s.n:][:s.n]
		floats.AddScaled(row, -floats.Dot(row, other), other)
	}
}

// expand returns the matrix times the last count rows of the basis, less their parts in
// it, which are those rows of gram, and the sizes with them.
func (s *krylov) expand(count int) (image, size []float64) {
	n := s.n
	image = s.a.times(count, s.basis[(s.m-count)*n:])
	inner, size := s.project(image, count)
	for i := range count {
		copy(s.gram[(s.m-count+i)*s.ld:], inner[i*s.m:][:s.m])
	}
	return image, size
}

// project takes from rows their parts in the basis, and returns those, count x m, and
// the sizes of the rows with them.
func (s *krylov) project(rows []float64, count int) (inner, size []float64) {
	size = make([]float64, count)
	for i := range size {
		size[i] = floats.Norm(rows[i*s.n:][:s.n], 2)
	}
	inner = make([]float64, count*s.m)
	dense.Thin(s.threads, count, s.m, s.n, rows, s.n, s.columns, s.ld, inner, s.m)
	minus := slices.Clone(inner)
	floats.Scale(-1, minus)
	dense.Thin(s.threads, count, s.n, s.m, minus, s.m, s.basis, s.n, rows, s.n)
	return inner, size
}

// widen makes room for ld vectors.
func (s *krylov) widen(ld int) {
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
