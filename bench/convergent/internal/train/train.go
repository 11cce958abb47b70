package train

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
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/nn"
)

// job is a network to train, or to read and test.
type job struct {
	name        string // for people
	file        string // relative to the output folder
	arch        nn.Arch
	seed        uint64
	external    string // path, if it was trained elsewhere
	checkpoints []int  // epochs after which it is stored besides
}

// checkpoint is the file of the network after some epochs.
func (j job) checkpoint(epoch int) string {
	return fmt.Sprintf("%s.epoch%d.safetensors", strings.TrimSuffix(j.file, ".safetensors"), epoch)
}

// result is what is known of the network before it is tested.
func (j job) result() results.Network {
	if j.external != "" {
		return results.Network{Name: filepath.Base(j.external), File: j.file}
	}
	return results.Network{Name: fmt.Sprint("seed ", j.seed), Seed: &j.seed, File: j.file}
}

// jobs are the networks that are compared, counted from 1 for people.
func (r *Run) jobs() []job {
	jobs := make([]job, r.Nets)
	for i := range jobs {
		jobs[i] = job{
			name: fmt.Sprintf("network %d", i+1), file: fmt.Sprintf("%s/net%d.safetensors", results.NetworksFolder, i+1),
			arch: r.recipe.arch(len(r.set.Classes), r.Width), seed: r.Seed + uint64(i),
		}
		if len(r.networkPaths) > 0 {
			jobs[i].external = r.networkPaths[i]
		} else {
			jobs[i].checkpoints = checkpoints(r.Epochs)
		}
	}
	return jobs
}

// jobsOf are the two networks of another width.
func (r *Run) jobsOf(width float64) []job {
	jobs := make([]job, 2)
	for i := range jobs {
		jobs[i] = job{
			name: fmt.Sprintf("width-%g network %d", width, i+1), file: fmt.Sprintf("%s/width%g_net%d.safetensors", results.NetworksFolder, width, i+1),
			arch: r.recipe.arch(len(r.set.Classes), width), seed: r.Seed + uint64(i),
		}
	}
	return jobs
}

// train trains the networks that are not yet there, as many at a time as there
// are threads: that shares nothing between threads, and results do not depend
// on it.
func (r *Run) train(ctx context.Context, jobs []job) ([]results.Network, error) {
	threads := par.Threads(r.Threads)
	concurrent := min(threads, len(jobs))
	networks := make([]results.Network, len(jobs))
	var lock sync.Mutex // progress is reported one at a time
	report := func(e progress.Event) {
		lock.Lock()
		defer lock.Unlock()
		r.Progress.Report(e)
	}
	for _, j := range jobs {
		if j.external == "" {
			report(progress.Event{Task: "train " + j.name, Total: r.steps()})
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrent)
	for i, j := range jobs {
		g.Go(func() error {
			n, err := r.network(ctx, j, max(1, threads/concurrent), report)
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
func (r *Run) stepsPerEpoch() int { return r.set.Train.Len() / r.Batch }

func (r *Run) steps() int { return r.Epochs * r.stepsPerEpoch() }

// network trains a network, from its last finished epoch if it was stopped, or reads it;
// tests it, and stores it with what the test says.
func (r *Run) network(ctx context.Context, j job, threads int, report progress.Func) (results.Network, error) {
	path := r.folder.Path(j.file)
	tested, state := path+".json", path+".state"
	res, ok, err := results.Resumed[results.Network](tested) // written last, so all is there
	if err != nil {
		return res, err
	}
	if ok {
		report(progress.Event{Task: "train " + j.name, Done: r.steps(), Total: r.steps(), Note: "done before"})
		return res, artifact.Remove(state)
	}
	stored := []string{filepath.Base(j.file)}
	for _, epoch := range j.checkpoints {
		stored = append(stored, filepath.Base(j.checkpoint(epoch)))
	}
	res, err = results.Resume(tested, stored, func() (results.Network, error) {
		res := j.result()
		n, err := r.trained(ctx, j, state, threads, report)
		if err != nil {
			return res, err
		}
		if err := r.test(ctx, n, &res); err != nil {
			return res, err
		}
		return res, n.Save(path)
	})
	if err != nil {
		return res, err
	}
	report(progress.Event{Task: "test " + j.name, Done: 1, Total: 1, Note: fmt.Sprintf("accuracy %.1f %%", 100**res.TestAccuracy)})
	return res, artifact.Remove(state)
}

// trained returns a network that was given, or trains one.
func (r *Run) trained(ctx context.Context, j job, state string, threads int, report progress.Func) (*nn.Net, error) {
	if j.external != "" {
		n, err := open(j.external, j.arch)
		if err == nil {
			n.Threads = threads
		}
		return n, err
	}
	n, done, err := nn.LoadState(state, j.arch)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, safetensors.ErrDamaged) {
		n, err = nn.New(j.arch, j.seed)
		done = 0
	}
	if err != nil {
		return nil, err
	}
	if done > 0 {
		artifact.Keep()
	}
	n.Threads = threads
	loader := dataset.LoaderOptions{Batch: r.Batch, Shuffle: true, Mirror: true, Crop: r.recipe.crop, Seed: j.seed, DropLast: true}
	return n, n.Train(ctx, r.batches(&r.set.Train, loader), nn.TrainOptions{
		Epochs: r.Epochs, StartEpoch: done, BatchesPerEpoch: r.stepsPerEpoch(),
		Schedule: nn.OneCycle(r.Rate), Seed: j.seed,
		Progress: func(p nn.Progress) {
			report(progress.Event{Task: "train " + j.name, Done: p.Step, Total: p.Steps, Note: fmt.Sprintf("epoch %d of %d, loss %.3f", p.Epoch+1, r.Epochs, p.Loss)})
		},
		AfterEpoch: func(epoch int) error {
			if slices.Contains(j.checkpoints, epoch+1) {
				if err := n.Save(r.folder.Path(j.checkpoint(epoch + 1))); err != nil {
					return err
				}
			}
			if err := n.SaveState(state, epoch+1); err != nil {
				return err
			}
			artifact.Keep()
			return nil
		},
	})
}

// open reads a network that was trained elsewhere, by this program or by PyTorch, or was
// exported as ONNX.
func open(path string, arch nn.Arch) (*nn.Net, error) {
	if source.IsModel(path) {
		return openONNX(path, arch)
	}
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, err
	}
	if f.Metadata["format"] != "" {
		return nn.Load(path, arch)
	}
	return nn.LoadTorch(path, arch)
}

// testBatch is how many images are tested on at a time.
const testBatch = 100

// test finds how good a network is.
func (r *Run) test(ctx context.Context, n *nn.Net, res *results.Network) error {
	accuracy, loss, err := n.Evaluate(ctx, r.batches(&r.set.Test, dataset.LoaderOptions{Batch: testBatch}))
	if err != nil {
		return err
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) { // the last step's doing, which no later one could tell
		return fmt.Errorf("training diverged: the test loss after epoch %d is %v; try a lower learning rate with -rate", r.Epochs, loss)
	}
	res.TestAccuracy, res.TestLoss = &accuracy, &loss
	return nil
}

// batches gives a part of the images to package nn.
func (r *Run) batches(part *dataset.Part, o dataset.LoaderOptions) nn.Source {
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
