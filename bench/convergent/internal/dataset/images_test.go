package dataset

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gallery has images of many sizes, the one of its i-th name i+1 pixels wide.
var gallery = files{
	"1.png": asPNG(plain(1, 3, color.White)), "a/2.png": asPNG(plain(2, 3, color.White)), "a/10.JPG": asJPEG(plain(3, 3, color.White)),
	"a/b/c/1.jpeg": asJPEG(plain(4, 9, color.White)), "a-b/1.png": asPNG(plain(5, 1, color.Black)), "img2.PNG": asPNG(plain(6, 2, color.White)),
	"img10.png": asPNG(plain(7, 2, color.White)),
	"notes.txt": []byte("?"), "a/x.txt": []byte("?"), ".hidden/1.png": []byte("?"), "a/.1.png": []byte("?"), "__MACOSX/a/._2.png": []byte("?"), "empty/": nil,
}

var galleryNames = []string{"1.png", "a/2.png", "a/10.JPG", "a/b/c/1.jpeg", "a-b/1.png", "img2.PNG", "img10.png"}

func openGallery(t testing.TB, path string) *Images {
	t.Helper()
	m, err := OpenImages(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func namesOf(m *Images) []string {
	var names []string
	for i := range m.Len() {
		names = append(names, m.Name(i))
	}
	return names
}

func TestOpenImages(t *testing.T) {
	for _, path := range []string{gallery.folder(t), gallery.zip(t)} {
		m := openGallery(t, path)
		if got := namesOf(m); !slices.Equal(got, galleryNames) {
			t.Fatalf("%s: %q", path, got)
		}
		var all sync.WaitGroup
		for range 4 { // at the same time
			all.Go(func() {
				for i := range m.Len() {
					got, err := m.Image(i)
					if err != nil {
						t.Error(err)
					} else if got.Bounds().Dx() != i+1 {
						t.Errorf("%s: image %d is %v", path, i, got.Bounds())
					}
				}
			})
		}
		all.Wait()
		first, err := m.Image(4)
		if err != nil || color.GrayModel.Convert(first.At(4, 0)) != (color.Gray{0}) {
			t.Errorf("%s: image 4 is not black, %v", path, err)
		}
		if err := m.Ordered(7); err != nil {
			t.Error(err)
		}
		if err := m.Ordered(8); err == nil || !strings.Contains(err.Error(), path+" has 7 images and there are 8 samples; give ids") {
			t.Error(err)
		}
	}
}

// TestClosedImages: what is asked for too late is an error, and no panic.
func TestClosedImages(t *testing.T) {
	m := openGallery(t, gallery.zip(t))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Image(0); err == nil || !strings.Contains(err.Error(), "images.zip: 1.png") {
		t.Errorf("%v", err)
	}
}

func TestMatch(t *testing.T) {
	f := files{}
	for _, name := range []string{
		"val/n01/ILSVRC2012_val_00000001.JPEG", "val/n01/ILSVRC2012_val_00000002.JPEG", "val/n02/ILSVRC2012_val_00000010.JPEG",
		"val/n01/1.png", "val/n02/1.png", "1.png", "twin.png", "twin.jpg", "x.y.png", "one", "val/one.jpg",
	} {
		f[name] = grey(1) // never decoded
	}
	for _, c := range []struct{ id, want string }{
		{"val/n01/ILSVRC2012_val_00000001.JPEG", ""},
		{"./val//n01/ILSVRC2012_val_00000002.JPEG", "val/n01/ILSVRC2012_val_00000002.JPEG"},
		{"ILSVRC2012_val_00000010.JPEG", "val/n02/ILSVRC2012_val_00000010.JPEG"},
		{"ILSVRC2012_val_00000010", "val/n02/ILSVRC2012_val_00000010.JPEG"},
		{"n02/ILSVRC2012_val_00000010.JPEG", "val/n02/ILSVRC2012_val_00000010.JPEG"},
		{"n02/ILSVRC2012_val_00000010", "val/n02/ILSVRC2012_val_00000010.JPEG"},
		{"/home/me/imagenet/val/n01/ILSVRC2012_val_00000001.JPEG", "val/n01/ILSVRC2012_val_00000001.JPEG"},
		{"../imagenet/val/n01/1.png", "val/n01/1.png"}, // not the 1.png at the top
		{"1.png", ""}, // the whole path, though others end so
		{"n01/1.png", "val/n01/1.png"},
		{"n01/1", "val/n01/1.png"},
		{"twin.png", ""},
		{"twin.jpg", ""},
		{"x.y", "x.y.png"},
		{"one", "val/one.jpg"}, // one, at the top, is no image
	} {
		want := c.want
		if want == "" {
			want = c.id
		}
		for _, path := range []string{f.folder(t), f.zip(t)} {
			m := openGallery(t, path)
			got, err := m.Match([]string{c.id, "val/n02/1.png", c.id})
			if err != nil || len(got) != 3 || m.Name(got[0]) != want || m.Name(got[1]) != "val/n02/1.png" || got[2] != got[0] {
				t.Errorf("%q is %v, %v", c.id, got, err)
			}
		}
	}
	m := openGallery(t, f.zip(t))
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{[]string{"twin.png", "1"}, `id "1" could be of 1.png or of another image; give paths within it`},
		{[]string{"twin"}, `id "twin" could be of twin.`},
		{[]string{"n03/1.png", "1.png"}, `ids "n03/1.png" and "1.png" are both of 1.png; give paths within it`},
		{[]string{"x"}, `no image for 1 of 1 ids, such as ["x"]`},
		{[]string{"", "twin.png", ".", "..", "/", "val"}, `no image for 5 of 6 ids, such as ["" "." ".."]`},
		{[]string{"ILSVRC2012_val_00000001.png"}, `no image for 1 of 1`}, // of another kind
		{[]string{"val/n03/ILSVRC2012_val_00000001.JPEG"}, `no image for 1 of 1`},
		{[]string{"VAL_00000001"}, `no image for 1 of 1`},
		{[]string{"n01/x.y.png", "n02/x.y.png"}, `ids "n01/x.y.png" and "n02/x.y.png" are both of x.y.png`},
	} {
		if _, err := m.Match(c.ids); err == nil || !strings.Contains(err.Error(), "images.zip: "+c.want) {
			t.Errorf("%q: %v", c.ids, err)
		}
	}
	if got, err := m.Match(nil); err != nil || len(got) != 0 {
		t.Errorf("of no ids %v, %v", got, err)
	}
}

func TestImagesFollowLinks(t *testing.T) {
	real, dir := gallery.folder(t), files{"z/1.png": grey(1)}.folder(t)
	if err := os.Symlink(filepath.Join(real, "a"), filepath.Join(dir, "z", "linked")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Join(real, "img2.PNG"), filepath.Join(dir, "image.png")); err != nil {
		t.Fatal(err)
	}
	want := []string{"image.png", "z/1.png", "z/linked/2.png", "z/linked/10.JPG", "z/linked/b/c/1.jpeg"}
	m := openGallery(t, dir)
	if got := namesOf(m); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for i, width := range []int{6, 4, 2, 3, 4} {
		if got, err := m.Image(i); err != nil || got.Bounds().Dx() != width {
			t.Errorf("%s: %v", m.Name(i), err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "z", "round")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenImages(dir); err == nil || !strings.Contains(err.Error(), "z/round/z/round") || !strings.Contains(err.Error(), "goes round") {
		t.Errorf("%v", err)
	}
}

// unsafeZip holds an image by each of the names, which no folder need allow.
func unsafeZip(t *testing.T, names ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range names {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			w.Write(grey(uint8(i)))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "images.zip", b.Bytes())
}

// TestUnsafeNames: a zip whose paths lead out of it is refused, whatever they are of.
func TestUnsafeNames(t *testing.T) {
	for _, name := range []string{"../up.png", "a/../../b.png", "/root.png", "..", `..\back.png`, "/", "../up/"} {
		path := unsafeZip(t, "a/1.png", "b/1.png", name)
		_, err := OpenImages(path)
		_, asSet := Open(t.Context(), path, OpenOptions{})
		for _, err := range []error{err, asSet} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("images.zip: the path %q in it leads out", name)) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	if got := namesOf(openGallery(t, unsafeZip(t, "./a/1.png", "a/../b.png", "c..png"))); !slices.Equal(got, []string{"a/1.png", "b.png", "c..png"}) {
		t.Errorf("%q", got)
	}
}

func TestImagesErrors(t *testing.T) {
	whole, err := os.ReadFile(gallery.zip(t))
	if err != nil {
		t.Fatal(err)
	}
	closed := gallery.folder(t)
	if err := os.Chmod(filepath.Join(closed, "a"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(closed, "a"), 0o777)
	for name, c := range map[string]struct {
		path string
		want []string
	}{
		"missing":      {filepath.Join(t.TempDir(), "nowhere"), []string{"nowhere", "no such file", "give a folder or a zip of images"}},
		"not a zip":    {write(t, "x.tar", []byte("something else")), []string{"x.tar", "neither a folder nor a whole zip", "give a folder"}},
		"cut zip":      {write(t, "half.zip", whole[:len(whole)/2]), []string{"half.zip", "neither a folder nor a whole zip"}},
		"empty zip":    {files{}.zip(t), []string{"images.zip: no images in it", "give a folder or a zip of images (JPEG, PNG, GIF, BMP, TIFF or WebP)"}},
		"empty folder": {t.TempDir(), []string{"no images in it"}},
		"no images":    {files{"a/x.txt": {1}, "a/.x.png": grey(1), "__MACOSX/x.png": grey(1)}.zip(t), []string{"no images in it"}},
		"twice":        {unsafeZip(t, "a/1.png", "a/2.png", "a/1.png"), []string{"images.zip", "cannot be listed", "pack it again"}},
		"same place":   {unsafeZip(t, "a/1.png", "./a/1.png"), []string{"images.zip", "cannot be listed"}},
		"unreadable":   {closed, []string{"a: cannot be listed: permission denied"}},
	} {
		if name == "unreadable" && os.Getuid() == 0 {
			continue // root reads everything
		}
		m, err := OpenImages(c.path)
		if err == nil || m != nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", name, err, want)
			}
		}
	}
}

// TestBrokenImages: one is an error when it is asked for, and the others are sound.
func TestBrokenImages(t *testing.T) {
	jpg := asJPEG(Procedural(1, 1, 0).Train.Image(0))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"cut":   {jpg[:len(jpg)/2], "not a sound image"},
		"text":  {[]byte("text"), "not a sound image"},
		"empty": {nil, "not a sound image"},
		"bomb":  {chunkedPNG(9000, 8000), "9000x8000 pixels, where 1 to 64 million are allowed"},
	} {
		f := gallery.with(files{"a/b/broken.jpg": append([]byte{}, c.data...)})
		for _, path := range []string{f.folder(t), f.zip(t)} {
			m := openGallery(t, path)
			for i := range m.Len() {
				_, err := m.Image(i)
				if m.Name(i) != "a/b/broken.jpg" {
					if err != nil {
						t.Error(err)
					}
				} else if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("%s: a/b/broken.jpg: %s", path, c.want)) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	for _, claim := range []uint64{10, 1 << 40} {
		m := openGallery(t, lyingZip(t, claim))
		i := slices.Index(namesOf(m), "train/dog/a.png")
		if _, err := m.Image(i); err == nil || !strings.Contains(err.Error(), "images.zip: train/dog/a.png: cannot be read") {
			t.Errorf("%v", err)
		}
	}
}
