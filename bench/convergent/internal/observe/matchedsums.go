package observe

import (
	"context"
	"math"

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
		figures[i] = s.jackknife()
	}
	return figures, nil
}

// matchedSums are sums over the observations of each group, of matched units less their means.
type matchedSums struct {
	Matched
	*Between
	rows             []float64   // by group
	x, y, xx, xy, yy [][]float64 // by group and pair
}

func (b *Between) newMatchedSums(m Matched) *matchedSums {
	s := &matchedSums{Matched: m, Between: b, rows: make([]float64, len(b.Folds))}
	for _, sum := range []*[][]float64{&s.x, &s.y, &s.xx, &s.xy, &s.yy} {
		*sum = make([][]float64, len(b.Folds))
		for g := range *sum {
			(*sum)[g] = make([]float64, len(m.A))
		}
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
			s.rows[group(at)]++
		}
	}
	meansA, meansB := s.Means[s.NetworkA], s.Means[s.NetworkB]
	par.Blocks(par.Threads(s.plan.Threads), len(s.A), 1024, func(lo, hi int) {
		for at := range a.Samples * a.Positions {
			if !counts(at) {
				continue
			}
			g, u, v := group(at), a.Data[at*a.Units:][:a.Units], b.Data[at*b.Units:][:b.Units]
			x, y, xx, xy, yy := s.x[g], s.y[g], s.xx[g], s.xy[g], s.yy[g]
			for k := lo; k < hi; k++ {
				i, j := s.A[k], s.B[k]
				p, q := float64(u[i])-meansA[i], float64(v[j])-meansB[j]
				x[k] += p
				y[k] += q
				xx[k] += float64(p * p)
				xy[k] += float64(p * q)
				yy[k] += float64(q * q)
			}
		}
	})
}

// jackknife returns the mean correlation over pairs, and what it is without each group.
func (s *matchedSums) jackknife() corr.Jackknife {
	var groups []int // that have observations
	for g, n := range s.rows {
		if n > 0 {
			groups = append(groups, g)
		}
	}
	total := func(of [][]float64, k, without int) (sum float64) {
		for _, g := range groups {
			if g != without {
				sum += of[g][k]
			}
		}
		return sum
	}
	mean := func(without int) (mean float64) {
		n := 0.0
		for _, g := range groups {
			if g != without {
				n += s.rows[g]
			}
		}
		for k := range s.A {
			x, y := total(s.x, k, without), total(s.y, k, without)
			xx, xy, yy := total(s.xx, k, without), total(s.xy, k, without), total(s.yy, k, without)
			vx, vy := xx-float64(x*x)/n, yy-float64(y*y)/n
			if vx > 0 && vy > 0 {
				mean += (xy - float64(x*y)/n) / math.Sqrt(vx) / math.Sqrt(vy) / float64(len(s.A))
			}
		}
		return mean
	}
	j := corr.Jackknife{Value: mean(-1)}
	for _, g := range groups {
		j.Without, j.Rows = append(j.Without, mean(g)), append(j.Rows, s.rows[g])
	}
	return j
}
