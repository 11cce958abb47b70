package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// compare makes every comparison at every layer. What is known of a layer is not found
// again; if of any layer nothing is, the images are run through the networks.
func (r *run) compare(ctx context.Context) ([]Layer, error) {
	layers := make([]Layer, len(r.Layers))
	missing := false
	for i, name := range r.Layers {
		err := artifact.Unseal(filepath.Join(r.Out, "layers", name, layerFile), &layers[i])
		switch {
		case errors.Is(err, os.ErrNotExist):
			missing = true
			r.report(Event{Task: "compare " + name, Total: r.comparisons()})
		case err != nil:
			return nil, err
		default:
			r.report(Event{Task: "compare " + name, Done: r.comparisons(), Total: r.comparisons(), Note: "done before"})
		}
	}
	if !missing {
		return layers, nil
	}
	observed, err := r.observe(ctx)
	if err != nil {
		return nil, err
	}
	for i, o := range observed {
		if layers[i].Name != "" {
			continue
		}
		l, err := r.compareLayer(ctx, o)
		if err != nil {
			return nil, err
		}
		layers[i] = *l
	}
	return layers, nil
}

// compareLayer makes every comparison at one layer.
func (r *run) compareLayer(ctx context.Context, o *observed) (*Layer, error) {
	dir := filepath.Join(r.Out, "layers", o.layer)
	m := closed(o.groups.Total())
	c := Comparison{Lambdas: r.Lambdas, Clusters: r.Clusters, Draws: r.Draws, Seed: r.Seed, Threads: r.Threads,
		Progress: func(done, _ int) {
			r.report(Event{Task: "compare " + o.layer, Done: done, Total: r.comparisons()})
		}}
	l, err := c.Layer(ctx, o.layer, m, func(p *Pair, d *Detail) error {
		if p.A != 0 || p.B != 1 {
			return nil
		}
		return saveMapping(filepath.Join(dir, mappingFile), d)
	})
	if errors.Is(err, errDead) {
		return nil, fmt.Errorf("%w; train longer or at a lower -rate", err)
	}
	if err != nil {
		return nil, err
	}
	f := &findings{observed: o, threads: r.Threads, draws: r.Draws, resamples: r.Resamples, lambdas: r.Lambdas,
		moments: m, before: closed(o.untrained.Total()), layer: l}
	for _, s := range o.shuffles.Moments() {
		f.shuffled = append(f.shuffled, closed(s))
	}
	for i, claim := range f.claims() {
		if err := claim(ctx); err != nil {
			return nil, fmt.Errorf("layer %s: %w", o.layer, err)
		}
		r.report(Event{Task: "compare " + o.layer, Done: r.pairs() + i + 1, Total: r.comparisons()})
	}
	return l, artifact.Seal(filepath.Join(dir, layerFile), l, momentsFile, mappingFile, patchesFile, sheetFile)
}

// comparisons is how many steps a layer takes.
func (r *run) comparisons() int { return r.pairs() + len(new(findings).claims()) }

// saveMapping writes the LASSO's weights at the lambda that is shown.
func saveMapping(path string, d *Detail) error {
	rows, cols := d.W.Dims()
	return safetensors.Save(path, &safetensors.File{Tensors: []safetensors.Tensor{
		{Name: "lambda", Shape: []int{1}, F64: []float64{d.Lambda}},
		{Name: "weights", Shape: []int{rows, cols}, F64: d.W.RawMatrix().Data},
	}})
}
