package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Files of an output folder. Every one is written whole; a stage whose file is
// there is not run again.
const (
	runFile     = "run.json"
	resultsFile = "results.json"
	reportFile  = "report.html"

	NetworksFolder = "nets"
	layersFolder   = "layers"
	figuresFolder  = "figures"
)

// Input is a file that a run read. One that has changed makes another run.
type Input struct {
	Name     string `json:"name"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // nanoseconds since 1970; of a folder, a hash of its files' names, sizes and these, and of a stream one of its bytes
}

// run is what run.json holds: which run a folder belongs to.
type run struct {
	Schema string  `json:"schema"`
	Config Config  `json:"config"`
	Inputs []Input `json:"inputs,omitempty"`

	Version string `json:"version,omitempty"` // of the program that began the run
}

// Folder is an output folder in the hands of one run, which keeps others out.
type Folder struct {
	Dir string

	run       run
	overwrite bool
	claimed   bool
	unlock    func()
	manifest  *artifact.Manifest

	// While results of another run are replaced: their manifest, and the folder of both.
	replaced *artifact.Manifest
	final    string
}

// OpenFolder makes the folder if it is missing, and locks it. It is an error if the folder
// cannot be written to, holds another run's results that are not to be overwritten, or
// holds anything that no run wrote where this one would write. Nothing is changed before
// [Folder.Claim].
//
// A configuration without a fingerprint, whose images are yet to be read, agrees with any.
// The version, which may be empty, is that of the program, for run.json.
func OpenFolder(dir string, c Config, inputs []Input, version string, overwrite bool) (*Folder, error) {
	unlock, err := artifact.Lock(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, run: run{Schema: Schema, Config: c, Inputs: inputs, Version: version}, overwrite: overwrite, unlock: unlock}
	if f.manifest, err = artifact.Own(dir); err == nil {
		if _, missing := os.Lstat(f.Path(readyFolder)); missing == nil {
			err = f.takePlace() // which was stopped
		}
	}
	if err == nil {
		_, err = f.owned()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadConfig returns the configuration of the run that a folder belongs to.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, runFile)
	var r run
	err := readJSON(path, &r)
	if err == nil && r.Schema != Schema {
		err = fmt.Errorf("%s: of another version, %s", path, r.Schema)
	}
	return r.Config, err
}

// Close lets other runs in. A run that failed before it wrote anything leaves nothing. The
// error is that of writing the manifest.
func (f *Folder) Close() (err error) {
	if f.claimed && f.empty() {
		os.Remove(f.Path(runFile))
	}
	if f.manifest != nil {
		err = f.manifest.Close()
	}
	if f.replaced != nil {
		err = errors.Join(err, f.replaced.Close())
		os.Remove(f.Dir) // which fails if anything was written
	}
	f.unlock()
	return err
}

// empty reports whether no run has written anything beside run.json.
func (f *Folder) empty() bool {
	for _, name := range outputs() {
		if _, err := os.Lstat(f.Path(name)); err == nil {
			return false
		}
	}
	return true
}

// Path returns the path of a file in the folder.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.Dir}, name...)...)
}

// Layer returns the path of a file of a layer.
func (f *Folder) Layer(layer string, name ...string) string {
	return f.Path(append([]string{layersFolder, artifact.FileName(layer)}, name...)...)
}

// owned reports whether the folder holds a part of this run.
func (f *Folder) owned() (bool, error) {
	path := f.Path(runFile)
	var other run
	err := readJSON(path, &other)
	switch {
	case errors.Is(err, os.ErrNotExist):
		for _, name := range outputs() {
			name = f.Path(name)
			if _, err := os.Lstat(name); err == nil {
				return false, fmt.Errorf("%s is in the way: without %s it is not known to be from a run; choose another folder with -out", name, path)
			}
		}
		return false, nil
	case err != nil || !strings.HasPrefix(other.Schema, schemaFamily):
		return false, fmt.Errorf("%s is in the way: it is not a run's, or of an earlier version; choose another folder with -out", path)
	case f.empty():
		return false, nil // a run that wrote nothing owns nothing
	case other.Schema != Schema:
		return f.otherRun("of another version, " + other.Schema)
	}
	if t := f.run.Config.Training; t != nil && t.Fingerprint == "" && other.Config.Training != nil {
		other.Config.Training.Fingerprint = ""
	}
	if d := difference(reflect.ValueOf(other.Config), reflect.ValueOf(f.run.Config)); d != "" {
		return f.otherRun(d)
	}
	if d := changed(other.Inputs, f.run.Inputs); d != "" {
		return f.otherRun(d)
	}
	return true, nil
}

// otherRun is an error, unless another run's results are to be replaced.
func (f *Folder) otherRun(difference string) (bool, error) {
	if f.overwrite {
		return false, nil
	}
	return false, fmt.Errorf("%s holds another run's results (%s); choose another folder with -out, or -overwrite to replace them", f.Dir, difference)
}

// changed names the first input that is another file than before, or returns "".
func changed(before, now []Input) string {
	for i, input := range now {
		if i >= len(before) || before[i] != input {
			return input.Name + " has changed since"
		}
	}
	if len(before) > len(now) {
		return before[len(now)].Name + " was read, too"
	}
	return ""
}

// Claim marks the folder as that of a run of this configuration, by now complete, and
// removes what one that was killed while writing left in it. Another run's results are
// replaced by [Folder.Commit]: what their manifest lists, and nothing else. What stands
// where a result would go, and is not in the manifest, is an error.
func (f *Folder) Claim(c Config) error {
	f.run.Config = c
	owned, err := f.owned()
	if err != nil {
		return err
	}
	for _, name := range append(outputs(), runFile) {
		if info, err := os.Lstat(f.Path(name)); err == nil && !info.IsDir() {
			if err := f.manifest.Foreign(name); err != nil {
				return err
			}
		}
	}
	if owned {
		return errors.Join(f.discard(), f.sweep())
	}
	if _, err := os.Lstat(f.Path(runFile)); err == nil && !f.empty() {
		return f.stage()
	}
	return f.begin()
}

// begin removes what the manifest lists, and marks the folder as that of this run.
func (f *Folder) begin() error {
	if err := f.manifest.Remove(); err != nil {
		return err
	}
	f.claimed = true
	return artifact.WriteJSON(f.Path(runFile), f.run)
}

// sweep removes parts of files that a killed run left.
func (f *Folder) sweep() error {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, pattern := range []string{".", NetworksFolder, layersFolder, layersFolder + "/*", layersFolder + "/*/*", figuresFolder} {
		folders, _ := fs.Glob(root.FS(), pattern)
		for _, name := range folders {
			folder, err := root.OpenRoot(name)
			if err != nil {
				continue // a file, or a link that leads out
			}
			err = artifact.Sweep(folder, ".")
			folder.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// outputs names what a run and its report write beside run.json.
func outputs() []string {
	return append([]string{NetworksFolder, layersFolder, figuresFolder, resultsFile, reportFile}, tableFiles...)
}

// Resume returns what a file of the folder holds, if this run sealed it before and it is
// whole; else what compute returns, which it seals together with files beside it.
func Resume[T any](path string, beside []string, compute func() (T, error)) (T, error) {
	v, ok, err := Resumed[T](path)
	if err != nil || ok {
		return v, err
	}
	if v, err = compute(); err != nil {
		return v, err
	}
	return v, artifact.Seal(path, v, beside...)
}

// Resumed returns what [Resume] left in a file; false if there is none, or it or a file
// that was sealed with it is damaged.
func Resumed[T any](path string) (v T, ok bool, err error) {
	err = artifact.Unseal(path, &v)
	if errors.Is(err, os.ErrNotExist) {
		return v, false, nil
	}
	return v, err == nil, err
}

// difference names the first field in which two values of one type differ, by its JSON
// path, or returns "".
func difference(a, b reflect.Value) string {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return ""
	}
	if a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil() {
		return difference(a.Elem(), b.Elem())
	}
	if a.Kind() != reflect.Struct {
		text := func(v reflect.Value) string {
			if v.Kind() == reflect.Pointer {
				if v.IsNil() {
					return "none"
				}
				return "some"
			}
			return fmt.Sprint(v.Interface())
		}
		return fmt.Sprintf("%s instead of %s", text(a), text(b))
	}
	for i := range a.NumField() {
		if d := difference(a.Field(i), b.Field(i)); d != "" {
			if k := a.Field(i).Kind(); k == reflect.Struct || k == reflect.Pointer && !a.Field(i).IsNil() && !b.Field(i).IsNil() {
				return d // which names a field of its own
			}
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			return name + " " + d
		}
	}
	return ""
}

func readJSON(path string, v any) error {
	data, err := artifact.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
