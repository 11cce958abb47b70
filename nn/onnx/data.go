package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"unsafe"

	"github.com/convergent-go/convergent/internal/artifact"
)

// source is where the data of tensors lies that are not in the model's file.
type source struct {
	dir  string // of the model; empty if that was not a file
	root *os.Root
	read map[string]bool // paths of files
}

// Close closes the folder.
func (s *source) Close() error {
	if s.root != nil {
		return s.root.Close()
	}
	return nil
}

// tensor returns the tensor that a message holds or refers to, always the same.
func (s *source) tensor(t *tensorProto) (*Tensor, error) {
	if t.value != nil {
		return t.value, nil
	}
	typ, err := elementType(t.dataType)
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(t.dims))
	for i, d := range t.dims {
		shape[i] = int(d)
	}
	n, ok := elements(shape)
	if !ok {
		return nil, fmt.Errorf("shape %v is out of range", t.dims)
	}
	raw, size := t.raw, rawSize(t.dataType)
	if t.location == 1 {
		if raw, err = s.external(t.external, int64(n)*int64(size)); err != nil {
			return nil, err
		}
	}
	var data any
	if raw != nil {
		if len(raw) != n*size {
			return nil, fmt.Errorf("%d elements of %s (shape %v) take %d bytes, the data has %d", n, dataTypes[t.dataType], shape, n*size, len(raw))
		}
		data = decode(raw, t.dataType)
	} else {
		data = t.fields(typ)
	}
	out := &Tensor{Shape: shape, Data: data}
	if out.Len() != n {
		return nil, fmt.Errorf("shape %v has %d elements, the data %d", shape, n, out.Len())
	}
	t.value = out
	return out, nil
}

// rawSize returns the bytes of an element of a type of onnx.proto.
func rawSize(dataType int64) int {
	switch dataType {
	case 7, 11:
		return 8
	case 1, 6:
		return 4
	case 10, 16:
		return 2
	}
	return 1
}

// fields returns the data of a tensor that has no raw bytes.
func (t *tensorProto) fields(typ Type) any {
	switch t.dataType {
	case 1:
		return append([]float32{}, t.floats...)
	case 11:
		y := make([]float32, len(t.doubles))
		for i, v := range t.doubles {
			y[i] = float32(v)
		}
		return y
	case 10, 16:
		y := make([]float32, len(t.int32s))
		for i, v := range t.int32s {
			y[i] = half(uint16(v), t.dataType)
		}
		return y
	}
	switch typ {
	case Int64:
		return append([]int64{}, t.int64s...)
	case Int32:
		return append([]int32{}, t.int32s...)
	case Uint8:
		return convert[uint8](t.int32s)
	case Int8:
		return convert[int8](t.int32s)
	}
	y := make([]bool, len(t.int32s))
	for i, v := range t.int32s {
		y[i] = v != 0
	}
	return y
}

// half returns the value of a float16, or of a bfloat16 (type 16).
func half(u uint16, dataType int64) float32 {
	if dataType == 16 {
		return math.Float32frombits(uint32(u) << 16)
	}
	return fromFloat16(u)
}

// decode returns raw bytes as elements. Those of float32 stay where they are.
func decode(raw []byte, dataType int64) any {
	switch n := len(raw); dataType {
	case 1:
		return floats(raw)
	case 11:
		y := make([]float32, n/8)
		for i := range y {
			y[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
		return y
	case 10, 16:
		y := make([]float32, n/2)
		for i := range y {
			y[i] = half(binary.LittleEndian.Uint16(raw[2*i:]), dataType)
		}
		return y
	case 7:
		y := make([]int64, n/8)
		for i := range y {
			y[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
		return y
	case 6:
		y := make([]int32, n/4)
		for i := range y {
			y[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		return y
	case 3:
		y := make([]int8, n)
		for i, v := range raw {
			y[i] = int8(v)
		}
		return y
	case 9:
		y := make([]bool, n)
		for i, v := range raw {
			y[i] = v != 0
		}
		return y
	}
	return append([]uint8{}, raw...)
}

// floats returns little-endian bytes as float32, in place where they are aligned.
func floats(raw []byte) []float32 {
	n := len(raw) / 4
	if n == 0 {
		return []float32{}
	}
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if p := unsafe.Pointer(unsafe.SliceData(raw)); little && uintptr(p)%4 == 0 {
		return unsafe.Slice((*float32)(p), n)
	}
	y := make([]float32, n)
	for i := range y {
		y[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return y
}

// align moves the raw bytes of a message's tensor of float32 to where these are aligned:
// up to three bytes back, over the tag and the length of the field that they are, which
// have been read.
func (t *tensorProto) align(file []byte) {
	const header = 3 // bytes at least, of tag and length, where the length is above 127
	if t.dataType != 1 || len(t.raw) < 128 {
		return
	}
	p, start := uintptr(unsafe.Pointer(unsafe.SliceData(t.raw))), uintptr(unsafe.Pointer(unsafe.SliceData(file)))
	back := int(p % 4)
	if at := int(p - start); back > 0 && back <= header && at >= back {
		moved := file[at-back:][:len(t.raw):len(t.raw)]
		copy(moved, t.raw)
		t.raw = moved
	}
}

// external reads size bytes from a file in the model's folder.
func (s *source) external(entry map[string]string, size int64) ([]byte, error) {
	name := entry["location"]
	switch {
	case s.dir == "":
		return nil, errors.New("the data is in another file: such a model is read by Load")
	case !filepath.IsLocal(filepath.FromSlash(name)):
		return nil, fmt.Errorf("the data is in file %q, which is not in the model's folder", name)
	}
	var offset, length int64
	var err error
	if v := entry["offset"]; v != "" {
		if offset, err = strconv.ParseInt(v, 10, 64); err != nil || offset < 0 {
			return nil, fmt.Errorf("offset %q of data in file %q", v, name)
		}
	}
	if length = size; entry["length"] != "" {
		if length, err = strconv.ParseInt(entry["length"], 10, 64); err != nil || length < 0 {
			return nil, fmt.Errorf("length %q of data in file %q", entry["length"], name)
		}
	}
	if length != size {
		return nil, fmt.Errorf("%d bytes of data in file %q, where the shape takes %d", length, name, size)
	}
	if s.root == nil {
		if s.root, err = os.OpenRoot(s.dir); err != nil {
			return nil, err
		}
	}
	local := filepath.FromSlash(name)
	info, err := s.root.Stat(local) // before it is opened: to open a pipe is to wait
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("file %q: %w", name, artifact.ErrNotRegular)
	case offset > info.Size() || size > info.Size()-offset:
		return nil, fmt.Errorf("file %q of %d bytes ends before byte %d", name, info.Size(), offset+size)
	}
	f, err := s.root.Open(local)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.read[filepath.Join(s.dir, local)] = true
	raw := make([]byte, size)
	if _, err := f.ReadAt(raw, offset); err != nil && (err != io.EOF || size > 0) {
		return nil, fmt.Errorf("file %q: %w", name, err)
	}
	return raw, nil
}
