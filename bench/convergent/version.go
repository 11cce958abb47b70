package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/convergent-go/convergent/asm"
)

type versionCommand struct{}

// Help follows the summary of the command.
func (versionCommand) Help() string {
	return `It also prints the version of Go and the instruction set in use, which CONVERGENT_CPU lowers: portable, avx2 or avx512. None of these changes a result.

Examples:

	convergent version
	CONVERGENT_CPU=avx2 convergent --version`
}

// Run implements the command.
func (versionCommand) Run() error {
	_, err := fmt.Println(version())
	return err
}

// version says which program this is, and on what it runs.
func version() string {
	return fmt.Sprintf("convergent %s\n%s %s/%s, %v", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, asm.Active())
}

// programVersion says which program this is.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return buildSource(info)
}

// buildSource is the version of the module that a program was built from. Where it has none,
// the revision is added, if that is known; other versions of a checkout name it themselves.
func buildSource(info *debug.BuildInfo) string {
	const unnamed = "(devel)"
	v := cmp.Or(info.Main.Version, unnamed)
	if v != unnamed {
		return v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += " " + s.Value[:min(7, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			v += ", modified"
		}
	}
	return v
}
