package corr

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// Save writes the draws to path as safetensors, whole or not at all, so that adding more after
// LoadShuffles gives the same bits as without. The tensors of draw i are those that
// [Moments.Save] writes, under names that begin with "i/"; window/i (F32, images x positions x
// units) are the images of network i that are not shuffled yet, ids (I64) what identifies them.
func (s *Shuffles) Save(path string) error { return safetensors.Save(path, s.file()) }

// WriteTo writes to w what Save does, and returns the number of bytes.
func (s *Shuffles) WriteTo(w io.Writer) (int64, error) { return safetensors.Encode(w, s.file()) }

func (s *Shuffles) file() *safetensors.File {
	f := &safetensors.File{Metadata: map[string]string{
		"format": shufflesFormat, "draws": strconv.Itoa(len(s.draws)), "seed": strconv.FormatUint(s.seed, 10),
		"windows": strconv.FormatUint(s.windows, 10), "positions": strconv.Itoa(s.positions),
	}}
	for i, m := range s.draws {
		m.encode(f, part(i))
	}
	ids := make([]int64, len(s.ids))
	for i, id := range s.ids {
		ids[i] = int64(id)
	}
	f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "ids", Shape: []int{len(ids)}, I64: ids})
	for i, data := range s.window {
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "window/" + strconv.Itoa(i), Shape: []int{len(ids), s.positions, s.draws[0].units[i]}, F32: data})
	}
	return f
}

// LoadShuffles reads draws from a file that Save wrote. Errors name the file.
func LoadShuffles(path string) (*Shuffles, error) { return load(path, "shuffles", decodeShuffles) }

// ReadShuffles reads draws that WriteTo or Save wrote, and nothing of what follows them.
func ReadShuffles(r io.Reader) (*Shuffles, error) { return read(r, "shuffles", decodeShuffles) }

func decodeShuffles(f *safetensors.File) (*Shuffles, error) {
	if err := checkFormat(f, shufflesFormat); err != nil {
		return nil, err
	}
	draws, err := decodeParts(f, "draws", false)
	if err != nil {
		return nil, err
	}
	s := &Shuffles{draws: draws, window: make([][]float32, len(draws[0].units))}
	for _, m := range draws {
		m.Threads = 1
	}
	if s.seed, err = strconv.ParseUint(f.Metadata["seed"], 10, 64); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	if s.windows, err = strconv.ParseUint(f.Metadata["windows"], 10, 64); err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	if s.positions, err = strconv.Atoi(f.Metadata["positions"]); err != nil || s.positions < 0 {
		return nil, fmt.Errorf("positions: %q", f.Metadata["positions"])
	}
	ids, err := f.Get("ids")
	if err != nil {
		return nil, err
	}
	if len(ids.I64) >= windowImages {
		return nil, fmt.Errorf("%d images are not shuffled, of %d or more", len(ids.I64), windowImages)
	}
	for _, id := range ids.I64 {
		s.ids = append(s.ids, uint64(id))
	}
	for i, u := range draws[0].units {
		t, err := f.Get("window/" + strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		if !slices.Equal(t.Shape, []int{len(ids.I64), s.positions, u}) || t.F32 == nil {
			return nil, fmt.Errorf("tensor %q is not float32 of shape %d x %d x %d", t.Name, len(ids.I64), s.positions, u)
		}
		if v, ok := allFinite(t.F32); !ok {
			return nil, fmt.Errorf("an activation is %v", v)
		}
		s.window[i] = t.F32
	}
	return s, nil
}

// Merge adds the images of o, as many draws of networks of the same numbers of units. What o
// has not shuffled yet is shuffled with what s has not. Other draws, units or positions, and
// samples that s has already, are an error; then s is unchanged. o should be of another seed:
// with the same, images are exchanged as those in s were.
func (s *Shuffles) Merge(o *Shuffles) error {
	units, others := s.draws[0].units, o.draws[0].units
	if len(s.draws) != len(o.draws) || !slices.Equal(units, others) {
		return fmt.Errorf("corr: %d shuffles of networks of %v units cannot be merged with %d of %v", len(s.draws), units, len(o.draws), others)
	}
	if s.positions != o.positions && s.positions != 0 && o.positions != 0 {
		return fmt.Errorf("corr: shuffles of images of %d positions cannot be merged with those of %d", s.positions, o.positions)
	}
	own := s.draws[0].samples
	if err := own.merge(o.draws[0].samples); err != nil {
		return fmt.Errorf("corr: shuffles cannot be merged: %w", err)
	}
	for i, m := range s.draws {
		if from := o.draws[i]; from.Count() > 0 {
			m.absorb(from)
		}
		m.samples.Unknown = m.samples.Unknown || o.draws[i].samples.Unknown
	}
	s.windows += o.windows
	if n := o.windowLen(); n > 0 {
		tensors := make([]Tensor, len(units))
		for i, u := range units {
			tensors[i] = NHWC(o.window[i], n, 1, o.positions, u)
		}
		s.push(o.ids, o.positions, tensors)
	}
	return nil
}
