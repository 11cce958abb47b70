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
)

// Files is what writing asks of the operating system, so that tests can have it refuse.
type Files interface {
	CreateTemp(dir, pattern string) (File, error)
	Rename(from, to string) error
}

// File is one that is being written.
type File interface {
	io.Writer
	Name() string
	Chmod(os.FileMode) error
	Sync() error
	Close() error
}

// System is where files are written.
var System Files = disk{}

type disk struct{}

func (disk) CreateTemp(dir, pattern string) (File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err == nil {
		tryLock(f) // its writer is alive
	}
	return f, err
}

func (disk) Rename(from, to string) error { return os.Rename(from, to) }

// Write creates or replaces the file at path with what write writes. The data
// goes to a file beside it that is synced and then renamed; on any error that
// file is removed and path is as it was. One that a killed writer left is removed
// first. The folder of path is made if missing.
func Write(path string, write func(w io.Writer) error) (err error) {
	dir, prefix := filepath.Dir(path), "."+filepath.Base(path)+"."
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := Sweep(dir, prefix); err != nil {
		return err
	}
	f, err := System.CreateTemp(dir, prefix+"*"+suffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<16)
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
	return System.Rename(f.Name(), path)
}

const suffix = ".tmp"

// Sweep removes files that writers who were killed left in a folder: those of this
// package whose names begin so and that no one holds.
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
			continue // renamed meanwhile, or not ours
		}
		if tryLock(f) {
			err = os.Remove(name)
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Lock keeps other processes out of a folder that is there until the returned function
// is called or this process ends, in whatever way.
func Lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if !tryLock(f) {
		f.Close()
		return nil, fmt.Errorf("another run is at work in %s; wait until it is done, or choose another folder with -out", dir)
	}
	return func() { f.Close() }, nil
}

// sealed is a value with what vouches for it and for files beside it.
type sealed struct {
	Sum   string            `json:"sha256"`          // of the value
	Files map[string]string `json:"files,omitempty"` // SHA-256 by name
	Value json.RawMessage   `json:"value"`
}

// Seal writes v as JSON, with checksums of it and of files in the same folder.
func Seal(path string, v any, beside ...string) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s := sealed{Sum: sum(text), Files: make(map[string]string), Value: text}
	for _, name := range beside {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return err
		}
		s.Files[name] = sum(b)
	}
	return Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}

// Unseal reads what Seal wrote. If the file is not there, or it or one that it vouches
// for has other bytes than were sealed, that is os.ErrNotExist: it is to be made again.
func Unseal(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s sealed
	if json.Unmarshal(text, &s) != nil || sum(s.Value) != s.Sum {
		return fmt.Errorf("%s: damaged: %w", path, os.ErrNotExist)
	}
	for name, want := range s.Files {
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil || sum(b) != want {
			return fmt.Errorf("%s: %s is damaged: %w", path, name, os.ErrNotExist)
		}
	}
	return json.Unmarshal(s.Value, v)
}

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

// Writable makes a folder for results and tries to write in it, before any work is done
// for nothing.
func Writable(dir string) error {
	probe := filepath.Join(dir, ".writable")
	if err := WriteFile(probe, nil); err != nil {
		return fmt.Errorf("cannot write to the output folder %s: %w; choose another with -out", dir, err)
	}
	return os.Remove(probe)
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
