package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/convergent-go/convergent/internal/artifact"
)

// A run that replaces another's results works in a folder within theirs, and takes their
// place when it is done: one that fails, or is stopped, has replaced nothing.
const (
	nextFolder  = ".next"  // in which it works
	readyFolder = ".ready" // the same when it is complete
)

// stage has f work within the folder whose results it replaces. It goes on there if it was
// there before.
func (f *Folder) stage() error {
	if err := f.manifest.Removable(); err != nil {
		return err
	}
	f.replaced, f.final = f.manifest, f.Dir
	f.Dir = filepath.Join(f.final, nextFolder)
	var err error
	if f.manifest, err = artifact.Own(f.Dir); err != nil {
		return err
	}
	var before run
	if err := readJSON(f.Path(runFile), &before); err == nil {
		before.Version = f.run.Version
		if reflect.DeepEqual(before, f.run) {
			return f.sweep()
		}
	}
	return f.begin()
}

// Commit puts complete results in the place of those that they replace, if they do.
func (f *Folder) Commit() error {
	if f.replaced == nil {
		return nil
	}
	if err := f.manifest.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Dir, filepath.Join(f.final, readyFolder)); err != nil {
		return err
	}
	f.Dir, f.manifest, f.replaced = f.final, f.replaced, nil
	return f.takePlace()
}

// takePlace moves what is ready into its place, after what it replaces is removed. It can
// be called again if it was stopped.
func (f *Folder) takePlace() error {
	ready := f.Path(readyFolder)
	list, err := artifact.Own(ready)
	if err != nil {
		return err
	}
	defer func() { list.Disown() }()
	if _, err := os.Lstat(filepath.Join(ready, artifact.ManifestFile)); err == nil {
		if err := f.manifest.Remove(); err != nil {
			return err
		}
		root, err := os.OpenRoot(f.Dir)
		if err != nil {
			return err
		}
		defer root.Close()
		for _, name := range append(list.Names(), artifact.ManifestFile) { // which comes last
			from, to := filepath.Join(readyFolder, filepath.FromSlash(name)), filepath.FromSlash(name)
			if _, err := root.Lstat(from); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := f.manifest.Foreign(name); err != nil {
				return err
			}
			if err := root.MkdirAll(filepath.Dir(to), 0o777); err != nil {
				return err
			}
			if err := root.Rename(from, to); err != nil {
				return err
			}
		}
	}
	removeEmpty(ready)
	f.manifest, err = artifact.Own(f.Dir)
	return err
}

// discard removes what an interrupted replacement left, which is not wanted any more.
func (f *Folder) discard() error {
	dir := f.Path(nextFolder)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	m, err := artifact.Own(dir)
	if err != nil {
		return err
	}
	defer m.Disown()
	err = m.Remove()
	removeEmpty(dir)
	return err
}

// removeEmpty removes a folder and those in it, as far as they hold no file.
func removeEmpty(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			removeEmpty(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir)
}
