package graph

import (
	"slices"

	"github.com/convergent-go/convergent/nn/onnx"
)

// Field is the part of an image that a position sees, along either edge: position p sees
// pixels [p*Stride+Offset, p*Stride+End). Where that is not known, or is the whole image,
// Stride is 0. Means over an image, of normalisations and of gates, are passed over, as is
// usual.
type Field struct{ Offset, End, Stride int }

// local are operators whose results at a position are of their operands there.
var local = slices.Concat(nonlinear, elementwise, []string{"If", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization", "LRN", "Concat", "Sum", "Mean", "Split", "Slice", "Where", "Softmax", "Transpose", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2", "QuantizeLinear", "DequantizeLinear"})

// field returns what positions of a node's outputs see.
func (g *Graph) field(n *onnx.Node) Field {
	operands := g.operands(n)
	if len(operands) == 0 || len(g.shapes[n.Outputs[0]]) != 4 {
		return Field{}
	}
	f := g.fields[operands[0]]
	if f.Stride == 0 && !slices.Contains(local, n.Op) {
		return Field{}
	}
	switch {
	case n.Op == "Conv" || n.Op == "MaxPool" || n.Op == "AveragePool":
		return f.window(g.window(n))
	case n.Op == "Pad":
		return f.moved(g.padding(n))
	case n.Op == "Resize" || n.Op == "Upsample":
		return f.scaled(g.extent(operands[0]), g.extent(n.Outputs[0]))
	case slices.Contains(local, n.Op) || n.Op == "MatMul" && len(operands) == 1:
		return g.union(n, operands)
	}
	return Field{}
}

// union returns the field of what is computed of several tensors of one extent. A tensor of
// one position, which all positions read, is passed over.
func (g *Graph) union(n *onnx.Node, operands []string) Field {
	var all Field
	for _, name := range operands {
		if g.positions(name) == 1 && g.positions(n.Outputs[0]) > 1 {
			continue
		}
		f := g.fields[name]
		if f.Stride == 0 || g.positions(name) != g.positions(n.Outputs[0]) || all.Stride != 0 && all.Stride != f.Stride {
			return Field{}
		}
		if all.Stride == 0 {
			all = f
		}
		all.Offset, all.End = min(all.Offset, f.Offset), max(all.End, f.End)
	}
	return all
}

// positions is how many a tensor has in a sample.
func (g *Graph) positions(name string) int {
	n := 1
	axis := g.Axis(name)
	for i, size := range g.shapes[name] {
		if i > 0 && i != axis {
			n *= size
		}
	}
	return n
}

// extent is the size of a map along an edge; 0 if it is not square.
func (g *Graph) extent(name string) int {
	if s := g.shapes[name]; len(s) == 4 && s[2] == s[3] {
		return s[2]
	}
	return 0
}

// window is what a convolution or a pool reads of an edge: so many positions, so far apart,
// from so many before the first on.
type window struct{ size, stride, dilation, before int }

// window returns that of a node; size 0 if those of both edges differ.
func (g *Graph) window(n *onnx.Node) window {
	kernel, _ := n.Attributes["kernel_shape"].([]int)
	if kernel == nil && n.Op == "Conv" {
		if v, ok := g.model.Value(n.Inputs[1]); ok && len(v.Shape) == 4 {
			kernel = []int{v.Shape[2].Size, v.Shape[3].Size}
		}
	}
	both := func(name string, without int) (int, bool) {
		v, _ := n.Attributes[name].([]int)
		if v == nil {
			return without, true
		}
		return v[0], len(v) >= 2 && v[0] == v[1]
	}
	stride, equal := both("strides", 1)
	dilation, same := both("dilations", 1)
	before, square := both("pads", 0)
	if len(kernel) != 2 || kernel[0] != kernel[1] || !equal || !same || !square {
		return window{}
	}
	w := window{kernel[0], stride, dilation, before}
	switch n.Attributes["auto_pad"] {
	case "VALID":
		w.before = 0
	case "SAME_UPPER", "SAME_LOWER":
		in := g.extent(n.Inputs[0])
		if in == 0 {
			return window{}
		}
		total := max(0, ((in+stride-1)/stride-1)*stride+(w.size-1)*dilation+1-in)
		w.before = total / 2
		if n.Attributes["auto_pad"] == "SAME_LOWER" {
			w.before = total - total/2
		}
	}
	return w
}

// window returns the field of what a window reads.
func (f Field) window(w window) Field {
	if w.size == 0 {
		return Field{}
	}
	return Field{f.Offset - w.before*f.Stride, f.End + ((w.size-1)*w.dilation-w.before)*f.Stride, w.stride * f.Stride}
}

// padding is how many positions a Pad adds before either edge; false if that differs or is
// not known.
func (g *Graph) padding(n *onnx.Node) (before int, known bool) {
	pads, _ := n.Attributes["pads"].([]int)
	if pads == nil && len(n.Inputs) > 1 {
		if t := g.constant(n.Inputs[1]); t != nil {
			values, _ := t.Data.([]int64)
			for _, v := range values {
				pads = append(pads, int(v))
			}
		}
	}
	if len(pads) != 8 || len(n.Inputs) > 3 || pads[2] != pads[3] {
		return 0, false
	}
	return pads[2], true
}

// moved returns the field after positions were added before it.
func (f Field) moved(before int, known bool) Field {
	if !known {
		return Field{}
	}
	return Field{f.Offset - before*f.Stride, f.End - before*f.Stride, f.Stride}
}

// scaled returns the field of a map that was made larger by a whole number of times: all
// that a position may see, whether it is the nearest or between several.
func (f Field) scaled(from, to int) Field {
	if from == 0 || to%from != 0 || f.Stride%(to/from) != 0 {
		return Field{}
	}
	return Field{f.Offset - f.Stride, f.End + f.Stride, f.Stride / (to / from)}
}
