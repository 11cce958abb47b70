package finding

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/dense"
)

// crossFit is moments of the two folds that predictions are made from, each of some groups of
// images.
type crossFit struct {
	fold  []int // of each group
	folds [2]*corr.Moments
}

// newCrossFit is that of groups of images by their folds; nil if there are fewer than two,
// of which none can be held out.
func newCrossFit(g *corr.Groups, fold []int) *crossFit {
	if g == nil || g.Len() < 2 {
		return nil
	}
	s := &crossFit{fold: fold}
	for k := range s.folds {
		s.folds[k] = g.Sum(s.members(k)...)
		s.folds[k].Threads = 1
	}
	return s
}

// members are the groups of a fold.
func (s *crossFit) members(fold int) []int {
	var members []int
	for i, own := range s.fold {
		if own == fold {
			members = append(members, i)
		}
	}
	return members
}

// prediction is what targets are predicted from: a matrix of weights, sources x targets, or,
// where that is nil, terms of each target.
type prediction struct {
	weights *mat.Dense
	terms   [][]term
}

// term is a source of a prediction with its weight.
type term struct {
	source int
	w      float64
}

// residuals are squares summed over the observations of both folds, for each target: of
// what a prediction leaves, and of the target itself.
type residuals struct{ unexplained, total []float64 }

// r2 returns the share of variance explained of each target.
func (e residuals) r2() []float64 {
	r2 := make([]float64, len(e.total))
	for j, total := range e.total {
		if total > 0 {
			r2[j] = 1 - e.unexplained[j]/total
		}
	}
	return r2
}

// pooled returns the share of the variance of all targets that is explained; 0 of targets
// that do not vary, as that of each is.
func (e residuals) pooled() float64 {
	if total := floats.Sum(e.total); total > 0 {
		return 1 - floats.Sum(e.unexplained)/total
	}
	return 0
}

// predictedUnits is how many units of a network are predicted at most, spread evenly over those
// of a wider layer.
const predictedUnits = 512

// predict predicts the units of network b from all those of a: it fits in each fold, and adds what
// is left in the other. It does so for each kind of prediction that fit makes from
// correlations.
func (s *crossFit) predict(live *corr.Moments, a, b int, fit func(xx, xy *mat.Dense) ([]prediction, error)) ([]residuals, error) {
	la, lb := live.Live(a), live.Live(b)
	lb = pick(lb, spreadOver(len(lb), predictedUnits))
	var kinds []residuals
	for k, fold := range s.folds {
		fits, err := fit(corr.ZeroNaN(corr.Select(fold.Correlation(nil, a, a), la, la)), corr.ZeroNaN(corr.Select(fold.Correlation(nil, a, b), la, lb)))
		if err != nil {
			return nil, err
		}
		if kinds == nil {
			kinds = make([]residuals, len(fits))
			for i := range kinds {
				kinds[i] = residuals{make([]float64, len(lb)), make([]float64, len(lb))}
			}
		}
		h := newHeldOut(fold, s.folds[1-k], a, b, la, lb)
		for i, p := range fits {
			predicted, common, shift := h.squares(p)
			for j := range lb {
				kinds[i].unexplained[j] += h.unexplained(j, predicted[j], common[j], shift[j])
				kinds[i].total[j] += h.total[j]
			}
		}
	}
	return kinds, nil
}

// heldOut is the fold that is not fitted. Sources have the units of the one that is, in which
// they have mean 0 and variance 1, and those that are constant there have no say; targets have
// their own units, in which squares of both folds add up.
type heldOut struct {
	n        float64
	xx, xy   *mat.Dense // covariances
	dx, dy   []float64  // distances from the means
	variance []float64  // of the targets
	std      []float64  // of the targets in the fold that is fitted: of what weights are in units of
	total    []float64  // squares
}

func newHeldOut(fitted, m *corr.Moments, a, b int, la, lb []int) heldOut {
	stdA, meanA, meanB := pick(fitted.Std(a), la), pick(fitted.Mean(a), la), pick(fitted.Mean(b), lb)
	h := heldOut{
		n: float64(m.Count()), std: pick(fitted.Std(b), lb),
		xx: corr.Select(m.Covariance(nil, a, a), la, la), xy: corr.Select(m.Covariance(nil, a, b), la, lb),
		dx: pick(m.Mean(a), la), dy: pick(m.Mean(b), lb), variance: pick(m.Std(b), lb), total: make([]float64, len(lb)),
	}
	h.xx.Apply(func(i, j int, v float64) float64 { return ratio(ratio(v, stdA[i]), stdA[j]) }, h.xx)
	h.xy.Apply(func(i, j int, v float64) float64 { return ratio(v, stdA[i]) }, h.xy)
	for i := range h.dx {
		h.dx[i] = ratio(h.dx[i]-meanA[i], stdA[i])
	}
	for j := range h.dy {
		h.variance[j] = square(h.variance[j])
		h.total[j] = float64(h.n * h.variance[j])
		h.dy[j] -= meanB[j]
	}
	return h
}

// squares returns of the prediction of each target its variance, its covariance with the target,
// and its mean.
func (h heldOut) squares(p prediction) (predicted, common, shift []float64) {
	sources, targets := h.xy.Dims()
	predicted, common, shift = make([]float64, targets), make([]float64, targets), make([]float64, targets)
	if p.weights == nil {
		for j, terms := range p.terms {
			for _, u := range terms {
				row, product := h.xx.RawRowView(u.source), 0.0
				for _, v := range terms {
					product += float64(v.w * row[v.source])
				}
				predicted[j] += float64(u.w * product)
				common[j] += float64(u.w * h.xy.At(u.source, j))
				shift[j] += float64(u.w * h.dx[u.source])
			}
		}
		return predicted, common, shift
	}
	product := make([]float64, sources*targets)
	dense.Gemm(1, dense.Product{M: sources, N: targets, K: sources, A: dense.Rows(h.xx.RawMatrix().Data, sources), B: dense.Rows(p.weights.RawMatrix().Data, targets), C: product, LDC: targets})
	for i := range sources {
		xy, x := h.xy.RawRowView(i), product[i*targets:][:targets]
		for j, w := range p.weights.RawRowView(i) {
			predicted[j] += float64(w * x[j])
			common[j] += float64(w * xy[j])
			shift[j] += float64(w * h.dx[i])
		}
	}
	return predicted, common, shift
}

// unexplained is the squares that a prediction of target j leaves.
func (h heldOut) unexplained(j int, predicted, common, shift float64) float64 {
	std := h.std[j]
	return float64(h.n * (h.variance[j] + float64(square(std)*predicted) - float64(2*std*common) + float64(square(h.dy[j]-float64(std*shift)))))
}

func square(x float64) float64 { return x * x }

// sparse lists what is not 0 in each column of weights.
func sparse(w *mat.Dense) prediction {
	rows, cols := w.Dims()
	all := make([][]term, cols)
	for i := range rows {
		for j, v := range w.RawRowView(i) {
			if v != 0 {
				all[j] = append(all[j], term{i, v})
			}
		}
	}
	return prediction{terms: all}
}
