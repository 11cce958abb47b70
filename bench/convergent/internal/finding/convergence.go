package finding

import (
	"context"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// tail is the share of a null that is beyond its limit.
const tail = 0.01

// convergence tests claim 1.
func (l *layer) convergence(ctx context.Context) error {
	c := new(results.Convergence)
	tests, err := l.rotationTests(ctx)
	if err != nil {
		return err
	}
	observed := pooled(correlations(tests[0].observed)) // by all moments
	c.Percentiles = percentiles(observed.values)
	for _, t := range tests {
		c.Nulls = append(c.Nulls, t.null)
	}
	if err := l.nulls(c, observed.mean); err != nil {
		return err
	}
	strictest := tests[len(tests)-1]
	if c.Converged, err = l.converged(ctx, strictest); err != nil {
		return err
	}
	heldOut, err := l.splitHalf(ctx)
	if err != nil {
		return err
	}
	c.Matched = l.matchedMeasure(l.own.matched())
	c.Matched.Null, c.Matched.P, c.Matched.Draws = &strictest.null.Mean, strictest.null.P, strictest.null.Draws
	found := make([]float64, len(l.result.Pairs))
	for k := range found {
		found[k] = shareFound(c.Converged.Q[k])
	}
	c.Converged.Share = newPairFigure(found).measure(noInterval)
	c.Converged.Share.Networks = within(c.Converged.Share.Networks, 0, 1)
	for i := range c.Nulls {
		n, own := &c.Nulls[i], tests[0]
		if i < len(tests) {
			own = tests[i]
		}
		beyond := make([]float64, len(l.result.Pairs))
		for k := range beyond {
			beyond[k] = shareAbove(own.observed[k].r, n.Limit)
		}
		n.Exceedance = newPairFigure(beyond).measure(noInterval)
		n.Exceedance.Null, n.Exceedance.Networks = results.Finite(tail), within(n.Exceedance.Networks, 0, 1)
		if own.untrained != nil && i < len(tests) {
			gain := newPairFigure(beyond).less(newPairFigure(own.untrained)).measure(noInterval)
			n.Gain = &gain
		}
	}
	if heldOut != nil {
		m := l.matchedMeasure(heldOut)
		c.HeldOut = &m
	}
	c.Features = l.features(strictest.observed, strictest.null.Limit)
	c.Recurrence = l.recurrence(strictest.observed, strictest.null.Limit)
	l.result.Convergence = c
	return nil
}

// matching is the one-to-one matching of two networks' live units.
type matching struct {
	a, b []int     // matched units, side by side
	r    []float64 // their correlations
}

// newMatching matches units by their correlations. Matched units come in the order of the
// smaller network, all of whose units are matched.
func newMatching(r *mat.Dense, liveA, liveB []int) (matching, error) {
	m, err := match.Bipartite(r)
	if err != nil {
		return matching{}, err
	}
	var places []int // of matched units of A
	for i, partner := range m.Partner {
		if partner >= 0 {
			places = append(places, i)
		}
	}
	if len(liveB) < len(liveA) {
		slices.SortFunc(places, func(i, j int) int { return m.Partner[i] - m.Partner[j] })
	}
	var matched matching
	for _, i := range places {
		matched.a, matched.b, matched.r = append(matched.a, liveA[i]), append(matched.b, liveB[m.Partner[i]]), append(matched.r, m.R[i])
	}
	return matched, nil
}

// matchings matches the units of all pairs of networks.
func (l *layer) matchings(t turnable) ([]matching, error) {
	all := make([]matching, len(l.result.Pairs))
	return all, l.eachPair(func(k int, p *results.Pair) (err error) {
		all[k], err = newMatching(t.between(p.A, p.B), t.live(p.A), t.live(p.B))
		return err
	})
}

// correlations are those of each matching.
func correlations(all []matching) [][]float64 {
	values := make([][]float64, len(all))
	for i, m := range all {
		values[i] = m.r
	}
	return values
}

// rotationTest is what matching gives beside what it gives of rotated units.
type rotationTest struct {
	turnable
	observed []matching // by pair of networks
	drawn    []matching // the same with rotated units, draw after draw
	best     []float64  // likewise, the mean correlation of A's units with their best partners
	null     results.MatchedNull

	untrained []float64 // by pair, the share of units before training that is beyond the limit of theirs; nil if not known
}

// rotation matches the units of all networks with those of others rotated at random: in
// each draw the units of a network are rotated alike for all others.
func (l *layer) rotation(ctx context.Context, name string, t turnable, purpose purpose, draws int) (*rotationTest, error) {
	nets, pairs := len(l.Units), len(l.result.Pairs)
	test := &rotationTest{turnable: t, drawn: make([]matching, draws*pairs), best: make([]float64, draws*pairs)}
	turnings := make([]turning, nets)
	for n := range turnings {
		turnings[n] = t.turning(n, numbers(len(t.live(n))))
	}
	var err error
	if test.observed, err = l.matchings(t); err != nil {
		return nil, err
	}
	err = l.each(ctx, draws*nets, func(i int) error {
		draw, b := i/nets, i%nets
		if b == 0 {
			return nil // which is rotated against none
		}
		turned := turnings[b](random(l.Seed, purpose, i))
		for k, p := range l.result.Pairs {
			if p.B != b {
				continue
			}
			r, release := matrix(len(t.live(p.A)), len(t.live(b)))
			turned(r, p.A)
			m, err := newMatching(r, t.live(p.A), t.live(b))
			if err != nil {
				return err
			}
			best, err := match.SemiMatching(r)
			if err != nil {
				return err
			}
			release()
			test.drawn[draw*pairs+k], test.best[draw*pairs+k] = m, best.Mean
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	test.null = matchedNull(name, pairs, correlations(test.drawn), pooled(correlations(test.observed)).mean)
	return test, nil
}

// untrainedDraws is how many rotations of networks before training tell the limit of
// theirs, which is a percentile over units, pairs and draws.
const untrainedDraws = 20

// rotationTests match rotated units: after the ReLU, and then, where its inputs are known,
// before it. The last is the strictest that is known.
func (l *layer) rotationTests(ctx context.Context) ([]*rotationTest, error) {
	var tests []*rotationTest
	rotate := func(name string, now, before turnable, purpose purpose) error {
		test, err := l.rotation(ctx, name, now, purpose, l.cubeDraws(l.Draws))
		if err != nil {
			return err
		}
		if before != nil {
			untrained, err := l.rotation(ctx, name, before, purpose, min(l.cubeDraws(l.Draws), untrainedDraws))
			if err != nil {
				return err
			}
			for _, m := range untrained.observed {
				test.untrained = append(test.untrained, shareAbove(m.r, untrained.null.Limit))
			}
			test.null.Untrained = results.Finite(mean(test.untrained))
		}
		tests = append(tests, test)
		return nil
	}
	var before turnable
	if l.before != nil {
		before = afterReLU{l.before}
	}
	if err := rotate("rotation", afterReLU{l.Moments}, before, matchedRotation); err != nil {
		return nil, err
	}
	tests[0].bestPartners(l.result.Pairs)
	if now, ok := l.beforeReLU(observe.BeforeReLU); ok {
		before = nil
		if untrained, ok := l.beforeReLU(observe.UntrainedBeforeReLU); ok {
			before = untrained
		}
		if err := rotate("rotation_before", now, before, inputRotation); err != nil {
			return nil, err
		}
	}
	return tests, nil
}

// bestPartners sets beside best partners what they are of rotated units.
func (t *rotationTest) bestPartners(pairs []results.Pair) {
	for k := range pairs {
		var null corr.Null
		for d := k; d < len(t.best); d += len(pairs) {
			null.Draws = append(null.Draws, t.best[d])
		}
		p := &pairs[k]
		p.Null.Rotation = results.RotationNull{SemiMean: null.Mean(), SemiStd: null.Std(), Draws: len(null.Draws), P: null.PValue(p.Semi.Mean)}
	}
}

// beforeReLU is the networks in a state whose inputs of the ReLU are sampled, if they are
// and every network has live units there.
func (l *layer) beforeReLU(state observe.State) (*beforeReLU, bool) {
	if l.Sample == nil || !l.Sample.Has(state) {
		return nil, false
	}
	b := newBeforeReLU(l.Sample, state, len(l.Units))
	for _, n := range b.networks {
		if len(n.units) == 0 {
			return nil, false
		}
	}
	return b, true
}

// nulls matches what else chance puts in the place of two networks, as far as that is known.
func (l *layer) nulls(c *results.Convergence, observed float64) error {
	// B sees images that A does not see at the time.
	if shuffle := l.shuffleNull(); shuffle != nil {
		c.Nulls = append(c.Nulls, *shuffle)
	}
	if l.before != nil {
		untrained, err := l.matchings(afterReLU{l.before})
		if err != nil {
			return err
		}
		c.Nulls = append(c.Nulls, matchedNull("untrained", len(untrained), correlations(untrained), observed))
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

// matchedNull is a null from its draws: values of each pair of networks, draw after draw.
func matchedNull(name string, pairs int, values [][]float64, observed float64) results.MatchedNull {
	n := results.MatchedNull{Name: name, Draws: len(values) / pairs, Observed: observed}
	var all []float64
	var means corr.Null
	for d := range n.Draws {
		p := pooled(values[d*pairs : (d+1)*pairs])
		all = append(all, p.values...)
		means.Draws = append(means.Draws, p.mean)
	}
	n.Mean, n.Percentiles = means.Mean(), percentiles(all)
	n.Limit = n.Percentiles[100-100*tail]
	if n.Draws > 1 {
		n.P = results.Finite(means.PValue(observed))
	}
	return n
}

// recurrence counts the other networks in which each unit recurs: whose partner of it
// correlates more than the limit.
func (l *layer) recurrence(all []matching, limit float64) [][]int {
	var counts [][]int
	for a, units := range l.Units {
		counts = append(counts, make([]int, units))
		for _, u := range l.result.Dead[a] {
			counts[a][u] = -1
		}
	}
	for k, p := range l.result.Pairs {
		for i, r := range all[k].r {
			if r > limit {
				counts[p.A][all[k].a[i]]++
				counts[p.B][all[k].b[i]]++
			}
		}
	}
	return counts
}
