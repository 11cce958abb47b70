package study

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn"
)

// growth compares the networks at every epoch that was kept, from before training on.
func (r *run) growth(ctx context.Context) ([]Stage, error) {
	if len(r.given) > 0 {
		return nil, nil // how they were trained is not known
	}
	jobs := r.jobs()
	var stages []Stage
	for _, epoch := range append(append([]int{0}, r.checkpoints()...), r.Epochs) {
		nets, err := r.untrained()
		switch {
		case epoch == r.Epochs:
			nets, err = r.networks(jobs, final)
		case epoch > 0:
			nets, err = r.networks(jobs, func(j job) string { return j.checkpoint(epoch) })
		}
		if err != nil {
			return nil, err
		}
		last, err := r.networks(jobs, final)
		if err != nil {
			return nil, err
		}
		layers, err := r.stage(ctx, fmt.Sprintf("stream activations of epoch %d", epoch), nets, last)
		if err != nil {
			return nil, err
		}
		stages = append(stages, Stage{Epoch: epoch, Layers: layers})
	}
	return stages, nil
}

// widths compares networks of other widths, and the first two of this one.
func (r *run) widths(ctx context.Context, own []Network) ([]Width, error) {
	var all []Width
	for _, width := range r.eachWidth() {
		jobs := r.jobsOf(width)
		w := Width{Width: width, Networks: own[:2]}
		if width == r.Width {
			jobs = r.jobs()[:2]
		} else {
			var err error
			if w.Networks, err = r.train(ctx, jobs); err != nil {
				return nil, err
			}
		}
		nets, err := r.networks(jobs, final)
		if err != nil {
			return nil, err
		}
		for _, layer := range r.Layers {
			s, _ := nets[0].Shape(tap(jobs[0].arch, layer))
			w.Units = append(w.Units, s.C)
		}
		if w.Layers, err = r.stage(ctx, fmt.Sprintf("stream activations of width %g", width), nets, nil); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// stage compares networks with each other, and with what they are to become if that is
// given.
func (r *run) stage(ctx context.Context, task string, nets, last []*nn.Net) ([]StageLayer, error) {
	together := make([]*corr.Moments, len(r.Layers))
	selves := make([][]*corr.Moments, len(r.Layers))
	arch := nets[0].Arch()
	for i, layer := range r.Layers {
		var units []int
		for _, n := range nets {
			s, _ := n.Shape(tap(arch, layer))
			units = append(units, s.C)
		}
		together[i] = corr.NewMoments(units...)
		together[i].Threads = r.Threads
		for k := range last {
			m := corr.NewMoments(units[k], units[k])
			m.Threads = r.Threads
			selves[i] = append(selves[i], m)
		}
	}
	err := r.stream(ctx, task, append(nets[:len(nets):len(nets)], last...), func(seen []taps, ids []uint64) error {
		for i, layer := range r.Layers {
			all := tensors(seen, tap(arch, layer))
			if err := together[i].AddTensors(ids, all[:len(nets)]...); err != nil {
				return fmt.Errorf("layer %s: %w", layer, err)
			}
			for k, m := range selves[i] {
				if err := m.AddTensors(ids, all[k], all[len(nets)+k]); err != nil {
					return fmt.Errorf("layer %s: %w", layer, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	layers := make([]StageLayer, len(r.Layers))
	for i, layer := range r.Layers {
		if layers[i], err = r.stageLayer(layer, closed(together[i]), selves[i]); err != nil {
			return nil, fmt.Errorf("layer %s: %w", layer, err)
		}
	}
	return layers, nil
}

// stageDraws is how many random rotations there are at each stage.
const stageDraws = 5

func (r *run) stageLayer(name string, m *corr.Moments, selves []*corr.Moments) (StageLayer, error) {
	l := StageLayer{Name: name, Final: 1}
	var pairs [][2]int
	for a := range m.Networks() {
		for b := a + 1; b < m.Networks(); b++ {
			if len(m.Live(a)) > 0 && len(m.Live(b)) > 0 {
				pairs = append(pairs, [2]int{a, b})
			}
		}
	}
	own, rotated, errs := make([]float64, len(pairs)), make([]float64, len(pairs)), make([]error, len(pairs))
	par.For(par.Threads(r.Threads), len(pairs), func(k int) {
		c := m.Pair(pairs[k][0], pairs[k][1])
		c.Threads = 1
		found, err := matched(c)
		own[k] = mean(found)
		for d := 0; d < stageDraws && err == nil; d++ {
			rnd := rand.New(rand.NewPCG(r.Seed, uint64(d)))
			found, err = matched(c.Basis(nil, corr.Rotation(len(c.UnitsB), rnd)))
			rotated[k] += mean(found) / stageDraws
		}
		errs[k] = err
	})
	if err := errors.Join(errs...); err != nil {
		return l, err
	}
	if len(pairs) > 0 {
		l.Matched, l.Rotated = mean(own), mean(rotated)
	}
	if len(selves) == 0 {
		return l, nil
	}
	l.Final = 0
	for _, s := range selves {
		c := s.Correlation(nil, 0, 1)
		live := s.Live(1)
		for _, u := range live {
			l.Final += c.At(u, u) / float64(len(live)*len(selves))
		}
	}
	return l, nil
}
