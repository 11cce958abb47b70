package observe

import (
	"context"
	"fmt"
	"iter"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// Between is a layer of networks of so many units that nothing is held of what is within one:
// its samples are gone through once for what is known of single units, and as often as is asked
// for the correlations between those of two networks, of as many units at a time as memory
// allows.
type Between struct {
	*Layer // without moments; its sample is of betweenSample observations
	Rows   int64
	Live   [][]int     // by network, the units that ever change
	Means  [][]float64 // by network, of all units

	plan    BetweenPlan
	source  source.Source
	aligned source.Aligned
}

// BetweenPlan says how a layer is gone through.
type BetweenPlan struct {
	Groups    int // of images, for intervals; 0: as many as there are good for these; 1: none
	Seed      uint64
	Threads   int
	MaxMemory int64 // bytes; 0: no limit
	Progress  func(what string, done, total int)
}

// How much is held of many units. Chance is drawn at betweenSample observations, about, and of as
// many images at most, for so many units of a network beside all of another's.
const (
	betweenSample = 1024
	ChanceUnits   = 256

	matchingBytes = 2048 // of each unit, while it is matched: its candidates
	leastPart     = 32   // units at a time: with fewer, reading takes longer than multiplying
)

// NewBetween returns the i-th aligned layers of a source, of which nothing is read yet. It is an
// error if they take more than there may be.
func NewBetween(s source.Source, i int, plan BetweenPlan) (*Between, error) {
	d := s.Description()
	b := &Between{Layer: newLayer(d, d.Aligned[i]), plan: plan, source: s, aligned: d.Aligned[i]}
	groups := plan.Groups
	if groups == 0 {
		groups = mostGroups
	}
	b.groups, b.Folds, _ = assignGroups(d, max(1, min(max(groups, halves), d.ImageCount)), plan.Seed)
	for x := range b.Units {
		for y := x + 1; y < len(b.Units); y++ {
			if _, err := b.divide(x, y); err != nil {
				return nil, err
			}
		}
	}
	if takes := b.sampleMemory() + b.drawMemory(); plan.MaxMemory > 0 && takes > plan.MaxMemory {
		return nil, b.tooMuch(takes)
	}
	return b, nil
}

// halved reports whether units are matched on halves of the images too.
func (b *Between) halved() bool { return b.plan.Groups != 1 && len(b.Folds) >= halves }

// Halves are the folds that units are matched on beside all images; none where intervals were
// not asked for, or images are too few.
func (b *Between) Halves() []int {
	if !b.halved() {
		return nil
	}
	return []int{0, 1}
}

// Survey goes through the samples for what is known of single units, and samples observations.
func (b *Between) Survey(ctx context.Context) error {
	p := &pass{source: b.source.Description()}
	b.Sample = newSample(p.source, b.aligned, []State{Own}, betweenSample, betweenSample, b.plan.Seed)
	singles := make([]*corr.CrossMoments, len(b.Units)) // each network beside a unit of its own
	for n, units := range b.Units {
		singles[n] = corr.NewCrossMoments(units, 1)
		singles[n].Threads = b.plan.Threads
	}
	done := 0
	for batch, err := range b.batches(ctx, "look at units") {
		if err != nil {
			return err
		}
		all := b.aligned.Tensors(batch.Networks)
		valid, number := validOf(batch, all[0]), batch.Numbering(done)
		for n, t := range all {
			if err := finite(t, valid, number, p.place(n, b.aligned.Layers[n], "")); err != nil {
				return err
			}
		}
		b.Sample.add(batch.Images, all, valid)
		for n, t := range newRows(batch, all, valid).tensors {
			if err := singles[n].AddTensors(nil, t, t.Units(0, 1)); err != nil {
				return fmt.Errorf("layer %s: %w", b.Name, err)
			}
		}
		done += len(batch.Images)
	}
	b.Sample.finish()
	for _, m := range singles {
		m.Close()
		b.Rows = m.Count()
		b.Live, b.Means = append(b.Live, m.Live(0)), append(b.Means, m.Mean(0))
	}
	return nil
}

// batches goes through the samples, and says so.
func (b *Between) batches(ctx context.Context, what string) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		done := 0
		for batch, err := range b.source.Batches(ctx) {
			if !yield(batch, err) || err != nil {
				return
			}
			done += len(batch.Images)
			b.Report(what, done, b.source.Description().Samples)
		}
	}
}

// Report says how far something is.
func (b *Between) Report(what string, done, total int) {
	if b.plan.Progress != nil {
		b.plan.Progress(what, done, total)
	}
}

// rows goes through the observations of all images, or of a fold of them; -1: all.
func (b *Between) rows(ctx context.Context, fold int, what string) iter.Seq2[rows, error] {
	return func(yield func(rows, error) bool) {
		for batch, err := range b.batches(ctx, what) {
			if err != nil {
				yield(rows{}, err)
				return
			}
			all := b.aligned.Tensors(batch.Networks)
			if !yield(newRows(batch, all, b.ofFold(fold, batch, all[0])), nil) {
				return
			}
		}
	}
}

// ofFold is the mask of the observations of a fold; nil: all.
func (b *Between) ofFold(fold int, batch *source.Batch, t source.Tensor) []bool {
	valid := validOf(batch, t)
	if fold < 0 {
		return valid
	}
	mask := make([]bool, t.Samples*t.Positions)
	for at := range mask {
		image := batch.Images[at/t.Positions]
		mask[at] = b.Folds[b.groups[image]] == fold && (valid == nil || valid[at])
	}
	return mask
}
