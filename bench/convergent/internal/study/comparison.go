package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/spectral"
)

// thresholds are where a LASSO weight counts as one: the paper gives none, and
// no single one yields its counts.
var thresholds = []float64{0.001, 0.01, 0.05}

// Comparison says how networks are compared.
type Comparison struct {
	Lambdas  []float64 // of the LASSO; nil: DefaultLambdas
	Clusters int       // of the spectral clustering; 0: the paper's share, 0.4 x units
	Draws    int       // of the rotation null
	Seed     uint64
	Threads  int                   // 0: all
	Progress func(done, total int) // pairs of networks; may be nil
}

// Detail is what is known of a pair of networks beyond results.
type Detail struct {
	LiveA, LiveB []int // units that are compared
	AA, AB, BB   *mat.Dense
	Lasso        []match.LassoFit // of the live units, with weights
	Lambda       float64          // whose weights are shown
	W            *mat.Dense       // those, all units of A x all units of B
}

var errDead = errors.New("every unit of it is dead, and nothing can be compared")

// Layer makes every comparison at one layer, from its moments alone, and hands on what
// there is of each pair of networks.
func (c Comparison) Layer(ctx context.Context, name string, m *corr.Moments, keep func(*Pair, *Detail) error) (*Layer, error) {
	m.Threads = c.Threads
	if c.Lambdas == nil {
		c.Lambdas = DefaultLambdas
	}
	l := &Layer{Name: name, Rows: m.Count()}
	nets := m.Networks()
	for a := range nets {
		l.Units = append(l.Units, m.Units(a))
		l.Dead = append(l.Dead, m.Dead(a))
		means := m.Mean(a)
		slices.SortFunc(means, func(x, y float64) int { return cmp.Compare(y, x) })
		l.MeanSorted = append(l.MeanSorted, means)
		if len(m.Live(a)) == 0 {
			return nil, fmt.Errorf("layer %s of network %d: %w", name, a+1, errDead)
		}
	}
	for a := range nets {
		for b := a + 1; b < nets; b++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p, d, err := c.pair(ctx, m, a, b)
			if err == nil {
				err = keep(p, d)
			}
			if err != nil {
				return nil, fmt.Errorf("layer %s, networks %d and %d: %w", name, a+1, b+1, err)
			}
			l.Pairs = append(l.Pairs, *p)
			if c.Progress != nil {
				c.Progress(len(l.Pairs), nets*(nets-1)/2)
			}
		}
	}
	return l, nil
}

// pairing is the live units of two networks and the correlations between them.
type pairing struct {
	a, b           []int // live units
	unitsA, unitsB int   // dead ones included
	aa, ab, bb     *mat.Dense
}

func (c Comparison) pair(ctx context.Context, m *corr.Moments, a, b int) (*Pair, *Detail, error) {
	la, lb := m.Live(a), m.Live(b)
	p := pairing{a: la, b: lb, unitsA: m.Units(a), unitsB: m.Units(b),
		aa: corr.Select(m.Correlation(nil, a, a), la, la),
		ab: corr.Select(m.Correlation(nil, a, b), la, lb),
		bb: corr.Select(m.Correlation(nil, b, b), lb, lb),
	}
	pair := &Pair{A: a, B: b}
	if err := p.oneToOne(pair); err != nil {
		return nil, nil, err
	}
	detail, err := p.oneToFew(ctx, pair, c.Lambdas, c.Threads)
	if err != nil {
		return nil, nil, err
	}
	if err := p.manyToMany(pair, c.Clusters, c.Seed, c.Threads); err != nil {
		return nil, nil, err
	}
	null, err := m.RotationNull(ctx, a, b, c.Draws, c.Seed)
	if err != nil {
		return nil, nil, err
	}
	pair.Null.Rotation = RotationNull{SemiMean: null.Mean(), SemiStd: null.Std(), Draws: c.Draws, P: null.PValue(pair.Semi.Mean)}
	return pair, detail, nil
}

// oneToOne is section 3 of the paper.
func (p pairing) oneToOne(pair *Pair) error {
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
	pair.Semi, pair.Bipartite = p.matching(semi), p.matching(best)
	same, matched := 0, 0
	for i, partner := range best.Partner {
		if partner >= 0 {
			matched++
			if partner == semi.Partner[i] {
				same++
			}
		}
	}
	pair.SamePartner = float64(same) / float64(max(matched, 1))
	return nil
}

// matching returns a matching of live units as one of all units.
func (p pairing) matching(m match.Matching) Matching {
	res := Matching{Mean: m.Mean, Partner: slices.Repeat([]int{-1}, p.unitsA), R: make([]*float64, p.unitsA)}
	for i, partner := range m.Partner {
		if partner >= 0 {
			res.Partner[p.a[i]], res.R[p.a[i]] = p.b[partner], &m.R[i]
		}
	}
	return res
}

// shown is the lambda whose mapping is drawn: the one nearest to 0.1, where a
// unit is predicted from a few others.
func shown(lambdas []float64) int {
	best, nearest := 0, math.Inf(1)
	for i, l := range lambdas {
		if d := math.Abs(math.Log(max(l, 1e-12) / 0.1)); d < nearest {
			best, nearest = i, d
		}
	}
	return best
}

// oneToFew is section 4 of the paper.
func (p pairing) oneToFew(ctx context.Context, pair *Pair, lambdas []float64, threads int) (*Detail, error) {
	fits, err := match.Lasso(ctx, p.aa, p.ab, match.LassoOptions{Lambdas: lambdas, Threads: threads, Thresholds: thresholds, KeepWeights: true})
	if err != nil {
		return nil, err
	}
	for _, f := range fits {
		l := Lasso{Lambda: f.Lambda, Loss: mean(f.Loss), R2: mean(f.R2), Gap: slices.Max(f.Gap), NonZero: make(map[string]float64)}
		for i, t := range thresholds {
			total := 0
			for _, n := range f.NonZero[i] {
				total += n
			}
			l.NonZero[strconv.FormatFloat(t, 'g', -1, 64)] = float64(total) / float64(len(p.b))
		}
		pair.Lasso = append(pair.Lasso, l)
	}
	fit := fits[shown(lambdas)]
	d := &Detail{LiveA: p.a, LiveB: p.b, AA: p.aa, AB: p.ab, BB: p.bb, Lasso: fits, Lambda: fit.Lambda}
	d.W = Whole(fit.W, p.a, p.b, p.unitsA, p.unitsB)
	return d, nil
}

// Whole returns a matrix over live units as one over all, zero elsewhere.
func Whole(live *mat.Dense, a, b []int, unitsA, unitsB int) *mat.Dense {
	m := mat.NewDense(unitsA, unitsB, nil)
	for i, u := range a {
		for j, v := range b {
			m.Set(u, v, live.At(i, j))
		}
	}
	return m
}

func mean(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// paperShare is the paper's number of clusters for conv1, 40, by its number of
// units, 96.
const paperShare = 40.0 / 96

// manyToMany is section 5 of the paper: spectral clustering of the joint graph
// of both networks.
func (p pairing) manyToMany(pair *Pair, clusters int, seed uint64, threads int) error {
	joint := spectral.Combine(p.aa, p.ab, p.bb)
	graph := spectral.Affinity(nil, joint, spectral.Rule{Kind: spectral.Clip})
	if clusters == 0 {
		clusters = int(math.Round(paperShare * float64(p.unitsA+p.unitsB) / 2))
	}
	clusters = max(1, min(clusters, len(p.a)+len(p.b)))
	c, err := spectral.Cluster(graph, spectral.Options{K: clusters, Laplacian: spectral.Symmetric, Seed: seed, Threads: threads})
	if err != nil {
		return err
	}
	for _, g := range spectral.Similarity(p.aa, p.ab, p.bb, c.Labels) {
		pair.Clusters = append(pair.Clusters, Cluster{
			A: pick(p.a, g.A), B: pick(p.b, g.B), Between: g.Between, BetweenPaper: g.BetweenPaper, Within: g.Within,
		})
	}
	slices.SortStableFunc(pair.Clusters, func(x, y Cluster) int { return cmp.Compare(y.Between, x.Between) })
	return nil
}

// pick returns what is at the given places.
func pick[T any](x []T, places []int) []T {
	picked := make([]T, len(places))
	for i, at := range places {
		picked[i] = x[at]
	}
	return picked
}
