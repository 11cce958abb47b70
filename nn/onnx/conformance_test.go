package onnx

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// TestConformance runs ONNX's own tests, as Debian's package libonnx-testdata has them,
// in $ONNX_TESTDATA or where that package puts them.
func TestConformance(t *testing.T) {
	dir := os.Getenv("ONNX_TESTDATA")
	if dir == "" {
		dir = "/usr/share/libonnx-testdata/data"
	}
	models, err := filepath.Glob(filepath.Join(dir, "*", "*", "model.onnx"))
	if err != nil || len(models) == 0 {
		t.Skipf("no tests in %s: install libonnx-testdata, or set ONNX_TESTDATA", dir)
	}
	passed, out := 0, make(map[string][]string)
	for _, path := range models {
		name := filepath.Base(filepath.Dir(path))
		why, err := conforms(filepath.Dir(path))
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case why != "":
			out[why] = append(out[why], name)
		default:
			passed++
		}
	}
	left := 0
	for _, why := range slices.SortedFunc(maps.Keys(out), func(a, b string) int { return len(out[b]) - len(out[a]) }) {
		left += len(out[why])
		t.Logf("left out %3d: %s", len(out[why]), why)
	}
	t.Logf("%d tests: %d passed, %d left out", len(models), passed, left)
	if passed < 600 {
		t.Errorf("only %d tests passed", passed)
	}
}

// conforms runs a test in a folder. It returns why it is left out, or how it fails.
func conforms(dir string) (why string, err error) {
	m, err := Load(filepath.Join(dir, "model.onnx"))
	var lacking *UnsupportedError
	switch {
	case errors.As(err, &lacking):
		for i, op := range lacking.Operators {
			op, _, _ = strings.Cut(op, " ")
			lacking.Operators[i] = op
		}
		return strings.Join(lacking.Operators, ", "), nil
	case err != nil:
		return leftOut(err)
	}
	sets, _ := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if len(sets) == 0 {
		return "", errors.New("no data")
	}
	for _, set := range sets {
		in := make(map[string]*Tensor)
		for i, v := range m.Inputs() {
			if in[v.Name], err = readTensor(filepath.Join(set, fmt.Sprintf("input_%d.pb", i))); err != nil {
				return leftOut(err)
			}
		}
		for _, threads := range []int{1, 2} {
			m.Threads = threads
			got, err := m.Run(in, nil)
			if err != nil {
				if strings.Contains(err.Error(), "training is not supported") {
					return "training", nil
				}
				return "", err
			}
			for i, v := range m.Outputs() {
				want, err := readTensor(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
				if err != nil {
					return leftOut(err)
				}
				if err := closeTo(got[v.Name], want, 1e-3, 1e-7); err != nil {
					return "", fmt.Errorf("%s: %w", v.Name, err)
				}
			}
		}
	}
	return "", nil
}

// leftOut tells what the package says it does not have from a failure.
func leftOut(err error) (why string, _ error) {
	text := err.Error()
	for _, reason := range []string{"is not a tensor", "are not supported", "is not supported", "not between", "of which the package computes"} {
		if strings.Contains(text, reason) {
			return text[strings.LastIndex(text, ": ")+2:], nil
		}
	}
	return "", err
}

func readTensor(path string) (*Tensor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parseTensor(field{typ: protowire.BytesType, b: b})
	if err != nil {
		return nil, err
	}
	return new(source).tensor(p)
}

// closeTo compares with the tolerances of ONNX's own runner.
func closeTo(got, want *Tensor, relative, absolute float64) error {
	if got.Type() != want.Type() || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("%v of shape %v, want %v of %v", got.Type(), got.Shape, want.Type(), want.Shape)
	}
	switch w := want.Data.(type) {
	case []float32:
		for i, g := range got.Data.([]float32) {
			a, b := float64(g), float64(w[i])
			if a == b || math.IsNaN(a) && math.IsNaN(b) {
				continue
			}
			if !(math.Abs(a-b) <= absolute+relative*math.Abs(b)) {
				return fmt.Errorf("element %d is %v, want %v", i, g, w[i])
			}
		}
		return nil
	default:
		if fmt.Sprint(got.Data) != fmt.Sprint(want.Data) {
			return fmt.Errorf("%v, want %v", got.Data, want.Data)
		}
	}
	return nil
}
