package artifact

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b.txt")
	for _, text := range []string{"first", "second, longer", ""} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Fatalf("read %q, %v; want %q", got, err, text)
		}
		alone(t, path)
	}
}

func TestFailedWriteChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.txt")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := Write(path, func(w io.Writer) error {
		io.WriteString(w, "half of the new")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want %v", err, broken)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Fatalf("the file holds %q, want what it held", got)
	}
	alone(t, path)
}

func TestWriteWhereAFileIsAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(path, "under"), nil); err == nil {
		t.Fatal("no error")
	}
}

// alone fails unless path is the only file of its folder.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("the folder holds %v (%v), want one file", entries, err)
	}
}
