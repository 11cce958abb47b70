package study

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn"
)

// taps are the activations of one network by the name of the layer that has them.
type taps map[string]*nn.Tensor

// stream runs the test images that are compared through networks, and hands on the
// activations of a batch and which images these are.
func (r *run) stream(ctx context.Context, task string, nets []*nn.Net, see func(seen []taps, ids []uint64) error) error {
	seen := make([]taps, len(nets))
	for i, n := range nets {
		n.Threads = 1
		seen[i] = make(taps)
		for _, layer := range r.Layers {
			seen[i][tap(n.Arch(), layer)] = nil
		}
	}
	some := r.set.Test
	some.Pixels, some.Labels = some.Pixels[:r.images()*some.H*some.W*some.C], some.Labels[:r.images()]
	done := 0
	for b, err := range r.set.Epoch(ctx, &some, dataset.LoaderOptions{Batch: 50}, 0) {
		if err != nil {
			return err
		}
		x := &nn.Tensor{N: b.N, H: some.H, W: some.W, C: some.C, Data: b.Pixels}
		par.For(par.Threads(r.Threads), len(nets), func(i int) { nets[i].Forward(x, seen[i]) })
		ids := make([]uint64, b.N)
		for i, index := range b.Index {
			ids[i] = uint64(index)
		}
		if err := see(seen, ids); err != nil {
			return err
		}
		done += b.N
		r.report(Event{Task: task, Done: done, Total: r.images()})
	}
	return nil
}

// tensors are the activations that networks have at a layer.
func tensors(seen []taps, tap string) []corr.Tensor {
	all := make([]corr.Tensor, len(seen))
	for i := range seen {
		t := seen[i][tap]
		all[i] = corr.NHWC(t.Data, t.N, t.H, t.W, t.C)
	}
	return all
}

// networks reads networks from the output folder.
func (r *run) networks(jobs []job, file func(job) string) ([]*nn.Net, error) {
	nets := make([]*nn.Net, len(jobs))
	for i, j := range jobs {
		var err error
		if nets[i], err = nn.Load(filepath.Join(r.Out, file(j)), j.arch); err != nil {
			return nil, err
		}
	}
	return nets, nil
}

func final(j job) string { return j.file }

// untrained makes the networks as they were before training.
func (r *run) untrained() ([]*nn.Net, error) {
	nets := make([]*nn.Net, r.Nets)
	for i := range nets {
		var err error
		if nets[i], err = nn.New(r.arch(len(r.set.Classes)), r.Seed+uint64(i)); err != nil {
			return nil, err
		}
	}
	return nets, nil
}

// What is kept of a layer besides its moments, each as large as these: groups of images,
// for intervals; draws of shuffled images; and halves of the images of untrained
// networks, for predictions on images held out. Of many units there are fewer groups.
const (
	imageGroups = 20
	shuffles    = 20
	halves      = 2

	elements = 1 << 25
)

// descentRows is how many positions, about, the paper's way of prediction is tried on.
const descentRows = 4096

// observed is what is kept of one layer's activations.
type observed struct {
	layer, tap string
	groups     *corr.Groups
	shuffles   *corr.Shuffles
	untrained  *corr.Groups
	patches    *patches
	perImage   int          // sampled positions
	rows       [2][]float32 // there, of the first two networks
	seed       uint64
}

func (r *run) newObserved(nets []*nn.Net, layer string) *observed {
	tap := tap(nets[0].Arch(), layer)
	o := &observed{layer: layer, tap: tap, seed: r.Seed, patches: newPatches(nets, tap)}
	var units []int
	for _, n := range nets {
		s, _ := n.Shape(tap)
		units = append(units, s.C)
		o.perImage = min(s.H*s.W, (descentRows+r.images()-1)/r.images())
	}
	all := 0
	for _, u := range units {
		all += u
	}
	most := max(halves, elements/(all*all))
	o.groups = corr.NewGroups(min(imageGroups, most, r.images()), units...)
	o.shuffles = corr.NewShuffles(min(shuffles, most), r.Seed, units...)
	o.untrained = corr.NewGroups(halves, units...)
	o.groups.Threads, o.shuffles.Threads, o.untrained.Threads = r.Threads, r.Threads, r.Threads
	return o
}

// add observes a batch of images.
func (o *observed) add(seen []taps, ids []uint64) error {
	all := tensors(seen, o.tap)
	if err := o.groups.AddTensors(ids, all...); err != nil {
		return fmt.Errorf("layer %s: %w", o.layer, err)
	}
	if err := o.shuffles.AddTensors(ids, all...); err != nil {
		return fmt.Errorf("layer %s: %w", o.layer, err)
	}
	for i := range seen {
		o.patches.add(i, seen[i][o.tap], ids)
	}
	first := seen[0][o.tap]
	for i, id := range ids {
		places := rand.New(rand.NewPCG(o.seed, id)).Perm(first.H * first.W)[:o.perImage]
		for k := range o.rows {
			t := seen[k][o.tap]
			for _, at := range places {
				o.rows[k] = append(o.rows[k], t.Data[(i*t.H*t.W+at)*t.C:][:t.C]...)
			}
		}
	}
	return nil
}

// observe runs the test images through all networks, once, and through what these were
// before training. What people may want, each layer's joint moments and most activating
// patches, is written.
func (r *run) observe(ctx context.Context) ([]*observed, error) {
	jobs := r.jobs()
	nets, err := r.networks(jobs, final)
	if err != nil {
		return nil, err
	}
	layers := make([]*observed, len(r.Layers))
	for i, layer := range r.Layers {
		layers[i] = r.newObserved(nets, layer)
	}
	err = r.stream(ctx, "stream activations", nets, func(seen []taps, ids []uint64) error {
		for _, l := range layers {
			if err := l.add(seen, ids); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		l.groups.Close()
		dir := filepath.Join(r.Out, "layers", l.layer)
		if err := l.patches.write(dir, &r.set.Test); err != nil {
			return nil, err
		}
		if err := l.groups.Total().Save(filepath.Join(dir, momentsFile)); err != nil {
			return nil, err
		}
	}
	if nets, err = r.untrained(); err != nil {
		return nil, err
	}
	err = r.stream(ctx, "stream activations of untrained networks", nets, func(seen []taps, ids []uint64) error {
		for _, l := range layers {
			if err := l.untrained.AddTensors(ids, tensors(seen, l.tap)...); err != nil {
				return fmt.Errorf("layer %s of untrained networks: %w", l.layer, err)
			}
		}
		return nil
	})
	return layers, err
}
