package onnx

import (
	"fmt"
	"slices"
)

// The branches of an If whose condition a run computes are nodes like all others, each with a
// guard, and after them the If itself is a node that takes the outputs of one.

// guard says when the nodes of a branch are computed.
type guard struct {
	outer     *guard // of the If itself; nil: always
	condition int    // slot
	value     bool   // that it is to have
}

// ifOperator is the operator of an If whose condition is not constant: its inputs are that, and the
// outputs of either branch.
var ifOperator = &operator{channelsLast: true}

// conditional adds the branch of an If that its condition takes, or both.
func (b *builder) conditional(s *scope, p *nodeProto, pub *Node, in []int) error {
	if len(in) != 1 || in[0] < 0 {
		return fmt.Errorf("%v: %d inputs, where the condition is to be the only one", pub, len(in))
	}
	if t := b.m.slots[in[0]].constant; t != nil {
		taken, err := truth(t)
		if err != nil {
			return fmt.Errorf("%v: %w", pub, err)
		}
		inner, outputs, err := b.branch(s, p, pub, taken, s.guard)
		if err != nil {
			return err
		}
		return b.bind(s, p, pub, inner, outputs)
	}
	n := &node{Node: *pub, operator: ifOperator, in: slices.Clone(in), guard: s.guard, kernel: branches(len(p.outputs))}
	for _, value := range []bool{true, false} {
		inner, outputs, err := b.branch(s, p, pub, value, &guard{s.guard, in[0], value})
		if err != nil {
			return err
		}
		if len(outputs) != len(p.outputs) {
			return fmt.Errorf("%v: %d outputs, where a branch has %d", pub, len(p.outputs), len(outputs))
		}
		for _, name := range outputs {
			at, ok := inner.lookup(name)
			if !ok {
				return fmt.Errorf("%v: output %q of a branch is computed by no node", pub, name)
			}
			n.in = append(n.in, at)
			n.Inputs = append(n.Inputs, b.m.slots[at].value.Name)
		}
	}
	for i, name := range p.outputs {
		at := -1
		if name != "" {
			var err error
			if at, err = b.add(s, name, nil); err != nil {
				return fmt.Errorf("%v: %w", pub, err)
			}
			n.Outputs[i] = b.m.slots[at].value.Name
		}
		n.out = append(n.out, at)
	}
	b.append(n)
	return nil
}

// branch adds the nodes of a branch, with a guard, and returns where its outputs are looked up,
// and their names.
func (b *builder) branch(s *scope, p *nodeProto, pub *Node, then bool, g *guard) (inner *scope, outputs []string, err error) {
	which := "else_branch"
	if then {
		which = "then_branch"
	}
	i := slices.IndexFunc(p.attributes, func(a *attributeProto) bool { return a.name == which && a.g != nil })
	if i < 0 {
		return nil, nil, fmt.Errorf("%v: attribute %s is missing", pub, which)
	}
	body := p.attributes[i].g
	inner = &scope{parent: s, prefix: s.prefix + nodeName(p) + "/", slots: make(map[string]int), opsets: s.opsets, bindings: s.bindings, guard: g}
	if err := b.initializers(inner, body); err != nil {
		return nil, nil, fmt.Errorf("%v: %w", pub, err)
	}
	if err := b.graph(inner, body.nodes); err != nil {
		return nil, nil, err
	}
	for _, o := range body.outputs {
		outputs = append(outputs, o.name)
	}
	return inner, outputs, nil
}

// truth returns what a condition is.
func truth(t *Tensor) (bool, error) {
	d, ok := t.Data.([]bool)
	if !ok || len(d) != 1 {
		return false, fmt.Errorf("the condition is %v of shape %v, not one bool", t.Type(), t.Shape)
	}
	return d[0], nil
}

// branches returns the kernel of an If of so many outputs.
func branches(outputs int) kernel {
	return func(c *call) []*Tensor {
		taken, err := truth(c.tensor(0))
		if err != nil {
			panic(failure{err})
		}
		at := 1
		if !taken {
			at += outputs
		}
		out := make([]*Tensor, outputs)
		for i := range out {
			t := *c.tensor(at + i)
			out[i] = &t
		}
		return out
	}
}

// taken reports whether what a guard guards is to be computed.
func (r *run) taken(g *guard) bool {
	for ; g != nil; g = g.outer {
		t := r.value(g.condition)
		if t == nil { // computed in a branch that is not taken
			return false
		}
		if v, err := truth(t); err != nil || v != g.value { // the If itself tells of the error
			return false
		}
	}
	return true
}
