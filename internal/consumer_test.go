package internal_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConsumer builds a module that requires this one, and nothing else but what this brings, and
// runs it. Its go directive is this module's.
func TestConsumer(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, rest, _ := strings.Cut(read(filepath.Join(root, "go.mod")), "\n") // its go directive and requirements
	path := strings.TrimSuffix(module, "/")
	for name, text := range map[string]string{
		"go.mod":  "module example.com/consumer\n" + rest + "\nrequire " + path + " v0.0.0\nreplace " + path + " => " + root + "\n",
		"go.sum":  read(filepath.Join(root, "go.sum")),
		"main.go": read(filepath.Join("testdata", "consumer", "main.go")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if got, want := command("run", "."), "CKA 1.000, matched 1.000, 8 targets predicted, 2 clusters\nrow 1, unit 0\n"; got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
	var modules []string
	for m := range strings.FieldsSeq(command("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")) {
		if m != path && m != "example.com/consumer" {
			modules = append(modules, m)
		}
	}
	slices.Sort(modules)
	want := []string{"github.com/klauspost/cpuid/v2", "golang.org/x/sys", "gonum.org/v1/gonum"}
	if modules = slices.Compact(modules); !slices.Equal(modules, want) {
		t.Errorf("it needs %v, want %v", modules, want)
	}
}
