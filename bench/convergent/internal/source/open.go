package source

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/internal/natural"
)

// Options say where activations are and how they are read.
type Options struct {
	// Networks are two or more paths: a .npy, .npz or .safetensors file, a folder of
	// them, which are shards of the samples in their natural order, or several of
	// these joined by commas. Each array of a file is a layer.
	Networks []string

	Names      []string       // of networks; nil: those of their files
	LayerFiles bool           // what is in a folder is one layer each
	Shards     bool           // what is in a folder are shards, whatever their names
	BFloat16   bool           // what has two bytes and no type is bfloat16
	Only       []string       // layers to compare; nil: all
	Layouts    arrays.Layouts // of arrays of rank 3 to 5
	Pool       bool           // observe means over positions, and not positions

	// Pairings align layers of different names, NETWORK:LAYER=NETWORK:LAYER, with one
	// layer of every network in each; ByOrder aligns the first layers of all networks,
	// the second, and so on. Without either, those of one name are aligned.
	Pairings []string
	ByOrder  bool

	// Files of labels, none or one for each network: of samples, to check that rows
	// go together; of the image that each sample is of, and of its class; and of units.
	// Without them, arrays named sample_ids, image_ids, classes and LAYER.units are these. Masks say which
	// positions of a sample are no padding; else an array named mask or attention_mask
	// does.
	SampleIDs, ImageIDs, Classes, UnitNames, Masks []string

	BeforeReLU []string // what the ReLU made the activations of, none or one for each network
	Baseline   []string // the same networks before training, none or one for each
	Pictures   string   // a folder or zip of the images that the samples are

	Run Run // where networks are ONNX files

	Shard Shard // of the samples

	sizesDiffer bool // layers of one name but different positions are not aligned; else an error

	batches arrays.Shards // of a stream, in the place of files
}

// The names of arrays that are labels.
const (
	sampleIDs = "sample_ids"
	imageIDs  = "image_ids"
	classes   = "classes"
	maskArray = "mask" // or, as Hugging Face's tokenizers call it, attention_mask
	tokenMask = "attention_mask"
	unitNames = ".units"
)

// network is one network's activations.
type network struct {
	path   string
	name   string
	layers []*layer
	labels map[string]labels // by name: sample_ids and the like, if it has any
	files  []string
}

// labels are an array of them.
type labels struct {
	shards arrays.Shards
	array  string
}

// isLabel says whether an array of a name and rank is no layer, among others of all these
// names: LAYER.units are names of units only if they are a list and there is that layer.
func isLabel(name string, rank int, all map[string]bool) bool {
	of, ok := strings.CutSuffix(name, unitNames)
	return name == sampleIDs || name == imageIDs || name == classes || name == maskArray || name == tokenMask || ok && rank == 1 && all[of]
}

// layer is one layer's activations.
type layer struct {
	name   string // as its array or file is called
	path   string // where it is from
	size   Layer  // its units and positions
	shards arrays.Shards
	array  string
	rows   *arrays.Rows
	units  []string // names, if they are known

	rounding *arrays.Rounding // of means over positions, if these are observed

	ahead *arrays.Ahead
}

func (l *layer) String() string {
	switch {
	case l.shards == nil:
		return fmt.Sprintf("%s: layer %s", l.path, l.name)
	case l.array == "":
		return l.shards[0].Path
	}
	return fmt.Sprintf("%s: array %q", l.shards[0].Path, l.array)
}

// open opens all networks and checks that they go together.
func (o Options) open() ([]*network, error) {
	if len(o.Networks) == 0 {
		return nil, errors.New("no activations are given")
	}
	err := cmp.Or(o.oneEach("-sample-ids", o.SampleIDs), o.oneEach("-image-ids", o.ImageIDs), o.oneEach("-classes", o.Classes), o.oneEach("-unit-names", o.UnitNames),
		o.oneEach("-mask", o.Masks), o.oneEach("-before-relu", o.BeforeReLU), o.oneEach("-baseline", o.Baseline), o.oneEach("-names", o.Names))
	if err != nil {
		return nil, err
	}
	nets, err := o.openNamed()
	if err != nil {
		return nil, err
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(nets, func(n *network) bool { return n.layer(name) != nil }) {
			return nil, fmt.Errorf("-layers: no network has a layer %q; %s", name, layersNear(name, nets))
		}
	}
	for _, n := range nets {
		if len(o.Only) > 0 {
			all := layerLists([]*network{n})
			n.layers = slices.DeleteFunc(n.layers, func(l *layer) bool { return !slices.Contains(o.Only, l.name) })
			if len(n.layers) == 0 {
				return nil, fmt.Errorf("%s: none of the layers that -layers names is in it; %s", n.path, all)
			}
		}
		if err := o.openRows(n); err != nil {
			return nil, err
		}
	}
	return nets, sameSamples(nets)
}

// openNamed lists the layers of networks, which it names.
func (o Options) openNamed() ([]*network, error) {
	if o.batches != nil {
		return o.streamed()
	}
	nets, err := o.openAll(o.Networks)
	if err == nil {
		for i, name := range o.names(o.Networks) {
			nets[i].name = name
		}
	}
	return nets, err
}

// oneEach is an error unless a flag is given for no network, or once for each.
func (o Options) oneEach(flag string, given []string) error {
	if n := len(given); n != 0 && n != len(o.Networks) {
		return fmt.Errorf("%s: %d for %d networks: give one for each", flag, n, len(o.Networks))
	}
	return nil
}

// names are what networks at some paths are called, as the options say or by their files.
func (o Options) names(paths []string) []string {
	if len(o.Names) > 0 {
		return Distinguish(o.Names)
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = stem(path)
	}
	return Distinguish(names)
}

// openAll lists the layers of networks.
func (o Options) openAll(paths []string) ([]*network, error) {
	nets := make([]*network, len(paths))
	for i, path := range paths {
		n := &network{path: path, name: stem(path), labels: make(map[string]labels)}
		var err error
		switch {
		case o.LayerFiles && o.Shards:
			err = errors.New("-shards: what is in a folder is one layer each by -layer-files; give one of them")
		case o.LayerFiles:
			err = n.openFolder(o)
		default:
			err = n.openFiles(o)
		}
		if err != nil {
			return nil, err
		}
		if len(n.layers) == 0 {
			return nil, fmt.Errorf("%s: it has no activations, only labels", path)
		}
		nets[i] = n
	}
	return nets, nil
}

// openRows opens what layers are read from, and their names of units.
func (o Options) openRows(n *network) error {
	for _, l := range n.layers {
		var err error
		if l.rows, err = l.shards.Rows(l.array, o.Layouts); err != nil {
			if len(n.layers) > 1 && len(o.Only) == 0 {
				err = fmt.Errorf("%w; or choose other layers by -layers", err)
			}
			return err
		}
		l.size = Layer{Name: l.name, Units: l.rows.Units, Extents: l.rows.Extents}
		if o.Pool {
			l.rounding = arrays.NewRounding(l.rows.Units)
		}
	}
	return nil
}

// openUnitNames reads names of units, from a file or arrays beside the layers.
func (n *network) openUnitNames(file string) error {
	for _, l := range n.layers {
		var err error
		switch {
		case file != "" && len(n.layers) > 1:
			return fmt.Errorf("-unit-names %s: %s has several layers; name their units by arrays called LAYER%s", file, n.path, unitNames)
		case file != "":
			var shards arrays.Shards
			if shards, err = arrays.OpenShards(file); err == nil {
				l.units, err = shards.Labels(shards.Names()[0], l.rows.Units)
				n.files = append(n.files, file)
			}
		default:
			if of, ok := n.labels[l.name+unitNames]; ok {
				var a *arrays.Array
				if a, err = of.shards[0].Array(of.array); err == nil {
					l.units, err = a.Labels(l.rows.Units)
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sameSamples(nets []*network) error {
	first := nets[0].layers[0]
	for _, n := range nets {
		for _, l := range n.layers {
			if l.rows.Samples != first.rows.Samples {
				return fmt.Errorf("%v has %d samples and %v has %d; networks are compared on the same samples, in the same order", l, l.rows.Samples, first, first.rows.Samples)
			}
		}
	}
	return nil
}

// openFiles lists the arrays of a file, or of shards, as layers.
func (n *network) openFiles(o Options) error {
	paths := parts(n.path)
	shards, err := o.openShards(paths...)
	if err != nil {
		return err
	}
	if names := shards.Names(); len(shards) > len(paths) && len(names) == 1 && !o.Shards && !shardNames(shards) {
		return fmt.Errorf("%s: %d files of one array each, which may be layers or shards of the samples: say -layer-files or -shards", n.path, len(shards))
	}
	return n.sort(shards)
}

// openShards opens files as the options say.
func (o Options) openShards(paths ...string) (arrays.Shards, error) {
	shards, err := arrays.OpenShards(paths...)
	if o.BFloat16 {
		shards.BFloat16()
	}
	return shards, err
}

// sort takes arrays for labels or layers.
func (n *network) sort(shards arrays.Shards) error {
	for _, s := range shards {
		n.files = append(n.files, s.Path)
	}
	all := make(map[string]bool)
	for _, a := range shards[0].Arrays {
		all[a.Name] = true
	}
	for _, a := range shards[0].Arrays {
		if isLabel(a.Name, len(a.Shape), all) {
			n.labels[a.Name] = labels{shards, a.Name}
			continue
		}
		n.layers = append(n.layers, &layer{name: cmp.Or(a.Name, unnamed), shards: shards, array: a.Name})
	}
	return nil
}

// numbered matches the names of files that say by a number which part of something
// they are: 3, part-3, shard_03-of-12.
var numbered = regexp.MustCompile(`(?i)^(?:(?:(.*[-_. ]|)(?:part|shard|chunk|batch|piece|split))?[-_. ]?[0-9]+|(.*?)[0-9]+([-_. ]?of[-_. ]?[0-9]+))$`)

// shardNames says whether files are parts of one thing by their names, which differ in
// a number alone that is called that of a part, or is all of the name: conv1 and conv2
// are more likely layers.
func shardNames(shards arrays.Shards) bool {
	var common []string
	for _, s := range shards {
		m := numbered.FindStringSubmatch(stem(s.Path))
		if m == nil || common != nil && !slices.Equal(m[1:], common) {
			return false
		}
		common = m[1:]
	}
	return true
}

// openFolder lists what is in a folder as layers.
func (n *network) openFolder(o Options) error {
	entries, err := os.ReadDir(n.path)
	if err != nil {
		return err
	}
	all, paths := make(map[string]bool), make(map[string]string)
	for _, e := range entries {
		all[stem(e.Name())] = true
	}
	for _, e := range entries {
		path := filepath.Join(n.path, e.Name())
		if name := e.Name(); name[0] == '.' || !e.IsDir() && !isArrays(name) {
			continue
		}
		name := stem(path)
		if other, ok := paths[name]; ok {
			return fmt.Errorf("%s: layer %s is in %s already", path, name, other)
		}
		paths[name] = path
		shards, err := o.openShards(path)
		if err != nil {
			return err
		}
		if len(shards.Names()) != 1 {
			return fmt.Errorf("%s: %d arrays, where a folder of layers has one in each file", path, len(shards.Names()))
		}
		for _, s := range shards {
			n.files = append(n.files, s.Path)
		}
		if isLabel(name, len(shards[0].Arrays[0].Shape), all) {
			n.labels[name] = labels{shards, shards.Names()[0]}
			continue
		}
		n.layers = append(n.layers, &layer{name: name, shards: shards, array: shards.Names()[0]})
	}
	return nil
}

// unnamed is what the only array of a file is called that has no name.
const unnamed = "activations"

// layer returns the layer of a name, or nil.
func (n *network) layer(name string) *layer {
	for _, l := range n.layers {
		if l.name == name {
			return l
		}
	}
	return nil
}

// Distinguish returns names that differ: those that stand before have a number added.
func Distinguish(names []string) []string {
	taken := make(map[string]bool)
	distinct := make([]string, len(names))
	for i, name := range names {
		for k := i + 1; taken[name]; k++ {
			name = fmt.Sprintf("%s (%d)", names[i], k)
		}
		taken[name] = true
		distinct[i] = name
	}
	return distinct
}

// layerLists says which layers networks have.
func layerLists(nets []*network) string { return layersNear("", nets) }

// layersNear is layerLists with those of nearly the given name first; an empty one leaves the order.
func layersNear(asked string, nets []*network) string {
	var lists []string
	for _, n := range nets {
		names := make([]string, len(n.layers))
		for i, l := range n.layers {
			names[i] = l.name
		}
		if asked != "" {
			names = natural.Nearest(asked, names)
		}
		const limit = 40
		if len(names) > limit {
			names = append(names[:limit], fmt.Sprintf("and %d more", len(names)-limit))
		}
		lists = append(lists, n.name+" has "+strings.Join(names, ", "))
	}
	return strings.Join(lists, "; ")
}

// parts splits a list of paths at commas, unless it is the path of a file.
func parts(path string) []string {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return []string{path}
	}
	return strings.Split(path, ",")
}

// BaseNames are those of files, of several joined by commas too, without their folders.
func BaseNames(paths []string) []string {
	var names []string
	for _, path := range paths {
		files := strings.Split(path, ",")
		for i, file := range files {
			files[i] = filepath.Base(file)
		}
		names = append(names, strings.Join(files, ","))
	}
	return names
}

// stem returns the name of what is at the first of some paths, without the ending of a
// file of arrays.
func stem(path string) string {
	path = filepath.Base(parts(path)[0])
	if isArrays(path) || IsModel(path) {
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
