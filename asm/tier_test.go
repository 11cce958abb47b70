package asm_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestTierReached fails where CONVERGENT_CPU asks for a tier that this run does
// not have, so that no tier is tested by name alone.
func TestTierReached(t *testing.T) {
	if want := os.Getenv("CONVERGENT_CPU"); want != "" && asm.Active().String() != want {
		t.Fatalf("CONVERGENT_CPU=%s, but the active tier is %v", want, asm.Active())
	}
}

func TestUnknownTierPanics(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "CONVERGENT_CPU=sse9")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), `CONVERGENT_CPU="sse9" is not one of portable, avx2, avx512, neon`) {
		t.Fatalf("got %v:\n%s", err, out)
	}
}
