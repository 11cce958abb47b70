package nn

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// torchTensor returns images, or convolutions' weights, that PyTorch saved, with the channels
// last. Other arrays stay as they are.
func torchTensor(t *testing.T, f *safetensors.File, name string) *Tensor {
	t.Helper()
	v, err := f.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	s := append(slices.Clone(v.Shape), 1, 1, 1)
	x := &Tensor{N: s[0], C: s[1], H: s[2], W: s[3], Data: make([]float32, len(v.F32))}
	channelsLast(x.Data, v.F32, x.Shape())
	return x
}

// TestLoadTorchRefusesNaN: a weight that is NaN is named.
func TestLoadTorchRefusesNaN(t *testing.T) {
	f, err := safetensors.Load("testdata/torch.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := f.Get("conv2.weight")
	if err != nil {
		t.Fatal(err)
	}
	weights.F32[5] = float32(math.NaN())
	path := filepath.Join(t.TempDir(), "broken.safetensors")
	if err := safetensors.Save(path, f); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTorch(path, CaffeNet32(10, 0.1)); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"conv2.weight": element`) {
		t.Errorf("a weight that is NaN: %v", err)
	}
}

// TestLoadTorch compares layers with what PyTorch computed from the same weights and
// images.
func TestLoadTorch(t *testing.T) {
	const path = "testdata/torch.safetensors"
	arch := CaffeNet32(10, 0.1)
	n, err := LoadTorch(path, arch)
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	taps := map[string]*Tensor{"relu1": nil, "norm1": nil, "relu2": nil, "relu5": nil, "fc7": nil}
	n.Forward(torchTensor(t, f, "input"), taps)
	for name, got := range taps {
		want := torchTensor(t, f, "output."+name)
		if got.N != want.N || got.H != want.H || got.W != want.W || got.C != want.C {
			t.Fatalf("%s: %d x %d x %d x %d", name, got.N, got.H, got.W, got.C)
		}
		var worst, largest float64
		for i, v := range want.Data {
			worst = max(worst, math.Abs(float64(got.Data[i]-v)))
			largest = max(largest, math.Abs(float64(v)))
		}
		if worst > 1e-5*largest {
			t.Errorf("%s: off by %g, where the largest is %g", name, worst, largest)
		}
	}
}

// TestReadTorch: a stream gives the network of the file, and what follows is left in it.
func TestReadTorch(t *testing.T) {
	const path = "testdata/torch.safetensors"
	arch := CaffeNet32(10, 0.1)
	want, err := LoadTorch(path, arch)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(append(data, "next"...))
	n, err := ReadTorch(r, arch)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range n.Params() {
		if !slices.Equal(p.Data, want.Params()[i].Data) {
			t.Errorf("%s differs", p.Name)
		}
	}
	if r.Len() != len("next") {
		t.Errorf("%d bytes are left; want 4", r.Len())
	}
	if _, err := ReadTorch(bytes.NewReader(data[:len(data)/2]), arch); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("half of the file: %v", err)
	}
	var own bytes.Buffer
	if _, err := n.WriteTo(&own); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTorch(&own, arch); err == nil || !strings.Contains(err.Error(), "not from PyTorch") {
		t.Errorf("this package's own: %v", err)
	}
}

func TestLoadTorchErrors(t *testing.T) {
	arch := CaffeNet32(10, 0.1)
	saved := filepath.Join(t.TempDir(), "saved.safetensors")
	n, err := New(arch, 1)
	if err == nil {
		err = n.Save(saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		arch Arch
		want string
	}{
		{saved, arch, "not from PyTorch"},
		{"testdata/torch.safetensors", CaffeNet32(10, 0.2), `"conv1.weight" is not float32 of shape [6 3 5 5]`},
		{"testdata/torch.safetensors", CaffeNet32(11, 0.1), `"fc7.weight" is not float32 of shape [11 13]`},
		{"testdata/none.safetensors", arch, "none.safetensors"},
	} {
		if _, err := LoadTorch(c.path, c.arch); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}
