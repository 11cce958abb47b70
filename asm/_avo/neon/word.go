package main

import (
	"fmt"
	"strings"
)

// Instructions that Go's assembler has no name for are words, with the instruction as GNU
// writes it beside each. TestWords decodes them.

// Arrangements of a vector.
const (
	s4 = "4s" // four float32 or int32
	d2 = "2d" // two float64 or int64
)

// same3 are instructions d = n op m of four float32; bit 22 makes them of two float64.
var same3 = map[string]uint32{
	"fadd": 0x4e20d400, "fsub": 0x4ea0d400, "fmul": 0x6e20dc00, "fdiv": 0x6e20fc00,
	"fcmgt": 0x6ea0e400, "fcmge": 0x6e20e400, "fcmeq": 0x4e20e400, "faddp": 0x6e20d400,
}

// float emits d = n op m for vectors of an arrangement.
func (k *kernel) float(op, lanes string, d, n, m *reg) {
	word, ok := same3[op]
	if !ok {
		panic("neon: no instruction " + op)
	}
	if lanes == d2 {
		word |= 1 << 22
	}
	k.lines = append(k.lines, line{fmt.Sprintf("%s v%%d.%s, v%%d.%s, v%%d.%s", op, lanes, lanes, lanes), []any{d, n, m}, word, []int{0, 5, 16}})
}

// unary are instructions d = op n with their arrangements, of d and of n.
var unary = map[string]struct {
	word uint32
	d, n string
}{
	"fabs":   {0x4ea0f800, s4, s4},
	"fsqrt":  {0x6ea1f800, s4, s4},
	"frintn": {0x4e218800, s4, s4},
	"fcvtns": {0x4e21a800, s4, s4},
	"sshr1":  {0x4f3f0400, s4, s4}, // by one bit
	"sshr31": {0x4f210400, s4, s4}, // by 31
	"sxtl":   {0x0f20a400, d2, "2s"},
	"sxtl2":  {0x4f20a400, d2, s4},
	"fcvtl":  {0x0e617800, d2, "2s"}, // the first two float32 as float64
	"fcvtl2": {0x4e617800, d2, s4},   // the last two
}

func (k *kernel) unary(op string, d, n *reg) {
	u, ok := unary[op]
	if !ok {
		panic("neon: no instruction " + op)
	}
	format := fmt.Sprintf("%s v%%d.%s, v%%d.%s", op, u.d, u.n)
	if by, ok := strings.CutPrefix(op, "sshr"); ok {
		format = "sshr v%d.4s, v%d.4s, #" + by
	}
	k.lines = append(k.lines, line{format, []any{d, n}, u.word, []int{0, 5}})
}

// byElement emits fmla, fmls or fmul of four float32 n and lane i of m.
func (k *kernel) byElement(op string, d, n, m *reg, i int) {
	word := map[string]uint32{"fmla": 0x4f801000, "fmls": 0x4f805000, "fmul": 0x4f809000}[op]
	word |= uint32(i&1)<<21 | uint32(i>>1)<<11
	k.lines = append(k.lines, line{fmt.Sprintf("%s v%%d.4s, v%%d.4s, v%%d.s[%d]", op, i), []any{d, n, m}, word, []int{0, 5, 16}})
}

// raise raises v to floor where it is below; a NaN stays, and so does a zero of either sign.
func (k *kernel) raise(lanes string, v, floor *reg) {
	below := vec()
	k.float("fcmgt", lanes, below, floor, v)
	k.insert(v, floor, below)
}
