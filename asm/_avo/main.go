// Command avo generates the kernels of package asm:
//
//	go generate ./asm
//
// which runs this program in its own module, once a file, so that importers of
// convergent never download Avo. Each emitter stands beside the derivation of
// what it emits.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
)

var emitters = map[string]func(){
	"gemm":       gemm,
	"gram":       gram,
	"panel":      panel,
	"transpose":  transpose,
	"peak":       peak,
	"moments":    moments,
	"winograd":   winograd,
	"strip":      strip,
	"dense":      dense,
	"assign":     assign,
	"affine":     affine,
	"depthwise":  depthwise,
	"narrow":     narrow,
	"elementary": elementary,
	"addrows":    addRows,
}

func main() {
	kernel := flag.String("kernel", "", "which file to generate")
	flag.Parse() // also reads -out, -stubs and -pkg, which are Avo's
	emit, ok := emitters[*kernel]
	if !ok {
		fmt.Fprintf(os.Stderr, "avo: no kernel %q\n", *kernel)
		os.Exit(2)
	}
	ConstraintExpr("!purego")
	emit()
	Generate()
}

// Predicates of VCMPPS and VCMPPD, none of which signals. Avo's operands stand in Intel's
// order reversed: VCMPPD(imm, b, a, mask) compares a with b.
const (
	cmpEQ  = 0x00 // equal, false for NaN
	cmpNEQ = 0x04 // not equal, true for NaN
	cmpLT  = 0x11 // less than, false for NaN
	cmpNLE = 0x16 // not less than or equal, true for NaN
	cmpGE  = 0x1d // greater than or equal, false for NaN
	cmpGT  = 0x1e // greater than, false for NaN
)

// mustResolve returns where a parameter lies.
func mustResolve(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// ret leaves a kernel that used vector registers: VZEROUPPER, which Avo does
// not add by itself, keeps later SSE code from stalling on their upper halves.
func ret() {
	VZEROUPPER()
	RET()
}
