package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/nn"
	"github.com/convergent-go/convergent/nn/onnx"
)

// openONNX reads a network of an architecture that was exported as ONNX. Weights go to
// layers by the order of convolutions, normalisations and matrices in the graph, and must
// fit there. Whether the graph is that of the architecture otherwise, only its results tell:
// so both are run on some images.
func openONNX(path string, arch nn.Arch) (*nn.Net, error) {
	fail := func(err error) error {
		return fmt.Errorf("%s: not a network %s: %w", path, arch.Name, err)
	}
	m, err := onnx.Load(path)
	if err != nil {
		return nil, err
	}
	g := &exported{m: m, nodes: m.Nodes()}
	if err := g.assign(arch); err != nil {
		return nil, fail(err)
	}
	n, err := g.net(arch)
	if err != nil {
		return nil, fail(err)
	}
	if err := g.agree(n); err != nil {
		return nil, fail(err)
	}
	return n, nil
}

// exported is a network in a file, and its weights under the names that PyTorch would give
// them.
type exported struct {
	m       *onnx.Model
	nodes   []onnx.Node
	tensors []safetensors.Tensor
}

// assign names the weights.
func (g *exported) assign(arch nn.Arch) error {
	convs, denses := g.all("Conv"), g.all("Gemm", "MatMul")
	layers := flat(arch.Layers)
	for i, l := range layers {
		switch l := l.(type) {
		case nn.Conv2D:
			if len(convs) == 0 {
				return fmt.Errorf("it has %d convolutions, and none for %s", len(g.all("Conv")), l.Name)
			}
			conv := convs[0]
			convs = convs[1:]
			var norm *nn.BatchNorm2D
			if i+1 < len(layers) {
				if b, ok := layers[i+1].(nn.BatchNorm2D); ok {
					norm = &b
				}
			}
			if err := g.conv(conv, l, norm); err != nil {
				return fmt.Errorf("%v, taken for %s: %w", conv, l.Name, err)
			}
		case nn.Dense:
			if len(denses) == 0 {
				return fmt.Errorf("it has %d matrices, and none for %s", len(g.all("Gemm", "MatMul")), l.Name)
			}
			dense := denses[0]
			denses = denses[1:]
			if err := g.dense(dense, l); err != nil {
				return fmt.Errorf("%v, taken for %s: %w", dense, l.Name, err)
			}
		}
	}
	if len(convs) > 0 || len(denses) > 0 {
		return fmt.Errorf("it has %d convolutions and %d matrices more", len(convs), len(denses))
	}
	return nil
}

// flat lists layers with those of shortcuts, in the order in which they are computed.
func flat(layers []nn.Layer) []nn.Layer {
	var all []nn.Layer
	for _, l := range layers {
		if r, ok := l.(nn.Residual); ok {
			all = append(all, flat(r.Shortcut)...)
		}
		all = append(all, l)
	}
	return all
}

// all lists the nodes of some operators whose weights are constants.
func (g *exported) all(ops ...string) []*onnx.Node {
	var all []*onnx.Node
	for i := range g.nodes {
		n := &g.nodes[i]
		if slices.Contains(ops, n.Op) && len(n.Inputs) > 1 && !g.computed(n.Inputs[1]) {
			all = append(all, n)
		}
	}
	return all
}

// computed reports whether a tensor depends on the images.
func (g *exported) computed(name string) bool {
	return slices.ContainsFunc(g.nodes, func(n onnx.Node) bool { return slices.Contains(n.Outputs, name) }) ||
		slices.ContainsFunc(g.m.Inputs(), func(v onnx.Value) bool { return v.Name == name })
}

// reader returns the only node that reads what a node computes, if it is of an operator.
func (g *exported) reader(n *onnx.Node, op string) *onnx.Node {
	var found *onnx.Node
	for i := range g.nodes {
		if slices.Contains(g.nodes[i].Inputs, n.Outputs[0]) {
			if found != nil || g.nodes[i].Op != op {
				return nil
			}
			found = &g.nodes[i]
		}
	}
	return found
}

// constant returns the numbers of a tensor that depends on nothing.
func (g *exported) constant(name string) ([]float32, []int, error) {
	if name == "" || g.computed(name) {
		return nil, nil, fmt.Errorf("its input %q is no weight", name)
	}
	all, err := g.m.Run(nil, []string{name})
	if err != nil {
		return nil, nil, err
	}
	data, ok := all[name].Data.([]float32)
	if !ok {
		return nil, nil, fmt.Errorf("its input %q is %v", name, all[name].Type())
	}
	return data, all[name].Shape, nil
}

func (g *exported) add(name string, data []float32, shape ...int) {
	g.tensors = append(g.tensors, safetensors.Tensor{Name: name, Shape: shape, F32: data})
}

// conv adds the weights of a convolution, and of the normalisation that follows it: exporters
// make it part of the convolution, whose bias is then its shift.
func (g *exported) conv(n *onnx.Node, l nn.Conv2D, norm *nn.BatchNorm2D) error {
	w, shape, err := g.constant(n.Inputs[1])
	if err != nil {
		return err
	}
	if len(shape) != 4 || shape[0] != l.Out || shape[2] != l.Kernel || shape[3] != l.Kernel {
		return fmt.Errorf("weights of shape %v, where there are %d filters of %d x %d", shape, l.Out, l.Kernel, l.Kernel)
	}
	bias := make([]float32, l.Out)
	if len(n.Inputs) > 2 && n.Inputs[2] != "" {
		if bias, _, err = g.constant(n.Inputs[2]); err != nil {
			return err
		}
	}
	if len(bias) != l.Out {
		return fmt.Errorf("%d biases of %d filters", len(bias), l.Out)
	}
	g.add(l.Name+".weight", w, shape...)
	if !l.NoBias {
		g.add(l.Name+".bias", bias, l.Out)
	}
	if norm == nil {
		if l.NoBias && slices.ContainsFunc(bias, func(v float32) bool { return v != 0 }) {
			return errors.New("it has biases")
		}
		return nil
	}
	eps := norm.Eps
	if eps == 0 {
		eps = 1e-5
	}
	parts := [4][]float32{slices.Repeat([]float32{1}, l.Out), make([]float32, l.Out), make([]float32, l.Out), slices.Repeat([]float32{float32(1 - eps)}, l.Out)} // which change nothing
	if follows := g.reader(n, "BatchNormalization"); follows != nil {
		for i := range parts {
			if parts[i], _, err = g.constant(follows.Inputs[1+i]); err != nil {
				return err
			}
			if len(parts[i]) != l.Out {
				return fmt.Errorf("%v has %d channels, where there are %d", follows, len(parts[i]), l.Out)
			}
		}
		parts[3] = slices.Clone(parts[3])
		own, given := follows.Attributes["epsilon"].(float32)
		if !given {
			own = 1e-5
		}
		for c := range parts[3] {
			parts[3][c] += own - float32(eps)
		}
		if l.NoBias {
			parts[2] = slices.Clone(parts[2])
			for c, b := range bias {
				parts[2][c] -= b
			}
		}
	} else if l.NoBias {
		parts[1] = bias
	}
	for i, name := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
		g.add(norm.Name+name, parts[i], l.Out)
	}
	return nil
}

// dense adds the weights of a matrix, [Out, inputs].
func (g *exported) dense(n *onnx.Node, l nn.Dense) error {
	w, shape, err := g.constant(n.Inputs[1])
	if err != nil {
		return err
	}
	if len(shape) != 2 {
		return fmt.Errorf("weights of shape %v", shape)
	}
	out, in := shape[1], shape[0]
	if n.Attributes["transB"] == 1 {
		out, in = shape[0], shape[1]
	} else {
		turned := make([]float32, len(w))
		for i := range in {
			for o := range out {
				turned[o*in+i] = w[i*out+o]
			}
		}
		w = turned
	}
	if out != l.Out {
		return fmt.Errorf("%d outputs, where there are %d", out, l.Out)
	}
	var name string
	if n.Op == "Gemm" && len(n.Inputs) > 2 {
		name = n.Inputs[2]
	} else if sum := g.reader(n, "Add"); n.Op == "MatMul" && sum != nil {
		name = sum.Inputs[0]
		if g.computed(name) {
			name = sum.Inputs[1]
		}
	}
	bias := make([]float32, out)
	if name != "" {
		if bias, _, err = g.constant(name); err != nil {
			return err
		}
	}
	if len(bias) != out {
		return fmt.Errorf("%d biases of %d outputs", len(bias), out)
	}
	g.add(l.Name+".weight", w, out, in)
	g.add(l.Name+".bias", bias, out)
	return nil
}

// net makes a network of the weights, as if PyTorch had saved them.
func (g *exported) net(arch nn.Arch) (*nn.Net, error) {
	dir, err := os.MkdirTemp("", "convergent")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "weights.safetensors")
	if err := safetensors.Save(path, &safetensors.File{Tensors: g.tensors}); err != nil {
		return nil, err
	}
	n, err := nn.LoadTorch(path, arch)
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), path, "its weights"))
	}
	return n, nil
}

// agreement is how far results may be apart, in parts of the largest.
const agreement = 1e-3

// agree returns an error unless the network in the file and n make the same of some images.
func (g *exported) agree(n *nn.Net) error {
	inputs := g.m.Inputs()
	in := n.Arch().Input
	if len(inputs) != 1 || len(g.m.Outputs()) == 0 || inputs[0].Shape != nil && len(inputs[0].Shape) != 4 {
		return fmt.Errorf("it has %d inputs, where images are one", len(inputs))
	}
	images := 4
	if s := inputs[0].Shape; s != nil && s[0].Size > 0 {
		images = s[0].Size
	}
	x := nn.NewTensor(images, in.H, in.W, in.C)
	planes := make([]float32, len(x.Data))
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range images {
		for at := range in.H * in.W {
			for c := range in.C {
				v := float32(rnd.NormFloat64())
				x.Data[(i*in.H*in.W+at)*in.C+c] = v
				planes[(i*in.C+c)*in.H*in.W+at] = v
			}
		}
	}
	given := onnx.NewTensor(planes, images, in.C, in.H, in.W)
	out := g.m.Outputs()[0].Name
	all, err := g.m.Run(map[string]*onnx.Tensor{inputs[0].Name: given}, []string{out})
	if err != nil {
		return err
	}
	want, _ := all[out].Data.([]float32)
	got := n.Forward(x, nil).Data
	if len(want) != len(got) {
		return fmt.Errorf("its output %q has shape %v, where there are %d classes", out, all[out].Shape, n.Arch().Classes)
	}
	largest, worst := 0.0, 0.0
	for i, v := range want {
		largest, worst = max(largest, math.Abs(float64(v))), max(worst, math.Abs(float64(v)-float64(got[i])))
	}
	if !(worst <= agreement*largest) {
		return fmt.Errorf("its weights fit, but it computes something else of the same images: logits are %.2g apart, where the largest is %.2g", worst, largest)
	}
	return nil
}
