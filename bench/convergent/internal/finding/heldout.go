package finding

import (
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

func newCrossFit(g *corr.Groups, fold []int) *crossFit {
	s := &crossFit{fold: fold}
	var members [2][]int
	for i := range g.Len() {
		s.groups = append(s.groups, g.Group(i))
		members[fold[i]] = append(members[fold[i]], i)
	}
	for k := range s.folds {
		s.folds[k] = g.Sum(members[k]...)
		s.folds[k].Threads = 1
	}
	return s
}

// term is a source of a prediction with its weight.
type term struct {
	source int
	w      float64
}

// residuals are squares summed over the observations of each group, for each target: of
// what a prediction leaves, and of the target itself.
type residuals struct{ unexplained, total [][]float64 }

// r2 returns the share of variance explained of each target.
func (e residuals) r2() []float64 {
	r2 := make([]float64, len(e.unexplained[0]))
	for j := range r2 {
		var unexplained, total float64
		for g := range e.unexplained {
			unexplained, total = unexplained+e.unexplained[g][j], total+e.total[g][j]
		}
		if total > 0 {
			r2[j] = 1 - unexplained/total
		}
	}
	return r2
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
				kinds[i].unexplained, kinds[i].total = make([][]float64, len(s.groups)), make([][]float64, len(s.groups))
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
				unexplained := make([]float64, len(lb))
				for j, terms := range targets {
					unexplained[j] = h.unexplained(j, terms)
				}
				kinds[i].unexplained[g], kinds[i].total[g] = unexplained, h.total
			}
		}
	}
	return kinds, nil
}

// standardisation is by the means and standard deviations of the fold that is fitted; what
// is constant there has no say. Totals are about the means of the other fold.
type standardisation struct{ stdA, stdB, meanA, meanB, otherB []float64 }

// heldOut is a group in those units: covariances, means and variances, and total squares.
type heldOut struct {
	n      float64
	xx, xy *mat.Dense
	dx, dy []float64
	yy     []float64 // standard deviations of the targets
	total  []float64
}

func (s standardisation) apply(m *corr.Moments, a, b int, la, lb []int) heldOut {
	scaled := func(m *mat.Dense, rows, cols []float64) *mat.Dense {
		m.Apply(func(i, j int, v float64) float64 {
			if rows[i] == 0 || cols[j] == 0 {
				return 0
			}
			return v / rows[i] / cols[j]
		}, m)
		return m
	}
	h := heldOut{
		n:  float64(m.Count()),
		xx: scaled(corr.Select(m.Covariance(nil, a, a), la, la), s.stdA, s.stdA), xy: scaled(corr.Select(m.Covariance(nil, a, b), la, lb), s.stdA, s.stdB),
		dx: pick(m.Mean(a), la), dy: pick(m.Mean(b), lb), yy: pick(m.Std(b), lb), total: make([]float64, len(lb)),
	}
	for i := range h.dx {
		h.dx[i] = ratio(h.dx[i]-s.meanA[i], s.stdA[i])
	}
	for j := range h.dy {
		h.total[j] = h.n * (square(ratio(h.yy[j], s.stdB[j])) + square(ratio(h.dy[j]-s.otherB[j], s.stdB[j])))
		h.dy[j] = ratio(h.dy[j]-s.meanB[j], s.stdB[j])
		h.yy[j] = ratio(h.yy[j], s.stdB[j])
	}
	return h
}

// left is the squares that a prediction of target j leaves.
func (h heldOut) unexplained(j int, terms []term) float64 {
	variance, shift := square(h.yy[j]), h.dy[j]
	for _, u := range terms {
		variance -= 2 * u.w * h.xy.At(u.source, j)
		row := h.xx.RawRowView(u.source)
		for _, v := range terms {
			variance += u.w * v.w * row[v.source]
		}
		shift -= u.w * h.dx[u.source]
	}
	return h.n * (variance + square(shift))
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
