package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// sample returns a file with tensors of all types.
func sample() *File {
	return &File{
		Metadata: map[string]string{"b": "2", "a": "1 \"quoted\""},
		Tensors: []Tensor{
			{Name: "w", Shape: []int{2, 3}, F32: []float32{1, 2, 3, 4, 5, float32(math.Inf(1))}},
			{Name: "scalar", Shape: []int{}, F64: []float64{math.Pi}},
			{Name: "n", Shape: []int{2}, I64: []int64{-1, math.MaxInt64}},
			{Name: "none", Shape: []int{0, 4}, F32: []float32{}},
		},
	}
}

// encode returns the bytes of a file.
func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var buf bytes.Buffer
	n, err := f.WriteTo(&buf)
	if err != nil || n != int64(buf.Len()) {
		t.Fatalf("WriteTo = %d, %v; wrote %d", n, err, buf.Len())
	}
	return buf.Bytes()
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Save(path, sample()); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Fatalf("got %+v", got)
	}
	data, _ := os.ReadFile(path)
	if err := Save(path, got); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(data, again) {
		t.Fatal("written again, the bytes differ")
	}
	data[len(data)-3] ^= 4
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Fatalf("one bit is another: %v", err)
	}
	if _, err := got.Get("missing"); err == nil {
		t.Error("Get of a missing tensor: no error")
	}
}

// rawFile builds a file from a header written by hand.
func rawFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// TestFormat reads a header as Python's writer makes it.
func TestFormat(t *testing.T) {
	f, err := readBytes(rawFile(`{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}   `, 16))
	if err != nil {
		t.Fatal(err)
	}
	if f.Tensors[0].Name != "a" || f.Tensors[1].Name != "b" || f.Metadata["format"] != "pt" {
		t.Fatalf("got %+v", f)
	}
}

// readBytes reads a file from its bytes.
func readBytes(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestHostileFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":       {nil, "shorter than 8 bytes"},
		"huge header": {binary.LittleEndian.AppendUint64(nil, 1<<60), "claims a header"},
		"header cut":  {rawFile(`{}`, 0)[:9], "claims a header"},
		"not JSON":    {rawFile(`[]`, 0), "not a JSON object"},
		"broken JSON": {rawFile(`{"a":`, 0), "header"},
		"type":        {rawFile(`{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}`, 2), "F32, F64 and I64"},
		"negative":    {rawFile(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "negative"},
		"overflow":    {rawFile(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "too large"},
		"large claim": {rawFile(`{"a":{"dtype":"F32","shape":[1152921504606],"data_offsets":[0,4611686018424]}}`, 4), "cut short"},
		"overlap":     {rawFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), "not where the one before it ends"},
		"hole":        {rawFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "not where the one before it ends"},
		"shape":       {rawFile(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "does not fill"},
		"past end":    {rawFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), "cut short"},
		"trailing":    {rawFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), "follow the last tensor"},
		"twice":       {rawFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "twice"},
		"after end":   {rawFile(`{}x`, 0), "after its end"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readBytes(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	file := encode(t, sample())
	for n := range file {
		if _, err := readBytes(file[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes pass for a file", n, len(file))
		}
	}
}

func TestSaveRefusesWrongShape(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	err := Save(path, &File{Tensors: []Tensor{{Name: "w", Shape: []int{3}, F32: []float32{1}}}})
	if err == nil || !strings.Contains(err.Error(), `"w"`) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatal("a file was left")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add(rawFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := readBytes(b)
		if err != nil {
			return
		}
		again, err := readBytes(encode(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, file), encode(t, again)) {
			t.Fatal("a second round differs")
		}
	})
}

// TestStream reads one file after another from a stream that gives a few bytes at a time, and
// from one that ends early.
func TestStream(t *testing.T) {
	var stream bytes.Buffer
	for i := range 2 {
		f := &File{Metadata: map[string]string{"i": strconv.Itoa(i)}, Tensors: []Tensor{
			{Name: "a", Shape: []int{100_000}, F64: slices.Repeat([]float64{float64(i)}, 100_000)}, {Name: "b", Shape: []int{0}},
		}}
		if n, err := Encode(&stream, f); err != nil || n < 800_000 {
			t.Fatal(n, err)
		}
	}
	half := stream.Len() / 2
	all := bytes.Clone(stream.Bytes())
	r := iotest.OneByteReader(bytes.NewReader(all))
	for i := range 2 {
		f, err := Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := f.Get("a"); err != nil || a.F64[99_999] != float64(i) || len(f.Metadata) != 1 {
			t.Errorf("file %d: %v, metadata %v", i, err, f.Metadata)
		}
	}
	if _, err := Decode(bytes.NewReader(all[:half-9])); err == nil || !strings.Contains(err.Error(), `cut short in tensor "a"`) {
		t.Errorf("of a stream that ends early: %v", err)
	}
	all[half-9] ^= 1
	if _, err := Decode(bytes.NewReader(all)); !errors.Is(err, ErrDamaged) {
		t.Errorf("of a stream with another bit: %v", err)
	}
}
