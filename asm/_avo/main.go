// Command avo generates the kernels of package asm:
//
//	go generate ./asm
//
// which runs this program in its own module, so that importers of convergent never
// download Avo. Each emitter stands beside the derivation of what it emits.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"

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
	"vectors":    vectors,
}

func main() {
	name := flag.String("kernel", "", "which file to generate; all if none is named")
	flag.Parse() // also reads -out, -stubs and -pkg, which are Avo's
	if *name == "" {
		all()
		return
	}
	emit, ok := emitters[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "avo: no kernel %q\n", *name)
		os.Exit(2)
	}
	ConstraintExpr("!purego")
	emit()
	Generate()
}

// all runs this program once a file, since Avo writes one.
func all() {
	for _, name := range slices.Sorted(maps.Keys(emitters)) {
		cmd := exec.Command(os.Args[0], "-kernel", name, "-pkg", "asm", "-out", "../"+name+"_amd64.s", "-stubs", "../"+name+"_amd64.go")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "avo: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// The tiers, as the comments of kernels name them. TestGeneratedSource holds each kernel to
// the instructions of its own.
const (
	avx2   = "AVX2"
	avx512 = "AVX-512"
)

// tierOf is the tier of vectors of so many bytes.
func tierOf(bytes int) string {
	if bytes == 64 {
		return avx512
	}
	return avx2
}

// kernel begins a kernel of a tier. The comment goes on from its name.
func kernel(name, tier, signature string, comment ...string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	if tier != avx2 {
		name += ", of " + tier + ","
	}
	comment[0] = name + " " + comment[0]
	Doc(comment...)
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
