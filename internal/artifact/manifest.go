package artifact

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// ManifestFile lists what a run wrote into its folder, as sha256sum does.
const ManifestFile = "files.sha256"

// Manifest lists the files that a run wrote into a folder, with their checksums: these
// alone are its own, to be replaced or removed. Each stands in it before it is in its
// place, so that none is lost when a writer is killed.
type Manifest struct {
	dir string

	mu   sync.Mutex
	sums map[string][]string // by path in the folder, with slashes: the last is the newest
}

// manifests are those of the folders that this process owns, by their absolute paths.
var manifests sync.Map

var manifestLine = regexp.MustCompile(`^([0-9a-f]{64})  (.+)$`)

// Own reads the manifest of a folder, empty if there is none. Until it is closed, Write
// records in it what it writes into the folder, and refuses to replace anything else. No
// other process may own the folder: see Lock.
func Own(dir string) (*Manifest, error) {
	m := &Manifest{dir: dir, sums: make(map[string][]string)}
	text, err := ReadFile(m.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		// A last line that is cut short is of a file that is not there.
		if line := manifestLine.FindStringSubmatch(s.Text()); line != nil && fs.ValidPath(line[2]) {
			m.sums[line[2]] = append(m.sums[line[2]], line[1])
		}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	manifests.Store(abs, m)
	return m, nil
}

func (m *Manifest) path() string { return filepath.Join(m.dir, ManifestFile) }

// manifestOf returns that of the folder that a path is in, if this process owns it, and the
// path in the folder.
func manifestOf(path string) (*Manifest, string) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, ""
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if m, ok := manifests.Load(dir); ok {
			rel, err := filepath.Rel(dir, abs)
			if err != nil {
				return nil, ""
			}
			return m.(*Manifest), filepath.ToSlash(rel)
		}
		if dir == filepath.Dir(dir) {
			return nil, ""
		}
	}
}

// Foreign returns an error if something is at a path in the folder that no run wrote.
func (m *Manifest) Foreign(name string) error {
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular() || m.sums[name] == nil:
		return fmt.Errorf("%s is in the way: it is not in %s, which lists what runs wrote here; move it, or choose another folder with -out", path, m.path())
	}
	return nil
}

// record says that a file is about to be put in its place.
func (m *Manifest) record(name, sum string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, err := os.OpenRoot(m.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	f, err := dir.OpenFile(ManifestFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(f, "%s  %s\n", sum, name); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	m.sums[name] = append(m.sums[name], sum)
	return nil
}

// Remove removes the files that are listed, and folders that are empty then. If one is not
// as it was written, that is an error and nothing is removed.
func (m *Manifest) Remove() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.remove(m.names()); err != nil {
		return err
	}
	err := os.Remove(m.path())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// Removable returns the error that Remove would, and removes nothing.
func (m *Manifest) Removable() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.present(m.names())
	return err
}

// RemoveWithin is Remove of what is listed in a folder within, whose path has slashes.
func (m *Manifest) RemoveWithin(folder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.remove(slices.DeleteFunc(m.names(), func(name string) bool { return !strings.HasPrefix(name, folder+"/") }))
}

// Remove removes a file that was written into a folder that this process owns, if it is there. It
// is an error if it is not as it was written.
func Remove(path string) error {
	m, name := manifestOf(path)
	if m == nil {
		return fmt.Errorf("%s: in no folder of a run", path)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sums[name] == nil {
		return nil
	}
	return m.remove([]string{name})
}

// present returns those of the listed files that are there. It is an error if one is not as it was
// written.
func (m *Manifest) present(names []string) (own []string, err error) {
	for _, name := range names {
		path := filepath.Join(m.dir, filepath.FromSlash(name))
		if inside, err := confined(m.dir, name); err != nil || !inside {
			return nil, fmt.Errorf("%s: a link in it leads out of %s; remove that", path, m.dir)
		}
		is, err := m.is(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !is {
			return nil, fmt.Errorf("%s has changed since a run wrote it; move it, or choose another folder with -out", path)
		}
		own = append(own, name)
	}
	return own, nil
}

// remove removes listed files, and folders that are empty then.
func (m *Manifest) remove(names []string) error {
	own, err := m.present(names)
	if err != nil {
		return err
	}
	folders := make(map[string]bool)
	if len(own) > 0 {
		dir, err := os.OpenRoot(m.dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		for _, name := range own {
			if err := dir.Remove(filepath.FromSlash(name)); err != nil {
				return err
			}
			for at := path.Dir(name); at != "."; at = path.Dir(at) {
				folders[at] = true
			}
		}
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(folders))) {
			dir.Remove(filepath.FromSlash(name)) // which fails if something is in it
		}
	}
	for _, name := range names {
		delete(m.sums, name)
	}
	return nil
}

// confined reports whether a path in a folder leads through no link.
func confined(dir, name string) (bool, error) {
	parts := strings.Split(name, "/")
	for i := range len(parts) - 1 {
		info, err := os.Lstat(filepath.Join(dir, filepath.Join(parts[:i+1]...)))
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err != nil || !info.IsDir() {
			return false, err
		}
	}
	return true, nil
}

// is reports whether a file is as a run wrote it.
func (m *Manifest) is(name string) (bool, error) {
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	own, err := sumOf(path)
	return err == nil && slices.Contains(m.sums[name], own), err
}

// sumOf is the checksum of a file, which is read piece by piece.
func sumOf(path string) (string, error) {
	f, _, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// Names are the paths that are listed, sorted.
func (m *Manifest) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names()
}

func (m *Manifest) names() []string { return slices.Sorted(maps.Keys(m.sums)) }

// Disown ends what Own began, and leaves the manifest as it is.
func (m *Manifest) Disown() {
	if abs, err := filepath.Abs(m.dir); err == nil {
		manifests.Delete(abs)
	}
}

// Close disowns the folder and writes the manifest anew: sorted, one line for each file
// that is there. If there is none it is removed.
func (m *Manifest) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Disown()
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m.sums)) {
		path := filepath.Join(m.dir, filepath.FromSlash(name))
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		sums := m.sums[name]
		newest := sums[len(sums)-1]
		if len(sums) > 1 { // a writer that was killed did not put the newest in its place
			is, err := sumOf(path)
			if err != nil {
				return err
			}
			if slices.Contains(sums, is) { // else it has changed
				newest = is
			}
		}
		fmt.Fprintf(&text, "%s  %s\n", newest, name)
	}
	if text.Len() == 0 {
		if err := os.Remove(m.path()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return put(m.path(), m.dir, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	}, nil)
}
