package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/study"
	"github.com/convergent-go/convergent/match"
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

// Groups of images, for intervals.
const groups = 100

// Moments is the ending of files of moments.
const Moments = ".moments"

const resultsFile = "results.json"

// Run compares networks and leaves all that it finds in o.Out. The networks are arrays,
// or files of moments, a layer of all networks in each.
func Run(ctx context.Context, o Options) (*study.Artifacts, error) {
	if o.Progress == nil {
		o.Progress = func(study.Event) {}
	}
	if _, err := os.Stat(filepath.Join(o.Out, resultsFile)); err == nil && !o.Overwrite {
		return nil, fmt.Errorf("%s holds results already; choose another folder with -out, or -overwrite to replace them", o.Out)
	}
	r := &run{Options: o, results: &study.Results{Schema: study.Schema}, artifacts: new(study.Artifacts)}
	r.artifacts.Results = r.results
	var err error
	if ofMoments(o.Networks) {
		err = r.fromMoments(ctx)
	} else {
		err = r.fromArrays(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.artifacts, writeJSON(filepath.Join(o.Out, resultsFile), r.results)
}

func ofMoments(paths []string) bool {
	for _, path := range paths {
		if filepath.Ext(path) == Moments {
			return true
		}
	}
	return false
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
	k := keep{shuffles: r.Shuffles, grid: several, pool: r.Pool, seed: r.Seed, threads: r.Threads}
	if r.Resamples > 0 {
		k.groups = groups
	}
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
		r.results.Grids, err = grids(nets, p.grid)
	}
	return err
}

// fromMoments compares what moments hold: no images are known of, and so neither
// intervals nor what shuffled images would give.
func (r *run) fromMoments(ctx context.Context) error {
	r.layers = len(r.Networks)
	seen := make(map[string]bool)
	for _, path := range r.Networks {
		if filepath.Ext(path) != Moments {
			return fmt.Errorf("%s: moments and arrays are not compared with each other; make moments of all networks at once: convergent moments A.npy B.npy -o all%s", path, Moments)
		}
		m, err := corr.LoadMoments(path)
		if err != nil {
			return err
		}
		if m.Networks() < 2 {
			return fmt.Errorf("%s: moments of one network, which do not say how its units vary with those of others; they must be accumulated together: convergent moments A.npy B.npy -o all%s", path, Moments)
		}
		var units []int
		for a := range m.Networks() {
			units = append(units, m.Units(a))
			name := m.Network(a).Name
			if len(r.results.Networks) == a && len(seen) == 0 {
				r.results.Networks = append(r.results.Networks, study.Network{Name: name, File: filepath.Base(path)})
			} else if a >= len(r.results.Networks) || r.results.Networks[a].Name != name {
				return fmt.Errorf("%s: moments of other networks than those of %s", path, r.Networks[0])
			}
		}
		if m.Networks() != len(r.results.Networks) {
			return fmt.Errorf("%s: moments of other networks than those of %s", path, r.Networks[0])
		}
		if err := r.afford(corr.EstimateMemory(units...)); err != nil {
			return err
		}
		name := m.Network(0).Layer
		if name == "" || seen[name] {
			name = strings.TrimSuffix(filepath.Base(path), Moments)
		}
		if seen[name] {
			return fmt.Errorf("%s: two layers are called %s", path, name)
		}
		seen[name] = true
		if err := r.layer(ctx, &together{name: name}, m); err != nil {
			return err
		}
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
		return writePair(r.folder(t.name, p, pairs), m, p, d)
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
func (r *run) folder(layer string, p *study.Pair, pairs int) string {
	dir := r.Out
	if r.layers > 1 {
		dir = filepath.Join(dir, layer)
	}
	if pairs > 1 {
		dir = filepath.Join(dir, fmt.Sprintf("%d-%d", p.A+1, p.B+1))
	}
	return dir
}

// grids compares all layers of each two networks.
func grids(nets []*network, m *corr.Moments) ([]study.Grid, error) {
	var all []study.Grid
	first := 0 // of network a's layers in m
	for a, na := range nets {
		second := first + len(na.layers)
		for b := a + 1; b < len(nets); b++ {
			nb := nets[b]
			g := study.Grid{A: a, B: b}
			for _, l := range nb.layers {
				g.LayersB = append(g.LayersB, l.name)
			}
			for i, l := range na.layers {
				g.LayersA = append(g.LayersA, l.name)
				var cka, matched, linear []*float64
				for j := range nb.layers {
					p := m.Pair(first+i, second+j)
					of := func(f func() (float64, error)) *float64 {
						v, err := f()
						if err != nil {
							return nil // no unit is live, or there are too few images
						}
						return finite(v)
					}
					cka = append(cka, of(p.CKA))
					matched = append(matched, of(func() (float64, error) {
						best, err := match.Bipartite(p.Correlation())
						return best.Mean, err
					}))
					linear = append(linear, of(func() (float64, error) {
						v, err := p.Linear()
						return v.Mean, err
					}))
				}
				g.CKA, g.Matched, g.Linear = append(g.CKA, cka), append(g.Matched, matched), append(g.Linear, linear)
			}
			all = append(all, g)
			second += len(nb.layers)
		}
		first += len(na.layers)
	}
	return all, nil
}

// Accumulate writes moments of all networks: to the file at path, or, of several
// layers, to one for each in a folder of that name. It returns the files.
func Accumulate(ctx context.Context, o Options, path string) ([]string, error) {
	nets, err := o.open()
	if err != nil {
		return nil, err
	}
	shared, err := o.shared(nets)
	if err != nil {
		return nil, err
	}
	if len(shared) == 0 {
		return nil, errors.New("no layer is in all networks")
	}
	k := keep{pool: o.Pool, threads: o.Threads}
	if err := o.afford(memory(nets, shared, k)); err != nil {
		return nil, err
	}
	ids, _, err := o.samples(nets)
	if err != nil {
		return nil, err
	}
	p := newPass(nets, shared, k)
	err = p.read(ctx, ids, nil, func(done, total int) {
		if o.Progress != nil {
			o.Progress(study.Event{Task: "read activations", Done: done, Total: total})
		}
	})
	if err != nil {
		return nil, err
	}
	if len(o.Names) == 0 { // files of other samples have other names
		for _, n := range nets {
			n.name = ""
		}
	}
	var files []string
	for _, t := range p.together {
		file := path
		if len(p.together) > 1 {
			file = filepath.Join(path, t.name+Moments)
		}
		if err := t.total(nets).Save(file); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Merge adds moments of different samples of the same networks, and writes them.
func Merge(paths []string, path string) (*corr.Moments, error) {
	var all *corr.Moments
	for _, p := range paths {
		m, err := corr.LoadMoments(p)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = m
			continue
		}
		if err := all.Merge(m); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
	}
	if all == nil {
		return nil, errors.New("no moments to merge")
	}
	return all, all.Save(path)
}
