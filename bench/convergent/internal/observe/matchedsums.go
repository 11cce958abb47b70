package observe

import (
	"context"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Matched is units of two networks that were matched, a[k] with b[k], over the images of a fold,
// or of all, -1.
type Matched struct {
	NetworkA, NetworkB, Fold int
	A, B                     []int
}

// Sums goes through the samples once more, and returns of each matching the mean correlation of
// matched units on the images that had no part in it, or on all: of these images, and without
// each group of them.
func (b *Between) Sums(ctx context.Context, matchings []Matched) ([]corr.Jackknife, error) {
	sums := make([]*matchedSums, len(matchings))
	for i, m := range matchings {
		sums[i] = b.newMatchedSums(m)
	}
	for batch, err := range b.batches(ctx, "correlate matched units") {
		if err != nil {
			return nil, err
		}
		all := b.aligned.Tensors(batch.Networks)
		for _, s := range sums {
			s.add(batch, all[s.NetworkA], all[s.NetworkB], validOf(batch, all[0]))
		}
	}
	figures := make([]corr.Jackknife, len(sums))
	for i, s := range sums {
		figures[i] = corr.JackknifePairSums(s.sums)
	}
	return figures, nil
}

// matchedSums are sums over the observations of each group, of matched units less their means.
type matchedSums struct {
	Matched
	*Between
	sums []corr.PairSums // by group
}

func (b *Between) newMatchedSums(m Matched) *matchedSums {
	s := &matchedSums{m, b, make([]corr.PairSums, len(b.Folds))}
	for g := range s.sums {
		s.sums[g] = corr.NewPairSums(len(m.A))
	}
	return s
}

// add adds the samples of a batch, in their order, each group's to its own sums.
func (s *matchedSums) add(batch *source.Batch, a, b source.Tensor, valid []bool) {
	group := func(at int) int { return int(s.groups[batch.Images[at/a.Positions]]) }
	counts := func(at int) bool {
		return (valid == nil || valid[at]) && s.Folds[group(at)] != s.Fold
	}
	for at := range a.Samples * a.Positions {
		if counts(at) {
			s.sums[group(at)].Rows++
		}
	}
	meansA, meansB := s.Means[s.NetworkA], s.Means[s.NetworkB]
	par.Blocks(par.Threads(s.plan.Threads), len(s.A), 1024, func(lo, hi int) {
		for at := range a.Samples * a.Positions {
			if !counts(at) {
				continue
			}
			g, u, v := group(at), a.Data[at*a.Units:][:a.Units], b.Data[at*b.Units:][:b.Units]
			sums := &s.sums[g]
			for k := lo; k < hi; k++ {
				i, j := s.A[k], s.B[k]
				sums.Add(k, float64(u[i])-meansA[i], float64(v[j])-meansB[j])
			}
		}
	})
}
