package source

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// labelled is where a network has labels: shards, and the name of an array in them; nil
// if it has none.
func (n *network) labelled(files []string, number int, array string) (arrays.Shards, string, error) {
	if len(files) > 0 {
		shards, err := arrays.OpenShards(parts(files[number])...)
		if err != nil {
			return nil, "", err
		}
		for _, s := range shards {
			n.files = append(n.files, s.Path)
		}
		if len(shards.Names()) == 1 {
			array = shards.Names()[0]
		}
		return shards, array, nil
	}
	if n.labels == nil || !slices.Contains(n.labels.Names(), array) {
		return nil, "", nil
	}
	return n.labels, array, nil
}

// sampleLabels reads labels of samples of every network that has them, in files or as
// arrays of a name, and checks that they are the same.
func sampleLabels(nets []*network, files []string, array string) (labels []string, err error) {
	var from string
	for i, n := range nets {
		shards, name, err := n.labelled(files, i, array)
		if err != nil {
			return nil, err
		}
		if shards == nil {
			continue
		}
		own, err := shards.Labels(name, n.layers[0].rows.Samples)
		if err != nil {
			return nil, err
		}
		if labels == nil {
			labels, from = own, shards[0].Path
			continue
		}
		for row, label := range own {
			if label != labels[row] {
				return nil, fmt.Errorf("row %d is of %s %q in %s and of %q in %s; rows of all networks must go together: sort them alike", row, strings.TrimSuffix(array, "_ids"), labels[row], from, label, shards[0].Path)
			}
		}
	}
	return labels, nil
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

// mask is which positions of samples are no padding.
type mask struct {
	positions int
	valid     []bool // samples x positions
}

// readMask reads the masks of all networks that have one, which must be the same and fit
// every layer; nil if there is none.
func (o Options) readMask(nets []*network) (*mask, error) {
	var m *mask
	var from string
	samples := nets[0].layers[0].rows.Samples
	for i, n := range nets {
		shards, name, err := n.labelled(o.Masks, i, maskArray)
		if err == nil && shards == nil {
			shards, name, err = n.labelled(nil, i, tokenMask)
		}
		if err != nil {
			return nil, err
		}
		if shards == nil {
			continue
		}
		own, err := shards.Mask(name, samples)
		if err != nil {
			return nil, err
		}
		if m == nil {
			m, from = &mask{own.Positions, own.Valid}, shards[0].Path
			continue
		}
		if own.Positions != m.positions {
			return nil, fmt.Errorf("%s: a mask of %d positions, and of %d in %s", shards[0].Path, own.Positions, m.positions, from)
		}
		for k, v := range own.Valid {
			if v != m.valid[k] {
				return nil, fmt.Errorf("%s: the mask of sample %d, position %d differs from that in %s; all networks must see the same", shards[0].Path, k/m.positions, k%m.positions, from)
			}
		}
	}
	if m == nil {
		return nil, nil
	}
	for s := range samples {
		if !slices.Contains(m.valid[s*m.positions:(s+1)*m.positions], true) {
			return nil, fmt.Errorf("%s: the mask leaves nothing of sample %d; leave such samples out", from, s)
		}
	}
	for _, n := range nets {
		for _, l := range n.layers {
			if p := l.rows.Positions; p != 1 && p != m.positions {
				return nil, fmt.Errorf("%v has %d positions, and the mask in %s has %d; choose layers by -layers", l, p, from, m.positions)
			}
		}
	}
	return m, nil
}
