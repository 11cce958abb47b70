package graph

import (
	"slices"
	"strings"

	"github.com/convergent-go/convergent/nn/onnx"
)

// Exporters write nonlinearities as one node or as several: SiLU is x times its Sigmoid,
// GELU a sum and products of x and its Erf. What they have in common is that each element
// of the result is a function of one element of one tensor. So a nonlinearity is what nodes
// compute element by element of one tensor, its root, and of constant scalars, with a
// function among them that is not a polynomial; its output is what other nodes read.

// nonlinear are functions of each element. The inputs of Clip and PRelu but for the first
// are constants, of any shape.
var nonlinear = []string{"Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Softplus", "Softsign", "Clip", "Erf"}

// elementwise are those that are no nonlinearity by themselves, or that have two operands.
var elementwise = []string{"Identity", "Dropout", "Cast", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Pow", "Add", "Sub", "Mul", "Div", "Min", "Max"}

// pointwise is what every tensor is a function of, element by element.
type pointwise struct {
	*Graph
	root      map[string]string
	functions map[string][]string // the nonlinear ones from the root to a tensor
	steps     map[string]int      // how many nodes there are between
}

func (g *Graph) pointwise() *pointwise {
	p := &pointwise{Graph: g, root: make(map[string]string), functions: make(map[string][]string), steps: make(map[string]int)}
	for i := range g.nodes {
		n := &g.nodes[i]
		operands := p.single(n)
		if operands == nil {
			continue
		}
		out := n.Outputs[0]
		p.root[out] = p.of(operands[0])
		p.steps[out] = 1
		for _, name := range operands {
			for _, f := range p.functions[name] {
				if !slices.Contains(p.functions[out], f) {
					p.functions[out] = append(p.functions[out], f)
				}
			}
			p.steps[out] += p.steps[name]
		}
		if slices.Contains(nonlinear, n.Op) || (n.Op == "Min" || n.Op == "Max") && len(operands) == 1 {
			p.functions[out] = append(p.functions[out], n.Op)
		}
	}
	return p
}

// of returns the root of a tensor: itself, if it is computed in another way.
func (p *pointwise) of(name string) string {
	if root, ok := p.root[name]; ok {
		return root
	}
	return name
}

// single returns the operands of a node that works element by element on tensors of one
// root; nil for others.
func (p *pointwise) single(n *onnx.Node) []string {
	function := slices.Contains(nonlinear, n.Op)
	if !function && !slices.Contains(elementwise, n.Op) || len(n.Outputs) == 0 || n.Outputs[0] == "" {
		return nil
	}
	operands := p.operands(n)
	if len(operands) == 0 || function && len(operands) > 1 {
		return nil
	}
	for _, name := range operands {
		if p.of(name) != p.of(operands[0]) {
			return nil
		}
	}
	for _, name := range n.Inputs {
		if name == "" || !p.isConstant(name) || function {
			continue
		}
		v, _ := p.model.Value(name)
		for _, d := range v.Shape {
			if d.Size != 1 {
				return nil // of each channel
			}
		}
	}
	return operands
}

// leaves reports whether a tensor is read by more than what computes functions of the same
// root, or of itself.
func (p *pointwise) leaves(name string) bool {
	if p.outputs[name] {
		return true
	}
	for _, i := range p.readers[name] {
		if p.of(p.nodes[i].Outputs[0]) != p.of(name) {
			return true
		}
	}
	return false
}

// bent reports whether a nonlinearity of a tensor is a layer, too: then the tensor itself
// says nothing that this one does not, as in a residual block that ends with a ReLU.
func (p *pointwise) bent(name string) bool {
	for out, root := range p.root {
		if root == name && len(p.functions[out]) > 0 && p.leaves(out) {
			return true
		}
	}
	return false
}

// kind says what computes a tensor, and whether it is compared by default.
func (p *pointwise) kind(n *onnx.Node, name string) (string, bool) {
	if name != n.Outputs[0] {
		return n.Op, false
	}
	if functions := p.functions[name]; len(functions) > 0 {
		return p.nonlinearity(name), p.leaves(name)
	}
	if (n.Op == "Add" || n.Op == "Sum") && p.root[name] == "" {
		terms := 0
		for _, term := range p.operands(n) {
			if slices.Equal(p.shapes[term], p.shapes[name]) {
				terms++
			}
		}
		if terms > 1 {
			return "residual sum", p.leaves(name) || !p.bent(name)
		}
	}
	return n.Op, false
}

// nonlinearity names the function that a tensor is of its root.
func (p *pointwise) nonlinearity(name string) string {
	functions := p.functions[name]
	if p.steps[name] == 1 {
		return functions[0]
	}
	switch key := strings.Join(functions, " "); key {
	case "Erf":
		return "Gelu"
	case "Softplus Tanh":
		return "Mish"
	case "Sigmoid", "Tanh", "HardSigmoid", "Clip":
		if p.gated(name) {
			return map[string]string{"Sigmoid": "SiLU", "Tanh": "Gelu", "HardSigmoid": "HardSwish", "Clip": "HardSwish"}[key]
		}
		return key
	default:
		return key
	}
}

// gated reports whether the root, or a multiple of it, is multiplied by its function.
func (p *pointwise) gated(name string) bool {
	i, ok := p.producer[name]
	if !ok || p.root[name] == "" {
		return false
	}
	n := &p.nodes[i]
	operands := p.operands(n)
	if n.Op == "Mul" && len(operands) == 2 {
		return (len(p.functions[operands[0]]) > 0) != (len(p.functions[operands[1]]) > 0)
	}
	return slices.ContainsFunc(operands, p.gated)
}
