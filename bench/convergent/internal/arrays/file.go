package arrays

import (
	"archive/zip"
	"bufio"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
)

const (
	maxArrays  = 1 << 14  // in an .npz
	maxDeflate = 1032     // no stream of deflate is longer, unpacked, by a larger factor
	window     = 64 << 10 // bytes of a deflated stream that are read at a time
)

// File is a list of the arrays of a file. It holds no file open.
type File struct {
	Path   string
	Arrays []*Array // in the file's order

	byName map[string]*Array
	open   func() (handle, error)
	stream *Stream // that it is a batch of, and that others may follow; nil of a file
}

// Array is an array of a file, not yet read.
type Array struct {
	Name    string // in the file; a .npy has no names, and "" here
	Shape   []int
	DType   DType
	Fortran bool // the first index varies fastest

	file   *File
	offset int64   // of the data in the file, or in the member
	member *member // nil outside of an .npz
	err    error   // why it cannot be read, which matters to those alone who want it
}

// member is a file in a zip.
type member struct {
	offset, packed int64 // of its bytes in the zip
	size           int64 // of its bytes, unpacked
	deflated       bool
	crc            uint32
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.Closer
}

// Open lists the arrays of the file at path, which is a .npy, an .npz or a
// .safetensors.
func Open(path string) (*File, error) {
	f, info, err := artifact.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return list(path, f, info.Size(), func() (handle, error) {
		f, now, err := artifact.Open(path)
		if err != nil {
			return nil, err
		}
		if now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
			f.Close()
			return nil, fmt.Errorf("%s: changed since its header was read", path)
		}
		return f, nil
	})
}

// list is Open of a file of the given size.
func list(path string, r io.ReaderAt, size int64, open func() (handle, error)) (*File, error) {
	f := &File{Path: path, open: open}
	magic := make([]byte, 6)
	n, err := r.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch magic := string(magic[:n]); {
	case magic == npyMagic:
		err = f.npy(r, size)
	case strings.HasPrefix(magic, "PK"):
		err = f.npz(r, size)
	case strings.EqualFold(filepath.Ext(path), ".safetensors"):
		err = f.safetensors(r, size)
	default:
		return nil, fmt.Errorf("%s: not a .npy, .npz or .safetensors file", path)
	}
	if err != nil {
		return nil, err
	}
	f.index()
	return f, nil
}

// index makes arrays known by their names.
func (f *File) index() {
	f.byName = make(map[string]*Array, len(f.Arrays))
	for _, a := range f.Arrays {
		f.byName[a.Name] = a
	}
}

// errorf is fmt.Errorf after the names of the file and of the array.
func (f *File) errorf(array, format string, args ...any) error {
	name := f.Path
	if array != "" {
		name = fmt.Sprintf("%s: array %q", name, array)
	}
	return fmt.Errorf("%s: "+format, append([]any{name}, args...)...)
}

func (a *Array) errorf(format string, args ...any) error {
	return a.file.errorf(a.Name, format, args...)
}

// add lists an array whose data has as many bytes as given.
func (f *File) add(name string, h header, data int64, m *member) error {
	want, err := product(h.shape, h.dtype.Size)
	switch {
	case err != nil:
		return f.errorf(name, "%w", err)
	case data < want:
		return f.errorf(name, "cut short: shape %v of %v takes %d bytes, of which there are %d", h.shape, h.dtype, want, data)
	case data > want:
		return f.errorf(name, "%d bytes follow the data that shape %v of %v takes", data-want, h.shape, h.dtype)
	}
	f.Arrays = append(f.Arrays, &Array{Name: name, Shape: h.shape, DType: h.dtype, Fortran: h.fortran, file: f, offset: h.size, member: m})
	return nil
}

// addUnread lists an array that cannot be read, and why.
func (f *File) addUnread(name string, shape []int, why error) {
	f.Arrays = append(f.Arrays, &Array{Name: name, Shape: shape, file: f, err: f.errorf(name, "%w", why)})
}

func (f *File) npy(r io.ReaderAt, size int64) error {
	h, err := readHeader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return f.errorf("", "%w", err)
	}
	return f.add("", h, size-h.size, nil)
}

func (f *File) npz(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return f.errorf("", "cut short, or not an .npz: %w", err)
	}
	if len(z.File) > maxArrays {
		return f.errorf("", "%d members, where %d are allowed", len(z.File), maxArrays)
	}
	seen := make(map[string]bool)
	var extents []extent
	for _, m := range z.File {
		name, isArray := strings.CutSuffix(m.Name, ".npy")
		if !isArray {
			continue
		}
		if seen[name] {
			return f.errorf(name, "there are two of this name")
		}
		seen[name] = true
		offset, err := m.DataOffset()
		switch {
		case err != nil:
			return f.errorf(name, "%w", err)
		case offset > size || m.CompressedSize64 > uint64(size-offset):
			return f.errorf(name, "it passes the end of the file")
		}
		in := &member{offset, int64(m.CompressedSize64), int64(m.UncompressedSize64), m.Method == zip.Deflate, m.CRC32}
		extents = append(extents, extent{name, in})
		switch {
		case m.Flags&1 != 0:
			f.addUnread(name, nil, errors.New("it is encrypted"))
			continue
		case m.Method != zip.Store && m.Method != zip.Deflate:
			f.addUnread(name, nil, fmt.Errorf("it is packed by method %d; np.savez and np.savez_compressed pack it in ways that are read", m.Method))
			continue
		case m.Method == zip.Store && m.UncompressedSize64 != m.CompressedSize64,
			m.UncompressedSize64/maxDeflate > m.CompressedSize64:
			return f.errorf(name, "%d bytes cannot hold the %d that it claims", m.CompressedSize64, m.UncompressedSize64)
		}
		h, err := readHeader(in.stream(r))
		if err != nil {
			f.addUnread(name, nil, err)
			continue
		}
		if err := f.add(name, h, in.size-h.size, in); err != nil {
			return err
		}
	}
	if len(f.Arrays) == 0 {
		return f.errorf("", "no arrays in this zip; an .npz has members that end in .npy (a checkpoint of PyTorch is none: export with np.savez or safetensors)")
	}
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Compare(a.offset, b.offset) })
	for i, m := range extents[1:] {
		if before := extents[i]; before.offset+before.packed > m.offset {
			return f.errorf(m.name, "it overlaps array %q", before.name)
		}
	}
	return nil
}

// extent is where a named member lies.
type extent struct {
	name string
	*member
}

var safetensorsTypes = map[string]DType{
	"F16": {Float, 2, false}, "BF16": {BFloat, 2, false}, "F32": {Float, 4, false}, "F64": {Float, 8, false},
	"I8": {Int, 1, false}, "I16": {Int, 2, false}, "I32": {Int, 4, false}, "I64": {Int, 8, false},
	"U8": {Uint, 1, false}, "U16": {Uint, 2, false}, "U32": {Uint, 4, false}, "U64": {Uint, 8, false},
	"BOOL": {Bool, 1, false},
}

func (f *File) safetensors(r io.ReaderAt, size int64) error {
	entries, _, err := safetensors.ReadHeader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return f.errorf("", "%w", err)
	}
	return f.tensors(entries)
}

// tensors lists the entries of a header.
func (f *File) tensors(entries []safetensors.Entry) error {
	if len(entries) == 0 {
		return f.errorf("", "it holds no tensors")
	}
	for _, e := range entries {
		t, known := safetensorsTypes[e.DType]
		if !known {
			f.addUnread(e.Name, e.Shape, fmt.Errorf("its type %s is not read; save it as F32", e.DType))
			continue
		}
		if err := f.add(e.Name, header{t, e.Shape, false, e.Offset}, e.Size, nil); err != nil {
			return err
		}
	}
	return nil
}

// stream returns the unpacked bytes of a member of the zip r.
func (m *member) stream(r io.ReaderAt) io.Reader {
	packed := io.NewSectionReader(r, m.offset, m.packed)
	if m.deflated {
		return flate.NewReader(bufio.NewReaderSize(packed, window))
	}
	return packed
}

// Array returns the array of the given name. The name may be left out, "", if
// there is only one. One that cannot be read is an error.
func (f *File) Array(name string) (*Array, error) {
	a, err := f.find(name)
	if err == nil {
		err = a.err
	}
	return a, err
}

// find is Array of those that cannot be read, too.
func (f *File) find(name string) (*Array, error) {
	if name == "" && len(f.Arrays) == 1 {
		return f.Arrays[0], nil
	}
	if a, ok := f.byName[name]; ok {
		return a, nil
	}
	const limit = 40
	names := make([]string, min(limit, len(f.Arrays)))
	for i := range names {
		names[i] = f.Arrays[i].Name
	}
	more := ""
	if len(f.Arrays) > limit {
		more = fmt.Sprintf(" and %d more", len(f.Arrays)-limit)
	}
	return nil, f.errorf("", "no array %q; it holds %q%s", name, names, more)
}
