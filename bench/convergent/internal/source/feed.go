package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn/onnx"
)

// openFeed opens what networks are shown.
func (r Run) openFeed() (feed, error) {
	switch {
	case r.Data != "" && r.Inputs != "":
		return nil, errors.New("-inputs: images are given by -data already; give one of them")
	case r.Inputs != "" && r.images() != "":
		return nil, fmt.Errorf("%s: it is about images, and -inputs are what the networks read", r.images())
	case r.Inputs != "":
		return r.openInputs()
	case r.Data == "":
		return nil, errors.New("-data: ONNX networks need something to look at: -data with a folder or zip of images, or -inputs with an .npy or .npz of what they read")
	}
	images, err := dataset.OpenTestImages(r.Data)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	f := &imageFeed{Run: r, images: images, numbers: images.Spread(cmp.Or(r.Samples, defaultImages))}
	if len(f.numbers) < 2 {
		images.Close()
		if r.Samples == 1 {
			return nil, errors.New("-samples is 1; a comparison needs two or more")
		}
		return nil, fmt.Errorf("-data: %s has %d images; a comparison needs two or more", r.Data, images.Len())
	}
	return f, nil
}

// imageFeed shows images.
type imageFeed struct {
	Run
	images  *dataset.Images
	numbers []int    // of the samples' images
	models  int      // that are prepared
	shown   []*shown // one for each way to cut a piece
}

// shown are the pieces of the samples at hand that networks see.
type shown struct {
	resize, height, width int
	pieces                []*image.RGBA
}

func (f *imageFeed) samples() int { return len(f.numbers) }

func (f *imageFeed) Close() error { return f.images.Close() }

// prepare finds the shape of a network's input, and what is done to images for it.
func (f *imageFeed) prepare(m *model) error {
	inputs := m.Inputs()
	if len(inputs) != 1 {
		var names []string
		for _, v := range inputs {
			names = append(names, v.Name)
		}
		return fmt.Errorf("it has %d inputs (%s), of which images are one; give all by -inputs", len(inputs), strings.Join(names, ", "))
	}
	v := inputs[0]
	text := shapeText(v)
	if len(v.Shape) != 4 {
		return fmt.Errorf("its input %q is %s and no image; give what it reads by -inputs", v.Name, text)
	}
	if v.Type != onnx.Float32 && v.Type != onnx.Uint8 {
		return fmt.Errorf("its input %q is %s, and images are float32 or uint8; give what it reads by -inputs", v.Name, text)
	}
	isChannels := func(axis int) bool { return slices.Contains([]int{1, 3, 4}, v.Shape[axis].Size) }
	height, width := v.Shape[2].Size, v.Shape[3].Size
	switch {
	case isChannels(1): // and perhaps the last is, of an image as small
		m.channels, m.last = v.Shape[1].Size, false
	case isChannels(3):
		m.channels, m.last = v.Shape[3].Size, true
		height, width = v.Shape[1].Size, v.Shape[2].Size
	case v.Shape[1].Size < 0:
		m.channels, m.last = 3, false
	default:
		return fmt.Errorf("its input %q is %s, which has no axis of 1, 3 or 4 channels; give what it reads by -inputs", v.Name, text)
	}
	m.fixed = max(0, v.Shape[0].Size)
	var err error
	if m.pre, err = f.preprocess(f.models, height, width); err != nil {
		return fmt.Errorf("its input %q is %s: %w", v.Name, text, err)
	}
	if v.Type == onnx.Uint8 && (m.pre.Scale != 1 || m.pre.Mean[0] != 0 || m.pre.Std[0] != 1) {
		return fmt.Errorf("its input %q is %s, bytes as they are: give -preprocess none", v.Name, text)
	}
	f.models++
	if f.shownTo(m) == nil {
		f.shown = append(f.shown, &shown{resize: m.pre.Resize, height: m.pre.Height, width: m.pre.Width})
	}
	return nil
}

// shownTo returns the pieces that a network sees, nil before it is prepared.
func (f *imageFeed) shownTo(m *model) *shown {
	for _, s := range f.shown {
		if s.resize == m.pre.Resize && s.height == m.pre.Height && s.width == m.pre.Width {
			return s
		}
	}
	return nil
}

// preprocess is what is done to the images of a network, which is the i-th, or the i-th of
// all networks and those before training.
func (f *imageFeed) preprocess(i, height, width int) (dataset.Preprocess, error) {
	name := ""
	if n := len(f.Presets); n > 0 {
		name = f.Presets[i%n]
	}
	height, width = max(0, height), max(0, width)
	if c := f.Crop; c > 0 {
		if height > 0 && height != c || width > 0 && width != c {
			return dataset.Preprocess{}, fmt.Errorf("-crop %d does not fit it", c)
		}
		height, width = c, c
	}
	p, err := dataset.Preset(name, height, width)
	if err != nil {
		return p, fmt.Errorf("-preprocess: %w", err)
	}
	if f.Resize > 0 {
		p.Resize = f.Resize
	}
	for _, v := range []struct {
		flag  string
		given []float64
		to    *[]float64
	}{{"-mean", f.Mean, &p.Mean}, {"-std", f.Std, &p.Std}} {
		switch len(v.given) {
		case 0:
		case 1:
			*v.to = slices.Repeat(v.given, 3)
		case 3:
			*v.to = v.given
		default:
			return p, fmt.Errorf("%s: %d numbers, where one, or one for each of red, green and blue is needed", v.flag, len(v.given))
		}
	}
	switch f.Order {
	case "":
	case "rgb", "bgr":
		p.BGR = f.Order == "bgr"
	default:
		return p, fmt.Errorf("-order: %q is neither rgb nor bgr", f.Order)
	}
	return p, p.Check()
}

// shapeText says what an input is: "float32, batch x 3 x 224 x 224".
func shapeText(v onnx.Value) string {
	var sizes []string
	for _, d := range v.Shape {
		switch {
		case d.Size >= 0:
			sizes = append(sizes, fmt.Sprint(d.Size))
		case d.Name != "":
			sizes = append(sizes, d.Name)
		default:
			sizes = append(sizes, "?")
		}
	}
	if v.Shape == nil {
		return fmt.Sprintf("%v of no known shape", v.Type)
	}
	return fmt.Sprintf("%v, %s", v.Type, strings.Join(sizes, " x "))
}

// load decodes images and cuts their pieces.
func (f *imageFeed) load(ctx context.Context, lo, hi int) error {
	for _, s := range f.shown {
		s.pieces = make([]*image.RGBA, hi-lo)
	}
	errs := make([]error, hi-lo)
	par.For(par.Threads(f.Threads), hi-lo, func(i int) {
		if ctx.Err() != nil {
			return
		}
		decoded, err := f.images.Image(f.numbers[lo+i])
		if errs[i] = err; err != nil {
			return
		}
		for _, s := range f.shown {
			s.pieces[i] = s.piece(decoded)
		}
	})
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("-data: %w", err)
		}
	}
	return ctx.Err()
}

func (s *shown) piece(m image.Image) *image.RGBA {
	return dataset.Preprocess{Resize: s.resize, Height: s.height, Width: s.width}.Piece(m)
}

// inputs writes the pieces as a network reads them.
func (f *imageFeed) inputs(m *model) (map[string]*onnx.Tensor, error) {
	v, pieces := m.Inputs()[0], f.shownTo(m).pieces
	n, h, w, c := len(pieces), m.pre.Height, m.pre.Width, m.channels
	x := make([]float32, n*h*w*c)
	for i, piece := range pieces {
		m.pre.Input(x[i*h*w*c:(i+1)*h*w*c], piece, c, m.last)
	}
	shape := []int{n, c, h, w}
	if m.last {
		shape = []int{n, h, w, c}
	}
	if v.Type == onnx.Uint8 {
		bytes := make([]uint8, len(x))
		for i, value := range x {
			bytes[i] = uint8(value)
		}
		return map[string]*onnx.Tensor{v.Name: onnx.NewTensor(bytes, shape...)}, nil
	}
	return map[string]*onnx.Tensor{v.Name: onnx.NewTensor(x, shape...)}, nil
}

// describe says which images samples are.
func (f *imageFeed) describe(m *Models) error {
	if m.options.Pictures != "" {
		return errors.New("-images: the images are those of -data")
	}
	d := &m.description
	var l sampleNames
	for _, i := range f.numbers {
		l.ids = append(l.ids, f.images.Name(i))
		if class := f.images.Class(i); class != "" {
			l.classes = append(l.classes, class)
		}
	}
	var err error
	if m.ids, m.images, m.own, err = m.options.Shard.label(d, l); err != nil {
		return err
	}
	if m.own != nil {
		f.numbers = pick(f.numbers, m.own)
	}
	d.Pictures = f
	d.Files = append(d.Files, f.Data)
	d.Memory += int64(m.batch) * 4 * int64(m.models[0].pre.Height*m.models[0].pre.Width)
	if n := f.images.Len(); n > len(l.ids) {
		m.notes = append(m.notes, fmt.Sprintf("%d of %d images, spread evenly over all of them (-samples)", len(l.ids), n))
	}
	if len(f.shown) > 1 {
		m.notes = append(m.notes, "the networks read images of different sizes, and each image is resized for each of them")
	}
	return nil
}

// Picture returns what the first network sees of an image.
func (f *imageFeed) Picture(sample int) (image.Image, error) {
	decoded, err := f.images.Image(f.numbers[sample])
	if err != nil {
		return nil, err
	}
	return f.shown[0].piece(decoded), nil
}

// inputFeed shows arrays, each of one of the networks' inputs.
type inputFeed struct {
	Run
	network *network // its layers are the arrays
	count   int
	own     []int // numbers of the samples that are shown; nil: all
	readers []*inputReader
}

// inputReader reads an array in its own order.
type inputReader struct {
	*layer
	shape []int // of a sample
	size  int
	at    int       // the number of the next sample, where some are passed over
	data  []float32 // of the samples at hand
}

// asTheyAre are the layouts of which rows, one after another, are the array itself.
var asTheyAre = arrays.Layouts{arrays.NTD, arrays.NHWC, arrays.NDHWC}

func (r Run) openInputs() (feed, error) {
	n := &network{path: r.Inputs, name: "inputs", labels: make(map[string]labels)}
	if err := n.openFiles(Options{}); err != nil {
		return nil, fmt.Errorf("-inputs: %w", err)
	}
	f := &inputFeed{Run: r, network: n}
	for _, name := range []string{tokenMask, maskArray} { // which a network may read, too
		if l, ok := n.labels[name]; ok {
			n.layers = append(n.layers, &layer{name: name, path: r.Inputs, shards: l.shards, array: l.array})
		}
	}
	for _, l := range n.layers {
		rows, err := l.shards.Rows(l.array, asTheyAre)
		if err != nil {
			return nil, fmt.Errorf("-inputs: %w", err)
		}
		if f.count == 0 {
			f.count = rows.Samples
		}
		if rows.Samples != f.count {
			return nil, fmt.Errorf("-inputs: %v has %d samples, and %v has %d", l, rows.Samples, n.layers[0], f.count)
		}
		shape := append(slices.Clone(rows.Extents), rows.Units)
		rows.Close()
		f.readers = append(f.readers, &inputReader{layer: l, shape: shape, size: rows.Positions * rows.Units})
	}
	if len(f.readers) == 0 {
		return nil, fmt.Errorf("-inputs: %s has labels alone", r.Inputs)
	}
	return f, nil
}

func (f *inputFeed) samples() int {
	if f.Samples > 0 {
		return min(f.Samples, f.count)
	}
	return f.count
}

// reader returns that of an input, or of the only array there is for an only input.
func (f *inputFeed) reader(m *model, name string) *inputReader {
	for _, r := range f.readers {
		if r.name == name {
			return r
		}
	}
	if len(f.readers) == 1 && len(m.Inputs()) == 1 {
		return f.readers[0]
	}
	return nil
}

// prepare checks that there is an array for each input of a network.
func (f *inputFeed) prepare(m *model) error {
	for _, v := range m.Inputs() {
		r := f.reader(m, v.Name)
		if r == nil {
			var names []string
			for _, r := range f.readers {
				names = append(names, r.name)
			}
			return fmt.Errorf("no array for its input %q, %s; %s has %s", v.Name, shapeText(v), f.Inputs, strings.Join(names, ", "))
		}
		if v.Shape == nil {
			continue
		}
		fits := len(v.Shape) == len(r.shape)+1
		for i, d := range v.Shape {
			fits = fits && (i == 0 || d.Size < 0 || d.Size == r.shape[i-1])
		}
		if !fits {
			return fmt.Errorf("its input %q is %s, and %v has samples of shape %v", v.Name, shapeText(v), r.layer, r.shape)
		}
		m.fixed = max(m.fixed, v.Shape[0].Size)
	}
	return nil
}

// load reads samples, which follow those before or begin anew.
func (f *inputFeed) load(ctx context.Context, lo, hi int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if lo == 0 {
		if err := f.Close(); err != nil {
			return err
		}
	}
	for _, r := range f.readers {
		if lo == 0 {
			var err error
			if r.rows, err = r.shards.Rows(r.array, asTheyAre); err != nil {
				return err
			}
			r.at = 0
		}
		r.data = make([]float32, (hi-lo)*r.size)
		if err := r.read(f.numbers(lo, hi)); err != nil {
			return fmt.Errorf("%v: %w", r.layer, err)
		}
	}
	return nil
}

// numbers are those of samples [lo, hi) of the shard among all; nil: those that follow.
func (f *inputFeed) numbers(lo, hi int) []int {
	if f.own == nil {
		return nil
	}
	return f.own[lo:hi]
}

// read reads the samples of the given numbers, which rise, or nil: the next.
func (r *inputReader) read(numbers []int) error {
	if numbers == nil {
		_, err := r.rows.Read(r.data)
		return err
	}
	for k := 0; k < len(numbers); r.at++ {
		if _, err := r.rows.Read(r.data[k*r.size : (k+1)*r.size]); err != nil {
			return err
		}
		if r.at == numbers[k] { // else the next takes its place
			k++
		}
	}
	return nil
}

// Close ends the reading.
func (f *inputFeed) Close() error {
	var err error
	for _, r := range f.readers {
		if r.rows != nil {
			err = errors.Join(err, r.rows.Close())
			r.rows = nil
		}
	}
	return err
}

// exact is up to which float32 has all integers.
const exact = 1 << 24

// inputs gives arrays the types that a network reads.
func (f *inputFeed) inputs(m *model) (map[string]*onnx.Tensor, error) {
	all := make(map[string]*onnx.Tensor)
	for _, v := range m.Inputs() {
		r := f.reader(m, v.Name)
		shape := append([]int{len(r.data) / r.size}, r.shape...)
		data, err := converted(r.data, v.Type)
		if err != nil {
			return nil, fmt.Errorf("input %q: %v: %w", v.Name, r.layer, err)
		}
		all[v.Name] = onnx.NewTensor(data, shape...)
	}
	return all, nil
}

// converted returns values as another type, which must have them.
func converted(values []float32, to onnx.Type) (any, error) {
	switch to {
	case onnx.Int64:
		return integers[int64](values, -exact, exact)
	case onnx.Int32:
		return integers[int32](values, -exact, exact)
	case onnx.Uint8:
		return integers[uint8](values, 0, 255)
	case onnx.Int8:
		return integers[int8](values, -128, 127)
	case onnx.Bool:
		all := make([]bool, len(values))
		for i, v := range values {
			all[i] = v != 0
		}
		return all, nil
	}
	return values, nil
}

func integers[T int64 | int32 | uint8 | int8](values []float32, least, most float32) ([]T, error) {
	all := make([]T, len(values))
	for i, v := range values {
		if all[i] = T(v); !(v >= least && v <= most) || float32(all[i]) != v {
			return nil, fmt.Errorf("element %d is %v, where the network reads integers from %v to %v", i, v, least, most)
		}
	}
	return all, nil
}

// describe reads what is said of the samples.
func (f *inputFeed) describe(m *Models) error {
	d := &m.description
	l, err := Options{}.readLabels([]*network{f.network}, f.count)
	if err != nil {
		return err
	}
	for _, labels := range []*[]string{&l.ids, &l.images, &l.classes} {
		*labels = (*labels)[:min(len(*labels), d.Samples)]
	}
	if m.mask = l.mask; m.mask != nil {
		if err := m.mask.fits(m.nets, d.Samples); err != nil {
			return err
		}
	}
	if d.Pictures, err = m.options.openPictures(l, d.Samples); err != nil {
		return err
	}
	if m.ids, m.images, m.own, err = m.options.Shard.label(d, l); err != nil {
		return err
	}
	if m.own != nil {
		f.own, m.mask = m.own, m.mask.pick(m.own)
	}
	if d.Pictures != nil {
		d.Files = append(d.Files, m.options.Pictures)
	}
	d.Files = append(d.Files, f.Inputs)
	return nil
}
