package compare

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/corr"
)

// Moments is the ending of files of moments.
const Moments = ".moments"

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

func ofMoments(paths []string) bool {
	for _, path := range paths {
		if filepath.Ext(path) == Moments {
			return true
		}
	}
	return false
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
