package results

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// fields are the names that a type's JSON has, those of what it holds included.
func fields(of reflect.Type, into map[string]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		fields(of.Elem(), into)
	case reflect.Struct:
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			into[name] = true
			fields(of.Field(i).Type, into)
		}
	}
}

// TestSchemaIsDocumented: every field of results.json stands in the command's README.
func TestSchemaIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## results.json")
	if !ok || !strings.Contains(section, Schema) {
		t.Fatalf("README.md does not describe %s", Schema)
	}
	names := make(map[string]bool)
	fields(reflect.TypeFor[Results](), names)
	if len(names) < 80 {
		t.Fatalf("%d fields", len(names))
	}
	for name := range names {
		if !strings.Contains(section, "`"+name) && !strings.Contains(section, "."+name) {
			t.Errorf("README.md says nothing of the field %q", name)
		}
	}
}

// TestDifference names the field.
func TestDifference(t *testing.T) {
	base := Config{Training: &Training{Data: "a", Layers: []string{"x"}}, Analysis: Analysis{Draws: 3}}
	for want, change := range map[string]func(*Config){
		"":                      func(*Config) {},
		"draws 3 instead of 4":  func(c *Config) { c.Analysis.Draws = 4 },
		"data a instead of b":   func(c *Config) { c.Training.Data = "b" },
		"layers [x] instead of": func(c *Config) { c.Training.Layers = nil },
		"training some instead": func(c *Config) { c.Training = nil },
	} {
		training := *base.Training
		c := base
		c.Training = &training
		change(&c)
		got := difference(reflect.ValueOf(base), reflect.ValueOf(c))
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
