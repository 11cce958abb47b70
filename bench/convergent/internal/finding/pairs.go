package finding

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/spectral"
)

// thresholds are where a LASSO weight counts as one: the paper gives none, and
// no single one yields its counts.
var thresholds = []float64{0.001, 0.01, 0.05}

// pairs matches, predicts and clusters the units of every two networks, from moments alone.
func (l *layer) pairs(ctx context.Context) error {
	r, m := l.result, l.Moments
	var dead [][]int
	var means [][]float64
	for n := range l.Units {
		dead, means = append(dead, m.Dead(n)), append(means, m.Mean(n))
	}
	l.describe(m.Count(), dead, means)
	for a := range l.Units {
		for b := a + 1; b < len(l.Units); b++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			p, d, err := l.pair(ctx, a, b)
			if err == nil && l.details != nil {
				err = l.details(p, d)
			}
			if err != nil {
				return fmt.Errorf("networks %d and %d: %w", a+1, b+1, err)
			}
			r.Pairs = append(r.Pairs, *p)
		}
	}
	return nil
}

// describe says what the layer is.
func (l *layer) describe(rows int64, dead [][]int, means [][]float64) {
	r := l.result
	r.Name, r.NetworkLayers, r.Units, r.Samples, r.Positions, r.Rows, r.Dead = l.Name, l.NetworkLayers, l.Units, l.Samples, l.Positions, rows, dead
	for n, own := range means {
		own = slices.SortedFunc(slices.Values(own), func(x, y float64) int { return cmp.Compare(y, x) })
		r.MeanSorted = append(r.MeanSorted, own)
		if l.UnitNames[n] != nil {
			r.UnitNames = l.UnitNames
		}
	}
}

// pairing is the live units of two networks and the correlations between them.
type pairing struct {
	a, b           []int // live units
	unitsA, unitsB int   // dead ones included
	aa, ab, bb     *mat.Dense
}

func (l *layer) pair(ctx context.Context, a, b int) (*results.Pair, *results.Detail, error) {
	m := l.Moments
	la, lb := m.Live(a), m.Live(b)
	p := pairing{a: la, b: lb, unitsA: m.Units(a), unitsB: m.Units(b),
		aa: corr.Select(m.Correlation(nil, a, a), la, la),
		ab: corr.Select(m.Correlation(nil, a, b), la, lb),
		bb: corr.Select(m.Correlation(nil, b, b), lb, lb),
	}
	pair := &results.Pair{A: a, B: b}
	if err := p.oneToOne(pair); err != nil {
		return nil, nil, err
	}
	detail, err := p.oneToFew(ctx, pair, l.Lambdas, l.Threads)
	if err != nil {
		return nil, nil, err
	}
	if err := p.manyToMany(ctx, pair, l.Clusters, stream(l.Seed, kMeans), l.Threads); err != nil {
		return nil, nil, err
	}
	return pair, detail, nil
}

// oneToOne is section 3 of the paper.
func (p pairing) oneToOne(pair *results.Pair) error {
	semi, err := match.SemiMatching(p.ab)
	if err != nil {
		return err
	}
	best, err := match.Bipartite(p.ab)
	if err != nil {
		return err
	}
	if err := best.Verify(p.ab, 1e-9); err != nil {
		return err
	}
	pair.Semi, pair.Bipartite, pair.SamePartner = p.matching(semi), p.matching(best), samePartner(best, semi)
	return nil
}

// samePartner is the share of matched units to which both matchings give the same partner.
func samePartner(best, semi match.Matching) float64 {
	same, matched := 0, 0
	for i, partner := range best.Partner {
		if partner >= 0 {
			matched++
			if partner == semi.Partner[i] {
				same++
			}
		}
	}
	return float64(same) / float64(max(matched, 1))
}

// matching returns a matching of live units as one of all units.
func (p pairing) matching(m match.Matching) results.Matching {
	res := results.Matching{Mean: m.Mean, Partner: slices.Repeat([]int{-1}, p.unitsA), R: make([]*float64, p.unitsA)}
	for i, partner := range m.Partner {
		if partner >= 0 {
			res.Partner[p.a[i]], res.R[p.a[i]] = p.b[partner], &m.R[i]
		}
	}
	return res
}

// drawnLambda is the place of the lambda whose mapping is drawn: the one nearest to 0.1,
// where a unit is predicted from a few others.
func drawnLambda(lambdas []float64) int {
	best, nearest := 0, math.Inf(1)
	for i, l := range lambdas {
		if d := math.Abs(math.Log(max(l, 1e-12) / 0.1)); d < nearest {
			best, nearest = i, d
		}
	}
	return best
}

// oneToFew is section 4 of the paper.
func (p pairing) oneToFew(ctx context.Context, pair *results.Pair, lambdas []float64, threads int) (*results.Detail, error) {
	fits, err := match.Lasso(ctx, p.aa, p.ab, match.LassoOptions{Lambdas: lambdas, Threads: threads, Thresholds: thresholds, KeepWeights: true})
	if err != nil {
		return nil, err
	}
	for _, f := range fits {
		l := results.Lasso{Lambda: f.Lambda, Loss: mean(f.Loss), R2: mean(f.R2), Gap: slices.Max(f.Gap), NonZero: make(map[string]float64)}
		for i, t := range thresholds {
			total := 0
			for _, n := range f.NonZero[i] {
				total += n
			}
			l.NonZero[strconv.FormatFloat(t, 'g', -1, 64)] = float64(total) / float64(len(p.b))
		}
		pair.Lasso = append(pair.Lasso, l)
	}
	fit := fits[drawnLambda(lambdas)]
	return &results.Detail{LiveA: p.a, LiveB: p.b, Lasso: fits, Lambda: fit.Lambda, W: results.AllUnits(fit.W, p.a, p.b, p.unitsA, p.unitsB)}, nil
}

// paperShare is the paper's number of clusters for conv1, 40, by its number of
// units, 96. It took 100 in all wider layers; mostClusters is how many there are at most here
// if nothing else is said.
const (
	paperShare   = 40.0 / 96
	mostClusters = 256
)

// manyToMany is section 5 of the paper: spectral clustering of the joint graph
// of both networks.
func (p pairing) manyToMany(ctx context.Context, pair *results.Pair, clusters int, seed uint64, threads int) error {
	c, err := jointClusters(ctx, p.aa, p.ab, p.bb, clusterCount(clusters, p.unitsA+p.unitsB), seed, threads)
	if err != nil {
		return err
	}
	for _, g := range spectral.Similarity(p.aa, p.ab, p.bb, c.Labels) {
		pair.Clusters = append(pair.Clusters, results.Cluster{
			A: pick(p.a, g.A), B: pick(p.b, g.B), Between: g.BetweenNet, BetweenPaper: g.BetweenNetPaper, Within: g.WithinNet,
		})
	}
	slices.SortStableFunc(pair.Clusters, func(x, y results.Cluster) int { return cmp.Compare(y.Between, x.Between) })
	return nil
}

// clusterCount is how many clusters two networks of so many units in all have, if so many
// are asked for.
func clusterCount(asked, units int) int {
	if asked == 0 {
		asked = min(mostClusters, int(math.Round(paperShare*float64(units)/2)))
	}
	return max(1, asked)
}

// jointClusters clusters the units of two networks together.
func jointClusters(ctx context.Context, aa, ab, bb mat.Matrix, clusters int, seed uint64, threads int) (*spectral.Clustering, error) {
	joint := spectral.Combine(aa, ab, bb)
	graph := spectral.Affinity(nil, joint, spectral.Rule{Kind: spectral.Clip})
	return spectral.Cluster(ctx, graph, spectral.Options{K: min(clusters, joint.SymmetricDim()), Laplacian: spectral.Symmetric, Seed: seed, Threads: threads})
}
