package finding

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// pairFigures are what is found of two networks at a sample of observations: every measure,
// and the correlations of matched units. They are empty if the networks have no live units
// there.
type pairFigures struct {
	measures, matched []float64
}

func newPairFigures(ctx context.Context, c *corr.Pair, wanted func(i int, name string) bool) (f pairFigures, err error) {
	c.Threads = 1
	if len(c.UnitsA) == 0 || len(c.UnitsB) == 0 {
		return f, nil
	}
	if f.matched, err = matchedR(c); err == nil {
		f.measures, err = measureValues(ctx, c, mean(f.matched), wanted)
	}
	return f, err
}

// exchange finds what networks have in common that see different images, and the same
// images at the same observations, if a sample was observed: in each draw every network but
// the first sees whole images in an order of its own.
func (l *layer) exchange(ctx context.Context) error {
	if l.Sample == nil || l.Shuffles == 0 || l.Sample.Images() < 2 {
		return nil
	}
	pairs := l.result.Pairs
	own := l.Sample.Moments()
	own.Threads = l.Threads
	base := make([]*corr.Pair, len(pairs))
	for k, p := range pairs {
		base[k] = own.PairOf(p.A, p.B, own.Live(p.A), own.Live(p.B))
	}
	z := l.Sample.Standardized()
	costly := l.cubeDraws(l.Shuffles)
	// figures of draw -1 are those of images that go together.
	figures := func(draw int) ([]pairFigures, error) {
		var rnd *rand.Rand
		if draw >= 0 {
			rnd = random(l.Seed, imageExchange, draw)
		}
		orders := l.Sample.Orders(rnd)
		all := make([]pairFigures, len(pairs))
		var exchanged *corr.Moments
		if z == nil {
			exchanged = l.Sample.Exchanged(orders)
		}
		for k, p := range pairs {
			var c *corr.Pair
			if a, b := base[k].UnitsA, base[k].UnitsB; z == nil {
				c = exchanged.PairOf(p.A, p.B, a, b)
			} else if c = base[k]; len(a) > 0 && len(b) > 0 {
				all, release := matrix(l.Units[p.A], l.Units[p.B])
				z.Covariance(all, p.A, p.B, observe.Partners(orders, p.A, p.B))
				c = c.WithBetween(live(all, a, b))
				release()
			}
			var err error
			if all[k], err = newPairFigures(ctx, c, func(_ int, name string) bool { return draw < costly || squareMeasures[name] }); err != nil {
				return nil, err
			}
		}
		return all, ctx.Err()
	}
	var err error
	if l.sampled, err = figures(-1); err != nil {
		return err
	}
	l.exchanged = make([][]pairFigures, l.squareDraws(l.Shuffles))
	return l.each(ctx, len(l.exchanged), func(d int) (err error) {
		l.exchanged[d], err = figures(d)
		return err
	})
}

// live returns the given rows and columns of m, which is not copied if these are all.
func live(m *mat.Dense, rows, cols []int) *mat.Dense {
	if r, c := m.Dims(); len(rows) == r && len(cols) == c {
		return m
	}
	return corr.Select(m, rows, cols)
}

// measureNulls sets beside measures what they are of images that are exchanged.
func (l *layer) measureNulls() {
	for k := range l.result.Pairs {
		p := &l.result.Pairs[k]
		if l.sampled[k].measures == nil {
			continue // live at other positions only
		}
		for i, m := range allMeasures() {
			var chance corr.Null
			for _, draw := range l.exchangesOf(m) {
				chance.Draws = append(chance.Draws, draw[k].measures[i])
			}
			figure := p.Measures[m.Name]
			calibrate(&figure, m, l.sampled[k].measures[i], chance)
			p.Measures[m.Name] = figure
		}
	}
	l.layerNulls()
}

// exchangesOf are the draws that a measure is of.
func (l *layer) exchangesOf(m corr.Measure) [][]pairFigures {
	if squareMeasures[m.Name] {
		return l.exchanged
	}
	return l.exchanged[:l.cubeDraws(l.Shuffles)]
}

// layerNulls sets the same beside means over pairs, if all pairs have measures there: a draw
// of the mean is the mean over all pairs, which exchange images in the same way.
func (l *layer) layerNulls() {
	if slices.ContainsFunc(l.sampled, func(f pairFigures) bool { return f.measures == nil }) {
		return
	}
	for _, m := range undirectedMeasures() {
		meanOf := func(all []pairFigures) (total float64) {
			for _, f := range all {
				total += m.value(f.measures) / float64(len(all))
			}
			return total
		}
		var chance corr.Null
		for _, draw := range l.exchangesOf(m.Measure) {
			chance.Draws = append(chance.Draws, meanOf(draw))
		}
		figure := l.result.Measures[m.name]
		calibrate(&figure, m.Measure, meanOf(l.sampled), chance)
		l.result.Measures[m.name] = figure
	}
}

// shuffleNull is the null of claim 1 of images that are exchanged, of pairs of networks with
// live units at the sampled observations; nil if there is none.
func (l *layer) shuffleNull() *results.MatchedNull {
	pairs := 0
	matched := func(all []pairFigures) (values [][]float64) {
		for _, f := range all {
			if f.matched != nil {
				values = append(values, f.matched)
			}
		}
		pairs = len(values)
		return values
	}
	var drawn [][]float64 // draw after draw
	for _, draw := range l.exchanged {
		drawn = append(drawn, matched(draw)...)
	}
	if pairs == 0 {
		return nil
	}
	n := matchedNull("shuffle", pairs, drawn, pooled(matched(l.sampled)).mean)
	return &n
}

// defined returns v, or NaN where a measure is not defined: there are too few observations, or
// units that are live do not vary at those.
func defined(v float64, err error) (float64, error) {
	if errors.Is(err, corr.ErrTooFewObservations) || errors.Is(err, corr.ErrNoLiveUnits) {
		return math.NaN(), nil
	}
	return v, err
}
