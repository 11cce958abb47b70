package comparison

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// manifest says in files of moments what these are of, so that merging finds what is
// missing, given twice or of something else.
type manifest struct {
	First    int      `json:"first"` // shards First to Last of Of, from 1 on; 1 to 1 of 1 without
	Last     int      `json:"last"`
	Of       int      `json:"of"`
	Inputs   []string `json:"inputs"` // checksums of what was read and how
	Networks []origin `json:"networks"`

	path   string   // of the file that it was read from
	names  []string // of networks, there
	layers []string // different ones
}

// origin is the file of a network.
type origin struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256,omitempty"` // of a network that was run
}

// newManifest is that of moments that are made of a source. Of what can be read but once, which
// is not cut into shards, the inputs are not known.
func newManifest(in source.Options, opened source.Source) (*manifest, error) {
	m := &manifest{First: 1, Last: 1, Of: 1}
	if s := in.Shard; s.Of > 0 {
		m.First, m.Last, m.Of = s.Number, s.Number, s.Of
	}
	d, h := opened.Description(), sha256.New()
	settings := activationConfig(in)
	if models, ok := opened.(*source.Models); ok {
		settings.Preprocess = preprocessing(models)
	}
	if err := json.NewEncoder(h).Encode(settings); err != nil {
		return nil, err
	}
	sums := make(map[string]string)
	known := len(d.Files) > 0
	for _, path := range d.Files {
		sum, err := inputSum(path, slices.ContainsFunc(d.Models, func(files []string) bool { return slices.Contains(files, path) }))
		if errors.Is(err, artifact.ErrNotRegular) {
			known = false
			continue
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(h, filepath.Base(path), sum)
		sums[path] = sum
	}
	for i, n := range d.Networks {
		m.Networks = append(m.Networks, origin{File: n.File})
		if d.Models != nil {
			m.Networks[i].SHA256 = modelSum(d.Models[i], sums)
		}
	}
	if known {
		m.Inputs = []string{hex.EncodeToString(h.Sum(nil))}
	} else if in.Shard.Of > 0 {
		return nil, errors.New("-shard: what can be read but once is not cut into shards; make moments of each part that is written")
	}
	return m, nil
}

// ends is how much of either end of a large file its checksum is of: where formats have
// their headers, and zips the checksums of all that is in them.
const ends = 1 << 20

// inputSum is a checksum of a file that is read: of all bytes of networks that are run, of other
// files of the size and the ends, and of a folder the names and sizes of what is in it. It does not
// depend on where that lies, nor on when it was copied there.
func inputSum(path string, whole bool) (string, error) {
	h := sha256.New()
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if info.IsDir() {
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := os.Stat(file)
			if err == nil {
				fmt.Fprintln(h, filepath.ToSlash(file[len(path):]), info.Size())
			}
			return err
		})
		return hex.EncodeToString(h.Sum(nil)), err
	}
	f, info, err := artifact.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size := info.Size()
	fmt.Fprintln(h, size)
	parts := []*io.SectionReader{io.NewSectionReader(f, 0, size)}
	if size > 2*ends && !whole {
		parts = []*io.SectionReader{io.NewSectionReader(f, 0, ends), io.NewSectionReader(f, size-ends, ends)}
	}
	for _, part := range parts {
		if _, err := io.Copy(h, part); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// modelSum is the checksum of the file of a network that is run or, if its weights are in other
// files, one of the checksums of all.
func modelSum(files []string, sums map[string]string) string {
	if len(files) == 1 {
		return sums[files[0]]
	}
	h := sha256.New()
	for _, path := range files {
		fmt.Fprintln(h, sums[path])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (m *manifest) String() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // which strings and numbers are not
	}
	return string(text)
}

// readManifest reads what a file of moments says of itself, and not its moments. What was
// written without a manifest is of one shard of unknown inputs.
func readManifest(path string) (*manifest, error) {
	f, info, err := artifact.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, metadata, err := safetensors.ReadHeader(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m := &manifest{path: path, First: 1, Last: 1, Of: 1}
	if text, ok := metadata["manifest"]; ok {
		if err := json.Unmarshal([]byte(text), m); err != nil {
			return nil, fmt.Errorf("%s: damaged: its manifest: %w", path, err)
		}
		if m.First < 1 || m.Last < m.First || m.Of < m.Last || !m.whole() && len(m.Inputs) != 1 {
			return nil, fmt.Errorf("%s: damaged: its manifest says shards %d to %d of %d, of %d inputs", path, m.First, m.Last, m.Of, len(m.Inputs))
		}
	}
	var networks []struct{ Name, Layer string }
	if err := json.Unmarshal([]byte(metadata["networks"]), &networks); err != nil {
		return nil, fmt.Errorf("%s: not moments: its networks: %w", path, err)
	}
	for _, n := range networks {
		m.names = append(m.names, n.Name)
		if !slices.Contains(m.layers, n.Layer) {
			m.layers = append(m.layers, n.Layer)
		}
	}
	return m, nil
}

// is reports whether a file has the manifest.
func (m *manifest) is(path string) bool {
	own, err := readManifest(path)
	return err == nil && own.String() == m.String()
}

// sound reports whether moments can be read from a file.
func sound(path string) bool {
	_, err := corr.LoadMoments(path)
	return err == nil
}

// whole reports whether no shard is missing.
func (m *manifest) whole() bool { return m.First == 1 && m.Last == m.Of }

// shards says which they are.
func (m *manifest) shards() string { return shardRange(m.First, m.Last, m.Of) }

func shardRange(first, last, of int) string {
	if first == last {
		return fmt.Sprintf("shard %d of %d", first, of)
	}
	return fmt.Sprintf("shards %d to %d of %d", first, last, of)
}
