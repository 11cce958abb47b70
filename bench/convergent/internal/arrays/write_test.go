package arrays

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// grid is a matrix whose elements count as the fixtures do.
type grid struct{ rows, cols int }

func (g grid) Dims() (int, int)        { return g.rows, g.cols }
func (g grid) At(i, j int) float64     { return (float64(i*g.cols+j) - 7) / 4 }
func (g grid) counting() (c []float32) { return wanted(g.rows, 1, 1, g.cols, ND) }

// TestWriteNPY writes what numpy writes, byte for byte.
func TestWriteNPY(t *testing.T) {
	for name, g := range map[string]grid{"written-3x4.npy": {3, 4}, "written-1x1000.npy": {1, 1000}, "empty-f8.npy": {0, 3}} {
		path := filepath.Join(t.TempDir(), "folder", name)
		if err := WriteNPY(path, g); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, fixtures()[name]) {
			t.Errorf("%s: wrote %q, numpy %q", name, got, fixtures()[name])
		}
	}
}

func TestWriteNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	matrices := []Named{{"0.1", grid{3, 4}}, {"0.01", grid{100, 1}}, {"é", grid{1, 1}}}
	if err := WriteNPZ(path, matrices); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Arrays) != len(matrices) {
		t.Fatalf("%d arrays", len(f.Arrays))
	}
	for i, a := range f.Arrays {
		if a.Name != matrices[i].Name || a.DType != (DType{Float, 8, false}) {
			t.Errorf("array %d is %s of %v", i, a.Name, a.DType)
		}
		same(t, readAll(t, rows(t, a, ND), 7), matrices[i].Values.(grid).counting())
	}
	first, _ := os.ReadFile(path)
	if err := WriteNPZ(path, matrices); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(again, first) {
		t.Error("written again, the bytes differ")
	}
	for _, name := range []string{"", "é"} {
		err := WriteNPZ(path, append(matrices, Named{name, grid{1, 1}}))
		wantError(t, err, path, "is empty or taken")
	}
}

// nan is a matrix of values that float32 has not.
type nan struct{}

func (nan) Dims() (int, int)    { return 1, 3 }
func (nan) At(i, j int) float64 { return []float64{math.NaN(), math.Inf(-1), 1e300}[j] }

func TestWriteKeepsAllBits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := WriteNPY(path, nan{}); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	if want := "\x01\x00\x00\x00\x00\x00\xf8\x7f\x00\x00\x00\x00\x00\x00\xf0\xff\x9c\x75\x00\x88\x3c\xe4\x37\x7e"; string(b[len(b)-24:]) != want {
		t.Errorf("wrote %q", b[len(b)-24:])
	}
}
