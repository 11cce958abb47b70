package compare

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// What a pass over the samples may keep.
type keep struct {
	intervals bool // by groups of images
	shuffles  int  // draws of the null of shuffled images; 0: none
	grid      bool
	pool      bool
	seed      uint64
	threads   int
}

// groups is how many groups of images there are for layers of so many units: 100 are
// plenty, and fewer do where each is large.
func groups(units []int) int {
	total := 0
	for _, u := range units {
		total += u
	}
	return max(25, min(100, 100<<20/max(1, total*total)))
}

// together is what is kept of a layer of all networks.
type together struct {
	name     string
	layers   []*layer // of each network
	moments  *corr.Moments
	groups   *corr.Groups   // instead of moments, if there are intervals
	few      *corr.Moments  // of few positions, as shuffled ones are
	shuffles *corr.Shuffles // of those
	stride   int            // every so many positions are few
}

// fewPositions is about how many positions of a sample shuffling uses: it takes as many
// passes as draws, and the values at neighbouring positions tell little more.
const fewPositions = 64

// rowsAtOnce is about how many rows of a layer are in memory at a time.
const rowsAtOnce = 8192

// pass is one reading of all files.
type pass struct {
	keep
	samples  int
	layers   []*layer // all, network after network
	together []*together
	grid     *corr.Moments // of all layers' means over positions, if it is kept
}

func newPass(nets []*network, shared [][]*layer, k keep) *pass {
	p := &pass{keep: k, samples: nets[0].layers[0].rows.Samples}
	var units []int
	for _, n := range nets {
		for _, l := range n.layers {
			p.layers = append(p.layers, l)
			units = append(units, l.rows.Units)
		}
	}
	if k.grid {
		p.grid = corr.NewMoments(units...)
		p.grid.Threads = k.threads
	}
	for _, layers := range shared {
		t := &together{name: layers[0].name, layers: layers}
		units, positions := widths(layers), layers[0].positions(k.pool)
		if k.intervals {
			t.groups = corr.NewGroups(groups(units), units...)
			t.groups.Threads = k.threads
		} else {
			t.moments = corr.NewMoments(units...)
			t.moments.Threads = k.threads
		}
		if k.shuffles > 0 {
			t.stride = (positions + fewPositions - 1) / fewPositions
			t.few, t.shuffles = corr.NewMoments(units...), corr.NewShuffles(k.shuffles, k.seed, units...)
			t.few.Threads, t.shuffles.Threads = k.threads, k.threads
		}
		p.together = append(p.together, t)
	}
	return p
}

func widths(layers []*layer) []int {
	var units []int
	for _, l := range layers {
		units = append(units, l.rows.Units)
	}
	return units
}

// memory estimates the bytes that a pass takes, before any of them is asked for.
func memory(nets []*network, shared [][]*layer, k keep) int64 {
	var bytes int64
	var units []int
	for _, n := range nets {
		for _, l := range n.layers {
			units = append(units, l.rows.Units)
			buffers := int64(2+1) * int64(batch(l.rows.Samples, l.rows.Positions)*l.rows.Positions)
			bytes += l.rows.Memory() + 4*buffers*int64(l.rows.Units)
		}
	}
	if k.grid {
		bytes += corr.EstimateMemory(units...)
	}
	for _, layers := range shared {
		units := widths(layers)
		parts := k.shuffles
		if k.intervals {
			parts += groups(units)
		}
		bytes += corr.EstimateMemory(units...) * int64(2+parts) / 2 // the parts have one of the two matrices
	}
	return bytes
}

// batch is how many samples of so many positions are in memory at a time.
func batch(samples, positions int) int { return min(samples, max(1, rowsAtOnce/positions)) }

// read reads all files. The labels may be nil.
func (p *pass) read(ctx context.Context, ids []string, images []uint64, progress func(done, total int)) (err error) {
	most := 1
	for _, l := range p.layers {
		most = max(most, l.rows.Positions)
	}
	size := batch(p.samples, most)
	for _, l := range p.layers {
		l.ahead = arrays.ReadAhead(l.rows, size*l.rows.Positions, l.rows.Units)
		defer func() { err = errors.Join(err, l.ahead.Close()) }()
	}
	numbers := make([]uint64, size)
	for at := 0; at < p.samples; at += size {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(size, p.samples-at)
		for _, l := range p.layers {
			if err := l.next(n, p.pool); err != nil {
				return err
			}
		}
		for i := range n {
			numbers[i] = uint64(at + i)
			if images != nil {
				numbers[i] = images[at+i]
			}
		}
		var known []uint64
		if ids != nil {
			known = hashes(ids[at:][:n])
		}
		if err := p.add(n, numbers[:n], known); err != nil {
			return err
		}
		if progress != nil {
			progress(at+n, p.samples)
		}
	}
	return nil
}

// next takes the layer's next n samples.
func (l *layer) next(n int, pool bool) error {
	data, rows, err := l.ahead.Next()
	if err == io.EOF || err == nil && rows != n*l.rows.Positions {
		err = fmt.Errorf("%v ends before its samples do", l)
	}
	if err != nil {
		return err
	}
	l.data = data[:rows*l.rows.Units]
	if pool {
		l.data = l.means(n)
	}
	return nil
}

// means returns the means over positions of the samples in data.
func (l *layer) means(n int) []float32 {
	positions, units := l.rows.Positions, l.rows.Units
	if len(l.data) == n*units {
		return l.data
	}
	means := make([]float32, n*units)
	sum := make([]float64, units)
	for i := range n {
		clear(sum)
		sample := l.data[i*positions*units:][:positions*units]
		for ; len(sample) > 0; sample = sample[units:] {
			for u, v := range sample[:units] {
				sum[u] += float64(v)
			}
		}
		for u, v := range sum {
			means[i*units+u] = float32(v / float64(positions))
		}
	}
	return means
}

// add adds n samples of given images and, if known, identifiers.
func (p *pass) add(n int, images, ids []uint64) error {
	for _, t := range p.together {
		tensors := make([]corr.Tensor, len(t.layers))
		positions := t.layers[0].positions(p.pool)
		for i, l := range t.layers {
			tensors[i] = corr.NHWC(l.data, n, 1, positions, l.rows.Units)
		}
		var err error
		if t.groups != nil {
			err = t.groups.AddTensors(images, tensors...)
		} else {
			err = t.moments.AddTensors(ids, tensors...)
		}
		if err == nil && t.shuffles != nil {
			some := t.some(n, positions)
			err = errors.Join(t.few.AddTensors(images, some...), t.shuffles.AddTensors(images, some...))
		}
		if err != nil {
			return sourced(t.name, t.layers, err)
		}
	}
	if p.grid == nil {
		return nil
	}
	tensors := make([]corr.Tensor, len(p.layers))
	par.For(par.Threads(p.threads), len(p.layers), func(i int) {
		l := p.layers[i]
		tensors[i] = corr.Rows(l.means(n), n, l.rows.Units, l.rows.Units)
	})
	if err := p.grid.AddTensors(images, tensors...); err != nil {
		return sourced("means over positions", p.layers, err)
	}
	return nil
}

// sourced says where the networks of an error come from.
func sourced(what string, layers []*layer, err error) error {
	var from []string
	for i, l := range layers {
		from = append(from, fmt.Sprintf("network %d is %v", i, l))
	}
	return fmt.Errorf("layer %s: %w (%s)", what, err, strings.Join(from, ", "))
}

// some returns few positions of n samples.
func (t *together) some(n, positions int) []corr.Tensor {
	tensors := make([]corr.Tensor, len(t.layers))
	few := (positions + t.stride - 1) / t.stride
	for i, l := range t.layers {
		units := l.rows.Units
		data := l.data
		if t.stride > 1 {
			data = make([]float32, 0, n*few*units)
			for s := range n {
				for q := 0; q < positions; q += t.stride {
					data = append(data, l.data[(s*positions+q)*units:][:units]...)
				}
			}
		}
		tensors[i] = corr.NHWC(data, n, 1, few, units)
	}
	return tensors
}

// total returns the layer's moments, which know the names of networks and units.
func (t *together) total(nets []*network) *corr.Moments {
	m := t.moments
	if m == nil {
		m = t.groups.Total()
	}
	for i, l := range t.layers {
		m.Describe(i, corr.Network{Name: nets[i].name, Layer: t.name, Units: slices.Clone(l.units)})
	}
	return m
}

// hashes returns a number for each identifier.
func hashes(ids []string) []uint64 {
	numbers := make([]uint64, len(ids))
	for i, id := range ids {
		h := fnv.New64a()
		h.Write([]byte(id))
		numbers[i] = h.Sum64()
	}
	return numbers
}
