package asm_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the tiers ask of a machine, in Avo's words, and prefetching, which every amd64 has.
// SSE is not among it: between AVX instructions it stalls.
var (
	avx2Features   = []string{"AVX", "AVX2", "FMA3", "BMI", "MMX+"}
	avx512Features = append([]string{"AVX512F", "AVX512VL"}, avx2Features...)
)

// TestGeneratedSource reads the generated assembly: every return from a kernel
// clears the upper halves of the registers, only kernels of the AVX-512 tier use
// its registers, and none has an instruction that its tier does not ask for.
func TestGeneratedSource(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	avx512Kernels := avx512Kernels(t)
	avx512Registers := regexp.MustCompile(`\bZ\d+\b|\bK[1-7]\b|\b[XY](1[6-9]|2\d|3[01])\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kernel, previousLine, features := "", "", ""
		for i, line := range strings.Split(string(text), "\n") {
			line = strings.TrimSpace(line)
			if name, ok := strings.CutPrefix(line, "TEXT ·"); ok {
				kernel, _, _ = strings.Cut(name, "(")
				tierFeatures := avx2Features
				if avx512Kernels[kernel] {
					tierFeatures = avx512Features
				}
				for _, f := range strings.Split(features, ", ") {
					if features == "" || !slices.Contains(tierFeatures, f) {
						t.Errorf("%s:%d: %s requires %q, its tier asks for %q", file, i+1, kernel, f, tierFeatures)
					}
				}
				features = ""
			}
			if list, ok := strings.CutPrefix(line, "// Requires: "); ok {
				features = list
			}
			if line == "RET" && previousLine != "VZEROUPPER" {
				t.Errorf("%s:%d: %s returns without VZEROUPPER", file, i+1, kernel)
			}
			if avx512Registers.MatchString(line) && !strings.HasPrefix(line, "//") && !avx512Kernels[kernel] {
				t.Errorf("%s:%d: %s is called by the AVX2 tier but uses AVX-512: %s", file, i+1, kernel, line)
			}
			if line != "" {
				previousLine = line
			}
		}
	}
}

// avx512Kernels returns those that only the AVX-512 tier calls, as their stubs say.
func avx512Kernels(t *testing.T) map[string]bool {
	kernels := make(map[string]bool)
	stubs, err := filepath.Glob("*_amd64.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stubs {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^// (\w+), of AVX-512, `).FindAllStringSubmatch(string(text), -1) {
			kernels[m[1]] = true
		}
	}
	return kernels
}
