package study

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/artifact"
)

// Files of an output folder. Every one is written whole; a stage whose file is
// there is not run again.
const (
	configFile  = "run.json"
	resultsFile = "results.json"
	momentsFile = "moments.safetensors"
	mappingFile = "mapping.safetensors"
	patchesFile = "patches.json"
	sheetFile   = "patches.png"
	layerFile   = "layer.json"

	widthsFile = "layers/widths.json"
	growthFile = "layers/growth.json"
	gridsFile  = "layers/grids.json"
)

// Options say what to run and where.
type Options struct {
	Config
	Out       string // folder; made if missing
	Threads   int    // 0: all
	Overwrite bool   // remove another run's files from Out

	// Progress, if not nil, is told how far each task is. Its calls do not
	// overlap.
	Progress func(Event)
}

// Event says how far a task is; tasks may run side by side.
type Event struct {
	Task        string // such as "train network 2" or "conv3"
	Done, Total int    // equal at the end
	Note        string // what there is to say beyond that
}

// Reproduce runs the study: it trains the networks, streams their activations
// once, compares them layer by layer, and leaves results.json, tables and
// artifacts in o.Out. If Out holds a part of the same run, it goes on from
// there, and ends with the same bytes as a run that was not stopped. If it
// holds another run, that is an error unless o.Overwrite; what is not from a run
// is never replaced.
func Reproduce(ctx context.Context, o Options) (*Results, error) {
	r := &run{Options: o}
	r.Config = o.Config.withDefaults()
	if err := r.validate(); err != nil {
		return nil, err
	}
	if err := artifact.Writable(r.Out); err != nil {
		return nil, err
	}
	unlock, err := artifact.Lock(r.Out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	path := r.Data
	r.Data = filepath.Base(path) // where things lie is nothing to the result
	r.given = r.Networks
	r.Networks = nil
	for _, file := range r.given {
		r.Networks = append(r.Networks, filepath.Base(file))
	}
	if _, err := r.ours(); err != nil {
		return nil, err // before the images are read, which may take long
	}
	if err := r.load(ctx, path); err != nil {
		return nil, err
	}
	if err := r.claim(); err != nil {
		return nil, err
	}
	networks, err := r.train(ctx, r.jobs())
	if err != nil {
		return nil, err
	}
	res := &Results{Schema: Schema, Config: &r.Config, Dataset: &Dataset{
		Name: r.Data, Classes: r.set.Classes, Train: r.set.Train.Len(), Test: r.set.Test.Len(), Sampled: r.images(),
	}, Networks: networks}
	if res.Widths, err = kept(r, widthsFile, func() ([]Width, error) { return r.widths(ctx, networks) }); err != nil {
		return nil, err
	}
	if res.Growth, err = kept(r, growthFile, func() ([]Stage, error) { return r.growth(ctx) }); err != nil {
		return nil, err
	}
	if res.Grids, err = kept(r, gridsFile, func() ([]Grid, error) { return r.acrossLayers(ctx) }); err != nil {
		return nil, err
	}
	if res.Layers, err = r.compare(ctx); err != nil {
		return nil, err
	}
	if err := writeTables(r.Out, res); err != nil {
		return nil, err
	}
	return res, artifact.WriteJSON(filepath.Join(r.Out, resultsFile), res)
}

// kept returns what a file of the output folder holds, or else finds that and writes the
// file.
func kept[T any](r *run, name string, find func() (T, error)) (T, error) {
	var v T
	path := filepath.Join(r.Out, name)
	err := artifact.Unseal(path, &v)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return v, err
	}
	if v, err = find(); err != nil {
		return v, err
	}
	return v, artifact.Seal(path, v)
}

// run is a study under way.
type run struct {
	Options
	set   *dataset.Set
	given []string // paths of networks that were trained elsewhere
}

func (r *run) report(e Event) {
	if r.Progress != nil {
		r.Progress(e)
	}
}

// images is how many test images are compared.
func (r *run) images() int { return min(r.Images, r.set.Test.Len()) }

// pairs is how many pairs of networks are compared.
func (r *run) pairs() int { return r.Nets * (r.Nets - 1) / 2 }

// load reads the images at path or makes them.
func (r *run) load(ctx context.Context, path string) error {
	if path == Procedural {
		r.set = dataset.Procedural(r.Seed, r.TrainImages, r.TestImages)
	} else {
		var err error
		r.set, err = dataset.Open(ctx, path, dataset.OpenOptions{TrainLimit: r.TrainImages, TestLimit: r.TestImages, Threads: r.Threads,
			Progress: func(done, total int) {
				r.report(Event{Task: "read images", Done: done, Total: total})
			}})
		if err != nil {
			return err
		}
	}
	if r.set.Train.Len() < r.Batch || r.set.Test.Len() < 2 {
		return fmt.Errorf("%s has %d training and %d test images; at least a batch of %d and 2 are needed", r.Data, r.set.Train.Len(), r.set.Test.Len(), r.Batch)
	}
	h := sha256.New()
	for _, p := range []*dataset.Part{&r.set.Train, &r.set.Test} {
		labels := make([]int64, p.Len())
		for i, l := range p.Labels {
			labels[i] = int64(l)
		}
		h.Write(p.Pixels)
		if err := binary.Write(h, binary.LittleEndian, labels); err != nil {
			return err
		}
	}
	for _, path := range r.given {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h.Write(b)
	}
	r.Fingerprint = fmt.Sprintf("%x", h.Sum(nil)[:8])
	return nil
}

// ours says whether the output folder holds a part of this run. It is an error
// if the folder holds another run that is not to be overwritten, or anything
// that no run wrote where this one would write.
func (r *run) ours() (bool, error) {
	path := filepath.Join(r.Out, configFile)
	var there Config
	err := readJSON(path, &there)
	switch {
	case errors.Is(err, os.ErrNotExist):
		for _, name := range written() {
			name = filepath.Join(r.Out, name)
			if _, err := os.Lstat(name); err == nil {
				return false, fmt.Errorf("%s is in the way: without %s it is not known to be from a run; choose another folder with -out", name, path)
			}
		}
		return false, nil
	case r.Overwrite && err != nil:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%w; choose another folder with -out, or -overwrite to replace it", err)
	}
	if r.Fingerprint == "" {
		there.Fingerprint = "" // the images are yet to be read
	}
	d := difference(there, r.Config)
	if d != "" && !r.Overwrite {
		return false, fmt.Errorf("%s holds another run's results (%s); choose another folder with -out, or -overwrite to replace them", r.Out, d)
	}
	return d == "", nil
}

// claim marks the output folder as this run's, and removes what another run, or
// one that was killed while writing, left in it.
func (r *run) claim() error {
	ours, err := r.ours()
	if err != nil {
		return err
	}
	if ours {
		for _, pattern := range []string{".", "nets", "layers", "layers/*", "figures"} {
			folders, _ := filepath.Glob(filepath.Join(r.Out, pattern))
			for _, folder := range folders {
				if info, err := os.Stat(folder); err != nil || !info.IsDir() {
					continue
				}
				if err := artifact.Sweep(folder, "."); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, name := range written() {
		if err := os.RemoveAll(filepath.Join(r.Out, name)); err != nil {
			return err
		}
	}
	return artifact.WriteJSON(filepath.Join(r.Out, configFile), r.Config)
}

// written names what a run and its report write beside the configuration.
func written() []string {
	return append([]string{"nets", "layers", "figures", resultsFile, "report.html"}, tableFiles...)
}
