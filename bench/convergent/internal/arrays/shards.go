package arrays

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/natural"
)

// Shards are the files that a network's samples are cut into, in order. Each has
// arrays of the same names.
type Shards []*File

// OpenShards opens files, in the order given. A directory stands for the .npy,
// .npz and .safetensors files in it, in natural order: part-2 before part-10.
func OpenShards(paths ...string) (Shards, error) {
	var shards Shards
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			f, err := Open(file)
			if err != nil {
				return nil, err
			}
			shards = append(shards, f)
		}
	}
	if len(shards) == 0 {
		return nil, fmt.Errorf("no files of arrays to read")
	}
	names := shards.Names()
	for _, f := range shards[1:] {
		for _, name := range names {
			if _, err := f.find(name); err != nil {
				return nil, err
			}
		}
		if len(f.Arrays) != len(names) {
			return nil, f.errorf("", "%d arrays, where %s has %d", len(f.Arrays), shards[0].Path, len(names))
		}
	}
	return shards, nil
}

// expand returns the files that a path stands for.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".npy", ".npz", ".safetensors":
			if !strings.HasPrefix(e.Name(), ".") {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .npy, .npz or .safetensors file in this directory", path)
	}
	slices.SortFunc(files, natural.Compare)
	return files, nil
}

// Names returns the names of the arrays, in the order of the first file.
func (s Shards) Names() []string {
	names := make([]string, len(s[0].Arrays))
	for i, a := range s[0].Arrays {
		names[i] = a.Name
	}
	return names
}

// BFloat16 says that what has two bytes and no type is bfloat16, as NumPy saves that of
// ml_dtypes.
func (s Shards) BFloat16() {
	for _, f := range s {
		for _, a := range f.Arrays {
			if a.DType.Kind == Void {
				a.DType.Kind = BFloat
			}
		}
	}
}

// arrays returns the arrays of one name.
func (s Shards) arrays(name string) ([]*Array, error) {
	arrays := make([]*Array, len(s))
	for i, f := range s {
		a, err := f.Array(name)
		if err != nil {
			return nil, err
		}
		arrays[i] = a
	}
	return arrays, nil
}

// Rows opens the arrays of the given name, one after another.
func (s Shards) Rows(name string, layouts Layouts) (*Rows, error) {
	arrays, err := s.arrays(name)
	if err != nil {
		return nil, err
	}
	return Concat(layouts, arrays...)
}

// Labels reads the arrays of the given name, one after another; together they must
// have n entries.
func (s Shards) Labels(name string, n int) ([]string, error) {
	arrays, err := s.arrays(name)
	if err != nil {
		return nil, err
	}
	for _, a := range arrays {
		if err := a.labels(); err != nil {
			return nil, err
		}
	}
	if err := count(arrays, n, "entries"); err != nil {
		return nil, err
	}
	var all []string
	for _, a := range arrays {
		if all, err = a.appendLabels(all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// count checks that arrays have n entries together, called so in the error.
func count(arrays []*Array, n int, entries string) error {
	have := 0
	for _, a := range arrays {
		if have += a.Shape[0]; have < 0 || have > n {
			return a.errorf("more than %d %s, which are wanted", n, entries)
		}
	}
	if have < n {
		return arrays[len(arrays)-1].errorf("%d %s end here, where %d are wanted", have, entries, n)
	}
	return nil
}
