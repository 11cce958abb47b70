package comparison

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// described is a source that says what it has.
type described struct {
	source.Source
	description source.Description
}

func (d described) Description() *source.Description { return &d.description }

// TestSwappedWeights: networks that differ in weights alone which are in other files, and there
// in the middle, are told apart.
func TestSwappedWeights(t *testing.T) {
	dir := t.TempDir()
	weights := make([]byte, 3*ends)
	model := func(name string, middle byte) []string {
		files := []string{filepath.Join(dir, name+".onnx"), filepath.Join(dir, name+".data")}
		weights[len(weights)/2] = middle
		for i, b := range [][]byte{[]byte("the same graph"), weights} {
			if err := os.WriteFile(files[i], b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
	a, b := model("a", 1), model("b", 2)
	of := func(path string, networks ...[]string) *manifest {
		var d described
		for _, files := range networks {
			d.description.Networks = append(d.description.Networks, source.Network{File: filepath.Base(files[0])})
			d.description.Models, d.description.Files = append(d.description.Models, files), append(d.description.Files, files...)
		}
		m, err := newManifest(source.Options{}, d)
		if err != nil {
			t.Fatal(err)
		}
		m.path, m.names = path, []string{"", ""}
		return m
	}
	first := of("1.moments", a, b)
	if err := of("2.moments", a, b).sameNetworks(first); err != nil {
		t.Error(err)
	}
	if err := of("2.moments", b, a).sameNetworks(first); err == nil || !strings.Contains(err.Error(), "which have other bytes") {
		t.Errorf("swapped: %v", err)
	}
	if of("1.moments", a, b).Inputs[0] == of("1.moments", a, a).Inputs[0] {
		t.Error("other weights are the same inputs")
	}
}
