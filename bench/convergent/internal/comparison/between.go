package comparison

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/finding"
	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// betweenOptions are those of a comparison of what is between networks alone, or an error that
// names the flag that asks for more.
func betweenOptions(in source.Options, a results.Analysis) (results.Analysis, error) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"-before-relu", len(in.BeforeReLU) > 0}, {"-baseline", len(in.Baseline) > 0}, {"-images", in.Pictures != ""}, {"-lambdas", len(a.Lambdas) > 0}, {"-clusters", a.Clusters > 0},
	} {
		if f.set {
			return a, fmt.Errorf("%s: -between computes nothing within networks, and has no use for it; leave out either", f.name)
		}
	}
	a, err := analysis(a)
	a.Lambdas, a.Gram = []float64{}, 0
	return a, err
}

// between compares the networks of a source, layer after layer, by what is between them alone.
func (r *road) between(ctx context.Context, opened source.Source, res *results.Results) error {
	d := opened.Description()
	if len(d.Aligned) == 0 {
		return errors.New("no layer is in all networks; say which go together by -pair or -by-order")
	}
	all := make([]*observe.Between, len(d.Aligned))
	for i, a := range d.Aligned {
		s := opened
		if arrays, ok := opened.(*source.Arrays); ok {
			s = arrays.Layer(i)
		}
		var err error
		all[i], err = observe.NewBetween(s, i, observe.BetweenPlan{Groups: r.Groups, Seed: r.Seed, Threads: r.Threads, MaxMemory: r.MaxMemory, Progress: func(what string, done, total int) {
			r.Progress.Report(progress.Event{Task: "compare " + a.Name + ": " + what, Done: done, Total: total})
		}})
		if err != nil {
			return err
		}
		for _, line := range all[i].Plan() {
			r.Progress.Report(progress.Event{Task: line})
		}
	}
	for i, b := range all {
		layer, known, err := results.Resumed[*results.Layer](r.folder.Layer(b.Name, results.LayerFile))
		if err == nil && !known {
			layer, err = r.betweenLayer(ctx, b)
		}
		if err != nil {
			return err
		}
		res.Layers = append(res.Layers, *layer)
		all[i] = nil
	}
	return nil
}

// betweenLayer compares all networks at one layer, and writes who is matched.
func (r *road) betweenLayer(ctx context.Context, b *observe.Between) (*results.Layer, error) {
	layer, err := finding.Between(ctx, b, finding.Options{Analysis: r.Analysis, Threads: r.Threads})
	if err != nil {
		return nil, err
	}
	dir := r.folder.Layer(b.Name)
	var files []string
	for i := range layer.Pairs {
		folder := results.PairFolder(&layer.Pairs[i])
		if err := results.WriteBetween(filepath.Join(dir, folder), &layer.Pairs[i]); err != nil {
			return nil, err
		}
		for _, name := range results.BetweenFiles {
			files = append(files, filepath.Join(folder, name))
		}
	}
	return results.Resume(filepath.Join(dir, results.LayerFile), files, func() (*results.Layer, error) { return layer, nil })
}
