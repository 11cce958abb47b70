// Package observe goes once through what a source has, and accumulates all that the
// comparison of its networks needs: moments of all units, of groups of images, and of
// networks before and while they were trained; a sample of observations; the patches of
// images that activate units most; and means over positions of all layers.
package observe

import (
	"context"
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Plan says what is accumulated beside moments.
type Plan struct {
	Groups   int  // of images, for intervals and halves; 0: as many as memory allows; 1: two
	Sample   bool // observations of which images are exchanged
	Patches  bool // of what the source has pictures of
	Grid     bool // means over positions of all layers
	Gram     int  // images every two of which are compared, at most; 0: none
	Describe bool // moments say what networks, layers and units are called
	Seed     uint64
	Threads  int
	Progress func(done, total int) // samples; may be nil
}

// Layer is what was observed at aligned layers of all networks. What is nil was not
// asked for, or cannot be known from what was given.
type Layer struct {
	Name          string
	Networks      []string // what networks are called
	NetworkLayers []string // what each network calls the layer
	Units         []int
	UnitNames     [][]string
	Samples       *int64
	Positions     []int

	Moments  *corr.Moments // of all networks; nil until [Layer.Gather]
	Groups   *corr.Groups  // of images
	Sample   *Sample
	Patches  *Patches
	Features *Features // of images every two of which are compared

	Baseline    *corr.Groups // of networks before training, by the same groups of images
	Checkpoints []Checkpoint // of networks on their way, before training first if that is known

	Folds    []int    // of groups, for predictions of images held out: 0 or 1
	Quarters []int    // of groups within their fold: 0 or 1
	groups   []uint64 // those of images, by their numbers
	describe bool     // moments say what networks, layers and units are called
}

// Gather makes the moments of all images from those of groups, unless they are there: of many
// layers all moments at once would take much memory.
func (l *Layer) Gather() {
	if l.Moments != nil {
		return
	}
	l.Moments = l.Groups.Total()
	if !l.describe {
		return
	}
	for n, name := range l.NetworkLayers {
		l.Moments.Describe(n, corr.Network{Name: l.Networks[n], Layer: name, Units: slices.Clone(l.UnitNames[n])})
	}
}

// Release lets go of what Gather made.
func (l *Layer) Release() { l.Moments = nil }

// ImageGroups returns the group of each image, by its number.
func (l *Layer) ImageGroups() []uint64 { return l.groups }

// Checkpoint is networks after some epochs.
type Checkpoint struct {
	Epoch   int
	Moments *corr.Moments  // of all networks then
	Selves  []*SelfMoments // of each network, then and at the end
}

// Observation is what one pass over the samples gives.
type Observation struct {
	Layers []*Layer
	Grid   *Grid // nil if there is none
}

// Grid is the means over positions of all layers, network after network, of some images.
type Grid struct {
	Layers   [][]string // by network
	Features *Features
}

// pass is an observation under way.
type pass struct {
	Plan
	source *source.Description
	Observation
}

// Run goes through the samples of a source.
func Run(ctx context.Context, s source.Source, plan Plan) (*Observation, error) {
	p := newPass(s.Description(), plan)
	done := 0
	for b, err := range s.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if err := p.add(b, done); err != nil {
			return nil, err
		}
		done += len(b.Images)
		if p.Progress != nil {
			p.Progress(done, p.source.Samples)
		}
	}
	for _, l := range p.Layers {
		p.finish(l)
	}
	if g := p.Observation.Grid; g != nil {
		g.Features.finish()
	}
	return &p.Observation, nil
}

// finish makes the moments of a layer ready to be read, side by side too.
func (p *pass) finish(l *Layer) {
	l.Groups.Close()
	l.describe = p.Describe
	if l.Sample != nil {
		l.Sample.finish()
	}
	if l.Features != nil {
		l.Features.finish()
	}
	if l.Baseline != nil {
		l.Baseline.Close()
	}
	for i := range l.Checkpoints {
		c := &l.Checkpoints[i]
		c.Moments = flushed(c.Moments)
	}
}

// flushed returns moments of which no block is open, so that reading them takes no work.
func flushed(m *corr.Moments) *corr.Moments {
	var units []int
	for n := range m.Networks() {
		units = append(units, m.Units(n))
	}
	f := corr.NewMoments(units...)
	f.Threads = m.Threads
	if err := f.Merge(m); err != nil {
		panic("observe: moments do not fit themselves")
	}
	return f
}

func newPass(d *source.Description, plan Plan) *pass {
	p := &pass{Plan: plan, source: d}
	for _, a := range d.Aligned {
		p.Layers = append(p.Layers, p.newLayer(a))
	}
	if plan.Grid {
		p.Observation.Grid = p.newGrid()
	}
	return p
}

// newLayer returns what a source says of aligned layers.
func newLayer(d *source.Description, a source.Aligned) *Layer {
	samples := int64(d.Samples)
	first := d.LayerOf(a, 0)
	l := &Layer{Name: a.Name, Units: d.Units(a), Samples: &samples, Positions: append([]int{}, first.Extents...)}
	for n := range d.Networks {
		layer := d.LayerOf(a, n)
		l.Networks = append(l.Networks, d.Networks[n].Name)
		l.NetworkLayers = append(l.NetworkLayers, layer.Name)
		l.UnitNames = append(l.UnitNames, layer.UnitNames)
	}
	return l
}

func (p *pass) newLayer(a source.Aligned) *Layer {
	d, l := p.source, newLayer(p.source, a)
	groups := groupCount(p.Plan.Groups, l.Units, d.ImageCount)
	l.groups, l.Folds, l.Quarters = assignGroups(d, groups, p.Seed)
	l.Groups = corr.NewGroups(groups, l.Units...)
	l.Groups.Threads = p.Threads
	if p.Plan.Sample {
		l.Sample = newSample(d, a, statesOf(d, a), sampleRows, sampleImages, p.Seed)
	}
	if p.Gram > 0 {
		networks := make([]int, len(l.Units))
		for n := range networks {
			networks[n] = n
		}
		l.Features = newFeatures(d, l.Units, networks, p.Gram, p.Seed)
	}
	if p.Plan.Patches && d.Pictures != nil {
		l.Patches = newPatches(d, a, p.Threads)
	}
	if d.Baseline {
		l.Baseline = corr.NewGroups(groups, l.Units...)
		l.Baseline.Threads = p.Threads
	}
	if len(d.Checkpoints) > 0 {
		epochs := d.Checkpoints
		if d.Baseline {
			epochs = append([]int{0}, epochs...)
		}
		for _, epoch := range epochs {
			l.Checkpoints = append(l.Checkpoints, newCheckpoint(epoch, l.Units, p.Threads))
		}
	}
	return l
}

func newCheckpoint(epoch int, units []int, threads int) Checkpoint {
	c := Checkpoint{Epoch: epoch, Moments: corr.NewMoments(units...)}
	c.Moments.Threads = threads
	for _, u := range units {
		c.Selves = append(c.Selves, newSelfMoments(u))
	}
	return c
}

func (p *pass) newGrid() *Grid {
	g := new(Grid)
	var units, networks []int
	several := false
	for i, n := range p.source.Networks[:min(len(p.source.Networks), gridNetworks)] {
		var names []string
		for _, l := range n.Layers {
			names = append(names, l.Name)
			units, networks = append(units, l.Units), append(networks, i)
		}
		g.Layers = append(g.Layers, names)
		several = several || len(names) > 1
	}
	if !several {
		return nil
	}
	g.Features = newFeatures(p.source, units, networks, gridLimit(len(units), total(units)), p.Seed)
	return g
}

// add observes a batch, before which so many samples came.
func (p *pass) add(b *source.Batch, before int) error {
	for i, l := range p.Layers {
		if err := p.addLayer(l, p.source.Aligned[i], b, before); err != nil {
			return err
		}
	}
	if p.Observation.Grid == nil {
		return nil
	}
	var all []source.Tensor
	for n, layers := range p.Observation.Grid.Layers {
		for k := range layers {
			t := b.Networks[n][k]
			if err := finite(t, validOf(b, t), b.Numbering(before), p.place(n, k, "")); err != nil {
				return err
			}
			all = append(all, t)
		}
	}
	p.Observation.Grid.Features.add(p.Threads, b, all)
	return nil
}

func (p *pass) addLayer(l *Layer, a source.Aligned, b *source.Batch, before int) error {
	all := a.Tensors(b.Networks)
	valid, number := validOf(b, all[0]), b.Numbering(before)
	for n, t := range all {
		if err := finite(t, valid, number, p.place(n, a.Layers[n], "")); err != nil {
			return err
		}
	}
	for _, state := range statesOf(p.source, a)[1:] {
		for n, t := range state.tensors(a, b) {
			if err := finite(t, valid, number, p.place(n, a.Layers[n], state.String())); err != nil {
				return err
			}
		}
	}
	if p.source.BeforeReLU && !a.Linear {
		for n, input := range a.Tensors(b.BeforeReLU) {
			if err := rectified(all[n], input, valid, number, p.place(n, a.Layers[n], "")); err != nil {
				return err
			}
		}
	}
	r := newRows(b, all, valid)
	if err := l.Groups.AddTensors(r.ids, groupsOf(l.groups, r.images), r.tensors...); err != nil {
		return fmt.Errorf("layer %s: %w", l.Name, err)
	}
	if l.Sample != nil {
		var states []source.Tensor
		for _, state := range l.Sample.states {
			states = append(states, state.tensors(a, b)...)
		}
		l.Sample.add(b.Images, states, valid)
	}
	if l.Features != nil {
		l.Features.add(p.Threads, b, all)
	}
	if l.Patches != nil {
		for n, t := range all {
			l.Patches.add(n, t, valid, before)
		}
	}
	if l.Baseline != nil {
		base := a.Tensors(b.Baseline)
		for n, t := range base {
			if err := finite(t, valid, number, p.place(n, a.Layers[n], " before training")); err != nil {
				return err
			}
		}
		rows := newRows(b, base, valid)
		if err := l.Baseline.AddTensors(rows.ids, groupsOf(l.groups, rows.images), rows.tensors...); err != nil {
			return fmt.Errorf("layer %s before training: %w", l.Name, err)
		}
	}
	sets := b.Checkpoints
	if l.Baseline != nil {
		sets = append([][][]source.Tensor{b.Baseline}, sets...)
	}
	for k, c := range l.Checkpoints {
		checkpoint := a.Tensors(sets[k])
		r := newRows(b, checkpoint, valid)
		if err := c.Moments.AddTensors(r.ids, r.tensors...); err != nil {
			return fmt.Errorf("layer %s after epoch %d: %w", l.Name, c.Epoch, err)
		}
		par.For(par.Threads(p.Threads), len(c.Selves), func(n int) { c.Selves[n].add(checkpoint[n], all[n], valid) })
	}
	return nil
}

// place says which layer of which network an activation is of.
func (p *pass) place(network, layer int, state string) string {
	n := p.source.Networks[network]
	return fmt.Sprintf("network %s (%s)%s, layer %s", n.Name, n.File, state, n.Layers[layer].Name)
}

// FromMoments is what is known of a layer from moments alone: no images, and so neither
// intervals, nor predictions of images held out, nor exchanges.
func FromMoments(m *corr.Moments, name string, networks []string) *Layer {
	l := &Layer{Name: name, Networks: networks, Moments: flushed(m)}
	for n := range m.Networks() {
		of := m.Network(n)
		if of.Layer == "" {
			of.Layer = name
		}
		l.NetworkLayers = append(l.NetworkLayers, of.Layer)
		l.Units = append(l.Units, m.Units(n))
		l.UnitNames = append(l.UnitNames, of.Units)
	}
	return l
}
