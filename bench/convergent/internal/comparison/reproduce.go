package comparison

import (
	"context"
	"errors"
	"fmt"

	"github.com/convergent-go/convergent/bench/convergent/internal/finding"
	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
	"github.com/convergent-go/convergent/corr"
)

// Reproduce runs the study of the paper: it trains networks, streams their activations
// once, compares them layer by layer, and leaves results.json, tables and artifacts in
// o.Out. If Out holds a part of the same run, it goes on from there, and ends with the same
// bytes as a run that was not stopped. If it holds another run, that is an error unless
// o.Overwrite; what is not from a run is never replaced.
func Reproduce(ctx context.Context, t results.Training, o Options) (_ *results.Results, err error) {
	networks, err := train.New(train.Options{Training: t, Threads: o.Threads, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	o.Analysis.Seed = networks.Seed
	if o.Analysis, err = analysis(o.Analysis); err != nil {
		return nil, err
	}
	r := &road{Options: o}
	config := results.Config{Training: &networks.Training, Analysis: o.Analysis}
	// Before the images are read, which may take long.
	if r.folder, err = results.OpenFolder(o.Out, config, nil, o.Version, o.Overwrite); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.folder.Close()) }()
	if err := networks.Load(ctx); err != nil {
		return nil, err
	}
	if o.MaxMemory > 0 {
		memory, err := networks.Memory(func(d *source.Description) int64 { return observe.Memory(d, r.plan("")) })
		if err != nil {
			return nil, err
		}
		if err := afford(o.MaxMemory, memory, "raise it, or train on fewer images (-train), in smaller steps (-batch) or by fewer -threads"); err != nil {
			return nil, err
		}
	}
	if err := r.folder.Claim(config); err != nil {
		return nil, err
	}
	res := &results.Results{Schema: results.Schema, Config: config, Dataset: networks.Dataset()}
	if res.Networks, err = networks.Train(ctx, r.folder); err != nil {
		return nil, err
	}
	err = r.fromSource(ctx, networks.Source, networks.Layers, networks.Epochs, res)
	if errors.Is(err, finding.ErrDead) {
		err = fmt.Errorf("%w; train longer or at a lower -rate", err)
	}
	if err != nil {
		return nil, err
	}
	if res.Widths, err = r.widths(ctx, networks, res.Networks); err != nil {
		return nil, err
	}
	return res, r.finish(res)
}

// widthsFile holds what is found of other widths.
const widthsFile = "layers/widths.json"

// widthNetworks is how many networks of each width are compared.
const widthNetworks = 2

// widths compares two networks of each width.
func (r *road) widths(ctx context.Context, networks *train.Run, own []results.Network) ([]results.Width, error) {
	return results.Resume(r.folder.Path(widthsFile), nil, func() ([]results.Width, error) {
		var all []results.Width
		for _, width := range networks.AllWidths() {
			w := results.Width{Width: width, Networks: own[:widthNetworks]}
			var moments []*corr.Moments
			var err error
			if width == networks.Width {
				moments, err = r.ownMoments(networks.Layers)
			} else {
				w.Networks, moments, err = r.widthMoments(ctx, networks, width)
			}
			if err != nil {
				return nil, err
			}
			for i, layer := range networks.Layers {
				summary, err := finding.Summary(layer, moments[i], widthNetworks, r.Seed, r.Threads)
				if err != nil {
					return nil, err
				}
				w.Layers, w.Units = append(w.Layers, summary), append(w.Units, moments[i].Units(0))
			}
			all = append(all, w)
		}
		return all, nil
	})
}

// ownMoments are those of the networks that are compared, layer by layer.
func (r *road) ownMoments(layers []string) ([]*corr.Moments, error) {
	moments := make([]*corr.Moments, len(layers))
	for i, layer := range layers {
		var err error
		if moments[i], err = corr.LoadMoments(r.folder.Layer(layer, results.MomentsFile)); err != nil {
			return nil, err
		}
	}
	return moments, nil
}

// widthMoments trains two networks of another width, and runs the images through them.
func (r *road) widthMoments(ctx context.Context, networks *train.Run, width float64) ([]results.Network, []*corr.Moments, error) {
	trained, err := networks.TrainWidth(ctx, width)
	if err != nil {
		return nil, nil, err
	}
	s, err := networks.WidthSource(width)
	if err != nil {
		return nil, nil, err
	}
	o, err := observe.Run(ctx, s, observe.Plan{Groups: 1, Seed: r.Seed, Threads: r.Threads, Progress: r.observed(fmt.Sprintf("stream activations of width %g", width))})
	if err != nil {
		return nil, nil, err
	}
	var moments []*corr.Moments
	for _, l := range o.Layers {
		l.Gather()
		moments = append(moments, l.Moments)
	}
	return trained, moments, nil
}
