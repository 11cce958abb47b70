package onnx

import (
	"maps"
	"slices"
	"strings"
)

// attributes are those of a node, which is to be of a version of the operators. A reader
// panics with a failure if an attribute is of another kind than it should be.
type attributes struct {
	op      string
	version int
	list    map[string]*attributeProto
	inputs  int
	outputs []string
	src     *source
	used    map[string]bool

	// What others may know of the operator: epsilon of a BatchNormalization, perm of a
	// Transpose, and what computes each element from one of input 0, given the other inputs
	// if it depends on them.
	epsilon float32
	perm    []int
	each    func(y, x []float32)
	eachOf  func(in []*Tensor) func(y, x []float32)
}

// The kinds of attributes, of which 0, not said, is any.
const (
	kindFloat  = 1
	kindInt    = 2
	kindString = 3
	kindTensor = 4
	kindFloats = 6
	kindInts   = 7
)

var kindNames = map[int64]string{1: "a float", 2: "an integer", 3: "a string", 4: "a tensor", 6: "floats", 7: "integers"}

func (a *attributes) get(name string, kind int64) *attributeProto {
	a.used[name] = true
	p := a.list[name]
	if p != nil && p.kind != 0 && p.kind != kind {
		failf("attribute %s is not %s", name, kindNames[kind])
	}
	return p
}

// has reports whether the attribute is given.
func (a *attributes) has(name string) bool { return a.list[name] != nil }

// ignore names attributes that say nothing about what is computed.
func (a *attributes) ignore(names ...string) {
	for _, n := range names {
		a.used[n] = true
	}
}

func (a *attributes) int(name string, value int) int {
	if p := a.get(name, kindInt); p != nil {
		return int(p.i)
	}
	return value
}

func (a *attributes) bool(name string, value bool) bool {
	if p := a.get(name, kindInt); p != nil {
		return p.i != 0
	}
	return value
}

func (a *attributes) float(name string, value float32) float32 {
	if p := a.get(name, kindFloat); p != nil {
		return p.f
	}
	return value
}

func (a *attributes) string(name, value string) string {
	if p := a.get(name, kindString); p != nil {
		return string(p.s)
	}
	return value
}

// choice returns a string that must be one of those given; the first is what it is if
// absent.
func (a *attributes) choice(name string, values ...string) string {
	v := a.string(name, values[0])
	if !slices.Contains(values, v) {
		failf("attribute %s is %q, not one of %s", name, v, strings.Join(values, ", "))
	}
	return v
}

// ints returns nil if the attribute is absent.
func (a *attributes) ints(name string) []int {
	p := a.get(name, kindInts)
	if p == nil {
		return nil
	}
	return toInts(p.ints)
}

func (a *attributes) floats(name string) []float32 {
	if p := a.get(name, kindFloats); p != nil {
		return p.floats
	}
	return nil
}

// tensor returns nil if the attribute is absent.
func (a *attributes) tensor(name string) *Tensor {
	p := a.get(name, kindTensor)
	if p == nil {
		return nil
	}
	if p.t == nil {
		failf("attribute %s is not a tensor", name)
	}
	t, err := a.src.tensor(p.t)
	if err != nil {
		failf("attribute %s: %v", name, err)
	}
	return t
}

// positive fails unless all sizes are above zero.
func positive(name string, sizes []int) {
	for _, v := range sizes {
		if v < 1 || v > 1<<30 {
			failf("attribute %s is %v: out of range", name, sizes)
		}
	}
}

// rest fails if there are attributes that nobody has read.
func (a *attributes) rest() {
	for _, name := range slices.Sorted(maps.Keys(a.list)) {
		if !a.used[name] {
			failf("attribute %s is not known in version %d", name, a.version)
		}
	}
}

// values returns what [Node] has of the attributes.
func (a *attributes) values() map[string]any {
	all := make(map[string]any)
	for name, p := range a.list {
		switch { // old files do not say the kind
		case p.kind == kindFloat || p.kind == 0 && p.f != 0:
			all[name] = p.f
		case p.kind == kindString || p.kind == 0 && p.s != nil:
			all[name] = string(p.s)
		case p.kind == kindFloats || p.kind == 0 && p.floats != nil:
			all[name] = p.floats
		case p.kind == kindInts || p.kind == 0 && p.ints != nil:
			all[name] = toInts(p.ints)
		case p.kind == kindInt || p.kind == 0:
			all[name] = int(p.i)
		}
	}
	return all
}

func toInts(v []int64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}
