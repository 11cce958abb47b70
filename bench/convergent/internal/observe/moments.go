package observe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// Moments goes once through the samples of a source, of which it need not be known how many
// there are, and returns the moments of all networks at each aligned layer, with what
// networks, layers and units are called. progress, which may be nil, is told how many samples
// were added.
func Moments(ctx context.Context, s source.Source, threads int, progress func(samples int)) ([]*corr.Moments, error) {
	p := &pass{source: s.Description()}
	var all []*corr.Moments
	for _, a := range p.source.Aligned {
		m := corr.NewMoments(p.source.Units(a)...)
		m.Threads = threads
		for n, network := range p.source.Networks {
			l := p.source.LayerOf(a, n)
			m.Describe(n, corr.Network{Name: network.Name, Layer: l.Name, Units: slices.Clone(l.UnitNames)})
		}
		all = append(all, m)
	}
	done := 0
	for b, err := range s.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for i, a := range p.source.Aligned {
			if err := p.addMoments(all[i], a, b, done); err != nil {
				return nil, err
			}
		}
		done += len(b.Images)
		if progress != nil {
			progress(done)
		}
	}
	return all, nil
}

// addMoments adds a batch. What is not finite the moments find themselves, and then it is
// looked for.
func (p *pass) addMoments(m *corr.Moments, a source.Aligned, b *source.Batch, before int) error {
	all := a.Tensors(b.Networks)
	valid := validOf(b, all[0])
	r := newRows(b, all, valid)
	err := m.AddTensors(r.ids, r.tensors...)
	if err == nil {
		return nil
	}
	for n, t := range all {
		if err := finite(t, valid, b.Numbering(before), p.place(n, a.Layers[n], "")); err != nil {
			return err
		}
	}
	return fmt.Errorf("layer %s: %w", a.Name, err)
}

// MomentsMemory estimates the bytes that Moments takes.
func MomentsMemory(d *source.Description) int64 {
	bytes := d.Memory
	for _, a := range d.Aligned {
		units := d.Units(a)
		if total(units) > 1<<28 {
			return math.MaxInt64 // which that would not hold
		}
		bytes += corr.EstimateMemory(units...)
	}
	return bytes
}
