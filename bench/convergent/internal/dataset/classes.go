package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"

	"github.com/convergent-go/convergent/internal/natural"
)

// heldOut is the share, one in so many, that is held out for testing where there
// are no folders for it.
const heldOut = 6

// loadClasses loads images that lie in a folder for each class.
func loadClasses(ctx context.Context, fsys fs.FS, base string, folders []string, o OpenOptions) (*Set, error) {
	var (
		classes     []string
		train, test [][]string // names of images, by class
		notes       []string
	)
	over := make(passed)
	trainFolder, testFolders, others, err := findSplits(base, folders)
	if err != nil {
		return nil, err
	}
	if trainFolder != "" {
		classes, train, err = classImages(fsys, path.Join(base, trainFolder), over)
		if err != nil {
			return nil, err
		}
		var testFolder string
		testFolder, test, err = testImages(fsys, base, trainFolder, testFolders, classes, over)
		if err != nil {
			return nil, err
		}
		others = append(others, slices.DeleteFunc(testFolders, func(f string) bool { return f == testFolder })...)
		if len(others) > 0 {
			notes = append(notes, fmt.Sprintf("images of %s and %s are read, and not those of %s", trainFolder, testFolder, strings.Join(others, ", ")))
		}
	} else {
		var all [][]string
		classes, all, err = classImages(fsys, base, over)
		if err != nil {
			return nil, err
		}
		train, test, err = holdOut(base, classes, all)
		if err != nil {
			return nil, err
		}
	}
	if len(classes) < 2 {
		return nil, fmt.Errorf("%s has images of one class only, %q; at least two are needed, each in a folder of its own", where(base), classes[0])
	}
	if err := over.unread(); err != nil {
		return nil, err
	}
	if len(over) > 0 {
		notes = append(notes, fmt.Sprintf("files that are no images are passed over: %v", over))
	}
	trainNames, trainLabels := inTurn(train, o.TrainLimit)
	testNames, testLabels := inTurn(test, o.TestLimit)
	s := newSet("", o.Size, classes, trainLabels, testLabels)
	var turned atomic.Int64
	names := slices.Concat(trainNames, testNames)
	j := newJob(ctx, len(names), o)
	err = j.each(len(names), func(i int, d *decoder) error {
		p, at := &s.Train, i
		if i >= len(trainNames) {
			p, at = &s.Test, i-len(trainNames)
		}
		err := d.read(p.at(at), fsys, names[i], o.Size)
		if err == nil && d.orientation != 1 {
			turned.Add(1)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if n := turned.Load(); n > 0 {
		notes = append(notes, natural.Count(n, "image")+" to be turned or mirrored, as EXIF says, and not turned, as in PyTorch's ImageFolder")
	}
	s.Notes = notes
	return s, nil
}

// testImages lists the images to test on, class by class, and names their folder: the
// first of some that has the classes, in folders or annotated.
func testImages(fsys fs.FS, base, train string, folders, classes []string, over passed) (folder string, images [][]string, err error) {
	var errs []error
	for _, folder := range folders {
		dir := path.Join(base, folder)
		own := make(passed)
		list := func(fsys fs.FS, dir string) ([]string, [][]string, error) { return classImages(fsys, dir, own) }
		if _, err := fs.Stat(fsys, path.Join(dir, annotations)); err == nil {
			list = annotated
		}
		testClasses, images, err := list(fsys, dir)
		if err == nil {
			err = sameClasses(train, classes, folder, testClasses)
		}
		if err == nil {
			over.addAll(own)
			return folder, images, nil
		}
		errs = append(errs, err)
	}
	return "", nil, errors.Join(errs...)
}

// classImages lists the class folders of a folder, and the images of each.
func classImages(fsys fs.FS, base string, over passed) (classes []string, images [][]string, err error) {
	if base, err = unwrap(fsys, base); err != nil {
		return nil, nil, err
	}
	classes, files, err := list(fsys, base)
	if err != nil {
		return nil, nil, err
	}
	flat := 0
	for _, f := range files {
		if isImage(f) {
			flat++
		} else if isUnreadImage(f) {
			over.add(f)
		}
	}
	switch {
	case flat > 0:
		return nil, nil, fmt.Errorf("%s: %d images of no class, such as %s; put the images of each class into a folder there, or remove them", where(base), flat, files[slices.IndexFunc(files, isImage)])
	case len(classes) == 0:
		return nil, nil, fmt.Errorf("%s holds no class folders; put the images of each class into a folder there", base)
	}
	for _, class := range classes {
		dir := path.Join(base, class)
		within := make(passed)
		names, err := walk(fsys, dir, 0, within)
		if err != nil {
			return nil, nil, err
		}
		if len(names) == 0 {
			if err := within.unread(); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", dir, err)
			}
			return nil, nil, fmt.Errorf("%s: a class folder without images (%s); add some, or remove the folder", dir, formats)
		}
		over.addAll(within)
		images = append(images, names)
	}
	return classes, images, nil
}

// sameClasses reports the first class that one part has and the other lacks.
func sameClasses(a string, as []string, b string, bs []string) error {
	for _, class := range as {
		if !slices.Contains(bs, class) {
			return missing(class, a, b, bs)
		}
	}
	for _, class := range bs {
		if !slices.Contains(as, class) {
			return missing(class, b, a, as)
		}
	}
	return nil
}

// missing says that a class of a is not in b, and which it may be that looks the same.
func missing(class, a, b string, bs []string) error {
	for _, other := range bs {
		if norm.NFC.String(other) == norm.NFC.String(class) {
			return fmt.Errorf("class %q is written %+q in %s and %+q in %s; call the folders the same to the last byte", class, class, a, other, b)
		}
	}
	return fmt.Errorf("class %q is in %s but not in %s; both need the same class folders", class, a, b)
}

// holdOut splits the images of every class.
func holdOut(base string, classes []string, all [][]string) (train, test [][]string, err error) {
	train, test = make([][]string, len(all)), make([][]string, len(all))
	for c, names := range all {
		if len(names) < 2 {
			return nil, nil, fmt.Errorf("%s: a class with one image only; at least one to train on and one to test on are needed", path.Join(base, classes[c]))
		}
		for i, name := range names {
			if i%heldOut == 0 {
				test[c] = append(test[c], name)
			} else {
				train[c] = append(train[c], name)
			}
		}
	}
	return train, test, nil
}

// inTurn deals the images of the classes one by one, until there are limit of
// them if limit is positive.
func inTurn(images [][]string, limit int) (names []string, labels []int) {
	total := 0
	for _, of := range images {
		total += len(of)
	}
	if limit > 0 {
		total = min(total, limit)
	}
	for i := 0; len(names) < total; i++ {
		for label, of := range images {
			if i < len(of) && len(names) < total {
				names, labels = append(names, of[i]), append(labels, label)
			}
		}
	}
	return names, labels
}
