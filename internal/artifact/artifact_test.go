package artifact

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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

// refusing is a disk on which the call of a given number fails.
type refusing struct {
	disk
	calls, at int
}

var errFull = errors.New("no space left on device")

func (r *refusing) call() error {
	if r.calls++; r.calls == r.at {
		return errFull
	}
	return nil
}

func (r *refusing) CreateTemp(dir, pattern string) (File, error) {
	if err := r.call(); err != nil {
		return nil, err
	}
	f, err := r.disk.CreateTemp(dir, pattern)
	return refusingFile{f, r}, err
}

func (r *refusing) Rename(from, to string) error {
	if err := r.call(); err != nil {
		return err
	}
	return r.disk.Rename(from, to)
}

type refusingFile struct {
	File
	r *refusing
}

func (f refusingFile) Write(p []byte) (int, error) {
	if err := f.r.call(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f refusingFile) Chmod(m os.FileMode) error { return errors.Join(f.r.call(), f.File.Chmod(m)) }
func (f refusingFile) Sync() error               { return errors.Join(f.r.call(), f.File.Sync()) }
func (f refusingFile) Close() error              { return errors.Join(f.r.call(), f.File.Close()) }

// TestEveryCallFails has each call of a write fail in turn: what was there stays, and
// nothing else does.
func TestEveryCallFails(t *testing.T) {
	defer func() { System = disk{} }()
	path := filepath.Join(t.TempDir(), "b.txt")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 3<<16)
	for at := 1; ; at++ {
		r := &refusing{at: at}
		System = r
		err := WriteFile(path, large)
		if r.calls < at {
			if err != nil || at < 7 {
				t.Fatalf("%d calls, %v", r.calls, err)
			}
			return
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("call %d failed, the error is %v", at, err)
		}
		if got, _ := os.ReadFile(path); string(got) != "old" {
			t.Fatalf("call %d failed, and the file holds %d bytes", at, len(got))
		}
		alone(t, path)
	}
}

// TestSweep removes what a killed writer left, and not what a live one holds.
func TestSweep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.txt")
	left := filepath.Join(filepath.Dir(path), ".b.txt.123.tmp")
	if err := os.WriteFile(left, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		if _, err := os.Stat(left); err == nil {
			t.Error("what was left is still there")
		}
		return Sweep(filepath.Dir(path), ".b.txt.") // would take the file that is being written
	})
	if err != nil {
		t.Fatal(err)
	}
	alone(t, path)
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "-out") {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if unlock, err = Lock(dir); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// TestSeal changes every byte of what is sealed in turn.
func TestSeal(t *testing.T) {
	dir := t.TempDir()
	path, beside := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.bin")
	if err := WriteFile(beside, []byte("beside")); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"x": 0.1, "y": 1e-300}
	if err := Seal(path, want, "b.bin"); err != nil {
		t.Fatal(err)
	}
	var got map[string]float64
	if err := Unseal(path, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	for _, name := range []string{path, beside} {
		whole, _ := os.ReadFile(name)
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1
			if err := os.WriteFile(name, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			var v map[string]float64
			if err := Unseal(path, &v); err == nil && !reflect.DeepEqual(v, want) || err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("byte %d of %s: %v, %v", i, name, v, err)
			}
		}
		if err := os.WriteFile(name, whole[:len(whole)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Unseal(path, &got); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("half of %s: %v", name, err)
		}
		if err := os.WriteFile(name, whole, 0o644); err != nil {
			t.Fatal(err)
		}
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
