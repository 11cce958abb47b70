package dataset

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// OpenTestImages lists images to show to networks that were trained elsewhere, from a folder
// or a zip: those that [OpenImages] lists, but of a data set that is split into train and
// test (or val) the latter alone, and of the CIFAR-10 binary batches those of the test
// batch. Where images lie in folders, the first on their way is their class.
func OpenTestImages(name string) (*Images, error) {
	m, err := openImages(name, (*Images).listTest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; give a folder or a zip of images (%s), or the folder cifar-10-batches-bin", name, err, formats)
	}
	return m, nil
}

// listTest finds the images to test on, and their classes.
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
	if err := m.list(base); err != nil {
		return err
	}
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
	if _, err := cifarLength(m.fsys, file); err != nil {
		return err
	}
	return readCIFAR(m.fsys, file, func(label int, planes []uint8) {
		m.names = append(m.names, fmt.Sprintf("%s/%d", cifarTest[0], len(m.names)))
		m.classes, m.records = append(m.classes, names[label]), append(m.records, planes)
	})
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
