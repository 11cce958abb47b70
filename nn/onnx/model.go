package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Dim is the size of an axis: -1 where the model leaves it open, by a name or without.
type Dim struct {
	Size int
	Name string
}

// Value describes a tensor of a model.
type Value struct {
	Name  string
	Type  Type  // 0: not known
	Shape []Dim // nil: not known
}

// Node describes an operation of a model.
type Node struct {
	Name            string // may be empty
	Op, Domain      string
	Version         int      // of the domain's set of operators
	Inputs, Outputs []string // names of tensors, empty where one is omitted

	// Attributes are those that the file gives: float32, int, string, []float32 or []int;
	// tensors and graphs are left out. They are not to be changed.
	Attributes map[string]any
}

// String names the node in messages.
func (n *Node) String() string {
	name := n.Name
	if name == "" && len(n.Outputs) > 0 {
		name = n.Outputs[0]
	}
	op := n.Op
	if n.Domain != "" {
		op = n.Domain + "." + op
	}
	return fmt.Sprintf("node %q (%s, opset %d)", name, op, n.Version)
}

// node is a Node that can be computed.
type node struct {
	Node
	operator *operator
	kernel   kernel
	in, out  []int  // slots, -1 where one is omitted
	fixed    []bool // inputs that are constants
	guard    *guard // nil: it is computed in every run

	epsilon     float32              // of a BatchNormalization
	perm        []int                // of a Transpose
	each        func(y, x []float32) // computes each element of the output from one of input 0; may be nil
	own, folded cache                // of the constant inputs, without and with those of the convolution before it
}

// slot is a named tensor.
type slot struct {
	value    Value
	constant *Tensor // nil unless it is known beforehand
}

// Model is a network that was read from a file. Its methods may be called concurrently.
type Model struct {
	// Threads limits the number of threads of a run; 0 means all. Set it, and MemoryLimit,
	// before the first run.
	Threads int

	// MemoryLimit is how many bytes the tensors of a run may take at any time, beyond the
	// model's own and the run's inputs; 0 means 8 GiB. A run that would need more is an
	// error that wraps ErrMemory.
	MemoryLimit int64

	inputs, outputs []Value
	nodes           []*node // each after those whose outputs it reads
	slots           []*slot
	names           map[string]int // slots
	files           []string
	pool            pool

	mu    sync.Mutex
	plans map[string]*plan
}

// ErrMemory is wrapped by the error of a run that would take more than its MemoryLimit.
var ErrMemory = errors.New("exceed the limit")

// Load reads a model from a file, and the data that it refers to from other files in the
// same folder. See [Read].
func Load(path string) (*Model, error) {
	file, err := artifact.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parse(file, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a model whose data is all in r.
//
// Errors are those of r, of a file that is not ONNX or contradicts itself, and of one
// that needs what the package does not have: then the error lists each such operator with
// its nodes. Memory grows with the size of the file and of the files that it refers to, of
// weights about once; of a file of nothing but empty fields up to two hundred times.
func Read(r io.Reader) (*Model, error) {
	var file bytes.Buffer
	if _, err := file.ReadFrom(r); err != nil {
		return nil, err
	}
	return parse(file.Bytes(), "")
}

// Inputs describes the tensors that Run needs.
func (m *Model) Inputs() []Value { return slices.Clone(m.inputs) }

// Outputs describes the tensors that the model is meant to compute.
func (m *Model) Outputs() []Value { return slices.Clone(m.outputs) }

// Nodes lists the model's operations, each after those whose outputs it reads. What
// depends on the weights alone is computed when the model is read and is not among them;
// functions and branches are there as the nodes of their bodies, whose names follow the node's
// and a slash. An If has inputs besides its condition: the outputs of its branches, first those
// of the one for true.
func (m *Model) Nodes() []Node {
	out := make([]Node, len(m.nodes))
	for i, n := range m.nodes {
		out[i] = n.Node
		out[i].Inputs, out[i].Outputs = slices.Clone(n.Inputs), slices.Clone(n.Outputs)
	}
	return out
}

// Files lists the files beside the model's own that its data is in: paths, in their order.
func (m *Model) Files() []string { return slices.Clone(m.files) }

// Value describes the tensor of the given name, as far as the file does, and reports
// whether there is one. Each can be tapped.
func (m *Model) Value(name string) (Value, bool) {
	i, ok := m.names[name]
	if !ok {
		return Value{}, false
	}
	return m.slots[i].value, true
}
