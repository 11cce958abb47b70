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

	arch   Arch
	seed   uint64
	shapes []Shape // shapes[i] is the input of layer i, the last the output
	ops    []op

	// Activations and gradients by layer, grown to the largest batch seen; a
	// layer that works in place shares its input's.
	values, grads []*Tensor
}

// New makes a network and draws its parameters from the seed: those of each
// layer from a stream of its own. The error says which layer does not fit.
func New(a Arch, seed uint64) (*Net, error) {
	n := &Net{arch: a, seed: seed, shapes: []Shape{a.Input}}
	if a.Input.H < 1 || a.Input.W < 1 || a.Input.C < 1 {
		return nil, fmt.Errorf("nn: %s: input of shape %v", a.Name, a.Input)
	}
	names := make(map[string]bool)
	for i, l := range a.Layers {
		in := n.shapes[i]
		out, err := l.output(in)
		if err != nil {
			return nil, fmt.Errorf("nn: %s: layer %q: %w", a.Name, l.name(), err)
		}
		if names[l.name()] || l.name() == "" {
			return nil, fmt.Errorf("nn: %s: layer %d: the name %q is empty or taken", a.Name, i, l.name())
		}
		names[l.name()] = true
		n.shapes = append(n.shapes, out)
		n.ops = append(n.ops, l.build(in, rand.New(rand.NewPCG(seed, uint64(i)))))
	}
	if out := n.shapes[len(a.Layers)]; out.Size() != a.Classes || a.Classes < 1 {
		return nil, fmt.Errorf("nn: %s: the last layer has %d outputs for %d classes", a.Name, out.Size(), a.Classes)
	}
	return n, nil
}

// Arch returns the network's description.
func (n *Net) Arch() Arch { return n.arch }

// Seed returns the seed that the network was made from.
func (n *Net) Seed() uint64 { return n.seed }

// Clone returns a network with the same parameters, momentum and Threads that
// shares no memory with n.
func (n *Net) Clone() *Net {
	c, err := New(n.arch, n.seed)
	if err != nil {
		panic("nn: Clone of a Net that New did not make")
	}
	c.Threads = n.Threads
	for i, p := range c.Params() {
		from := n.Params()[i]
		copy(p.Data, from.Data)
		p.Grad, p.velocity = slices.Clone(from.Grad), slices.Clone(from.velocity)
	}
	return c
}

// Params returns the parameters, in the order of the layers.
func (n *Net) Params() []*Param {
	var all []*Param
	for _, o := range n.ops {
		all = append(all, o.params()...)
	}
	return all
}

// layer returns the index of the named layer, or -1.
func (n *Net) layer(name string) int {
	for i, l := range n.arch.Layers {
		if l.name() == name {
			return i
		}
	}
	return -1
}

// Shape returns the shape of the named layer's output, and whether there is
// such a layer.
func (n *Net) Shape(layer string) (Shape, bool) {
	i := n.layer(layer)
	if i < 0 {
		return Shape{}, false
	}
	return n.shapes[i+1], true
}

// ReceptiveField returns what part of the input a position of the named layer
// sees: along either edge, position p sees inputs
// [p*stride+offset, p*stride+offset+size), some of which may lie outside.
func (n *Net) ReceptiveField(layer string) (size, stride, offset int, err error) {
	last := n.layer(layer)
	if last < 0 {
		return 0, 0, 0, fmt.Errorf("nn: %s has no layer %q", n.arch.Name, layer)
	}
	size, stride = 1, 1
	for _, l := range n.arch.Layers[:last+1] {
		k, s, pad, ok := l.window()
		if !ok {
			return 0, 0, 0, fmt.Errorf("nn: the units of layer %q see the whole image", layer)
		}
		size += (k - 1) * stride
		offset -= pad * stride
		stride *= s
	}
	return size, stride, offset, nil
}

// Forward runs the batch x through the network and returns the logits, N x 1 x
// 1 x Classes, which stay valid until the network is used again. For each key
// of taps that is a layer's name, its value is set to a copy of that layer's
// output, in the tensor given unless that is nil. Dropout is off.
//
// It panics if x does not have the input's shape or taps names no layer.
func (n *Net) Forward(x *Tensor, taps map[string]*Tensor) *Tensor {
	for name := range taps {
		if n.layer(name) < 0 {
			panic("nn: tap names no layer")
		}
	}
	return n.forward(pass{threads: par.Threads(n.Threads)}, x, taps)
}

func (n *Net) forward(p pass, x *Tensor, taps map[string]*Tensor) *Tensor {
	if x.Shape() != n.arch.Input || len(x.Data) != x.N*n.arch.Input.Size() {
		panic("nn: input has the wrong shape")
	}
	n.values = n.buffers(n.values, x.N)
	in := x
	for i, o := range n.ops {
		out := n.values[i]
		if o.inPlace() && i == 0 {
			copy(out.Data, x.Data) // the caller's batch stays as it is
		}
		if i == 0 || !n.fused(i-1, taps) {
			p.relu = n.fused(i, taps)
			o.forward(p, out, in)
		}
		if tap, wanted := taps[n.arch.Layers[i].name()]; wanted {
			if tap == nil {
				tap = new(Tensor)
				taps[n.arch.Layers[i].name()] = tap
			}
			tap.reshape(out.N, out.Shape())
			copy(tap.Data, out.Data)
		}
		in = out
	}
	return in
}

// fused reports whether layer i is a convolution whose ReLU is done with it, unless
// what lies between is asked for.
func (n *Net) fused(i int, taps map[string]*Tensor) bool {
	if i+1 == len(n.ops) {
		return false
	}
	_, convolution := n.ops[i].(*convOp)
	_, relu := n.ops[i+1].(reluOp)
	_, wanted := taps[n.arch.Layers[i].name()]
	return convolution && relu && !wanted
}

// backward sets every parameter's gradient, given that of the logits in the
// last of n.grads.
func (n *Net) backward(p pass, x *Tensor) {
	for i := len(n.ops) - 1; i >= 0; i-- {
		in, dIn := x, (*Tensor)(nil)
		if i > 0 {
			in, dIn = n.values[i-1], n.grads[i-1]
		}
		n.ops[i].backward(p, dIn, n.grads[i], n.values[i], in)
	}
}

// buffers returns one tensor for each layer's output of a batch of count
// images.
func (n *Net) buffers(t []*Tensor, count int) []*Tensor {
	if t == nil {
		for i, o := range n.ops {
			if o.inPlace() && i > 0 {
				t = append(t, t[i-1])
			} else {
				t = append(t, new(Tensor))
			}
		}
	}
	for i := range t {
		t[i].reshape(count, n.shapes[i+1])
	}
	return t
}
