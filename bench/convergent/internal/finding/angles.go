package finding

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// clusterDraws is how often clusters are found anew at most, where B's units are turned.
const clusterDraws = 39

// clusterUnits is how many units of a network are clustered for this at most, spread evenly over
// those of a wider layer. A turned network has so many, too: which of its units does not
// matter, since they were turned at random.
const clusterUnits = 256

// spreadOver returns so many places, or fewer, spread evenly over n.
func spreadOver(n, limit int) []int {
	places := numbers(min(n, limit))
	for i := range places {
		places[i] = i * n / len(places)
	}
	return places
}

// angles compares the spans of both networks' units in each cluster: of clusters that one
// half of the images gives, on the other half.
func (l *layer) angles(ctx context.Context, s *results.Subspaces, images *crossFit) error {
	s.ClusterSizes = clusterSizes(l.result.Pairs)
	all := &crossFit{folds: [2]*corr.Moments{l.Moments, l.Moments}}
	if images != nil {
		all = images
	}
	values, networks, err := l.meanAngles(ctx, l.Moments, all, min(clusterDraws, l.Draws))
	if errors.Is(err, corr.ErrTooFewObservations) {
		return nil // any spaces meet in so few observations
	}
	if err != nil || math.IsNaN(values[0]) {
		return err // no cluster has units of both networks
	}
	null := corr.Null{Draws: values[1:]}
	s.Angles = &results.Measure{Value: results.Finite(values[0]), Networks: networks, Null: results.Finite(null.Mean()), P: results.Finite(null.PValue(values[0])), Draws: len(null.Draws)}
	if l.imagesBefore == nil {
		return nil
	}
	untrained, _, err := l.meanAngles(ctx, l.before, l.imagesBefore, 0)
	if errors.Is(err, corr.ErrTooFewObservations) {
		return nil
	}
	s.UntrainedAngles = results.Finite(untrained[0])
	return err
}

// meanAngles returns the mean canonical correlation in the clusters of all pairs of
// networks, and then that of each draw, in which B's units are turned into a random basis
// of their space and clustered anew. A draw turns a network alike in all its pairs. It is
// NaN if no cluster has units of both networks; of a draw then 0. The interval is that of the first mean over networks.
func (l *layer) meanAngles(ctx context.Context, live *corr.Moments, images *crossFit, draws int) (means []float64, networks *results.Interval, err error) {
	pairs := len(l.result.Pairs)
	sums, counts := make([]float64, (draws+1)*pairs), make([]float64, (draws+1)*pairs)
	chosen, measured := make([]*corr.Pair, pairs), make([]*corr.Pair, pairs) // of some units of A and all of B
	for k, p := range l.result.Pairs {
		unitsA, unitsB := live.Live(p.A), live.Live(p.B)
		unitsA = pick(unitsA, spreadOver(len(unitsA), clusterUnits))
		for i, c := range []**corr.Pair{&chosen[k], &measured[k]} {
			*c = images.folds[i].PairOf(p.A, p.B, unitsA, unitsB)
			(*c).Threads = 1
		}
	}
	err = l.each(ctx, len(sums), func(i int) (err error) {
		k, draw := i%pairs, i/pairs
		p, a, b := l.result.Pairs[k], len(chosen[k].UnitsA), len(chosen[k].UnitsB)
		some := spreadOver(b, clusterUnits)
		of := func(c *corr.Pair) *corr.Pair { return c.Select(numbers(a), some) }
		if draw > 0 {
			turn := standardRotation(pick(live.Std(p.B), live.Live(p.B)), len(some), random(l.Seed, clusterRotation, draw*len(l.Units)+p.B))
			of = func(c *corr.Pair) *corr.Pair { return c.Basis(nil, turn) }
		}
		share := float64(a+len(some)) / float64(len(live.Live(p.A))+b)
		clusters := math.Round(share * float64(clusterCount(l.Clusters, live.Units(p.A)+live.Units(p.B))))
		sums[i], counts[i], err = clusterAngles(ctx, of(chosen[k]), of(measured[k]), max(1, int(clusters)), stream(l.Seed, kMeans))
		return err
	})
	means = make([]float64, draws+1)
	for d := range means {
		sum, count := floats.Sum(sums[d*pairs:(d+1)*pairs]), floats.Sum(counts[d*pairs:(d+1)*pairs])
		if means[d] = ratio(sum, count); d == 0 {
			means[d] = sum / count
		}
	}
	own := make([]float64, pairs)
	for k := range own {
		own[k] = sums[k] / counts[k] // NaN, without weight, of no cluster
	}
	return means, newPairFigure(own).overNetworks(counts[:pairs]), err
}

// standardRotation turns units of these standard deviations, after each is scaled to
// variance 1, and gives so many of the turned ones.
func standardRotation(std []float64, count int, rnd *rand.Rand) *mat.Dense {
	q := mat.DenseCopyOf(corr.Directions(len(std), count, rnd).T())
	for i, s := range std {
		floats.Scale(ratio(1, s), q.RawRowView(i))
	}
	return q
}

// clusterAngles returns the sum and number of the canonical correlations of a pair of
// networks in the clusters that another pair, of the same units, is made into.
func clusterAngles(ctx context.Context, chosen, measured *corr.Pair, clusters int, seed uint64) (sum, count float64, err error) {
	aa, bb := chosen.Within()
	c, err := jointClusters(ctx, aa, chosen.Correlation(), bb, clusters, seed, 1)
	if err != nil {
		return 0, 0, err
	}
	for _, group := range c.Groups() {
		split, _ := slices.BinarySearch(group, len(chosen.UnitsA))
		a, b := group[:split], slices.Clone(group[split:])
		for i := range b {
			b[i] -= len(chosen.UnitsA)
		}
		if len(a) == 0 || len(b) == 0 {
			continue
		}
		rho, err := measured.Select(a, b).CCA()
		if errors.Is(err, corr.ErrNoLiveUnits) {
			continue // constant in this half
		}
		if err != nil {
			return 0, 0, err
		}
		sum, count = sum+floats.Sum(rho), count+float64(len(rho))
	}
	return sum, count, nil
}

// clusterSizes counts clusters by their numbers of units, in means over pairs.
func clusterSizes(pairs []results.Pair) []results.ClusterSize {
	counts := make(map[[2]int]float64)
	for _, p := range pairs {
		for _, c := range p.Clusters {
			counts[[2]int{len(c.A), len(c.B)}] += 1 / float64(len(pairs))
		}
	}
	sizes := []results.ClusterSize{}
	for size, n := range counts {
		sizes = append(sizes, results.ClusterSize{A: size[0], B: size[1], Count: n})
	}
	slices.SortFunc(sizes, func(x, y results.ClusterSize) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return sizes
}
