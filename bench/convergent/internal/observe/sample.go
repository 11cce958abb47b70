package observe

import (
	"cmp"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// Sample is observations at some positions of every image, in memory, so that images can
// be exchanged between networks as a whole. The positions are drawn at random, and are
// the same in all images, as far as these have them: what positions have in common, an
// exchange leaves in common.
type Sample struct {
	units    []int
	states   []State // that are sampled: Own, and others that are known
	source   *source.Description
	seed     uint64
	perImage int
	most     int             // images
	images   []*sampledImage // in the order of their first samples, at last of their identifiers
	number   map[uint64]int  // place of an image in images
}

// sampledImage is observations of one image.
type sampledImage struct {
	id    uint64
	count int         // observations so far, sampled or not
	ranks []uint64    // hashes of the observations' numbers in the image; the least are sampled
	slots []int       // those numbers
	rows  [][]float32 // by state and network: observations x units
}

// newSample samples about so many observations in given states, of so many images at most.
func newSample(d *source.Description, a source.Aligned, states []State, rows, images int, seed uint64) *Sample {
	return &Sample{units: d.Units(a), states: states, source: d, seed: seed, perImage: max(1, (rows+d.ImageCount-1)/d.ImageCount), most: images, number: make(map[uint64]int)}
}

// add samples the observations of samples of given images; all is by state and network.
func (s *Sample) add(images []uint64, all []source.Tensor, valid []bool) {
	positions := all[0].Positions
	for i, image := range images {
		id := s.source.ImageID(int(image))
		if !sampled(s.seed, id, s.source.ImageCount, s.most) {
			continue
		}
		place, known := s.number[image]
		if !known {
			place = len(s.images)
			s.number[image] = place
			s.images = append(s.images, &sampledImage{id: id, rows: make([][]float32, len(all))})
		}
		im := s.images[place]
		for p := range positions {
			slot := im.count + p
			at := i*positions + p
			if valid != nil && !valid[at] {
				continue
			}
			im.offer(source.Mix(s.seed+source.Mix(uint64(slot))), slot, s.perImage, func(k int) []float32 {
				u := all[k].Units
				return all[k].Data[at*u : (at+1)*u]
			})
		}
		im.count += positions
	}
}

// offer samples an observation if its rank is among the least.
func (im *sampledImage) offer(rank uint64, slot, limit int, row func(k int) []float32) {
	if len(im.ranks) < limit {
		im.ranks, im.slots = append(im.ranks, rank), append(im.slots, slot)
		for n := range im.rows {
			im.rows[n] = append(im.rows[n], row(n)...)
		}
		return
	}
	worst := 0
	for k, r := range im.ranks {
		if r > im.ranks[worst] {
			worst = k
		}
	}
	if rank > im.ranks[worst] {
		return
	}
	im.ranks[worst], im.slots[worst] = rank, slot
	for n := range im.rows {
		from := row(n)
		copy(im.rows[n][worst*len(from):], from)
	}
}

// finish puts images into an order that does not depend on that of the samples.
func (s *Sample) finish() {
	slices.SortStableFunc(s.images, func(a, b *sampledImage) int { return cmp.Compare(a.id, b.id) })
	s.number = nil
}

// Images is how many images are sampled.
func (s *Sample) Images() int { return len(s.images) }

// Moments returns moments of the sampled observations of all networks.
func (s *Sample) Moments() *corr.Moments {
	return s.Exchanged(s.Orders(nil))
}

// momentsRows is how many observations are gathered at a time.
const momentsRows = 3072

// Exchanged returns the same where each network sees the images in an order of its own: of
// the images that stand at the same place of these, at the positions that all of them have.
func (s *Sample) Exchanged(orders [][]int) *corr.Moments {
	m := corr.NewMoments(s.units...)
	m.Threads = 1
	data := make([][]float32, len(s.units))
	count := 0
	flush := func() {
		if err := m.Add(count, data...); err != nil {
			panic("observe: sampled activations are not finite") // which was seen to when they were added
		}
		count = 0
		for n := range data {
			data[n] = data[n][:0]
		}
	}
	images := make([]*sampledImage, len(s.units))
	for i := range s.images {
		for n, order := range orders {
			images[n] = s.images[order[i]]
		}
		for k, slot := range images[0].slots {
			at := make([]int, len(images))
			at[0] = k
			common := true
			for n := 1; n < len(images) && common; n++ {
				at[n] = k // where it is unless images have different positions
				if k >= len(images[n].slots) || images[n].slots[k] != slot {
					at[n] = slices.Index(images[n].slots, slot)
				}
				common = at[n] >= 0
			}
			if !common {
				continue
			}
			for n, im := range images {
				u := s.units[n]
				data[n] = append(data[n], im.rows[n][at[n]*u:(at[n]+1)*u]...)
			}
			if count++; count == momentsRows {
				flush()
			}
		}
	}
	flush()
	return flushed(m)
}

// Matrix returns the activations of some units of a network at all of the sampled observations,
// observations x units.
func (s *Sample) Matrix(network int, units []int) []float32 {
	rows := 0
	for _, im := range s.images {
		rows += len(im.slots)
	}
	x := make([]float32, 0, rows*len(units))
	for _, im := range s.images {
		for k := range im.slots {
			row := im.rows[network][k*s.units[network]:]
			for _, u := range units {
				x = append(x, row[u])
			}
		}
	}
	return x
}

// Together returns which of these observations stand side by side where networks a and b see the
// images in orders of their own: those at the positions that both images have.
func (s *Sample) Together(orders [][]int, a, b int) (ofA, ofB []int) {
	first := make([]int, 1, len(s.images)+1) // observation of each image
	for i, im := range s.images {
		first = append(first, first[i]+len(im.slots))
	}
	for i, x := range orders[a] {
		y := orders[b][i]
		for k, slot := range s.images[x].slots {
			if at := slices.Index(s.images[y].slots, slot); at >= 0 {
				ofA, ofB = append(ofA, first[x]+k), append(ofB, first[y]+at)
			}
		}
	}
	return ofA, ofB
}

// Rows returns about so many of the sampled observations of a network, the same of all
// networks.
func (s *Sample) Rows(network, limit int) []float32 {
	perImage := max(1, (limit+len(s.images)-1)/max(1, len(s.images)))
	u := s.units[network]
	var rows []float32
	for _, im := range s.images {
		for _, k := range im.lowest(perImage) {
			rows = append(rows, im.rows[network][k*u:(k+1)*u]...)
		}
	}
	return rows
}

// lowest returns the places of the observations of the least ranks.
func (im *sampledImage) lowest(n int) []int {
	places := make([]int, len(im.ranks))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int {
		if im.ranks[a] < im.ranks[b] {
			return -1
		}
		return 1
	})
	places = places[:min(n, len(places))]
	slices.Sort(places)
	return places
}
