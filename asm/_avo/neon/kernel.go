package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/asm/_avo/source"
)

// A kernel is a list of instructions, whose registers are chosen when it is written: a
// register is taken from where it is first named to where it is last, or to the end of the
// loops that it is carried round.
type kernel struct {
	source.Func
	lines  []line
	labels map[string]int
	loops  [][2]int // first and last line
	frame  int      // bytes of local memory
}

// line is an instruction, a label or a comment: a format and its arguments, among them
// registers, or words that Go's assembler has no name for.
type line struct {
	format string
	args   []any
	word   uint32 // with no registers, or 0
	at     []int  // where the bits of each register begin in a word
}

// reg is a register: general, or of vectors. Those of a group follow each other.
type reg struct {
	vector      bool
	group       []*reg
	first, last int // lines
	number      int
}

// newKernel begins the kernel that has the name and signature of one of amd64's.
func newKernel(name string) *kernel {
	f, ok := signatures[name]
	if !ok {
		panic("neon: no signature of " + name)
	}
	k := &kernel{Func: f, labels: make(map[string]int)}
	file.kernels = append(file.kernels, k)
	return k
}

// op emits an instruction: %v stands for a register's number.
func (k *kernel) op(format string, args ...any) {
	k.lines = append(k.lines, line{format: format, args: args})
}

func (k *kernel) comment(text string) { k.op("// " + text) }

// label names the next instruction.
func (k *kernel) label(name string) {
	k.labels[name] = len(k.lines)
	k.op(name + ":")
}

// branch emits a jump, which closes a loop if the label stands above.
func (k *kernel) branch(op, label string, args ...any) {
	if first, ok := k.labels[label]; ok {
		k.loops = append(k.loops, [2]int{first, len(k.lines)})
	}
	k.op(op+" "+label, args...)
}

// gp and vec return new registers; vecs some that follow each other.
func gp() *reg  { return newRegs(1, false)[0] }
func vec() *reg { return newRegs(1, true)[0] }

func vecs(n int) []*reg { return newRegs(n, true) }

func newRegs(n int, vector bool) []*reg {
	group := make([]*reg, n)
	for i := range group {
		group[i] = &reg{vector: vector, group: group, first: -1}
	}
	return group
}

// offset returns where a parameter or a result lies, or, of no name, where all end.
func (k *kernel) offset(name string) (source.Param, int) {
	at := 0
	for i, list := range [][]source.Param{k.Params, k.Results} {
		for j, p := range list {
			align := p.Size()
			if i == 1 && j == 0 {
				align = 8
			}
			at = (at + align - 1) &^ (align - 1)
			if name != "" && p.Name == name || i == 1 && p.Name == "" && name == "ret" {
				return p, at
			}
			at += p.Size()
		}
	}
	if name != "" {
		panic("neon: " + k.Name + " has no " + name)
	}
	return source.Param{}, at
}

// load returns a parameter in a general register, and bytes one that counts elements of
// 1<<shift bytes.
func (k *kernel) load(name string) *reg {
	r := gp()
	p, at := k.offset(name)
	op := "MOVD"
	if p.Size() == 4 {
		op = "MOVWU"
	}
	k.op(op+" "+name+"+%d(FP), R%v", at, r)
	return r
}

func (k *kernel) bytes(name string, shift int) *reg {
	r := k.load(name)
	k.op("LSL $%d, R%v", shift, r)
	return r
}

// broadcast returns a parameter in all lanes of a vector.
func (k *kernel) broadcast(name string) *reg {
	v := vec()
	p, _ := k.offset(name)
	lanes := "S4"
	if p.Size() == 8 {
		lanes = "D2"
	}
	k.op("VDUP R%v, V%v."+lanes, k.load(name), v)
	return v
}

// local returns the address of so many bytes on the stack.
func (k *kernel) local(bytes int) *reg {
	r := gp()
	k.frame = bytes
	k.op("MOVD $local-%d(SP), R%v", bytes, r)
	return r
}

// countDown takes n from a counter and goes on with a loop unless nothing is left.
func (k *kernel) countDown(counter *reg, n int, label string) {
	k.op("SUBS $%d, R%v", n, counter)
	k.branch("BNE", label)
}

func (k *kernel) ret() { k.op("RET") }

func (k *kernel) zero(v *reg) { k.op("VEOR V%v.B16, V%v.B16, V%v.B16", v, v, v) }

// ld and st move a vector, at so many bytes from a base.
func (k *kernel) ld(v, base *reg, at int) { k.op("FMOVQ %d(R%v), F%v", at, base, v) }
func (k *kernel) st(v, base *reg, at int) { k.op("FMOVQ F%v, %d(R%v)", v, at, base) }

// ldNew loads a new vector.
func (k *kernel) ldNew(base *reg, at int) *reg {
	v := vec()
	k.ld(v, base, at)
	return v
}

// move advances pointers.
func (k *kernel) move(bytes int, pointers ...*reg) {
	for _, p := range pointers {
		k.op("ADD $%d, R%v", bytes, p)
	}
}

// write chooses the registers and writes the kernel.
func (k *kernel) write(w io.Writer) {
	k.choose()
	_, size := k.offset("")
	frame := ""
	if k.frame == 0 {
		frame = ", NOSPLIT"
	}
	fmt.Fprintf(w, "\n// func %s%s\nTEXT ·%s(SB)%s, $%d-%d\n", k.Name, k.Signature(), k.Name, frame, k.frame, size)
	for _, l := range k.lines {
		args := slices.Clone(l.args)
		word := l.word
		registers := 0
		for i, a := range args {
			if r, ok := a.(*reg); ok {
				args[i] = r.number
				if l.at != nil {
					word |= uint32(r.number) << l.at[registers]
					registers++
				}
			}
		}
		text := fmt.Sprintf(l.format, args...)
		switch {
		case l.word != 0:
			text = fmt.Sprintf("WORD $0x%08x // %s", word, text)
		case strings.HasSuffix(text, ":"):
			fmt.Fprintf(w, "\n%s\n", text)
			continue
		}
		fmt.Fprintf(w, "\t%s\n", text)
	}
}

// choose gives every register a number.
func (k *kernel) choose() {
	var order []*reg // by first mention
	for i, l := range k.lines {
		for _, a := range l.args {
			r, ok := a.(*reg)
			if !ok {
				continue
			}
			if r.group[0].first < 0 {
				order = append(order, r.group[0])
				for _, g := range r.group {
					g.first = i
				}
			}
			for _, g := range r.group {
				g.last = i
			}
		}
	}
	for changed := true; changed; { // a loop may end within another
		changed = false
		for _, r := range order {
			for _, loop := range k.loops {
				if r.first < loop[0] && loop[0] <= r.last && r.last < loop[1] {
					for _, g := range r.group {
						g.last = loop[1]
					}
					changed = true
				}
			}
		}
	}
	var last [2][32]int // of each register, the line that it is taken to
	for i := range 32 {
		last[0][i], last[1][i] = -1, -1
		if i == 18 || i >= 26 { // the system's, Go's, and the assembler's
			last[0][i] = len(k.lines)
		}
	}
	for _, head := range order {
		taken := last[0][:]
		if head.vector {
			taken = last[1][:]
		}
		n := 0
		for ; n+len(head.group) <= 32; n++ {
			if slices.Max(taken[n:n+len(head.group)]) < head.first {
				break
			}
		}
		if n+len(head.group) > 32 {
			panic("neon: " + k.Name + " has no register left")
		}
		for i, r := range head.group {
			r.number = n + i
			taken[n+i] = r.last
		}
	}
}
