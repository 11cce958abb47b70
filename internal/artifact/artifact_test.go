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
		checkOnlyFile(t, path)
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
	checkOnlyFile(t, path)
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

// faultyDisk is a disk on which the call of a given number fails.
type faultyDisk struct {
	disk
	calls, failing int
}

var errFull = errors.New("no space left on device")

func (d *faultyDisk) call() error {
	if d.calls++; d.calls == d.failing {
		return errFull
	}
	return nil
}

func (d *faultyDisk) CreateTemp(dir *os.Root, prefix string) (File, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	f, err := d.disk.CreateTemp(dir, prefix)
	return faultyFile{f, d}, err
}

func (d *faultyDisk) Rename(dir *os.Root, oldName, newName string) error {
	if err := d.call(); err != nil {
		return err
	}
	return d.disk.Rename(dir, oldName, newName)
}

type faultyFile struct {
	File
	disk *faultyDisk
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.call(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f faultyFile) Chmod(m os.FileMode) error { return errors.Join(f.disk.call(), f.File.Chmod(m)) }
func (f faultyFile) Sync() error               { return errors.Join(f.disk.call(), f.File.Sync()) }
func (f faultyFile) Close() error              { return errors.Join(f.disk.call(), f.File.Close()) }

// TestEveryCallFails has each call of a write fail in turn: what was there stays, and
// nothing else does.
func TestEveryCallFails(t *testing.T) {
	defer func() { System = disk{} }()
	path := filepath.Join(t.TempDir(), "b.txt")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 3<<16)
	for call := 1; ; call++ {
		d := &faultyDisk{failing: call}
		System = d
		err := WriteFile(path, large)
		if d.calls < call {
			if err != nil || call < 7 {
				t.Fatalf("%d calls, %v", d.calls, err)
			}
			return
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("call %d failed, the error is %v", call, err)
		}
		if got, _ := os.ReadFile(path); string(got) != "old" {
			t.Fatalf("call %d failed, and the file holds %d bytes", call, len(got))
		}
		checkOnlyFile(t, path)
	}
}

// TestSweep removes what a killed writer left, and not what a live one holds.
func TestSweep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.txt")
	stale := filepath.Join(filepath.Dir(path), ".b.txt.123.tmp")
	if err := os.WriteFile(stale, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		if _, err := os.Stat(stale); err == nil {
			t.Error("what was left is still there")
		}
		dir, err := os.OpenRoot(filepath.Dir(path))
		if err != nil {
			return err
		}
		defer dir.Close()
		return Sweep(dir, ".b.txt.") // would take the file that is being written
	})
	if err != nil {
		t.Fatal(err)
	}
	checkOnlyFile(t, path)
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
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("a folder that was there before: %v", err)
	}
}

// TestEmptyFolders has folders that were made for nothing removed, as far as nothing is in
// them.
func TestEmptyFolders(t *testing.T) {
	here := t.TempDir()
	deep := filepath.Join(here, "a", "b", "c")
	gone := func(what, path string) {
		t.Helper()
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %s is left (%v)", what, path, err)
		}
	}
	lock := func() func() {
		t.Helper()
		unlock, err := Lock(deep)
		if err != nil {
			t.Fatal(err)
		}
		return unlock
	}
	lock()()
	gone("an empty folder", filepath.Join(here, "a"))

	unlock := lock()
	if err := WriteFile(filepath.Join(here, "a", "mine"), nil); err != nil {
		t.Fatal(err)
	}
	unlock()
	gone("beside a file", filepath.Join(here, "a", "b"))

	unlock = lock()
	result := filepath.Join(deep, "result")
	if err := WriteFile(result, nil); err != nil {
		t.Fatal(err)
	}
	unlock()
	lock()()
	checkOnlyFile(t, result)

	broken := errors.New("broken")
	err := Write(filepath.Join(here, "d", "e", "file"), func(io.Writer) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	gone("a failed write", filepath.Join(here, "d"))
	if _, err := Lock(filepath.Join(result, "under")); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Errorf("a folder in a file: %v", err)
	}
}

func TestFresh(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Fresh(path); err != nil {
		t.Error(err)
	}
	if err := WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	if err := Fresh(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-overwrite") {
		t.Errorf("a file that is there: %v", err)
	}
}

// TestSeal changes every byte of what is sealed in turn.
func TestSeal(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.bin")
	if err := WriteFile(file, []byte("content")); err != nil {
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
	for _, name := range []string{path, file} {
		content, _ := os.ReadFile(name)
		for i := range content {
			damaged := bytes.Clone(content)
			damaged[i] ^= 1
			if err := os.WriteFile(name, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			var v map[string]float64
			if err := Unseal(path, &v); err == nil && !reflect.DeepEqual(v, want) || err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("byte %d of %s: %v, %v", i, name, v, err)
			}
		}
		if err := os.WriteFile(name, content[:len(content)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Unseal(path, &got); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("half of %s: %v", name, err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkOnlyFile fails unless path is the only file of its folder.
func checkOnlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("the folder holds %v (%v), want one file", entries, err)
	}
}
