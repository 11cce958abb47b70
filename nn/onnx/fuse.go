package onnx

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/vec"
)

// Runs of nodes are computed together where what lies between them is not wanted: the first
// computes, and those that follow change its result in place, block by block while that is in
// the cache.

// step is a node at work, and perhaps nodes after it whose work it does too.
type step struct {
	*node
	norm   *node // a BatchNormalization of what it computes, with constants, made part of its weights
	affine affine
	then   []follower
	frees  []int // slots that nobody reads after it
}

// last returns the last node of the step, whose outputs are those of the step.
func (s *step) last() *node {
	switch {
	case len(s.then) > 0:
		return s.then[len(s.then)-1].node
	case s.norm != nil:
		return s.norm
	}
	return s.node
}

// reads returns the slots that the step reads.
func (s *step) reads() []int {
	slots := slices.Clone(s.in)
	for _, f := range s.then {
		if f.other >= 0 {
			slots = append(slots, f.other)
		}
	}
	for g := s.guard; g != nil; g = g.outer {
		slots = append(slots, g.condition)
	}
	return slots
}

// follower is a node whose first operand is what the step has computed so far.
type follower struct {
	*node
	x      int    // the input that this is
	other  int    // slot of the other operand, -1: none
	affine affine // of a BatchNormalization
}

// fusion makes steps of nodes.
type fusion struct {
	m       *Model
	p       *plan
	readers map[int][]*node // by slot
	nodes   []*node
	made    map[int]int // the place among the nodes of the one that computes a slot
	done    map[*node]bool
}

// fuse makes the steps of the plan.
func (p *plan) fuse(m *Model, nodes []*node) {
	f := &fusion{m: m, p: p, done: make(map[*node]bool)}
	f.index(nodes)
	nodes = f.compose(nodes)
	f.index(nodes)
	for i, n := range nodes {
		if f.done[n] {
			continue
		}
		s := &step{node: n}
		if n.operator.foldsNorm && m.constants(n.in[1:]) && len(m.slots[n.in[1]].constant.Shape) > 0 {
			if norm := f.next(s); norm != nil && norm.Op == "BatchNormalization" {
				if a, ok := m.affine(norm); ok && len(a.scale) == m.slots[n.in[1]].constant.Shape[0] {
					s.norm, s.affine = norm, a
					f.done[norm] = true
				}
			}
		}
		for n.operator.fresh {
			next := f.next(s)
			if next == nil {
				break
			}
			then, ok := f.follower(next, s.last().out[0], i)
			if !ok {
				break
			}
			f.done[next] = true
			s.then = append(s.then, then)
		}
		p.steps = append(p.steps, s)
	}
}

func (f *fusion) index(nodes []*node) {
	f.nodes, f.readers, f.made = nodes, make(map[int][]*node), make(map[int]int)
	for at, n := range nodes {
		for _, i := range n.in {
			if i >= 0 {
				f.readers[i] = append(f.readers[i], n)
			}
		}
		for _, i := range n.out {
			f.made[i] = at
		}
	}
}

// only returns the only reader of a slot that a node computes and that is not wanted itself, if
// both are computed in the same runs, or nil.
func (f *fusion) only(slot int) *node {
	r := f.readers[slot]
	if len(r) != 1 || slices.Contains(f.p.wanted, slot) || r[0].guard != f.nodes[f.made[slot]].guard {
		return nil
	}
	return r[0]
}

// next returns the only reader of what the step computes, if it has one.
func (f *fusion) next(s *step) *node {
	out := s.last().out
	if len(out) != 1 {
		return nil
	}
	n := f.only(out[0])
	if n == nil || len(n.out) != 1 || f.done[n] {
		return nil
	}
	return n
}

// follower returns n as a follower of what computes a slot, in the step of the node at a
// place, before which its other operand must be there.
func (f *fusion) follower(n *node, slot, place int) (follower, bool) {
	t := follower{node: n, x: slices.Index(n.in, slot), other: -1}
	switch {
	case n.each != nil:
		return t, t.x == 0 && f.m.constants(n.in[1:])
	case n.Op == "Transpose":
		return t, true
	case n.Op == "BatchNormalization":
		a, ok := f.m.affine(n)
		t.affine = a
		return t, ok && t.x == 0
	case (n.Op == "Add" || n.Op == "Mul") && n.Version >= 7:
		t.other = n.in[1-t.x]
		made, ok := f.made[t.other]
		return t, t.other != slot && (!ok || made < place)
	}
	return t, false
}

// compose replaces what exporters write as several nodes by one: x erf(x/sqrt 2), and x
// sigmoid(x).
func (f *fusion) compose(nodes []*node) []*node {
	replaced := make(map[*node]*node) // by the last of the nodes that it stands for
	for _, n := range nodes {
		var parts []*node
		var each func(y, x []float32)
		switch n.Op {
		case "Div":
			parts, each = f.gelu(n), vec.Gelu
		case "Sigmoid":
			parts, each = f.swish(n), swish
		}
		if parts == nil {
			continue
		}
		last := parts[len(parts)-1]
		composed := &node{Node: last.Node, operator: operators["Gelu"], each: each, in: []int{n.in[0]}, out: last.out, fixed: []bool{false}, guard: n.guard}
		composed.Inputs = n.Inputs[:1]
		composed.kernel = func(c *call) []*Tensor { return c.mapped(each) }
		replaced[last] = composed
		for _, p := range parts {
			f.done[p] = true
		}
	}
	var out []*node
	for _, n := range nodes {
		if c := replaced[n]; c != nil {
			out = append(out, c)
		} else if !f.done[n] {
			out = append(out, n)
		}
	}
	return out
}

// gelu returns the nodes of x/sqrt 2, erf, + 1, * x and * 0.5 in this order, if they are that
// and nothing between them is wanted.
func (f *fusion) gelu(div *node) []*node {
	x := div.in[0]
	parts := []*node{div}
	follow := func(op string, operand func(slot int) bool) bool {
		last := parts[len(parts)-1].out[0]
		n := f.only(last)
		if n == nil || n.Op != op || len(n.out) != 1 || n.Version < 7 {
			return false
		}
		if operand != nil && !operand(n.in[1-slices.Index(n.in, last)]) {
			return false
		}
		parts = append(parts, n)
		return true
	}
	is := func(v float32) func(slot int) bool { return func(slot int) bool { return f.m.scalar(slot, v) } }
	if x < 0 || div.Version < 7 || !f.m.scalar(div.in[1], math.Sqrt2) ||
		!follow("Erf", nil) || !follow("Add", is(1)) || !follow("Mul", func(slot int) bool { return slot == x }) || !follow("Mul", is(0.5)) {
		return nil
	}
	return parts
}

// swish returns the nodes of sigmoid(x) and * x, if they are that and what lies between them
// is not wanted.
func (f *fusion) swish(sigmoid *node) []*node {
	n := f.only(sigmoid.out[0])
	if n == nil || n.Op != "Mul" || n.Version < 7 || n.in[1-slices.Index(n.in, sigmoid.out[0])] != sigmoid.in[0] {
		return nil
	}
	return []*node{sigmoid, n}
}

// swish is y = x sigmoid(x).
func swish(y, x []float32) {
	var s [1024]float32
	for len(x) > 0 {
		n := min(len(x), len(s))
		vec.Sigmoid(s[:n], x[:n])
		vec.Multiply(s[:n], x[:n])
		copy(y, s[:n])
		x, y = x[n:], y[n:]
	}
}

// scalar reports whether a slot is a constant of one element, v, that broadcasts to any shape.
func (m *Model) scalar(slot int, v float32) bool {
	if slot < 0 || m.slots[slot].constant == nil {
		return false
	}
	t := m.slots[slot].constant
	d, ok := t.Data.([]float32)
	return ok && len(d) == 1 && len(t.Shape) == 0 && d[0] == v
}

// constants reports whether all slots are constants, or omitted.
func (m *Model) constants(slots []int) bool {
	return !slices.ContainsFunc(slots, func(i int) bool { return i >= 0 && m.slots[i].constant == nil })
}

// affine returns what a BatchNormalization computes, if its parameters are constants that
// fit each other.
func (m *Model) affine(norm *node) (affine, bool) {
	if len(norm.in) < 5 || !m.constants(norm.in[1:]) {
		return affine{}, false
	}
	var p [4][]float32
	for i := range p {
		d, ok := m.slots[norm.in[1+i]].constant.Data.([]float32)
		if p[i] = d; !ok || len(d) != len(p[0]) {
			return affine{}, false
		}
	}
	return newAffine(p[0], p[1], p[2], p[3], norm.epsilon), true
}
