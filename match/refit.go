package match

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Refit returns the least squares fit to the sources that have weight in f, which must
// have been made with KeepWeights: the relaxed LASSO (Meinshausen, Comput. Stat. Data
// Anal. 52, 2007) without any shrinkage. sxx, sxy and variance are those of f. Sources of
// a target that its others determine lose their weight. NonZero is for a threshold of 0,
// and Gap is the largest |gradient| among sources with weight.
//
// Shapes that do not agree panic; values that cannot be covariances are an error, and so is the
// end of the context.
func (f LassoFit) Refit(ctx context.Context, sxx, sxy mat.Matrix, variance []float64) (LassoFit, error) {
	if f.W == nil {
		panic(badFit)
	}
	pr, err := newProblem(ctx, sxx, sxy, variance)
	if err != nil {
		return LassoFit{}, err
	}
	if r, c := f.W.Dims(); r != pr.p || c != pr.targets {
		panic(badShape)
	}
	thresholds := []float64{0}
	g := newFit(0, pr, LassoOptions{Thresholds: thresholds, KeepWeights: true})
	g.Lambda, g.Lambdas = f.Lambda, f.Lambdas
	s, support := newPath(pr), newInverse(pr.p)
	for t := range pr.targets {
		if err := ctx.Err(); err != nil {
			return LassoFit{}, err
		}
		s.begin(t)
		support.reset(pr.sxx)
		for j := range pr.p {
			if f.W.At(j, t) != 0 {
				support.add(j)
			}
		}
		c, w := make([]float64, len(support.set)), make([]float64, len(support.set))
		for i, j := range support.set {
			c[i] = s.c()[j]
		}
		support.solve(w, c)
		for i, j := range support.set {
			s.w[j] = w[i]
		}
		s.updateGradient()
		if err := s.record(&g, 0, thresholds); err != nil {
			return LassoFit{}, err
		}
		g.Gap[t] = 0
		for _, j := range support.set {
			g.Gap[t] = max(g.Gap[t], math.Abs(s.g[j]))
		}
	}
	return g, nil
}

// HeldOut are the covariances of sources and targets in observations that no fit used,
// such as a group of images: shapes as for [Lasso].
type HeldOut struct {
	Sxx, Sxy mat.Matrix
	Variance []float64 // of each target
}

// Selection is the choice of a fit by its loss on held-out observations.
type Selection struct {
	Loss [][]float64 // per fit and target: mean over groups of 1/2 E(w.x - y)^2
	Mean []float64   // per fit: mean of Loss over targets
	Err  []float64   // per fit: standard error of Mean over groups

	MinLoss       int   // the fit with the smallest Mean
	OneSE         int   // the fit with the largest lambda whose Mean is within one Err of that
	TargetMinLoss []int // per target: the fit with the smallest Loss
}

// SelectFit returns the choice among fits of falling lambda, made with KeepWeights, on two
// or more groups of held-out observations, by the rule of one standard error (Breiman,
// Friedman, Olshen and Stone, "Classification and regression trees", 1984): the sparsest
// prediction whose loss is within one standard error of the smallest. It panics if shapes
// do not agree or a fit has no weights.
func SelectFit(fits []LassoFit, heldOut []HeldOut) (Selection, error) {
	if len(fits) == 0 || len(heldOut) < 2 {
		return Selection{}, errors.New("match: a selection needs a fit, and two groups of observations for a standard error")
	}
	for _, f := range fits {
		if f.W == nil {
			panic(badFit)
		}
	}
	p, targets := fits[0].W.Dims()
	s := Selection{TargetMinLoss: make([]int, targets)}
	losses := make([][]float64, len(fits)) // per fit and group
	for i, f := range fits {
		if r, c := f.W.Dims(); r != p || c != targets {
			panic(badShape)
		}
		s.Loss = append(s.Loss, make([]float64, targets))
		for k, h := range heldOut {
			var mean float64
			loss, err := h.losses(f.W)
			if err != nil {
				return Selection{}, fmt.Errorf("match: group %d: %w", k, err)
			}
			for t, l := range loss {
				mean += l / float64(targets)
				s.Loss[i][t] += l / float64(len(heldOut))
			}
			losses[i] = append(losses[i], mean)
		}
		mean, std := meanAndStd(losses[i])
		s.Mean, s.Err = append(s.Mean, mean), append(s.Err, std/math.Sqrt(float64(len(heldOut))))
		if mean < s.Mean[s.MinLoss] {
			s.MinLoss = i
		}
		for t, l := range s.Loss[i] {
			if l < s.Loss[s.TargetMinLoss[t]][t] {
				s.TargetMinLoss[t] = i
			}
		}
	}
	for s.Mean[s.OneSE] > s.Mean[s.MinLoss]+s.Err[s.MinLoss] {
		s.OneSE++
	}
	return s, nil
}

// losses returns the loss of the weights for each target.
func (h HeldOut) losses(w *mat.Dense) ([]float64, error) {
	pr, err := newProblem(context.Background(), h.Sxx, h.Sxy, h.Variance)
	if err != nil {
		return nil, err
	}
	if r, c := w.Dims(); r != pr.p || c != pr.targets {
		panic(badShape)
	}
	losses := make([]float64, pr.targets)
	s := newPath(pr)
	for t := range losses {
		s.target = t
		mat.Col(s.w, t, w)
		s.updateGradient()
		losses[t] = max(0, s.loss())
	}
	return losses, nil
}

// meanAndStd returns the mean of x and its standard deviation, dividing by one less than
// the number.
func meanAndStd(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(std)
}
