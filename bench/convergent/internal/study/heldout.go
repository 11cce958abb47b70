package study

import (
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// split is moments of groups of images, and of the folds that predictions are made
// from: those of even and of odd number.
type split struct {
	groups []*corr.Moments
	folds  [2]*corr.Moments
}

func newSplit(g *corr.Groups) (*split, error) {
	s := new(split)
	for i := range g.Len() {
		s.groups = append(s.groups, closed(g.Group(i)))
	}
	for k := range s.folds {
		s.folds[k] = closed(s.groups[k])
		for g := k + 2; g < len(s.groups); g += 2 {
			if err := s.folds[k].Merge(s.groups[g]); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// closed returns moments of which no block is open, so that reading them takes no work.
func closed(m *corr.Moments) *corr.Moments {
	var units []int
	for a := range m.Networks() {
		units = append(units, m.Units(a))
	}
	c := corr.NewMoments(units...)
	c.Threads = 1
	if err := c.Merge(m); err != nil {
		panic("study: moments do not fit themselves")
	}
	return c
}

// weight is a source of a prediction.
type weight struct {
	source int
	w      float64
}

// errorsOf are squares summed over the observations of each group, for each target: of
// what a prediction leaves, and of what there is.
type errorsOf struct{ left, all [][]float64 }

// r2 returns the share of variance explained of each target, of groups that count so many
// times; to first order in how these differ from once, since a resample can lack the few
// images that a unit is active in, and the ratio of what it has would then be anything.
func (e errorsOf) r2(times []float64) []float64 {
	r2 := make([]float64, len(e.left[0]))
	for j := range r2 {
		var left, all, leftNow, allNow float64
		for g, n := range times {
			left, all = left+e.left[g][j], all+e.all[g][j]
			leftNow, allNow = leftNow+n*e.left[g][j], allNow+n*e.all[g][j]
		}
		if all > 0 {
			r2[j] = 1 - left/all - (leftNow-left/all*allNow)/all
		}
	}
	return r2
}

// predict predicts the units of network b from those of a: in each fold it fits, and in
// the groups of the other it adds what is left. It does so for each kind of prediction
// that fit makes from correlations.
func (s *split) predict(live *corr.Moments, a, b int, fit func(xx, xy *mat.Dense) ([][][]weight, error)) ([]errorsOf, error) {
	la, lb := live.Live(a), live.Live(b)
	var kinds []errorsOf
	for k, fold := range s.folds {
		sa, sb := pick(fold.Std(a), la), pick(fold.Std(b), lb)
		ma, mb := pick(fold.Mean(a), la), pick(fold.Mean(b), lb)
		// In units of the fit's standard deviations; what is constant there has no say.
		scaled := func(m *mat.Dense, rows, cols []float64) *mat.Dense {
			m.Apply(func(i, j int, v float64) float64 {
				if rows[i] == 0 || cols[j] == 0 {
					return 0
				}
				return v / rows[i] / cols[j]
			}, m)
			return m
		}
		fits, err := fit(corr.Select(fold.Correlation(nil, a, a), la, la), corr.Select(fold.Correlation(nil, a, b), la, lb))
		if err != nil {
			return nil, err
		}
		if kinds == nil {
			kinds = make([]errorsOf, len(fits))
			for i := range kinds {
				kinds[i].left, kinds[i].all = make([][]float64, len(s.groups)), make([][]float64, len(s.groups))
			}
		}
		other := pick(s.folds[1-k].Mean(b), lb)
		for g := 1 - k; g < len(s.groups); g += 2 {
			m := s.groups[g]
			n := float64(m.Count())
			xx, xy := scaled(corr.Select(m.Covariance(nil, a, a), la, la), sa, sa), scaled(corr.Select(m.Covariance(nil, a, b), la, lb), sa, sb)
			dx, dy := pick(m.Mean(a), la), pick(m.Mean(b), lb)
			yy := pick(m.Std(b), lb)
			for i := range dx {
				dx[i] = ratio(dx[i]-ma[i], sa[i])
			}
			all := make([]float64, len(lb))
			for j := range dy {
				all[j] = n * (square(ratio(yy[j], sb[j])) + square(ratio(dy[j]-other[j], sb[j])))
				dy[j] = ratio(dy[j]-mb[j], sb[j])
			}
			for i, targets := range fits {
				left := make([]float64, len(lb))
				for j, ws := range targets {
					variance, shift := square(ratio(yy[j], sb[j])), dy[j]
					for _, u := range ws {
						variance -= 2 * u.w * xy.At(u.source, j)
						row := xx.RawRowView(u.source)
						for _, v := range ws {
							variance += u.w * v.w * row[v.source]
						}
						shift -= u.w * dx[u.source]
					}
					left[j] = n * (variance + square(shift))
				}
				kinds[i].left[g], kinds[i].all[g] = left, all
			}
		}
	}
	return kinds, nil
}

func square(x float64) float64 { return x * x }

// ratio is x/y, or 0 by 0.
func ratio(x, y float64) float64 {
	if y == 0 {
		return 0
	}
	return x / y
}

// weightsOf lists what is not 0 in each column.
func weightsOf(w *mat.Dense) [][]weight {
	rows, cols := w.Dims()
	all := make([][]weight, cols)
	for i := range rows {
		for j := range cols {
			if v := w.At(i, j); v != 0 {
				all[j] = append(all[j], weight{i, v})
			}
		}
	}
	return all
}
