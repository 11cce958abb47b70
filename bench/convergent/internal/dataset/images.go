package dataset

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/internal/natural"
)

// Images is a list of images, of any sizes, which are decoded when they are asked
// for. Its methods may be called at the same time.
type Images struct {
	path    string
	fsys    fs.FS
	closing func() error
	names   []string
	records [][]uint8 // of CIFAR-10, instead of files
	classes []string  // of each image; nil if they are not known
}

// OpenImages lists the images in a folder or a zip, of the formats of [Open], at any
// depth, in the natural order of their paths: img-2.png before img-10.png. What is hidden
// is passed over, as are files that are no images; images of other formats are an error.
// Close what it returns.
func OpenImages(path string) (*Images, error) {
	m, err := openImages(path, func(m *Images) error { return m.list(".") })
	if err != nil {
		return nil, fmt.Errorf("%s: %w; give a folder or a zip of images (%s)", path, err, formats)
	}
	return m, nil
}

// openImages opens a folder or a zip, in which list finds the images.
func openImages(path string, list func(*Images) error) (*Images, error) {
	fsys, closing, err := openFS(path)
	if err != nil {
		return nil, err
	}
	m := &Images{path: path, fsys: fsys, closing: closing}
	if err := list(m); err != nil {
		closing()
		return nil, err
	}
	return m, nil
}

// list finds the images below base.
func (m *Images) list(base string) error {
	over := make(passed)
	names, err := walk(m.fsys, base, 0, over)
	if err == nil {
		err = over.unread()
	}
	if err == nil && len(names) == 0 {
		err = errors.New("no images in it")
	}
	slices.SortFunc(names, natural.Compare)
	m.names = names
	return err
}

// Close ends the use of the zip.
func (m *Images) Close() error { return m.closing() }

// Len returns the number of images.
func (m *Images) Len() int { return len(m.names) }

// Name returns the path of image i within the folder or zip, with slashes.
func (m *Images) Name(i int) string { return m.names[i] }

// Class returns the name of the class of image i, "" if it is not known.
func (m *Images) Class(i int) string {
	if m.classes == nil {
		return ""
	}
	return m.classes[i]
}

// Image decodes image i. The error names its file.
func (m *Images) Image(i int) (image.Image, error) {
	if m.records != nil {
		return cifarImage(m.records[i]), nil
	}
	decoded, err := new(decoder).decode(m.fsys, m.names[i])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return decoded, nil
}

// Ordered checks that there is an image for each of so many samples, which go
// together by their order.
func (m *Images) Ordered(samples int) error {
	if m.Len() != samples {
		return fmt.Errorf("%s has %d images and there are %d samples; give ids of the samples that name their images, or one image for each, in order", m.path, m.Len(), samples)
	}
	return nil
}

// Match returns which image each sample is of, by its id: the image's path within
// the folder or zip, else the end of its path, such as the name of the file, else
// either without its ending. An id can also be a path from elsewhere that
// ends with the image's whole path. Samples of one image have the same id. An id
// that is of no image, or could be of several, is an error.
func (m *Images) Match(ids []string) ([]int, error) {
	find := m.finder()
	matched := make([]int, len(ids))
	taken := make(map[int]string)
	var missing []string
	for i, id := range ids {
		k, count := find(id)
		switch other, known := taken[k]; {
		case count == 0:
			missing = append(missing, id)
		case count > 1:
			return nil, fmt.Errorf("%s: id %q could be of %s or of another image; give paths within it", m.path, id, m.names[k])
		case known && other != id:
			return nil, fmt.Errorf("%s: ids %q and %q are both of %s; give paths within it", m.path, other, id, m.names[k])
		default:
			matched[i], taken[k] = k, id
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: no image for %d of %d ids, such as %q; ids are paths within it, or names of files", m.path, len(missing), len(ids), missing[:min(3, len(missing))])
	}
	return matched, nil
}

// index holds which images have a name: the first, and how many do.
type index map[string]struct{ image, count int }

// add adds an image by all ends of a path.
func (x index) add(p string, image int) {
	for more := true; more; _, p, more = strings.Cut(p, "/") {
		f := x[p]
		if f.count++; f.count == 1 {
			f.image = image
		}
		x[p] = f
	}
}

// finder returns a function that finds the first image of an id, and how many could
// be meant.
func (m *Images) finder() func(id string) (image, count int) {
	whole, ends, stems := make(map[string]int), make(index), make(index)
	for i, name := range m.names {
		whole[name] = i
		ends.add(name, i)
		stems.add(strings.TrimSuffix(name, path.Ext(name)), i)
	}
	return func(id string) (image, count int) {
		id = path.Clean(id)
		if i, known := whole[id]; known {
			return i, 1
		}
		if f := ends[id]; f.count > 0 {
			return f.image, f.count
		}
		if f := stems[id]; f.count > 0 {
			return f.image, f.count
		}
		for more := true; more; _, id, more = strings.Cut(id, "/") {
			if i, known := whole[id]; known {
				return i, 1
			}
		}
		return 0, 0
	}
}
