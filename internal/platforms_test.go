package internal_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// platforms are those for which the module is checked to compile, besides linux on amd64 and
// arm64, which vet sees.
var platforms = []string{
	"darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64", "freebsd/amd64", "freebsd/arm64",
	"js/wasm", "wasip1/wasm", "linux/386", "linux/riscv64",
}

// need64 are the packages that need an int of 64 bits, with what imports them: dimensions and
// indices of ONNX are int64, and int in nn/onnx.
var need64 = []string{"nn/onnx", "bench"}

// TestPlatforms: every package, and every test, compiles for every platform, as far as types
// and bodies of functions say: the files are those that belong to the platform, with its sizes
// of numbers. That takes five seconds a platform, a tenth of what building takes.
func TestPlatforms(t *testing.T) {
	if os.Getenv("CONVERGENT_PLATFORMS") == "" {
		t.Skip("reads the standard library for every platform: CONVERGENT_PLATFORMS=1 asks for it")
	}
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			system, arch, _ := strings.Cut(platform, "/")
			c := compiler{fset: token.NewFileSet(), sizes: types.SizesFor("gc", arch), packages: map[string]*types.Package{"unsafe": types.Unsafe}}
			list := exec.Command("go", "list", "-deps", "-test", "-json=ImportPath,Dir,GoFiles,SFiles,ImportMap,Module", module+"...")
			list.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			own := 0
			for d := json.NewDecoder(strings.NewReader(string(out))); ; {
				var p listedPackage
				if err := d.Decode(&p); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if p.own() {
					own++
				}
				if c.sizes.Sizeof(types.Typ[types.Int]) < 8 && slices.ContainsFunc(need64, p.within) {
					continue
				}
				if p.ImportPath != "unsafe" && !strings.HasSuffix(p.ImportPath, ".test") { // whose file is not written yet
					if err := c.check(p); err != nil {
						t.Error(err)
					}
				}
			}
			if own < 60 {
				t.Errorf("only %d packages of the module", own)
			}
		})
	}
}

// listedPackage is a package as go list describes it, after those that it imports.
type listedPackage struct {
	ImportPath, Dir string
	GoFiles, SFiles []string
	ImportMap       map[string]string
	Module          *struct{ Path string }
}

func (p listedPackage) own() bool {
	return p.Module != nil && p.Module.Path+"/" == module
}

// within reports whether p is, or is below, a package of the module, or is of its tests.
func (p listedPackage) within(pkg string) bool {
	rest, ok := strings.CutPrefix(p.ImportPath, module+pkg)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], "/._ "))
}

// compiler checks the packages of a platform, of which others' functions are taken on trust.
type compiler struct {
	fset     *token.FileSet
	sizes    types.Sizes
	packages map[string]*types.Package
}

func (c *compiler) check(p listedPackage) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		f, err := parser.ParseFile(c.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && p.own() && f.Body == nil && len(p.SFiles) == 0 {
				return errors.New(c.fset.Position(f.Pos()).String() + ": no body, and no assembly")
			}
		}
		files = append(files, f)
	}
	var errs []error
	config := types.Config{
		IgnoreFuncBodies: !p.own(), FakeImportC: true, Sizes: c.sizes,
		Error: func(err error) {
			if p.own() {
				errs = append(errs, err)
			}
		},
		Importer: importer(func(path string) (*types.Package, error) {
			if to, ok := p.ImportMap[path]; ok {
				path = to
			}
			if p, ok := c.packages[path]; ok {
				return p, nil
			}
			return nil, errors.New(p.ImportPath + " imports " + path + ", which is not there")
		}),
	}
	path, _, _ := strings.Cut(p.ImportPath, " ")
	c.packages[p.ImportPath], _ = config.Check(path, c.fset, files, nil)
	return errors.Join(errs...)
}

// importer is a function that finds packages.
type importer func(path string) (*types.Package, error)

func (f importer) Import(path string) (*types.Package, error) { return f(path) }
