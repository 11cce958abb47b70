package finding

import (
	"context"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// tail is the share of a null that is beyond its limit.
const tail = 0.01

// convergence tests claim 1.
func (l *layer) convergence(ctx context.Context) error {
	c := new(results.Convergence)
	observed, err := l.matchedPool(func(k int, p *results.Pair) (*corr.Pair, error) { return pairOf(l.Moments, p), nil })
	if err != nil {
		return err
	}
	c.Percentiles = percentiles(observed.values)
	if err := l.nulls(ctx, c, observed.mean); err != nil {
		return err
	}
	figures, err := l.pairMeans(ctx, func(_ int, p *corr.Pair) ([]float64, error) {
		r, err := matchedR(p)
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
	c.Matched = l.pairMeasure(figures[0], plainInterval)
	c.Matched.Null, c.Matched.P = &c.Nulls[0].Mean, c.Nulls[0].P
	for i := range c.Nulls {
		m := l.pairMeasure(figures[i+1], noInterval)
		m.Null, m.Networks = results.Finite(tail), within(m.Networks, 0, 1)
		c.Nulls[i].Exceedance = m
		l.recur(&c.Nulls[i])
	}
	c.Recurrence = l.recurrence(c.Nulls[0].Limit)
	l.result.Convergence = c
	return nil
}

// nulls matches what chance puts in the place of two networks, as far as that is known.
func (l *layer) nulls(ctx context.Context, c *results.Convergence, observed float64) error {
	pairs := len(l.result.Pairs)
	rotation, err := l.null(ctx, "rotation", l.Draws, observed, func(k, draw int, p *results.Pair) *corr.Pair {
		// Units of B are turned into a random basis of the space that they span.
		c := pairOf(l.Moments, p)
		return c.Basis(nil, corr.Rotation(len(c.UnitsB), random(l.Seed, matchedRotation, draw*pairs+k)))
	})
	if err != nil {
		return err
	}
	c.Nulls = append(c.Nulls, rotation)
	if l.sampled != nil {
		live := func(m *corr.Moments, p *results.Pair) *corr.Pair {
			c := m.PairOf(p.A, p.B, l.Moments.Live(p.A), l.Moments.Live(p.B))
			c.Threads = 1
			return c
		}
		sampled, err := l.matchedPool(func(_ int, p *results.Pair) (*corr.Pair, error) { return live(l.sampled, p), nil })
		if err != nil {
			return err
		}
		// B sees images that A does not see at the time.
		shuffle, err := l.null(ctx, "shuffle", len(l.exchanged), sampled.mean, func(_, draw int, p *results.Pair) *corr.Pair { return live(l.exchanged[draw], p) })
		if err != nil {
			return err
		}
		c.Nulls = append(c.Nulls, shuffle)
	}
	if l.before != nil {
		untrained, err := l.null(ctx, "untrained", 1, observed, func(_, _ int, p *results.Pair) *corr.Pair { return pairOf(l.before, p) })
		if err != nil {
			return err
		}
		c.Nulls = append(c.Nulls, untrained)
	}
	return nil
}

// pool is the values of all pairs of networks, and the mean over pairs of their means.
type pool struct {
	values []float64
	mean   float64
}

func pooled(pairs [][]float64) pool {
	var p pool
	for _, values := range pairs {
		p.values = append(p.values, values...)
		p.mean += mean(values) / float64(len(pairs))
	}
	return p
}

// matchedPool matches the units of all pairs of networks.
func (l *layer) matchedPool(of func(k int, p *results.Pair) (*corr.Pair, error)) (pool, error) {
	values := make([][]float64, len(l.result.Pairs))
	err := l.eachPair(func(k int, p *results.Pair) error {
		c, err := of(k, p)
		if err == nil {
			values[k], err = matchedR(c)
		}
		return err
	})
	return pooled(values), err
}

// null matches what chance puts in the place of two networks.
func (l *layer) null(ctx context.Context, name string, draws int, observed float64, of func(k, draw int, p *results.Pair) *corr.Pair) (results.MatchedNull, error) {
	n := results.MatchedNull{Name: name, Draws: draws}
	pairs := len(l.result.Pairs)
	values := make([][]float64, draws*pairs) // draw after draw
	err := l.each(ctx, len(values), func(i int) (err error) {
		values[i], err = matchedR(of(i%pairs, i/pairs, &l.result.Pairs[i%pairs]))
		return err
	})
	if err != nil {
		return n, err
	}
	var all []float64
	var means corr.Null
	for d := range draws {
		p := pooled(values[d*pairs : (d+1)*pairs])
		all = append(all, p.values...)
		means.Draws = append(means.Draws, p.mean)
	}
	n.Mean, n.Percentiles = means.Mean(), percentiles(all)
	n.Limit = n.Percentiles[100-100*tail]
	if draws > 1 {
		n.P = results.Finite(means.PValue(observed))
	}
	return n, nil
}

// recurrence counts the other networks in which each unit recurs: whose partner of it
// correlates more than the limit.
func (l *layer) recurrence(limit float64) [][]int {
	var counts [][]int
	for a, units := range l.Units {
		counts = append(counts, make([]int, units))
		for _, u := range l.result.Dead[a] {
			counts[a][u] = -1
		}
	}
	for _, p := range l.result.Pairs {
		for unit, partner := range p.Bipartite.Partner {
			if partner >= 0 && *p.Bipartite.R[unit] > limit {
				counts[p.A][unit]++
				counts[p.B][partner]++
			}
		}
	}
	return counts
}

// recur says in how many other networks units recur beyond a null's limit, and what
// chance would give.
func (l *layer) recur(n *results.MatchedNull) {
	nets := len(l.Units)
	n.Recurrence, n.Expected = make([]float64, nets), make([]float64, nets)
	live := 0.0
	for _, units := range l.recurrence(n.Limit) {
		for _, others := range units {
			if others >= 0 {
				n.Recurrence[others]++
				live++
			}
		}
	}
	chance := distuv.Binomial{N: float64(nets - 1), P: tail}
	for k := range n.Recurrence {
		n.Recurrence[k] /= live
		n.Expected[k] = chance.Prob(float64(k))
	}
}
