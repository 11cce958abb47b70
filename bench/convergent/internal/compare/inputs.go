package compare

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// Input says where activations are.
type Input struct {
	// Networks are two or more paths: a .npy, .npz or .safetensors file, a folder of
	// them, which are shards of the samples in their natural order, or several of
	// these joined by commas. Each array of a file is a layer.
	Networks []string

	Names      []string      // of networks; nil: those of their files, or none in moments
	LayerFiles bool          // what is in a folder is one layer each, and not a shard
	Only       []string      // layers to compare; nil: all
	Layout     arrays.Layout // of arrays of rank 4
	Pool       bool          // observe means over positions, and not positions

	// Files of labels, none or one for each network: of samples, to check that rows
	// go together; of the image that each sample is of; and of units. Without them,
	// arrays named sample_ids, image_ids and LAYER.units are these.
	SampleIDs, ImageIDs, UnitNames []string
}

// The names of arrays that are labels.
const (
	sampleIDs = "sample_ids"
	imageIDs  = "image_ids"
	unitNames = ".units"
)

// network is one network's activations.
type network struct {
	path   string
	name   string
	layers []*layer
	labels arrays.Shards // what has sample_ids and image_ids, if anything has
}

// layer is one layer's activations.
type layer struct {
	network int
	name    string
	shards  arrays.Shards
	array   string
	rows    *arrays.Rows
	units   []string // names, if known

	ahead *arrays.Ahead
	data  []float32 // the samples that are being added
}

func (l *layer) String() string {
	if l.array == "" {
		return l.shards[0].Path
	}
	return fmt.Sprintf("%s: array %q", l.shards[0].Path, l.array)
}

// positions is how many observations a sample is.
func (l *layer) positions(pool bool) int {
	if pool {
		return 1
	}
	return l.rows.Positions
}

// open opens all networks and checks that they go together.
func (in Input) open() ([]*network, error) {
	for _, files := range [][]string{in.SampleIDs, in.ImageIDs, in.UnitNames} {
		if len(files) != 0 && len(files) != len(in.Networks) {
			return nil, fmt.Errorf("%d files of labels for %d networks: give one for each", len(files), len(in.Networks))
		}
	}
	if len(in.Names) != 0 && len(in.Names) != len(in.Networks) {
		return nil, fmt.Errorf("%d names for %d networks", len(in.Names), len(in.Networks))
	}
	nets := make([]*network, len(in.Networks))
	for i, path := range in.Networks {
		n, err := in.network(i, path)
		if err != nil {
			return nil, err
		}
		nets[i] = n
	}
	first := nets[0].layers[0]
	for _, n := range nets {
		for _, l := range n.layers {
			if l.rows.Samples != first.rows.Samples {
				return nil, fmt.Errorf("%v has %d samples and %v has %d; networks are compared on the same samples, in the same order", l, l.rows.Samples, first, first.rows.Samples)
			}
		}
	}
	for i, name := range in.Names {
		nets[i].name = name
	}
	rename(nets)
	return nets, nil
}

// network opens the network of the given number.
func (in Input) network(number int, path string) (*network, error) {
	n := &network{path: path, name: stem(path)}
	var err error
	if in.LayerFiles {
		err = in.folder(n)
	} else {
		err = in.file(n)
	}
	if err != nil {
		return nil, err
	}
	if len(n.layers) == 0 {
		return nil, fmt.Errorf("%s: none of the layers %q is in it", path, in.Only)
	}
	for _, l := range n.layers {
		l.network = number
		if l.rows, err = l.shards.Rows(l.array, in.Layout); err != nil {
			return nil, err
		}
		switch {
		case len(in.UnitNames) > 0 && len(n.layers) > 1:
			return nil, fmt.Errorf("%s: several layers, and one file with names of units; name them by arrays called LAYER%s", path, unitNames)
		case len(in.UnitNames) > 0:
			shards, err := arrays.OpenShards(in.UnitNames[number])
			if err == nil {
				l.units, err = shards.Labels(shards.Names()[0], l.rows.Units)
			}
			if err != nil {
				return nil, err
			}
		case slices.Contains(l.shards.Names(), l.array+unitNames):
			a, err := l.shards[0].Array(l.array + unitNames)
			if err == nil {
				l.units, err = a.Labels(l.rows.Units)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// file lists the arrays of a file, or of shards, as layers.
func (in Input) file(n *network) error {
	shards, err := arrays.OpenShards(parts(n.path)...)
	if err != nil {
		return err
	}
	n.labels = shards
	for _, array := range shards.Names() {
		if array != sampleIDs && array != imageIDs && !strings.HasSuffix(array, unitNames) {
			if err := in.add(n, &layer{name: array, shards: shards, array: array}); err != nil {
				return err
			}
		}
	}
	return nil
}

// folder lists what is in a folder as layers.
func (in Input) folder(n *network) error {
	entries, err := os.ReadDir(n.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(n.path, e.Name())
		if name := e.Name(); name[0] == '.' || !e.IsDir() && !isArrays(name) {
			continue
		}
		shards, err := arrays.OpenShards(path)
		if err != nil {
			return err
		}
		if len(shards.Names()) != 1 {
			return fmt.Errorf("%s: %d arrays, where a folder of layers has one in each file", path, len(shards.Names()))
		}
		if err := in.add(n, &layer{name: stem(path), shards: shards, array: shards.Names()[0]}); err != nil {
			return err
		}
	}
	return nil
}

// add appends a layer, by a name that can be that of a file, if it is wanted.
func (in Input) add(n *network, l *layer) error {
	if l.name == "" {
		l.name = unnamed
	}
	if len(in.Only) > 0 && !slices.Contains(in.Only, l.name) {
		return nil
	}
	l.name = strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, l.name)
	if l.name[0] == '.' {
		l.name = "_" + l.name
	}
	for _, other := range n.layers {
		if strings.EqualFold(other.name, l.name) {
			return fmt.Errorf("%s: two layers would be called %s", n.path, l.name)
		}
	}
	n.layers = append(n.layers, l)
	return nil
}

// unnamed is what a layer is called whose name is not known, or differs.
const unnamed = "activations"

// rename gives networks names that differ, and layers one name if each network has one
// only: then they are compared whatever they are called.
func rename(nets []*network) {
	seen := make(map[string]bool)
	single, same := true, true
	for i, n := range nets {
		if seen[n.name] {
			n.name = fmt.Sprintf("%s (%d)", n.name, i+1)
		}
		seen[n.name] = true
		single = single && len(n.layers) == 1
		same = same && n.layers[0].name == nets[0].layers[0].name
	}
	if single && !same {
		for _, n := range nets {
			n.layers[0].name = unnamed
		}
	}
}

// shared lists the layers that all networks have, each with those of all networks.
func (in Input) shared(nets []*network) ([][]*layer, error) {
	var all [][]*layer
	for _, l := range nets[0].layers {
		row := []*layer{l}
		for _, n := range nets[1:] {
			for _, o := range n.layers {
				if o.name == l.name {
					row = append(row, o)
				}
			}
		}
		if len(row) < len(nets) {
			continue
		}
		for _, o := range row[1:] {
			if o.rows.Positions != l.rows.Positions && !in.Pool {
				return nil, fmt.Errorf("layer %s: a sample has %d positions in %v and %d in %v; compare means over positions with -pool", l.name, l.rows.Positions, l, o.rows.Positions, o)
			}
		}
		all = append(all, row)
	}
	return all, nil
}

// samples reads the labels of samples, which are the same for all networks, and the
// numbers of their images; nil without.
func (in Input) samples(nets []*network) (ids []string, images []uint64, err error) {
	count := nets[0].layers[0].rows.Samples
	ids, err = agreed(nets, in.SampleIDs, sampleIDs, count)
	if err != nil {
		return nil, nil, err
	}
	names, err := agreed(nets, in.ImageIDs, imageIDs, count)
	if err != nil || names == nil {
		return ids, nil, err
	}
	numbers := make(map[string]uint64)
	for _, name := range names {
		if _, known := numbers[name]; !known {
			numbers[name] = uint64(len(numbers))
		}
		images = append(images, numbers[name])
	}
	return ids, images, nil
}

// agreed reads labels of samples of every network that has them, in files or as arrays
// of a name, and checks that they are the same.
func agreed(nets []*network, files []string, array string, count int) (labels []string, err error) {
	var from string
	for i, n := range nets {
		shards, name := n.labels, array
		switch {
		case len(files) > 0:
			if shards, err = arrays.OpenShards(parts(files[i])...); err != nil {
				return nil, err
			}
			if name = shards.Names()[0]; len(shards.Names()) > 1 {
				name = array
			}
		case shards == nil || !slices.Contains(shards.Names(), array):
			continue
		}
		these, err := shards.Labels(name, count)
		if err != nil {
			return nil, err
		}
		if labels == nil {
			labels, from = these, shards[0].Path
			continue
		}
		for row, label := range these {
			if label != labels[row] {
				return nil, fmt.Errorf("row %d is of %s %q in %s and of %q in %s; rows of all networks must go together: sort them alike", row, strings.TrimSuffix(array, "_ids"), labels[row], from, label, shards[0].Path)
			}
		}
	}
	return labels, nil
}

// parts splits a list of paths at commas, unless it is the path of a file.
func parts(path string) []string {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return []string{path}
	}
	return strings.Split(path, ",")
}

// stem returns the name of what is at the first of some paths, without the ending of a
// file of arrays.
func stem(path string) string {
	path = filepath.Base(parts(path)[0])
	if isArrays(path) {
		path = strings.TrimSuffix(path, filepath.Ext(path))
	}
	return path
}

// isArrays says whether a file is, by its name, one of arrays.
func isArrays(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".npy", ".npz", ".safetensors":
		return true
	}
	return false
}
