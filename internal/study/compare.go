package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// compare makes every comparison at one layer, from its moments alone.
func (r *run) compare(ctx context.Context, name string) (*Layer, error) {
	dir := filepath.Join(r.Out, "layers", name)
	l := new(Layer)
	if err := readJSON(filepath.Join(dir, layerFile), l); err == nil {
		r.report(Event{Task: "compare " + name, Done: r.pairs(), Total: r.pairs(), Note: "done before"})
		return l, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	m, err := corr.LoadMoments(filepath.Join(dir, momentsFile))
	if err != nil {
		return nil, err
	}
	c := Comparison{Lambdas: r.Lambdas, Clusters: r.Clusters, Draws: r.Draws, Seed: r.Seed, Threads: r.Threads,
		Progress: func(done, total int) {
			r.report(Event{Task: "compare " + name, Done: done, Total: total})
		}}
	l, err = c.Layer(ctx, name, m, func(p *Pair, d *Detail) error {
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
	return l, artifact.WriteJSON(filepath.Join(dir, layerFile), l)
}

// saveMapping writes the LASSO's weights at the lambda that is shown.
func saveMapping(path string, d *Detail) error {
	rows, cols := d.W.Dims()
	return safetensors.Save(path, &safetensors.File{Tensors: []safetensors.Tensor{
		{Name: "lambda", Shape: []int{1}, F64: []float64{d.Lambda}},
		{Name: "weights", Shape: []int{rows, cols}, F64: d.W.RawMatrix().Data},
	}})
}
