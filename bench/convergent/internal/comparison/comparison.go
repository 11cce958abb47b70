// Package comparison is the road from activations to results: whoever has them, they are
// observed once, compared by the same findings, and leave the same files.
package comparison

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/finding"
	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/natural"
)

// Options say how to compare, and where results go.
type Options struct {
	results.Analysis
	Out       string // folder; made if missing
	Overwrite bool   // replace another run's results in Out
	MaxMemory int64  // refuse what is estimated to take more bytes; 0: no limit
	Threads   int    // 0: all
	Progress  progress.Func

	Version string                 // of the program, for run.json; may be empty
	Finish  func(dir string) error // adds to the results before another run may; may be nil
}

// DefaultLambdas are in units of correlation: a unit that correlates with none
// of the others by more than lambda gets no weight. The paper divides by the
// number of channels C, so that its lambda of 10^-2.6 at C = 96 is 0.24 here.
var DefaultLambdas = []float64{0, 0.001, 0.01, 0.03, 0.1, 0.25, 0.5}

// Defaults of zero fields.
const (
	DefaultDraws    = 100
	DefaultShuffles = 199
	maxLambdas      = 100
	MaxGram         = 20000 // images, of which inner products take 1.6 GB a network
)

// analysis fills in defaults, and returns an error that names the flag at fault.
func analysis(a results.Analysis) (results.Analysis, error) {
	if len(a.Lambdas) == 0 {
		a.Lambdas = DefaultLambdas
	}
	if a.Draws == 0 {
		a.Draws = DefaultDraws
	}
	if a.Seed == 0 {
		a.Seed = 1
	}
	for _, v := range []struct {
		flag  string
		value int
	}{{"draws", a.Draws}, {"shuffles", a.Shuffles}, {"gram", a.Gram}, {"groups", a.Groups}, {"clusters", a.Clusters}} {
		if v.value < 0 {
			return a, fmt.Errorf("-%s %d: it must not be negative", v.flag, v.value)
		}
	}
	if a.Gram > MaxGram {
		return a, fmt.Errorf("-gram %d: at most %d images", a.Gram, MaxGram)
	}
	if len(a.Lambdas) > maxLambdas {
		return a, fmt.Errorf("-lambdas: %d values; at most %d", len(a.Lambdas), maxLambdas)
	}
	for i, l := range a.Lambdas {
		if !(l >= 0) || math.IsInf(l, 0) {
			return a, fmt.Errorf("-lambdas %g: a penalty must be a number of at least 0", l)
		}
		if slices.Contains(a.Lambdas[:i], l) {
			return a, fmt.Errorf("-lambdas %g is given twice", l)
		}
	}
	return a, nil
}

// road is a comparison under way.
type road struct {
	Options
	folder    *results.Folder
	pairFiles bool // write matrices and tables of each pair of networks
	describe  bool // write names into moments
}

func (r *road) layerOptions(layer string) finding.Options {
	return finding.Options{Analysis: r.Analysis, Threads: r.Threads, Progress: r.observed("compare " + layer)}
}

func (r *road) plan(task string) observe.Plan {
	return observe.Plan{Groups: r.Groups, Sample: true, Patches: true, Grid: true, Gram: r.Gram, Describe: r.describe, Seed: r.Seed, Threads: r.Threads, Progress: r.observed(task)}
}

func (r *road) observed(task string) func(done, total int) {
	return func(done, total int) { r.Progress.Report(progress.Event{Task: task, Done: done, Total: total}) }
}

// layerFiles are those that a layer has beside its results.
func (r *road) layerFiles(pairs []results.Pair, patches bool) []string {
	files := []string{results.MomentsFile, results.MappingFile}
	if patches {
		files = append(files, results.PatchFiles...)
	}
	if r.pairFiles {
		for _, p := range pairs {
			for _, name := range results.PairFiles {
				files = append(files, filepath.Join(results.PairFolder(&p), name))
			}
		}
	}
	return files
}

// activationResults are what is found in one pass over activations.
type activationResults struct {
	Grids  []results.Grid
	Growth []results.Checkpoint
}

// activationFile holds them.
const activationFile = "layers/all.json"

// fromSource compares the networks of a source; epochs is how long they were trained, if
// that is known. What is known of a layer is not found again; if of any layer nothing is,
// the samples are gone through.
func (r *road) fromSource(ctx context.Context, open func() (source.Source, error), names []string, epochs int, res *results.Results) error {
	layers := make([]results.Layer, len(names))
	resumed := make([]bool, len(names))
	missing := false
	for i, name := range names {
		var err error
		if layers[i], resumed[i], err = results.Resumed[results.Layer](r.folder.Layer(name, results.LayerFile)); err != nil {
			return err
		}
		e := progress.Event{Task: "compare " + name, Total: finding.Steps()}
		if resumed[i] {
			e.Done, e.Note = e.Total, "done before"
		}
		missing = missing || !resumed[i]
		r.Progress.Report(e)
	}
	all, known, err := results.Resumed[activationResults](r.folder.Path(activationFile))
	if err != nil {
		return err
	}
	if missing || !known {
		s, err := open()
		if err != nil {
			return err
		}
		if err := r.afford(observe.Memory(s.Description(), r.plan(""))); err != nil {
			return err
		}
		o, err := observe.Run(ctx, s, r.plan("stream activations"))
		if err != nil {
			return err
		}
		for _, l := range o.Layers { // before anything is written
			if err := finding.CheckLive(l); err != nil {
				return err
			}
			l.Release()
		}
		if !known {
			if all, err = r.acrossLayers(ctx, o, epochs); err != nil {
				return err
			}
		}
		for i, l := range o.Layers {
			l.Release()
			l.Checkpoints = nil // the memory of which is free from here on
			if resumed[i] {
				continue
			}
			layer, err := r.layer(ctx, l)
			if err != nil {
				return err
			}
			layers[i] = *layer
			o.Layers[i] = nil
		}
	}
	res.Layers, res.Grids, res.Growth = layers, all.Grids, all.Growth
	return nil
}

func (r *road) acrossLayers(ctx context.Context, o *observe.Observation, epochs int) (activationResults, error) {
	return results.Resume(r.folder.Path(activationFile), nil, func() (all activationResults, err error) {
		if all.Grids, err = finding.Grids(ctx, o.Grid, finding.Options{Analysis: r.Analysis, Threads: r.Threads, Progress: r.observed("compare all layers")}); err == nil {
			all.Growth, err = finding.Growth(ctx, o.Layers, epochs, r.Seed, r.Threads)
		}
		return all, err
	})
}

// afford is an error if what is estimated to take so many bytes takes more than is allowed.
func (r *road) afford(bytes int64) error {
	return afford(r.MaxMemory, bytes, "raise it, do without intervals (-groups 1), or compare fewer layers at a time (-layers)")
}

// program is about how many bytes the program takes for itself.
const program = 24 << 20

func afford(most, bytes int64, advice string) error {
	if most == 0 || bytes <= most-program {
		return nil
	}
	about := "more than any"
	if bytes < math.MaxInt64-program {
		about = fmt.Sprintf("about %d MB of", (bytes+program)>>20+1)
	}
	return fmt.Errorf("-max-mem: this takes %s memory, more than %d MB; %s", about, most>>20, advice)
}

// layer compares all networks at one layer, and writes what people may want: the joint
// moments, the most activating patches, and the mapping between the first two networks.
func (r *road) layer(ctx context.Context, l *observe.Layer) (*results.Layer, error) {
	dir := r.folder.Layer(l.Name)
	layer, err := finding.Layer(ctx, l, r.layerOptions(l.Name), func(p *results.Pair, d *results.Detail) error {
		if p.A == 0 && p.B == 1 {
			if err := results.WriteMapping(filepath.Join(dir, results.MappingFile), d); err != nil {
				return err
			}
		}
		if r.pairFiles {
			return results.WritePair(filepath.Join(dir, results.PairFolder(p)), l.Moments, p, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if least := fewestLive(layer); r.Clusters > least {
		r.Progress.Report(progress.Event{Task: fmt.Sprintf("warning: -clusters %d: at layer %s there are not so many, since two networks have %s that are not dead", r.Clusters, l.Name, natural.Count(least, "unit"))})
	}
	if err := l.Moments.Save(filepath.Join(dir, results.MomentsFile)); err != nil {
		return nil, err
	}
	if l.Patches != nil {
		if err := l.Patches.Write(dir); err != nil {
			return nil, err
		}
	}
	if r.pairFiles {
		for i := range layer.Pairs {
			if err := results.WriteMeasures(filepath.Join(dir, results.PairFolder(&layer.Pairs[i])), &layer.Pairs[i]); err != nil {
				return nil, err
			}
		}
	}
	return results.Resume(filepath.Join(dir, results.LayerFile), r.layerFiles(layer.Pairs, l.Patches != nil), func() (*results.Layer, error) { return layer, nil })
}

// fewestLive is how many units that are not dead two networks have together at least.
func fewestLive(l *results.Layer) int {
	least := math.MaxInt
	for _, p := range l.Pairs {
		least = min(least, l.Units[p.A]-len(l.Dead[p.A])+l.Units[p.B]-len(l.Dead[p.B]))
	}
	return least
}

// finish writes the results of all layers, with what follows from all of them.
func (r *road) finish(res *results.Results) error {
	finding.FalseDiscoveries(res.Layers)
	res.Verdicts = finding.Verdicts(res.Layers)
	err := results.Write(r.folder.Dir, res)
	if err == nil && r.Finish != nil {
		err = r.Finish(r.folder.Dir)
	}
	if err != nil {
		return err
	}
	return r.folder.Commit()
}

// inputs describes files that are read. A folder stands for all that is in it.
func inputs(paths []string) ([]results.Input, error) {
	var all []results.Input
	for _, path := range paths {
		input := results.Input{Name: filepath.Base(path)}
		h := fnv.New64a()
		files := 0
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			files++
			input.Size += info.Size()
			input.Modified = info.ModTime().UnixNano()
			fmt.Fprintln(h, file[len(path):], info.Size(), input.Modified)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if files != 1 {
			input.Modified = int64(h.Sum64())
		}
		all = append(all, input)
	}
	return all, nil
}

var errFewNetworks = errors.New("a comparison needs two networks or more: convergent compare A.npy B.npy")
