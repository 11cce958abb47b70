package finding

import (
	"context"
	"math"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// Cross-validated measures are of images that had no part in a fit: of one half of them and
// then the other, in the mean of both. A fit of many units to few images finds what is not
// there; on other images it finds it no more, so that of independent networks they are 0 or
// less on average, whatever the numbers of units and images.

// crossValidated sets these measures. They are left out where no images can be held out.
func (l *layer) crossValidated(ctx context.Context) error {
	if l.images == nil {
		return nil
	}
	all := make([]map[string]float64, len(l.result.Pairs))
	for k := range all {
		all[k] = make(map[string]float64)
	}
	for half := range halves {
		h := newImageHalf(l.images, l.Layer.Groups, l.Quarters, half)
		parts := make([]map[string]float64, len(all)*len(halfFigures))
		err := l.each(ctx, len(parts), func(i int) (err error) {
			f := halfFigures[i%len(halfFigures)]
			parts[i], err = f.of(h, func(m *corr.Moments) *corr.Pair {
				c := pairIn(m, l.Moments, &l.result.Pairs[i/len(halfFigures)])
				if f.backwards {
					c = c.Swap()
				}
				return c
			})
			return err
		})
		if err != nil {
			return err
		}
		for i, part := range parts {
			for name, v := range part {
				if halfFigures[i%len(halfFigures)].backwards {
					name = strings.TrimSuffix(name, "_ab") + "_ba"
				}
				all[i/len(halfFigures)][name] += float64(v / halves) // NaN where one is not defined
			}
		}
	}
	for k, figures := range all {
		for name, v := range figures {
			l.result.Pairs[k].Measures[name] = results.Measure{Value: results.Finite(v)}
		}
	}
	figure := func(name string) pairFigure {
		f := make(pairFigure, len(all))
		for k, of := range all {
			f[k].Value = of[name]
		}
		return f
	}
	for name := range all[0] {
		f := figure(name)
		if there, ok := strings.CutSuffix(name, "_ab"); ok {
			f = bothWays(f, figure(there+"_ba"))
		}
		if !strings.HasSuffix(name, "_ba") {
			l.result.Measures[undirected(name)] = f.measure(noInterval)
		}
	}
	return nil
}

// halves is how many parts images are divided into, of which one is fitted and the other
// tested.
const halves = 2

// imageHalf is moments of a half of the images, of the other, and of quarters within the first,
// by which a fit chooses what it cannot fit.
type imageHalf struct {
	fit, test *corr.Moments
	quarters  [halves]*corr.Moments
}

func newImageHalf(images *crossFit, g *corr.Groups, quarters []int, half int) *imageHalf {
	h := &imageHalf{fit: images.folds[half], test: images.folds[1-half]}
	var parts [halves][]int
	for _, group := range images.members(half) {
		q := quarters[group]
		parts[q] = append(parts[q], group)
	}
	for q, part := range parts {
		h.quarters[q] = g.Sum(part...)
		h.quarters[q].Threads = 1
	}
	return h
}

// halfFigures are the measures, fitted to a half of the images and tested on the other, by name:
// of what each takes from the moments of a pair of networks, or of the pair backwards.
var halfFigures = []struct {
	backwards bool
	of        func(h *imageHalf, pair func(*corr.Moments) *corr.Pair) (map[string]float64, error)
}{
	{false, (*imageHalf).linear}, {true, (*imageHalf).linear}, {false, (*imageHalf).ridge}, {true, (*imageHalf).ridge},
	{false, (*imageHalf).cca}, {false, (*imageHalf).matched},
}

func (h *imageHalf) linear(pair func(*corr.Moments) *corr.Pair) (map[string]float64, error) {
	p, err := heldOutLinear(pair(h.fit), pair(h.test))
	return predictionFigures("cv_linear", p, err)
}

func (h *imageHalf) ridge(pair func(*corr.Moments) *corr.Pair) (map[string]float64, error) {
	p, err := heldOutRidge(pair(h.fit), pair(h.test), [halves]*corr.Pair{pair(h.quarters[0]), pair(h.quarters[1])})
	return predictionFigures("cv_ridge", p, err)
}

func (h *imageHalf) cca(pair func(*corr.Moments) *corr.Pair) (map[string]float64, error) {
	v, err := defined(heldOutCCA(pair(h.fit), pair(h.test)))
	return map[string]float64{"cv_cca": v}, err
}

func (h *imageHalf) matched(pair func(*corr.Moments) *corr.Pair) (map[string]float64, error) {
	v, err := defined(heldOutMatched(pair(h.fit), pair(h.test)))
	return map[string]float64{"cv_matched": v}, err
}

// predictionFigures are the R^2 of a prediction, NaN where that is an error of too few
// observations or none that varies: of the variance of all units, and, beside it,
// the median over units, and the mean over units of what is not below 0. The mean over units
// of R^2 itself is bounded above alone, and a unit that hardly varies on one half of the
// images can make it anything.
func predictionFigures(name string, p corr.Prediction, err error) (map[string]float64, error) {
	median, clipped := math.NaN(), math.NaN()
	if err == nil {
		median, clipped = corr.Null{Draws: p.R2}.Quantiles(0.5)[0], 0
		for _, r2 := range p.R2 {
			clipped += max(0, r2) / float64(len(p.R2))
		}
	}
	pooled, err := defined(p.VarianceWeighted, err)
	return map[string]float64{name + "_ab": pooled, name + "_median_ab": median, name + "_clipped_ab": clipped}, err
}

// leastPenalty is that of least squares, in variances: what float32 moments do not tell from
// none, so that directions that hold no more than their rounding have no say.
const leastPenalty = 1e-6

// heldOutLinear predicts by least squares.
func heldOutLinear(fit, test *corr.Pair) (corr.Prediction, error) {
	// In units of the fit, to which least squares are indifferent and a penalty is not.
	fit, test = inUnitsOf(fit, fit), inUnitsOf(fit, test)
	return heldOutPrediction(fit, test, leastPenalty)
}

// inUnitsOf returns a pair whose units of A are divided by their standard deviations in
// another; those that are constant there are 0.
func inUnitsOf(fit, c *corr.Pair) *corr.Pair {
	variances, _ := fit.Variances()
	for i, v := range variances {
		variances[i] = ratio(1, math.Sqrt(v))
	}
	return c.Scaled(variances, nil)
}

func heldOutPrediction(fit, test *corr.Pair, penalty float64) (corr.Prediction, error) {
	p, err := fit.Ridge(test, penalty)
	if err != nil {
		return corr.Prediction{}, err
	}
	return p[0], nil
}

// penalties of ridge regression, in mean variances of the units that it predicts from.
var penalties = []float64{1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10}

// heldOutRidge predicts by ridge regression, with the penalty that is best in a fit to
// either quarter of the images that are fitted, on the other.
func heldOutRidge(fit, test *corr.Pair, quarters [halves]*corr.Pair) (corr.Prediction, error) {
	variances, _ := fit.Variances()
	scale := mean(variances)
	if !(scale > 0) {
		return corr.Prediction{}, corr.ErrNoLiveUnits
	}
	var path []float64
	for _, penalty := range penalties {
		path = append(path, penalty*scale)
	}
	explained := make([]float64, len(path))
	for q, inner := range quarters {
		predictions, err := inner.Ridge(quarters[1-q], path...)
		if err != nil {
			return corr.Prediction{}, err
		}
		for i, p := range predictions {
			explained[i] += p.VarianceWeighted
		}
	}
	best := 0
	for i, v := range explained {
		if v > explained[best] {
			best = i
		}
	}
	return heldOutPrediction(fit, test, path[best])
}

// heldOutCCA returns the mean correlation of canonical variables.
func heldOutCCA(fit, test *corr.Pair) (float64, error) {
	a, b, err := fit.CanonicalDirections()
	if err != nil {
		return math.NaN(), err
	}
	r := test.Basis(a, b).Correlation()
	k, _ := r.Dims()
	var sum float64
	for i := range k {
		sum += r.At(i, i)
	}
	return sum / float64(k), nil
}

// heldOutMatched returns the mean correlation of matched units.
func heldOutMatched(fit, test *corr.Pair) (float64, error) {
	m, err := match.Bipartite(fit.Correlation())
	if err != nil {
		return math.NaN(), err
	}
	r := test.Correlation()
	var matched []float64
	for unit, partner := range m.Partner {
		if partner >= 0 {
			matched = append(matched, r.At(unit, partner))
		}
	}
	return mean(matched), nil
}
