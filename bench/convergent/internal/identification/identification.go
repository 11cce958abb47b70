// Package identification asks, of networks of one architecture, which layer of another
// network a layer is most similar to: the test of measures of Kornblith, Norouzi, Lee and
// Hinton ("Similarity of Neural Network Representations Revisited", ICML 2019, section 6.1),
// who say that it should be the corresponding one.
//
// A representation is the activations of a layer, flattened: each channel at each position
// is a feature. There may be more features than images, so all is done on matrices of
// images x images: the inner products K = XX^T of centred features X, kernels of the
// distances that these give, and projections P onto what features span. Matrices of ten
// networks do not fit in memory; they are written to files, and read once, piece by piece,
// for all inner products of any two.
package identification

import (
	"context"
	"fmt"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/internal/par"
)

// Schema is that of a Result.
const Schema = "convergent.identification/1"

// Result is how often layers are identified.
type Result struct {
	Schema   string            `json:"schema"`
	Images   int               `json:"images"`
	Networks []results.Network `json:"networks"`
	Layers   []Layer           `json:"layers"`
	// Tables are of decisions among all layers, and among those that do not span
	// everything, if these are others.
	Tables []Table `json:"tables"`
}

// Layer is a layer of all networks.
type Layer struct {
	Name      string `json:"name"`
	Features  int    `json:"features"`
	Dimension []int  `json:"dimension"` // of what features span, by network, of the first; at most one less than images
}

// Table is measures of the same layers.
type Table struct {
	Layers   []string  `json:"layers"`
	Measures []Measure `json:"measures"`
}

// Measure is how often layers are identified by a measure of similarity.
type Measure struct {
	Name      string `json:"name"`
	Networks  int    `json:"networks"`  // the first of them
	Decisions int    `json:"decisions"` // of a layer of a network, in another network

	// Identified is the share in which the corresponding layer is more similar than all
	// others, with an interval over other networks, if there are three or more.
	Identified float64  `json:"identified"`
	Low        *float64 `json:"low,omitempty"`
	High       *float64 `json:"high,omitempty"`
	// TiesAtRandom is the share that is to be expected if one of several layers that are
	// all most similar is taken at random.
	TiesAtRandom float64 `json:"ties_at_random"`

	Similarity [][]float64 `json:"similarity"` // mean, by layer and layer of the other
	Chosen     [][]float64 `json:"chosen"`     // the share of decisions, by layer and layer chosen
}

// Options say what to do with memory, files and threads.
type Options struct {
	Matrices string // folder for matrices; those that are there already are not made again
	Spans    int    // of how many networks, the first, regressions and canonical correlations are found
	Threads  int    // 0: all
	Progress progress.Func
}

// run is an identification under way.
type run struct {
	Networks
	images   int
	features []int // of each layer
	matrices string
	threads  int
	progress progress.Func
}

// Run identifies layers.
func Run(ctx context.Context, s Networks, o Options) (*Result, error) {
	trained, err := s.Trained()
	if err != nil {
		return nil, err
	}
	names, networks := s.LayerNames(), len(trained)
	r := &run{Networks: s, images: s.Looked(), features: s.Features(), matrices: o.Matrices, threads: par.Threads(o.Threads), progress: o.Progress}
	switch {
	case networks < 2 || len(names) < 2:
		return nil, fmt.Errorf("%d networks of %d layers: there is nothing to choose", networks, len(names))
	case r.images < 4:
		return nil, fmt.Errorf("%d images, where 4 are needed", r.images)
	}
	res := &Result{Schema: Schema, Images: r.images, Networks: trained}
	for l, name := range names {
		res.Layers = append(res.Layers, Layer{Name: name, Features: r.features[l]})
	}
	var all []*representation
	for i := range trained {
		of, err := r.representations(ctx, i)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	var spans []*span
	for i := range min(networks, o.Spans) {
		of, err := r.spans(ctx, i, all[i*len(names):(i+1)*len(names)])
		if err != nil {
			return nil, err
		}
		for l, x := range of {
			res.Layers[l].Dimension = append(res.Layers[l].Dimension, x.Dimension)
		}
		spans = append(spans, of...)
	}
	products, err := r.multiply(ctx, all, spans)
	if err != nil {
		return nil, err
	}
	truncated, err := r.svcca(ctx, spans, len(names))
	if err != nil {
		return nil, err
	}
	every, bounded := []int{}, []int{}
	for l := range names {
		every = append(every, l)
		everything := false
		for i := l; i < len(spans); i += len(names) {
			everything = everything || spans[i].everything()
		}
		if !everything {
			bounded = append(bounded, l)
		}
	}
	sets := [][]int{every}
	if len(bounded) > 1 && len(bounded) < len(every) {
		sets = append(sets, bounded)
	}
	for _, layers := range sets {
		var t Table
		for _, l := range layers {
			t.Layers = append(t.Layers, names[l])
		}
		for _, m := range measures(networks, all, spans, products, truncated) {
			t.Measures = append(t.Measures, decide(m, len(names), layers))
		}
		res.Tables = append(res.Tables, t)
	}
	return res, nil
}
