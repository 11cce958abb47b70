package asm_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestTierReached fails where CONVERGENT_CPU asks for a tier that this run does
// not have, so that no tier is tested by name alone.
func TestTierReached(t *testing.T) {
	if want := os.Getenv("CONVERGENT_CPU"); want != "" && !strings.EqualFold(asm.Active().String(), want) {
		t.Fatalf("CONVERGENT_CPU=%s, but the active tier is %v", want, asm.Active())
	}
}

// TestTierNames reads CONVERGENT_CPU as a program does when it starts.
func TestTierNames(t *testing.T) {
	if os.Getenv("ASM_TEST_TIER") != "" {
		fmt.Println("tier", asm.Active(), asm.TierError())
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tiers := asm.Supported()
	best := tiers[len(tiers)-1] // AVX512 too, where there is that
	for name, want := range map[string]string{
		"":         fmt.Sprintln("tier", best, nil),
		"portable": fmt.Sprintln("tier", asm.Portable, nil),
		"Portable": fmt.Sprintln("tier", asm.Portable, nil),
		"AVX512":   fmt.Sprintln("tier", best, nil),
		"sse9":     fmt.Sprintln("tier", best, `asm: CONVERGENT_CPU="sse9" is not one of portable, avx2, avx512, neon`),
	} {
		cmd := exec.Command(program, "-test.run=^TestTierNames$")
		cmd.Env = append(os.Environ(), "ASM_TEST_TIER=1", "CONVERGENT_CPU="+name)
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("an emulated program cannot run itself")
		}
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("CONVERGENT_CPU=%s: %v: got %s, want %s", name, err, out, want)
		}
	}
}
