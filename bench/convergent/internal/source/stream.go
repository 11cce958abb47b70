package source

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// Stream is activations that another program computes meanwhile. Batches come as they are
// written; one is held while the next is read. How many samples there will be is not known:
// the Description has no number of samples or images, and a Stream is for what takes samples
// as they come.
type Stream struct {
	options     Options
	in          *arrays.Stream
	pipe        io.Closer
	networks    []*network
	layers      map[string]place // by array
	first       *Batch
	description Description

	samples int               // so far
	rows    map[string]int    // of samples, by their identifiers
	images  map[string]uint64 // numbers of images, by their labels
}

// place is where a layer stands among those of all networks.
type place struct{ network, layer int }

// standardInput is the path of a stream that is no file.
const standardInput = "-"

// IsStream reports whether networks are given by a stream: standard input or a named pipe.
func IsStream(paths []string) bool { return len(paths) == 1 && isStream(paths[0]) }

func isStream(path string) bool {
	info, err := os.Stat(path)
	return path == standardInput || err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// OpenStream opens standard input or a named pipe, waits for the first batch, and checks that
// what is in it goes together.
func OpenStream(ctx context.Context, o Options) (*Stream, error) {
	stdin := os.Stdin // as it is now
	return wait(ctx, func() (*Stream, error) {
		in, pipe, err := o.openPipe(stdin)
		if err != nil {
			return nil, err
		}
		s := &Stream{options: o, in: in, pipe: pipe, rows: make(map[string]int), images: make(map[string]uint64)}
		if err := s.open(); err != nil {
			pipe.Close()
			return nil, err
		}
		return s, nil
	})
}

// OpenSpooled reads the whole of a stream into a temporary file, and opens that: what is drawn
// of images, and the groups that these are in, depend on which images there are.
func OpenSpooled(ctx context.Context, o Options) (*Arrays, error) {
	stdin := os.Stdin
	return wait(ctx, func() (*Arrays, error) {
		in, pipe, err := o.openPipe(stdin)
		if err != nil {
			return nil, err
		}
		defer pipe.Close()
		spool, err := in.Spool(func(f *arrays.File) error {
			_, err := samplesOf(f)
			return err
		})
		if err != nil {
			return nil, err
		}
		a := new(Arrays)
		if o, err = o.of(spool.Batches); err == nil {
			a, err = OpenArrays(o)
		}
		if err != nil {
			spool.Close()
			return nil, err
		}
		a.Spool = spool
		return a, nil
	})
}

// wait returns what f does, or an error as soon as ctx is done: f may wait for another program,
// which nothing interrupts.
func wait[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	go func() {
		v, err := f()
		results <- result{v, err}
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	}
}

// openPipe opens a stream; one of a named pipe has a beginning when it has a writer.
func (o Options) openPipe(stdin *os.File) (*arrays.Stream, io.Closer, error) {
	if flag := firstFlag([]flag{
		{"-sample-ids", len(o.SampleIDs) > 0}, {"-image-ids", len(o.ImageIDs) > 0}, {"-classes", len(o.Classes) > 0}, {"-mask", len(o.Masks) > 0}, {"-unit-names", len(o.UnitNames) > 0},
		{"-before-relu", len(o.BeforeReLU) > 0}, {"-baseline", len(o.Baseline) > 0}, {"-layer-files", o.LayerFiles}, {"-shards", o.Shards}, {"-bfloat16", o.BFloat16},
		{o.Run.flags(), o.Run.flags() != ""},
	}); flag != "" {
		return nil, nil, fmt.Errorf("%s: it is about files; batches of a stream say for themselves what they are", flag)
	}
	path := o.Networks[0]
	if path == standardInput {
		widen(stdin)
		return arrays.NewStream("standard input", stdin), io.NopCloser(nil), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	widen(f)
	return arrays.NewStream(path, f), f, nil
}

// of returns options for the networks of some batches.
func (o Options) of(batches arrays.Shards) (Options, error) {
	o.batches = batches
	nets, err := o.streamed()
	o.Networks = slices.Repeat([]string{standardInput}, len(nets))
	return o, err
}

// streamed lists the networks and layers of batches, whose arrays are labels or are called
// NETWORK/LAYER.
func (o Options) streamed() ([]*network, error) {
	first := o.batches[0]
	all := make(map[string]bool)
	for _, a := range first.Arrays {
		all[a.Name] = true
	}
	var nets []*network
	byName := make(map[string]*network)
	common := make(map[string]labels)
	for _, a := range first.Arrays {
		name, layerName, _ := strings.Cut(a.Name, "/")
		label := isLabel(a.Name, len(a.Shape), all)
		switch {
		case label && layerName == "":
			common[a.Name] = labels{o.batches, a.Name}
			continue
		case name == "" || layerName == "":
			return nil, fmt.Errorf("%s: array %q is called neither NETWORK/LAYER nor sample_ids, image_ids, classes or mask", first.Path, a.Name)
		}
		n := byName[name]
		if n == nil {
			n = &network{path: first.Path, name: name, labels: make(map[string]labels)}
			nets, byName[name] = append(nets, n), n
		}
		if label {
			n.labels[layerName] = labels{o.batches, a.Name}
			continue
		}
		n.layers = append(n.layers, &layer{name: layerName, shards: o.batches, array: a.Name})
	}
	if len(nets) == 0 {
		return nil, fmt.Errorf("%s: it has no activations, only labels", first.Path)
	}
	maps.Copy(nets[0].labels, common)
	if len(o.Names) == len(nets) {
		for i, name := range Distinguish(o.Names) {
			nets[i].name = name
		}
	}
	return nets, nil
}

// samplesOf returns the number of samples of a batch, which all of its arrays but names of
// units have.
func samplesOf(f *arrays.File) (int, error) {
	var first *arrays.Array
	for _, a := range f.Arrays {
		switch {
		case len(a.Shape) == 0:
			return 0, fmt.Errorf("%s: array %q is one value, where samples are", f.Path, a.Name)
		case len(a.Shape) == 1 && strings.HasSuffix(a.Name, unitNames):
		case first == nil:
			first = a
		case a.Shape[0] != first.Shape[0]:
			return 0, fmt.Errorf("%s: array %q has %d samples, and %q has %d; a batch has the same of all", f.Path, a.Name, a.Shape[0], first.Name, first.Shape[0])
		}
	}
	if first == nil {
		return 0, fmt.Errorf("%s: it has no activations, only names of units", f.Path)
	}
	return first.Shape[0], nil
}

// open reads the first batch, of which every other has the arrays.
func (s *Stream) open() error {
	f, err := s.in.Next()
	if err != nil {
		return err
	}
	if s.options, err = s.options.of(arrays.Shards{f}); err != nil {
		return err
	}
	if s.networks, err = s.options.open(); err != nil {
		return err
	}
	d := &s.description
	if d.Aligned, err = s.options.align(s.networks); err != nil {
		return err
	}
	s.layers = make(map[string]place)
	for i, n := range s.networks {
		for k, l := range n.layers {
			s.layers[l.array] = place{i, k}
			d.Memory += l.rows.Memory()
		}
	}
	if s.first, err = s.read(f, s.newBuffers()); err != nil {
		return err
	}
	for _, n := range s.networks {
		network := Network{Name: n.name, File: standardInput}
		for _, l := range n.layers {
			described := l.size
			described.UnitNames = l.units
			if s.options.Pool {
				described.Extents = nil
			}
			network.Layers = append(network.Layers, described)
		}
		d.Networks = append(d.Networks, network)
	}
	d.Memory += s.bytes(s.samples)
	return nil
}

// bytes is what batches of so many samples take, of which one is read while another is held.
func (s *Stream) bytes(samples int) int64 {
	values := 0.0
	for _, n := range s.networks {
		for _, l := range n.layers {
			values += float64(float64(samples) * float64(l.rows.Positions) * float64(l.rows.Units))
		}
	}
	return int64(min(2*4*values, 1<<60))
}

// Description says what there is, as far as the first batch tells.
func (s *Stream) Description() *Description { return &s.description }

// Close closes a named pipe.
func (s *Stream) Close() error { return s.pipe.Close() }

// buffers hold the activations of a batch, by network and layer.
type buffers [][][]float32

func (s *Stream) newBuffers() buffers {
	b := make(buffers, len(s.networks))
	for i, n := range s.networks {
		b[i] = make([][]float32, len(n.layers))
	}
	return b
}

// Batches reads the stream to its end. It can be gone through once.
func (s *Stream) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		type result struct {
			batch *Batch
			into  buffers
			err   error
		}
		results, free, done := make(chan result), make(chan buffers, 2), make(chan struct{})
		defer close(done)
		free <- s.newBuffers()
		free <- s.newBuffers()
		first := s.first
		s.first = nil
		go func() {
			for ; ; first = nil {
				r := result{batch: first}
				if first == nil {
					select {
					case r.into = <-free:
					case <-done:
						return
					}
					r.batch, r.err = s.next(r.into)
				}
				select {
				case results <- r:
				case <-done:
					return
				}
				if r.err != nil {
					return
				}
			}
		}()
		for {
			select {
			case <-ctx.Done(): // for the next batch nobody waits
				yield(nil, ctx.Err())
				return
			case r := <-results:
				if r.err == io.EOF || !yield(r.batch, r.err) || r.err != nil {
					return
				}
				if r.into != nil {
					free <- r.into
				}
			}
		}
	}
}

// next reads the next batch; io.EOF after the last.
func (s *Stream) next(into buffers) (*Batch, error) {
	f, err := s.in.Next()
	if err == io.EOF {
		for _, n := range s.networks {
			for _, l := range n.layers {
				if err := cmp.Or(l.rows.End(), l.checkRounding()); err != nil {
					return nil, err
				}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return s.read(f, into)
}

// read reads the arrays of a batch, in their order.
func (s *Stream) read(f *arrays.File, into buffers) (*Batch, error) {
	n, err := samplesOf(f)
	if err != nil {
		return nil, err
	}
	if most, takes := s.options.Run.MaxMemory, s.bytes(n); most > 0 && takes > most {
		return nil, fmt.Errorf("%s: -max-mem: batches of %d samples take %d MB, more than %d MB; write fewer at a time", f.Path, n, takes>>20, most>>20)
	}
	b := &Batch{Networks: make([][]Tensor, len(s.networks)), Images: make([]uint64, n)}
	for i, net := range s.networks {
		b.Networks[i] = make([]Tensor, len(net.layers))
	}
	own := arrays.Shards{f}
	var names sampleNames
	for _, a := range f.Arrays {
		at, isLayer := s.layers[a.Name]
		switch {
		case isLayer:
			l := s.networks[at.network].layers[at.layer]
			if s.samples > 0 {
				err = l.rows.Append(a)
			}
			if err == nil {
				b.Networks[at.network][at.layer], err = l.read(n, &into[at.network][at.layer])
			}
		case a.Name == sampleIDs:
			names.ids, err = own.Labels(a.Name, n)
		case a.Name == imageIDs:
			names.images, err = own.Labels(a.Name, n)
		case a.Name == maskArray || a.Name == tokenMask && names.mask == nil:
			names.mask, err = s.readMask(f, a.Name, n)
		case s.samples == 0:
			err = s.readUnitNames(a)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, s.label(b, names)
}

// read reads so many samples of a layer.
func (l *layer) read(n int, into *[]float32) (Tensor, error) {
	t := Tensor{Samples: n, Positions: l.rows.Positions, Units: l.rows.Units}
	if size := n * t.Positions * t.Units; cap(*into) < size {
		*into = make([]float32, size)
	} else {
		*into = (*into)[:size]
	}
	t.Data = *into
	_, err := l.rows.Read(t.Data)
	return t, err
}

// readMask reads which positions of a batch are no padding.
func (s *Stream) readMask(f *arrays.File, name string, samples int) (*mask, error) {
	own, err := arrays.Shards{f}.Mask(name, samples)
	if err != nil {
		return nil, err
	}
	m := &mask{own, f.Path}
	return m, m.fits(s.networks, samples)
}

// readUnitNames reads an array of the first batch that has names of units.
func (s *Stream) readUnitNames(a *arrays.Array) (err error) {
	for _, n := range s.networks {
		for _, l := range n.layers {
			if a.Name == l.array+unitNames {
				l.units, err = a.Labels(l.rows.Units)
			}
		}
	}
	return err
}

// label notes what a batch says of its samples.
func (s *Stream) label(b *Batch, l sampleNames) error {
	for i := range b.Images {
		b.Images[i] = uint64(s.samples + i)
		if l.images != nil {
			number, known := s.images[l.images[i]]
			if !known {
				number = uint64(len(s.images))
				s.images[l.images[i]] = number
			}
			b.Images[i] = number
		}
	}
	s.samples += len(b.Images)
	valid := l.mask.of(0, len(b.Images))
	if s.options.Pool {
		for i, n := range s.networks {
			for k, layer := range n.layers {
				b.Networks[i][k] = b.Networks[i][k].means(valid, layer.rounding)
			}
		}
	} else {
		b.Valid = valid
	}
	b.IDs = identifyAll(l.ids)
	if l.images != nil {
		return nil
	}
	return checkDistinct(s.rows, l.ids)
}
