package onnx

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArchitectures computes every tensor of the networks in testdata/networks and compares
// sums of its elements with those that ONNX Runtime's have. The networks are torchvision's as
// PyTorch exports them; their weights, too large to be committed, are computed here as
// testdata/networks.py computed them.
func TestArchitectures(t *testing.T) {
	files, _ := filepath.Glob("testdata/networks/*.onnx.gz")
	if len(files) < 20 {
		t.Fatalf("%d networks", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx.gz")
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "squeezenet1_1" && name != "mnasnet0_5" {
				t.Skip("the long test has it")
			}
			t.Parallel()
			a := readArchitecture(t, file)
			names := slices.Sorted(maps.Keys(a.sums))
			got, err := a.Run(a.inputs, names)
			if err != nil {
				t.Fatal(err)
			}
			worst, where := 0.0, ""
			for _, name := range names {
				if e := a.sums[name].off(got[name]); e > worst {
					worst, where = e, name
				}
			}
			t.Logf("%d tensors, the worst off by %.1e of its largest value (%s)", len(names), worst, where)
			if !(worst < 2e-5) {
				t.Error("more than 2e-5")
			}
			alone, err := a.Run(a.inputs, nil) // with nodes computed together
			if err != nil {
				t.Fatal(err)
			}
			for name, g := range alone {
				if e := a.sums[name].off(g); !(e < 2e-5) {
					t.Errorf("%s alone is off by %.1e", name, e)
				}
			}
		})
	}
}

// architecture is a network and what is known of its tensors for one input.
type architecture struct {
	*Model
	inputs map[string]*Tensor
	sums   map[string]sums
}

// sums are of a tensor's elements.
type sums struct {
	shape   string
	largest float64
	signed  [3]float64 // with signs by the lowest bits of the hashes of their places
}

func sumsOf(t *Tensor) (s sums) {
	s.shape = shapeText(t.Shape)
	value := t.values()
	if d, ok := t.Data.([]bool); ok {
		value = func(i int) float64 {
			if d[i] {
				return 1
			}
			return 0
		}
	}
	for i := range t.Len() {
		v, h := value(i), splitmix(i)
		s.largest = max(s.largest, math.Abs(v))
		for b := range s.signed {
			if h>>b&1 == 1 {
				s.signed[b] -= v
			} else {
				s.signed[b] += v
			}
		}
	}
	return s
}

// off returns how far the sums are from those of a tensor, in parts of its largest value: the
// signed ones by what independent errors of so much would add up to.
func (s sums) off(t *Tensor) float64 {
	g := sumsOf(t)
	if g.shape != s.shape {
		return math.Inf(1)
	}
	worst := math.Abs(g.largest - s.largest)
	for b, v := range s.signed {
		worst = max(worst, math.Abs(g.signed[b]-v)/math.Sqrt(float64(t.Len())))
	}
	if worst == 0 {
		return 0
	}
	return worst / s.largest
}

func shapeText(shape []int) string {
	var text []string
	for _, d := range shape {
		text = append(text, strconv.Itoa(d))
	}
	return strings.Join(text, ",")
}

// splitmix is the hash of a place.
func splitmix(i int) uint64 {
	z := (uint64(i) + 1) * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// uniform returns n numbers between low and high by the hashes of the places from at on.
func uniform(at, n int, low, high float64) []float32 {
	y := make([]float32, n)
	for i := range y {
		u := float64(splitmix(at+i)>>40) / (1 << 24)
		y[i] = float32(low + float64((high-low)*u))
	}
	return y
}

func uncompressed(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return data
}

func readArchitecture(t *testing.T, file string) architecture {
	t.Helper()
	a := architecture{inputs: make(map[string]*Tensor), sums: make(map[string]sums)}
	dir, graph := t.TempDir(), uncompressed(t, file)
	weights, err := os.Create(filepath.Join(dir, "weights"))
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string, bits int) float64 {
		v, err := strconv.ParseFloat(s, bits)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	at := 0
	text := uncompressed(t, strings.TrimSuffix(file, ".onnx.gz")+".sums.gz")
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		f := strings.Split(lines.Text(), "\t")
		switch {
		case f[0] == "weights" && len(f) == 4:
			n := int(number(f[1], 64))
			if err := binary.Write(weights, binary.LittleEndian, uniform(at, n, number(f[2], 32), number(f[3], 32))); err != nil {
				t.Fatal(err)
			}
			at += n
		case f[0] == "input" && len(f) == 4:
			var shape []int
			for _, d := range strings.Split(f[1], ",") {
				shape = append(shape, int(number(d, 64)))
			}
			a.inputs["input"] = NewTensor(uniform(1<<40, product(shape), number(f[2], 64), number(f[3], 64)), shape...)
		default:
			a.sums[f[0]] = sums{f[1], number(f[2], 64), [3]float64{number(f[3], 64), number(f[4], 64), number(f[5], 64)}}
		}
	}
	if err := weights.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(path, graph, 0o666); err != nil {
		t.Fatal(err)
	}
	if a.Model, err = Load(path); err != nil {
		t.Fatal(err)
	}
	return a
}
