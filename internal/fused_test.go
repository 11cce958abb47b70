package internal_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestNothingElseFuses: the command, compiled for a processor where the compiler may make one
// instruction of a product and a sum, has such instructions only where the source asks for
// them, so that its numbers are those of a processor without. Exempt are the figures, gonum,
// and random numbers, whose products by powers of two are exact.
func TestNothingElseFuses(t *testing.T) {
	if os.Getenv("CONVERGENT_FUSED") == "" {
		t.Skip("compiles everything for arm64: CONVERGENT_FUSED=1 asks for it")
	}
	binary := filepath.Join(t.TempDir(), "convergent")
	build := exec.Command("go", "build", "-o", binary, "../bench/convergent")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	code, err := exec.Command("go", "tool", "objdump", "-s", "convergent-go", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{} // of the module, by name
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		files[filepath.Base(path)] = append(files[filepath.Base(path)], path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// asked reports whether a line of a file of that name asks for fusing, or there is none.
	asked := func(name string, number int) bool {
		for _, path := range files[name] {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Split(string(text), "\n"); number <= len(lines) &&
				(strings.Contains(lines[number-1], "FMA(") || strings.Contains(lines[number-1], "Float64()")) {
				return true
			}
		}
		return files[name] == nil || name == "fma_fused.go"
	}
	fused, place := regexp.MustCompile(`\bFN?M(ADD|SUB)[SD]\b`), regexp.MustCompile(`^\s+(\S+\.(?:go|s)):(\d+)`)
	found, symbol := 0, ""
	for line := range strings.Lines(string(code)) {
		if name, is := strings.CutPrefix(line, "TEXT "); is {
			symbol, _, _ = strings.Cut(name, "(SB)")
		}
		if !fused.MatchString(line) || strings.Contains(symbol, "/internal/report.") {
			continue
		}
		found++
		at := place.FindStringSubmatch(line)
		if at == nil {
			t.Fatalf("no place in %q", line)
		}
		number, err := strconv.Atoi(at[2])
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(at[1], ".go") && !asked(at[1], number) { // kernels say what they fuse
			t.Errorf("%s fuses at %s:%d", symbol, at[1], number)
		}
	}
	if found == 0 {
		t.Error("nothing fuses: is it looked for?")
	}
}
