package corr

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// Save writes the groups to path as safetensors, whole or not at all, so that adding more after
// LoadGroups gives the same bits as without. The tensors of group i are those that
// [Moments.Save] writes, under names that begin with "i/"; a group of which observations are
// kept has no products.
func (g *Groups) Save(path string) error { return safetensors.Save(path, g.file()) }

// WriteTo writes to w what Save does, and returns the number of bytes.
func (g *Groups) WriteTo(w io.Writer) (int64, error) { return safetensors.Encode(w, g.file()) }

func (g *Groups) file() *safetensors.File {
	f := &safetensors.File{Metadata: map[string]string{
		"format": groupsFormat, "groups": strconv.Itoa(len(g.parts)), "closed": strconv.FormatBool(g.closed),
	}}
	for i, m := range g.parts {
		m.encode(f, part(i))
	}
	return f
}

// part is what the names of part i in a file begin with.
func part(i int) string { return strconv.Itoa(i) + "/" }

// LoadGroups reads groups from a file that Save wrote. Errors name the file.
func LoadGroups(path string) (*Groups, error) { return load(path, "groups", decodeGroups) }

// ReadGroups reads groups that WriteTo or Save wrote, and nothing of what follows them.
func ReadGroups(r io.Reader) (*Groups, error) { return read(r, "groups", decodeGroups) }

func decodeGroups(f *safetensors.File) (*Groups, error) {
	if err := checkFormat(f, groupsFormat); err != nil {
		return nil, err
	}
	parts, err := decodeParts(f, "groups", true)
	if err != nil {
		return nil, err
	}
	closed, err := strconv.ParseBool(f.Metadata["closed"])
	if err != nil {
		return nil, fmt.Errorf("closed: %w", err)
	}
	g := &Groups{parts: parts}
	if closed {
		g.Close()
	}
	return g, nil
}

// decodeParts returns the moments of as many parts, of the same networks, as the metadata name.
func decodeParts(f *safetensors.File, count string, group bool) ([]*Moments, error) {
	n, err := strconv.Atoi(f.Metadata[count])
	if err != nil || n < 1 || n > len(f.Tensors) {
		return nil, fmt.Errorf("%s: %q", count, f.Metadata[count])
	}
	parts := make([]*Moments, n)
	for i := range parts {
		if parts[i], err = decode(f, part(i), group); err != nil {
			return nil, fmt.Errorf("%s %d: %w", count, i, err)
		}
		if !slices.Equal(parts[i].units, parts[0].units) {
			return nil, fmt.Errorf("%s %d: the units are not those of the first", count, i)
		}
	}
	return parts, nil
}

// Merge adds the observations of o, as many groups of networks of the same numbers of units:
// those of each group to the same group, so that an image has one group wherever it was seen.
// The result agrees with one pass over both as that of [Moments.Merge] does. Others, and
// samples that g has already, are an error; then g is unchanged. Merge panics if g is closed.
func (g *Groups) Merge(o *Groups) error {
	if g.closed {
		panic(badClosed)
	}
	if len(g.parts) != len(o.parts) || !slices.Equal(g.parts[0].units, o.parts[0].units) {
		return fmt.Errorf("corr: %d groups of networks of %v units cannot be merged with %d of %v", len(g.parts), g.parts[0].units, len(o.parts), o.parts[0].units)
	}
	for i, m := range g.parts {
		own := m.samples
		if err := own.merge(o.parts[i].samples); err != nil {
			return fmt.Errorf("corr: groups cannot be merged: group %d: %w", i, err)
		}
	}
	for i, m := range g.parts {
		from := o.parts[i]
		switch {
		case from.Count() == 0:
		case from.kept():
			m.reserve(from.rows)
			m.gather(0, from.rows, from.tensors())
			m.samples.append(from.samples)
		default:
			m.allocate()
			m.foldBlock()
			m.absorb(from)
		}
	}
	return nil
}

// tensors are the observations in the block.
func (m *Moments) tensors() []Tensor {
	all := make([]Tensor, len(m.units))
	for i, u := range m.units {
		all[i] = Rows(m.block[m.offsets[i]:], m.rows, u, m.total())
	}
	return all
}
