package nn

import (
	"fmt"
	"io"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// LoadTorch reads a network of the given architecture that PyTorch trained, saved by
// safetensors.torch.save_file(model.state_dict(), path) from modules with the names of
// the layers. It is Load but for the order of weights, which is that of nn.Conv2d,
// [Out, channels/Groups, Kernel, Kernel], and of nn.Linear behind nn.Flatten,
// [Out, channels x height x width].
//
// MaxPool is nn.MaxPool2d with ceil_mode as Ceil, LRN nn.LocalResponseNorm, and
// BatchNorm2D nn.BatchNorm2d, whose count of batches is passed over.
func LoadTorch(path string, a Arch) (*Net, error) {
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	return decodeTorch(f, path, a)
}

// ReadTorch is [LoadTorch] from a stream; it reads nothing of what follows the file.
func ReadTorch(r io.Reader, a Arch) (*Net, error) {
	f, err := safetensors.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	return decodeTorch(f, "stream", a)
}

// decodeTorch returns the network of a file from PyTorch, which errors call by its path.
func decodeTorch(f *safetensors.File, path string, a Arch) (*Net, error) {
	if format := f.Metadata["format"]; format == netFormat {
		return nil, fmt.Errorf("nn: %s: not from PyTorch, but a network that this package saved", path)
	}
	n, err := New(a, 0)
	if err != nil {
		return nil, err
	}
	fail := func(err error) error {
		return fmt.Errorf("nn: %s: not a network %s from PyTorch: %w", path, a.Name, err)
	}
	for _, d := range n.nodes {
		for _, p := range d.params() {
			shape, in := p.Shape, n.shape(d.in)
			switch _, conv := d.layer.(Conv2D); {
			case len(p.Shape) == 1: // biases, scales and shifts
				in = Shape{1, 1, p.Shape[0]}
			case conv:
				in = Shape{p.Shape[1], p.Shape[2], p.Shape[3]}
				shape = []int{p.Shape[0], in.C, in.H, in.W}
			}
			data := make([]float32, len(p.Data))
			if err := readTensor(f, p.Name, shape, data); err != nil {
				return nil, fail(err)
			}
			channelsLast(p.Data, data, in)
		}
	}
	for _, t := range n.statistics() {
		if err := readTensor(f, t.Name, t.Shape, t.F32); err != nil {
			return nil, fail(err)
		}
	}
	if err := n.finite(); err != nil {
		return nil, fmt.Errorf("nn: %s: %w", path, err)
	}
	return n, nil
}

// channelsLast copies matrices or images, one after the other, of which src has the
// channels first.
func channelsLast(dst, src []float32, s Shape) {
	positions := s.H * s.W
	for len(dst) > 0 {
		for at := range positions {
			for c := range s.C {
				dst[at*s.C+c] = src[c*positions+at]
			}
		}
		dst, src = dst[positions*s.C:], src[positions*s.C:]
	}
}
