package bench

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	kernels "github.com/convergent-go/convergent/asm/blas"
	kernelslapack "github.com/convergent-go/convergent/asm/lapack"
)

// BLAS is a routine of gonum on square matrices of N rows: dgemm, sgemm, dgemv, dsymv, dtrsm
// and dtrsv (from the left, by a lower triangle), cholesky, svd (singular values and thin
// vectors) or eigen (of a symmetric matrix, with vectors). All but sgemm are in float64.
type BLAS struct {
	Routine string `json:"routine"`
	N       int    `json:"n"`
}

func (s BLAS) works() ([]Work, error) {
	name := fmt.Sprintf("blas/%s/%d", s.Routine, s.N)
	n := float64(s.N)
	operations, ok := map[string]float64{"dgemm": 2 * n * n * n, "sgemm": 2 * n * n * n, "dtrsm": n * n * n, "cholesky": n * n * n / 3, "svd": 0, "eigen": 0,
		"dgemv": 2 * n * n, "dsymv": 2 * n * n, "dtrsv": n * n}[s.Routine]
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: no such routine", name)
	case s.N < 1:
		return nil, fmt.Errorf("%s: size out of range", name)
	}
	tolerance := 1e-9
	if s.Routine == "sgemm" {
		tolerance = 1e-5
	}
	return []Work{{Name: name, Operations: operations, Tolerance: tolerance, Spec: s, start: s.start}}, nil
}

func (s BLAS) start(threads int) (*Job, error) {
	return s.job(kernels.Implementation{Threads: threads}, kernelslapack.Implementation{Threads: threads}), nil
}

// Gonum is the work done by gonum's own BLAS and LAPACK.
func (s BLAS) Gonum() *Job { return s.job(gonum.Implementation{}, gonumlapack.Implementation{}) }

// job is the work done by implementations.
func (s BLAS) job(i interface {
	blas.Float32
	blas.Float64
}, l lapack.Float64) *Job {
	n := s.N
	x, y := uniform(1, n*n), uniform(2, n*n)
	if s.Routine == "sgemm" {
		c := make([]float32, n*n)
		return &Job{
			Run: func() error {
				i.Sgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, x, n, y, n, 0, c, n)
				return nil
			},
			Results: func() [][]float64 { return [][]float64{Float64s(c)} },
		}
	}
	a, b, c := Float64s(x), Float64s(y), make([]float64, n*n)
	var run func()
	switch s.Routine {
	case "dgemm":
		run = func() { i.Dgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, a, n, b, n, 0, c, n) }
	case "dtrsm":
		addDiagonal(a, n)
		run = func() {
			copy(c, b)
			i.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, c, n)
		}
	case "dgemv", "dsymv", "dtrsv":
		c = c[:n]
		addDiagonal(a, n)
		run = func() {
			switch s.Routine {
			case "dgemv":
				i.Dgemv(blas.NoTrans, n, n, 1, a, n, b, 1, 0, c, 1)
			case "dsymv":
				i.Dsymv(blas.Upper, n, 1, a, n, b, 1, 0, c, 1)
			case "dtrsv":
				copy(c, b)
				i.Dtrsv(blas.Lower, blas.NoTrans, blas.NonUnit, n, a, n, c, 1)
			}
		}
	case "cholesky":
		addDiagonal(a, n)
		sym := mat.NewSymDense(n, a) // of which the upper triangle counts
		run = func() {
			var f mat.Cholesky
			if !f.Factorize(sym) {
				panic("bench: a dominant diagonal without a factorisation")
			}
			var u mat.TriDense
			f.UTo(&u)
			copy(c, u.RawTriangular().Data)
		}
	case "svd":
		m := mat.NewDense(n, n, a)
		run = func() {
			var f mat.SVD
			f.Factorize(m, mat.SVDThin)
			c = f.Values(nil)
		}
	case "eigen":
		m := mat.NewSymDense(n, a)
		run = func() {
			var f mat.EigenSym
			f.Factorize(m, true)
			c = f.Values(nil)
		}
	}
	return &Job{
		Run: func() error {
			defer blas64.Use(blas64.Implementation())
			defer lapack64.Use(gonumlapack.Implementation{})
			blas64.Use(i)
			lapack64.Use(l)
			run()
			return nil
		},
		Results: func() [][]float64 { return [][]float64{c} },
	}
}

// addDiagonal makes the diagonal of a matrix of elements below 1 dominate.
func addDiagonal(a []float64, n int) {
	for i := range n {
		a[i*n+i] += float64(n)
	}
}
