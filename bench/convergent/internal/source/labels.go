package source

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// labelled is where a network has labels: in its file, or beside its layers; false if it
// has none.
func (n *network) labelled(files []string, number int, name string) (labels, bool, error) {
	if number >= len(files) {
		l, ok := n.labels[name]
		return l, ok, nil
	}
	shards, err := arrays.OpenShards(parts(files[number])...)
	if err != nil {
		return labels{}, false, err
	}
	for _, s := range shards {
		n.files = append(n.files, s.Path)
	}
	if len(shards.Names()) == 1 {
		name = shards.Names()[0]
	}
	return labels{shards, name}, true, nil
}

// sampleLabels reads labels of samples of every network that has them, in files, one for
// each of the first networks, or as arrays of a name, and checks that they are the same.
func sampleLabels(nets []*network, samples int, files []string, name string) (all []string, err error) {
	var from string
	for i, n := range nets {
		l, ok, err := n.labelled(files, i, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		own, err := l.shards.Labels(l.array, samples)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all, from = own, l.shards[0].Path
			continue
		}
		for row, label := range own {
			if label != all[row] {
				return nil, fmt.Errorf("row %d is of %s %q in %s and of %q in %s; rows of all networks must go together: sort them alike", row, strings.TrimSuffix(name, "_ids"), all[row], from, label, l.shards[0].Path)
			}
		}
	}
	return all, nil
}

// checkDistinct returns an error if an identifier stands twice, where each sample counts as
// one of its own; rows has those of all samples before, and is added to.
func checkDistinct(rows map[string]int, ids []string) error {
	for _, id := range ids {
		if other, ok := rows[id]; ok {
			return fmt.Errorf("rows %d and %d are both of sample %q; if several rows are of one image or text, give these as image_ids (-image-ids)", other, len(rows), id)
		}
		rows[id] = len(rows)
	}
	return nil
}

// Identify returns the number of an identifier, its hash.
func Identify(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// identifyAll returns a number for each identifier; nil for none.
func identifyAll(ids []string) []uint64 {
	if ids == nil {
		return nil
	}
	numbers := make([]uint64, len(ids))
	for i, id := range ids {
		numbers[i] = Identify(id)
	}
	return numbers
}

// imageNumbers returns the number of the image that each of some samples is of, in the
// order of their first samples, and the labels of the images. Without labels, each sample
// is an image.
func imageNumbers(labels []string, samples int) (numbers []uint64, images []string) {
	numbers = make([]uint64, samples)
	if labels == nil {
		for i := range numbers {
			numbers[i] = uint64(i)
		}
		return numbers, nil
	}
	number := make(map[string]uint64)
	for i, label := range labels {
		n, known := number[label]
		if !known {
			n = uint64(len(number))
			number[label] = n
			images = append(images, label)
		}
		numbers[i] = n
	}
	return numbers, images
}

// imageClasses numbers the classes of images, in the order of their names. It is an error
// if samples of an image are of different classes.
func imageClasses(labels []string, images []uint64, count int) ([]int, error) {
	if labels == nil {
		return nil, nil
	}
	names := slices.Sorted(slices.Values(labels))
	names = slices.Compact(names)
	all := slices.Repeat([]int{-1}, count)
	for i, label := range labels {
		class, _ := slices.BinarySearch(names, label)
		if before := all[images[i]]; before >= 0 && before != class {
			return nil, fmt.Errorf("sample %d is of class %q, and another of the same image of class %q", i, label, names[before])
		}
		all[images[i]] = class
	}
	return all, nil
}

// sampleNames are what labels say of samples: what each is, of which image and of which
// class, and which of its positions count; each nil if it is not known.
type sampleNames struct {
	ids, images, classes []string
	mask                 *mask
}

// readLabels reads the labels of samples of all networks, which must be the same.
func (o Options) readLabels(nets []*network, samples int) (l sampleNames, err error) {
	if l.ids, err = sampleLabels(nets, samples, o.SampleIDs, sampleIDs); err != nil {
		return l, err
	}
	if l.images, err = sampleLabels(nets, samples, o.ImageIDs, imageIDs); err != nil {
		return l, err
	}
	if l.mask, err = o.readMask(nets, samples); err != nil {
		return l, err
	}
	l.classes, err = sampleLabels(nets, samples, o.Classes, classes)
	return l, err
}

// label notes what labels say of the images, and returns numbers of the samples, nil if they
// are not known, and of their images.
func (d *Description) label(l sampleNames) (ids, images []uint64, err error) {
	if l.images == nil {
		if err := checkDistinct(make(map[string]int), l.ids); err != nil {
			return nil, nil, err
		}
	}
	images, d.ImageNames = imageNumbers(l.images, d.Samples)
	d.ImageCount = len(d.ImageNames)
	if l.images == nil {
		d.ImageCount, d.ImageNames = d.Samples, l.ids
	}
	d.Classes, err = imageClasses(l.classes, images, d.ImageCount)
	return identifyAll(l.ids), images, err
}

// mask is which positions of samples are no padding.
type mask struct {
	*arrays.Mask
	from string // the file
}

// of are the positions of samples [lo, hi) that are no padding; nil without a mask: all.
func (m *mask) of(lo, hi int) []bool {
	if m == nil {
		return nil
	}
	return m.Valid[lo*m.Positions : hi*m.Positions]
}

// readMask reads the masks of all networks that have one, those before training included,
// which must be the same; nil if there is none.
func (o Options) readMask(nets []*network, samples int) (*mask, error) {
	var m *mask
	for i, n := range nets {
		l, ok, err := n.labelled(o.Masks, i, maskArray)
		if err == nil && !ok {
			l, ok, err = n.labelled(nil, i, tokenMask)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		path := l.shards[0].Path
		own, err := l.shards.Mask(l.array, samples)
		if err != nil {
			return nil, err
		}
		if m == nil {
			m = &mask{own, path}
			continue
		}
		if own.Positions != m.Positions || !sameExtents(own.Extents, m.Extents) {
			return nil, fmt.Errorf("%s: a mask of %v positions, and of %v in %s", path, own.Extents, m.Extents, m.from)
		}
		for k, v := range own.Valid {
			if v != m.Valid[k] {
				return nil, fmt.Errorf("%s: the mask of sample %d, position %d differs from that in %s; all networks must see the same", path, k/m.Positions, k%m.Positions, m.from)
			}
		}
	}
	return m, nil
}

// fits returns an error unless the mask leaves something of every sample, and has the
// positions of every layer.
func (m *mask) fits(nets []*network, samples int) error {
	for s := range samples {
		if !slices.Contains(m.of(s, s+1), true) {
			return fmt.Errorf("%s: the mask leaves nothing of sample %d; leave such samples out", m.from, s)
		}
	}
	for _, n := range nets {
		for _, l := range n.layers {
			if p := l.size.Positions(); p != 1 && (p != m.Positions || !sameExtents(l.size.Extents, m.Extents)) {
				return fmt.Errorf("%v has %v positions, and the mask in %s has %v; choose layers by -layers", l, l.size.Extents, m.from, m.Extents)
			}
		}
	}
	return nil
}
