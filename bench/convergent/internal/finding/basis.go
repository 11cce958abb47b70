package finding

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// turnShares are how much of the way to a random rotation bases are turned.
var turnShares = []float64{0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1}

// How many ways to random rotations curves are means of, how many random rotations there
// are for the null of the index, and within an index.
const (
	turns           = 4
	indexRotations  = 50
	chanceRotations = 2
)

// bases are those in which units are matched: their own, and their principal axes, whose
// signs mean nothing.
var bases = [2]struct {
	of    func(c *corr.Pair) *corr.Pair
	match func(c *corr.Pair) ([]float64, error)
}{
	{func(c *corr.Pair) *corr.Pair { return c }, matchedR},
	{func(c *corr.Pair) *corr.Pair { return c.Basis(c.Axes()) }, func(c *corr.Pair) ([]float64, error) {
		r := c.Correlation()
		r.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, r)
		return matchedIn(r)
	}},
}

// turned is the mean matched correlation in a basis and others, over pairs of networks.
type turned struct {
	curve   []float64 // by share of the way
	random  []float64 // in random bases
	aligned float64   // after B is turned towards A
}

// basis tests claim 3, where there are bases to turn: of a single unit there is none.
func (l *layer) basis(ctx context.Context) error {
	for n := range l.Units {
		if len(l.Moments.Live(n)) < 2 {
			return nil
		}
	}
	b := new(results.Basis)
	for _, s := range turnShares {
		b.Degrees = append(b.Degrees, 90*s)
	}
	all := [2]turned{}
	for i := range all {
		all[i] = turned{curve: make([]float64, len(turnShares)), random: make([]float64, indexRotations)}
	}
	rotations := make(map[int][]mat.Matrix) // by number of units
	for k := range l.result.Pairs {
		own := pairOf(l.Moments, &l.result.Pairs[k]).Standardized()
		q := len(own.UnitsB)
		if rotations[q] == nil {
			var err error
			if rotations[q], err = l.rotations(ctx, q); err != nil {
				return err
			}
		}
		aligned, err := alignedMean(own)
		if err != nil {
			return err
		}
		for i, basis := range bases {
			all[i].aligned += aligned / float64(len(l.result.Pairs))
			if err := l.turn(ctx, &all[i], basis.of(own), rotations[q], basis.match); err != nil {
				return err
			}
		}
	}
	b.Units, b.Axes, b.Aligned = all[0].curve, all[1].curve, all[0].aligned
	figures, err := l.pairMeans(ctx, l.indices)
	if err != nil {
		return err
	}
	b.Index, b.AxesIndex = l.pairMeasure(figures[0], plainInterval), l.pairMeasure(figures[1], plainInterval)
	for i, m := range []*results.Measure{&b.Index, &b.AxesIndex} {
		m.Null, m.P = all[i].indexNull()
	}
	b.UntrainedIndex, err = l.untrainedIndex()
	l.result.Basis = b
	return err
}

// untrainedIndex is the mean index of pairs of networks before training; nil if they are
// not known.
func (l *layer) untrainedIndex() (*float64, error) {
	if l.before == nil {
		return nil, nil
	}
	for n := range l.Units {
		if len(l.before.Live(n)) < 2 {
			return nil, nil
		}
	}
	indices := make([]float64, len(l.result.Pairs))
	err := l.eachPair(func(k int, p *results.Pair) error {
		all, err := l.indices(k, pairOf(l.before, p))
		if err == nil {
			indices[k] = all[0]
		}
		return err
	})
	return results.Finite(mean(indices)), err
}

// rotations are those of so many units: of each way the shares, then the random ones.
func (l *layer) rotations(ctx context.Context, units int) ([]mat.Matrix, error) {
	ways := make([]*corr.RotationPath, turns)
	err := l.each(ctx, turns, func(t int) error {
		ways[t] = corr.NewRotationPath(units, random(l.Seed, turnDirection, t))
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]mat.Matrix, turns*len(turnShares)+indexRotations)
	return all, l.each(ctx, len(all), func(i int) error {
		if d := i - turns*len(turnShares); d >= 0 {
			all[i] = corr.Rotation(units, random(l.Seed, indexRotation, d))
		} else {
			all[i] = ways[i/len(turnShares)].At(turnShares[i%len(turnShares)])
		}
		return nil
	})
}

// turn adds a pair of networks, in a basis, B's turned by each of the rotations.
func (l *layer) turn(ctx context.Context, t *turned, c *corr.Pair, rotations []mat.Matrix, match func(c *corr.Pair) ([]float64, error)) error {
	r := make([]float64, len(rotations))
	err := l.each(ctx, len(r), func(i int) error {
		matched, err := match(c.Basis(nil, rotations[i]))
		r[i] = mean(matched) / float64(len(l.result.Pairs))
		return err
	})
	for i, v := range r {
		if d := i - turns*len(turnShares); d >= 0 {
			t.random[d] += v
		} else {
			t.curve[i%len(turnShares)] += v / turns
		}
	}
	return err
}

// indexNull says what the index of a random basis is, and the p-value of the own.
func (t turned) indexNull() (null, p *float64) {
	chance := mean(t.random)
	draws := corr.Null{Draws: make([]float64, len(t.random))}
	for d, r := range t.random {
		draws.Draws[d] = ratio(r-chance, t.aligned-chance)
	}
	return results.Finite(draws.Mean()), results.Finite(draws.PValue(ratio(t.curve[0]-chance, t.aligned-chance)))
}

// alignedMean is the mean correlation of the matching after B is turned towards A.
func alignedMean(c *corr.Pair) (float64, error) {
	r, err := matchedR(c.Basis(nil, c.Alignment()))
	return mean(r), err
}

// indices says where between the random and the aligned basis a pair's units are, and
// its principal axes.
func (l *layer) indices(k int, c *corr.Pair) ([]float64, error) {
	own := c.Standardized()
	ceiling, err := alignedMean(own)
	if err != nil {
		return nil, err
	}
	var all []float64
	for _, basis := range bases {
		c := basis.of(own)
		r, err := basis.match(c)
		if err != nil {
			return nil, err
		}
		chance := 0.0
		for d := range chanceRotations {
			r, err := basis.match(c.Basis(nil, corr.Rotation(len(c.UnitsB), random(l.Seed, indexChance, k*chanceRotations+d))))
			if err != nil {
				return nil, err
			}
			chance += mean(r) / chanceRotations
		}
		all = append(all, ratio(mean(r)-chance, ceiling-chance))
	}
	return all, nil
}
