package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestExport runs the export that README.md shows, as it stands.
func TestExport(t *testing.T) {
	if testing.Short() {
		t.Skip("torch takes seconds to be loaded")
	}
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
	words := python(t)
	if out, err := exec.Command(words[0], append(words[1:], "-c", string(shown[1])+string(check))...).CombinedOutput(); err != nil || !strings.Contains(string(out), "right\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
