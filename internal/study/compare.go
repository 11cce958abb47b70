package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/spectral"
)

// thresholds are where a LASSO weight counts as one: the paper gives none, and
// no single one yields its counts.
var thresholds = []float64{0.001, 0.01, 0.05}

// compare makes every comparison at one layer, from its moments alone.
func (r *run) compare(ctx context.Context, name string) (*Layer, error) {
	dir := filepath.Join(r.Out, "layers", name)
	l := new(Layer)
	if err := readJSON(filepath.Join(dir, layerFile), l); err == nil {
		r.report(Event{Task: "compare " + name, Done: r.pairs(), Total: r.pairs(), Note: "done before"})
		return l, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	m, err := corr.LoadMoments(filepath.Join(dir, momentsFile))
	if err != nil {
		return nil, err
	}
	m.Threads = r.Threads
	*l = Layer{Name: name, Units: m.Units(0), Rows: m.Count()}
	for a := range m.Networks() {
		l.Dead = append(l.Dead, m.Dead(a))
		means := m.Mean(a)
		slices.SortFunc(means, func(x, y float64) int { return cmp.Compare(y, x) })
		l.MeanSorted = append(l.MeanSorted, means)
		if len(m.Live(a)) == 0 {
			return nil, fmt.Errorf("layer %s: every unit of network %d is dead; train longer or at a lower -rate", name, a+1)
		}
	}
	for a := range r.Nets {
		for b := a + 1; b < r.Nets; b++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p, mapping, err := r.comparePair(ctx, m, a, b)
			if err != nil {
				return nil, fmt.Errorf("layer %s, networks %d and %d: %w", name, a+1, b+1, err)
			}
			if a == 0 && b == 1 {
				if err := mapping.save(filepath.Join(dir, mappingFile)); err != nil {
					return nil, err
				}
			}
			l.Pairs = append(l.Pairs, *p)
			r.report(Event{Task: "compare " + name, Done: len(l.Pairs), Total: r.pairs()})
		}
	}
	return l, writeJSON(filepath.Join(dir, layerFile), l)
}

// pairing is the live units of two networks and the correlations between them.
type pairing struct {
	a, b       []int // live units
	units      int   // of each network, dead ones included
	aa, ab, bb *mat.Dense
}

func (r *run) comparePair(ctx context.Context, m *corr.Moments, a, b int) (*Pair, *mapping, error) {
	la, lb := m.Live(a), m.Live(b)
	p := pairing{a: la, b: lb, units: m.Units(a),
		aa: corr.Select(m.Correlation(nil, a, a), la, la),
		ab: corr.Select(m.Correlation(nil, a, b), la, lb),
		bb: corr.Select(m.Correlation(nil, b, b), lb, lb),
	}
	pair := &Pair{A: a, B: b}
	if err := p.oneToOne(pair); err != nil {
		return nil, nil, err
	}
	mapping, err := p.oneToFew(ctx, pair, r.Lambdas, r.Threads)
	if err != nil {
		return nil, nil, err
	}
	if err := p.manyToMany(pair, r.Clusters, r.Seed, r.Threads); err != nil {
		return nil, nil, err
	}
	null, err := m.RotationNull(ctx, a, b, r.Draws, r.Seed)
	if err != nil {
		return nil, nil, err
	}
	pair.Null.Rotation = RotationNull{SemiMean: null.Mean(), SemiStd: null.Std(), Draws: r.Draws, P: null.PValue(pair.Semi.Mean)}
	return pair, mapping, nil
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
	res := Matching{Mean: m.Mean, Partner: slices.Repeat([]int{-1}, p.units), R: make([]*float64, p.units)}
	for i, partner := range m.Partner {
		if partner >= 0 {
			res.Partner[p.a[i]], res.R[p.a[i]] = p.b[partner], &m.R[i]
		}
	}
	return res
}

// mapping is the LASSO's weights at the lambda that is shown.
type mapping struct {
	lambda  float64
	weights *mat.Dense // all units of A x all units of B
}

func (m *mapping) save(path string) error {
	rows, cols := m.weights.Dims()
	return safetensors.Save(path, &safetensors.File{Tensors: []safetensors.Tensor{
		{Name: "lambda", Shape: []int{1}, F64: []float64{m.lambda}},
		{Name: "weights", Shape: []int{rows, cols}, F64: m.weights.RawMatrix().Data},
	}})
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
func (p pairing) oneToFew(ctx context.Context, pair *Pair, lambdas []float64, threads int) (*mapping, error) {
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
	m := &mapping{lambda: fit.Lambda, weights: mat.NewDense(p.units, p.units, nil)}
	for i, a := range p.a {
		for j, b := range p.b {
			m.weights.Set(a, b, fit.W.At(i, j))
		}
	}
	return m, nil
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
		clusters = int(math.Round(paperShare * float64(p.units)))
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

// pick returns the units at the given places.
func pick(units, places []int) []int {
	picked := make([]int, len(places))
	for i, at := range places {
		picked[i] = units[at]
	}
	return picked
}
