//go:build unix

package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/convergent-go/convergent/internal/artifact"
)

// TestPipes: what may have no end, or nobody who writes, is an error at once, as a model and as
// where its data is.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	pipe, model := filepath.Join(dir, "pipe.onnx"), filepath.Join(dir, "model.onnx")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	file := modelMsg(17, msg(5, msg(1, []int{4}, 2, 1, 8, "w", 14, 1, 13, msg(1, "location", 2, "pipe.onnx")), 11, valueMsg("x", 4), 12, valueMsg("x", 4)))
	if err := os.WriteFile(model, file, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, model, "/dev/zero"} {
		if _, err := Load(path); !errors.Is(err, artifact.ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
