package dataset

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/par"
)

// OpenOptions says how much of a data set to load, and at what size. The zero
// value loads all of it at 32x32.
type OpenOptions struct {
	TrainLimit int // at most so many training images, spread evenly over the classes; 0 means all
	TestLimit  int // the same for the test images
	Size       int // height and width of the images in pixels; 0 means 32
	Threads    int // that decode at a time; 0 means all cores

	// Progress, when set, is told of every image. Its calls do not overlap.
	Progress func(done, total int)
}

// what Open accepts, for the ends of its error messages.
const accepted = "give a folder or a zip of images by class, {train,test}/CLASS/*.jpg or CLASS/*.png, or the folder cifar-10-batches-bin"

// Open loads images with labels from a folder or a zip, which holds one of
//
//   - train/CLASS/* and test/CLASS/* (or val/CLASS/*), the same classes in both,
//     whatever the case of train and test, and with other words (seg_train, Training);
//   - CLASS/*, where of each class every sixth image by name, beginning with the
//     first, is held out for testing;
//   - the CIFAR-10 binary batches: data_batch_1.bin to data_batch_5.bin,
//     test_batch.bin and perhaps batches.meta.txt.
//
// One folder about all that does no harm. Images are JPEG, PNG, GIF (the first of
// several), BMP, TIFF and WebP files at any depth below their class. Other files are
// passed over and counted in the Notes of the set, unless they are images too, which is
// an error; so are those whose names begin with a dot, without a word. Classes and images are taken in the order of
// their names, one of each class in turn, so a limit takes the first of every
// class; from CIFAR-10 batches, in the order of the file.
//
// Images are cropped to the square in their middle and averaged over areas to
// Size x Size, as they lie: what EXIF says of their orientation is counted in the Notes
// and not applied, as other programs that train networks do not. Grey and palette images become RGB; transparency shows black.
//
// Open reads the whole set or returns an error that names each file at fault and what
// to do about it. When ctx ends, it returns the error of ctx, wrapped. It panics if a
// number in o is negative.
func Open(ctx context.Context, path string, o OpenOptions) (*Set, error) {
	if o.TrainLimit < 0 || o.TestLimit < 0 || o.Size < 0 {
		panic("dataset: negative limit or size")
	}
	if o.Size == 0 {
		o.Size = side
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Name = path
	s.Norm = s.Train.Stats()
	return s, nil
}

func open(ctx context.Context, name string, o OpenOptions) (*Set, error) {
	fsys, closing, err := openFS(name)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, accepted)
	}
	defer closing()
	return load(ctx, fsys, o)
}

// openFS opens a folder or a zip, which is to be closed.
func openFS(name string) (fsys fs.FS, closing func() error, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, cause(err)
	}
	if info.IsDir() {
		return folder{os.DirFS(name)}, func() error { return nil }, nil
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("neither a folder nor a file")
	}
	z, err := zip.OpenReader(name)
	if errors.Is(err, zip.ErrFormat) {
		return nil, nil, errors.New("neither a folder nor a whole zip")
	} else if err != nil {
		return nil, nil, cause(err)
	}
	if err := rename(&z.Reader); err != nil {
		z.Close()
		return nil, nil, err
	}
	return z, z.Close, nil
}

// folder is a folder of which pipes and devices, which may have no end or wait for ever,
// cannot be opened.
type folder struct{ fs.FS }

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: artifact.ErrNotRegular}
	}
	return f.FS.Open(name)
}

// ReadDir implements fs.ReadDirFS.
func (f folder) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// Stat implements fs.StatFS.
func (f folder) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

// cause leaves out of a system error the path that Open names anyway.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// load finds out which kind of data set the files are.
func load(ctx context.Context, fsys fs.FS, o OpenOptions) (*Set, error) {
	base, err := unwrap(fsys, ".")
	if err != nil {
		return nil, err
	}
	folders, files, err := list(fsys, base)
	if err != nil {
		return nil, err
	}
	switch {
	case slices.Contains(files, cifarTrain[0]):
		return loadCIFAR(ctx, fsys, base, o)
	case len(folders) == 0:
		return nil, fmt.Errorf("no folders of images in it; %s", accepted)
	}
	return loadClasses(ctx, fsys, base, folders, o)
}

// list names the folders and the files in a folder, sorted, without the hidden.
func list(fsys fs.FS, dir string) (folders, files []string, err error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: cannot be listed: %w; make it readable, or pack it again", where(dir), cause(err))
	}
	for _, e := range entries {
		switch {
		case hidden(e.Name()):
		case e.IsDir() || isLink(fsys, path.Join(dir, e.Name()), e):
			folders = append(folders, e.Name())
		default:
			files = append(files, e.Name())
		}
	}
	return folders, files, nil
}

// isLink reports whether an entry of a folder, of the given path, is a link to a
// folder.
func isLink(fsys fs.FS, name string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// maxLinks is how many links to folders may lead to an image, one in another.
const maxLinks = 8

// walk lists the images in a folder at any depth, folder by folder and sorted,
// without the hidden, and counts what else there is. So many links led to it.
func walk(fsys fs.FS, dir string, links int, over passed) (names []string, err error) {
	if links > maxLinks {
		return nil, fmt.Errorf("%s: a link in a link, %d times; remove the one that goes round", dir, links)
	}
	err = fs.WalkDir(fsys, dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: cannot be listed: %w; make it readable, or pack it again", where(name), cause(err))
		case hidden(e.Name()) && e.IsDir():
			return fs.SkipDir
		case hidden(e.Name()):
		case isLink(fsys, name, e):
			linked, err := walk(fsys, name, links+1, over)
			names = append(names, linked...)
			return err
		case e.IsDir():
		case isImage(name):
			names = append(names, name)
		default:
			over.add(name)
		}
		return nil
	})
	return names, err
}

// where names a folder in a message.
func where(dir string) string {
	if dir == "." {
		return "the top folder"
	}
	return dir
}

// hidden holds of the names that archivers and desktops leave behind.
func hidden(name string) bool {
	switch name {
	case "__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "Thumbs.db", "desktop.ini":
		return true
	}
	return name != "." && strings.HasPrefix(name, ".")
}

// collectEvery is a number of images whose decoding leaves some tens of megabytes.
const collectEvery = 1024

// job is the loading of many images: in parallel, until one fails or ctx ends.
type job struct {
	ctx      context.Context
	threads  int
	total    int
	progress func(done, total int)

	mu   sync.Mutex
	done int
}

func newJob(ctx context.Context, total int, o OpenOptions) *job {
	return &job{ctx: ctx, threads: par.Threads(o.Threads), total: total, progress: o.Progress}
}

// each calls f for every i in [0, n) and returns all errors, those of the least i first,
// whatever the number of threads.
func (j *job) each(n int, f func(i int, d *decoder) error) error {
	failed := make(map[int]error) // under mu
	par.Blocks(j.threads, n, 16, func(lo, hi int) {
		var d decoder
		for i := lo; i < hi && j.ctx.Err() == nil; i++ {
			e := f(i, &d)
			j.mu.Lock()
			if e != nil {
				failed[i] = e
			}
			j.done++
			if j.progress != nil {
				j.progress(j.done, j.total)
			}
			// The pixels are one large block without pointers: cheap for the collector to
			// pass, but it would wait for as much garbage again.
			if j.done%collectEvery == 0 {
				runtime.GC()
			}
			j.mu.Unlock()
		}
	})
	if err := j.ctx.Err(); err != nil {
		return err
	}
	const most = 100
	var errs []error
	for _, i := range slices.Sorted(maps.Keys(failed)) {
		if len(errs) == most {
			errs = append(errs, fmt.Errorf("and %d more", len(failed)-most))
			break
		}
		errs = append(errs, failed[i])
	}
	return errors.Join(errs...)
}
