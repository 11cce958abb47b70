package study

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// shares are how much of the way to a random rotation bases are turned.
var shares = []float64{0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1}

// How many ways to random rotations curves are means of, how many random rotations there
// are for the null of the index, and in each resample of images.
const (
	turns          = 4
	rotations      = 50
	resampledTurns = 2
)

// bases are those in which units are matched: their own, and their principal axes, whose
// signs mean nothing.
var bases = []struct {
	of    func(c *corr.Pair) *corr.Pair
	match func(c *corr.Pair) ([]float64, error)
}{
	{func(c *corr.Pair) *corr.Pair { return c }, matched},
	{func(c *corr.Pair) *corr.Pair { return c.Basis(c.Axes()) }, func(c *corr.Pair) ([]float64, error) {
		r := c.Correlation()
		r.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, r)
		return matchedIn(r)
	}},
}

// basis tests claim 3.
func (f *findings) basis(ctx context.Context) error {
	b := &Basis{Units: make([]float64, len(shares)), Axes: make([]float64, len(shares))}
	for _, s := range shares {
		b.Degrees = append(b.Degrees, 90*s)
	}
	pairs := len(f.layer.Pairs)
	curves := make([][2][]float64, pairs)
	aligned := make([]float64, pairs)
	random := make([][2][]float64, pairs)
	err := f.eachPair(func(k int, p *Pair) error {
		own := pairOf(f.moments, p).Scaled()
		ways := make([]*corr.Turn, turns)
		for t := range ways {
			ways[t] = corr.NewTurn(len(own.UnitsB), f.random(t))
		}
		for i, basis := range bases {
			if err := ctx.Err(); err != nil {
				return err
			}
			c := basis.of(own)
			at := func(q mat.Matrix) (float64, error) {
				r, err := basis.match(c.Basis(nil, q))
				return mean(r), err
			}
			for _, s := range shares {
				total := 0.0
				for _, way := range ways {
					r, err := at(way.At(s))
					if err != nil {
						return err
					}
					total += r / turns
				}
				curves[k][i] = append(curves[k][i], total)
			}
			for d := range rotations {
				r, err := at(corr.Rotation(len(own.UnitsB), f.random(d)))
				if err != nil {
					return err
				}
				random[k][i] = append(random[k][i], r)
			}
		}
		var err error
		aligned[k], err = alignedMean(own)
		return err
	})
	if err != nil {
		return err
	}
	for k := range pairs {
		for s := range shares {
			b.Units[s] += curves[k][0][s] / float64(pairs)
			b.Axes[s] += curves[k][1][s] / float64(pairs)
		}
	}
	b.Aligned = mean(aligned)
	figures, err := f.intervals(ctx, f.indices)
	if err != nil {
		return err
	}
	b.Index, b.AxesIndex = figures[0], figures[1]
	// What the index of a random basis is.
	for i, m := range []*Measure{&b.Index, &b.AxesIndex} {
		null := corr.Null{Draws: make([]float64, rotations)}
		own, ceiling, chance := 0.0, 0.0, 0.0
		for k := range pairs {
			own += curves[k][i][0] / float64(pairs)
			ceiling += aligned[k] / float64(pairs)
			chance += mean(random[k][i]) / float64(pairs)
			for d, r := range random[k][i] {
				null.Draws[d] += r / float64(pairs)
			}
		}
		for d, r := range null.Draws {
			null.Draws[d] = ratio(r-chance, ceiling-chance)
		}
		m.Null, m.P = Finite(null.Mean()), Finite(null.PValue(ratio(own-chance, ceiling-chance)))
	}
	f.layer.Basis = b
	return nil
}

// alignedMean is the mean correlation of the matching after B is turned towards A.
func alignedMean(c *corr.Pair) (float64, error) {
	r, err := matched(c.Basis(nil, c.Alignment()))
	return mean(r), err
}

// indices says where between the random and the aligned basis a pair's units are, and
// its principal axes.
func (f *findings) indices(_ int, c *corr.Pair) ([]float64, error) {
	own := c.Scaled()
	ceiling, err := alignedMean(own)
	if err != nil {
		return nil, err
	}
	var found []float64
	for _, basis := range bases {
		c := basis.of(own)
		r, err := basis.match(c)
		if err != nil {
			return nil, err
		}
		chance := 0.0
		for d := range resampledTurns {
			r, err := basis.match(c.Basis(nil, corr.Rotation(len(c.UnitsB), f.random(d))))
			if err != nil {
				return nil, err
			}
			chance += mean(r) / resampledTurns
		}
		found = append(found, ratio(mean(r)-chance, ceiling-chance))
	}
	return found, nil
}
