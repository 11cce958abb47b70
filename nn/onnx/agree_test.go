package onnx

import (
	"bufio"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
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
			compare := func(got map[string]*Tensor, name string) float64 {
				g, w := got[name], want[name]
				n := flips(g, w)
				if masked(m, want, name) {
					g, w, n = unmasked(g, w)
				}
				if n > 0 {
					t.Logf("%s: %d of %d elements are decided otherwise", name, n, want[name].Len())
				}
				if n > want[name].Len()/1000 {
					t.Errorf("%s: more than one in a thousand", name)
				}
				if n >= 0 && !masked(m, want, name) {
					return 0
				}
				return farthest(g, w)
			}
			worst, where := 0.0, ""
			for _, name := range names {
				if e := compare(got, name); e > worst {
					worst, where = e, name
				}
			}
			t.Logf("%d tensors, the worst off by %.1e of its largest value (%s)", len(names), worst, where)
			if !(worst < 1e-4) {
				t.Error("more than 1e-4")
			}
			alone, err := m.Run(inputs, nil) // with nodes computed together
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range m.Outputs() {
				if e := compare(alone, v.Name); !(e < 1e-4) {
					t.Errorf("%s alone is off by %.1e", v.Name, e)
				} else {
					t.Logf("%s alone is off by %.1e", v.Name, e)
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

// masked reports whether a tensor is the product of one of zeros and ones, and another: such as
// scores where they are the largest of their neighbourhood, of which last digits decide where
// neighbours are nearly equal.
func masked(m *Model, want map[string]*Tensor, name string) bool {
	for _, n := range m.nodes {
		if n.Op == "Mul" && n.Outputs[0] == name {
			return slices.ContainsFunc(n.Inputs, func(in string) bool { return want[in] != nil && flips(want[in], want[in]) == 0 })
		}
	}
	return false
}

// unmasked returns the elements of two tensors but for those of which one alone is zero, and
// how many these are.
func unmasked(got, want *Tensor) (g, w *Tensor, n int) {
	var a, b []float32
	for i, v := range want.Data.([]float32) {
		u := got.Data.([]float32)[i]
		if (u == 0) != (v == 0) {
			n++
			continue
		}
		a, b = append(a, u), append(b, v)
	}
	return NewTensor(a, len(a)), NewTensor(b, len(b)), n
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
