package asm_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGeneratedSource reads the generated assembly: every return from a kernel
// clears the upper halves of the registers, and only kernels of the AVX-512
// tier use its registers.
func TestGeneratedSource(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	wide := regexp.MustCompile(`\bZ\d+\b|\bK[1-7]\b|\b[XY](1[6-9]|2\d|3[01])\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kernel, previous := "", ""
		for i, line := range strings.Split(string(text), "\n") {
			line = strings.TrimSpace(line)
			if name, ok := strings.CutPrefix(line, "TEXT ·"); ok {
				kernel, _, _ = strings.Cut(name, "(")
			}
			if line == "RET" && previous != "VZEROUPPER" {
				t.Errorf("%s:%d: %s returns without VZEROUPPER", file, i+1, kernel)
			}
			if wide.MatchString(line) && !strings.HasPrefix(line, "//") && !avx512Kernels[kernel] {
				t.Errorf("%s:%d: %s is called by the AVX2 tier but uses AVX-512: %s", file, i+1, kernel, line)
			}
			if line != "" {
				previous = line
			}
		}
	}
}

// avx512Kernels are those that only the AVX-512 tier calls.
var avx512Kernels = map[string]bool{"gemm12x32": true, "gemm8x32": true, "peak16": true, "product12x16": true, "gram12x32": true, "gram8x32": true}
