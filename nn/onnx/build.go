package onnx

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// The versions of operators that the package has.
const (
	minOpset = 6
	maxOpset = 22
)

// maxNodes bounds what functions within functions may expand to.
const maxNodes = 1 << 20

// parse makes a model of a file, whose data it keeps, in the given folder.
func parse(file []byte, dir string) (*Model, error) {
	p, err := parseModel(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not an ONNX model: %w", err)
	case p.graph == nil || len(p.opsets) == 0:
		return nil, errors.New("not an ONNX model: it has no graph, or no version of operators")
	}
	b := &builder{
		file:        file,
		m:           &Model{names: make(map[string]int), plans: make(map[string]*plan)},
		src:         &source{dir: dir, read: make(map[string]bool)},
		functions:   make(map[string]*functionProto),
		unsupported: make(map[string][]string),
		budget:      int64(len(file)) + 8<<20,
	}
	defer b.src.Close()
	for _, f := range p.functions {
		b.functions[functionKey(f.domain, f.name, f.overload)] = f
	}
	opsets, err := versions(p.opsets)
	if err != nil {
		return nil, err
	}
	if err := b.model(p.graph, opsets); err != nil {
		return nil, err
	}
	if err := b.missing(); err != nil {
		return nil, err
	}
	b.m.files = slices.Sorted(maps.Keys(b.src.read))
	return b.m, nil
}

// builder makes a model.
type builder struct {
	file        []byte
	m           *Model
	src         *source
	functions   map[string]*functionProto
	unsupported map[string][]string // nodes' names by operator
	budget      int64               // bytes of constants that may yet be computed
	calls       []string            // functions that are being expanded
	nodes       int
}

// scope is where the names of a graph or of a function's body are looked up.
type scope struct {
	parent   *scope // of a branch: the graph around it
	prefix   string // of the names of what is within
	slots    map[string]int
	opsets   map[string]int
	bindings map[string]*attributeProto // attributes of the node that called a function
	guard    *guard                     // of what is within
}

func (s *scope) lookup(name string) (int, bool) {
	for ; s != nil; s = s.parent {
		if i, ok := s.slots[name]; ok {
			return i, true
		}
	}
	return -1, false
}

func functionKey(domain, name, overload string) string {
	return canonical(domain) + "\x00" + name + "\x00" + overload
}

// canonical returns the name of a domain: ONNX's own has two.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// versions maps domains to the versions of their operators.
func versions(list []opsetProto) (map[string]int, error) {
	out := make(map[string]int)
	for _, o := range list {
		d := canonical(o.domain)
		if d == "" && (o.version < minOpset || o.version > maxOpset) {
			return nil, fmt.Errorf("version %d of ONNX's operators (opset) is not between %d and %d", o.version, minOpset, maxOpset)
		}
		out[d] = int(min(max(o.version, 0), math.MaxInt32))
	}
	return out, nil
}

// add makes a slot of the given name; within branches and functions, a name that is
// taken is followed by a number.
func (b *builder) add(s *scope, name string, t *Tensor) (int, error) {
	if _, ok := s.slots[name]; ok {
		return 0, fmt.Errorf("two tensors are called %q", name)
	}
	full := s.prefix + name
	if _, taken := b.m.names[full]; taken && s.prefix != "" {
		full = fmt.Sprintf("%s#%d", full, len(b.m.slots))
	}
	i := len(b.m.slots)
	b.m.slots = append(b.m.slots, &slot{value: Value{Name: full}, constant: t})
	b.m.names[full] = i
	s.slots[name] = i
	return i, nil
}

// initializers adds the constants of a graph.
func (b *builder) initializers(s *scope, g *graphProto) error {
	if g.sparse > 0 {
		return errors.New("sparse initialisers are not supported")
	}
	for _, p := range g.initializers {
		t, err := b.constant(p)
		if err != nil {
			return fmt.Errorf("initialiser %q: %w", p.name, err)
		}
		i, err := b.add(s, p.name, t)
		if err != nil {
			return err
		}
		b.m.slots[i].value = Value{p.name, t.Type(), fixed(t.Shape)}
	}
	return nil
}

func (b *builder) constant(p *tensorProto) (*Tensor, error) {
	p.align(b.file)
	return b.src.tensor(p)
}

// fixed returns a shape as one of a Value.
func fixed(shape []int) []Dim {
	out := make([]Dim, len(shape))
	for i, d := range shape {
		out[i].Size = d
	}
	return out
}

// describe returns what a message says of a tensor.
func (p *valueProto) describe() (Value, error) {
	v := Value{Name: p.name}
	if !p.tensor {
		return v, fmt.Errorf("%q is not a tensor", p.name)
	}
	if p.elem != 0 {
		var err error
		if v.Type, err = elementType(p.elem); err != nil {
			return v, fmt.Errorf("%q: %w", p.name, err)
		}
	}
	if p.hasShape {
		v.Shape = append([]Dim{}, p.dims...)
	}
	return v, nil
}

// model adds the main graph.
func (b *builder) model(g *graphProto, opsets map[string]int) error {
	s := &scope{slots: make(map[string]int), opsets: opsets}
	if err := b.initializers(s, g); err != nil {
		return err
	}
	for _, p := range g.inputs {
		if _, ok := s.slots[p.name]; ok {
			continue // an initialiser, which older files list among the inputs, too
		}
		v, err := p.describe()
		if err != nil {
			return fmt.Errorf("input %w", err)
		}
		i, err := b.add(s, p.name, nil)
		if err != nil {
			return err
		}
		b.m.slots[i].value = v
		b.m.inputs = append(b.m.inputs, v)
	}
	if err := b.graph(s, g.nodes); err != nil {
		return err
	}
	for _, p := range g.values {
		if i, ok := s.slots[p.name]; ok && b.m.slots[i].constant == nil {
			if v, err := p.describe(); err == nil {
				b.m.slots[i].value = v
			}
		}
	}
	for _, p := range g.outputs {
		i, ok := s.slots[p.name]
		if !ok {
			return fmt.Errorf("output %q is computed by no node", p.name)
		}
		if v, err := p.describe(); err != nil {
			return fmt.Errorf("output %w", err)
		} else if b.m.slots[i].constant == nil {
			b.m.slots[i].value = v
		}
		v := b.m.slots[i].value
		v.Name = p.name
		b.m.outputs = append(b.m.outputs, v)
	}
	return nil
}

// graph adds nodes, each after those whose outputs it reads.
func (b *builder) graph(s *scope, nodes []*nodeProto) error {
	nodes, err := sorted(s, nodes)
	if err != nil {
		return err
	}
	for _, p := range nodes {
		if b.nodes++; b.nodes > maxNodes {
			return fmt.Errorf("more than %d nodes", maxNodes)
		}
		if err := b.node(s, p); err != nil {
			return err
		}
	}
	return nil
}

// reads returns the names of what a node reads, in its branches too.
func (p *nodeProto) reads(f func(name string)) {
	for _, name := range p.inputs {
		if name != "" {
			f(name)
		}
	}
	for _, a := range p.attributes {
		if a.g == nil {
			continue
		}
		inner := make(map[string]bool)
		for _, t := range a.g.initializers {
			inner[t.name] = true
		}
		for _, v := range a.g.inputs {
			inner[v.name] = true
		}
		for _, n := range a.g.nodes {
			for _, o := range n.outputs {
				inner[o] = true
			}
		}
		outer := func(name string) {
			if !inner[name] {
				f(name)
			}
		}
		for _, n := range a.g.nodes {
			n.reads(outer)
		}
		for _, o := range a.g.outputs {
			outer(o.name)
		}
	}
}

// sorted returns nodes in an order in which each reads what comes before; as they are,
// if that is one.
func sorted(s *scope, nodes []*nodeProto) ([]*nodeProto, error) {
	producer := make(map[string]int)
	for i, n := range nodes {
		for _, o := range n.outputs {
			if o == "" {
				continue
			}
			if _, twice := producer[o]; twice {
				return nil, fmt.Errorf("two tensors are called %q", o)
			}
			producer[o] = i
		}
	}
	waits := make([]int, len(nodes))
	readers := make([][]int, len(nodes))
	inOrder := true
	for i, n := range nodes {
		var err error
		n.reads(func(name string) {
			if p, ok := producer[name]; ok {
				waits[i]++
				readers[p] = append(readers[p], i)
				inOrder = inOrder && p < i
			} else if _, ok := s.lookup(name); !ok && err == nil {
				err = fmt.Errorf("%s: its input %q is neither an input nor an initialiser nor computed by a node", p2n(s, n), name)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if inOrder {
		return nodes, nil
	}
	var out []*nodeProto
	var ready []int
	for i, w := range waits {
		if w == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		out = append(out, nodes[i])
		for _, r := range readers[i] {
			if waits[r]--; waits[r] == 0 {
				ready = append(ready, r)
			}
		}
	}
	if len(out) < len(nodes) {
		i := slices.IndexFunc(waits, func(w int) bool { return w > 0 })
		return nil, fmt.Errorf("%s is part of a cycle, or reads from one", p2n(s, nodes[i]))
	}
	return out, nil
}

// p2n returns the public description of a node.
func p2n(s *scope, p *nodeProto) *Node {
	d := canonical(p.domain)
	n := &Node{Name: p.name, Op: p.op, Domain: d, Version: s.opsets[d], Inputs: slices.Clone(p.inputs), Outputs: slices.Clone(p.outputs)}
	if n.Name != "" {
		n.Name = s.prefix + n.Name
	}
	return n
}

// node adds a node, or what it stands for.
func (b *builder) node(s *scope, p *nodeProto) error {
	pub := p2n(s, p)
	if f := b.functions[functionKey(p.domain, p.op, p.overload)]; f != nil {
		if err := b.call(s, p, f); err != nil {
			return fmt.Errorf("%v: %w", pub, err)
		}
		return nil
	}
	var in []int
	constant := true
	for i, name := range p.inputs {
		at := -1
		if name != "" {
			var ok bool
			if at, ok = s.lookup(name); !ok {
				return fmt.Errorf("%v: its input %q is computed by no node", pub, name)
			}
			constant = constant && b.m.slots[at].constant != nil
			pub.Inputs[i] = b.m.slots[at].value.Name
		}
		in = append(in, at)
	}
	if pub.Domain == "" && p.op == "If" {
		return b.conditional(s, p, pub, in)
	}
	_, known := s.opsets[pub.Domain]
	op := operators[pub.Op]
	switch {
	case pub.Domain != "":
		return b.unknown(s, p, pub, pub.Domain+"."+pub.Op)
	case !known:
		return fmt.Errorf("%v: the model does not say the version of ONNX's operators", pub)
	case op == nil || pub.Version < op.since:
		return b.unknown(s, p, pub, pub.Op)
	}

	n := &node{Node: *pub, operator: op, in: in, guard: s.guard}
	if err := b.prepare(n, s, p); err != nil {
		return fmt.Errorf("%v: %w", pub, err)
	}
	var results []*Tensor
	if constant {
		results = b.fold(n)
	}
	for i, name := range p.outputs {
		at := -1
		if name != "" {
			var err error
			if at, err = b.add(s, name, nil); err != nil {
				return fmt.Errorf("%v: %w", pub, err)
			}
			v := b.m.slots[at]
			n.Outputs[i] = v.value.Name
			if results != nil {
				v.constant = results[i]
				v.value.Type, v.value.Shape = results[i].Type(), fixed(results[i].Shape)
			}
		}
		n.out = append(n.out, at)
	}
	if results == nil {
		b.append(n)
	}
	return nil
}

// append adds a node that a run computes.
func (b *builder) append(n *node) {
	for _, i := range n.in {
		n.fixed = append(n.fixed, i >= 0 && b.m.slots[i].constant != nil)
	}
	b.m.nodes = append(b.m.nodes, n)
}

// unknown notes a node that cannot be computed, and adds its outputs.
func (b *builder) unknown(s *scope, p *nodeProto, pub *Node, what string) error {
	what = fmt.Sprintf("%s (opset %d)", what, pub.Version)
	name := pub.Name
	if name == "" && len(p.outputs) > 0 {
		name = "of " + p.outputs[0]
	}
	b.unsupported[what] = append(b.unsupported[what], name)
	for _, o := range p.outputs {
		if o != "" {
			if _, err := b.add(s, o, nil); err != nil {
				return fmt.Errorf("%v: %w", pub, err)
			}
		}
	}
	return nil
}

// missing returns the error that lists what cannot be computed.
func (b *builder) missing() error {
	if len(b.unsupported) == 0 {
		return nil
	}
	var text []string
	for _, op := range slices.Sorted(maps.Keys(b.unsupported)) {
		text = append(text, fmt.Sprintf("%s: %s", op, strings.Join(b.unsupported[op], ", ")))
	}
	return &UnsupportedError{Operators: slices.Sorted(maps.Keys(b.unsupported)), text: strings.Join(text, "\n\t")}
}

// UnsupportedError is the error of a model that has operators which the package lacks.
type UnsupportedError struct {
	Operators []string // their names and versions
	text      string
}

// Error lists the operators and the nodes that have them.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%d operators are not supported; each with its nodes:\n\t%s", len(e.Operators), e.text)
}

// prepare makes a node's kernel of its attributes.
func (b *builder) prepare(n *node, s *scope, p *nodeProto) (err error) {
	defer caught(&err)
	op := n.operator
	if len(p.inputs) < op.min || op.max >= 0 && len(p.inputs) > op.max {
		failf("%d inputs", len(p.inputs))
	}
	if len(p.outputs) > op.outputs {
		failf("%d outputs, of which the package computes %d", len(p.outputs), op.outputs)
	}
	for i := range op.min {
		if p.inputs[i] == "" {
			failf("input %d is missing", i)
		}
	}
	a := &attributes{op: n.Op, version: n.Version, list: make(map[string]*attributeProto), inputs: len(p.inputs), outputs: p.outputs,
		src: b.src, used: make(map[string]bool)}
	for _, attr := range p.attributes {
		if attr.ref != "" {
			bound := s.bindings[attr.ref]
			if bound == nil {
				continue // optional, and not given
			}
			named := *bound
			named.name = attr.name
			attr = &named
		}
		if a.list[attr.name] != nil {
			failf("attribute %s is given twice", attr.name)
		}
		a.list[attr.name] = attr
	}
	n.kernel = op.build(a)
	n.epsilon, n.perm, n.each = a.epsilon, a.perm, a.each
	if a.eachOf != nil {
		constants := make([]*Tensor, len(n.in))
		for i, at := range n.in {
			if at >= 0 {
				constants[i] = b.m.slots[at].constant
			}
		}
		n.each = a.eachOf(constants)
	}
	a.rest()
	n.Attributes = a.values()
	return nil
}

// fold computes a node whose inputs are constants, or returns nil if that takes too much
// memory or fails: then running it says why.
func (b *builder) fold(n *node) []*Tensor {
	c := &call{node: n, threads: 1, mem: &memory{limit: b.budget}}
	for _, i := range n.in {
		var t *Tensor
		if i >= 0 {
			t = b.m.slots[i].constant
		}
		c.in = append(c.in, t)
	}
	out, err := c.evaluate()
	if err != nil || len(out) < len(n.Outputs) {
		return nil
	}
	for i, t := range out {
		if t == nil {
			return nil
		}
		out[i] = &Tensor{Shape: t.Shape, Data: t.Data}
		if t.channelsLast {
			out[i] = &Tensor{Shape: t.Shape, Data: c.plain(t).Data}
		}
	}
	b.budget -= c.mem.live
	return out
}

func nodeName(p *nodeProto) string {
	if p.name == "" && len(p.outputs) > 0 {
		return p.outputs[0]
	}
	return p.name
}

// bind gives a node's outputs what a scope within it computes.
func (b *builder) bind(s *scope, p *nodeProto, pub *Node, inner *scope, outputs []string) error {
	for i, name := range p.outputs {
		if name == "" {
			continue
		}
		if i >= len(outputs) {
			return fmt.Errorf("%v: %d outputs, where its body has %d", pub, len(p.outputs), len(outputs))
		}
		at, ok := inner.lookup(outputs[i])
		if !ok {
			return fmt.Errorf("%v: output %q of its body is computed by no node", pub, outputs[i])
		}
		if _, twice := s.slots[name]; twice {
			return fmt.Errorf("%v: two tensors are called %q", pub, name)
		}
		s.slots[name] = at
		if _, taken := b.m.names[s.prefix+name]; !taken {
			b.m.names[s.prefix+name] = at
		}
	}
	return nil
}

// call adds the body of a function.
func (b *builder) call(s *scope, p *nodeProto, f *functionProto) error {
	key := functionKey(f.domain, f.name, f.overload)
	switch {
	case slices.Contains(b.calls, key):
		return errors.New("the function calls itself")
	case len(b.calls) > maxDepth:
		return errors.New("functions within functions beyond all measure")
	case len(p.inputs) > len(f.inputs):
		return fmt.Errorf("%d inputs, where the function has %d", len(p.inputs), len(f.inputs))
	}
	b.calls = append(b.calls, key)
	defer func() { b.calls = b.calls[:len(b.calls)-1] }()
	opsets, err := versions(f.opsets)
	if err != nil {
		return err
	}
	inner := &scope{prefix: s.prefix + nodeName(p) + "/", slots: make(map[string]int), opsets: opsets, bindings: make(map[string]*attributeProto), guard: s.guard}
	for _, a := range f.defaults {
		inner.bindings[a.name] = a
	}
	for _, a := range p.attributes {
		if a.ref != "" {
			if a = s.bindings[a.ref]; a == nil {
				continue
			}
		}
		inner.bindings[a.name] = a
	}
	for i, name := range f.inputs {
		if i >= len(p.inputs) || p.inputs[i] == "" {
			continue
		}
		at, ok := s.lookup(p.inputs[i])
		if !ok {
			return fmt.Errorf("its input %q is computed by no node", p.inputs[i])
		}
		inner.slots[name] = at
	}
	// An input that is omitted here is omitted wherever the body passes it on.
	nodes := make([]*nodeProto, len(f.nodes))
	for i, n := range f.nodes {
		copied := *n
		copied.inputs = slices.Clone(n.inputs)
		for j, name := range copied.inputs {
			if _, given := inner.slots[name]; !given && slices.Contains(f.inputs, name) {
				copied.inputs[j] = ""
			}
		}
		nodes[i] = &copied
	}
	if err := b.graph(inner, nodes); err != nil {
		return err
	}
	return b.bind(s, p, p2n(s, p), inner, f.outputs)
}
