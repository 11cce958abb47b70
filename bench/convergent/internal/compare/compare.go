package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/spectral"
)

// Options say what to compare, and how.
type Options struct {
	Input
	study.Comparison // its Progress is not used

	Resamples int // of images, for intervals; 0: none
	Shuffles  int // of images, for the null of measures; 0: none

	Out       string // folder; made if missing
	Overwrite bool   // replace other results in Out
	MaxMemory int64  // refuse what is estimated to take more bytes; 0: no limit

	Progress func(study.Event) // may be nil; calls do not overlap
}

const resultsFile = "results.json"

// Run compares networks and leaves all that it finds in o.Out. The networks are arrays,
// or files of moments, a layer of all networks in each.
func Run(ctx context.Context, o Options) (*study.Artifacts, error) {
	if o.Progress == nil {
		o.Progress = func(study.Event) {}
	}
	if err := artifact.Writable(o.Out); err != nil {
		return nil, err
	}
	unlock, err := artifact.Lock(o.Out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := o.claim(); err != nil {
		return nil, err
	}
	r := &run{Options: o, results: &study.Results{Schema: study.Schema}, artifacts: new(study.Artifacts)}
	r.artifacts.Results = r.results
	if ofMoments(o.Networks) {
		err = r.fromMoments(ctx)
	} else {
		err = r.fromArrays(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.artifacts, artifact.WriteJSON(filepath.Join(o.Out, resultsFile), r.results)
}

// claim makes the output folder, and removes what another comparison left in it if that
// is wanted, its results first: without these, a folder is not finished.
func (o *Options) claim() error {
	path := filepath.Join(o.Out, resultsFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !o.Overwrite {
		return fmt.Errorf("%s holds results already; choose another folder with -out, or -overwrite to replace them", o.Out)
	}
	var old study.Results
	if err := json.Unmarshal(b, &old); err != nil || old.Config != nil {
		return fmt.Errorf("%s is not from this command; choose another folder with -out", path)
	}
	stale := []string{path}
	for _, l := range old.Layers {
		for _, p := range l.Pairs {
			dir := folder(o.Out, len(old.Layers), len(l.Pairs), l.Name, &p)
			for _, name := range pairFiles {
				stale = append(stale, filepath.Join(dir, name))
			}
		}
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// run is a comparison under way.
type run struct {
	Options
	results   *study.Results
	artifacts *study.Artifacts
	layers    int // that are compared: with several, each has a folder
}

func (r *run) fromArrays(ctx context.Context) error {
	if len(r.Networks) < 2 {
		return errors.New("a comparison needs two networks or more: convergent compare A.npy B.npy")
	}
	nets, err := r.open()
	if err != nil {
		return err
	}
	shared, err := r.shared(nets)
	if err != nil {
		return err
	}
	several := false
	for i, n := range nets {
		several = several || len(n.layers) > 1
		r.results.Networks = append(r.results.Networks, study.Network{Name: n.name, File: filepath.Base(r.Networks[i])})
	}
	k := keep{intervals: r.Resamples > 0, shuffles: r.Shuffles, grid: several, pool: r.Pool, seed: r.Seed, threads: r.Threads}
	if err := r.afford(memory(nets, shared, k)); err != nil {
		return err
	}
	ids, images, err := r.samples(nets)
	if err != nil {
		return err
	}
	p := newPass(nets, shared, k)
	err = p.read(ctx, ids, images, func(done, total int) {
		r.Progress(study.Event{Task: "read activations", Done: done, Total: total})
	})
	if err != nil {
		return err
	}
	r.layers = len(p.together)
	for _, t := range p.together {
		if err := r.layer(ctx, t, t.total(nets)); err != nil {
			return err
		}
	}
	if p.grid != nil {
		names := make([][]string, len(nets))
		for i, n := range nets {
			for _, l := range n.layers {
				names[i] = append(names[i], l.name)
			}
		}
		r.results.Grids = study.Grids(names, p.grid)
	}
	return nil
}

func (o *Options) afford(bytes int64) error {
	if o.MaxMemory > 0 && bytes > o.MaxMemory {
		return fmt.Errorf("this takes about %d MB of memory, more than the %d MB of -max-mem; raise it, do without intervals (-resamples 0) and shuffled images (-shuffles 0), or compare fewer layers at a time (-layers)", bytes>>20, o.MaxMemory>>20)
	}
	return nil
}

// layer compares all networks at one layer.
func (r *run) layer(ctx context.Context, t *together, m *corr.Moments) error {
	task := "compare " + t.name
	data := study.LayerData{Name: t.name}
	pairs := m.Networks() * (m.Networks() - 1) / 2
	done := 0
	l, err := r.Comparison.Layer(ctx, t.name, m, func(p *study.Pair, d *study.Detail) error {
		var err error
		p.Measures, err = t.measure(ctx, m, p.A, p.B, r.Resamples, r.Seed, func(at, draws int) {
			r.Progress(study.Event{Task: task, Done: done*draws + at, Total: pairs*draws + 1})
		})
		if err != nil {
			return err
		}
		done++
		if data.W == nil {
			data.W, data.WLambda = d.W, d.Lambda
		}
		return writePair(folder(r.Out, r.layers, pairs, t.name, p), m, p, d)
	})
	if err != nil {
		return err
	}
	for a := range m.Networks() {
		l.UnitNames = append(l.UnitNames, m.Network(a).Units)
	}
	r.Progress(study.Event{Task: task, Done: 1, Total: 1})
	data.Correlation, data.Means = study.Joint(m)
	if data.Tree, err = spectral.AverageLinkage(spectral.MappingGraph(data.W)); err != nil {
		return err
	}
	r.results.Layers = append(r.results.Layers, *l)
	r.artifacts.Layers = append(r.artifacts.Layers, data)
	return nil
}

// folder is where files of a pair of networks go: the output folder, if there is but
// one pair and one layer.
func folder(out string, layers, pairs int, layer string, p *study.Pair) string {
	if layers > 1 {
		out = filepath.Join(out, layer)
	}
	if pairs > 1 {
		out = filepath.Join(out, fmt.Sprintf("%d-%d", p.A+1, p.B+1))
	}
	return out
}
