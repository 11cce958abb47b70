package graph

import (
	"slices"

	"github.com/convergent-go/convergent/nn/onnx"
)

// Filters returns the weights that make a layer's units of the image, [units, channels,
// height, width], if the layer is that of a convolution of the image, perhaps normalised,
// pooled and bent by a nonlinearity; else nil.
func (g *Graph) Filters(l Layer) *onnx.Tensor {
	conv := g.source(l.Tensor, func(n *onnx.Node) bool { return n.Op == "Conv" })
	if conv == nil || len(conv.Inputs) < 2 {
		return nil
	}
	weights := g.constant(conv.Inputs[1])
	if weights == nil || len(weights.Shape) != 4 || weights.Type() != onnx.Float32 || weights.Shape[0] != l.Units() {
		return nil
	}
	name := conv.Inputs[0]
	if _, computed := g.producer[name]; computed && g.source(name, func(n *onnx.Node) bool { return !g.isOfImage(n) }) != nil {
		return nil
	}
	return weights
}

// isOfImage reports whether a node makes an image of an image, by what exporters put
// before the first convolution.
func (g *Graph) isOfImage(n *onnx.Node) bool {
	return len(g.operands(n)) == 1 && slices.Contains([]string{"Transpose", "Pad", "Cast", "Identity", "Add", "Sub", "Mul", "Div", "BatchNormalization"}, n.Op)
}

// source returns the first node, back from a tensor, that stop holds of; nil if there is
// none before the way divides, or units are mixed.
func (g *Graph) source(name string, stop func(n *onnx.Node) bool) *onnx.Node {
	for {
		i, computed := g.producer[name]
		if !computed {
			return nil
		}
		n := &g.nodes[i]
		if stop(n) {
			return n
		}
		if !slices.Contains(local, n.Op) && n.Op != "MaxPool" && n.Op != "AveragePool" && n.Op != "Pad" || n.Op == "Concat" || n.Op == "Split" || n.Op == "Slice" {
			return nil
		}
		// SiLU has two operands that are of one tensor; either leads there.
		operands := g.operands(n)
		if len(operands) == 0 || len(operands) > 1 && n.Op != "Mul" {
			return nil
		}
		name = operands[0]
	}
}
