package dataset

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// part is which part of a data set a folder holds, by its name.
type part int

const (
	noPart part = iota
	toTrain
	toTest
	toValidate // which is tested on if there is no other
)

var partWords = map[string]part{
	"train": toTrain, "training": toTrain, "trainset": toTrain, "trn": toTrain,
	"test": toTest, "testing": toTest, "testset": toTest, "tst": toTest,
	"val": toValidate, "valid": toValidate, "validation": toValidate, "valset": toValidate, "eval": toValidate, "dev": toValidate,
}

// partWord reads a name such as train, Training, seg_train or flowers-test: which part it
// says, and what else.
func partWord(name string) (p part, rest string) {
	var others []string
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" -_.", r) }) {
		word = strings.TrimRight(word, "0123456789")
		if of := partWords[word]; of != noPart && p == noPart {
			p = of
		} else if !slices.Contains([]string{"", "set", "data", "dataset", "image", "images", "img", "imgs", "split"}, word) {
			others = append(others, word)
		}
	}
	return p, strings.Join(others, " ")
}

// partsOf returns which part each folder holds. A name that says more than that, such as
// test tube, may be a class, unless the same is said of a folder to train on and of one to
// test on.
func partsOf(folders []string) []part {
	parts, rests := make([]part, len(folders)), make([]string, len(folders))
	said := make(map[string][2]bool) // of what else is said: to train on, to test on
	for i, f := range folders {
		parts[i], rests[i] = partWord(f)
		both := said[rests[i]]
		both[0] = both[0] || parts[i] == toTrain
		both[1] = both[1] || parts[i] > toTrain
		said[rests[i]] = both
	}
	for i, rest := range rests {
		if rest != "" && said[rest] != [2]bool{true, true} {
			parts[i] = noPart
		}
	}
	return parts
}

// findSplits returns which folders hold images to train on and to test on, the best
// first of the latter; none if folders are classes. What is neither is passed over.
func findSplits(base string, folders []string) (train string, test, passed []string, err error) {
	var trains, validation []string
	parts := partsOf(folders)
	for i, f := range folders {
		switch parts[i] {
		case toTrain:
			trains = append(trains, f)
		case toTest:
			test = append(test, f)
		case toValidate:
			validation = append(validation, f)
		default:
			passed = append(passed, f)
		}
	}
	test = append(test, validation...)
	switch {
	case len(trains) == 0 && len(test) == 0:
		return "", nil, nil, nil
	case len(trains) == 0:
		return "", nil, nil, fmt.Errorf("%s has a folder %s, but none to train on beside it; call that train, or, if %s is a class, put all classes into folders train and test", where(base), test[0], test[0])
	case len(trains) > 1:
		return "", nil, nil, fmt.Errorf("%s has folders %s, each of which could be to train on; leave one, or give it alone", where(base), strings.Join(trains, " and "))
	case len(test) == 0:
		return "", nil, nil, fmt.Errorf("%s has a folder %s, but neither test nor val beside it; add one, or leave only the class folders to have every sixth image held out", where(base), trains[0])
	}
	return trains[0], test, passed, nil
}

// unwrap goes into folders that hold one other folder alone, and no images.
func unwrap(fsys fs.FS, base string) (string, error) {
	for {
		folders, files, err := list(fsys, base)
		if err != nil || len(folders) != 1 || slices.ContainsFunc(files, isImage) {
			return base, err
		}
		inner := path.Join(base, folders[0])
		_, files, err = list(fsys, inner)
		if err != nil || slices.ContainsFunc(files, isImage) { // a class and not a wrapper
			return base, err
		}
		base = inner
	}
}

// annotations names the file in which tiny-imagenet has the classes of val/images.
const annotations = "val_annotations.txt"

// annotated lists the images of a folder by class, as the annotations in it say.
func annotated(fsys fs.FS, dir string) (classes []string, images [][]string, err error) {
	name := path.Join(dir, annotations)
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, cause(err))
	}
	byClass := make(map[string][]string)
	for i, line := range strings.Split(strings.TrimRight(string(text), "\r\n"), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 || !fs.ValidPath(fields[0]) {
			return nil, nil, fmt.Errorf("%s: line %d does not begin with an image and its class", name, i+1)
		}
		if byClass[fields[1]] == nil {
			classes = append(classes, fields[1])
		}
		byClass[fields[1]] = append(byClass[fields[1]], path.Join(dir, "images", fields[0]))
	}
	slices.Sort(classes)
	for _, class := range classes {
		slices.Sort(byClass[class])
		images = append(images, byClass[class])
	}
	return classes, images, nil
}
