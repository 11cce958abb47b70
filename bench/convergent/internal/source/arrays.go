package source

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"iter"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/natural"
)

// Arrays are activations that other programs saved. Files are read once, as streams, all
// at the same time.
type Arrays struct {
	options     Options
	networks    []*network
	beforeReLU  []*network // nil if there is none, as below
	baseline    []*network
	description Description
	ids, images []uint64
	own         []int // numbers of the samples that are handed out; nil: all
	mask        *mask // of all samples

	Spool *arrays.Spool // of a stream; nil of files
}

// OpenArrays reads what files say of themselves, and their labels, and checks that they go
// together. Errors name the file, and array or row.
func OpenArrays(o Options) (*Arrays, error) {
	a := &Arrays{options: o}
	var err error
	if a.networks, err = o.open(); err != nil {
		return nil, err
	}
	if a.description.Aligned, err = o.align(a.networks); err != nil {
		return nil, err
	}
	for i, n := range a.networks {
		file := ""
		if len(o.UnitNames) > 0 {
			file = o.UnitNames[i]
		}
		if err := n.openUnitNames(file); err != nil {
			return nil, err
		}
	}
	if o.Pool && len(o.BeforeReLU) > 0 {
		return nil, errors.New("-before-relu: a ReLU works on each position, and -pool observes only means over these")
	}
	if a.beforeReLU, err = a.openOther("-before-relu", o.BeforeReLU); err != nil {
		return nil, err
	}
	if a.baseline, err = a.openOther("-baseline", o.Baseline); err != nil {
		return nil, err
	}
	d := &a.description
	d.Samples = a.networks[0].layers[0].rows.Samples
	nets := slices.Concat(a.networks, a.beforeReLU, a.baseline)
	l, err := o.readLabels(nets, d.Samples)
	if err != nil {
		return nil, err
	}
	if a.mask = l.mask; a.mask != nil {
		if err := a.mask.fits(a.networks, d.Samples); err != nil {
			return nil, err
		}
	}
	if a.ids, a.images, a.own, err = o.Shard.label(d, l); err != nil {
		return nil, err
	}
	if d.Pictures, err = o.openPictures(l, a.samples()); err != nil {
		return nil, err
	}
	a.describe()
	return a, nil
}

// openOther opens what a flag gives of the same networks and samples, such as the networks
// before training; of it the aligned layers are read.
func (a *Arrays) openOther(flag string, paths []string) ([]*network, error) {
	o := a.options
	if len(paths) == 0 {
		return nil, nil
	}
	nets, err := o.openAll(paths)
	if err != nil {
		return nil, err
	}
	for i, n := range nets {
		all, own := n.layers, a.networks[i]
		n.layers = make([]*layer, len(own.layers)) // as those of the network; nil where not aligned
		for _, aligned := range a.description.Aligned {
			k := aligned.Layers[i]
			want := own.layers[k]
			l := (&network{layers: all}).layer(want.name)
			if l == nil && len(all) == 1 && len(own.layers) == 1 {
				l = all[0]
			}
			if l == nil {
				return nil, fmt.Errorf("%s: %s has no layer %s, which is compared", flag, n.path, want.name)
			}
			if l.rows, err = l.shards.Rows(l.array, o.Layouts); err != nil {
				return nil, err
			}
			if o.Pool {
				l.rounding = arrays.NewRounding(l.rows.Units)
			}
			if l.rows.Samples != want.rows.Samples || !slices.Equal(l.rows.Extents, want.rows.Extents) || l.rows.Units != want.rows.Units {
				return nil, fmt.Errorf("%s: %v has %v, and %v has %v; they must be of the same network and the same samples", flag, l, l.rows, want, want.rows)
			}
			n.layers[k] = l
		}
	}
	return nets, nil
}

// describe tells what there is.
func (a *Arrays) describe() {
	d := &a.description
	for i, n := range a.networks {
		network := Network{Name: n.name, File: BaseNames(a.options.Networks[i : i+1])[0]}
		for _, l := range n.layers {
			described := l.size
			described.UnitNames = l.units
			if a.options.Pool {
				described.Extents = nil
			}
			network.Layers = append(network.Layers, described)
		}
		d.Networks = append(d.Networks, network)
	}
	d.BeforeReLU, d.Baseline = a.beforeReLU != nil, a.baseline != nil
	d.Memory = a.memory()
	for _, n := range slices.Concat(a.networks, a.beforeReLU, a.baseline) {
		d.Files = append(d.Files, n.files...)
	}
	if a.options.Pictures != "" {
		d.Files = append(d.Files, a.options.Pictures)
	}
}

// memory is how many bytes reading takes.
func (a *Arrays) memory() (bytes int64) {
	rows := a.batch()
	for _, l := range a.allLayers() {
		const buffers = 2 // of those that are read ahead
		bytes += l.rows.Memory() + 4*buffers*int64(rows)*int64(l.rows.Positions)*int64(l.rows.Units)
	}
	bytes += int64(len(a.ids)+len(a.images)) * 8
	if a.mask != nil {
		bytes += int64(len(a.mask.Valid))
	}
	for _, name := range a.description.ImageNames { // and twice the labels that these are among, while they are read
		bytes += 3 * int64(len(name)+16)
	}
	return bytes
}

// Close closes what stays open between batches: images, and what a stream was kept in.
func (a *Arrays) Close() (err error) {
	if p, ok := a.description.Pictures.(*pictures); ok {
		err = p.images.Close()
	}
	if a.Spool != nil {
		err = errors.Join(err, a.Spool.Close())
	}
	return err
}

// Description says what there is.
func (a *Arrays) Description() *Description { return &a.description }

// Reading says, a line for each layer, how arrays are read.
func (a *Arrays) Reading() []string {
	var lines []string
	if s := a.Spool; s != nil {
		lines = append(lines, fmt.Sprintf("%s, %.1f MB in a temporary file, since intervals need all samples at once (moments does not)", natural.Count(len(s.Batches), "batch"), float64(s.Bytes)/(1<<20)))
	}
	for _, n := range a.networks {
		for _, l := range n.layers {
			line := fmt.Sprintf("%s, %s: %v", n.name, l.name, l.rows)
			if a.mask != nil && l.rows.Positions == a.mask.Positions {
				line += ", padding left out"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// manyRows is from how many samples of one position each they may well be positions that
// were flattened.
const manyRows = 10_000

// Warnings says what may not be meant.
func (a *Arrays) Warnings() []string {
	d := a.description
	flat := true
	for _, l := range a.allLayers() {
		flat = flat && l.rows.Positions == 1
	}
	if flat && d.Samples > manyRows && d.ImageCount == d.Samples && a.ids == nil {
		return []string{fmt.Sprintf("each of %d rows counts as a sample of its own: if several are of one image or text, such as positions or tokens, say so by -image-ids or an array image_ids, or give arrays with their positions (-layout ntd, nchw, ...), else intervals are several times too narrow", d.Samples)}
	}
	return nil
}

// allLayers are those that are read.
func (a *Arrays) allLayers() []*layer {
	var all []*layer
	for _, nets := range [][]*network{a.networks, a.beforeReLU, a.baseline} {
		for _, n := range nets {
			for _, l := range n.layers {
				if l != nil {
					all = append(all, l)
				}
			}
		}
	}
	return all
}

// batchRows is about how many observations of a layer are in memory at a time, and batchValues
// how many of its activations.
const batchRows, batchValues = 8192, 1 << 25

// batch is how many samples are in memory at a time.
func (a *Arrays) batch() int {
	n := a.samples()
	for _, l := range a.allLayers() {
		n = min(n, batchRows/l.rows.Positions, batchValues/(l.rows.Positions*l.rows.Units))
	}
	return max(1, n)
}

// samples is how many there are in the files.
func (a *Arrays) samples() int { return a.allLayers()[0].rows.Samples }

// Layer returns a source of the aligned layers of number i alone, described as all are: files
// are read for these, and batches have no others.
func (a *Arrays) Layer(i int) *Arrays {
	one := *a
	one.beforeReLU, one.baseline = nil, nil
	one.networks = make([]*network, len(a.networks))
	for n, own := range a.networks {
		copied, k := *own, a.description.Aligned[i].Layers[n]
		copied.layers = make([]*layer, len(own.layers)) // nil: not read
		copied.layers[k] = own.layers[k]
		one.networks[n] = &copied
	}
	one.description.Memory = one.memory()
	return &one
}

// Batches reads all files, from their beginnings.
func (a *Arrays) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		size := a.batch()
		layers := a.allLayers()
		for _, l := range layers {
			if err := l.rewind(a.options); err != nil {
				yield(nil, err)
				return
			}
		}
		for _, l := range layers {
			l.ahead = arrays.ReadAhead(l.rows, size*l.rows.Positions, l.rows.Units)
		}
		stopped := false
		err := a.read(ctx, size, func(b *Batch) bool {
			stopped = !yield(b, nil)
			return !stopped
		})
		for _, l := range layers {
			err = errors.Join(err, l.ahead.Close())
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

func (a *Arrays) read(ctx context.Context, size int, yield func(*Batch) bool) error {
	samples := a.samples()
	for lo := 0; lo < samples; lo += size {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(samples, lo+size)
		b := new(Batch)
		valid := a.mask.of(lo, hi)
		if !a.options.Pool {
			b.Valid = valid
		}
		var err error
		if b.Networks, err = a.next(a.networks, hi-lo, valid); err != nil {
			return err
		}
		if b.BeforeReLU, err = a.next(a.beforeReLU, hi-lo, valid); err != nil {
			return err
		}
		if b.Baseline, err = a.next(a.baseline, hi-lo, valid); err != nil {
			return err
		}
		if hi == samples {
			for _, l := range a.allLayers() {
				if err := l.checkRounding(); err != nil {
					return err
				}
			}
		}
		from, to := lo, hi
		if a.own != nil {
			if from, to = b.pick(a.own, lo, hi); from == to {
				continue
			}
		}
		b.Images = a.images[from:to]
		if a.ids != nil {
			b.IDs = a.ids[from:to]
		}
		if !yield(b) {
			return nil
		}
	}
	return nil
}

// rewind has the layer read from its beginning.
func (l *layer) rewind(o Options) (err error) {
	if l.rows, err = l.shards.Rows(l.array, o.Layouts); err == nil && o.Pool {
		l.rounding = arrays.NewRounding(l.rows.Units)
	}
	return err
}

// checkRounding returns an error if means over positions lost digits.
func (l *layer) checkRounding() error {
	if l.rounding == nil {
		return nil
	}
	if err := l.rounding.Err(); err != nil {
		return fmt.Errorf("%v: means over positions: %w", l, err)
	}
	return nil
}

// next takes the next n samples of all layers of networks.
func (a *Arrays) next(nets []*network, n int, valid []bool) ([][]Tensor, error) {
	all := make([][]Tensor, len(nets))
	for i, net := range nets {
		all[i] = make([]Tensor, len(net.layers))
		for k, l := range net.layers {
			if l == nil {
				continue
			}
			t, err := l.next(n)
			if err != nil {
				return nil, err
			}
			if a.options.Pool {
				t = t.means(valid, l.rounding)
			}
			all[i][k] = t
		}
	}
	return all, nil
}

// next takes the layer's next n samples.
func (l *layer) next(n int) (Tensor, error) {
	data, rows, err := l.ahead.Next()
	if err == io.EOF || err == nil && rows != n*l.rows.Positions {
		err = fmt.Errorf("%v ends before its samples do", l) // which no file does that was listed
	}
	if err != nil {
		return Tensor{}, err
	}
	return Tensor{Samples: n, Positions: l.rows.Positions, Units: l.rows.Units, Data: data[:rows*l.rows.Units]}, nil
}

// Means returns the means of units over the positions of each sample, those alone that
// are valid; nil: all. What has one position is returned as it is.
func (t Tensor) Means(valid []bool) Tensor { return t.means(valid, nil) }

// means is Means that records what float32 loses of them.
func (t Tensor) means(valid []bool, rounding *arrays.Rounding) Tensor {
	if t.Positions == 1 {
		return t
	}
	means := Tensor{Samples: t.Samples, Positions: 1, Units: t.Units, Data: make([]float32, t.Samples*t.Units)}
	sum := make([]float64, t.Units)
	for i := range t.Samples {
		clear(sum)
		sample, count := t.Sample(i), 0
		for p := range t.Positions {
			if valid != nil && !valid[i*t.Positions+p] {
				continue
			}
			count++
			for u, v := range sample[p*t.Units:][:t.Units] {
				sum[u] += float64(v)
			}
		}
		for u, v := range sum {
			mean := v / float64(count)
			means.Data[i*t.Units+u] = float32(mean)
			if rounding != nil {
				rounding.Add(u, mean, float32(mean))
			}
		}
	}
	return means
}

// pictures are images of a folder or zip, by sample.
type pictures struct {
	images *dataset.Images
	number []int // of each sample's; nil: in the same order
}

// openPictures finds the image of each sample: by its label, or without labels by order. It
// returns nil if no images are given.
func (o Options) openPictures(l sampleNames, samples int) (Pictures, error) {
	if o.Pictures == "" {
		return nil, nil
	}
	images, err := dataset.OpenImages(o.Pictures)
	if err != nil {
		return nil, err
	}
	p := &pictures{images: images}
	labels := l.images
	if labels == nil {
		labels = l.ids
	}
	if labels != nil {
		p.number, err = images.Match(labels)
	} else {
		err = images.Ordered(samples)
	}
	if err != nil {
		images.Close()
		return nil, fmt.Errorf("-images: %w", err)
	}
	return p, nil
}

// Picture returns the image of a sample.
func (p *pictures) Picture(sample int) (image.Image, error) {
	if p.number != nil {
		sample = p.number[sample]
	}
	return p.images.Image(sample)
}
