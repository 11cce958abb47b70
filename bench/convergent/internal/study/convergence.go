package study

import (
	"context"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/convergent-go/convergent/corr"
)

// atLimit is the share of a null that is beyond its limit.
const atLimit = 0.01

// convergence tests claim 1.
func (f *findings) convergence(ctx context.Context) error {
	c := new(Convergence)
	values := make([][]float64, len(f.layer.Pairs))
	err := f.eachPair(func(k int, p *Pair) (err error) {
		values[k], err = matched(pairOf(f.moments, p))
		return err
	})
	if err != nil {
		return err
	}
	observed := pooled(values)
	c.Percentiles = percentiles(observed.values)
	for _, null := range []struct {
		name  string
		draws int
		of    func(k, draw int, p *Pair) (*corr.Pair, error)
	}{
		{"rotation", f.draws, f.rotated},
		{"shuffle", len(f.shuffled), f.otherImages},
		{"untrained", 1, f.beforeTraining},
	} {
		n, err := f.null(ctx, null.name, null.draws, observed.mean, null.of)
		if err != nil {
			return err
		}
		c.Nulls = append(c.Nulls, n)
	}
	figures, err := f.intervals(ctx, func(_ int, p *corr.Pair) ([]float64, error) {
		r, err := matched(p)
		if err != nil {
			return nil, err
		}
		all := []float64{mean(r)}
		for _, n := range c.Nulls {
			all = append(all, shareAbove(r, n.Limit))
		}
		return all, nil
	})
	if err != nil {
		return err
	}
	c.Matched = figures[0]
	c.Matched.Null, c.Matched.P = &c.Nulls[0].Mean, c.Nulls[0].P
	for i := range c.Nulls {
		m := figures[i+1]
		if m.Low != nil {
			*m.Low, *m.High = max(0, *m.Low), min(1, *m.High)
		}
		c.Nulls[i].Beyond = m
		c.Nulls[i].Beyond.Null = Finite(atLimit)
	}
	for i := range c.Nulls {
		f.found(&c.Nulls[i])
	}
	c.FoundIn = f.foundIn(c.Nulls[0].Limit)
	f.layer.Convergence = c
	return nil
}

// pool is the values of all pairs of networks, and the mean over pairs of their means.
type pool struct {
	values []float64
	mean   float64
}

func pooled(of [][]float64) pool {
	var p pool
	for _, values := range of {
		p.values = append(p.values, values...)
		p.mean += mean(values) / float64(len(of))
	}
	return p
}

// null matches what chance puts in the place of two networks.
func (f *findings) null(ctx context.Context, name string, draws int, observed float64, of func(k, draw int, p *Pair) (*corr.Pair, error)) (MatchedNull, error) {
	n := MatchedNull{Name: name, Draws: draws}
	values := make([][][]float64, draws) // by draw and pair
	for d := range values {
		values[d] = make([][]float64, len(f.layer.Pairs))
	}
	err := f.eachPair(func(k int, p *Pair) error {
		for d := range draws {
			if err := ctx.Err(); err != nil {
				return err
			}
			c, err := of(k, d, p)
			if err != nil {
				return err
			}
			if values[d][k], err = matched(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	var all []float64
	var means corr.Null
	for _, pairs := range values {
		p := pooled(pairs)
		all = append(all, p.values...)
		means.Draws = append(means.Draws, p.mean)
	}
	n.Mean, n.Percentiles = means.Mean(), percentiles(all)
	n.Limit = n.Percentiles[100-100*atLimit]
	if draws > 1 {
		n.P = Finite(means.PValue(observed))
	}
	return n, nil
}

// rotated turns B's units into a random basis of the space that they span.
func (f *findings) rotated(k, draw int, p *Pair) (*corr.Pair, error) {
	c := pairOf(f.moments, p)
	return c.Basis(nil, corr.Rotation(len(c.UnitsB), f.random(draw*len(f.layer.Pairs)+k))), nil
}

// otherImages shows B images that A does not see at the time.
func (f *findings) otherImages(_, draw int, p *Pair) (*corr.Pair, error) {
	c := f.shuffled[draw].PairOf(p.A, p.B, f.moments.Live(p.A), f.moments.Live(p.B))
	c.Threads = 1
	return c, nil
}

func (f *findings) beforeTraining(_, _ int, p *Pair) (*corr.Pair, error) {
	return pairOf(f.before, p), nil
}

// foundIn counts the other networks that have each unit: whose partner of it correlates
// more than the limit.
func (f *findings) foundIn(limit float64) [][]int {
	var counts [][]int
	for a, units := range f.layer.Units {
		counts = append(counts, make([]int, units))
		for _, u := range f.layer.Dead[a] {
			counts[a][u] = -1
		}
	}
	for _, p := range f.layer.Pairs {
		for unit, partner := range p.Bipartite.Partner {
			if partner >= 0 && *p.Bipartite.R[unit] > limit {
				counts[p.A][unit]++
				counts[p.B][partner]++
			}
		}
	}
	return counts
}

// found says how the same units fare in all pairs of networks.
func (f *findings) found(n *MatchedNull) {
	nets := len(f.layer.Units)
	n.Found, n.Expected = make([]float64, nets), make([]float64, nets)
	live := 0.0
	for _, units := range f.foundIn(n.Limit) {
		for _, others := range units {
			if others >= 0 {
				n.Found[others]++
				live++
			}
		}
	}
	chance := distuv.Binomial{N: float64(nets - 1), P: atLimit}
	for k := range n.Found {
		n.Found[k] /= live
		n.Expected[k] = chance.Prob(float64(k))
	}
}
