//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// TestBetween compares networks by what is between them alone: the page says what it has not, and
// as many parts as memory makes of it give the same bytes.
func TestBetween(t *testing.T) {
	dir := t.TempDir()
	units, limit := 300, "1GB"
	if !testing.Short() { // so many that a part of them takes less than chance does
		units, limit = 4000, "205MB"
	}
	a, b := filepath.Join(dir, "a.npy"), filepath.Join(dir, "b.npy")
	for file, n := range map[string]numbers{a: {40, units, 1}, b: {40, units, 2}} {
		if err := arrays.WriteNPY(file, n); err != nil {
			t.Fatal(err)
		}
	}
	compare := func(out, memory string) string {
		stdout, stderr, code := run(t, "compare", a, b, "-between", "-o", out, "-max-mem", memory, "-draws", "2", "-shuffles", "2", "-groups", "1")
		if code != 0 || stderr != "" {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		opens(t, stdout, out)
		return stdout
	}
	whole, parts := filepath.Join(dir, "whole"), filepath.Join(dir, "parts")
	stdout := compare(whole, "4GB")
	for _, want := range []string{"correlations, those of ", "correlate matched units: 40 of 40", "held out r", "mutual"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	if stdout = compare(parts, limit); !testing.Short() && !strings.Contains(stdout, "computed anew") {
		t.Errorf("not in parts:\n%s", stdout)
	}
	sameTree(t, tree(t, parts), tree(t, whole))
	page, err := os.ReadFile(filepath.Join(whole, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Nothing within the networks was computed (-between)", "Chance, in activations, is drawn for 256 units", "at 40 observations", "each other's best", "compare a.npy b.npy -between -draws 2 -shuffles 2 -groups 1"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page says nothing of %q", want)
		}
	}
	for _, picture := range []string{"correlation_", "mapping_", "clusters_", "lasso"} {
		if figures, _ := filepath.Glob(filepath.Join(whole, "figures", picture+"*")); len(figures) > 0 {
			t.Errorf("there are figures %v", figures)
		}
	}
	for flag, value := range map[string]string{"-baseline": a + "," + b, "-lambdas": "0.1", "-clusters": "3"} {
		if _, stderr, code := run(t, "compare", a, b, "-between", "-o", filepath.Join(dir, "none"), flag, value); code != 1 || !strings.Contains(stderr, flag+": -between") {
			t.Errorf("%s: exit code %d: %s", flag, code, stderr)
		}
	}
}
