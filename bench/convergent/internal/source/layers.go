package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/graph"
	"github.com/convergent-go/convergent/nn/onnx"
)

// LayerList is the layers of a network.
type LayerList struct {
	Input string // what they were found with
	Graph *graph.Graph
}

// ListLayers finds the layers of a network by what it computes of zeros; axes that it leaves
// open, other than those of samples and channels, have the given size.
func ListLayers(ctx context.Context, path string, size int) (*LayerList, error) {
	if !IsModel(path) {
		return nil, fmt.Errorf("%s is no .onnx file", path)
	}
	m, err := onnx.Load(path)
	if err != nil {
		return nil, err
	}
	inputs := make(map[string]*onnx.Tensor)
	var text []string
	samples, channels := 1, -1
	for i, v := range m.Inputs() {
		if v.Shape == nil {
			return nil, fmt.Errorf("%s: the shape of input %q is not known", path, v.Name)
		}
		shape := make([]int, len(v.Shape))
		n := 1
		for k, d := range v.Shape {
			switch shape[k] = d.Size; {
			case d.Size >= 0:
			case k == 0:
				shape[k] = samples
			case k == 1 && len(v.Shape) == 4:
				shape[k] = 3
			default:
				shape[k] = size
			}
			if n *= shape[k]; n > 1<<28 || n < 0 {
				return nil, fmt.Errorf("%s: input %q is %s, too large to be tried", path, v.Name, shapeText(v))
			}
		}
		if i == 0 && len(shape) > 0 {
			samples = shape[0]
		}
		if len(shape) == 4 {
			if channels = 1; shape[1] > 4 && slices.Contains([]int{1, 3, 4}, shape[3]) {
				channels = 3
			}
		}
		data, err := converted(make([]float32, n), v.Type)
		if err != nil {
			return nil, err
		}
		inputs[v.Name] = onnx.NewTensor(data, shape...)
		text = append(text, fmt.Sprintf("%s: %s", v.Name, shapeText(v)))
	}
	g, err := graph.New(ctx, m, inputs, samples, channels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &LayerList{strings.Join(text, "; "), g}, nil
}
