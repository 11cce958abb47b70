// Package safetensors reads and writes the safetensors format of Hugging Face
// (https://github.com/huggingface/safetensors): eight bytes of little-endian
// header length, a JSON header that names each tensor's type, shape and place,
// then the data. Types F32, F64 and I64 are read and written whole; ReadHeader
// says where the data of every type lies, for those who read it themselves.
package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Tensor is a named array in row-major order. Exactly one of its slices is set.
type Tensor struct {
	Name  string
	Shape []int // empty for a scalar
	F32   []float32
	F64   []float64
	I64   []int64
}

// File is the content of a file: tensors in the order of their data.
type File struct {
	Tensors  []Tensor
	Metadata map[string]string
}

// maxHeader is the format's own limit on the header's length.
const maxHeader = 100 << 20

// ErrFormat is wrapped by the error of what does not begin as a safetensors file does.
var ErrFormat = errors.New("not a safetensors file, or cut short")

// entry is a tensor as the header describes it.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// elementSizes holds the bytes of an element of each type that is checked. Of others,
// some of which have less than a byte, the header's word is taken for where they lie.
var elementSizes = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4,
	"U64": 8, "I64": 8, "F64": 8,
}

// Entry is a tensor's place in a file: Size bytes from byte Offset of the file.
type Entry struct {
	Name, DType  string
	Shape        []int
	Offset, Size int64
}

// Get returns the tensor of the given name.
func (f *File) Get(name string) (*Tensor, error) {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i], nil
		}
	}
	return nil, fmt.Errorf("no tensor %q in the file", name)
}

// data returns the tensor's type and its slice.
func (t *Tensor) data() (dtype string, data any, n int) {
	switch {
	case t.F64 != nil:
		return "F64", t.F64, len(t.F64)
	case t.I64 != nil:
		return "I64", t.I64, len(t.I64)
	}
	return "F32", t.F32, len(t.F32)
}

// WriteTo writes the file to w: equal files give equal bytes.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	var header bytes.Buffer
	header.WriteByte('{')
	if len(f.Metadata) > 0 {
		text, err := json.Marshal(f.Metadata) // maps are written in order of their keys
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(&header, `"__metadata__":%s`, text)
	}
	var at int64
	for i := range f.Tensors {
		t := &f.Tensors[i]
		dtype, _, n := t.data()
		if want, err := elements(t.Shape); err != nil || want != int64(n) {
			return 0, fmt.Errorf("tensor %q of shape %v has %d elements", t.Name, t.Shape, n)
		}
		end := at + int64(n)*elementSizes[dtype]
		name, err := json.Marshal(t.Name)
		if err != nil {
			return 0, err
		}
		text, err := json.Marshal(entry{dtype, append([]int{}, t.Shape...), [2]int64{at, end}})
		if err != nil {
			return 0, err
		}
		if header.Len() > 1 {
			header.WriteByte(',')
		}
		fmt.Fprintf(&header, "%s:%s", name, text)
		at = end
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ') // so that the data is aligned
	}
	count := &counter{w: w}
	if err := binary.Write(count, binary.LittleEndian, uint64(header.Len())); err != nil {
		return count.n, err
	}
	if _, err := header.WriteTo(count); err != nil {
		return count.n, err
	}
	err := f.writeData(count)
	return count.n, err
}

// writeData writes the tensors' bytes.
func (f *File) writeData(w io.Writer) error {
	for i := range f.Tensors {
		if _, data, n := f.Tensors[i].data(); n > 0 {
			if err := binary.Write(w, binary.LittleEndian, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// Read reads a file of the given size. It allocates no more than a small
// multiple of size, whatever the header claims, and refuses tensors that
// overlap, leave holes or pass the end, and a file of Save's that is damaged.
func Read(r io.Reader, size int64) (*File, error) {
	entries, metadata, err := ReadHeader(r, size)
	if err != nil {
		return nil, err
	}
	return readTensors(r, entries, metadata, math.MaxInt64)
}

// Decode reads a file from a stream, and nothing of what follows it. Memory grows with what
// comes, whatever the header claims.
func Decode(r io.Reader) (*File, error) {
	entries, metadata, _, err := DecodeHeader(r)
	if err != nil {
		return nil, err
	}
	return readTensors(r, entries, metadata, chunk)
}

// readTensors reads the data of all entries, in memory that is taken for so many elements at
// once.
func readTensors(r io.Reader, entries []Entry, metadata map[string]string, atOnce int64) (*File, error) {
	f := &File{Metadata: metadata}
	for _, e := range entries {
		t := Tensor{Name: e.Name, Shape: e.Shape}
		var err error
		switch e.DType {
		case "F32":
			t.F32, err = readArray[float32](r, e.Size/4, atOnce)
		case "F64":
			t.F64, err = readArray[float64](r, e.Size/8, atOnce)
		case "I64":
			t.I64, err = readArray[int64](r, e.Size/8, atOnce)
		default:
			return nil, fmt.Errorf("tensor %q has type %q; F32, F64 and I64 are supported", e.Name, e.DType)
		}
		if err != nil {
			return nil, fmt.Errorf("cut short in tensor %q: %w", e.Name, err)
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f, f.verify()
}

// chunk is how many elements are read at a time.
const chunk = 1 << 16

// readArray reads n elements, into memory for atOnce of them at first.
func readArray[T float32 | float64 | int64](r io.Reader, n, atOnce int64) ([]T, error) {
	x := make([]T, 0, min(n, atOnce))
	for int64(len(x)) < n {
		from := len(x)
		k := int(min(n-int64(from), chunk))
		x = slices.Grow(x, k)[:from+k]
		if err := binary.Read(r, binary.LittleEndian, x[from:]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// ReadHeader reads the header of a file of the given size and leaves r where the
// data begins. The entries are in the order of their data; each fills its bytes
// exactly, from where the one before it ends, and the last ends with the file.
func ReadHeader(r io.Reader, size int64) ([]Entry, map[string]string, error) {
	if size < 8 {
		return nil, nil, errors.New("not a safetensors file: shorter than 8 bytes")
	}
	entries, metadata, end, err := readHeader(r, size)
	if extra := size - end; err == nil && extra != 0 {
		return nil, nil, fmt.Errorf("%d bytes follow the last tensor", extra)
	}
	return entries, metadata, err
}

// DecodeHeader is [ReadHeader] of a file in a stream, in which anything may follow. It
// also returns the file's size, and io.EOF if the stream has ended.
func DecodeHeader(r io.Reader) ([]Entry, map[string]string, int64, error) {
	return readHeader(r, math.MaxInt64)
}

// readHeader reads the header of a file of at most the given size, and also returns the size
// that this says.
func readHeader(r io.Reader, most int64) ([]Entry, map[string]string, int64, error) {
	fail := func(err error) ([]Entry, map[string]string, int64, error) { return nil, nil, 0, err }
	var length uint64
	if err := binary.Read(r, binary.LittleEndian, &length); err != nil {
		return fail(err)
	}
	if length > maxHeader || int64(length) > most-8 {
		return fail(fmt.Errorf("%w: it claims a header of %d bytes", ErrFormat, length))
	}
	var header bytes.Buffer // which grows with what there is, whatever is claimed
	if _, err := io.CopyN(&header, r, int64(length)); err != nil {
		return fail(fmt.Errorf("cut short in its header: %w", err))
	}
	listing, metadata, err := parse(header.Bytes())
	if err != nil {
		return fail(err)
	}
	start := 8 + int64(length)
	var at int64
	entries := make([]Entry, len(listing))
	for i, e := range listing {
		n, err := elements(e.Shape)
		width, known := elementSizes[e.DType]
		switch {
		case err != nil:
			return fail(fmt.Errorf("tensor %q: %w", e.name, err))
		case e.Offsets[0] != at:
			return fail(fmt.Errorf("tensor %q begins at byte %d of the data, not where the one before it ends, %d", e.name, e.Offsets[0], at))
		case e.Offsets[1] < at || known && (n > (math.MaxInt64-at)/width || e.Offsets[1] != at+n*width):
			return fail(fmt.Errorf("tensor %q of shape %v and type %s does not fill bytes %d to %d", e.name, e.Shape, e.DType, at, e.Offsets[1]))
		case e.Offsets[1] > most-start:
			return fail(fmt.Errorf("cut short: tensor %q ends at byte %d of the data, of which there are %d", e.name, e.Offsets[1], most-start))
		}
		entries[i] = Entry{e.name, e.DType, e.Shape, start + at, e.Offsets[1] - at}
		at = e.Offsets[1]
	}
	return entries, metadata, start + at, nil
}

// namedEntry is an entry under its name.
type namedEntry struct {
	name string
	entry
}

// parse reads the header's text: the entries, in the order of their data, and the
// metadata.
func parse(header []byte) ([]namedEntry, map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("the header is not a JSON object")
	}
	var entries []namedEntry
	var metadata map[string]string
	names := make(map[string]bool)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("header: %w", err)
		}
		name := key.(string)
		if names[name] {
			return nil, nil, fmt.Errorf("header: %q appears twice", name)
		}
		names[name] = true
		if name == "__metadata__" {
			err = dec.Decode(&metadata)
		} else {
			e := namedEntry{name: name}
			err = dec.Decode(&e.entry)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("header, at %q: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if tail := bytes.TrimRight(header[dec.InputOffset():], " \t\r\n"); len(tail) > 0 {
		return nil, nil, errors.New("header: text after its end")
	}
	slices.SortStableFunc(entries, func(a, b namedEntry) int {
		return slices.Compare(a.Offsets[:], b.Offsets[:])
	})
	return entries, metadata, nil
}

// elements returns the number of elements of a shape.
func elements(shape []int) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v is negative", shape)
		}
		if d > 0 && n > math.MaxInt64/16/int64(d) {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// Load reads the file at path; errors name it.
func Load(path string) (*File, error) {
	r, info, err := artifact.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := Read(r, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// verify returns an error if the metadata have a checksum, which it takes out of them, and it
// is another than the tensors'.
func (f *File) verify() error {
	want, ok := f.Metadata[checksum]
	if !ok {
		return nil
	}
	h := sha256.New()
	if err := f.writeData(h); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return ErrDamaged
	}
	delete(f.Metadata, checksum)
	return nil
}

// checksum is the key of the metadata that hold the SHA-256 of the tensors' bytes.
const checksum = "sha256"

// ErrDamaged is the error of Read, and wrapped by those of Load and Decode, for a file whose
// tensors have other bytes than those that were saved.
var ErrDamaged = errors.New("damaged: the tensors are not those that were saved")

// Save writes the file to path whole or not at all, with a checksum in its metadata.
func Save(path string, f *File) error {
	return artifact.Write(path, func(w io.Writer) error {
		_, err := Encode(w, f)
		return err
	})
}

// Encode writes to w what Save writes, and returns the number of bytes.
func Encode(w io.Writer, f *File) (int64, error) {
	h := sha256.New()
	if err := f.writeData(h); err != nil {
		return 0, err
	}
	file := &File{Metadata: map[string]string{checksum: hex.EncodeToString(h.Sum(nil))}, Tensors: f.Tensors}
	for key, v := range f.Metadata {
		file.Metadata[key] = v
	}
	return file.WriteTo(w)
}

// counter counts the bytes that pass through it.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
