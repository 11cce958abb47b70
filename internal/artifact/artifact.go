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
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Files is what writing asks of the operating system, so that tests can make it fail.
type Files interface {
	CreateTemp(dir *os.Root, prefix string) (File, error)
	Rename(dir *os.Root, oldName, newName string) error
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
func (disk) CreateTemp(dir *os.Root, prefix string) (File, error) {
	for {
		f, err := dir.OpenFile(fmt.Sprintf("%s%d%s", prefix, rand.Uint32(), suffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			tryLock(f) // its writer is alive
		}
		return f, err
	}
}

// Rename replaces newName by oldName.
func (disk) Rename(dir *os.Root, oldName, newName string) error { return dir.Rename(oldName, newName) }

// unfinished are the files that are being written.
var unfinished sync.Map

// Abandon removes what is being written, before the program ends in the middle.
func Abandon() {
	unfinished.Range(func(name, _ any) bool {
		os.Remove(name.(string))
		return true
	})
}

// Write creates or replaces the file at path with what write writes. The data
// goes to a file beside it that is synced and then renamed; on any error that
// file is removed and path is as it was. What is no regular file is not replaced, nor, in a
// folder that this process owns, what is not in its manifest; and no link leads out of such a
// folder. One that a killed writer left is removed
// first. The folder of path is made if missing, and on an error removed again.
func Write(path string, write func(w io.Writer) error) error {
	manifest, name := manifestOf(path)
	if manifest == nil {
		return put(path, filepath.Dir(path), write, nil)
	}
	if err := manifest.Foreign(name); err != nil {
		return err
	}
	return put(filepath.Join(manifest.dir, filepath.FromSlash(name)), manifest.dir, write, func(sum string) error { return manifest.record(name, sum) })
}

// put is Write of a file in a folder, or in one within. Before it is renamed it is recorded, unless
// that is nil.
func put(path, within string, write func(w io.Writer) error, record func(sum string) error) (err error) {
	name := filepath.Base(path)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w, which is not replaced", path, ErrNotRegular)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	dir, remove, err := openFolder(filepath.Dir(path), within)
	if err != nil {
		return err
	}
	defer func() {
		dir.Close()
		if err != nil {
			remove()
		}
	}()
	if err := Sweep(dir, "."+name+"."); err != nil {
		return err
	}
	f, err := System.CreateTemp(dir, "."+name+".")
	if err != nil {
		return err
	}
	temporary := filepath.Base(f.Name())
	writing := filepath.Join(filepath.Dir(path), temporary)
	unfinished.Store(writing, nil)
	defer func() {
		if err != nil {
			f.Close()
			dir.Remove(temporary)
		}
		unfinished.Delete(writing)
	}()
	h := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16)
	if err := write(buf); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if record != nil {
		if err := record(hex.EncodeToString(h.Sum(nil))); err != nil {
			return err
		}
	}
	if err := System.Rename(dir, temporary, name); err != nil {
		return err
	}
	syncFolder(dir)
	return nil
}

// syncFolder has what was renamed in a folder outlast a loss of power, where the system can:
// Windows and some file systems cannot, and say so by an error.
func syncFolder(dir *os.Root) {
	if d, err := dir.Open("."); err == nil {
		d.Sync()
		d.Close()
	}
}

// suffix ends the names of files that are being written.
const suffix = ".tmp"

// tryLock is how files are locked, so that tests can have a file system that knows no locks.
var tryLock = flock

// forgotten is for how long a file has not been written to whose writer is taken for dead
// where a file system knows no locks, as some that clusters share do.
const forgotten = time.Hour

// Sweep removes files that killed writers left in a folder: those of this package whose
// names begin with the prefix and that no process holds.
func Sweep(dir *os.Root, prefix string) error {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), suffix) || !e.Type().IsRegular() {
			continue
		}
		f, err := dir.Open(e.Name())
		if err != nil {
			continue // renamed meanwhile, or of another owner
		}
		info, failed := f.Stat()
		if has, known := tryLock(f); has && (known || failed == nil && time.Since(info.ModTime()) > forgotten) {
			err = dir.Remove(e.Name())
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

// writable makes a folder, and returns an error if nothing can be written there. The returned
// function removes what was made, as far as nothing is in it.
func writable(path string) (remove func(), err error) {
	dir, remove, err := openFolder(path, path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := System.CreateTemp(dir, ".writable.")
	if err == nil {
		err = errors.Join(f.Close(), dir.Remove(filepath.Base(f.Name())))
	}
	if err != nil {
		remove()
	}
	return remove, err
}

// openFolder opens a folder, which is another or lies in it, by a way that no link leads out of.
// Folders that are missing are made; the returned function removes those, as far as nothing is in
// them.
func openFolder(path, within string) (dir *os.Root, remove func(), err error) {
	var missing []string // the deepest first
	for at := filepath.Clean(path); at != filepath.Dir(at); at = filepath.Dir(at) {
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
	defer func() {
		if err != nil {
			remove()
		}
	}()
	name, err := filepath.Rel(within, path)
	if err == nil {
		err = os.MkdirAll(within, 0o777)
	}
	if err == nil {
		dir, err = os.OpenRoot(within)
	}
	if err != nil || name == "." {
		return dir, remove, err
	}
	defer dir.Close()
	if err := dir.MkdirAll(name, 0o777); err != nil {
		return nil, remove, err
	}
	inner, err := dir.OpenRoot(name)
	return inner, remove, err
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
	if err := Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(e) }); err != nil {
		return err
	}
	Keep()
	return nil
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
	Keep()
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
