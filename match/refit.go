package match

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Refit returns least squares weights for the sources that have weight in a fit, which
// must have kept its weights: the relaxed LASSO at its other end (Meinshausen, Comput.
// Stat. Data Anal. 52, 2007), without the shrinkage that the penalty brings. sxx, sxy
// and variance are those of the fit. Sources that others of a target determine lose
// their weight. NonZero is for a threshold of 0, and Gap is the largest |gradient| among sources with weight.
//
// Shapes that do not agree panic; values that cannot be covariances are an error.
func (f LassoFit) Refit(sxx, sxy mat.Matrix, variance []float64) (LassoFit, error) {
	if f.W == nil {
		panic("match: a fit without weights")
	}
	pr, err := newProblem(sxx, sxy, variance)
	if err != nil {
		return LassoFit{}, err
	}
	if r, c := f.W.Dims(); r != pr.p || c != pr.targets {
		panic(badShape)
	}
	thresholds := []float64{0}
	g := newFit(0, pr, LassoOptions{Thresholds: thresholds, KeepWeights: true})
	g.Lambda, g.Lambdas = f.Lambda, f.Lambdas
	s, inner := newPath(pr), newInverse(pr.p)
	for t := range pr.targets {
		s.begin(t)
		inner.reset(pr.sxx)
		for j := range pr.p {
			if f.W.At(j, t) != 0 {
				inner.add(j)
			}
		}
		c, w := make([]float64, len(inner.set)), make([]float64, len(inner.set))
		for i, j := range inner.set {
			c[i] = s.c()[j]
		}
		inner.solve(w, c)
		for i, j := range inner.set {
			s.w[j] = w[i]
		}
		s.gradient()
		if err := s.record(&g, 0, thresholds); err != nil {
			return LassoFit{}, err
		}
		g.Gap[t] = 0
		for _, j := range inner.set {
			g.Gap[t] = max(g.Gap[t], math.Abs(s.g[j]))
		}
	}
	return g, nil
}

// Held are covariances of sources and targets in observations that no fit has seen,
// such as a group of images: shapes as for [Lasso].
type Held struct {
	Sxx, Sxy mat.Matrix
	Variance []float64 // of each target
}

// Selection says which of several fits predicts observations best that none has seen.
type Selection struct {
	Loss [][]float64 // per fit and target: mean over groups of 1/2 E(w.x - y)^2
	Mean []float64   // per fit: the same over targets
	Err  []float64   // per fit: standard error of Mean over groups

	Best    int   // the fit with the least Mean
	OneSE   int   // the fit with the largest lambda whose Mean is within one Err of it
	Targets []int // the best fit for each target
}

// Select compares fits of falling lambda, which must have kept their weights, on two or
// more groups of held-out observations, by the rule of one standard error (Breiman,
// Friedman, Olshen and Stone, "Classification and regression trees", 1984): the
// sparsest prediction that is not surely worse than the best. It panics if shapes do not
// agree.
func Select(fits []LassoFit, held []Held) (Selection, error) {
	if len(fits) == 0 || len(held) < 2 {
		return Selection{}, errors.New("match: a selection needs a fit, and two groups of observations for a standard error")
	}
	p, targets := fits[0].W.Dims()
	s := Selection{Targets: make([]int, targets)}
	losses := make([][]float64, len(fits)) // per fit and group
	for i, f := range fits {
		if r, c := f.W.Dims(); r != p || c != targets {
			panic(badShape)
		}
		s.Loss = append(s.Loss, make([]float64, targets))
		for k, h := range held {
			var mean float64
			loss, err := h.losses(f.W)
			if err != nil {
				return Selection{}, fmt.Errorf("match: group %d: %w", k, err)
			}
			for t, l := range loss {
				mean += l / float64(targets)
				s.Loss[i][t] += l / float64(len(held))
			}
			losses[i] = append(losses[i], mean)
		}
		mean, spread := meanAndStd(losses[i])
		s.Mean, s.Err = append(s.Mean, mean), append(s.Err, spread/math.Sqrt(float64(len(held))))
		if mean < s.Mean[s.Best] {
			s.Best = i
		}
		for t, l := range s.Loss[i] {
			if l < s.Loss[s.Targets[t]][t] {
				s.Targets[t] = i
			}
		}
	}
	for s.Mean[s.OneSE] > s.Mean[s.Best]+s.Err[s.Best] {
		s.OneSE++
	}
	return s, nil
}

// losses are those of weights on a group.
func (h Held) losses(w *mat.Dense) ([]float64, error) {
	pr, err := newProblem(h.Sxx, h.Sxy, h.Variance)
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
		s.gradient()
		losses[t] = max(0, s.loss())
	}
	return losses, nil
}

func meanAndStd(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(std)
}
