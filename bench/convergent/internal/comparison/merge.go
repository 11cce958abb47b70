package comparison

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
)

// MergeOptions say how moments are merged.
type MergeOptions struct {
	Partial   bool // shards may be missing, of which the sum is a branch of the tree
	Overwrite bool // replace files that are there already

	MaxMemory int64 // refuse what is estimated to take more bytes; 0: no limit
}

// Merged is a file of merged moments.
type Merged struct {
	File     string
	Networks int
	Count    int64  // observations
	Shards   string // which they are of; empty if none is missing

	// What is not known of files that are no shards: whether networks stand in the same order,
	// and whether a sample is in two files.
	UnknownOrder, UnknownSamples bool
}

// Merge adds moments of different samples of the same networks, and writes them to a file, or
// those of several layers, which folders may have, to one for each in a folder of that name.
//
// Shards are added in pairs of neighbours, these in pairs, and so on, as the leaves of a binary
// tree over their numbers: sums of floating-point numbers depend on the order, and in this one
// a branch has the same bits whether it was merged before or is merged now. Of n shards there
// are no more than log2 n + 2 in memory. Other files are added one after another as they are
// given, those of a folder by their names.
func Merge(ctx context.Context, paths []string, out string, o MergeOptions) ([]Merged, error) {
	layers, err := mergeLayers(paths)
	if err != nil {
		return nil, err
	}
	all := make([]Merged, len(layers))
	for i, l := range layers {
		all[i].File = out
		if len(layers) > 1 {
			all[i].File = filepath.Join(out, artifact.FileName(l.name)+momentsSuffix)
		}
		if err := artifact.Fresh(all[i].File); err != nil && !o.Overwrite {
			return nil, err
		}
		if err := l.check(o.Partial); err != nil && l.name != "" {
			return nil, fmt.Errorf("layer %s: %w", l.name, err)
		} else if err != nil {
			return nil, err
		}
	}
	for _, l := range layers {
		if first := layers[0]; len(l.files) != len(first.files) {
			return nil, fmt.Errorf("%d files are of layer %s, and %d of layer %s: one is missing, or another layer is among them", len(first.files), first.name, len(l.files), l.name)
		}
	}
	for _, l := range layers {
		if err := afford(o.MaxMemory, l.memory(), "raise it"); err != nil {
			return nil, err
		}
	}
	for i, l := range layers {
		m, merged, err := l.merge(ctx)
		if err != nil {
			return nil, err
		}
		m.Manifest = merged.String()
		if err := m.Save(all[i].File); err != nil {
			return nil, err
		}
		all[i].Networks, all[i].Count = m.Networks(), m.Count()
		if !merged.whole() {
			all[i].Shards = merged.shards()
		}
		if !l.shards() {
			_, identified := m.Fingerprint()
			all[i].UnknownOrder, all[i].UnknownSamples = m.Networks() > 1 && slices.Contains(merged.names, ""), !identified
		}
	}
	return all, nil
}

// mergedLayer is the files of a layer.
type mergedLayer struct {
	name  string
	files []*manifest
}

// mergeLayers lists files of moments, of each layer if folders are among them. Files that are
// given are of one layer, and that they are is found when they are added.
func mergeLayers(paths []string) ([]*mergedLayer, error) {
	var files []string
	folders := false
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			files = append(files, path) // an error is that of reading it
			continue
		}
		folders = true
		before := len(files)
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && filepath.Ext(file) == momentsSuffix {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: no files of moments (*%s) are in it", path, momentsSuffix)
		}
	}
	if len(files) < 2 && !folders {
		return nil, errors.New("merge needs two files or more: convergent merge 1.moments 2.moments -o all.moments")
	}
	var layers []*mergedLayer
	byName := make(map[string]*mergedLayer)
	for _, file := range files {
		m, err := readManifest(file)
		if err != nil {
			return nil, err
		}
		name := ""
		if folders {
			name = strings.Join(m.layers, "-")
		}
		if byName[name] == nil {
			byName[name] = &mergedLayer{name: name}
			layers = append(layers, byName[name])
		}
		byName[name].files = append(byName[name].files, m)
	}
	return layers, nil
}

// shards reports whether files are shards, and not all samples of something.
func (l *mergedLayer) shards() bool {
	return slices.ContainsFunc(l.files, func(m *manifest) bool { return !m.whole() })
}

// check puts shards into order, and refuses what would count samples twice or lose some, or
// was made of something else.
func (l *mergedLayer) check(partial bool) error {
	if !l.shards() {
		return l.checkWhole()
	}
	first := l.files[slices.IndexFunc(l.files, func(m *manifest) bool { return !m.whole() })]
	for _, m := range l.files {
		same := slices.Equal(m.Inputs, first.Inputs)
		switch {
		case m.whole() && same:
			return fmt.Errorf("%s has all samples, and %s those of %s, which would count twice", m.path, first.path, first.shards())
		case m.whole():
			return fmt.Errorf("%s is no shard, and %s is %s; merge shards alone, then the sum with others", m.path, first.path, first.shards())
		case !same:
			return fmt.Errorf("%s is a shard of other inputs than %s: of files of other names, sizes or contents, or with other flags", m.path, first.path)
		case m.Of != first.Of:
			return fmt.Errorf("%s is %s, and %s is %s: shards of another cut", m.path, m.shards(), first.path, first.shards())
		}
	}
	slices.SortStableFunc(l.files, func(a, b *manifest) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.Last, a.Last)) })
	next := 1
	var missing []string
	for i, m := range l.files {
		if m.First < next && i > 0 {
			return fmt.Errorf("%s is in both %s and %s", shardRange(m.First, min(m.Last, next-1), m.Of), l.files[i-1].path, m.path)
		}
		if m.First > next {
			missing = append(missing, shardRange(next, m.First-1, m.Of))
		}
		next = m.Last + 1
	}
	if next <= first.Of {
		missing = append(missing, shardRange(next, first.Of, first.Of))
	}
	if partial || missing == nil {
		return nil
	}
	const most = 8
	if n := len(missing) - most; n > 0 {
		missing = append(missing[:most], fmt.Sprintf("and %d more gaps", n))
	}
	return fmt.Errorf("missing: %s; make them, or merge a part of a tree by -partial", strings.Join(missing, ", "))
}

// checkWhole is check of files that are no shards.
func (l *mergedLayer) checkWhole() error {
	from := make(map[string]*manifest) // by inputs
	for _, m := range l.files {
		if m.Inputs == nil { // unknown, but those of a file with the same bytes
			b, err := artifact.ReadFile(m.path)
			if err != nil {
				return err
			}
			m.Inputs = []string{fmt.Sprintf("%x", sha256.Sum256(b))}
		}
		for _, inputs := range m.Inputs {
			if other := from[inputs]; other != nil {
				return fmt.Errorf("%s and %s hold the same samples, which would count twice", other.path, m.path)
			}
			from[inputs] = m
		}
		if err := m.sameNetworks(l.files[0]); err != nil {
			return err
		}
	}
	return nil
}

// memory estimates the bytes that merging takes: the branches that wait for their siblings, one
// that is read, decoded and validated, and one that is written.
func (l *mergedLayer) memory() int64 {
	held := 1
	var paths []string
	for _, m := range l.files {
		paths = append(paths, m.path)
	}
	if l.shards() {
		held = bits.Len(uint(len(paths)))
	}
	const work = 3
	_, largest := momentsSizes(paths)
	return int64(held+work) * largest
}

// merge adds the files up.
func (l *mergedLayer) merge(ctx context.Context) (*corr.Moments, *manifest, error) {
	var branches []*branch // that are not added yet, from left to right
	for _, m := range l.files {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		loaded, err := corr.LoadMoments(m.path)
		if err != nil {
			return nil, nil, err
		}
		branches = append(branches, &branch{manifest: *m, moments: loaded})
		for len(branches) > 1 {
			a, b := branches[len(branches)-2], branches[len(branches)-1]
			if l.shards() && !a.sibling(b) {
				break
			}
			if err := a.add(b); err != nil {
				return nil, nil, err
			}
			branches = branches[:len(branches)-1]
		}
	}
	if len(branches) > 1 {
		var each []string
		for _, b := range branches {
			each = append(each, b.shards())
		}
		return nil, nil, fmt.Errorf("these are %d branches of the tree of shards, which are merged each by itself: %s; a branch has as many shards as a power of two, and begins after a multiple of that", len(each), strings.Join(each, ", "))
	}
	return branches[0].moments, &branches[0].manifest, nil
}

// branch is the moments of shards that are one branch of the tree, or of other files.
type branch struct {
	manifest
	moments *corr.Moments
}

// sibling reports whether b is the other half of what a is the left half of: as many shards,
// or those to the end.
func (a *branch) sibling(b *branch) bool {
	before, n := a.First-1, a.Last-a.First+1
	return n&(n-1) == 0 && before%(2*n) == 0 && b.First == a.Last+1 && b.Last == min(before+2*n, a.Of)
}

// add adds what follows.
func (a *branch) add(b *branch) error {
	if err := a.moments.Merge(b.moments); err != nil {
		return fmt.Errorf("%s: %w", b.path, err)
	}
	if a.whole() { // and so is the other
		a.First, a.Last, a.Of = 1, 1, 1
		a.Inputs = slices.Concat(a.Inputs, b.Inputs)
		return nil
	}
	a.Last = b.Last
	return nil
}

// sameNetworks returns an error if the files of networks say that these are not those of
// another file, in the same order.
func (m *manifest) sameNetworks(o *manifest) error {
	if len(m.Networks) != len(o.Networks) || !slices.Contains(m.names, "") && !slices.Contains(o.names, "") {
		return nil // which other checks are about
	}
	own, others := partNames(m.Networks), partNames(o.Networks)
	for i, n := range m.Networks {
		of := o.Networks[i]
		if n.SHA256 != "" && of.SHA256 != "" {
			if n.SHA256 != of.SHA256 {
				return fmt.Errorf("network %d is %s in %s and %s in %s, which have other bytes; give the same networks in the same order", i+1, n.File, m.path, of.File, o.path)
			}
			continue
		}
		if k := slices.Index(others, own[i]); k >= 0 && own[i] != others[i] {
			return fmt.Errorf("network %d is of %s in %s, and network %d of %s in %s; give networks in the same order, or name them by -names", i+1, n.File, m.path, k+1, o.Networks[k].File, o.path)
		}
	}
	return nil
}

var digits = regexp.MustCompile(`[0-9]+`)

// partNames returns what files of networks are called but for the numbers that all of them
// have in common, which may well be that of a part: net1- and net2- of net1-7 and net2-7.
func partNames(files []origin) []string {
	names, numbers := make([]string, len(files)), make([][]string, len(files))
	for i, f := range files {
		names[i], numbers[i] = f.File, digits.FindAllString(f.File, -1)
	}
	for i := range names {
		k := -1 // which number it is
		names[i] = digits.ReplaceAllStringFunc(names[i], func(number string) string {
			k++
			if slices.ContainsFunc(numbers, func(other []string) bool { return k >= len(other) || other[k] != number }) {
				return number
			}
			return ""
		})
	}
	return names
}
