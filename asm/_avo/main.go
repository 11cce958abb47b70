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
	"gemm":      gemm,
	"panel":     panel,
	"transpose": transpose,
	"peak":      peak,
	"moments":   moments,
	"winograd":  winograd,
	"strip":     strip,
	"dense":     dense,
	"assign":    assign,
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
