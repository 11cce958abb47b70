package internal_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	program = regexp.MustCompile("(?s)```go\n(.*?)```")
	printed = regexp.MustCompile(`fmt\.Println\(.*\) +// (.*)`)
	link    = regexp.MustCompile(`\]\(([^)]*)\)`)
)

// readmes returns the texts that people read, by path from the root.
func readmes(t *testing.T) map[string]string {
	texts := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestPrograms: what documents show of Go compiles as pasted, runs, and prints what the
// comments behind its fmt.Println say.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("links programs")
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	sources := map[string]string{} // by the name of the binary
	for path, text := range readmes(t) {
		for i, match := range program.FindAllStringSubmatch(text, -1) {
			name := fmt.Sprintf("%s%d", strings.ToLower(strings.NewReplacer("../", "", "/", "-", ".md", "").Replace(path)), i)
			file := filepath.Join(dir, name+".go")
			if err := os.WriteFile(file, []byte(match[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			sources[name] = match[1]
			place, err := filepath.Abs(filepath.Join("programs", name, "main.go"))
			if err != nil {
				t.Fatal(err)
			}
			overlay.Replace[place] = file
		}
	}
	if len(sources) < 5 {
		t.Fatalf("only %d programs", len(sources))
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin") + string(filepath.Separator)
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", bin, "./programs/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, source := range sources {
		out, err := exec.Command(bin+name, "../nn/onnx/testdata/images.onnx").CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, want := range printed.FindAllStringSubmatch(source, -1) {
			if !strings.Contains("\n"+string(out), "\n"+want[1]+"\n") {
				t.Errorf("%s does not print %q but\n%s", name, want[1], out)
			}
		}
	}
}

// TestLinks: what documents name of this repository is there, headings included.
func TestLinks(t *testing.T) {
	texts := readmes(t)
	slug := strings.NewReplacer(" ", "-", "`", "", ".", "", ",", "", "?", "", ":", "", "(", "", ")", "", "'", "", "/", "")
	for path, text := range texts {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s: no %s", path, match[1])
					continue
				}
			}
			if heading == "" {
				continue
			}
			found := false
			for line := range strings.SplitSeq(texts[file], "\n") {
				title := strings.TrimLeft(line, "#")
				found = found || title != line && slug.Replace(strings.ToLower(strings.TrimSpace(title))) == heading
			}
			if !found {
				t.Errorf("%s: no heading of %s", path, match[1])
			}
		}
	}
}
