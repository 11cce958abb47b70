package source

import (
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// Shard is one of the parts that the images of the samples are dealt out to, by a hash of
// their names, or without names of their numbers. Whoever has the same samples deals alike.
// The zero value is all samples.
type Shard struct{ Number, Of int } // Number is from 1 to Of

// label is [Description.label] of the samples of the shard alone, of which it also returns the
// numbers among all samples; nil: these are all.
func (s Shard) label(d *Description, l sampleNames) (ids, images []uint64, own []int, err error) {
	defer func() { d.IDs = ids }()
	if ids, images, err = d.label(l); err != nil || s.Of == 0 {
		return ids, images, nil, err
	}
	lots, all := d.Deal(s.Of, 0), *d
	number := make([]uint64, d.ImageCount) // of images of the shard
	d.ImageCount, d.ImageNames, d.Classes = 0, nil, nil
	for image, lot := range lots {
		if lot != s.Number-1 {
			continue
		}
		number[image] = uint64(d.ImageCount)
		d.ImageCount++
		if all.ImageNames != nil {
			d.ImageNames = append(d.ImageNames, all.ImageNames[image])
		}
		if all.Classes != nil {
			d.Classes = append(d.Classes, all.Classes[image])
		}
	}
	own = []int{}
	for sample, image := range images {
		if lots[image] == s.Number-1 {
			own = append(own, sample)
		}
	}
	d.Samples = len(own)
	images = pick(images, own)
	for i, image := range images {
		images[i] = number[image]
	}
	if ids != nil {
		ids = pick(ids, own)
	}
	return ids, images, own, nil
}

// pick returns the elements of the given numbers.
func pick[T any](all []T, numbers []int) []T {
	some := make([]T, len(numbers))
	for i, n := range numbers {
		some[i] = all[n]
	}
	return some
}

// pick returns the mask of the samples of the given numbers.
func (m *mask) pick(numbers []int) *mask {
	if m == nil {
		return nil
	}
	valid := make([]bool, 0, len(numbers)*m.Positions)
	for _, n := range numbers {
		valid = append(valid, m.of(n, n+1)...)
	}
	return &mask{&arrays.Mask{Samples: len(numbers), Extents: m.Extents, Positions: m.Positions, Valid: valid}, m.from}
}

// pick leaves of a tensor, in its own memory, samples of the given numbers, which rise.
func (t Tensor) pick(numbers []int) Tensor {
	if len(t.Data) == 0 { // of a layer that is not read
		return t
	}
	size := t.Positions * t.Units
	for i, n := range numbers {
		copy(t.Data[i*size:(i+1)*size], t.Sample(n))
	}
	t.Samples, t.Data = len(numbers), t.Data[:len(numbers)*size]
	return t
}

// pick leaves of a batch, of samples [lo, hi), those of the given numbers, which rise: from
// the from-th to before the to-th of them.
func (b *Batch) pick(numbers []int, lo, hi int) (from, to int) {
	from, _ = slices.BinarySearch(numbers, lo)
	to, _ = slices.BinarySearch(numbers, hi)
	b.Numbers = numbers[from:to]
	within := slices.Clone(b.Numbers)
	for i := range within {
		within[i] -= lo
	}
	for _, networks := range [][][]Tensor{b.Networks, b.BeforeReLU, b.Baseline} {
		for _, layers := range networks {
			for k := range layers {
				layers[k] = layers[k].pick(within)
			}
		}
	}
	if b.Valid != nil {
		b.Valid = (&mask{Mask: &arrays.Mask{Positions: len(b.Valid) / (hi - lo), Valid: b.Valid}}).pick(within).Valid
	}
	return from, to
}
