package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/internal/artifact"
)

// Options say what to train, and on what.
type Options struct {
	results.Training     // Data and Networks are paths
	Threads          int // 0: all
	Progress         progress.Func
}

// Run is networks and the images that they are trained on and look at.
type Run struct {
	Options
	recipe       recipe
	set          *dataset.Set
	networkPaths []string // of networks that were trained elsewhere
	dataPath     string
	folder       *results.Folder
}

// New checks options and fills in defaults. Where things lie is nothing to the result: the
// configuration has names of files without their folders.
func New(o Options) (*Run, error) {
	r := &Run{Options: o}
	r.Training = Defaults(o.Training)
	var err error
	if r.recipe, err = recipeOf(r.Training); err == nil {
		err = validate(r.Training, r.recipe)
	}
	if err != nil {
		return nil, err
	}
	r.dataPath, r.Data = r.Data, filepath.Base(r.Data)
	r.networkPaths, r.Networks = r.Networks, nil
	for _, path := range r.networkPaths {
		r.Networks = append(r.Networks, filepath.Base(path))
	}
	return r, nil
}

// Load reads the images or makes them, and adds their fingerprint to the configuration.
func (r *Run) Load(ctx context.Context) error {
	if r.dataPath == results.Procedural {
		r.set = dataset.Procedural(r.Seed, r.TrainImages, r.TestImages)
	} else {
		var err error
		r.set, err = dataset.Open(ctx, r.dataPath, dataset.OpenOptions{TrainLimit: r.TrainImages, TestLimit: r.TestImages, Threads: r.Threads,
			Progress: func(done, total int) {
				r.Progress.Report(progress.Event{Task: "read images", Done: done, Total: total})
			}})
		if err != nil {
			return err
		}
		for _, note := range r.set.Notes {
			r.Progress.Report(progress.Event{Task: note})
		}
	}
	if r.set.Train.Len() < r.Batch || r.set.Test.Len() < 2 {
		return fmt.Errorf("%s has %d training and %d test images; at least a batch of %d and 2 are needed", r.Data, r.set.Train.Len(), r.set.Test.Len(), r.Batch)
	}
	var err error
	r.Fingerprint, err = r.fingerprint()
	return err
}

// fingerprint is a hash of the images and labels, and of networks trained elsewhere.
func (r *Run) fingerprint() (string, error) {
	h := sha256.New()
	for _, p := range []*dataset.Part{&r.set.Train, &r.set.Test} {
		labels := make([]int64, p.Len())
		for i, l := range p.Labels {
			labels[i] = int64(l)
		}
		h.Write(p.Pixels)
		if err := binary.Write(h, binary.LittleEndian, labels); err != nil {
			return "", err
		}
	}
	for _, path := range r.networkPaths {
		b, err := artifact.ReadFile(path)
		if err != nil {
			return "", err
		}
		h.Write(b)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// Dataset describes the images.
func (r *Run) Dataset() *results.Dataset {
	return &results.Dataset{Name: r.Data, Classes: r.set.Classes, Train: r.set.Train.Len(), Test: r.set.Test.Len(), Sampled: r.compared()}
}

// compared is how many test images are compared.
func (r *Run) compared() int { return min(r.Images, r.set.Test.Len()) }

// Train trains the networks that are not yet in the folder.
func (r *Run) Train(ctx context.Context, folder *results.Folder) ([]results.Network, error) {
	r.folder = folder
	return r.train(ctx, r.jobs())
}

// TrainWidth trains the two networks of a width that are not yet in the folder.
func (r *Run) TrainWidth(ctx context.Context, width float64) ([]results.Network, error) {
	return r.train(ctx, r.jobsOf(width))
}

// AllWidths are the networks' width and the others, rising; none if there are no others.
func (r *Run) AllWidths() []float64 {
	if len(r.Widths) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(append([]float64{r.Width}, r.Widths...)))
}
