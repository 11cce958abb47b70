// Package source reads what generators need to know of package asm: signatures of
// kernels from generated stubs, and constants from where they are defined.
package source

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// Func is a function without a body: the stub of a kernel.
type Func struct {
	Name    string
	Comment string // without the directives
	Params  []Param
	Results []Param
	File    string // base of the file's name, without _GOARCH.go
}

// Param is a parameter or a result, whose name may be empty.
type Param struct{ Name, Type string }

// Size returns the bytes of the parameter, which is also how it is aligned.
func (p Param) Size() int {
	if p.Type == "int32" || p.Type == "float32" {
		return 4
	}
	return 8
}

// Stubs returns the stubs of an architecture in a folder, by file and in its order.
func Stubs(folder, goarch string) []Func {
	var all []Func
	suffix := "_" + goarch + ".go"
	forFiles(filepath.Join(folder, "*"+suffix), func(path string, f *ast.File) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body != nil {
				continue
			}
			all = append(all, Func{fn.Name.Name, strings.TrimSpace(fn.Doc.Text()), params(fn.Type.Params), params(fn.Type.Results),
				strings.TrimSuffix(filepath.Base(path), suffix)})
		}
	})
	return all
}

func params(list *ast.FieldList) []Param {
	var all []Param
	if list == nil {
		return nil
	}
	for _, f := range list.List {
		t := types.ExprString(f.Type)
		if len(f.Names) == 0 {
			all = append(all, Param{"", t})
		}
		for _, n := range f.Names {
			all = append(all, Param{n.Name, t})
		}
	}
	return all
}

// Signature returns the function's type as it stands behind its name.
func (f Func) Signature() string {
	list := func(params []Param) string {
		var s []string
		for _, p := range params {
			s = append(s, strings.TrimSpace(p.Name+" "+p.Type))
		}
		return strings.Join(s, ", ")
	}
	results := list(f.Results)
	if strings.Contains(results, " ") {
		results = "(" + results + ")"
	}
	return strings.TrimSpace("(" + list(f.Params) + ") " + results)
}

// Const returns the value of an integer constant that a file defines.
func Const(path, name string) int {
	value := -1
	forFiles(path, func(_ string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if i := slices.IndexFunc(spec.Names, func(id *ast.Ident) bool { return id.Name == name }); i >= 0 && i < len(spec.Values) {
				v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, types.ExprString(spec.Values[i]))
				if err != nil {
					panic(err)
				}
				n, _ := constant.Int64Val(v.Value)
				value = int(n)
			}
			return true
		})
	})
	if value < 0 {
		panic(fmt.Sprintf("source: no constant %s in %s", name, path))
	}
	return value
}

// forFiles parses the files that match a pattern.
func forFiles(pattern string, f func(path string, file *ast.File)) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		panic(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		f(path, file)
	}
}
