package finding

import (
	"context"
	"errors"
	"fmt"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Growth compares networks at every checkpoint that was observed, and at the end of
// training, after so many epochs; nil if there is none.
func Growth(ctx context.Context, layers []*observe.Layer, epochs int, seed uint64, threads int) ([]results.Checkpoint, error) {
	if len(layers) == 0 || len(layers[0].Checkpoints) == 0 {
		return nil, nil
	}
	var all []results.Checkpoint
	for k := range len(layers[0].Checkpoints) + 1 {
		c := results.Checkpoint{Epoch: epochs}
		for _, l := range layers {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			l.Gather()
			m, selves := l.Moments, []*observe.SelfMoments(nil)
			if k < len(l.Checkpoints) {
				c.Epoch, m, selves = l.Checkpoints[k].Epoch, l.Checkpoints[k].Moments, l.Checkpoints[k].Selves
			}
			s, err := Summary(l.Name, m, m.Networks(), seed, threads)
			if err != nil {
				return nil, err
			}
			s.Final = results.Finite(1)
			if selves != nil {
				s.Final = finalR(selves)
			}
			c.Layers = append(c.Layers, s)
		}
		all = append(all, c)
	}
	return all, nil
}

// finalR is the mean correlation of a unit with itself at the end; nil if then no unit of
// a network is live.
func finalR(selves []*observe.SelfMoments) *float64 {
	total := 0.0
	for _, m := range selves {
		total += m.MeanCorrelation() / float64(len(selves))
	}
	return results.Finite(total)
}

// summaryRotations is how many random rotations there are in a summary.
const summaryRotations = 5

// Summary matches the units of all pairs of the first so many networks of which both have
// live units, and rotated units, in means over pairs.
func Summary(name string, m *corr.Moments, networks int, seed uint64, threads int) (results.LayerSummary, error) {
	l := results.LayerSummary{Name: name}
	var pairs [][2]int
	for a := range networks {
		for b := a + 1; b < networks; b++ {
			if len(m.Live(a)) > 0 && len(m.Live(b)) > 0 {
				pairs = append(pairs, [2]int{a, b})
			}
		}
	}
	own, rotated, errs := make([]float64, len(pairs)), make([]float64, len(pairs)), make([]error, len(pairs))
	par.For(par.Threads(threads), len(pairs), func(k int) {
		c := m.Pair(pairs[k][0], pairs[k][1])
		c.Threads = 1
		matched, err := matchedR(c)
		own[k] = mean(matched)
		for d := 0; d < summaryRotations && err == nil; d++ {
			matched, err = matchedR(c.Basis(nil, corr.Rotation(len(c.UnitsB), random(seed, growthRotation, d))))
			rotated[k] += mean(matched) / summaryRotations
		}
		errs[k] = err
	})
	if err := errors.Join(errs...); err != nil {
		return l, fmt.Errorf("layer %s: %w", name, err)
	}
	l.Matched, l.Rotated = results.Finite(mean(own)), results.Finite(mean(rotated))
	return l, nil
}
