package comparison

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// TestReplaceLast: results of another run are replaced when the new ones are complete, and
// by their manifest; a run that fails replaces nothing, one that was stopped while its
// results took their place goes on.
func TestReplaceLast(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	a, b := write(t, in("a.npy"), 100, 4, wave), write(t, in("b.npy"), 100, 4, func(i, j int) float64 { return wave(j+2, i) })
	out := in("out")
	run := func(draws int, finish func(string) error) error {
		_, err := Compare(context.Background(), source.Options{Networks: []string{a, b}}, Options{Analysis: results.Analysis{Draws: draws, Shuffles: 2}, Out: out, Overwrite: true, Finish: finish, Version: "v1"})
		return err
	}
	page := func(text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, "extra"), []byte(text), 0o644) }
	}
	if err := run(3, nil); err != nil {
		t.Fatal(err)
	}
	first := files(t, out)
	if !strings.Contains(string(first["run.json"]), `"version": "v1"`) {
		t.Error("run.json does not say which program it is from")
	}
	mine := filepath.Join(out, "layers", "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := run(4, func(string) error { return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	for name, text := range first {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(got) != string(text) {
			t.Errorf("%s after a run that failed: %v", name, err)
		}
	}
	if err := run(4, nil); err != nil { // goes on from there
		t.Fatal(err)
	}
	second := files(t, out)
	if string(second["results.json"]) == string(first["results.json"]) || string(second["layers/mine.txt"]) != "mine" {
		t.Error("not replaced, or too much")
	}
	for name := range second {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", name)
		}
	}
	// A third run is complete and stopped on its way to its place.
	if err := run(5, page("x")); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(out, "extra"))
	os.Remove(filepath.Join(out, ".next", "extra"))
	os.RemoveAll(filepath.Join(out, ".ready"))
	third := files(t, out)
	if err := os.MkdirAll(filepath.Join(out, ".ready"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"results.json", "run.json", "files.sha256"} { // the last to be moved
		if err := os.Rename(filepath.Join(out, name), filepath.Join(out, ".ready", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(5, nil); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, out), third)
	// A result that its owner changed is not removed.
	if err := os.WriteFile(filepath.Join(out, "lasso.csv"), []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(6, nil); err == nil || !strings.Contains(err.Error(), "lasso.csv has changed") {
		t.Error(err)
	}
	// Nor is what was there before a run.
	other := in("other")
	if err := os.MkdirAll(other, 0o777); err != nil {
		t.Fatal(err)
	}
	input := write(t, filepath.Join(other, "a.npy"), 100, 4, wave)
	for _, name := range []string{"report.html", "lasso.csv"} {
		if err := os.WriteFile(filepath.Join(other, name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Compare(context.Background(), source.Options{Networks: []string{input, b}}, Options{Analysis: results.Analysis{Draws: 3, Shuffles: 2}, Out: other, Overwrite: true})
		if got, _ := os.ReadFile(filepath.Join(other, name)); err == nil || !strings.Contains(err.Error(), "in the way") || string(got) != "mine" {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(filepath.Join(other, name))
	}
}
