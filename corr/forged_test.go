package corr

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// TestForgedMoments: a file with a sound checksum, which anyone can write, is read only if
// it can be moments.
func TestForgedMoments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	nets := data(rnd, 1000, 4, 3)
	most, m := NewMoments(4, 3), NewMoments(4, 3)
	if err := most.Add(1000, nets...); err != nil {
		t.Fatal(err)
	}
	if err := m.Merge(most); err != nil { // whose products are then of deviations from the mean
		t.Fatal(err)
	}
	if err := m.Add(10, nets[0][:40], nets[1][:30]); err != nil { // which are in the block
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m")
	for name, c := range map[string]struct {
		forge func(f *safetensors.File)
		want  string // nothing: it is sound
	}{
		"sound":        {func(*safetensors.File) {}, ""},
		"NaN in block": {func(f *safetensors.File) { tensor(f, "block").F32[5] = float32(math.NaN()) }, "an activation is NaN"},
		"Inf in block": {func(f *safetensors.File) { tensor(f, "block").F32[5] = float32(math.Inf(-1)) }, "an activation is -Inf"},
		"NaN first":    {func(f *safetensors.File) { tensor(f, "first").F32[5] = float32(math.NaN()) }, "an activation is NaN"},
		"mean":         {func(f *safetensors.File) { tensor(f, "mean").F64[1] = 1e200 }, "the mean of unit 1 is"},
		"NaN mean":     {func(f *safetensors.File) { tensor(f, "mean").F64[1] = math.NaN() }, "the mean of unit 1 is NaN"},
		"negated":      {func(f *safetensors.File) { negate(tensor(f, "product").F64) }, "the squared deviations of unit 0"},
		"NaN residual": {func(f *safetensors.File) { tensor(f, "residual").F64[2] = math.NaN() }, "a sum of deviations is NaN"},
		"Inf centre":   {func(f *safetensors.File) { tensor(f, "centre").F32[2] = float32(math.Inf(1)) }, "an activation is +Inf"},
		"large":        {func(f *safetensors.File) { tensor(f, "product").F64[0] = 1e200 }, "the squared deviations of unit 0"},
		"beyond":       {func(f *safetensors.File) { tensor(f, "product").F64[1] = 1e6 }, "the products of units 0 and 1"},
		"below":        {func(f *safetensors.File) { tensor(f, "product").F64[7] = math.Inf(1) }, "a product is +Inf"},
		"count":        {func(f *safetensors.File) { tensor(f, "count").I64[0] = math.MaxInt64 }, "observations"},
		"samples": {func(f *safetensors.File) {
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "samples", Shape: []int{2}, I64: []int64{7, 7}})
		}, "identifiers of samples do not rise"},
		"none": {func(f *safetensors.File) { tensor(f, "count").I64[0] = 0 }, "the mean of unit 0"},
		"indefinite": {func(f *safetensors.File) { // three units each two of which are opposite
			x := tensor(f, "product").F64
			for _, at := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
				x[at[0]*7+at[1]] = -0.9 * math.Sqrt(x[at[0]*8]*x[at[1]*8])
			}
		}, "a negative eigenvalue at unit 2"},
	} {
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		c.forge(f)
		if err := safetensors.Save(path, f); err != nil {
			t.Fatal(err)
		}
		_, err = LoadMoments(path)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func negate(x []float64) {
	for i := range x {
		x[i] = -x[i]
	}
}

func tensor(f *safetensors.File, name string) *safetensors.Tensor {
	t, err := f.Get(name)
	if err != nil {
		panic(err)
	}
	return t
}

// TestSoundMoments: whatever activations are, their moments are read again: of units that do
// not vary or do hardly, copies, few rows, and any mean and scale.
func TestSoundMoments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	rnd := rand.New(rand.NewPCG(9, 9))
	for _, rows := range []int{0, 1, 2, 5, 383, 384, 385, 5000} {
		if testing.Short() && rows > 1000 {
			continue
		}
		for _, mean := range []float64{0, 1, 1e6, -1e20, 3e38} {
			for _, scale := range []float64{0, 1e-45, 1e-30, 1, 1e19, 1e37} {
				const p = 60
				x := make([]float32, rows*p)
				for i := range x {
					switch u := i % p; {
					case u%3 == 0 && u > 0:
						x[i] = x[i-1] // a copy
					case u%5 == 0:
						x[i] = float32(mean)
					default:
						x[i] = float32(math.Max(-math.MaxFloat32, math.Min(math.MaxFloat32, mean+scale*rnd.NormFloat64())))
					}
				}
				m := NewMoments(p)
				if err := m.Add(rows, x); err != nil {
					t.Fatal(err)
				}
				if err := m.Save(path); err != nil {
					t.Fatal(err)
				}
				if _, err := LoadMoments(path); err != nil {
					t.Errorf("%d rows of mean %g and scale %g: %v", rows, mean, scale, err)
				}
			}
		}
	}
}
