// Package graph finds the layers of an ONNX network that can be compared: which tensors are
// outputs of nonlinearities and of residual sums, along which axis their units are, what
// part of the image a position sees, and which filters they come from.
package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/nn/onnx"
)

// Graph is a network and the tensors that it computes of some input.
type Graph struct {
	Layers []Layer // in the network's order: every tensor of numbers that a node computes

	model    *onnx.Model
	nodes    []onnx.Node
	producer map[string]int   // the node that computes a tensor
	readers  map[string][]int // nodes that read it
	outputs  map[string]bool
	shapes   map[string][]int
	axes     map[string]int // along which the units are; -1: not known
	fields   map[string]Field
}

// Layer is a tensor that may be compared.
type Layer struct {
	Name    string // of the node that computes it, or else of the tensor
	Tensor  string
	Node    string // the node's whole name, which may be empty
	Kind    string // what computes it: Relu, SiLU, residual sum, Conv
	Default bool   // it is the output of a nonlinearity or of a residual sum

	Rectified string // the tensor of which this is exactly the Relu; "" if it is of none

	Shape  []int  // at the input that the graph was analysed with, samples first
	Axis   int    // of the units
	Reason string // why it cannot be compared; "" if it can
	Field  Field  // of a position
}

// Units is how many there are.
func (l Layer) Units() int { return l.Shape[l.Axis] }

// Extents are those of the positions of a sample: all axes but those of samples and units.
func (l Layer) Extents() []int {
	var all []int
	for i, size := range l.Shape {
		if i > 0 && i != l.Axis {
			all = append(all, size)
		}
	}
	return all
}

// tapped is how many tensors are looked at in one run: all at once would take much memory.
const tapped = 32

// New analyses a model by what it computes of an input, whose first axes are so many
// samples; channels is the axis of an image's channels, or -1.
func New(ctx context.Context, m *onnx.Model, inputs map[string]*onnx.Tensor, samples, channels int) (*Graph, error) {
	g := &Graph{model: m, nodes: m.Nodes(), producer: make(map[string]int), readers: make(map[string][]int), outputs: make(map[string]bool), shapes: make(map[string][]int), axes: make(map[string]int), fields: make(map[string]Field)}
	var taps []string
	for i, n := range g.nodes {
		for _, name := range n.Outputs {
			if name != "" {
				g.producer[name] = i
				taps = append(taps, name)
			}
		}
		for _, name := range n.Inputs {
			if name != "" {
				g.readers[name] = append(g.readers[name], i)
			}
		}
	}
	if len(taps) == 0 {
		return nil, fmt.Errorf("the model computes nothing of its inputs")
	}
	if err := g.finiteWeights(); err != nil {
		return nil, err
	}
	for _, v := range m.Outputs() {
		g.outputs[v.Name] = true
	}
	numbers := make(map[string]bool) // tensors of float32
	for some := range slices.Chunk(taps, tapped) {
		all, err := m.RunContext(ctx, inputs, some)
		if err != nil {
			return nil, err
		}
		for name, t := range all {
			g.shapes[name], numbers[name] = t.Shape, t.Type() == onnx.Float32
		}
	}
	for name, t := range inputs {
		g.shapes[name], g.axes[name] = t.Shape, channels
		if len(t.Shape) == 4 {
			g.fields[name] = Field{0, 1, 1}
		}
	}
	for i := range g.nodes {
		g.spread(&g.nodes[i])
	}
	p := g.pointwise()
	taken := make(map[string]int)
	prefix := g.commonFolder()
	for _, n := range g.nodes {
		for k, name := range n.Outputs {
			if name == "" || !numbers[name] {
				continue
			}
			l := Layer{Name: shortName(n.Name, prefix), Tensor: name, Node: n.Name, Shape: g.shapes[name], Axis: g.Axis(name), Field: g.fields[name]}
			if l.Name == "" || k > 0 {
				l.Name = shortName(name, prefix)
			}
			if taken[l.Name]++; taken[l.Name] > 1 {
				l.Name = fmt.Sprintf("%s (%d)", l.Name, taken[l.Name])
			}
			l.Kind, l.Default = p.kind(&n, name)
			if n.Op == "Relu" {
				l.Rectified = n.Inputs[0]
			}
			switch {
			case len(l.Shape) < 2 || l.Shape[0] != samples:
				l.Reason = fmt.Sprintf("its shape %v does not begin with the %d samples", l.Shape, samples)
			case slices.Contains(l.Shape, 0):
				l.Reason = fmt.Sprintf("its shape is %v", l.Shape)
			}
			g.Layers = append(g.Layers, l)
		}
	}
	return g, nil
}

// Comparable are the layers that can be compared, those alone that are compared by default
// if asked for.
func (g *Graph) Comparable(byDefault bool) []Layer {
	var all []Layer
	for _, l := range g.Layers {
		if l.Reason == "" && (l.Default || !byDefault) {
			all = append(all, l)
		}
	}
	return all
}

// isConstant reports whether a tensor is the same whatever the input.
func (g *Graph) isConstant(name string) bool {
	if _, computed := g.producer[name]; computed {
		return false
	}
	return !slices.ContainsFunc(g.model.Inputs(), func(v onnx.Value) bool { return v.Name == name })
}

// constant returns a tensor that is the same whatever the input, or nil.
func (g *Graph) constant(name string) *onnx.Tensor {
	if name == "" || !g.isConstant(name) {
		return nil
	}
	all, err := g.model.Run(nil, []string{name})
	if err != nil {
		return nil
	}
	return all[name]
}

// operands are the inputs of a node that depend on the network's input.
func (g *Graph) operands(n *onnx.Node) []string {
	var all []string
	for i, name := range n.Inputs {
		if name == "" || g.isConstant(name) {
			continue
		}
		if _, computed := g.shapes[name]; n.Op == "If" && (i == 0 || !computed) {
			continue // the condition, and the branch that is not taken
		}
		all = append(all, name)
	}
	return all
}

// commonFolder is the first part of a path that all names of nodes begin with, "" if they
// have none in common.
func (g *Graph) commonFolder() string {
	common, seen := "", false
	for _, n := range g.nodes {
		first, _, found := strings.Cut(strings.TrimPrefix(n.Name, "/"), "/")
		if !found {
			continue // such as nodes that a converter added
		}
		if !seen {
			common, seen = first+"/", true
		}
		if first+"/" != common {
			return ""
		}
	}
	return common
}

// shortName is a name without the folder that all are in. TensorFlow joins the names of
// what it made one by underscores, or semicolons: the first says what the node computes.
func shortName(name, folder string) string {
	name = strings.TrimPrefix(name, "/")
	name, _, _ = strings.Cut(name, ";")
	if folder != "" {
		name = strings.TrimPrefix(name, folder)
		name, _, _ = strings.Cut(name, "_"+folder)
	}
	return name
}

// Axis is that of the units of a tensor.
func (g *Graph) Axis(tensor string) int {
	if axis := g.axes[tensor]; axis >= 1 && axis < len(g.shapes[tensor]) {
		return axis
	}
	return usualAxis(len(g.shapes[tensor]))
}

// Size is how many numbers a tensor has of a sample.
func (g *Graph) Size(tensor string) int64 {
	n := int64(1)
	for _, size := range g.shapes[tensor][1:] {
		n *= int64(size)
	}
	return n
}
