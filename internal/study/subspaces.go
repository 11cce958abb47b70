package study

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// terms are how many units sparse predictions have.
var terms = []int{1, 2, 4, 8, 16}

// A unit is predicted if the full map explains so much of its variance on other images,
// and by few if these explain so large a part of that.
const (
	predicted = 0.1
	nearly    = 0.9
)

// subspaces tests claim 2.
func (f *findings) subspaces(ctx context.Context) error {
	s := new(Subspaces)
	if err := f.predictions(ctx, s); err != nil {
		return err
	}
	if err := f.angles(s); err != nil {
		return err
	}
	f.layer.Subspaces = s
	return nil
}

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

// leastSquares predicts from all units.
func leastSquares(ctx context.Context, xx, xy *mat.Dense) ([][]weight, error) {
	fits, err := match.Lasso(ctx, xx, xy, match.LassoOptions{Lambdas: []float64{0}, KeepWeights: true, Threads: 1})
	if err != nil {
		return nil, err
	}
	return weightsOf(fits[0].W), nil
}

// fits predicts from all units, from the first few on the LASSO's path, and from the
// best partner.
func fits(ctx context.Context, xx, xy *mat.Dense) ([][][]weight, error) {
	full, err := leastSquares(ctx, xx, xy)
	if err != nil {
		return nil, err
	}
	all := [][][]weight{full}
	sparse, err := match.LassoSizes(ctx, xx, xy, terms, match.LassoOptions{KeepWeights: true, Threads: 1})
	if err != nil {
		return nil, err
	}
	for _, s := range sparse {
		if s, err = s.Refit(xx, xy, nil); err != nil {
			return nil, err
		}
		all = append(all, weightsOf(s.W))
	}
	rows, cols := xy.Dims()
	best := make([][]weight, cols)
	for j := range best {
		one := weight{0, math.Inf(-1)}
		for i := range rows {
			if r := xy.At(i, j); r > one.w {
				one = weight{i, r}
			}
		}
		best[j] = []weight{one}
	}
	return append(all, best), nil
}

// predictions finds how well units are predicted on images held out.
func (f *findings) predictions(ctx context.Context, s *Subspaces) error {
	if f.groups.Len() < 2 {
		return nil // one image cannot be held out from itself
	}
	images, err := newSplit(f.groups)
	if err != nil {
		return err
	}
	untrained, err := newSplit(f.untrained)
	if err != nil {
		return err
	}
	pairs := len(f.layer.Pairs)
	found := make([][]errorsOf, 2*pairs) // of B from A for each pair, then of A from B
	before := make([]float64, 2*pairs)
	err = f.eachPair(func(k int, p *Pair) error {
		for way, nets := range [][2]int{{p.A, p.B}, {p.B, p.A}} {
			var err error
			found[way*pairs+k], err = images.predict(f.moments, nets[0], nets[1], func(xx, xy *mat.Dense) ([][][]weight, error) {
				return fits(ctx, xx, xy)
			})
			if err != nil {
				return err
			}
			chance, err := untrained.predict(f.before, nets[0], nets[1], func(xx, xy *mat.Dense) ([][][]weight, error) {
				full, err := leastSquares(ctx, xx, xy)
				return [][][]weight{full}, err
			})
			if err != nil {
				return err
			}
			before[way*pairs+k] = mean(chance[0].r2([]float64{1, 1}))
		}
		return nil
	})
	if err != nil {
		return err
	}
	kinds := []Prediction{{Name: "full"}}
	for _, n := range terms {
		kinds = append(kinds, Prediction{Name: "lasso", Terms: n})
	}
	kinds = append(kinds, Prediction{Name: "best", Terms: 1})
	groups := len(images.groups)
	for i := range kinds {
		overall := func(times []float64) (total float64) {
			for _, e := range found {
				total += mean(e[i].r2(times)) / float64(len(found))
			}
			return total
		}
		var draws []float64
		for d := 0; groups >= minGroups && d < f.resamples; d++ {
			draws = append(draws, overall(resample(f.random(d), groups)))
		}
		once := slices.Repeat([]float64{1}, groups)
		kinds[i].R2 = measured(overall(once), draws)
		for k := range pairs {
			kinds[i].AB = append(kinds[i].AB, mean(found[k][i].r2(once)))
			kinds[i].BA = append(kinds[i].BA, mean(found[pairs+k][i].r2(once)))
		}
	}
	kinds[0].R2.Null = Finite(mean(before))
	s.Predictions = kinds
	f.needed(s, found, groups)
	return nil
}

// minGroups is how many groups of images an interval needs.
const minGroups = 10

// resample says how often each group is in a resample.
func resample(rnd *rand.Rand, groups int) []float64 {
	times := make([]float64, groups)
	for range groups {
		times[rnd.IntN(groups)]++
	}
	return times
}

// needed counts the units that few others predict nearly as well as all do.
func (f *findings) needed(s *Subspaces, found [][]errorsOf, groups int) {
	once := slices.Repeat([]float64{1}, groups)
	counts := make([]float64, len(terms)+1)
	all, counted := 0.0, 0.0
	for _, e := range found {
		full := e[0].r2(once)
		few := make([][]float64, len(terms))
		for k := range terms {
			few[k] = e[1+k].r2(once)
		}
		for j, r2 := range full {
			all++
			if r2 < predicted {
				continue
			}
			counted++
			k := 0
			for k < len(terms) && few[k][j] < nearly*r2 {
				k++
			}
			counts[k]++
		}
	}
	s.Predicted = counted / all
	for k, n := range counts {
		share := Share{Share: ratio(n, counted)}
		if k < len(terms) {
			share.Terms = terms[k]
		}
		s.Needed = append(s.Needed, share)
	}
}

// groupDraws is how many random groups stand beside each cluster.
const groupDraws = 20

// angles compares the spans of both networks' units in each cluster.
func (f *findings) angles(s *Subspaces) error {
	pairs := len(f.layer.Pairs)
	observed, counts := make([]float64, pairs), make([]float64, pairs)
	chance := make([][]float64, pairs)
	err := f.eachPair(func(k int, p *Pair) error {
		c := pairOf(f.moments, p)
		rnd := f.random(k)
		chance[k] = make([]float64, groupDraws)
		for _, cluster := range p.Clusters {
			if len(cluster.A) == 0 || len(cluster.B) == 0 {
				continue
			}
			sum, n, err := canonical(c, places(c.UnitsA, cluster.A), places(c.UnitsB, cluster.B))
			if err != nil {
				return err
			}
			observed[k] += sum
			counts[k] += n
			for d := range chance[k] {
				sum, _, err := canonical(c, rnd.Perm(len(c.UnitsA))[:len(cluster.A)], rnd.Perm(len(c.UnitsB))[:len(cluster.B)])
				if err != nil {
					return err
				}
				chance[k][d] += sum
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var total float64
	null := corr.Null{Draws: make([]float64, groupDraws)}
	var each []float64
	for k := range observed {
		total += counts[k]
		if counts[k] > 0 {
			each = append(each, observed[k]/counts[k])
		}
	}
	if total == 0 {
		return nil // no cluster has units of both networks
	}
	value := 0.0
	for k := range observed {
		value += observed[k] / total
		for d := range null.Draws {
			null.Draws[d] += chance[k][d] / total
		}
	}
	s.Angles = &Measure{Value: Finite(value), Low: Finite(slices.Min(each)), High: Finite(slices.Max(each)), Null: Finite(null.Mean()), P: Finite(null.PValue(value))}
	cells := make(map[[2]int]float64)
	for _, p := range f.layer.Pairs {
		for _, c := range p.Clusters {
			cells[[2]int{len(c.A), len(c.B)}] += 1 / float64(pairs)
		}
	}
	for size, n := range cells {
		s.Together = append(s.Together, Cell{A: size[0], B: size[1], Count: n})
	}
	slices.SortFunc(s.Together, func(x, y Cell) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return nil
}

// canonical returns the sum and number of the canonical correlations between the spans
// of some units.
func canonical(c *corr.Pair, a, b []int) (sum, n float64, err error) {
	rho, err := c.Select(a, b).CCA()
	for _, r := range rho {
		sum += r
	}
	return sum, float64(len(rho)), err
}

// places finds units in a rising list.
func places(list, units []int) []int {
	at := make([]int, len(units))
	for i, u := range units {
		at[i], _ = slices.BinarySearch(list, u)
	}
	return at
}
