package match

import (
	"context"
	"fmt"
	"math"

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
	for i := range p {
		for j := range p {
			a, b := sxx.At(i, j), sxx.At(j, i)
			scale := math.Sqrt(sxx.At(i, i)) * math.Sqrt(sxx.At(j, j))
			if !(math.Abs(a-b) <= slack*scale && math.Abs(a) <= (1+slack)*scale) {
				return nil, fmt.Errorf("match: sxx at row %d, column %d is %v, across the diagonal %v: not the covariance of variables with variances %v and %v", i, j, a, b, sxx.At(i, i), sxx.At(j, j))
			}
			pr.sxx[i*p+j] = (a + b) / 2
		}
	}
	for t := range targets {
		for i := range p {
			c := sxy.At(i, t)
			if !(math.Abs(c) <= (1+slack)*math.Sqrt(pr.sxx[i*p+i])*math.Sqrt(pr.syy[t])) {
				return nil, fmt.Errorf("match: sxy at row %d, column %d is %v: not the covariance of a source and a target with variances %v and %v", i, t, c, pr.sxx[i*p+i], pr.syy[t])
			}
			pr.sxy[t*p+i] = c
		}
	}
	return pr, nil
}

func (pr *problem) row(j int) []float64 { return pr.sxx[j*pr.p:][:pr.p] }
