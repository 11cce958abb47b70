package onnx

import (
	"bufio"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNetworks compares every tensor of the networks in the folder $ONNX_NETWORKS with
// what ONNX Runtime computed: testdata/networks.py makes such a folder. The networks are
// too large to be committed.
func TestNetworks(t *testing.T) {
	dir := os.Getenv("ONNX_NETWORKS")
	if dir == "" {
		t.Skip("ONNX_NETWORKS is not set")
	}
	lists, _ := filepath.Glob(filepath.Join(dir, "*.txt"))
	for _, list := range lists {
		base := strings.TrimSuffix(list, ".txt")
		t.Run(filepath.Base(base), func(t *testing.T) {
			m, err := Load(base + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(list)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			ref, err := os.ReadFile(base + ".ref")
			if err != nil {
				t.Fatal(err)
			}
			want := make(map[string]*Tensor)
			var names []string
			inputs := make(map[string]*Tensor)
			for lines := bufio.NewScanner(f); lines.Scan(); {
				fields := strings.Split(lines.Text(), "\t")
				var shape []int
				for _, d := range strings.Split(fields[1], ",") {
					if n, err := strconv.Atoi(d); err == nil {
						shape = append(shape, n)
					}
				}
				at, _ := strconv.Atoi(fields[2])
				d := make([]float32, product(shape))
				for i := range d {
					d[i] = math.Float32frombits(binary.LittleEndian.Uint32(ref[at+4*i:]))
				}
				if in := m.Inputs()[0].Name; fields[0] == in {
					inputs[in] = NewTensor(d, shape...)
					continue
				}
				want[fields[0]] = NewTensor(d, shape...)
				names = append(names, fields[0])
			}
			got, err := m.Run(inputs, names)
			if err != nil {
				t.Fatal(err)
			}
			worst, where, decided := 0.0, "", false
			for _, name := range names {
				if n := flips(got[name], want[name]); n >= 0 {
					// Zeros and ones, of comparisons: last digits decide where operands are nearly equal.
					if n > want[name].Len()/1000 {
						t.Errorf("%s: %d of %d elements differ", name, n, want[name].Len())
					} else if n > 0 {
						t.Logf("%s: %d of %d elements differ", name, n, want[name].Len())
						decided = true
					}
				} else if e := farthest(got[name], want[name]); e > worst && !decided {
					worst, where = e, name
				}
			}
			t.Logf("%d tensors, the worst off by %.1e of its largest value (%s)", len(names), worst, where)
			if !(worst < 1e-4) {
				t.Error("more than 1e-4")
			}
			for _, v := range m.Outputs() {
				last := v.Name
				alone, err := m.Run(inputs, nil) // with normalisations folded
				if err != nil {
					t.Fatal(err)
				}
				if e := farthest(alone[last], want[last]); !(e < 1e-4 || decided) {
					t.Errorf("%s alone is off by %.1e", last, e)
				} else {
					t.Logf("%s alone is off by %.1e", last, e)
				}
			}
		})
	}
}

// flips returns in how many elements tensors of zeros and ones differ, and -1 for others.
func flips(got, want *Tensor) int {
	n := 0
	for i, v := range want.Data.([]float32) {
		if v != 0 && v != 1 {
			return -1
		}
		if got.Data.([]float32)[i] != v {
			n++
		}
	}
	return n
}

// farthest returns the largest difference, in parts of the largest value.
func farthest(got, want *Tensor) float64 {
	w, ok := want.Data.([]float32)
	g, okay := got.Data.([]float32)
	if !ok || !okay || len(w) != len(g) {
		return math.Inf(1)
	}
	largest, worst := 0.0, 0.0
	for i, v := range w {
		largest = max(largest, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(v)-float64(g[i])))
	}
	if worst == 0 {
		return 0
	}
	return worst / largest
}
