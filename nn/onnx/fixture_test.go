package onnx

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// fixture is a small model, and all tensors that ONNX Runtime has of it; testdata/fixtures.py
// makes both.
type fixture struct {
	*Model
	name   string
	inputs map[string]*Tensor
	want   map[string]*Tensor
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.expected.onnx")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	var all []fixture
	for _, file := range files {
		known, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(file, ".expected.onnx")
		m, err := Load(base + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{m, filepath.Base(base), make(map[string]*Tensor), nil}
		if f.want, err = known.Run(nil, slices.Collect(maps.Keys(known.names))); err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Inputs() {
			f.inputs[v.Name] = f.want[v.Name]
			delete(f.want, v.Name)
		}
		all = append(all, f)
	}
	return all
}

// check compares tensors with ONNX Runtime's.
func (f fixture) check(t testing.TB, got map[string]*Tensor) {
	t.Helper()
	for name, g := range got {
		w := f.want[name]
		if g.Type() != w.Type() || !slices.Equal(g.Shape, w.Shape) {
			t.Fatalf("%s: %s is %v of shape %v, want %v of %v", f.name, name, g.Type(), g.Shape, w.Type(), w.Shape)
		}
		if w.Type() != Float32 {
			if fmt.Sprint(g.Data) != fmt.Sprint(w.Data) {
				t.Errorf("%s: %s is %v, want %v", f.name, name, g.Data, w.Data)
			}
		} else if e := farthest(g, w); !(e < 3e-6) {
			t.Errorf("%s: %s is off by %.1e of the largest", f.name, name, e)
		}
	}
}

// TestFixtures taps the outputs, every tensor alone, so that all that may be computed
// together is, and all tensors at once, of which none can be left out.
func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		all := slices.Sorted(maps.Keys(f.want))
		taps := [][]string{nil, all}
		for _, name := range all {
			taps = append(taps, []string{name})
		}
		for _, names := range taps {
			got, err := f.Run(f.inputs, names)
			if err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			if names != nil && len(got) != len(names) {
				t.Fatalf("%s: %d tensors, want %v", f.name, len(got), names)
			}
			f.check(t, got)
		}
	}
}

// TestFused: nodes of the fixtures are computed together where they can be.
func TestFused(t *testing.T) {
	steps := map[string]int{"images": 0, "tokens": 0, "control": 0}
	for _, f := range fixtures(t) {
		p, err := f.plan([]string{f.Outputs()[0].Name})
		if err != nil {
			t.Fatal(err)
		}
		steps[f.name] = len(f.nodes) - len(p.steps)
	}
	if want := map[string]int{"images": 17, "tokens": 15, "control": 2}; !maps.Equal(steps, want) {
		t.Errorf("nodes without a step of their own: %v, want %v", steps, want)
	}
}

// digest is one of all tensors of all fixtures.
func digest(t testing.TB, threads int) string {
	h := sha256.New()
	for _, f := range fixtures(t) {
		f.Threads = threads
		names := slices.Sorted(maps.Keys(f.want))
		for _, taps := range [][]string{names, nil} {
			got, err := f.Run(f.inputs, taps)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range slices.Sorted(maps.Keys(got)) {
				binary.Write(h, binary.LittleEndian, got[name].Data)
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestTiers computes in processes of every tier, and with several numbers of threads, to the
// same bytes.
func TestTiers(t *testing.T) {
	want := digest(t, 1)
	for _, threads := range []int{2, 3} {
		if got := digest(t, threads); got != want {
			t.Errorf("%d threads give other bytes than 1", threads)
		}
	}
	if os.Getenv("ONNX_TEST_TIER") != "" {
		fmt.Println(want)
		return
	}
	for _, tier := range asm.Supported() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTiers$")
		cmd.Env = append(os.Environ(), "ONNX_TEST_TIER=1", "CONVERGENT_CPU="+tier.String())
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("%v: %v, other bytes than %s\n%s", tier, err, want, out)
		}
	}
}

// TestConcurrentRuns runs one model from several goroutines, with several taps and sizes of
// batches.
func TestConcurrentRuns(t *testing.T) {
	for _, f := range fixtures(t) {
		f.Threads = 2
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				for _, name := range append(slices.Sorted(maps.Keys(f.want))[i%2:], f.Outputs()[0].Name) {
					got, err := f.Run(f.inputs, []string{name})
					if err != nil {
						t.Error(err)
						return
					}
					f.check(t, got)
				}
			})
		}
		group.Wait()
	}
}

// TestBatches: what is computed of an image does not depend on its company.
func TestBatches(t *testing.T) {
	for _, f := range fixtures(t) {
		x := f.inputs["x"]
		half := x.Len() / 2
		for i := range 2 {
			part := NewTensor(x.Data.([]float32)[i*half:][:half], append([]int{1}, x.Shape[1:]...)...)
			got, err := f.Run(map[string]*Tensor{"x": part}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, g := range got {
				all := f.want[name].Data.([]float32)
				if e := farthest(g, &Tensor{Data: all[i*g.Len():][:g.Len()]}); !(e < 3e-6) {
					t.Errorf("%s: %s of image %d alone is off by %.1e", f.name, name, i, e)
				}
			}
		}
	}
}

// TestMemoryIsUsedAgain: a run takes no more memory after the first.
func TestMemoryIsUsedAgain(t *testing.T) {
	for _, f := range fixtures(t) {
		var idle int64
		for i := range 6 {
			if _, err := f.Run(f.inputs, nil); err != nil {
				t.Fatal(err)
			}
			m := f.pool.idle[0]
			if i == 3 {
				idle = m.idle
			} else if i > 3 && m.idle > idle {
				t.Errorf("%s: run %d leaves %d bytes, run 3 %d", f.name, i, m.idle, idle)
			}
		}
	}
}
