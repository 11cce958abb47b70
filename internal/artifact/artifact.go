// Package artifact writes files whole: a reader sees the old content or the
// new, never a part, whenever the writer is stopped.
package artifact

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Files is what writing asks of the operating system, so that tests can make it fail.
type Files interface {
	CreateTemp(dir, pattern string) (File, error)
	Rename(oldPath, newPath string) error
}

// File is a file that is being written.
type File interface {
	io.Writer
	Name() string
	Chmod(os.FileMode) error
	Sync() error
	Close() error
}

// System is the operating system that files are written by.
var System Files = disk{}

type disk struct{}

// CreateTemp makes a temporary file that this process holds.
func (disk) CreateTemp(dir, pattern string) (File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err == nil {
		tryLock(f) // its writer is alive
	}
	return f, err
}

// unfinished are the files that are being written.
var unfinished sync.Map

// Abandon removes what is being written, before the program ends in the middle.
func Abandon() {
	unfinished.Range(func(name, _ any) bool {
		os.Remove(name.(string))
		return true
	})
}

// Rename replaces newPath by oldPath.
func (disk) Rename(oldPath, newPath string) error { return os.Rename(oldPath, newPath) }

// Write creates or replaces the file at path with what write writes. The data
// goes to a file beside it that is synced and then renamed; on any error that
// file is removed and path is as it was. What is no regular file is not replaced, nor, in a
// folder that this process owns, what is not in its manifest. One that a killed writer left is removed
// first. The folder of path is made if missing, and on an error removed again.
func Write(path string, write func(w io.Writer) error) error {
	manifest, name := manifestOf(path)
	return put(path, manifest, name, write)
}

// put is Write of a file that is listed in a manifest under a name, unless that is nil.
func put(path string, manifest *Manifest, name string, write func(w io.Writer) error) (err error) {
	dir, prefix := filepath.Dir(path), "."+filepath.Base(path)+"."
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w, which is not replaced", path, ErrNotRegular)
	}
	if manifest != nil {
		if err := manifest.Foreign(name); err != nil {
			return err
		}
	}
	remove, err := makeFolder(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	if err := Sweep(dir, prefix); err != nil {
		return err
	}
	f, err := System.CreateTemp(dir, prefix+"*"+suffix)
	if err != nil {
		return err
	}
	unfinished.Store(f.Name(), nil)
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
		unfinished.Delete(f.Name())
	}()
	h := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16)
	if err := write(buf); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if manifest != nil {
		if err := manifest.record(name, hex.EncodeToString(h.Sum(nil))); err != nil {
			return err
		}
	}
	if err := System.Rename(f.Name(), path); err != nil {
		return err
	}
	syncFolder(dir)
	return nil
}

// syncFolder has what was renamed in a folder outlast a loss of power, where the system can:
// Windows and some file systems cannot, and say so by an error.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// suffix ends the names of files that are being written.
const suffix = ".tmp"

// forgotten is for how long a file has not been written to whose writer is taken for dead
// where a file system knows no locks, as some that clusters share do.
const forgotten = time.Hour

// Sweep removes files that killed writers left in a folder: those of this package whose
// names begin with the prefix and that no process holds.
func Sweep(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), suffix) || !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(dir, e.Name())
		f, err := os.Open(name)
		if err != nil {
			continue // renamed meanwhile, or of another owner
		}
		info, failed := f.Stat()
		if has, known := tryLock(f); has && (known || failed == nil && time.Since(info.ModTime()) > forgotten) {
			err = os.Remove(name)
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Lock makes a folder for results if it is missing, tries to write in it, before any work
// is done for nothing, and keeps other processes out of it until the returned function is
// called or this process ends, in whatever way. That function also removes the folder if
// Lock made it and nothing is in it.
func Lock(dir string) (unlock func(), err error) {
	remove, err := writable(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot write to the output folder %s: %w; choose another with -out", dir, err)
	}
	f, err := os.Open(dir)
	if err != nil {
		remove()
		return nil, err
	}
	if has, _ := tryLock(f); !has {
		f.Close()
		return nil, fmt.Errorf("another run is at work in %s; wait until it is done, or choose another folder with -out", dir)
	}
	return func() {
		remove() // before another process can take it
		f.Close()
	}, nil
}

// writable is makeFolder, and an error if nothing can be written there.
func writable(dir string) (remove func(), err error) {
	remove, err = makeFolder(dir)
	if err != nil {
		return nil, err
	}
	probe := filepath.Join(dir, ".writable")
	if err = WriteFile(probe, nil); err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		remove()
	}
	return remove, err
}

// makeFolder makes a folder and those that it lies in. The returned function removes what
// was made, as far as nothing is in it.
func makeFolder(dir string) (remove func(), err error) {
	var missing []string // the deepest first
	for at := filepath.Clean(dir); at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, at)
	}
	remove = func() {
		for _, at := range missing {
			os.Remove(at) // which fails if something is in it
		}
	}
	if err = os.MkdirAll(dir, 0o777); err != nil {
		remove()
	}
	return remove, err
}

// Fresh is an error if something is at path already.
func Fresh(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return fmt.Errorf("%s is there already; choose another with -out, or -overwrite to replace it", path)
}

// envelope is a value with checksums of it and of files beside it.
type envelope struct {
	Sum   string            `json:"sha256"`          // of the value
	Files map[string]string `json:"files,omitempty"` // SHA-256 by name
	Value json.RawMessage   `json:"value"`
}

// Seal writes v as JSON, with checksums of it and of files in the same folder.
func Seal(path string, v any, files ...string) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e := envelope{Sum: sum(text), Files: make(map[string]string), Value: text}
	for _, name := range files {
		b, err := ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return err
		}
		e.Files[name] = sum(b)
	}
	return Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) })
}

// Unseal reads what Seal wrote. If the file does not exist, or it or one that it has a
// checksum of has other bytes than were sealed, the error is os.ErrNotExist: it is to be
// made again.
func Unseal(path string, v any) error {
	text, err := ReadFile(path)
	if err != nil {
		return err
	}
	var e envelope
	if json.Unmarshal(text, &e) != nil || sum(e.Value) != e.Sum {
		return fmt.Errorf("%s: damaged: %w", path, os.ErrNotExist)
	}
	for name, want := range e.Files {
		if b, err := ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil || sum(b) != want {
			return fmt.Errorf("%s: %s is damaged: %w", path, name, os.ErrNotExist)
		}
	}
	return json.Unmarshal(e.Value, v)
}

// sum returns the SHA-256 of b in hexadecimal digits.
func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// WriteFile is Write of the given bytes.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteJSON is Write of v as indented JSON.
func WriteJSON(path string, v any) error {
	return Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(v)
	})
}

// WriteCSV is Write of a table.
func WriteCSV(path string, rows [][]string) error {
	return Write(path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}
