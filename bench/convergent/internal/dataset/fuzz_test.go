package dataset

import (
	"image/color"
	"os"
	"strings"
	"testing"
)

// FuzzImages reads any bytes as a zip of images and as an image: each is refused by an
// error that names it, or is some images, of which each is found by its path.
func FuzzImages(f *testing.F) {
	b, err := os.ReadFile(gallery.zip(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(grey(7))
	f.Add(asJPEG(plain(8, 8, color.White)))
	f.Add(chunkedPNG(1<<20, 1<<20))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, path := range []string{write(t, "images.zip", b), files{"a/00.png": b}.folder(t)} {
			m, err := OpenImages(path)
			if err != nil {
				if !strings.HasPrefix(err.Error(), path) {
					t.Errorf("%q does not name %s", err, path)
				}
				continue
			}
			names := namesOf(m)
			if got, err := m.Match(names); err == nil {
				for i := range got {
					if got[i] != i {
						t.Errorf("%q is %q", names[i], names[got[i]])
					}
				}
			} else {
				t.Error(err)
			}
			for i, name := range names[:min(len(names), 16)] {
				if _, err := m.Image(i); err != nil && !strings.HasPrefix(err.Error(), path+": "+name) {
					t.Errorf("%q does not name %s", err, name)
				}
			}
			m.Close()
		}
	})
}

// FuzzOpen reads any bytes as a zip, as a CIFAR-10 batch and as an image among others: each
// is refused by an error that names it, or is a sound set.
func FuzzOpen(f *testing.F) {
	for _, some := range []files{held(2, 2), split, {"a/1.png": asPNG(plain(3, 5, color.White)), "a/2.jpg": asJPEG(plain(9, 4, color.Black)), "b/1.png": grey(1), "b/2.png": grey(2)}} {
		b, err := os.ReadFile(some.zip(f))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(cifarFiles(2, 2)[cifarTrain[0]])
	f.Add(grey(7))
	f.Add(asJPEG(plain(8, 8, color.White)))
	f.Add(chunkedPNG(1<<20, 1<<20))
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, path := range map[string]string{
			"images.zip":    write(t, "images.zip", b),
			"class0/00.png": held(2, 2).with(files{"class0/00.png": b}).folder(t),
			cifarTest[0]:    cifarFiles(1, 1).with(files{cifarTest[0]: b}).folder(t),
		} {
			s, err := Open(t.Context(), path, OpenOptions{Size: 8, Threads: 1, TrainLimit: 64, TestLimit: 64})
			if err != nil {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%q does not name %s", err, name)
				}
				continue
			}
			for _, p := range []*Part{&s.Train, &s.Test} {
				if len(p.Pixels) != p.Len()*8*8*channels {
					t.Errorf("%s: %d bytes of %d images", name, len(p.Pixels), p.Len())
				}
				for _, label := range p.Labels {
					if label < 0 || label >= len(s.Classes) {
						t.Errorf("%s: label %d of %d classes", name, label, len(s.Classes))
					}
				}
			}
		}
	})
}
