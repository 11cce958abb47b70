// Package internal_test holds the architecture to its plan.
package internal_test

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/convergent-go/convergent/"

// allowed names, for each package of the module, the others that it may import.
// Imports point down: a package can only name those above it in this list.
var allowed = []struct {
	pkg  string
	uses []string
}{
	{"internal/toomcook", nil},
	{"asm", []string{"internal/toomcook"}},
	{"internal/par", nil},
	{"internal/elem", nil},
	{"internal/artifact", nil},
	{"internal/natural", nil},
	{"internal/selection", nil},
	{"internal/safetensors", []string{"internal/artifact"}},
	{"internal/scratch", nil},
	{"internal/level3", []string{"asm", "internal/par", "internal/scratch"}},
	{"internal/vec", []string{"asm"}},
	{"internal/dense", []string{"asm", "internal/par", "internal/scratch"}},
	{"asm/blas", []string{"asm", "internal/level3", "internal/dense", "internal/par"}},
	{"asm/lapack", []string{"internal/dense", "internal/par"}},
	{"internal/conv", []string{"asm", "internal/level3", "internal/vec", "internal/par"}},
	{"internal/assignment", []string{"asm", "internal/par"}},
	{"nn", []string{"internal/conv", "internal/level3", "internal/vec", "internal/elem", "internal/par", "internal/artifact", "internal/safetensors"}},
	{"nn/onnx", []string{"internal/artifact", "internal/conv", "internal/level3", "internal/vec", "internal/elem", "internal/par"}},
	{"corr", []string{"internal/elem", "internal/level3", "internal/dense", "internal/assignment", "internal/vec", "internal/par", "internal/artifact", "internal/safetensors"}},
	{"match", []string{"internal/dense", "internal/level3", "internal/assignment", "internal/vec", "internal/par"}},
	{"spectral", []string{"internal/dense", "internal/par"}},
	{"bench", []string{"asm/blas", "asm/lapack", "nn", "nn/onnx", "corr", "match", "spectral", "internal/level3", "internal/conv"}},
	{"bench/flags", nil},
	{"bench/peers", []string{"asm", "bench", "bench/flags"}},
	{"bench/convergent/internal/progress", nil},
	{"bench/convergent/internal/arrays", []string{"internal/artifact", "internal/natural", "internal/safetensors"}},
	{"bench/convergent/internal/dataset", []string{"internal/artifact", "internal/elem", "internal/natural", "internal/par"}},
	{"bench/convergent/internal/results", []string{"corr", "match", "spectral", "bench/convergent/internal/arrays", "internal/artifact", "internal/safetensors"}},
	{"bench/convergent/internal/graph", []string{"nn/onnx", "internal/natural"}},
	{"bench/convergent/internal/source", []string{"nn/onnx", "bench/convergent/internal/arrays", "bench/convergent/internal/dataset", "bench/convergent/internal/graph", "internal/natural", "internal/par"}},
	{"bench/convergent/internal/train", []string{"internal/artifact", "nn", "nn/onnx", "bench/convergent/internal/dataset", "bench/convergent/internal/progress", "bench/convergent/internal/results", "bench/convergent/internal/source", "internal/par", "internal/safetensors"}},
	{"bench/convergent/internal/observe", []string{"corr", "bench/convergent/internal/results", "bench/convergent/internal/source", "internal/dense", "internal/level3", "internal/par", "internal/vec"}},
	{"bench/convergent/internal/finding", []string{"nn", "corr", "match", "spectral", "bench/convergent/internal/observe", "bench/convergent/internal/results", "internal/dense", "internal/level3", "internal/par", "internal/selection"}},
	{"bench/convergent/internal/comparison", []string{"corr", "bench/convergent/internal/finding", "bench/convergent/internal/observe", "bench/convergent/internal/progress", "bench/convergent/internal/results", "bench/convergent/internal/source", "bench/convergent/internal/train", "internal/artifact", "internal/natural", "internal/safetensors"}},
	{"bench/convergent/internal/identification", []string{"corr", "bench/convergent/internal/progress", "bench/convergent/internal/results", "internal/artifact", "internal/dense", "internal/elem", "internal/level3", "internal/par", "internal/selection"}},
	{"bench/convergent/internal/report", []string{"spectral", "bench/convergent/internal/results", "internal/artifact"}},
	{"bench/convergent", []string{"asm", "bench/convergent/internal/arrays", "bench/convergent/internal/comparison", "bench/convergent/internal/identification", "bench/convergent/internal/progress", "bench/convergent/internal/report", "bench/convergent/internal/results", "bench/convergent/internal/source", "bench/convergent/internal/train", "bench/flags", "internal/artifact", "internal/natural"}},
}

// outside names the modules that each package may use beyond the standard
// library; the four libraries, and what they stand on, need no more than these.
var outside = map[string][]string{
	"asm":                               {"github.com/klauspost/cpuid/v2"},
	"asm/blas":                          {"gonum.org/v1/gonum"},
	"asm/lapack":                        {"gonum.org/v1/gonum"},
	"corr":                              {"gonum.org/v1/gonum"},
	"match":                             {"gonum.org/v1/gonum"},
	"spectral":                          {"gonum.org/v1/gonum"},
	"nn/onnx":                           {"google.golang.org/protobuf"},
	"bench/convergent/internal/results": {"gonum.org/v1/gonum"},
	"bench/convergent/internal/dataset": {"golang.org/x/image", "golang.org/x/text"},
	"bench/convergent/internal/train":   {"golang.org/x/sync"},
	"bench/convergent/internal/observe": {"golang.org/x/image", "gonum.org/v1/gonum"},
	"bench/convergent/internal/finding": {"gonum.org/v1/gonum"},
	"bench/convergent/internal/report":  {"gonum.org/v1/gonum", "gonum.org/v1/plot", "golang.org/x/image"},
	"bench":                             {"gonum.org/v1/gonum"},
	"bench/peers":                       {"gonum.org/v1/gonum", "gonum.org/v1/plot", "github.com/alecthomas/kong"},
	"bench/flags":                       {"github.com/alecthomas/kong"},
	"bench/convergent":                  {"github.com/alecthomas/kong", "github.com/schollz/progressbar/v3", "golang.org/x/term"},
}

func TestImports(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{if .GoFiles}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "./...")
	list.Dir = ".."
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	rule := make(map[string][]string)
	for _, a := range allowed {
		for _, u := range a.uses {
			if _, above := rule[u]; !above {
				t.Fatalf("the plan itself points up: %s uses %s", a.pkg, u)
			}
		}
		rule[a.pkg] = a.uses
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		uses, known := rule[pkg]
		if !known {
			t.Errorf("%s is not in the plan", pkg)
			continue
		}
		for _, imported := range fields[1:] {
			if own, ok := strings.CutPrefix(imported, module); ok {
				if !slices.Contains(uses, own) {
					t.Errorf("%s imports %s, which the plan does not allow", pkg, own)
				}
				continue
			}
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // standard library
			}
			if !slices.ContainsFunc(outside[pkg], func(m string) bool {
				return imported == m || strings.HasPrefix(imported, m+"/")
			}) {
				t.Errorf("%s imports %s, which the plan does not allow", pkg, imported)
			}
		}
	}
}

// TestNestedModule: corr/beam, a module of its own so that what Beam needs is needed by
// nobody else, uses of this one what its plan allows, and go.mod does not name Beam.
func TestNestedModule(t *testing.T) {
	files, err := filepath.Glob("../corr/beam/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	example, _ := filepath.Glob("../corr/beam/example/*.go")
	plan := []string{"corr", "corr/beam", "internal/safetensors"}
	for _, name := range append(files, example...) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if own, ok := strings.CutPrefix(path, module); ok && !slices.Contains(plan, own) {
				t.Errorf("%s imports %s, which the plan does not allow", name, path)
			}
		}
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil || strings.Contains(string(mod), "apache/beam") {
		t.Errorf("go.mod needs Beam, or cannot be read: %v", err)
	}
}
