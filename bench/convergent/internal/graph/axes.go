package graph

import (
	"slices"

	"github.com/convergent-go/convergent/nn/onnx"
)

// spatial are operators whose axes are samples, channels, and those of an image.
var spatial = []string{"Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LRN", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "DepthToSpace", "SpaceToDepth", "ConvInteger", "QLinearConv", "Upsample"}

// spread says along which axis the units of a node's outputs are, and what its positions
// see, from what is known of its inputs.
func (g *Graph) spread(n *onnx.Node) {
	axis := g.axis(n)
	for _, name := range n.Outputs {
		g.axes[name] = axis
	}
	field := g.field(n) // which asks for the axis
	for _, name := range n.Outputs {
		g.fields[name] = field
	}
}

// axis returns that of the units in a node's outputs, or -1.
func (g *Graph) axis(n *onnx.Node) int {
	rank := len(g.shapes[n.Outputs[0]])
	operands := g.operands(n)
	if len(operands) == 0 {
		return -1
	}
	in, from := g.axes[operands[0]], g.shapes[operands[0]]
	switch {
	case slices.Contains(spatial, n.Op):
		return 1
	case n.Op == "Gemm", n.Op == "MatMul" && len(operands) == 1:
		return rank - 1
	case n.Op == "MatMul", n.Op == "Einsum":
		return -1
	case n.Op == "LayerNormalization" && in < 0:
		return rank - 1
	case n.Op == "Transpose":
		perm, given := n.Attributes["perm"].([]int)
		if !given { // the axes the other way round
			return len(from) - 1 - in
		}
		return slices.Index(perm, in)
	case n.Op == "Reshape", n.Op == "Flatten", n.Op == "Squeeze", n.Op == "Unsqueeze":
		return g.reshaped(in, from, g.shapes[n.Outputs[0]])
	}
	// What is left works on each element, or along axes that stay what they are.
	for _, name := range operands {
		if axis := g.axes[name]; axis >= 0 && len(g.shapes[name]) == rank {
			return axis
		}
	}
	return -1
}

// reshaped returns where an axis is after a change of shape that leaves all axes up to it
// as they were, or it and all after it.
func (g *Graph) reshaped(axis int, from, to []int) int {
	if axis < 0 || axis >= len(from) {
		return -1
	}
	if len(to) > axis && slices.Equal(from[:axis+1], to[:axis+1]) {
		return axis
	}
	if after := len(from) - axis; len(to) >= after && slices.Equal(from[axis:], to[len(to)-after:]) {
		return len(to) - after
	}
	return -1
}

// usualAxis is that of the units where nothing says otherwise: the second of an image, as
// ONNX has it, and the last of tokens.
func usualAxis(rank int) int {
	if rank == 3 {
		return 2
	}
	return 1
}
