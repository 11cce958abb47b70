package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// TestWords decodes every word of the generated assembly: it is the instruction that stands
// beside it.
func TestWords(t *testing.T) {
	files, err := filepath.Glob("../../*_arm64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	word := regexp.MustCompile(`(?m)^\tWORD \$0x([0-9a-f]{8}) // (.*)$`)
	decoded := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range word.FindAllStringSubmatch(string(text), -1) {
			var bits uint32
			fmt.Sscanf(m[1], "%x", &bits)
			inst, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, bits))
			if err != nil {
				t.Errorf("%s: %s (%s): %v", file, m[1], m[2], err)
				continue
			}
			if got := arm64asm.GNUSyntax(inst); got != m[2] {
				t.Errorf("%s: %s is %s, want %s", file, m[1], got, m[2])
			}
			decoded++
		}
		if n := strings.Count(string(text), "WORD"); n != len(word.FindAllString(string(text), -1)) {
			t.Errorf("%s: %d words, of which some have no instruction beside them", file, n)
		}
	}
	if decoded == 0 {
		t.Error("no word was decoded")
	}
}
