package arrays

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// tensor is one of a batch: its type's name, shape and bytes.
type tensor struct {
	name, dtype string
	shape       []int
	data        []byte
}

// blob writes a batch.
func blob(tensors ...tensor) []byte {
	var header, data []byte
	for i, x := range tensors {
		if i > 0 {
			header = append(header, ',')
		}
		shape := strings.ReplaceAll(fmt.Sprint(x.shape), " ", ",")
		header = fmt.Appendf(header, `%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, x.name, x.dtype, shape, len(data), len(data)+len(x.data))
		data = append(data, x.data...)
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)+2))
	return slices.Concat(b, []byte{'{'}, header, []byte{'}'}, data)
}

// f32 is samples x units that count from a number.
func f32(name string, first, samples, units int) tensor {
	var b []byte
	for i := range samples * units {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(first+i)))
	}
	return tensor{name, "F32", []int{samples, units}, b}
}

// readStream reads all there is of some arrays, one sample of each batch after another.
func readStream(s *Stream, names ...string) (map[string][]float32, error) {
	rows, all := make(map[string]*Rows), make(map[string][]float32)
	for {
		f, err := s.Next()
		if err == io.EOF {
			for _, r := range rows {
				if err := r.End(); err != nil {
					return nil, err
				}
			}
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for _, a := range f.Arrays {
			if !slices.Contains(names, a.Name) {
				continue
			}
			r := rows[a.Name]
			if r == nil {
				if r, err = a.Rows(Layouts{NCHW}); err != nil {
					return nil, err
				}
				rows[a.Name] = r
			} else if err := r.Append(a); err != nil {
				return nil, err
			}
			dst := make([]float32, a.Shape[0]*r.Positions*r.Units)
			if _, err := r.Read(dst); err != nil {
				return nil, err
			}
			all[a.Name] = append(all[a.Name], dst...)
		}
	}
}

// oneByte gives a byte at a time, as a slow writer does.
type oneByte struct{ io.Reader }

func (r oneByte) Read(b []byte) (int, error) { return r.Reader.Read(b[:min(1, len(b))]) }

// TestStream reads arrays of batches of several sizes, of which one is passed over, as they
// come and from a file that they were spooled to.
func TestStream(t *testing.T) {
	maps := tensor{"A/maps", "BF16", []int{1, 2, 1, 2}, []byte{0x80, 0x3f, 0, 0x40, 0x40, 0x40, 0x80, 0x40}} // 1, 2; 3, 4
	var stream []byte
	want := map[string][]float32{}
	first := 0
	for _, n := range []int{2, 1, 3} {
		tensors := []tensor{f32("A/x", first, n, 2), f32("A/unread", 0, n, 5)}
		for range n {
			want["A/maps"] = append(want["A/maps"], 1, 3, 2, 4)
		}
		m := maps
		m.shape, m.data = []int{n, 2, 1, 2}, bytes.Repeat(maps.data, n)
		if n == 1 {
			tensors = slices.Insert(tensors, 0, m) // in another order
		} else {
			tensors = append(tensors, m)
		}
		stream = append(stream, blob(tensors...)...)
		for range 2 * n {
			want["A/x"] = append(want["A/x"], float32(first))
			first++
		}
	}
	check := func(got map[string][]float32, err error) {
		t.Helper()
		if err != nil || !slices.Equal(got["A/x"], want["A/x"]) || !slices.Equal(got["A/maps"], want["A/maps"]) {
			t.Errorf("got %v: %v", got, err)
		}
	}
	check(readStream(NewStream("pipe", bytes.NewReader(stream)), "A/x", "A/maps"))
	check(readStream(NewStream("pipe", oneByte{bytes.NewReader(stream)}), "A/x", "A/maps"))

	samples := 0
	spool, err := NewStream("pipe", bytes.NewReader(stream)).Spool(func(f *File) error {
		samples += f.Arrays[0].Shape[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	for _, name := range []string{"A/maps", "A/x", "A/x"} {
		r, err := spool.Batches.Rows(name, Layouts{NCHW})
		if err != nil {
			t.Fatal(err)
		}
		got[name] = make([]float32, r.Samples*r.Positions*r.Units)
		if _, err := r.Read(got[name]); err != nil {
			t.Fatal(err)
		}
	}
	check(got, nil)
	if spool.Bytes != int64(len(stream)) || samples != 6 {
		t.Errorf("%d bytes, %d samples", spool.Bytes, samples)
	}
	if err := spool.Close(); err != nil {
		t.Error(err)
	}
}

// TestStreamEnds wherever its writer dies: an error that says in which batch and at which byte,
// but between batches.
func TestStreamEnds(t *testing.T) {
	one := blob(f32("A/x", 0, 2, 3), f32("A/y", 0, 2, 1))
	stream := slices.Repeat(one, 3)
	for n := range stream {
		_, err := readStream(NewStream("pipe", bytes.NewReader(stream[:n])), "A/x")
		switch {
		case n == 0:
			if err == nil || err.Error() != "pipe: it ends before the first batch" {
				t.Errorf("of nothing: %v", err)
			}
		case n%len(one) == 0:
			if err != nil {
				t.Errorf("after %d bytes, whole batches: %v", n, err)
			}
		case err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("pipe, batch %d: ", n/len(one))) || !strings.Contains(err.Error(), fmt.Sprintf("ends at byte %d,", n)):
			t.Errorf("after %d bytes of batches of %d: %v", n, len(one), err)
		}
	}
}

// TestStreamRefuses what does not go with the first batch, or is none.
func TestStreamRefuses(t *testing.T) {
	x, y := f32("A/x", 0, 2, 3), f32("A/y", 0, 2, 3)
	half := tensor{"A/x", "F16", []int{2, 3}, make([]byte, 12)}
	flat := tensor{"A/x", "F32", []int{6}, make([]byte, 24)}
	first := blob(x, y)
	for name, c := range map[string]struct {
		then []byte
		want string
	}{
		"missing": {blob(x), `pipe, batch 1: no array "A/y", which pipe, batch 0 has`},
		"more":    {blob(x, y, f32("A/z", 0, 2, 3)), `pipe, batch 1: array "A/z": pipe, batch 0 has no array of this name`},
		"width":   {blob(x, f32("A/y", 0, 2, 4)), `pipe, batch 1: array "A/y": it is float32 of shape [2 4], and in pipe, batch 0 float32 of shape [2 3]`},
		"type":    {blob(half, y), `pipe, batch 1: array "A/x": it is float16`},
		"rank":    {blob(flat, y), `pipe, batch 1: array "A/x": it is float32 of shape [6]`},
		"text":    {[]byte("loss: 0.123\n"), `pipe, batch 1: at byte 174: not a safetensors file, or cut short: it claims a header of`},
		"nothing": {blob(), `pipe, batch 1: it holds no tensors`},
		"huge":    {safetensorsFile(`{"A/x":{"dtype":"F32","shape":[1152921504606,3],"data_offsets":[0,13835058055272]}}`, 0), `pipe, batch 1: no array "A/y"`},
	} {
		stream := slices.Concat(first, c.then)
		if _, err := readStream(NewStream("pipe", bytes.NewReader(stream)), "A/x"); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if _, err := NewStream("pipe", bytes.NewReader(stream)).Spool(func(*File) error { return nil }); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestStreamRounding: digits that are lost over all batches are found at their end, as of
// files.
func TestStreamRounding(t *testing.T) {
	var stream []byte
	for batch := range 3 {
		var b []byte
		for i := range 4 {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(1e9+float64(4*batch+i)))
		}
		stream = append(stream, blob(tensor{"A/x", "F64", []int{4, 1}, b})...)
	}
	_, err := readStream(NewStream("pipe", bytes.NewReader(stream)), "A/x")
	if err == nil || !strings.Contains(err.Error(), `array "A/x": unit 0 varies by 3.45 about 1e+09, which loses digits`) {
		t.Errorf("got %v", err)
	}
}

// TestStreamIsReadOnce: what was passed over is not there any more.
func TestStreamIsReadOnce(t *testing.T) {
	s := NewStream("pipe", bytes.NewReader(slices.Repeat(blob(f32("A/x", 0, 2, 3), f32("A/y", 0, 2, 3)), 2)))
	first, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	read := func(a *Array) error {
		r, err := a.Rows(nil)
		if err == nil {
			_, err = r.Read(make([]float32, 6))
		}
		return err
	}
	if err := read(first.Arrays[1]); err != nil {
		t.Error(err)
	}
	if err := read(first.Arrays[0]); err == nil || !strings.Contains(err.Error(), "read beyond this") {
		t.Errorf("an array before one that was read: %v", err)
	}
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if err := read(first.Arrays[1]); err == nil || !strings.Contains(err.Error(), "read beyond this") {
		t.Errorf("an array of the batch before: %v", err)
	}
}

// FuzzStream reads what may be a stream, as it comes and spooled: both find the same, or both
// find fault.
func FuzzStream(f *testing.F) {
	one := blob(f32("A/x", 0, 2, 3), f32("A/y", 0, 2, 1))
	f.Add(one)
	f.Add(slices.Concat(one, blob(f32("A/y", 5, 1, 1), f32("A/x", 5, 1, 3))))
	f.Add(slices.Concat(one, one[:len(one)-3]))
	f.Add(blob(tensor{"A/x", "F16", []int{1, 2, 2, 1}, make([]byte, 8)}, tensor{"sample_ids", "I64", []int{1}, make([]byte, 8)}))
	f.Add(slices.Concat(one, []byte("loss: 0.123\n")))
	f.Fuzz(func(t *testing.T, b []byte) {
		small := func(f *File) error {
			for _, a := range f.Arrays {
				n := 1.0
				for _, d := range a.Shape {
					n *= float64(d)
				}
				if n > 1<<20 { // what no memory holds is the caller's to refuse
					return io.ErrShortBuffer
				}
			}
			return nil
		}
		spool, err := NewStream("pipe", bytes.NewReader(b)).Spool(small)
		if err != nil {
			if err != io.ErrShortBuffer && !strings.HasPrefix(err.Error(), "pipe") {
				t.Fatalf("%q does not name the stream", err)
			}
			if err != io.ErrShortBuffer {
				s := NewStream("pipe", bytes.NewReader(b))
				for ; err == nil; _, err = s.Next() {
				}
				if err == io.EOF {
					t.Fatal("spooled it has a fault, and else none")
				}
			}
			return
		}
		defer spool.Close()
		name := spool.Batches[0].Arrays[0].Name
		got, err := readStream(NewStream("pipe", bytes.NewReader(b)), name)
		rows, spoolErr := spool.Batches.Rows(name, Layouts{NCHW})
		var want []float32
		if spoolErr == nil {
			want = make([]float32, rows.Samples*rows.Positions*rows.Units)
			_, spoolErr = rows.Read(want)
		}
		if (err == nil) != (spoolErr == nil) {
			t.Fatalf("%v, and spooled %v", err, spoolErr)
		}
		if err == nil && !slices.EqualFunc(got[name], want, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
			t.Fatalf("%v, and spooled %v", got[name], want)
		}
	})
}
