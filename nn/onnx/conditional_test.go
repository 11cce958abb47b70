package onnx

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// conditionalModel computes y = x + 1 of a batch of one image; of others y = -(2x), or 2x if
// flag is set too.
func conditionalModel(t *testing.T) *Model {
	t.Helper()
	type list = [][]byte
	out := func(name string) []byte { return valueMsg(name, -1, 4) }
	branch := func(name string, nodes list, out []byte) []byte {
		return msg(1, name, 20, 5, 6, msg(1, nodes, 12, out))
	}
	inner := nodeMsg("If", "flag", "signed",
		branch("then_branch", list{nodeMsg("Identity", "twice", "a")}, out("a")),
		branch("else_branch", list{nodeMsg("Neg", "twice", "a")}, out("a")))
	file := modelMsg(17, msg(
		1, list{
			nodeMsg("Shape", "x", "shape"), nodeMsg("Gather", "shape zero", "batch"), nodeMsg("Equal", "batch one", "single"),
			nodeMsg("Relu", "x", "r"),
			nodeMsg("If", "single", "y",
				branch("then_branch", list{nodeMsg("Add", "r ones", "sum")}, out("sum")),
				branch("else_branch", list{nodeMsg("Mul", "r twos", "twice"), inner}, out("signed"))),
			nodeMsg("Abs", "y", "z"),
		},
		5, list{intsMsg("zero", []int{0}), intsMsg("one", []int{1}), floatsMsg("ones", []float32{1, 1, 1, 1}, 4), floatsMsg("twos", []float32{2, 2, 2, 2}, 4)},
		11, list{out("x"), msg(1, "flag", 2, msg(1, msg(1, 9)))}, 12, list{out("y"), out("z")}))
	m, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestConditional takes every branch, tapped and not.
func TestConditional(t *testing.T) {
	m := conditionalModel(t)
	names := slices.Sorted(maps.Keys(m.names))
	for _, c := range []struct {
		n       int
		flag    bool
		factor  float32
		more    float32
		missing []string
	}{
		{1, false, 1, 1, []string{"n_y/n_signed/a", "n_y/n_signed/a#", "n_y/signed", "n_y/twice"}},
		{2, false, -2, 0, []string{"n_y/n_signed/a", "n_y/sum"}},
		{3, true, 2, 0, []string{"n_y/n_signed/a#", "n_y/sum"}},
	} {
		x := make([]float32, 4*c.n)
		for i := range x {
			x[i] = float32(i)
		}
		in := map[string]*Tensor{"x": NewTensor(x, c.n, 4), "flag": NewTensor([]bool{c.flag})}
		for _, taps := range [][]string{nil, names, {"z"}, {"y", "n_y/sum"}} {
			got, err := m.Run(in, taps)
			if err != nil {
				t.Fatal(err)
			}
			for name := range got {
				if slices.ContainsFunc(c.missing, func(s string) bool {
					return name == s || strings.HasSuffix(s, "#") && strings.HasPrefix(name, s)
				}) {
					t.Errorf("batch of %d: %s, of a branch that is not taken, is there", c.n, name)
				}
			}
			if y := got["y"]; y != nil {
				for i, v := range y.Data.([]float32) {
					if want := c.factor*float32(i) + c.more; v != want {
						t.Fatalf("batch of %d: y[%d] is %v, want %v", c.n, i, v, want)
					}
				}
			} else if taps == nil {
				t.Fatal("no y")
			}
			if taps != nil && len(taps) == len(names) && len(got) != len(names)-len(c.missing) {
				t.Errorf("batch of %d: %v, without %v", c.n, slices.Sorted(maps.Keys(got)), c.missing)
			}
		}
	}
	in := map[string]*Tensor{"x": NewTensor(make([]float32, 8), 2, 4), "flag": NewTensor(make([]bool, 2), 2)}
	if _, err := m.Run(in, nil); err == nil || !strings.Contains(err.Error(), "the condition is bool of shape [2], not one bool") {
		t.Error(err)
	}
}

// TestInterrupted: a run ends at once when its context does.
func TestInterrupted(t *testing.T) {
	m := conditionalModel(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := map[string]*Tensor{"x": NewTensor(make([]float32, 8), 2, 4), "flag": NewTensor([]bool{true})}
	if _, err := m.RunContext(ctx, in, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
