package train

import (
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"iter"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/nn"
)

// activations is a source that runs the test images that are compared through networks.
type activations struct {
	*Run
	description source.Description
	sets        []networkSet // the networks, before training, and at checkpoints
}

// networkSet is networks at one time of their training.
type networkSet struct {
	nets       []*nn.Net
	taps       []map[string]*nn.Tensor
	beforeReLU bool // whether the inputs of the ReLUs are tapped too
}

// Source returns the activations of the networks, with those before training and, of
// networks that were trained here, at checkpoints.
func (r *Run) Source() (source.Source, error) {
	jobs := r.jobs()
	a := &activations{Run: r}
	final, err := r.load(jobs, func(j job) string { return j.file })
	if err != nil {
		return nil, err
	}
	before := make([]*nn.Net, len(jobs))
	for i, j := range jobs {
		if before[i], err = nn.New(j.arch, j.seed); err != nil {
			return nil, err
		}
	}
	a.add(final, true)
	a.add(before, true)
	a.describe(jobs, final)
	a.describeTimes(jobs)
	for _, epoch := range jobs[0].checkpoints {
		nets, err := r.load(jobs, func(j job) string { return j.checkpoint(epoch) })
		if err != nil {
			return nil, err
		}
		a.add(nets, false)
	}
	return a, nil
}

// WidthSource returns the activations of two networks of another width.
func (r *Run) WidthSource(width float64) (source.Source, error) {
	jobs := r.jobsOf(width)
	nets, err := r.load(jobs, func(j job) string { return j.file })
	if err != nil {
		return nil, err
	}
	a := &activations{Run: r}
	a.add(nets, false)
	a.describe(jobs, nets)
	return a, nil
}

// load reads networks from the output folder.
func (r *Run) load(jobs []job, file func(job) string) ([]*nn.Net, error) {
	nets := make([]*nn.Net, len(jobs))
	for i, j := range jobs {
		var err error
		if nets[i], err = nn.Load(r.folder.Path(file(j)), j.arch); err != nil {
			return nil, err
		}
	}
	return nets, nil
}

func (a *activations) add(nets []*nn.Net, beforeReLU bool) {
	s := networkSet{nets: nets, beforeReLU: beforeReLU}
	for _, n := range nets {
		n.Threads = 1
		taps := make(map[string]*nn.Tensor)
		for _, layer := range a.Layers {
			taps[tap(n.Arch(), layer)] = nil
			if beforeReLU && !layerOf(n.Arch(), layer).linear {
				taps[n.Input(tap(n.Arch(), layer))] = nil
			}
		}
		s.taps = append(s.taps, taps)
	}
	a.sets = append(a.sets, s)
}

func (a *activations) describe(jobs []job, nets []*nn.Net) {
	d := &a.description
	d.Samples, d.ImageCount, d.Pictures = a.compared(), a.compared(), a
	d.ImageNames, d.Classes = a.imageNames(), a.set.Test.Labels[:a.compared()]
	for i, n := range nets {
		network := source.Network{Name: jobs[i].result().Name, File: jobs[i].file}
		for _, layer := range a.Layers {
			name := tap(n.Arch(), layer)
			shape, _ := n.Shape(name)
			l := source.Layer{Name: layer, Units: shape.C, Extents: []int{shape.H, shape.W}}
			if size, stride, offset, err := n.ReceptiveField(name); err == nil { // which pooling of all positions has not
				l.Field = &source.ReceptiveField{Size: size, Stride: stride, Offset: offset}
			}
			network.Layers = append(network.Layers, l)
		}
		d.Networks = append(d.Networks, network)
	}
	for k, layer := range a.Layers {
		aligned := source.Aligned{Name: layer, Linear: layerOf(nets[0].Arch(), layer).linear}
		for range nets {
			aligned.Layers = append(aligned.Layers, k)
		}
		d.Aligned = append(d.Aligned, aligned)
	}
}

// describeTimes adds what there is of the networks before training and on their way, and what
// networks at so many times take.
func (a *activations) describeTimes(jobs []job) {
	d := &a.description
	d.BeforeReLU, d.Baseline, d.BaselineBeforeReLU = true, true, true
	d.Checkpoints = jobs[0].checkpoints
	if n, err := nn.New(jobs[0].arch, 1); err == nil {
		d.Memory = int64((2+len(d.Checkpoints))*len(jobs)) * n.EstimateMemory(batchImages, false)
	}
}

// imageNames are hashes of the images' pixels.
func (a *activations) imageNames() []string {
	part := a.set.Test
	size := part.H * part.W * part.C
	names := make([]string, a.compared())
	for i := range names {
		h := sha256.Sum256(part.Pixels[i*size : (i+1)*size])
		names[i] = fmt.Sprintf("%x", h[:8])
	}
	return names
}

// Description says what there is.
func (a *activations) Description() *source.Description { return &a.description }

// Picture returns a test image.
func (a *activations) Picture(sample int) (image.Image, error) { return a.set.Test.Image(sample), nil }

// batchImages is how many images run through all networks at a time: each network holds
// its activations.
const batchImages = 25

// Batches runs the images through all networks, these side by side.
func (a *activations) Batches(ctx context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		part := a.set.Test
		part.Pixels, part.Labels = part.Pixels[:a.compared()*part.H*part.W*part.C], part.Labels[:a.compared()]
		for b, err := range a.set.Epoch(ctx, &part, dataset.LoaderOptions{Batch: batchImages}, 0) {
			if err != nil {
				yield(nil, err)
				return
			}
			x := &nn.Tensor{N: b.N, H: part.H, W: part.W, C: part.C, Data: b.Pixels}
			nets := len(a.sets[0].nets)
			par.For(par.Threads(a.Threads), len(a.sets)*nets, func(i int) {
				s := a.sets[i/nets]
				s.nets[i%nets].Forward(x, s.taps[i%nets])
			})
			if !yield(a.batch(b), nil) {
				return
			}
		}
	}
}

func (a *activations) batch(b dataset.Batch) *source.Batch {
	ids := make([]uint64, b.N)
	for i, index := range b.Index {
		ids[i] = uint64(index)
	}
	batch := &source.Batch{IDs: ids, Images: ids, Networks: a.tensors(a.sets[0], false)}
	if a.sets[0].beforeReLU {
		batch.BeforeReLU = a.tensors(a.sets[0], true)
	}
	if len(a.sets) > 1 {
		batch.Baseline, batch.BaselineBeforeReLU = a.tensors(a.sets[1], false), a.tensors(a.sets[1], true)
		for _, s := range a.sets[2:] {
			batch.Checkpoints = append(batch.Checkpoints, a.tensors(s, false))
		}
	}
	return batch
}

// tensors are the activations of networks by network and layer, or what the ReLU made them
// of, which is empty of a layer without one.
func (a *activations) tensors(s networkSet, beforeReLU bool) [][]source.Tensor {
	all := make([][]source.Tensor, len(s.nets))
	for i, n := range s.nets {
		for _, layer := range a.Layers {
			name := tap(n.Arch(), layer)
			switch {
			case beforeReLU && layerOf(n.Arch(), layer).linear:
				all[i] = append(all[i], source.Tensor{})
				continue
			case beforeReLU:
				name = n.Input(name)
			}
			t := s.taps[i][name]
			all[i] = append(all[i], source.Tensor{Samples: t.N, Positions: t.H * t.W, Units: t.C, Data: t.Data})
		}
	}
	return all
}
