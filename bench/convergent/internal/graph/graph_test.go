package graph

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/nn/onnx"
)

// fixtures are what PyTorch exported; see make.py beside them.
const fixtures = "../../testdata/onnx/"

// open analyses a network that PyTorch exported, on zeros.
func open(t *testing.T, name string, samples int) *Graph {
	t.Helper()
	m, err := onnx.Load(fixtures + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	inputs := make(map[string]*onnx.Tensor)
	for _, v := range m.Inputs() {
		if v.Type == onnx.Int64 {
			inputs[v.Name] = onnx.NewTensor(make([]int64, samples*5), samples, 5)
			continue
		}
		size := v.Shape[2].Size
		inputs[v.Name] = onnx.NewTensor(make([]float32, samples*3*size*size), samples, 3, size, size)
	}
	g, err := New(t.Context(), m, inputs, samples, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// describe says what the default layers are.
func describe(layers []Layer) []string {
	var all []string
	for _, l := range layers {
		all = append(all, fmt.Sprintf("%s: %s, %v, %d units, %v, %v", l.Name, l.Kind, l.Extents(), l.Units(), l.Field, l.Rectified != ""))
	}
	return all
}

// TestDefaults: nonlinearities are found whether they are one node or several, and the sum
// before a ReLU is not compared besides.
func TestDefaults(t *testing.T) {
	for name, want := range map[string][]string{
		"a": {
			"relu/Relu: Relu, [16 16], 6 units, {-1 2 1}, true",
			"silu/Mul: SiLU, [8 8], 8 units, {-3 5 2}, false",
			"relu3/Relu: Relu, [8 8], 8 units, {-5 7 2}, true",
			"swish/HardSwish: HardSwish, [4 4], 10 units, {-7 9 4}, false",
			"gelu/Mul_1: Gelu, [], 12 units, {0 0 0}, false",
		},
		"text_a": {
			"Add_2: residual sum, [5], 8 units, {0 0 0}, false",
			"gelu/Mul_5: Gelu, [5], 12 units, {0 0 0}, false",
			"Add_3: residual sum, [5], 8 units, {0 0 0}, false",
		},
	} {
		g := open(t, name, 2)
		if got := describe(g.Comparable(true)); !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if all := g.Comparable(false); len(all) < 2*len(want) {
			t.Errorf("%s: %d layers in all", name, len(all))
		}
	}
}

// TestFilters: those of the first convolution are known of its layer alone.
func TestFilters(t *testing.T) {
	g := open(t, "a", 2)
	for i, l := range g.Comparable(true) {
		w := g.Filters(l)
		if i > 0 && w != nil {
			t.Errorf("%s has filters of shape %v", l.Name, w.Shape)
		}
		if i == 0 && (w == nil || !slices.Equal(w.Shape, []int{6, 3, 3, 3})) {
			t.Errorf("%s has filters %v", l.Name, w)
		}
	}
}

// TestChoose takes names, nodes, tensors and patterns.
func TestChoose(t *testing.T) {
	g := open(t, "a", 2)
	for _, c := range []struct {
		patterns []string
		want     int
		missing  string
	}{
		{nil, 5, ""},
		{[]string{"relu/Relu"}, 1, ""},
		{[]string{"/relu/Relu"}, 1, ""},
		{[]string{"/relu/Relu_output_0", "relu/Relu"}, 1, ""},
		{[]string{"relu*"}, 2, ""},
		{[]string{"silu/*"}, 1, ""}, // but not the Sigmoid that it has
		{[]string{"silu/*", "silu/Sigmoid"}, 2, ""},
		{[]string{"conv?/Conv"}, 4, ""},
		{[]string{"logits", "rleu/Relu"}, 1, "relu/Relu"},
		{[]string{"x*"}, 0, "pool/MaxPool"},
	} {
		layers, unmatched, err := g.Choose(c.patterns)
		if err != nil || len(layers) != c.want {
			t.Errorf("%q: %v, %v", c.patterns, describe(layers), err)
		}
		if c.missing != "" && (len(unmatched) != 1 || unmatched[c.patterns[len(c.patterns)-1]] != c.missing) {
			t.Errorf("%q: %v, want %s", c.patterns, unmatched, c.missing)
		}
	}
}

// TestBrokenWeights: what is NaN or infinite is named.
func TestBrokenWeights(t *testing.T) {
	file, err := os.ReadFile(fixtures + "a.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, "a", 2)
	conv := g.nodes[slices.IndexFunc(g.nodes, func(n onnx.Node) bool { return n.Op == "Conv" })]
	weights := g.constant(conv.Inputs[1]).Data.([]float32)
	var first []byte
	for _, v := range weights[:8] {
		first = binary.LittleEndian.AppendUint32(first, math.Float32bits(v))
	}
	at := bytes.Index(file, first)
	if at < 0 {
		t.Fatal("the weights are not in the file")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		binary.LittleEndian.PutUint32(file[at+4:], math.Float32bits(float32(v)))
		m, err := onnx.Read(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(t.Context(), m, map[string]*onnx.Tensor{"input": onnx.NewTensor(make([]float32, 2*3*16*16), 2, 3, 16, 16)}, 2, 1)
		if want := fmt.Sprintf("weights %q of ", conv.Inputs[1]); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("element 1 is %v", v)) {
			t.Errorf("%v: %v", v, err)
		}
	}
}

// TestShortName leaves out what all have in common, and what TensorFlow adds.
func TestShortName(t *testing.T) {
	for name, want := range map[string]string{
		"/model/relu/Relu": "relu/Relu",
		"model/relu/Relu_model/bn/Norm_model/conv/Conv": "relu/Relu",
		"model/relu/Relu;model/bn/Norm":                 "relu/Relu",
		"Relu_5":                                        "Relu_5",
	} {
		if got := shortName(name, "model/"); got != want {
			t.Errorf("%s is called %s", name, got)
		}
	}
}

// TestField: where a window is not the same along both edges, or spacings differ, nothing is
// known.
func TestField(t *testing.T) {
	f := Field{-1, 2, 1}
	for _, c := range []struct{ got, want Field }{
		{f.window(window{3, 2, 1, 1}), Field{-2, 3, 2}},
		{f.window(window{3, 1, 2, 0}), Field{-1, 6, 1}},
		{f.window(window{}), Field{}},
		{f.moved(2, true), Field{-3, 0, 1}},
		{f.moved(0, false), Field{}},
		{Field{-1, 2, 4}.scaled(8, 16), Field{-5, 6, 2}},
		{Field{-1, 2, 1}.scaled(8, 16), Field{}},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}
