package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// heldOut is the share, one in so many, that is held out for testing where there
// are no folders for it.
const heldOut = 6

func isImage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png":
		return true
	}
	return false
}

// loadClasses loads images that lie in a folder for each class.
func loadClasses(ctx context.Context, fsys fs.FS, base string, folders []string, o OpenOptions) (*Set, error) {
	var (
		classes     []string
		train, test [][]string // names of images, by class
		err         error
	)
	if slices.Contains(folders, "train") {
		testFolder := "test"
		if !slices.Contains(folders, testFolder) {
			testFolder = "val"
		}
		if !slices.Contains(folders, testFolder) {
			return nil, fmt.Errorf("%s has a folder train, but neither test nor val beside it; add one, or leave only the class folders to have every sixth image held out", where(base))
		}
		classes, train, err = classImages(fsys, path.Join(base, "train"))
		if err != nil {
			return nil, err
		}
		var testClasses []string
		testClasses, test, err = classImages(fsys, path.Join(base, testFolder))
		if err != nil {
			return nil, err
		}
		if err := sameClasses("train", classes, testFolder, testClasses); err != nil {
			return nil, err
		}
	} else {
		var all [][]string
		classes, all, err = classImages(fsys, base)
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
	trainNames, trainLabels := inTurn(train, o.TrainLimit)
	testNames, testLabels := inTurn(test, o.TestLimit)
	s := newSet("", o.Size, classes, trainLabels, testLabels)
	j := newJob(ctx, len(trainNames)+len(testNames), o)
	decode := func(p *Part, names []string) error {
		return j.each(len(names), func(i int, d *decoder) error { return d.read(p.at(i), fsys, names[i], o.Size) })
	}
	if err := decode(&s.Train, trainNames); err != nil {
		return nil, err
	}
	if err := decode(&s.Test, testNames); err != nil {
		return nil, err
	}
	return s, nil
}

// classImages lists the class folders of a folder, and the images of each.
func classImages(fsys fs.FS, base string) (classes []string, images [][]string, err error) {
	classes, _, err = list(fsys, base)
	if err != nil {
		return nil, nil, err
	}
	if len(classes) == 0 {
		return nil, nil, fmt.Errorf("%s holds no class folders; put the images of each class into a folder there", base)
	}
	for _, class := range classes {
		dir := path.Join(base, class)
		names, err := walk(fsys, dir, 0)
		if err != nil {
			return nil, nil, err
		}
		if len(names) == 0 {
			return nil, nil, fmt.Errorf("%s: a class folder without images (.jpg, .jpeg, .png); add some, or remove the folder", dir)
		}
		images = append(images, names)
	}
	return classes, images, nil
}

// sameClasses reports the first class that one part has and the other lacks.
func sameClasses(a string, as []string, b string, bs []string) error {
	for _, class := range as {
		if !slices.Contains(bs, class) {
			return fmt.Errorf("class %q is in %s but not in %s; both need the same class folders", class, a, b)
		}
	}
	for _, class := range bs {
		if !slices.Contains(as, class) {
			return fmt.Errorf("class %q is in %s but not in %s; both need the same class folders", class, b, a)
		}
	}
	return nil
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
