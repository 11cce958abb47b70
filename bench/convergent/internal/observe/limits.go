package observe

import (
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// How much is held of a layer. Intervals take a matrix of covariances for each group of images,
// though not all of them at a time; of many units there are fewer groups, as many as share
// groupElements, but for the least that an interval needs.
const (
	halves        = 2 // groups of images at least, for predictions of those held out
	leastGroups   = 10
	mostGroups    = 25
	groupElements = 1 << 22

	sampleRows   = 8192 // observations of which images are exchanged, about: as many positions of every image
	sampleImages = 8192 // images that are exchanged at most

	// WorkMatrices of all units are there at a time, about, while a layer is compared
	WorkMatrices = 10

	gridNetworks = 4       // whose layers are all compared with all
	gridImages   = 2048    // that they are compared by at most
	gridElements = 1 << 28 // of these images' means and inner products, but for the least there are
	leastGrid    = 256     // images
)

// gridLimit is how many images so many layers of so many units in total are compared by.
func gridLimit(layers, units int) int {
	n := leastGrid
	for n < gridImages && n*(units+layers*n) < gridElements {
		n++
	}
	return n
}

func total(units []int) int {
	n := 0
	for _, u := range units {
		n += u
	}
	return n
}

// groupCount is how many groups of images there are, if so many are asked for.
func groupCount(asked int, units []int, images int) int {
	p := total(units)
	n := asked
	if asked == 0 {
		n = max(leastGroups, min(mostGroups, groupElements/max(1, p*p)))
	}
	return max(1, min(max(n, halves), images))
}

// Memory estimates the bytes that observing takes, and comparing one layer after another.
func Memory(d *source.Description, plan Plan) int64 {
	// More than any machine has, and than an int64 holds.
	var products float64
	for _, a := range d.Aligned {
		p := float64(total(d.Units(a)))
		products += float64(p * p)
	}
	if matrices := 2*WorkMatrices + 2*max(mostGroups, plan.Groups) + len(d.Checkpoints); products*float64(8*matrices) > 1<<60 {
		return math.MaxInt64
	}
	bytes := d.Memory
	var work int64 // at one layer at a time
	for _, a := range d.Aligned {
		units := d.Units(a)
		p := int64(total(units))
		rows := int64(d.Samples) * int64(d.LayerOf(a, 0).Positions())
		groups := corr.EstimateGroups(groupCount(plan.Groups, units, d.ImageCount), rows, units...)
		matrix := corr.EstimateMemory(units...) / 2
		own := matrix
		if plan.Sample { // the layer is compared
			own *= WorkMatrices
		}
		if d.Baseline {
			groups, own = 2*groups, 2*own
		}
		bytes += groups + matrix*int64(len(d.Checkpoints))
		if plan.Sample {
			// Those of activations are kept in units of variance 1 as well.
			bytes += 4 * p * int64(1+len(statesOf(d, a))) * min(rows, int64(max(sampleRows, min(d.ImageCount, sampleImages))))
		}
		if plan.Gram > 0 {
			// Inner products, those of kernels, ranks, and what these are found from.
			n := int64(min(d.ImageCount, plan.Gram))
			bytes += 4 * p * n
			own += int64(len(units))*(4+4+4)*n*n + 6*n*n
		}
		work = max(work, own)
	}
	if plan.Grid {
		layers, units, deepest, wide, widest := 0, 0, 0, 0, 0 // of all; layers and units of one network; units of one layer
		for _, network := range d.Networks[:min(len(d.Networks), gridNetworks)] {
			own := 0
			for _, l := range network.Layers {
				own, widest = own+l.Units, max(widest, l.Units)
			}
			layers, units = layers+len(network.Layers), units+own
			deepest, wide = max(deepest, len(network.Layers)), max(wide, own)
		}
		images := int64(min(d.ImageCount, gridLimit(layers, units)))
		bytes += 4 * images * int64(units)
		// First all layers of one network beside one of another, its span, and two layers on each
		// thread; then inner products of all layers of one beside those of one of another.
		w, rank := int64(widest), min(int64(widest), images)
		matched := 4*images*(int64(wide)+w+rank) + 8*images*(w+rank) + 3*8*rank*rank + int64(par.Threads(plan.Threads))*(4+8)*w*w
		work = max(work, matched, 4*int64(deepest+1)*images*images)
	}
	return bytes + work
}

// sampled reports whether an image is among those that are exchanged: all of so many, or as
// many as there may be at most, about, by a hash of its identifier.
func sampled(seed, id uint64, images, most int) bool {
	return images <= most || float64(source.Mix(^seed^source.Mix(id))) < math.Ldexp(float64(most), 64)/float64(images)
}
