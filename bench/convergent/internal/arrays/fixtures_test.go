package arrays

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
)

// fixtures are the files that numpy, safetensors and torch wrote: testdata/make.py.
var fixtures = sync.OnceValue(func() map[string][]byte {
	packed, err := os.Open("testdata/fixtures.tar.gz")
	if err != nil {
		panic(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		panic(err)
	}
	files := make(map[string][]byte)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		} else if err != nil {
			panic(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			panic(err)
		}
	}
})

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// listBytes is Open of a file in memory.
func listBytes(name string, b []byte) (*File, error) {
	return list(name, bytes.NewReader(b), int64(len(b)), func() (handle, error) { return memory{bytes.NewReader(b)}, nil })
}

// open opens a fixture.
func open(t testing.TB, name string) *File {
	t.Helper()
	b, ok := fixtures()[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	f, err := listBytes(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func array(t testing.TB, f *File, name string) *Array {
	t.Helper()
	a, err := f.Array(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// readAll reads all rows, in blocks of the given number.
func readAll(t testing.TB, r *Rows, block int) []float32 {
	t.Helper()
	defer r.Close()
	var all []float32
	dst := make([]float32, block*r.Units+r.Units-1) // and not quite one more
	for {
		n, err := r.Read(dst)
		all = append(all, dst[:n*r.Units]...)
		if err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if n != block {
			t.Fatalf("%d rows before the end, want %d", n, block)
		}
	}
}

func rows(t testing.TB, a *Array, layout Layout) *Rows {
	t.Helper()
	r, err := a.Rows(Layouts{layout})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same compares bits, but for NaN, which has many.
func same(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, w := range want {
		if math.Float32bits(got[i]) != math.Float32bits(w) && !(got[i] != got[i] && w != w) {
			t.Fatalf("value %d is %v (%#x), want %v (%#x)", i, got[i], math.Float32bits(got[i]), w, math.Float32bits(w))
		}
	}
}

// counting is the value of the fixtures at the given place in the order of indices.
func counting(place int) float32 { return (float32(place) - 7) / 4 }

// wanted returns the rows of a fixture of rank 4, which has n samples of h x w x c.
func wanted(n, h, w, c int, layout Layout) []float32 {
	var all []float32
	for s := range n {
		for y := range h {
			for x := range w {
				for u := range c {
					if layout == NCHW {
						all = append(all, counting(((s*c+u)*h+y)*w+x))
					} else {
						all = append(all, counting(((s*h+y)*w+x)*c+u))
					}
				}
			}
		}
	}
	return all
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Fatalf("got %q, want an error with %q", err, p)
		}
	}
}
