package study

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/nn"
)

// netFile names network i's file, counted from 1 for people.
func netFile(i int) string { return fmt.Sprintf("nets/net%d.safetensors", i+1) }

// train trains the networks that are not yet there, as many at a time as there
// are threads: that shares nothing between threads, and results do not depend
// on it.
func (r *run) train(ctx context.Context) ([]Network, error) {
	threads := par.Threads(r.Threads)
	together := min(threads, r.Nets)
	networks := make([]Network, r.Nets)
	var lock sync.Mutex // progress is reported one at a time
	report := func(e Event) {
		lock.Lock()
		defer lock.Unlock()
		r.report(e)
	}
	for i := range networks {
		if len(r.given) == 0 {
			report(Event{Task: trainTask(i), Total: r.steps()})
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for i := range networks {
		g.Go(func() error {
			n, err := r.trainOne(ctx, i, max(1, threads/together), report)
			networks[i] = n
			if err != nil {
				return fmt.Errorf("network %d: %w", i+1, err)
			}
			return nil
		})
	}
	return networks, g.Wait()
}

func trainTask(i int) string { return fmt.Sprintf("train network %d", i+1) }

// stepsPerEpoch leaves out a last batch that is not full.
func (r *run) stepsPerEpoch() int { return r.set.Train.Len() / r.Batch }

func (r *run) steps() int { return r.Epochs * r.stepsPerEpoch() }

// open reads a network that was trained elsewhere, by this program or by PyTorch.
func open(path string, arch nn.Arch) (*nn.Net, error) {
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, err
	}
	if f.Metadata["format"] != "" {
		return nn.Load(path, arch)
	}
	return nn.LoadTorch(path, arch)
}

// test finds how good network i is, and keeps it.
func (r *run) test(ctx context.Context, i int, n *nn.Net, res *Network, report func(Event)) (err error) {
	path := filepath.Join(r.Out, res.File)
	res.TestAccuracy, res.TestLoss, err = n.Evaluate(ctx, r.source(&r.set.Test, dataset.LoaderOptions{Batch: 100}))
	if err != nil {
		return err
	}
	if math.IsNaN(res.TestLoss) || math.IsInf(res.TestLoss, 0) { // the last step's doing, which no later one could tell
		return fmt.Errorf("training diverged: the test loss after epoch %d is %v; try a lower learning rate with -rate", r.Epochs, res.TestLoss)
	}
	if err := n.Save(path); err != nil {
		return err
	}
	if err := artifact.WriteJSON(path+".json", res); err != nil {
		return err
	}
	report(Event{Task: fmt.Sprintf("test network %d", i+1), Done: 1, Total: 1, Note: fmt.Sprintf("accuracy %.1f %%", 100*res.TestAccuracy)})
	return nil
}

// trainOne trains network i, from its last finished epoch if it was stopped,
// and tests it.
func (r *run) trainOne(ctx context.Context, i, threads int, report func(Event)) (Network, error) {
	res := Network{Seed: r.Seed + uint64(i), File: netFile(i)}
	path := filepath.Join(r.Out, res.File)
	tested, state := path+".json", path+".state"
	if err := readJSON(tested, &res); err == nil { // written last, so all is there
		report(Event{Task: trainTask(i), Done: r.steps(), Total: r.steps(), Note: "done before"})
		return res, os.RemoveAll(state)
	}
	arch := r.arch(len(r.set.Classes))
	if len(r.given) > 0 {
		res.Name, res.Seed = r.Networks[i], 0
		n, err := open(r.given[i], arch)
		if err != nil {
			return res, err
		}
		n.Threads = threads
		return res, r.test(ctx, i, n, &res, report)
	}
	n, done, err := nn.LoadState(state, arch)
	if errors.Is(err, os.ErrNotExist) {
		n, err = nn.New(arch, res.Seed)
	}
	if err != nil {
		return res, err
	}
	n.Threads = threads
	loader := dataset.LoaderOptions{Batch: r.Batch, Shuffle: true, Mirror: mirror, Crop: crop, Seed: res.Seed, DropLast: true}
	err = n.Train(ctx, r.source(&r.set.Train, loader), nn.TrainOptions{
		Epochs: r.Epochs, StartEpoch: done, BatchesPerEpoch: r.stepsPerEpoch(),
		Schedule: nn.OneCycle(r.Rate), Seed: res.Seed,
		Progress: func(p nn.Progress) {
			report(Event{Task: trainTask(i), Done: p.Step, Total: p.Steps, Note: fmt.Sprintf("epoch %d of %d, loss %.3f", p.Epoch+1, r.Epochs, p.Loss)})
		},
		AfterEpoch: func(epoch int) error { return n.SaveState(state, epoch+1) },
	})
	if err != nil {
		return res, err
	}
	if err := r.test(ctx, i, n, &res, report); err != nil {
		return res, err
	}
	return res, os.RemoveAll(state)
}

// source gives a part of the images to package nn.
func (r *run) source(part *dataset.Part, o dataset.LoaderOptions) nn.Source {
	return func(ctx context.Context, epoch int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) {
			for b, err := range r.set.Epoch(ctx, part, o, epoch) {
				x := &nn.Tensor{N: b.N, H: part.H, W: part.W, C: part.C, Data: b.Pixels}
				if !yield(nn.Batch{X: x, Labels: b.Labels}, err) {
					return
				}
			}
		}
	}
}
