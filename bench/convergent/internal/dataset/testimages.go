package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/natural"
)

// OpenTestImages lists images to show to networks that were trained elsewhere, from a folder
// or a zip: those that [OpenImages] lists, but of a data set that is split into train and
// test (or val) the latter alone, and of the CIFAR-10 binary batches those of the test
// batch. Where images lie in folders, the first on their way is their class.
func OpenTestImages(name string) (*Images, error) {
	m, err := openTestImages(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; give a folder or a zip of images (%s), or the folder cifar-10-batches-bin", name, err, formats)
	}
	return m, nil
}

func openTestImages(name string) (*Images, error) {
	fsys, closing, err := openFS(name)
	if err != nil {
		return nil, err
	}
	m := &Images{path: name, fsys: fsys, closing: closing}
	if err := m.listTest(); err != nil {
		closing()
		return nil, err
	}
	return m, nil
}

func (m *Images) listTest() error {
	base, err := unwrap(m.fsys, ".")
	if err != nil {
		return err
	}
	folders, files, err := list(m.fsys, base)
	if err != nil {
		return err
	}
	if slices.Contains(files, cifarTest[0]) {
		return m.readCIFAR(base)
	}
	if _, tests, _, err := findSplits(base, folders); err == nil && len(tests) > 0 {
		base = path.Join(base, tests[0])
	}
	over := make(passed)
	if m.names, err = walk(m.fsys, base, 0, over); err == nil {
		err = over.unread()
	}
	if err != nil {
		return err
	}
	if len(m.names) == 0 {
		return errors.New("no images in it")
	}
	slices.SortFunc(m.names, natural.Compare)
	for _, name := range m.names {
		class, _, inFolder := strings.Cut(strings.TrimPrefix(name, base+"/"), "/")
		if !inFolder {
			m.classes = nil
			break
		}
		m.classes = append(m.classes, class)
	}
	return nil
}

// readCIFAR reads the test batch.
func (m *Images) readCIFAR(base string) error {
	names, err := cifarNames(m.fsys, base)
	if err != nil {
		return err
	}
	file := path.Join(base, cifarTest[0])
	count, err := cifarLength(m.fsys, file)
	if err != nil {
		return err
	}
	data, err := fs.ReadFile(m.fsys, file)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w; download it again", file, cause(err))
	}
	for i := range count {
		record := data[i*cifarRecord : (i+1)*cifarRecord]
		if int(record[0]) >= len(names) {
			return fmt.Errorf("%s: record %d has the label %d, where 0 to %d are expected; download it again", file, i, record[0], len(names)-1)
		}
		m.records, m.names, m.classes = append(m.records, record[1:]), append(m.names, fmt.Sprintf("%s/%d", cifarTest[0], i)), append(m.classes, names[record[0]])
	}
	return nil
}

// Spread returns the numbers of so many images, spread evenly over all of them, or of all.
func (m *Images) Spread(limit int) []int {
	n := m.Len()
	if limit <= 0 || limit > n {
		limit = n
	}
	all := make([]int, limit)
	for i := range all {
		all[i] = int(int64(i) * int64(n) / int64(limit))
	}
	return all
}
