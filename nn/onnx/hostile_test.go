package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// msg is a message being written: field number and content, in turn.
func msg(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		num := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
		case float32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), math.Float32bits(v))
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
		case [][]byte:
			for _, one := range v {
				b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), one)
			}
		case []int:
			for _, one := range v {
				b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(one))
			}
		case []string:
			for _, one := range v {
				b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), one)
			}
		}
	}
	return b
}

func nodeMsg(op string, in, out string, attributes ...[]byte) []byte {
	return msg(1, strings.Fields(in), 2, strings.Fields(out), 3, "n_"+out, 4, op, 5, attributes)
}

func intsAttr(name string, v ...int) []byte { return msg(1, name, 20, 7, 8, v) }

func intAttr(name string, v int) []byte { return msg(1, name, 20, 2, 3, v) }

func floatsMsg(name string, v []float32, dims ...int) []byte {
	raw := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(x))
	}
	return msg(1, dims, 2, 1, 8, name, 9, raw)
}

func intsMsg(name string, v []int, dims ...int) []byte { return msg(1, dims, 2, 7, 7, v, 8, name) }

// valueMsg describes a tensor of float32; a size of -1 is one that is open.
func valueMsg(name string, dims ...int) []byte {
	var shape [][]byte
	for _, d := range dims {
		if d < 0 {
			shape = append(shape, msg(2, "n"))
		} else {
			shape = append(shape, msg(1, d))
		}
	}
	return msg(1, name, 2, msg(1, msg(1, 1, 2, msg(1, shape))))
}

func modelMsg(opset int, graph []byte) []byte {
	return msg(1, 8, 7, graph, 8, msg(2, opset))
}

// network is a small convolutional one: images n x 2 x 5 x 5 to 3 classes.
func network() []byte {
	w := make([]float32, 4*2*3*3)
	for i := range w {
		w[i] = float32(i%7) - 3
	}
	fc := make([]float32, 3*4)
	for i := range fc {
		fc[i] = float32(i%5) - 2
	}
	return modelMsg(17, msg(
		1, [][]byte{
			nodeMsg("Conv", "x w", "conv", intsAttr("pads", 1, 1, 1, 1), intsAttr("kernel_shape", 3, 3)),
			nodeMsg("BatchNormalization", "conv scale bias mean var", "bn"),
			nodeMsg("Relu", "bn", "relu"),
			nodeMsg("GlobalAveragePool", "relu", "pool"),
			nodeMsg("Flatten", "pool", "flat"),
			nodeMsg("Gemm", "flat fc", "y", intAttr("transB", 1)),
		},
		5, [][]byte{
			floatsMsg("w", w, 4, 2, 3, 3),
			floatsMsg("scale", []float32{1, 2, 3, 4}, 4), floatsMsg("bias", []float32{1, 0, -1, 0}, 4),
			floatsMsg("mean", []float32{0, 1, 2, 3}, 4), floatsMsg("var", []float32{1, 4, 9, 16}, 4),
			floatsMsg("fc", fc, 3, 4),
		},
		11, valueMsg("x", -1, 2, 5, 5), 12, valueMsg("y", -1, 3)))
}

func images(n int) *Tensor {
	d := make([]float32, n*2*5*5)
	for i := range d {
		d[i] = float32((i*7)%11) - 5
	}
	return NewTensor(d, n, 2, 5, 5)
}

func TestErrors(t *testing.T) {
	x, y := valueMsg("x", -1, 4), valueMsg("y", -1, 4)
	one := func(nodes ...[]byte) []byte { return modelMsg(17, msg(1, nodes, 11, x, 12, y)) }
	branch := msg(1, [][]byte{nodeMsg("Relu", "x", "b")}, 12, valueMsg("b", -1, 4))
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "no graph"},
		{"not protobuf", []byte("PK\x03\x04 this is a zip"), "not an ONNX model"},
		{"no opset", msg(7, msg(11, x, 12, y)), "no version of operators"},
		{"old", modelMsg(5, msg()), "version 5"},
		{"new", modelMsg(1<<40, msg()), "not between 6 and 22"},
		{"unknown operators", one(nodeMsg("Foo", "x", "a"), nodeMsg("Bar", "a", "b"), nodeMsg("Foo", "b", "y")), "Foo (opset 17): n_a, n_y"},
		{"unknown domain", one(msg(1, []string{"x"}, 2, []string{"y"}, 4, "Gelu", 7, "com.microsoft")), "com.microsoft.Gelu (opset 0): of y"},
		{"cycle", one(nodeMsg("Add", "x b", "a"), nodeMsg("Relu", "a", "b"), nodeMsg("Relu", "b", "y")), `node "n_a" (Add, opset 17) is part of a cycle`},
		{"itself", one(nodeMsg("Add", "x y", "y")), "is part of a cycle"},
		{"missing initialiser", one(nodeMsg("Add", "x w", "y")), `its input "w" is neither an input nor an initialiser`},
		{"output of no node", one(nodeMsg("Relu", "x", "a")), `output "y" is computed by no node`},
		{"twice", one(nodeMsg("Relu", "x", "y"), nodeMsg("Abs", "x", "y")), `two tensors are called "y"`},
		{"attribute", one(nodeMsg("Relu", "x", "y", intAttr("alpha", 1))), `node "n_y" (Relu, opset 17): attribute alpha is not known`},
		{"attribute's kind", one(nodeMsg("LeakyRelu", "x", "y", intAttr("alpha", 1))), "attribute alpha is not a float"},
		{"attribute twice", one(nodeMsg("Concat", "x", "y", intAttr("axis", 1), intAttr("axis", 1))), "attribute axis is given twice"},
		{"attribute's range", one(nodeMsg("MaxPool", "x", "y", intsAttr("kernel_shape", -1, 1<<40))), "attribute kernel_shape"},
		{"inputs", one(nodeMsg("Add", "x", "y")), `node "n_y" (Add, opset 17): 1 inputs`},
		{"If without a branch", one(nodeMsg("If", "x", "y", msg(1, "then_branch", 20, 5, 6, branch))), "attribute else_branch is missing"},
		{"Loop", one(nodeMsg("Loop", "x x x", "y", msg(1, "body", 20, 5, 6, branch))), "Loop (opset 17): n_y"},
		{"negative size", modelMsg(17, msg(5, msg(1, []int{-1, 4}, 2, 1, 8, "w"), 11, x, 12, x)), "out of range"},
		{"huge size", modelMsg(17, msg(5, msg(1, []int{1 << 31, 1 << 31, 1 << 31}, 2, 1, 8, "w"), 11, x, 12, x)), "out of range"},
		{"no data", modelMsg(17, msg(5, msg(1, []int{1 << 30}, 2, 1, 8, "w"), 11, x, 12, x)), "has 1073741824 elements, the data 0"},
		{"short data", modelMsg(17, msg(5, msg(1, []int{3}, 2, 1, 8, "w", 9, "abcd"), 11, x, 12, x)), "take 12 bytes, the data has 4"},
		{"strings", modelMsg(17, msg(5, msg(1, []int{1}, 2, 8, 8, "w"), 11, x, 12, x)), "string are not supported"},
		{"external", modelMsg(17, msg(5, msg(1, []int{1}, 2, 1, 8, "w", 14, 1, 13, msg(1, "location", 2, "w.bin")), 11, x, 12, x)), "is read by Load"},
	} {
		_, err := Read(bytes.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that has %q", c.name, err, c.want)
		}
	}
}

func TestRunErrors(t *testing.T) {
	x, y := valueMsg("x", -1, 4), valueMsg("y", -1, 4)
	input := NewTensor(make([]float32, 8), 2, 4)
	for _, c := range []struct {
		name string
		node []byte
		in   *Tensor
		want string
	}{
		{"missing", nodeMsg("Relu", "x", "y"), nil, `input "x" is missing`},
		{"type", nodeMsg("Relu", "x", "y"), NewTensor(make([]int64, 4), 1, 4), `input "x" is int64, not float32`},
		{"size", nodeMsg("Relu", "x", "y"), NewTensor(make([]float32, 5), 1, 5), `axis 1 of the model has size 4`},
		{"rank", nodeMsg("Relu", "x", "y"), NewTensor(make([]float32, 4), 4), `the model has 2 axes`},
		{"data", nodeMsg("Relu", "x", "y"), &Tensor{Shape: []int{2, 4}, Data: make([]float32, 7)}, "has 8 elements, the data 7"},
		{"shape", nodeMsg("MatMul", "x x", "y"), input, `node "n_y" (MatMul, opset 17): shapes [2 4] and [2 4] cannot be multiplied`},
		{"broadcast", nodeMsg("Add", "x w", "y"), input, "do not broadcast"},
		{"axis", nodeMsg("Softmax", "x", "y", intAttr("axis", 7)), input, "axis 7 of a tensor of 2 axes"},
		{"reshape", nodeMsg("Reshape", "x big", "y"), input, "does not fit 8 elements"},
		{"memory", nodeMsg("Expand", "x big", "y"), input, "would exceed the limit"},
		{"overflow", nodeMsg("Tile", "x big3", "y"), input, "out of range"},
		{"index", nodeMsg("Gather", "x big", "y"), input, "index 1048576 of an axis of 2"},
		{"pads", nodeMsg("Pad", "x big4", "y"), input, "out of range"},
		{"other type", nodeMsg("Mean", "big", "y"), input, "of a type that the operator is not computed for"},
	} {
		m, err := Read(bytes.NewReader(modelMsg(17, msg(1, c.node, 5, [][]byte{
			floatsMsg("w", make([]float32, 3), 3), intsMsg("big", []int{1 << 20, 1, 4}, 3), intsMsg("big3", []int{1 << 40, 1 << 40}, 2),
			intsMsg("big4", []int{1 << 39, 1 << 39, 1 << 39, 1 << 39}, 4)}, 11, x, 12, y))))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		m.MemoryLimit = 1 << 20
		in := make(map[string]*Tensor)
		if c.in != nil {
			in["x"] = c.in
		}
		_, err = m.Run(in, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that has %q", c.name, err, c.want)
		}
		if of := errors.Is(err, ErrMemory); of != (c.name == "memory") {
			t.Errorf("%s: error %v is of memory: %v", c.name, err, of)
		}
	}
	m, err := Read(bytes.NewReader(network()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(map[string]*Tensor{"x": images(1), "z": images(1)}, nil); err == nil || !strings.Contains(err.Error(), `no input "z"`) {
		t.Error(err)
	}
	if _, err := m.Run(map[string]*Tensor{"x": images(1)}, []string{"nothing"}); err == nil || !strings.Contains(err.Error(), `no tensor "nothing"`) {
		t.Error(err)
	}
}

// TestTruncated cuts a file at every byte: it must be an error, or a model without its
// last part, never a panic.
func TestTruncated(t *testing.T) {
	file := network()
	for n := range file {
		Read(bytes.NewReader(bytes.Clone(file[:n])))
	}
}

func TestExternal(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "model")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 24)
	binary.LittleEndian.PutUint32(raw[8:], math.Float32bits(7))
	for _, path := range []string{filepath.Join(dir, "w.bin"), filepath.Join(inner, "w.bin")} {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "w.bin"), filepath.Join(inner, "link.bin")); err != nil {
		t.Skip(err)
	}
	load := func(entries ...string) (*Model, error) {
		external := [][]byte{}
		for i := 0; i < len(entries); i += 2 {
			external = append(external, msg(1, entries[i], 2, entries[i+1]))
		}
		file := modelMsg(17, msg(1, nodeMsg("Add", "x w", "y"),
			5, msg(1, []int{4}, 2, 1, 8, "w", 14, 1, 13, external), 11, valueMsg("x", 4), 12, valueMsg("y", 4)))
		path := filepath.Join(inner, "model.onnx")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		return Load(path)
	}
	m, err := load("location", "w.bin", "offset", "8", "length", "16")
	if err != nil {
		t.Fatal(err)
	}
	if files := m.Files(); !slices.Equal(files, []string{filepath.Join(inner, "w.bin")}) {
		t.Errorf("files %v", files)
	}
	out, err := m.Run(map[string]*Tensor{"x": NewTensor([]float32{1, 2, 3, 4}, 4)}, nil)
	if err != nil || out["y"].Data.([]float32)[0] != 8 {
		t.Errorf("%v, %v", out, err)
	}
	for _, c := range [][]string{
		{"location", "../w.bin"}, {"location", filepath.Join(dir, "w.bin")}, {"location", "link.bin"}, {"location", ""}, {"location", "."},
		{"location", "none.bin"}, {"location", "w.bin", "offset", "9"}, {"location", "w.bin", "offset", "-1"},
		{"location", "w.bin", "offset", "9223372036854775807"}, {"location", "w.bin", "length", "12"},
	} {
		if _, err := load(c...); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
}

// TestMemory reads a file of nothing but what takes most memory for its bytes.
func TestMemory(t *testing.T) {
	const count = 100_000
	attributes := make([][]byte, count)
	for i := range attributes {
		attributes[i] = msg()
	}
	file := modelMsg(17, msg(1, msg(4, "Relu", 5, attributes)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Read(bytes.NewReader(file))
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > uint64(200*len(file)) {
		t.Errorf("%d bytes for a file of %d", taken, len(file))
	}
}

// FuzzModel reads and runs any file.
func FuzzModel(f *testing.F) {
	f.Add(network())
	f.Add(modelMsg(17, msg(1, [][]byte{nodeMsg("Shape", "x", "s"), nodeMsg("Reshape", "x s", "r"), nodeMsg("Softmax", "r", "y")},
		11, valueMsg("x", -1, 4), 12, valueMsg("y", -1, 4))))
	f.Add(modelMsg(13, msg(1, [][]byte{nodeMsg("Slice", "x a b", "s"), nodeMsg("Pad", "s p", "t"), nodeMsg("Resize", "t  r", "y")},
		5, [][]byte{intsMsg("a", []int{0}, 1), intsMsg("b", []int{1}, 1), intsMsg("p", []int{1, 1, 1, 1}, 4), floatsMsg("r", []float32{2, 2}, 2)},
		11, valueMsg("x", 2, 4), 12, valueMsg("y", -1, -1))))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		runSmall(m)
	})
}

// runSmall runs a model on zeros, if it can be run on few.
func runSmall(m *Model) {
	m.MemoryLimit, m.Threads = 1<<22, 1
	in := make(map[string]*Tensor)
	for _, v := range m.Inputs() {
		shape := make([]int, len(v.Shape))
		for i, d := range v.Shape {
			if shape[i] = d.Size; d.Size < 0 {
				shape[i] = 2
			}
		}
		if n, ok := elements(shape); !ok || n > 1<<12 {
			return
		}
		switch v.Type {
		case Int64:
			in[v.Name] = NewTensor(make([]int64, product(shape)), shape...)
		case Bool:
			in[v.Name] = NewTensor(make([]bool, product(shape)), shape...)
		default:
			in[v.Name] = NewTensor(make([]float32, product(shape)), shape...)
		}
	}
	m.Run(in, nil)
}

// FuzzNodes reads and runs models of up to four nodes whose operators, inputs and attributes
// are of the kinds that operators know: which [FuzzModel] seldom finds.
func FuzzNodes(f *testing.F) {
	f.Add([]byte("Conv pool softmax"))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add(bytes.Repeat([]byte{97, 3, 250, 1, 0, 8}, 9))
	ops := slices.Sorted(maps.Keys(operators))
	names := []string{"axis", "axes", "keepdims", "kernel_shape", "pads", "strides", "dilations", "group", "perm", "to", "alpha", "beta", "mode", "size", "start", "end",
		"epsilon", "num_groups", "blocksize", "largest", "sorted", "transA", "transB", "equation", "auto_pad", "ceil_mode", "split", "num_outputs", "upper", "batch_dims", "exclusive", "reverse", "value", "k", "p", "output_shape", "output_padding", "coordinate_transformation_mode"}
	words := []string{"ij,jk->ik", "bij,bkj->bik", "ii->i", "linear", "nearest", "cubic", "SAME_UPPER", "VALID", "reflect", "edge", "wrap", "CRD", "align_corners", "tanh", "..."}
	f.Fuzz(func(t *testing.T, data []byte) {
		next := func() int {
			if len(data) == 0 {
				return 0
			}
			v := data[0]
			data = data[1:]
			return int(v)
		}
		number := func() int { // mostly small
			if v := next(); v < 250 {
				return v%11 - 3
			}
			return []int{1 << 16, 1 << 31, -1 << 40, 1<<62 + 3, -1 << 63, 255}[next()%6]
		}
		tensors := []string{"", "x", "w", "i", "j", "s", "b", "e", "l"}
		var nodes [][]byte
		for range 1 + next()%4 {
			op := ops[next()%len(ops)]
			var in, out []string
			for range max(operators[op].min+next()%3-1, 0) {
				in = append(in, tensors[next()%len(tensors)])
			}
			for range 1 + next()%8/7 {
				out = append(out, fmt.Sprintf("t%d", len(tensors)))
				tensors = append(tensors, out[len(out)-1])
			}
			var attributes [][]byte
			for range next() % 4 {
				name := names[next()%len(names)]
				switch next() % 5 {
				case 0:
					attributes = append(attributes, intAttr(name, number()))
				case 1:
					attributes = append(attributes, msg(1, name, 20, 1, 2, float32(number())/2))
				case 2:
					attributes = append(attributes, msg(1, name, 20, 3, 4, words[next()%len(words)]))
				default:
					var list []int
					for range next() % 6 {
						list = append(list, number())
					}
					attributes = append(attributes, intsAttr(name, list...))
				}
			}
			nodes = append(nodes, msg(1, in, 2, out, 3, op, 4, op, 5, attributes))
		}
		list := func(name string) []byte {
			var v []int
			for range next() % 6 {
				v = append(v, number())
			}
			return intsMsg(name, v, len(v))
		}
		version := minOpset + next()%(maxOpset-minOpset+1)
		m, err := Read(bytes.NewReader(modelMsg(version, msg(1, nodes,
			5, [][]byte{floatsMsg("w", make([]float32, 36), 4, 1, 3, 3), list("i"), list("j"), intsMsg("s", []int{number()}), floatsMsg("e", nil, 2, 0, 3), floatsMsg("b", []float32{1, -2, 3, 0.5}, 4)},
			11, [][]byte{valueMsg("x", 2, 4, 5, 3), valueMsg("l", -1, 4)}, 12, valueMsg(tensors[len(tensors)-1])))))
		if err == nil {
			runSmall(m)
		}
	})
}
