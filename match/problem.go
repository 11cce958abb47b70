package match

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// problem is the checked covariances of sources and all targets.
type problem struct {
	ctx        context.Context // of the call that solves it
	p, targets int
	sxx        []float64 // p x p
	sxy        []float64 // targets x p: each target's are contiguous
	syy        []float64 // targets
}

// slack is the relative error that covariances may have from single precision.
const slack = 1e-6

// newProblem returns the problem, or an error that names the first value that cannot be a
// covariance.
func newProblem(ctx context.Context, sxx, sxy mat.Matrix, variance []float64) (*problem, error) {
	p, cols := sxx.Dims()
	rows, targets := sxy.Dims()
	if cols != p || targets > 0 && rows != p || variance != nil && len(variance) != targets {
		panic(badShape)
	}
	pr := &problem{ctx: ctx, p: p, targets: targets, sxx: make([]float64, p*p), sxy: make([]float64, targets*p), syy: make([]float64, targets)}
	for t := range pr.syy {
		pr.syy[t] = 1
		if variance != nil {
			pr.syy[t] = variance[t]
		}
		if v := pr.syy[t]; !(v >= 0 && v <= limit) {
			return nil, fmt.Errorf("match: target %d has variance %v", t, v)
		}
	}
	for i := range p {
		if v := sxx.At(i, i); !(v >= 0 && v <= limit) {
			return nil, fmt.Errorf("match: source %d has variance %v", i, v)
		}
	}
	deviation := make([]float64, p) // of sources
	for i := range deviation {
		deviation[i] = math.Sqrt(sxx.At(i, i))
	}
	x := rowMajor(sxx)
	if err := tiled(p, p, func(i0, i1, j0, j1 int) error {
		for i := i0; i < i1; i++ {
			for j := j0; j < j1; j++ {
				a, b, scale := x.Data[i*x.Stride+j], x.Data[j*x.Stride+i], deviation[i]*deviation[j]
				if !(math.Abs(a-b) <= slack*scale && math.Abs(a) <= (1+slack)*scale) {
					return fmt.Errorf("match: sxx at row %d, column %d is %v, across the diagonal %v: not the covariance of variables with variances %v and %v", i, j, a, b, sxx.At(i, i), sxx.At(j, j))
				}
				pr.sxx[i*p+j] = (a + b) / 2
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	y := rowMajor(sxy)
	if err := tiled(targets, p, func(t0, t1, i0, i1 int) error {
		for t := t0; t < t1; t++ {
			deviationY := math.Sqrt(pr.syy[t])
			for i := i0; i < i1; i++ {
				c := y.Data[i*y.Stride+t]
				if !(math.Abs(c) <= (1+slack)*deviation[i]*deviationY) {
					return fmt.Errorf("match: sxy at row %d, column %d is %v: not the covariance of a source and a target with variances %v and %v", i, t, c, pr.sxx[i*p+i], pr.syy[t])
				}
				pr.sxy[t*p+i] = c
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return pr, nil
}

// rowMajor returns a matrix as it lies in memory, or a copy.
func rowMajor(m mat.Matrix) blas64.General {
	if raw, ok := m.(mat.RawMatrixer); ok {
		return raw.RawMatrix()
	}
	if r, c := m.Dims(); r == 0 || c == 0 {
		return blas64.General{}
	}
	return mat.DenseCopyOf(m).RawMatrix()
}

// tiled calls f for all of an m x n matrix, rows [i0, i1) and columns [j0, j1) at a time, so
// few that those of the transpose stay in the cache. It returns the error of the first row that
// has one.
func tiled(m, n int, f func(i0, i1, j0, j1 int) error) error {
	const tile = 8 // numbers of a line of the cache
	for i := 0; i < m; i += tile {
		for j := 0; j < n; j += tile {
			if f(i, min(m, i+tile), j, min(n, j+tile)) != nil {
				return f(0, m, 0, n)
			}
		}
	}
	return nil
}

func (pr *problem) row(j int) []float64 { return pr.sxx[j*pr.p:][:pr.p] }
