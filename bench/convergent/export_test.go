package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// python returns the command that runs a script, with PyTorch, or skips the test: CONVERGENT_PYTHON
// says which, else it is python3.
func python(t *testing.T, script string) *exec.Cmd {
	command := []string{"python3"}
	if own := os.Getenv("CONVERGENT_PYTHON"); own != "" {
		command = strings.Fields(own)
	}
	if exec.Command(command[0], append(command[1:], "-c", "import torch, numpy")...).Run() != nil {
		t.Skip("there is no Python with PyTorch and NumPy: CONVERGENT_PYTHON says how to start one")
	}
	return exec.Command(command[0], append(command[1:], "-c", script)...)
}

// TestExport runs the export that README.md shows, as it stands.
func TestExport(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```python\n(.*?def export.*?)```").FindSubmatch(text)
	if shown == nil {
		t.Fatal("README.md shows no export")
	}
	check, err := os.ReadFile("testdata/export/check.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := python(t, string(shown[1])+string(check)).CombinedOutput(); err != nil || !strings.Contains(string(out), "right\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
