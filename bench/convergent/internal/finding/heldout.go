package finding

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// crossFit is moments of groups of images, and of the two folds that predictions are made
// from.
type crossFit struct {
	groups []*corr.Moments
	fold   []int // of each group
	folds  [2]*corr.Moments
}

// newCrossFit is that of groups of images by their folds; nil if there are fewer than two,
// of which none can be held out.
func newCrossFit(g *corr.Groups, fold []int) *crossFit {
	if g == nil || g.Len() < 2 {
		return nil
	}
	s := &crossFit{fold: fold}
	for i := range g.Len() {
		s.groups = append(s.groups, g.Group(i))
	}
	for k := range s.folds {
		s.folds[k] = g.Sum(s.members(k)...)
		s.folds[k].Threads = 1
	}
	return s
}

// members are the groups of a fold.
func (s *crossFit) members(fold int) []int {
	var members []int
	for i := range s.groups {
		if s.fold[i] == fold {
			members = append(members, i)
		}
	}
	return members
}

// term is a source of a prediction with its weight.
type term struct {
	source int
	w      float64
}

// residuals are squares summed over the observations of all groups, for each target: of
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

// predict predicts the units of network b from those of a: in each fold it fits, and in
// the groups of the other it adds what is left. It does so for each kind of prediction
// that fit makes from correlations.
func (s *crossFit) predict(live *corr.Moments, a, b int, fit func(xx, xy *mat.Dense) ([][][]term, error)) ([]residuals, error) {
	la, lb := live.Live(a), live.Live(b)
	var kinds []residuals
	for k, fold := range s.folds {
		fits, err := fit(corr.Select(fold.Correlation(nil, a, a), la, la), corr.Select(fold.Correlation(nil, a, b), la, lb))
		if err != nil {
			return nil, err
		}
		if kinds == nil {
			kinds = make([]residuals, len(fits))
			for i := range kinds {
				kinds[i] = residuals{make([]float64, len(lb)), make([]float64, len(lb))}
			}
		}
		scale := standardisation{
			stdA: pick(fold.Std(a), la), stdB: pick(fold.Std(b), lb),
			meanA: pick(fold.Mean(a), la), meanB: pick(fold.Mean(b), lb), otherB: pick(s.folds[1-k].Mean(b), lb),
		}
		for g, m := range s.groups {
			if s.fold[g] == k {
				continue
			}
			h := scale.apply(m, a, b, la, lb)
			for i, targets := range fits {
				for j, terms := range targets {
					kinds[i].unexplained[j] += h.unexplained(j, terms)
					kinds[i].total[j] += h.total[j]
				}
			}
		}
	}
	return kinds, nil
}

// standardisation is that of the fold that is fitted, by its means and standard deviations;
// sources that are constant there have no say. Totals are about the means of the other fold.
type standardisation struct{ stdA, stdB, meanA, meanB, otherB []float64 }

// heldOut is a group of which sources have those units, and targets their own, in which
// squares of both folds add up: covariances, distances from the means, and total squares.
type heldOut struct {
	n        float64
	xx, xy   *mat.Dense
	dx, dy   []float64
	variance []float64 // of the targets
	std      []float64 // of the targets in the fold that is fitted: of what weights are in units of
	total    []float64
}

func (s standardisation) apply(m *corr.Moments, a, b int, la, lb []int) heldOut {
	h := heldOut{
		n: float64(m.Count()), std: s.stdB,
		xx: corr.Select(m.Covariance(nil, a, a), la, la), xy: corr.Select(m.Covariance(nil, a, b), la, lb),
		dx: pick(m.Mean(a), la), dy: pick(m.Mean(b), lb), variance: pick(m.Std(b), lb), total: make([]float64, len(lb)),
	}
	h.xx.Apply(func(i, j int, v float64) float64 { return ratio(ratio(v, s.stdA[i]), s.stdA[j]) }, h.xx)
	h.xy.Apply(func(i, j int, v float64) float64 { return ratio(v, s.stdA[i]) }, h.xy)
	for i := range h.dx {
		h.dx[i] = ratio(h.dx[i]-s.meanA[i], s.stdA[i])
	}
	for j := range h.dy {
		h.variance[j] = square(h.variance[j])
		h.total[j] = h.n * (h.variance[j] + square(h.dy[j]-s.otherB[j]))
		h.dy[j] -= s.meanB[j]
	}
	return h
}

// unexplained is the squares that a prediction of target j leaves.
func (h heldOut) unexplained(j int, terms []term) float64 {
	var predicted, common, shift float64
	for _, u := range terms {
		row, product := h.xx.RawRowView(u.source), 0.0
		for _, v := range terms {
			product += float64(v.w * row[v.source])
		}
		predicted += float64(u.w * product)
		common += float64(u.w * h.xy.At(u.source, j))
		shift += float64(u.w * h.dx[u.source])
	}
	std := h.std[j]
	return h.n * (h.variance[j] + float64(square(std)*predicted) - float64(2*std*common) + square(h.dy[j]-float64(std*shift)))
}

func square(x float64) float64 { return x * x }

// columnTerms lists what is not 0 in each column.
func columnTerms(w *mat.Dense) [][]term {
	rows, cols := w.Dims()
	all := make([][]term, cols)
	for i := range rows {
		for j := range cols {
			if v := w.At(i, j); v != 0 {
				all[j] = append(all[j], term{i, v})
			}
		}
	}
	return all
}
