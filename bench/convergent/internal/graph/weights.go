package graph

import (
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/nn/onnx"
)

// weighted are operations whose constant inputs are weights. Those of others may well be
// infinite, as what hides tokens from attention.
var weighted = []string{"BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GroupNormalization", "InstanceNormalization", "LayerNormalization", "MatMul", "PRelu"}

// finiteWeights returns an error that names a tensor of weights with a value that is NaN or
// infinite.
func (g *Graph) finiteWeights() error {
	for i := range g.nodes {
		n := &g.nodes[i]
		if n.Domain != "" || !slices.Contains(weighted, n.Op) {
			continue
		}
		for _, name := range n.Inputs {
			t := g.constant(name)
			if t == nil || t.Type() != onnx.Float32 {
				continue
			}
			for k, v := range t.Data.([]float32) {
				if v-v != 0 {
					return fmt.Errorf("weights %q of %v: element %d is %v; training diverged, or the file is damaged", name, n, k, v)
				}
			}
		}
	}
	return nil
}
