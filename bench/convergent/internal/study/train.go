package study

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/nn"
)

// job is a network to train, or to read and test.
type job struct {
	name  string // for people
	file  string // relative to the output folder
	arch  nn.Arch
	seed  uint64
	given string // path, if it was trained elsewhere
	kept  []int  // epochs after which it is kept besides
}

// checkpoint is the file of the network after some epochs.
func (j job) checkpoint(epoch int) string {
	return fmt.Sprintf("%s.epoch%d.safetensors", strings.TrimSuffix(j.file, ".safetensors"), epoch)
}

// jobs are the networks that are compared, counted from 1 for people.
func (r *run) jobs() []job {
	jobs := make([]job, r.Nets)
	for i := range jobs {
		jobs[i] = job{
			name: fmt.Sprintf("network %d", i+1), file: fmt.Sprintf("nets/net%d.safetensors", i+1),
			arch: r.arch(len(r.set.Classes)), seed: r.Seed + uint64(i), kept: r.checkpoints(),
		}
		if len(r.given) > 0 {
			jobs[i].given = r.given[i]
		}
	}
	return jobs
}

// jobsOf are the two networks of another width.
func (r *run) jobsOf(width float64) []job {
	c := r.Config
	c.Width = width
	jobs := make([]job, 2)
	for i := range jobs {
		jobs[i] = job{
			name: fmt.Sprintf("width-%g network %d", width, i+1), file: fmt.Sprintf("nets/width%g_net%d.safetensors", width, i+1),
			arch: c.arch(len(r.set.Classes)), seed: r.Seed + uint64(i),
		}
	}
	return jobs
}

// train trains the networks that are not yet there, as many at a time as there
// are threads: that shares nothing between threads, and results do not depend
// on it.
func (r *run) train(ctx context.Context, jobs []job) ([]Network, error) {
	threads := par.Threads(r.Threads)
	together := min(threads, len(jobs))
	networks := make([]Network, len(jobs))
	var lock sync.Mutex // progress is reported one at a time
	report := func(e Event) {
		lock.Lock()
		defer lock.Unlock()
		r.report(e)
	}
	for _, j := range jobs {
		if j.given == "" {
			report(Event{Task: "train " + j.name, Total: r.steps()})
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for i, j := range jobs {
		g.Go(func() error {
			n, err := r.trainOne(ctx, j, max(1, threads/together), report)
			networks[i] = n
			if err != nil {
				return fmt.Errorf("%s: %w", j.name, err)
			}
			return nil
		})
	}
	return networks, g.Wait()
}

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

// test finds how good a network is, and keeps it.
func (r *run) test(ctx context.Context, j job, n *nn.Net, res *Network, report func(Event)) (err error) {
	path := filepath.Join(r.Out, j.file)
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
	kept := []string{filepath.Base(j.file)}
	for _, epoch := range j.kept {
		if j.given == "" {
			kept = append(kept, filepath.Base(j.checkpoint(epoch)))
		}
	}
	if err := artifact.Seal(path+".json", res, kept...); err != nil {
		return err
	}
	report(Event{Task: "test " + j.name, Done: 1, Total: 1, Note: fmt.Sprintf("accuracy %.1f %%", 100*res.TestAccuracy)})
	return nil
}

// trainOne trains a network, from its last finished epoch if it was stopped, and tests
// it.
func (r *run) trainOne(ctx context.Context, j job, threads int, report func(Event)) (Network, error) {
	res := Network{Seed: j.seed, File: j.file}
	task := "train " + j.name
	path := filepath.Join(r.Out, j.file)
	tested, state := path+".json", path+".state"
	if err := artifact.Unseal(tested, &res); err == nil { // written last, so all is there
		report(Event{Task: task, Done: r.steps(), Total: r.steps(), Note: "done before"})
		return res, os.RemoveAll(state)
	}
	if j.given != "" {
		res.Name, res.Seed = filepath.Base(j.given), 0
		n, err := open(j.given, j.arch)
		if err != nil {
			return res, err
		}
		n.Threads = threads
		return res, r.test(ctx, j, n, &res, report)
	}
	n, done, err := nn.LoadState(state, j.arch)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, safetensors.ErrDamaged) {
		n, err = nn.New(j.arch, j.seed)
		done = 0
	}
	if err != nil {
		return res, err
	}
	n.Threads = threads
	loader := dataset.LoaderOptions{Batch: r.Batch, Shuffle: true, Mirror: mirror, Crop: crop, Seed: j.seed, DropLast: true}
	err = n.Train(ctx, r.source(&r.set.Train, loader), nn.TrainOptions{
		Epochs: r.Epochs, StartEpoch: done, BatchesPerEpoch: r.stepsPerEpoch(),
		Schedule: nn.OneCycle(r.Rate), Seed: j.seed,
		Progress: func(p nn.Progress) {
			report(Event{Task: task, Done: p.Step, Total: p.Steps, Note: fmt.Sprintf("epoch %d of %d, loss %.3f", p.Epoch+1, r.Epochs, p.Loss)})
		},
		AfterEpoch: func(epoch int) error {
			if slices.Contains(j.kept, epoch+1) {
				if err := n.Save(filepath.Join(r.Out, j.checkpoint(epoch+1))); err != nil {
					return err
				}
			}
			return n.SaveState(state, epoch+1)
		},
	})
	if err != nil {
		return res, err
	}
	if err := r.test(ctx, j, n, &res, report); err != nil {
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
