package finding

import (
	"context"
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// Between makes the findings at a layer that need nothing of what is within a network: best
// partners, the one-to-one matching, with intervals and beside chance, and partners that are each
// other's best.
func Between(ctx context.Context, b *observe.Between, o Options) (*results.Layer, error) {
	l := &layer{Layer: b.Layer, Options: o, result: new(results.Layer)}
	layer, err := l.between(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w", b.Name, err)
	}
	return layer, nil
}

func (l *layer) between(ctx context.Context, b *observe.Between) (*results.Layer, error) {
	if err := b.Survey(ctx); err != nil {
		return nil, err
	}
	var dead [][]int
	for n, live := range b.Live {
		if len(live) == 0 {
			return nil, fmt.Errorf("%s of %s: %w", l.NetworkLayers[n], l.Networks[n], ErrDead)
		}
		dead = append(dead, without(l.Units[n], live))
	}
	l.describe(b.Rows, dead, b.Means)
	for x := range l.Units {
		for y := x + 1; y < len(l.Units); y++ {
			l.result.Pairs = append(l.result.Pairs, results.Pair{A: x, B: y})
		}
	}
	c := new(results.Convergence)
	var err error
	if c.Nulls, err = l.betweenNulls(ctx, b); err != nil {
		return nil, err
	}
	b.Sample = nil // the memory of which is free from here on
	var matchings []observe.Matched
	for k := range l.result.Pairs {
		p := &l.result.Pairs[k]
		own, err := l.betweenPair(ctx, b, p)
		if err != nil {
			return nil, err
		}
		matchings = append(matchings, own...)
	}
	figures, err := b.Sums(ctx, matchings)
	if err != nil {
		return nil, err
	}
	l.betweenIntervals(c, figures)
	var values [][]float64
	for _, p := range l.result.Pairs {
		values = append(values, matchedValues(p.Bipartite))
	}
	c.Percentiles = percentiles(pooled(values).values)
	l.result.Convergence = c
	return l.result, nil
}

// without are the numbers up to n that are not among others, which rise.
func without(n int, others []int) []int {
	rest := []int{}
	for i := range n {
		if _, found := slices.BinarySearch(others, i); !found {
			rest = append(rest, i)
		}
	}
	return rest
}

// matchedValues are the correlations of matched units.
func matchedValues(m results.Matching) (values []float64) {
	for _, r := range m.R {
		if r != nil {
			values = append(values, *r)
		}
	}
	return values
}

// betweenPair matches the units of two networks, and returns who is matched on each half of the
// images, and then on all.
func (l *layer) betweenPair(ctx context.Context, b *observe.Between, p *results.Pair) (matchings []observe.Matched, err error) {
	live := pairing{a: b.Live[p.A], b: b.Live[p.B], unitsA: l.Units[p.A], unitsB: l.Units[p.B]}
	oneToOne := func(r *observe.Correlations, fold int) (match.Matching, match.Certificate, error) {
		m, proof, err := match.BipartitePasses(ctx, r)
		own := observe.Matched{NetworkA: p.A, NetworkB: p.B, Fold: fold}
		for i, partner := range m.Partner {
			if partner >= 0 {
				own.A, own.B = append(own.A, live.a[i]), append(own.B, live.b[partner])
			}
		}
		matchings = append(matchings, own)
		return m, proof, err
	}
	for _, fold := range b.Halves() {
		if _, _, err := oneToOne(b.Correlate(ctx, p.A, p.B, fold), fold); err != nil {
			return nil, err
		}
	}
	r := b.Correlate(ctx, p.A, p.B, -1)
	semi, back, err := match.SemiMatchingPasses(ctx, r)
	if err != nil {
		return nil, err
	}
	best, proof, err := oneToOne(r, -1)
	if err != nil {
		return nil, err
	}
	mutual := match.Matching{Partner: slices.Repeat([]int{-1}, len(live.a)), R: make([]float64, len(live.a))}
	each := match.MutualPasses(semi, back)
	for _, pair := range each {
		mutual.Partner[pair.Row], mutual.R[pair.Row] = pair.Col, pair.R
		mutual.Mean += pair.R / float64(len(each))
	}
	backwards := pairing{a: live.b, b: live.a, unitsA: live.unitsB, unitsB: live.unitsA}
	p.Semi, p.Bipartite, p.SamePartner = live.matching(semi), live.matching(best), samePartner(best, semi)
	p.Between = &results.Between{Back: backwards.matching(back), Mutual: live.matching(mutual), Proof: results.Proof{Passes: proof.Passes, Candidates: proof.Pairs, Excess: proof.Excess}}
	return matchings, nil
}

// betweenIntervals sets the mean of matched units, on all images and on those that had no part in
// the matching, with intervals over images: figures are, of each pair, those of matchings on
// either half and on all.
//
// The units that are matched stay the same without a group of images, as in [corr.JackknifePairSums].
func (l *layer) betweenIntervals(c *results.Convergence, figures []corr.Jackknife) {
	each := len(figures) / len(l.result.Pairs)
	var matched, heldOut pairFigure
	for k := range l.result.Pairs {
		own := figures[k*each : (k+1)*each]
		matched = append(matched, own[each-1])
		if each > 1 {
			heldOut = append(heldOut, joined(own[0], own[1]))
		}
	}
	c.Matched = l.matchedMeasure(matched)
	if each > 1 {
		m := l.matchedMeasure(heldOut)
		c.HeldOut = &m
	}
	strictest := c.Nulls[0]
	c.Matched.P, c.Matched.Draws = strictest.P, strictest.Draws
}

// betweenNulls matches some units of each network with all of another where there is nothing to
// find: with units rotated at random, and with images exchanged, at a sample of observations,
// beside the networks' own units there.
//
// Of n observations of q units, the rows of X, rotated units are X Q for a random rotation Q of
// order q. With X = L V, for the Cholesky factor L of the inner products X X^T and rows of V that
// are orthonormal, V Q is as many random orthonormal rows, whatever V is: so X Q = L D for random
// directions D, which needs no covariances within the network.
func (l *layer) betweenNulls(ctx context.Context, b *observe.Between) ([]results.MatchedNull, error) {
	s := newBetweenSample(b, l.Threads)
	pairs := l.result.Pairs
	own := make([]sampledMatching, len(pairs))
	for k, p := range pairs {
		var err error
		if own[k], err = s.exchanged(p, b.Sample.Orders(nil)); err != nil {
			return nil, err
		}
	}
	rotated := make([]sampledMatching, l.squareDraws(l.Draws)*len(pairs))
	err := s.sideBySide(ctx, len(rotated)/len(pairs), "rotate units", func(d int) error {
		for y := 1; y < len(l.Units); y++ {
			turned := s.rotated(y, random(l.Seed, matchedRotation, d*len(l.Units)+y))
			for k, p := range pairs {
				if p.B != y {
					continue
				}
				var err error
				if rotated[d*len(pairs)+k], err = s.match(p, s.rows, s.some[p.A], turned); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for k := range pairs {
		var null corr.Null
		for d := k; d < len(rotated); d += len(pairs) {
			null.Draws = append(null.Draws, rotated[d].best)
		}
		pairs[k].Null.Rotation = results.RotationNull{SemiMean: null.Mean(), SemiStd: null.Std(), Draws: len(null.Draws), P: null.PValue(own[k].best), Observed: &own[k].best}
	}
	nulls := []results.MatchedNull{s.null("rotation", own, rotated)}
	if l.Shuffles == 0 || b.Sample.Images() < 2 {
		return nulls, nil
	}
	exchanged := make([]sampledMatching, l.squareDraws(l.Shuffles)*len(pairs))
	err = s.sideBySide(ctx, len(exchanged)/len(pairs), "exchange images", func(d int) error {
		orders := b.Sample.Orders(random(l.Seed, imageExchange, d))
		for k, p := range pairs {
			var err error
			if exchanged[d*len(pairs)+k], err = s.exchanged(p, orders); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(nulls, s.null("shuffle", own, exchanged)), nil
}
