package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/bench/convergent/internal/graph"
	"github.com/convergent-go/convergent/internal/natural"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn/onnx"
)

// Models are ONNX networks that are run on images, or on other inputs.
type Models struct {
	options     Options
	feed        feed
	models      []*model
	baseline    []*model   // the same before training; nil if there is none
	nets        []*network // their layers
	description Description
	ids, images []uint64
	own         []int // numbers of the samples among all, where some are left out
	mask        *mask
	batch       int // samples at a time
	notes       []string
}

// feed has what networks are shown.
type feed interface {
	samples() int
	prepare(m *model) error                                      // finds out how the inputs of a network are made
	load(ctx context.Context, lo, hi int) error                  // makes some samples ready
	inputs(m *model) (inputs map[string]*onnx.Tensor, err error) // of a network, of these samples
	describe(m *Models) error
	Close() error
}

// model is a network that is run.
type model struct {
	*onnx.Model
	path, name string
	fixed      int // samples that its input has, neither more nor fewer; 0: any number
	graph      *graph.Graph
	layers     []graph.Layer
	taps       []string
	pre        dataset.Preprocess // of images
	channels   int                // of its input
	last       bool               // they are its last axis
}

// OpenModels reads ONNX networks, finds their layers, and checks that they go together with
// each other and with what they are shown. Errors name the file, and the layer or input.
func OpenModels(ctx context.Context, o Options) (*Models, error) {
	m := &Models{options: o}
	if err := m.open(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Models) open(ctx context.Context) error {
	o := m.options
	if f := firstFlag([]flag{
		{"-layout", len(o.Layouts) > 0}, {"-layer-files", o.LayerFiles}, {"-shards", o.Shards}, {"-bfloat16", o.BFloat16}, {"-before-relu", len(o.BeforeReLU) > 0}, {"-sample-ids", len(o.SampleIDs) > 0}, {"-image-ids", len(o.ImageIDs) > 0},
		{"-classes", len(o.Classes) > 0}, {"-unit-names", len(o.UnitNames) > 0}, {"-mask", len(o.Masks) > 0},
	}); f != "" {
		return fmt.Errorf("%s: it is about files of activations, and ONNX networks are run", f)
	}
	if err := cmp.Or(o.oneEach("-names", o.Names), o.oneEach("-baseline", o.Baseline)); err != nil {
		return err
	}
	if n := len(o.Run.Presets); n > 1 && n != len(o.Networks) {
		return fmt.Errorf("-preprocess: %d for %d networks: give one, or one for each", n, len(o.Networks))
	}
	var err error
	if m.feed, err = o.Run.openFeed(); err != nil {
		return err
	}
	if m.models, err = m.load(ctx, o.Networks, ""); err != nil {
		return err
	}
	if err := m.choose(); err != nil {
		return err
	}
	for _, x := range m.models {
		n := &network{path: x.path, name: x.name}
		for _, l := range x.layers {
			n.layers = append(n.layers, &layer{name: l.Name, path: x.path, size: Layer{Name: l.Name, Units: l.Units(), Extents: l.Extents(), Field: m.field(x, l)}})
		}
		m.nets = append(m.nets, n)
	}
	o.sizesDiffer = true
	if m.description.Aligned, err = o.align(m.nets); err != nil {
		return err
	}
	if m.baseline, err = m.load(ctx, o.Baseline, "-baseline: "); err != nil {
		return err
	}
	if err := m.matchBaseline(); err != nil {
		return err
	}
	return m.describe()
}

// load reads networks, and finds out what they compute of the first samples.
func (m *Models) load(ctx context.Context, paths []string, flag string) ([]*model, error) {
	var all []*model
	names := m.options.names(paths)
	for i, path := range paths {
		if !IsModel(path) {
			return nil, fmt.Errorf("%s%s is no .onnx file; networks that are run and files of activations are not compared with each other", flag, path)
		}
		read, err := onnx.Load(path)
		if err != nil {
			return nil, fmt.Errorf("%s%w", flag, err)
		}
		x := &model{Model: read, path: path, name: names[i]}
		x.Threads, x.MemoryLimit = par.Threads(m.options.Run.Threads), m.options.Run.MaxMemory
		if err := m.analyse(ctx, x); err != nil {
			return nil, fmt.Errorf("%s%s: %w", flag, path, err)
		}
		all = append(all, x)
	}
	return all, nil
}

// analyse finds the layers of a network, by running it on two samples: of one, it would not
// be known which axis the samples are. A network may turn out to take one at a time.
func (m *Models) analyse(ctx context.Context, x *model) error {
	if err := m.feed.prepare(x); err != nil {
		return err
	}
	channels := -1
	if x.channels > 0 {
		channels = 1
		if x.last {
			channels = 3
		}
	}
	counts := []int{min(2, m.feed.samples()), 1}
	if x.fixed > 0 {
		counts = []int{x.fixed}
	}
	var err error
	for _, n := range counts {
		if err := m.feed.load(ctx, 0, min(n, m.feed.samples())); err != nil {
			return err
		}
		inputs, failed := m.feed.inputs(x)
		if failed != nil {
			return failed
		}
		for name, t := range inputs {
			inputs[name] = slice(t, 0, n)
		}
		var g *graph.Graph
		g, failed = graph.New(ctx, x.Model, inputs, n, channels)
		if failed == nil {
			x.graph = g
			if n == 1 && len(counts) > 1 && counts[0] > 1 {
				x.fixed = 1
			}
			return nil
		}
		if err == nil {
			err = failed
		}
	}
	return beyond(err)
}

// beyond says what to do about a run that takes too much memory.
func beyond(err error) error {
	if errors.Is(err, onnx.ErrMemory) {
		return fmt.Errorf("%w; raise -max-mem", err)
	}
	return err
}

// choose finds the layers that are compared.
func (m *Models) choose() error {
	patterns := m.options.Only
	nearest := make(map[string][]string) // names, by pattern, of networks that have none of it
	for _, x := range m.models {
		layers, missing, err := x.graph.Choose(patterns)
		if err != nil {
			return fmt.Errorf("-layers: %s: %w", x.path, err)
		}
		x.layers = layers
		for pattern, name := range missing {
			nearest[pattern] = append(nearest[pattern], fmt.Sprintf("%s of %s", name, x.name))
		}
	}
	for _, pattern := range patterns {
		if len(nearest[pattern]) == len(m.models) {
			return fmt.Errorf("-layers: no network has a layer %q; the nearest names are %s; convergent layers FILE.onnx lists all", pattern, strings.Join(slices.Compact(nearest[pattern]), ", "))
		}
	}
	for _, x := range m.models {
		switch {
		case len(x.layers) == 0 && len(patterns) > 0:
			return fmt.Errorf("%s: none of the layers that -layers names is in it; convergent layers %s lists all", x.path, x.path)
		case len(x.layers) == 0:
			return fmt.Errorf("%s: it has no nonlinearity and no residual sum; choose layers by -layers, of those that convergent layers %s lists", x.path, x.path)
		}
	}
	return nil
}

// matchBaseline finds the layers of the networks before training.
func (m *Models) matchBaseline() error {
	for i, b := range m.baseline {
		own := m.models[i]
		b.layers = make([]graph.Layer, len(own.layers)) // as those of the network
		for _, a := range m.description.Aligned {
			want := own.layers[a.Layers[i]]
			k := slices.IndexFunc(b.graph.Layers, func(l graph.Layer) bool { return l.Name == want.Name })
			switch {
			case k < 0:
				return fmt.Errorf("-baseline: %s has no layer %s, which is compared", b.path, want.Name)
			case !slices.Equal(b.graph.Layers[k].Shape[1:], want.Shape[1:]):
				return fmt.Errorf("-baseline: layer %s has shape %v in %s and %v in %s; they must be of the same network", want.Name, b.graph.Layers[k].Shape, b.path, want.Shape, own.path)
			}
			b.layers[a.Layers[i]] = b.graph.Layers[k]
		}
	}
	return nil
}

// field is the part of the pictures that a position sees: the whole, if that is not known
// or is all of it. Pictures are as the first network sees them.
func (m *Models) field(x *model, l graph.Layer) *ReceptiveField {
	first := m.models[0].pre
	if x.channels == 0 || x.pre.Height != first.Height || x.pre.Width != first.Width || x.pre.Resize != first.Resize {
		return nil
	}
	size := l.Field.End - l.Field.Offset
	if l.Field.Stride == 0 || size >= min(first.Height, first.Width) {
		return &ReceptiveField{Size: max(first.Height, first.Width)}
	}
	return &ReceptiveField{Size: size, Stride: l.Field.Stride, Offset: l.Field.Offset}
}

// batchBytes is about how much the activations of a batch take.
const batchBytes = 256 << 20

// mostBatch is how many samples are in a batch at most, unless more are asked for.
const mostBatch = 64

// describe tells what there is.
func (m *Models) describe() error {
	d := &m.description
	d.Samples = m.feed.samples()
	for i, x := range m.models {
		n := Network{Name: x.name, File: filepath.Base(x.path)}
		for _, l := range m.nets[i].layers {
			size := l.size
			if m.options.Pool {
				size.Extents = nil
			}
			n.Layers = append(n.Layers, size)
		}
		d.Networks = append(d.Networks, n)
	}
	d.Baseline = m.baseline != nil
	for i := range d.Aligned {
		a := &d.Aligned[i]
		a.Linear = m.options.Pool || !m.rectified(m.models, *a) || d.Baseline && !m.rectified(m.baseline, *a)
		d.BeforeReLU = d.BeforeReLU || !a.Linear
	}
	d.BaselineBeforeReLU = d.Baseline && d.BeforeReLU
	m.tap()
	var perSample int64
	all := slices.Concat(m.models, m.baseline)
	for _, x := range all {
		for _, name := range x.taps {
			perSample += 4 * x.graph.Size(name)
		}
		files := append([]string{x.path}, x.Files()...)
		for _, path := range files {
			if info, err := os.Stat(path); err == nil {
				d.Memory += info.Size()
			}
		}
		d.Files, d.Models = append(d.Files, files...), append(d.Models, files)
	}
	m.batch = m.options.Run.Batch
	if m.batch == 0 {
		m.batch = int(max(1, min(mostBatch, batchBytes/max(1, perSample))))
	}
	m.batch = min(m.batch, d.Samples)
	// As the network computes them, as they are handed out, and what is at work.
	d.Memory += 3 * int64(m.batch) * perSample
	if err := m.feed.describe(m); err != nil {
		return err
	}
	m.notes = append(m.notes, m.omitted()...)
	return nil
}

// rectified reports whether aligned layers of all networks are outputs of a ReLU.
func (m *Models) rectified(models []*model, a Aligned) bool {
	for i, x := range models {
		if x.layers[a.Layers[i]].Rectified == "" {
			return false
		}
	}
	return true
}

// tap lists the tensors that are read.
func (m *Models) tap() {
	for _, models := range [][]*model{m.models, m.baseline} {
		for i, x := range models {
			add := func(name string) {
				if name != "" && !slices.Contains(x.taps, name) {
					x.taps = append(x.taps, name)
				}
			}
			for _, l := range x.layers {
				add(l.Tensor)
			}
			for _, a := range m.description.Aligned {
				if !a.Linear {
					add(x.layers[a.Layers[i]].Rectified)
				}
			}
		}
	}
}

// omitted says which layers are in the grid alone.
func (m *Models) omitted() []string {
	var lines []string
	for i, x := range m.models {
		var names []string
		for k, l := range x.layers {
			if !slices.ContainsFunc(m.description.Aligned, func(a Aligned) bool { return a.Layers[i] == k }) {
				names = append(names, l.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		const most = 6
		text := strings.Join(names[:min(most, len(names))], ", ")
		if n := len(names) - most; n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		lines = append(lines, fmt.Sprintf("%s: of %s, %d without a partner of this name and size in all other networks, in the grid alone: %s", x.name, natural.Count(len(x.layers), "layer"), len(names), text))
	}
	return lines
}

// Description says what there is.
func (m *Models) Description() *Description { return &m.description }

// Close closes the images.
func (m *Models) Close() error {
	if m.feed == nil {
		return nil
	}
	return m.feed.Close()
}

// Reading says how each network is run.
func (m *Models) Reading() []string {
	var lines []string
	for _, x := range m.models {
		line := fmt.Sprintf("%s: %s, %s", x.name, natural.Count(m.description.Samples, "sample"), natural.Count(len(x.layers), "layer"))
		if x.channels > 0 {
			line += fmt.Sprintf("; images %v", x.pre)
		}
		lines = append(lines, line)
	}
	return append(lines, m.notes...)
}

// Warnings says nothing.
func (m *Models) Warnings() []string { return nil }

// Preprocessing is what is done to the images of each network; nil where there are none.
func (m *Models) Preprocessing() []dataset.Preprocess {
	var all []dataset.Preprocess
	for _, x := range m.models {
		if x.channels > 0 {
			all = append(all, x.pre)
		}
	}
	return all
}

// Batches runs the samples through all networks, these side by side.
func (m *Models) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		all := slices.Concat(m.models, m.baseline)
		threads := par.Threads(m.options.Run.Threads)
		for _, x := range all {
			x.Threads = max(1, threads/len(all))
		}
		for lo := 0; lo < m.description.Samples; lo += m.batch {
			b, err := m.run(ctx, all, threads, lo, min(m.description.Samples, lo+m.batch))
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// run computes a batch.
func (m *Models) run(ctx context.Context, all []*model, threads, lo, hi int) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.feed.load(ctx, lo, hi); err != nil {
		return nil, err
	}
	outs, errs := make([]map[string]Tensor, len(all)), make([]error, len(all))
	valid := m.mask.of(lo, hi)
	par.For(threads, len(all), func(i int) {
		inputs, err := m.feed.inputs(all[i])
		if err == nil {
			outs[i], err = all[i].run(ctx, inputs, hi-lo, func(t Tensor, at int) Tensor {
				switch {
				case !m.options.Pool:
					return t
				case valid == nil || t.Positions == 1:
					return t.Means(nil)
				}
				return t.Means(valid[at*t.Positions:])
			})
		}
		if err != nil {
			errs[i] = fmt.Errorf("%s: %w", all[i].path, beyond(err))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	b := &Batch{Networks: tensors(m.models, outs, func(l graph.Layer) string { return l.Tensor })}
	rectified := func(l graph.Layer) string { return l.Rectified }
	if m.description.BeforeReLU {
		b.BeforeReLU = tensors(m.models, outs, rectified)
	}
	if m.baseline != nil {
		outs = outs[len(m.models):]
		b.Baseline = tensors(m.baseline, outs, func(l graph.Layer) string { return l.Tensor })
		if m.description.BaselineBeforeReLU {
			b.BaselineBeforeReLU = tensors(m.baseline, outs, rectified)
		}
	}
	b.Images = m.images[lo:hi]
	if m.own != nil {
		b.Numbers = m.own[lo:hi]
	}
	if m.ids != nil {
		b.IDs = m.ids[lo:hi]
	}
	if !m.options.Pool {
		b.Valid = valid
	}
	return b, nil
}

// tensors are those of layers, by network; empty where nothing was tapped.
func tensors(models []*model, outs []map[string]Tensor, of func(graph.Layer) string) [][]Tensor {
	all := make([][]Tensor, len(models))
	for i, x := range models {
		for _, l := range x.layers {
			all[i] = append(all[i], outs[i][of(l)])
		}
	}
	return all
}

// run computes the activations of n samples, in as many runs as the network takes; observed
// makes of those from sample at on what is handed out.
func (x *model) run(ctx context.Context, inputs map[string]*onnx.Tensor, n int, observed func(t Tensor, at int) Tensor) (map[string]Tensor, error) {
	step := n
	if x.fixed > 0 {
		step = x.fixed
	}
	all := make(map[string]Tensor, len(x.taps))
	for lo := 0; lo < n; lo += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := make(map[string]*onnx.Tensor, len(inputs))
		for name, t := range inputs {
			part[name] = slice(t, lo, lo+step)
		}
		out, err := x.RunContext(ctx, part, x.taps)
		if err != nil {
			return nil, err
		}
		for _, name := range x.taps {
			if out[name] == nil {
				return nil, fmt.Errorf("tensor %q is in a branch that is not taken here", name)
			}
			t := observed(unitsLast(out[name], x.graph.Axis(name), min(step, n-lo)), lo)
			if before, begun := all[name]; begun {
				t.Samples, t.Data = before.Samples+t.Samples, append(before.Data, t.Data...)
			} else if t.Samples < n {
				t.Data = append(make([]float32, 0, n*t.Positions*t.Units), t.Data...)
			}
			all[name] = t
		}
	}
	return all, nil
}

// unitsLast returns the first samples of a tensor whose units are along the given axis.
func unitsLast(t *onnx.Tensor, axis, samples int) Tensor {
	outer, inner := 1, 1 // positions before and after the units, of a sample
	for i, size := range t.Shape[1:] {
		switch {
		case i+1 < axis:
			outer *= size
		case i+1 > axis:
			inner *= size
		}
	}
	units := t.Shape[axis]
	out := Tensor{Samples: samples, Positions: outer * inner, Units: units, Data: t.Data.([]float32)[:samples*outer*inner*units]}
	if inner == 1 {
		return out
	}
	data := make([]float32, len(out.Data))
	for at := 0; at < len(data); at += units * inner {
		transpose(data[at:][:units*inner], out.Data[at:][:units*inner], units, inner)
	}
	out.Data = data
	return out
}

// transpose sets dst, columns x rows, to src, rows x columns: a few columns at a time, so
// that what is written stays in the cache until it is whole.
func transpose(dst, src []float32, rows, columns int) {
	const block = 16
	for lo := 0; lo < columns; lo += block {
		hi := min(columns, lo+block)
		for r := range rows {
			for c, v := range src[r*columns+lo : r*columns+hi] {
				dst[(lo+c)*rows+r] = v
			}
		}
	}
}

// slice returns samples [lo, hi) of an input; beyond its end, the last again and again.
func slice(t *onnx.Tensor, lo, hi int) *onnx.Tensor {
	n := t.Shape[0]
	if lo == 0 && hi == n {
		return t
	}
	shape := slices.Clone(t.Shape)
	shape[0] = hi - lo
	data := reflect.ValueOf(t.Data) // a slice of any type
	size, end := data.Len()/n, data.Len()
	part := data.Slice3(lo*size, min(hi*size, end), end) // of no more capacity: what is appended goes to a copy
	for range hi - n {
		part = reflect.AppendSlice(part, data.Slice(end-size, end))
	}
	return onnx.NewTensor(part.Interface(), shape...)
}
