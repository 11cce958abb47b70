package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// Net is a network with parameters. It is not safe for concurrent use; distinct
// networks are independent.
type Net struct {
	// Threads limits the threads at work; 0 means all. It changes no result.
	Threads int

	arch  Arch
	seed  uint64
	nodes []node

	// Activations and gradients by node, with room for the largest batch so far; a
	// node that works in place shares its input's.
	values, grads []*Tensor
	term          Tensor // of a gradient that is a sum
}

// node is a layer at work in a network. Its inputs are outputs of earlier nodes.
type node struct {
	op
	layer    Layer
	in       int   // the node that it reads
	shortcut int   // the node whose output a Residual adds
	shape    Shape // of its output
	inPlace  bool  // it works in the memory of its input
}

const none = -1 // no node; what reads none reads the images

// New makes a network and draws its parameters from the seed: those of each
// layer from a stream of its own. The error says which layer does not fit.
//
// See also [Load] and [LoadTorch].
func New(a Arch, seed uint64) (*Net, error) {
	if a.Input.H < 1 || a.Input.W < 1 || a.Input.C < 1 {
		return nil, fmt.Errorf("nn: %s: input of shape %v", a.Name, a.Input)
	}
	n := &Net{arch: a, seed: seed}
	last := none
	for i, l := range a.Layers {
		var err error
		if last, err = n.add(l, last, rand.New(rand.NewPCG(seed, uint64(i)))); err != nil {
			return nil, fmt.Errorf("nn: %s: %w", a.Name, err)
		}
	}
	if out := n.shape(last); a.Classes < 0 || a.Classes > 0 && out.Size() != a.Classes {
		return nil, fmt.Errorf("nn: %s: the last layer has %d outputs for %d classes", a.Name, out.Size(), a.Classes)
	}
	n.shareMemory()
	return n, nil
}

// add appends a layer that reads the given node, after those of its shortcut, and returns
// its node.
func (n *Net) add(l Layer, in int, rnd *rand.Rand) (int, error) {
	switch l.(type) {
	case Conv2D, Dense, ReLU, MaxPool, AvgPool, GlobalAvgPool, LRN, BatchNorm2D, Dropout, Residual:
	default: // nil, or a pointer
		return 0, fmt.Errorf("layer %d is a %T; want a layer such as Conv2D{}", len(n.nodes), l)
	}
	d := node{layer: l, in: in, shortcut: none}
	shape, err := l.output(n.shape(in))
	if err == nil {
		d.shape, d.op = shape, l.build(n.shape(in), rnd)
		if r, ok := l.(Residual); ok {
			d.shortcut, err = n.addShortcut(r, shape, rnd)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("layer %q: %w", l.name(), err)
	}
	if l.name() == "" || n.node(l.name()) != none {
		return 0, fmt.Errorf("layer %d: the name %q is empty or taken", len(n.nodes), l.name())
	}
	n.nodes = append(n.nodes, d)
	return len(n.nodes) - 1, nil
}

// addShortcut appends the layers of a shortcut and returns the node whose output, of the
// given shape, the residual adds.
func (n *Net) addShortcut(r Residual, shape Shape, rnd *rand.Rand) (int, error) {
	from := n.node(r.From)
	if from == none {
		return 0, fmt.Errorf("no layer %q comes before it", r.From)
	}
	for _, l := range r.Shortcut {
		var err error
		if from, err = n.add(l, from, rnd); err != nil {
			return 0, err
		}
	}
	if got := n.shape(from); got != shape {
		return 0, fmt.Errorf("shape %v of %q is not %v, to which it is added; a Shortcut can make them alike", got, n.nodes[from].layer.name(), shape)
	}
	return from, nil
}

// shareMemory decides which nodes work in place: those whose input nobody else reads. A
// sum must not change what an operation in place has made, for ReLU's gradient looks at
// its output again.
func (n *Net) shareMemory() {
	readers := make([]int, len(n.nodes))
	for _, d := range n.nodes {
		for _, k := range []int{d.in, d.shortcut} {
			if k != none {
				readers[k]++
			}
		}
	}
	for i := range n.nodes {
		d := &n.nodes[i]
		d.inPlace = d.op.inPlace() && d.in != none && readers[d.in] == 1 && (d.shortcut == none || !n.nodes[d.in].op.inPlace())
	}
}

// Arch returns the network's description.
func (n *Net) Arch() Arch { return n.arch }

// Seed returns the seed that the network was made from.
func (n *Net) Seed() uint64 { return n.seed }

// Clone returns a network with the same parameters, statistics, momentum and Threads
// that shares no memory with n.
func (n *Net) Clone() *Net {
	c, err := New(n.arch, n.seed)
	if err != nil {
		panic("nn: Clone of a Net that New did not make")
	}
	c.Threads = n.Threads
	from := n.tensors()
	for i, t := range c.tensors() {
		copy(t.F32, from[i].F32)
	}
	for i, p := range c.Params() {
		src := n.Params()[i]
		p.Grad, p.velocity = slices.Clone(src.Grad), slices.Clone(src.velocity)
	}
	return c
}

// Params returns the parameters, in the order of the layers.
func (n *Net) Params() []*Param {
	var all []*Param
	for _, d := range n.nodes {
		all = append(all, d.params()...)
	}
	return all
}

// node returns the index of the named layer's node, or none.
func (n *Net) node(name string) int {
	return slices.IndexFunc(n.nodes, func(d node) bool { return d.layer.name() == name })
}

// shape returns the shape of a node's output, that of the images for none.
func (n *Net) shape(i int) Shape {
	if i == none {
		return n.arch.Input
	}
	return n.nodes[i].shape
}

// Input returns the name of the layer whose output the named layer reads: "" if it reads the
// images. It panics if there is no such layer.
func (n *Net) Input(layer string) string {
	i := n.node(layer)
	if i == none {
		panic("nn: Input of a layer that there is not")
	}
	if in := n.nodes[i].in; in != none {
		return n.nodes[in].layer.name()
	}
	return ""
}

// Shape returns the shape of the named layer's output, and whether there is
// such a layer.
func (n *Net) Shape(layer string) (Shape, bool) {
	i := n.node(layer)
	if i == none {
		return Shape{}, false
	}
	return n.nodes[i].shape, true
}

// ReceptiveField returns what part of the input a position of the named layer
// depends on: along either edge, position p depends on inputs
// [p*stride+offset, p*stride+offset+size), some of which may lie outside. That of a sum
// is what either term depends on.
func (n *Net) ReceptiveField(layer string) (size, stride, offset int, err error) {
	last := n.node(layer)
	if last == none {
		return 0, 0, 0, fmt.Errorf("nn: %s has no layer %q", n.arch.Name, layer)
	}
	fields := make([]field, last+1)
	for i, d := range n.nodes[:last+1] {
		f := field{end: 1, stride: 1}
		if d.in != none {
			f = fields[d.in]
		}
		fields[i] = f.of(d.layer)
		if d.shortcut != none {
			fields[i] = fields[i].union(fields[d.shortcut])
		}
	}
	f := fields[last]
	if f.stride == 0 {
		return 0, 0, 0, fmt.Errorf("nn: the units of layer %q depend on the whole image, or on differently spaced parts of it", layer)
	}
	return f.end - f.offset, f.stride, f.offset, nil
}

// field is a receptive field: position p depends on inputs [p*stride+offset, p*stride+end).
// Where there is none, the stride is 0.
type field struct{ offset, end, stride int }

// of returns the field of a layer whose input has field f.
func (f field) of(l Layer) field {
	size, stride, pad, ok := l.window()
	if !ok {
		return field{}
	}
	return field{f.offset - pad*f.stride, f.end + (size-1-pad)*f.stride, stride * f.stride}
}

// union returns the field of a sum of units with fields f and g. There is none where
// their strides differ.
func (f field) union(g field) field {
	if f.stride != g.stride {
		return field{}
	}
	return field{min(f.offset, g.offset), max(f.end, g.end), f.stride}
}

// Forward runs the batch x through the network and returns the output of the last layer, the
// logits, N x 1 x 1 x Classes, which stays valid until the network is used again. For each key
// of taps that is a layer's name, its value is set to a copy of that layer's
// output, in the tensor given unless that is nil. Dropout is off, and batches are
// normalised by running statistics.
//
// It panics if x does not have the input's shape or taps names no layer.
func (n *Net) Forward(x *Tensor, taps map[string]*Tensor) *Tensor {
	for name := range taps {
		if n.node(name) == none {
			panic("nn: tap names no layer")
		}
	}
	return n.forward(pass{threads: par.Threads(n.Threads)}, x, taps)
}

func (n *Net) forward(p pass, x *Tensor, taps map[string]*Tensor) *Tensor {
	if x == nil || x.Shape() != n.arch.Input || len(x.Data) != x.N*n.arch.Input.Size() {
		panic("nn: input has the wrong shape")
	}
	n.values = n.buffers(n.values, x.N)
	out := x
	for i, d := range n.nodes {
		in := n.input(d, x)
		out = n.values[i]
		if d.op.inPlace() && !d.inPlace {
			out.copy(p.threads, in) // which others read, too, as the caller's batch
		}
		if i == 0 || !n.fused(i-1, taps) {
			p.relu = n.fused(i, taps)
			if d.shortcut != none {
				p.shortcut = n.values[d.shortcut]
			}
			d.forward(p, out, in)
		}
		name := d.layer.name()
		if tap, ok := taps[name]; ok {
			if tap == nil {
				tap = new(Tensor)
				taps[name] = tap
			}
			tap.reshape(out.N, out.Shape())
			copy(tap.Data, out.Data)
		}
	}
	return out
}

// input returns what a node reads, for a batch x.
func (n *Net) input(d node, x *Tensor) *Tensor {
	if d.in == none {
		return x
	}
	return n.values[d.in]
}

// fused reports whether node i does the work of the ReLU that follows it, for which it
// must be one that can and have no tap.
func (n *Net) fused(i int, taps map[string]*Tensor) bool {
	if i+1 == len(n.nodes) {
		return false
	}
	next := n.nodes[i+1]
	if _, relu := next.op.(reluOp); !relu || !next.inPlace || next.in != i {
		return false
	}
	if _, tap := taps[n.nodes[i].layer.name()]; tap {
		return false
	}
	switch n.nodes[i].op.(type) {
	case *convOp, *batchNormOp, sumOp:
		return true
	}
	return false
}

// backward sets every parameter's gradient, given that of the logits in the
// last of n.grads. What several nodes read has the sum of their gradients: the last of
// them sets it, the others add to it.
func (n *Net) backward(p pass, x *Tensor) {
	set := make([]bool, len(n.nodes)) // which gradients have been set
	for i, d := range slices.Backward(n.nodes) {
		in, out, dOut := n.input(d, x), n.values[i], n.grads[i]
		if k := d.shortcut; k != none {
			if set[k] {
				n.grads[k].add(p.threads, dOut)
			} else {
				n.grads[k].copy(p.threads, dOut)
			}
			set[k] = true
		}
		var dIn *Tensor
		switch {
		case d.in == none:
		case set[d.in]:
			n.term.reshape(x.N, in.Shape())
			dIn = &n.term
		default:
			dIn = n.grads[d.in]
			set[d.in] = true
		}
		if d.op.inPlace() && !d.inPlace {
			in = out
			if dIn != nil {
				dIn.copy(p.threads, dOut)
				dOut = dIn
			}
		}
		d.backward(p, dIn, dOut, out, in)
		if dIn == &n.term {
			n.grads[d.in].add(p.threads, dIn)
		}
	}
}

// buffers returns one tensor for each node's output of a batch of count
// images.
func (n *Net) buffers(t []*Tensor, count int) []*Tensor {
	if t == nil {
		for _, d := range n.nodes {
			if d.inPlace {
				t = append(t, t[d.in])
			} else {
				t = append(t, new(Tensor))
			}
		}
	}
	for i := range t {
		t[i].reshape(count, n.nodes[i].shape)
	}
	return t
}
