package onnx

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/convergent-go/convergent/internal/par"
)

// plan is the order of work of runs that compute the same tensors.
type plan struct {
	wanted []int
	needed []bool // by slot
	steps  []*step
}

// cache is what a kernel makes of a node's constant inputs.
type cache struct {
	once  sync.Once
	value any
}

// get returns what f, which is called once, returned.
func (c *cache) get(f func() any) any {
	c.once.Do(func() { c.value = f() })
	return c.value
}

// prepared returns what f, which must not fail, makes of the node's constant inputs, and
// of those of a normalisation after it.
func (c *call) prepared(f func() any) any {
	switch {
	case c.step == nil:
		return f()
	case c.step.norm != nil:
		return c.step.norm.folded.get(f)
	}
	return c.node.own.get(f)
}

// isConstant reports whether input i is the same in all runs.
func (c *call) isConstant(i int) bool {
	return c.step != nil && c.has(i) && c.node.fixed[i]
}

// plan returns the plan that computes the tensors of the given names.
func (m *Model) plan(taps []string) (*plan, error) {
	p := &plan{needed: make([]bool, len(m.slots))}
	for _, name := range taps {
		i, ok := m.names[name]
		if !ok {
			return nil, fmt.Errorf("the model has no tensor %q", name)
		}
		p.wanted = append(p.wanted, i)
		p.needed[i] = true
	}
	key := strings.Join(taps, "\x00")
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.plans[key]; known != nil {
		return known, nil
	}
	var nodes []*node
	for _, n := range slices.Backward(m.nodes) {
		if !slices.ContainsFunc(n.out, func(i int) bool { return i >= 0 && p.needed[i] }) {
			continue
		}
		for _, i := range n.in {
			if i >= 0 {
				p.needed[i] = true
			}
		}
		for g := n.guard; g != nil; g = g.outer {
			p.needed[g.condition] = true
		}
		nodes = append(nodes, n)
	}
	slices.Reverse(nodes)
	p.fuse(m, nodes)
	p.release(m)
	if len(m.plans) >= 16 {
		clear(m.plans)
	}
	m.plans[key] = p
	return p, nil
}

// release notes for each step what nobody reads after it.
func (p *plan) release(m *Model) {
	kept := make(map[int]bool)
	for _, i := range p.wanted {
		kept[i] = true
	}
	for _, s := range slices.Backward(p.steps) {
		for _, i := range slices.Concat(s.reads(), s.last().out) {
			if i >= 0 && !kept[i] && m.slots[i].constant == nil {
				kept[i] = true
				s.frees = append(s.frees, i)
			}
		}
	}
}

// Run computes one batch: of the inputs, by their names, the tensors whose names taps
// lists, which may be any of the model's: inputs, outputs, initialisers, and outputs of
// nodes. Without taps they are the model's outputs. Only what they need is computed. What is
// in a branch of an If that is not taken is not among the results.
//
// The sizes of inputs may be any that the model allows, the batch size too where it
// leaves that open. What Run returns is the caller's, except that tensors of inputs and
// initialisers are these themselves, and not to be changed.
//
// The results are the same bits with any number of threads and on any processor. A batch
// normalisation whose input is not tapped is made part of the convolution before it, so
// that taps can change last digits of what comes after.
//
// Errors name the input, or the node, its operator, and the shapes that do not fit.
func (m *Model) Run(inputs map[string]*Tensor, taps []string) (map[string]*Tensor, error) {
	return m.RunContext(context.Background(), inputs, taps)
}

// RunContext is Run that ends with the context's error, between nodes, once there is one.
func (m *Model) RunContext(ctx context.Context, inputs map[string]*Tensor, taps []string) (map[string]*Tensor, error) {
	if taps == nil {
		for _, v := range m.outputs {
			taps = append(taps, v.Name)
		}
	}
	p, err := m.plan(taps)
	if err != nil {
		return nil, err
	}
	limit := m.MemoryLimit
	if limit == 0 {
		limit = 8 << 30
	}
	r := &run{m: m, plan: p, mem: m.pool.get(limit), values: make([]*Tensor, len(m.slots)), threads: par.Threads(m.Threads)}
	if err := r.inputs(inputs); err != nil {
		return nil, err
	}
	for _, s := range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.step(s); err != nil {
			return nil, fmt.Errorf("%v: %w", &s.Node, err)
		}
	}
	out := make(map[string]*Tensor, len(taps))
	last := &call{mem: r.mem, threads: r.threads}
	for i, name := range taps {
		t := r.value(p.wanted[i])
		if t == nil {
			continue
		}
		if err := last.finish(&t); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		out[name] = t
	}
	m.pool.put(r.mem)
	return out, nil
}

// finish makes of a tensor one for the caller.
func (c *call) finish(t **Tensor) (err error) {
	defer caught(&err)
	p := c.plain(*t)
	*t = &Tensor{Shape: p.Shape, Data: p.Data}
	return nil
}

// run is the state of one run.
type run struct {
	m       *Model
	plan    *plan
	mem     *memory
	values  []*Tensor // by slot
	threads int
}

// value returns the tensor of a slot, nil if it has none yet.
func (r *run) value(i int) *Tensor {
	if t := r.m.slots[i].constant; t != nil {
		return t
	}
	return r.values[i]
}

// inputs checks and takes the inputs that the plan needs.
func (r *run) inputs(inputs map[string]*Tensor) error {
	sizes := make(map[string]int) // of named axes
	for _, v := range r.m.inputs {
		slot := r.m.names[v.Name]
		t := inputs[v.Name]
		if t == nil {
			if r.plan.needed[slot] {
				return fmt.Errorf("input %q is missing", v.Name)
			}
			continue
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
		if v.Type != 0 && t.Type() != v.Type {
			return fmt.Errorf("input %q is %v, not %v", v.Name, t.Type(), v.Type)
		}
		if v.Shape != nil && len(t.Shape) != len(v.Shape) {
			return fmt.Errorf("input %q has shape %v, where the model has %d axes", v.Name, t.Shape, len(v.Shape))
		}
		for i, d := range v.Shape {
			if d.Size >= 0 && d.Size != t.Shape[i] {
				return fmt.Errorf("input %q has shape %v, where axis %d of the model has size %d", v.Name, t.Shape, i, d.Size)
			}
			if d.Size < 0 && d.Name != "" {
				if known, ok := sizes[d.Name]; ok && known != t.Shape[i] {
					return fmt.Errorf("input %q has shape %v, where axis %d (%s) was %d before", v.Name, t.Shape, i, d.Name, known)
				}
				sizes[d.Name] = t.Shape[i]
			}
		}
		r.values[slot] = &Tensor{Shape: t.Shape, Data: t.Data}
	}
	for name := range inputs {
		if !slices.ContainsFunc(r.m.inputs, func(v Value) bool { return v.Name == name }) {
			return fmt.Errorf("the model has no input %q", name)
		}
	}
	return nil
}

// step computes what a step computes, unless it is in a branch that is not taken.
func (r *run) step(s *step) error {
	if r.taken(s.guard) {
		if err := r.compute(s); err != nil {
			return err
		}
	}
	for _, slot := range s.frees {
		r.free(slot)
	}
	return nil
}

func (r *run) compute(s *step) error {
	c := &call{node: s.node, threads: r.threads, mem: r.mem, step: s, in: make([]*Tensor, len(s.in)), dies: make([]bool, len(s.in)), others: make([]*Tensor, len(s.then))}
	for i, slot := range s.in {
		if slot < 0 {
			continue
		}
		t := r.value(slot)
		if t == nil {
			continue // of a branch that is not taken
		}
		if t.channelsLast && !s.operator.channelsLast {
			// Whoever reads it next is likely to want it like that, too.
			if err := r.replace(c, slot, t); err != nil {
				return err
			}
			t = r.value(slot)
		}
		c.in[i] = t
		c.dies[i] = slices.Contains(s.frees, slot) && !slices.ContainsFunc(s.then, func(f follower) bool { return f.other == slot })
	}
	for i, f := range s.then {
		if f.other >= 0 {
			c.others[i] = r.value(f.other)
		}
	}
	out, err := c.evaluate()
	if err != nil {
		return err
	}
	computed := s.node
	if c.followed > 0 {
		computed = s.then[c.followed-1].node
	} else if s.norm != nil {
		computed = s.norm
	}
	for i, slot := range computed.out {
		if slot < 0 {
			continue
		}
		if i >= len(out) || out[i] == nil {
			return fmt.Errorf("output %d is not supported", i)
		}
		t := out[i]
		if t.buf != nil {
			t.buf.refs++
		}
		r.values[slot] = t
	}
	// Followers whose work could not be done in place have steps of their own.
	for _, f := range s.then[c.followed:] {
		if err := r.step(&step{node: f.node, frees: f.in[f.x : f.x+1]}); err != nil {
			return fmt.Errorf("%v: %w", &f.Node, err)
		}
	}
	return nil
}

// replace puts a tensor's axes in their order in memory.
func (r *run) replace(c *call, slot int, t *Tensor) (err error) {
	defer caught(&err)
	y := c.plain(t)
	if y.buf != nil {
		y.buf.refs++
	}
	r.free(slot)
	r.values[slot] = y
	return nil
}

// free forgets a tensor that nobody reads any more.
func (r *run) free(slot int) {
	t := r.values[slot]
	r.values[slot] = nil
	if t == nil || t.buf == nil {
		return
	}
	if t.buf.refs--; t.buf.refs == 0 {
		r.mem.release(t.buf)
	}
}
