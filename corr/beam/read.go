package corrbeam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// Shard is a file with some of the samples of a pass, and its number of how many.
type Shard struct {
	File         string
	Index, Count int
}

// Shards numbers files in the order they have. Another order may change the last bits of
// sums, so sort names if they come from a listing.
func Shards(files []string) []Shard {
	shards := make([]Shard, len(files))
	for i, f := range files {
		shards[i] = Shard{f, i, len(files)}
	}
	return shards
}

// Read is a DoFn that makes the moments of a shard from its file, in any file system that
// Beam knows and the program imports. A file holds either moments, such as
// "convergent moments" and corr.Moments.Save write, or activations, as safetensors:
//
//   - tensors of float32, one for each network, whose first axis are samples and whose last
//     are units; those between are positions, as in NHWC;
//   - with int64 sample_ids, as many as samples, which identify these, or without.
//
// A name such as alexnet/conv1 is that of a network and its layer. A shard is in memory
// whole while it is read.
type Read struct {
	// Tensors are the names of those that are networks, in order. None stands for all of a
	// file, in order of their names. Moments have their own.
	Tensors []string
}

// ProcessElement returns the sum of one shard. Errors name its file.
func (r *Read) ProcessElement(ctx context.Context, s Shard) (Sum, error) {
	data, err := readFile(ctx, s.File)
	if err != nil {
		return Sum{}, err
	}
	m, err := r.moments(data)
	if err != nil {
		return Sum{}, fmt.Errorf("%s: %w", s.File, err)
	}
	return NewSum(s.Index, s.Count, m), nil
}

func readFile(ctx context.Context, name string) ([]byte, error) {
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return nil, err
	}
	defer fs.Close()
	file, err := fs.OpenRead(ctx, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// moments returns those of a file.
func (r *Read) moments(data []byte) (*corr.Moments, error) {
	_, metadata, err := safetensors.ReadHeader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(metadata["format"], "convergent.moments/") {
		return decodeMoments(data)
	}
	f, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return r.momentsOf(f)
}

// idsName is the name of the tensor that identifies samples.
const idsName = "sample_ids"

// momentsOf returns the moments of activations.
func (r *Read) momentsOf(f *safetensors.File) (*corr.Moments, error) {
	names := r.Tensors
	if len(names) == 0 {
		for _, t := range f.Tensors {
			if t.Name != idsName {
				names = append(names, t.Name)
			}
		}
		slices.Sort(names)
	}
	if len(names) == 0 {
		return nil, errors.New("there are no activations")
	}
	var units []int
	var tensors []corr.Tensor
	samples, positions := 0, 0
	for i, name := range names {
		t, err := f.Get(name)
		if err != nil {
			return nil, err
		}
		last := len(t.Shape) - 1
		if t.F32 == nil || last < 1 || slices.Min(t.Shape[1:]) < 1 {
			return nil, fmt.Errorf("tensor %q of shape %v is not float32, samples x units or samples x positions x units", name, t.Shape)
		}
		rows := 1 // of a sample
		for _, n := range t.Shape[1:last] {
			rows *= n
		}
		if i == 0 {
			samples, positions = t.Shape[0], rows
		}
		if t.Shape[0] != samples || rows != positions {
			return nil, fmt.Errorf("tensors %q and %q are of different samples or positions", names[0], name)
		}
		units, tensors = append(units, t.Shape[last]), append(tensors, corr.NHWC(t.F32, samples, positions, 1, t.Shape[last]))
	}
	var ids []uint64
	if t, err := f.Get(idsName); err == nil {
		if len(t.I64) != samples {
			return nil, fmt.Errorf("%s are %d of int64, for %d samples", idsName, len(t.I64), samples)
		}
		ids = make([]uint64, samples)
		for i, id := range t.I64 {
			ids[i] = uint64(id)
		}
	}
	m := corr.NewMoments(units...)
	for i, name := range names {
		network, layer, _ := strings.Cut(name, "/")
		m.Describe(i, corr.Network{Name: network, Layer: layer})
	}
	return m, m.AddTensors(ids, tensors...)
}
