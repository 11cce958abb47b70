package study

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

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
