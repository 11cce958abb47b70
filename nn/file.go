package nn

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/convergent-go/convergent/internal/safetensors"
)

const netFormat = "convergent.net/1"

// Save writes the network to path as safetensors, whole or not at all. Each
// parameter is a float32 tensor named layer.weight or layer.bias: convolutions
// [Out, Kernel, Kernel, channels/Groups] (permute by (0, 3, 1, 2) for PyTorch),
// dense layers [Out, inputs in NHWC order]. Running statistics follow, named as
// BatchNorm2D says. The metadata hold the name of the architecture and the seed.
func (n *Net) Save(path string) error { return safetensors.Save(path, n.file()) }

// WriteTo writes to w what Save does, and returns the number of bytes.
func (n *Net) WriteTo(w io.Writer) (int64, error) { return safetensors.Encode(w, n.file()) }

// file returns the network as Save writes it.
func (n *Net) file() *safetensors.File {
	return &safetensors.File{Tensors: n.tensors(), Metadata: map[string]string{
		"format": netFormat,
		"arch":   n.arch.Name,
		"seed":   strconv.FormatUint(n.seed, 10),
	}}
}

// tensors returns the parameters and then the running statistics, in the memory of the
// network.
func (n *Net) tensors() []safetensors.Tensor {
	var all []safetensors.Tensor
	for _, p := range n.Params() {
		all = append(all, safetensors.Tensor{Name: p.Name, Shape: p.Shape, F32: p.Data})
	}
	return append(all, n.statistics()...)
}

// statistics returns the running statistics.
func (n *Net) statistics() []safetensors.Tensor {
	var all []safetensors.Tensor
	for _, d := range n.nodes {
		if r, ok := d.op.(running); ok {
			all = append(all, r.statistics()...)
		}
	}
	return all
}

// Load reads a network of the given architecture from path. The error names the
// file and, where the network is another, the architecture or the tensor that is
// missing, has another shape, or has a value that is NaN or infinite.
func Load(path string, a Arch) (*Net, error) {
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	n, err := decode(f, path, a)
	if err != nil {
		return nil, err
	}
	if err := n.finite(); err != nil {
		return nil, fmt.Errorf("nn: %s: %w", path, err)
	}
	return n, nil
}

// finite returns an error that names a tensor with a value that is NaN or infinite.
func (n *Net) finite() error {
	for _, t := range n.tensors() {
		for i, v := range t.F32 {
			if v-v != 0 {
				return fmt.Errorf("tensor %q: element %d is %v; its training diverged, or the file is damaged", t.Name, i, v)
			}
		}
	}
	return nil
}

// Read reads a network that WriteTo or Save wrote, and nothing of what follows it.
func Read(r io.Reader, a Arch) (*Net, error) {
	f, err := safetensors.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	return decode(f, "stream", a)
}

// decode returns the network of a file, which errors call by its name.
func decode(f *safetensors.File, file string, a Arch) (*Net, error) {
	if name := f.Metadata["arch"]; name != "" && name != a.Name {
		return nil, fmt.Errorf("nn: %s: a network %s, not %s", file, name, a.Name)
	}
	seed, _ := strconv.ParseUint(f.Metadata["seed"], 10, 64) // files made elsewhere need not have one
	n, err := New(a, seed)
	if err != nil {
		return nil, err
	}
	for _, t := range n.tensors() {
		if err := readTensor(f, t.Name, t.Shape, t.F32); err != nil {
			return nil, fmt.Errorf("nn: %s: not a network %s: %w", file, a.Name, err)
		}
	}
	return n, nil
}

// readTensor copies the named tensor of the given shape to dst.
func readTensor(f *safetensors.File, name string, shape []int, dst []float32) error {
	t, err := f.Get(name)
	if err != nil {
		return err
	}
	if !slices.Equal(t.Shape, shape) || t.F32 == nil {
		return fmt.Errorf("tensor %q is not float32 of shape %v", name, shape)
	}
	copy(dst, t.F32)
	return nil
}

const momentum = ".momentum" // follows a parameter's name in a saved state

// SaveState writes what Train needs to go on after the given number of epochs
// with the same bytes as if it had not stopped: the network, and each
// parameter's momentum.
func (n *Net) SaveState(path string, epochs int) error {
	return safetensors.Save(path, n.state(epochs))
}

// WriteState writes to w what SaveState does.
func (n *Net) WriteState(w io.Writer, epochs int) error {
	_, err := safetensors.Encode(w, n.state(epochs))
	return err
}

func (n *Net) state(epochs int) *safetensors.File {
	f := n.file()
	f.Metadata["epochs"] = strconv.Itoa(epochs)
	for _, p := range n.Params() {
		p.velocity = grow(p.velocity, len(p.Data)) // zeros before the first step
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: p.Name + momentum, Shape: p.Shape, F32: p.velocity})
	}
	return f
}

// LoadState reads what SaveState wrote, and returns the number of epochs done.
func LoadState(path string, a Arch) (*Net, int, error) {
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, 0, fmt.Errorf("nn: %w", err)
	}
	return decodeState(f, path, a)
}

// ReadState reads what WriteState or SaveState wrote, and nothing of what follows it.
func ReadState(r io.Reader, a Arch) (*Net, int, error) {
	f, err := safetensors.Decode(r)
	if err != nil {
		return nil, 0, fmt.Errorf("nn: %w", err)
	}
	return decodeState(f, "stream", a)
}

func decodeState(f *safetensors.File, file string, a Arch) (*Net, int, error) {
	n, err := decode(f, file, a)
	if err != nil {
		return nil, 0, err
	}
	epochs, err := strconv.Atoi(f.Metadata["epochs"])
	if err != nil || epochs < 0 {
		return nil, 0, fmt.Errorf("nn: %s: not a state of training: epochs %q", file, f.Metadata["epochs"])
	}
	if _, err := strconv.ParseUint(f.Metadata["seed"], 10, 64); err != nil {
		return nil, 0, fmt.Errorf("nn: %s: not a state of training: seed %q", file, f.Metadata["seed"])
	}
	for _, p := range n.Params() {
		p.velocity = make([]float32, len(p.Data))
		if err := readTensor(f, p.Name+momentum, p.Shape, p.velocity); err != nil {
			return nil, 0, fmt.Errorf("nn: %s: not a state of training: %w", file, err)
		}
	}
	return n, epochs, nil
}
