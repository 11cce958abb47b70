package observe

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Features are what some images are to several layers: means of units over the
// observations of an image, in memory, so that every two images can be compared, and whole
// images exchanged between layers.
type Features struct {
	Images []int       // numbers of the images, in the order of the hashes that they were drawn by
	Rows   [][]float32 // by layer: images x units

	units   []int   // of each layer
	network []int   // that each layer is of
	place   []int   // of each image by its number, among Images; -1: not drawn
	samples [][]int // by layer: of each image, so far
}

// newFeatures draws so many images, or all, by a hash of their identifiers, for layers of
// the given units of the given networks.
func newFeatures(d *source.Description, units, network []int, limit int, seed uint64) *Features {
	f := &Features{Images: make([]int, d.ImageCount), units: units, network: network, place: slices.Repeat([]int{-1}, d.ImageCount)}
	rank := make([]uint64, d.ImageCount)
	for i := range rank {
		f.Images[i], rank[i] = i, source.Mix(^seed^source.Mix(d.ImageID(i)))
	}
	slices.SortFunc(f.Images, func(a, b int) int { return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b)) })
	f.Images = f.Images[:min(limit, d.ImageCount)]
	for at, image := range f.Images {
		f.place[image] = at
	}
	for _, u := range units {
		f.Rows = append(f.Rows, make([]float32, len(f.Images)*u))
		f.samples = append(f.samples, make([]int, len(f.Images)))
	}
	return f
}

// add adds the samples of a batch, padding left out.
func (f *Features) add(threads int, b *source.Batch, all []source.Tensor) {
	par.For(par.Threads(threads), len(all), func(n int) {
		t := all[n]
		valid := validOf(b, t)
		for i, image := range b.Images {
			at := f.place[image]
			if at < 0 {
				continue
			}
			one := source.Tensor{Samples: 1, Positions: t.Positions, Units: t.Units, Data: t.Sample(i)}
			var within []bool
			if valid != nil {
				if within = valid[i*t.Positions : (i+1)*t.Positions]; !slices.Contains(within, true) {
					continue
				}
			}
			f.samples[n][at]++
			row, share := f.Rows[n][at*t.Units:], 1/float64(f.samples[n][at])
			for u, v := range one.Means(within).Data {
				row[u] += float32((float64(v) - float64(row[u])) * share)
			}
		}
	})
}

// finish leaves out images that a layer has no observation of.
func (f *Features) finish() {
	kept := 0
	for at, image := range f.Images {
		if slices.ContainsFunc(f.samples, func(samples []int) bool { return samples[at] == 0 }) {
			continue
		}
		f.Images[kept] = image
		for n, u := range f.units {
			copy(f.Rows[n][kept*u:(kept+1)*u], f.Rows[n][at*u:])
		}
		kept++
	}
	f.Images = f.Images[:kept]
	for n, u := range f.units {
		f.Rows[n] = f.Rows[n][:kept*u]
	}
	f.place, f.samples = nil, nil
}

// Exchange draws an order of the images for each network but the first, which sees them as
// they are: images that do not go together. All layers of a network have the same.
func (f *Features) Exchange(rnd *rand.Rand) [][]int {
	orders := make([][]int, len(f.network))
	for layer, network := range f.network {
		if layer > 0 && network == f.network[layer-1] {
			orders[layer] = orders[layer-1]
		} else if orders[layer] = rnd.Perm(len(f.Images)); layer == 0 {
			slices.Sort(orders[layer])
		}
	}
	return orders
}

// Pair returns the moments of two layers.
func (f *Features) Pair(a, b int) *corr.Pair {
	m := corr.NewMoments(f.units[a], f.units[b])
	m.Threads = 1
	if err := m.Add(len(f.Images), f.Rows[a], f.Rows[b]); err != nil {
		panic("observe: means of units are not finite") // which was seen to when they were added
	}
	return m.Pair(0, 1)
}

// Gram returns the inner products of the images at the given places, of all if these are nil,
// or nil where activations are too large to be squared.
func (f *Features) Gram(layer int, places []int, threads int) *corr.Gram {
	rows, units, n := f.Rows[layer], f.units[layer], len(f.Images)
	if places != nil {
		n, rows = len(places), nil
		for _, at := range places {
			rows = append(rows, f.Rows[layer][at*units:(at+1)*units]...)
		}
	}
	g := corr.NewGram(n)
	g.Threads = threads
	if err := g.Add(nil, corr.Rows(rows, n, units, units)); err != nil {
		return nil
	}
	return g
}
