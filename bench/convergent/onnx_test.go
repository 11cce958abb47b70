package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestONNX runs networks, lists their layers, and refuses what is none.
func TestONNX(t *testing.T) {
	a, b := "testdata/onnx/a.onnx", "testdata/onnx/b.onnx"
	stdout, stderr, code := run(t, "layers", a)
	for _, want := range []string{"input: float32, batch x 3 x 16 x 16", "* silu/Mul ", "SiLU", "8 x 8 positions, 8 units", "sees 8 x 8", "others can be compared, too"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s%s", want, stdout, stderr)
		}
	}
	if stdout, _, _ := run(t, "layers", "-all", a); !strings.Contains(stdout, "  silu/Sigmoid ") {
		t.Errorf("not all layers:\n%s", stdout)
	}
	dir := filepath.Join(t.TempDir(), "out")
	args := []string{"compare", a, b, "-inputs", "testdata/onnx/images.npz", "-o", dir, "-draws", "3", "-shuffles", "3", "-lambdas", "0.1", "-layers", "relu*,gelu*"}
	stdout, stderr, code = run(t, args...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	opens(t, stdout, dir)
	for _, want := range []string{"a: 12 samples, 3 layers", "relu3/Relu", "gelu/Mul_1"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "results.json")); err != nil || !strings.Contains(string(text), `"inputs": "images.npz"`) {
		t.Errorf("results.json does not say what networks read: %v", err)
	}
	if stdout, _, code := run(t, args...); code != 0 || !strings.Contains(stdout, "done before") {
		t.Errorf("it does not go on: exit code %d\n%s", code, stdout)
	}
	exports := tiny(filepath.Join(t.TempDir(), "out"), "-networks", "testdata/onnx/caffenet32_a.onnx,testdata/onnx/caffenet32_b.onnx")
	if stdout, stderr, code := run(t, exports...); code != 0 || !strings.Contains(stdout, "network 2  caffenet32_b.onnx") {
		t.Errorf("reproduce with ONNX exports: exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare", a, b, "-o", dir}, "-data: ONNX networks need something to look at"},
		{[]string{"compare", a, "-data", dir, "-o", dir}, "two networks or more"},
		{[]string{"compare", a, b, "-data", "testdata/onnx", "-o", dir}, "no images in it"},
		{[]string{"compare", a, b, "-inputs", "testdata/onnx/images.npz", "-samples", "-1"}, "-samples is -1"},
		{[]string{"compare", a, b, "-inputs", "testdata/onnx/images.npz", "-max-mem", "1KB", "-o", filepath.Join(dir, "none")}, "-max-mem"},
		{[]string{"layers", "testdata/onnx/a.npz"}, "a.npz is no .onnx file"},
		{[]string{"layers", "-size", "0", a}, "-size is 0"},
	} {
		if _, stderr, code := run(t, c.args...); code != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
	}
}
