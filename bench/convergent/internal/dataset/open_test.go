package dataset

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files are the contents of a folder or zip, by path.
type files map[string][]byte

// with returns the files with some added or, where the content is nil, removed.
func (f files) with(more files) files {
	all := maps.Clone(f)
	maps.Copy(all, more)
	maps.DeleteFunc(all, func(_ string, data []byte) bool { return data == nil })
	return all
}

func (f files) names() []string { return slices.Sorted(maps.Keys(f)) }

// folder writes the files into a new folder; a name that ends in / is a folder.
func (f files) folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range f.names() {
		path := filepath.Join(dir, filepath.FromSlash(name))
		parent := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			parent = path
		}
		if err := os.MkdirAll(parent, 0o777); err != nil {
			t.Fatal(err)
		}
		if parent == path {
			continue
		}
		if err := os.WriteFile(path, f[name], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// zip packs the files.
func (f files) zip(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range f.names() {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(f[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "images.zip", b.Bytes())
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// plain is an image of one colour.
func plain(w, h int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, c)
	}
	return m
}

func asPNG(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asJPEG(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// grey tells an image from the others by its value.
func grey(v uint8) []byte { return asPNG(plain(4, 4, color.Gray{v})) }

// cats and dogs, with train and test.
var split = files{
	"train/cat/b.png": grey(11), "train/cat/a.png": grey(10), "train/cat/c.PNG": grey(12),
	"train/dog/a.png": grey(20), "train/dog/b.png": grey(21),
	"test/cat/a.png": grey(30), "test/dog/a.png": grey(40), "test/dog/b.png": grey(41),
	"train/cat/notes.txt": []byte("not an image"), "train/.hidden/a.png": []byte("?"), "train/dog/.c.png": []byte("?"),
	"__MACOSX/train/cat/._a.png": []byte("?"), "README": []byte("cats and dogs"),
}

// under moves all files into a folder.
func under(dir string, f files) files {
	moved := files{}
	for name, data := range f {
		moved[dir+"/"+name] = data
	}
	return moved
}

func held(classes ...int) files {
	f := files{}
	for c, n := range classes {
		for i := range n {
			f[fmt.Sprintf("class%d/%02d.png", c, i)] = grey(uint8(100*c + i))
		}
	}
	return f
}

// values lists the first byte of each image, which tells which it is.
func values(p *Part) []int {
	v := []int{}
	for i := range p.Len() {
		v = append(v, int(p.at(i)[0]))
	}
	return v
}

func TestOpenByClass(t *testing.T) {
	for _, c := range []struct {
		name        string
		files       files
		o           OpenOptions
		train, test []int
	}{
		{"split", split, OpenOptions{}, []int{10, 20, 11, 21, 12}, []int{30, 40, 41}},
		{"limits", split, OpenOptions{TrainLimit: 3, TestLimit: 2}, []int{10, 20, 11}, []int{30, 40}},
		{"generous limits", split, OpenOptions{TrainLimit: 100, TestLimit: 100}, []int{10, 20, 11, 21, 12}, []int{30, 40, 41}},
		{"wrapped", under("pets", split), OpenOptions{}, []int{10, 20, 11, 21, 12}, []int{30, 40, 41}},
		{"wrapped twice", under("data/pets", split), OpenOptions{}, []int{10, 20, 11, 21, 12}, []int{30, 40, 41}},
		{"val", files{"train/a/x.png": grey(1), "train/b/x.png": grey(2), "val/a/x.png": grey(3), "val/b/x.png": grey(4)},
			OpenOptions{}, []int{1, 2}, []int{3, 4}},
		{"deep", files{"train/a/images/x.png": grey(1), "train/b/x.png": grey(2), "test/a/images/x.png": grey(3), "test/b/y/z/x.png": grey(4)},
			OpenOptions{}, []int{1, 2}, []int{3, 4}},
		{"held out", held(8, 2), OpenOptions{}, []int{1, 101, 2, 3, 4, 5, 7}, []int{0, 100, 6}},
		{"held out, wrapped", under("all", held(2, 2)), OpenOptions{}, []int{1, 101}, []int{0, 100}},
		{"only train", under("train", held(2, 2)), OpenOptions{}, []int{1, 101}, []int{0, 100}},
	} {
		for kind, path := range map[string]string{"folder": c.files.folder(t), "zip": c.files.zip(t)} {
			s, err := Open(t.Context(), path, c.o)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, kind, err)
				continue
			}
			if train, test := values(&s.Train), values(&s.Test); !slices.Equal(train, c.train) || !slices.Equal(test, c.test) {
				t.Errorf("%s, %s: images %v and %v, want %v and %v", c.name, kind, train, test, c.train, c.test)
			}
			for i, v := range values(&s.Train) {
				if strings.HasPrefix(c.name, "held") && s.Train.Labels[i] != v/100 || c.name == "split" && s.Train.Labels[i] != v/10-1 {
					t.Errorf("%s, %s: image %d has the label %d", c.name, kind, v, s.Train.Labels[i])
				}
			}
			if s.Name != path || s.H != 32 || s.C != 3 || len(s.Classes) != 2 || len(s.Norm.Mean) != 3 {
				t.Errorf("%s, %s: %q, height %d, %d channels, classes %q, %v", c.name, kind, s.Name, s.H, s.C, s.Classes, s.Norm)
			}
		}
	}
}

func TestOpenFollowsLinks(t *testing.T) {
	real, dir := split.folder(t), t.TempDir()
	for _, part := range []string{"train", "test"} {
		if err := os.Symlink(filepath.Join(real, part), filepath.Join(dir, part)); err != nil {
			t.Skip(err)
		}
	}
	s, err := Open(t.Context(), dir, OpenOptions{})
	if err != nil || s.Train.Len() != 5 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestOpenDeterminism(t *testing.T) {
	f := files{}
	for i := range 60 {
		m := Procedural(3, i+1, 0).Train.Image(i)
		f[fmt.Sprintf("class%d/%02d.jpg", i%3, i)] = asJPEG(m)
	}
	path := f.zip(t)
	anyThreads(t, func() string {
		s, err := Open(t.Context(), path, OpenOptions{Size: 24})
		if err != nil {
			t.Fatal(err)
		}
		return digest(s)
	})
}

// TestColours: whatever the image's kind, RGB comes out.
func TestColours(t *testing.T) {
	orange := color.RGBA{200, 120, 40, 255}
	paletted := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, orange})
	gray := image.NewGray(image.Rect(0, 0, 8, 8))
	deep := image.NewNRGBA64(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		paletted.Pix[i], gray.Pix[i] = 1, 77
		deep.Set(i%8, i/8, orange)
	}
	for name, c := range map[string]struct {
		data []byte
		want color.RGBA
		off  int
	}{
		"palette": {asPNG(paletted), orange, 0},
		"grey":    {asPNG(gray), color.RGBA{77, 77, 77, 255}, 0},
		"greyjpg": {asJPEG(gray), color.RGBA{77, 77, 77, 255}, 1},
		"16 bits": {asPNG(deep), orange, 0},
		"jpeg":    {asJPEG(plain(8, 8, orange)), orange, 3},
		"glass":   {asPNG(plain(8, 8, color.NRGBA{200, 100, 50, 128})), color.RGBA{100, 50, 25, 255}, 1},
	} {
		path := files{"a/1.png": c.data, "a/2.png": c.data, "b/1.png": c.data, "b/2.png": c.data}.folder(t)
		s, err := Open(t.Context(), path, OpenOptions{Size: 5})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := []uint8{c.want.R, c.want.G, c.want.B}
		for i, v := range s.Train.Pixels {
			if d := int(v) - int(want[i%3]); d > c.off || d < -c.off {
				t.Errorf("%s: value %d is %d, want %d", name, i, v, want[i%3])
				break
			}
		}
	}
}

// TestFit compares with the definition: each pixel of the result is the mean of
// the square of the original that it covers.
func TestFit(t *testing.T) {
	var d decoder
	for _, c := range [][3]int{{8, 8, 8}, {8, 8, 4}, {9, 9, 6}, {7, 12, 5}, {30, 10, 7}, {3, 3, 8}, {1, 1, 4}, {1, 5, 3}} {
		w, h, size := c[0], c[1], c[2]
		m := image.NewRGBA(image.Rect(3, -2, 3+w, -2+h)) // bounds need not begin at 0
		for i := range m.Pix {
			m.Pix[i] = uint8(i * 73)
			if i%4 == 3 {
				m.Pix[i] = 255
			}
		}
		dst := make([]uint8, size*size*3)
		d.fit(dst, m, size)
		from := min(w, h)
		x0, y0 := 3+(w-from)/2, -2+(h-from)/2
		// Each original pixel as size x size points, each result as from x from.
		for y := range size {
			for x := range size {
				var sum [3]int
				for v := y * from; v < (y+1)*from; v++ {
					for u := x * from; u < (x+1)*from; u++ {
						p := m.RGBAAt(x0+u/size, y0+v/size)
						sum[0] += int(p.R)
						sum[1] += int(p.G)
						sum[2] += int(p.B)
					}
				}
				for k := range 3 {
					if got, want := int(dst[(y*size+x)*3+k]), (sum[k]+from*from/2)/(from*from); got != want {
						t.Fatalf("%dx%d to %d: pixel (%d, %d, %d) is %d, want %d", w, h, size, y, x, k, got, want)
					}
				}
			}
		}
	}
}

// chunkedPNG is the head of a PNG that claims to be of some size.
func chunkedPNG(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// lyingZip holds split, one of whose entries is not as long as it says.
func lyingZip(t *testing.T, claim uint64) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range split.names() {
		data, size := split[name], uint64(len(split[name]))
		if name == "train/dog/a.png" {
			size = claim
		}
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(data),
			CompressedSize64: uint64(len(deflated(data))), UncompressedSize64: size})
		if err == nil {
			_, err = w.Write(deflated(data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "images.zip", b.Bytes())
}

func TestOpenErrors(t *testing.T) {
	jpg := asJPEG(Procedural(1, 1, 0).Train.Image(0))
	good := split.zip(t)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole) // in the data of the first image
	flipped[bytes.Index(flipped, []byte("test/cat/a.png"))+40] ^= 0xff
	for name, c := range map[string]struct {
		path string
		want []string // in the message
	}{
		"missing":             {filepath.Join(t.TempDir(), "nowhere"), []string{"nowhere", "no such file", "give a folder or a zip"}},
		"empty path":          {"", []string{"no such file", "give a folder or a zip"}},
		"not a zip":           {write(t, "images.tar.gz", []byte("something else")), []string{"images.tar.gz", "neither a folder nor a whole zip", "give a folder"}},
		"empty file":          {write(t, "empty.zip", nil), []string{"empty.zip", "neither a folder nor a whole zip"}},
		"truncated zip":       {write(t, "half.zip", whole[:len(whole)/2]), []string{"half.zip", "neither a folder nor a whole zip"}},
		"damaged zip":         {write(t, "flipped.zip", flipped), []string{"flipped.zip", "test/cat/a.png", "cannot be read", "pack it again"}},
		"empty folder":        {t.TempDir(), []string{"no folders of images", "give a folder"}},
		"empty zip":           {files{}.zip(t), []string{"no folders of images"}},
		"images only":         {files{"a.png": grey(1)}.folder(t), []string{"no folders of images"}},
		"nothing within":      {files{"a/b/c/": nil}.folder(t), []string{"no folders of images"}},
		"empty class":         {split.with(files{"train/eel/": {}}).folder(t), []string{"train/eel", "without images", "remove the folder"}},
		"other files only":    {split.with(files{"train/eel/a.txt": {1}}).zip(t), []string{"train/eel", "without images"}},
		"no class":            {files{"train/": {}, "test/": {}}.folder(t), []string{"train", "no class folders"}},
		"class not in test":   {split.with(files{"train/eel/a.png": grey(1)}).zip(t), []string{`"eel" is in train but not in test`, "same class folders"}},
		"class not in train":  {split.with(files{"test/eel/a.png": grey(1)}).zip(t), []string{`"eel" is in test but not in train`}},
		"no test":             {files{"train/a/1.png": grey(1), "other/b/1.png": grey(1)}.zip(t), []string{"neither test nor val", "add one"}},
		"one class":           {files{"train/a/1.png": grey(1), "test/a/1.png": grey(1)}.zip(t), []string{"one class only", `"a"`}},
		"one class, held out": {held(7).zip(t), []string{"one class only", `"class0"`}},
		"one image, held out": {held(4, 1).zip(t), []string{"class1", "one image only"}},
		"corrupt JPEG":        {split.with(files{"train/dog/z.jpg": jpg[:len(jpg)/2]}).zip(t), []string{"images.zip", "train/dog/z.jpg", "not a sound image", "replace it"}},
		"corrupt in folder":   {split.with(files{"train/dog/z.jpg": jpg[:len(jpg)/2]}).folder(t), []string{"train/dog/z.jpg", "not a sound image"}},
		"not a JPEG":          {split.with(files{"test/dog/z.jpeg": []byte("text")}).zip(t), []string{"test/dog/z.jpeg", "not a sound image", "unknown format"}},
		"empty image":         {split.with(files{"test/dog/z.jpeg": {}}).zip(t), []string{"test/dog/z.jpeg", "not a sound image"}},
		"bomb":                {split.with(files{"train/cat/z.png": chunkedPNG(9000, 8000)}).zip(t), []string{"train/cat/z.png", "9000x8000", "64 million", "scale it down"}},
		"long bomb":           {split.with(files{"train/cat/z.png": chunkedPNG(64_000_001, 1)}).zip(t), []string{"train/cat/z.png", "64 million"}},
		"entry says less":     {lyingZip(t, 10), []string{"train/dog/a.png", "cannot be read", "pack it again"}},
		"entry says more":     {lyingZip(t, 1<<40), []string{"train/dog/a.png", "cannot be read"}},
		"first of two":        {split.with(files{"train/cat/c.PNG": {1}, "train/cat/b.png": {1}, "train/dog/b.png": {1}}).zip(t), []string{"train/cat/b.png"}},
	} {
		s, err := Open(t.Context(), c.path, OpenOptions{})
		if err == nil || s != nil {
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

func TestOpenUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := split.folder(t)
	image := filepath.Join(dir, "train", "cat", "a.png")
	if err := os.Chmod(image, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, OpenOptions{}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "train/cat/a.png") {
		t.Errorf("image: %v", err)
	}
	class := filepath.Dir(image)
	os.Chmod(class, 0)
	defer os.Chmod(class, 0o777)
	if _, err := Open(t.Context(), dir, OpenOptions{}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "train/cat") {
		t.Errorf("folder: %v", err)
	}
}

// failing is a file system that cannot read some of its files.
type failing struct {
	fs.FS
	name string
}

func (f failing) Open(name string) (fs.File, error) {
	if name == f.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.FS.Open(name)
}

func TestLoadUnreadable(t *testing.T) {
	for _, name := range []string{".", "train", "test/dog", "train/cat/a.png"} {
		_, err := load(t.Context(), failing{os.DirFS(split.folder(t)), name}, OpenOptions{Size: 4})
		if !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), where(name)+": cannot be") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless is an image file without an end.
type endless struct{ fs.File }

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type endlessFS struct{ fs.FS }

func (f endlessFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	return endless{file}, err
}

func TestReadBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 64 MB")
	}
	var d decoder
	err := d.read(nil, endlessFS{os.DirFS(split.folder(t))}, "train/cat/a.png", 4)
	if err == nil || !strings.Contains(err.Error(), "train/cat/a.png: more than") {
		t.Errorf("%v", err)
	}
}

func TestOpenProgress(t *testing.T) {
	path := held(40, 40).zip(t)
	last, busy := 0, false
	_, err := Open(t.Context(), path, OpenOptions{Threads: 4, Progress: func(done, total int) {
		if busy || done != last+1 || total != 80 {
			t.Errorf("progress %d of %d after %d, overlapping %v", done, total, last, busy)
		}
		busy, last = true, done
		busy = false
	}})
	if err != nil || last != 80 {
		t.Errorf("%d of 80, %v", last, err)
	}
}

func TestOpenCancelled(t *testing.T) {
	for _, path := range []string{held(40, 40).zip(t), cifarFiles(3, 4).folder(t)} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Open(ctx, path, OpenOptions{Progress: func(done, _ int) {
			if done == 5 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		cancel()
	}
}

func TestOpenPanics(t *testing.T) {
	for _, o := range []OpenOptions{{TrainLimit: -1}, {TestLimit: -1}, {Size: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v did not panic", o)
				}
			}()
			Open(t.Context(), t.TempDir(), o)
		}()
	}
}

// cifarFiles are binary batches of n records each, m in the test batch. The red of
// a record's first pixel tells which it is.
func cifarFiles(n, m int) files {
	f := files{}
	for b, name := range slices.Concat(cifarTrain, cifarTest) {
		count := n
		if name == cifarTest[0] {
			count = m
		}
		var data []byte
		for r := range count {
			record := make([]byte, cifarRecord)
			record[0] = byte(r % 10)
			for k := range cifarPlane {
				record[1+k], record[1+cifarPlane+k], record[1+2*cifarPlane+k] = byte(b*40+r), byte(k), byte(k>>8)
			}
			data = append(data, record...)
		}
		f[name] = data
	}
	return f
}

func TestOpenCIFAR(t *testing.T) {
	f := cifarFiles(12, 11)
	for name, path := range map[string]string{
		"folder": f.folder(t), "zip": f.zip(t), "wrapped": under("cifar-10-batches-bin", f).zip(t),
	} {
		s, err := Open(t.Context(), path, OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Train.Len() != 60 || s.Test.Len() != 11 || s.Classes[3] != "cat" {
			t.Errorf("%s: %d and %d images, classes %q", name, s.Train.Len(), s.Test.Len(), s.Classes)
		}
		for i, v := range values(&s.Train) {
			if v != i/12*40+i%12 || s.Train.Labels[i] != i%12%10 {
				t.Errorf("%s: image %d is %d with the label %d", name, i, v, s.Train.Labels[i])
			}
		}
		for _, k := range []int{0, 33, 1023} {
			if px := s.Train.at(13)[3*k:][:3]; px[0] != 41 || px[1] != byte(k) || px[2] != byte(k>>8) {
				t.Errorf("%s: pixel %d is %v", name, k, px)
			}
		}
	}

	f[cifarMeta] = []byte("a b c d e\nf g h i j\n\n")
	s, err := Open(t.Context(), f.folder(t), OpenOptions{TrainLimit: 25, TestLimit: 3, Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	count := make([]int, 10)
	for _, label := range s.Train.Labels {
		count[label]++
	}
	if want := []int{3, 3, 3, 3, 3, 2, 2, 2, 2, 2}; !slices.Equal(count, want) || !slices.Equal(s.Test.Labels, []int{0, 1, 2}) || s.Classes[9] != "j" {
		t.Errorf("%v of each class, test labels %v, classes %q", count, s.Test.Labels, s.Classes)
	}
	if s.H != 16 || len(s.Train.Pixels) != 25*16*16*3 {
		t.Errorf("%d bytes of height %d", len(s.Train.Pixels), s.H)
	}
}

func TestCIFARErrors(t *testing.T) {
	f := cifarFiles(4, 3)
	bad := bytes.Clone(f["data_batch_4.bin"])
	bad[2*cifarRecord] = 10
	for name, c := range map[string]struct {
		change files
		want   []string
	}{
		"missing batch": {files{"data_batch_3.bin": nil}, []string{"data_batch_3.bin: ", "no such file", "data_batch_1.bin to data_batch_5.bin"}},
		"missing test":  {files{"test_batch.bin": nil}, []string{"test_batch.bin: ", "no such file"}},
		"truncated":     {files{"data_batch_2.bin": f["data_batch_2.bin"][:cifarRecord+7]}, []string{"data_batch_2.bin", "3080 bytes", "download it again"}},
		"empty":         {files{"data_batch_2.bin": {}}, []string{"data_batch_2.bin", "0 bytes"}},
		"label":         {files{"data_batch_4.bin": bad}, []string{"data_batch_4.bin", "record 2", "label 10", "download it again"}},
		"names":         {files{cifarMeta: []byte("cat dog")}, []string{cifarMeta, "2 names", "remove it"}},
	} {
		_, err := Open(t.Context(), f.with(c.change).folder(t), OpenOptions{})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v lacks %q", name, err, want)
			}
		}
	}
}

// TestCIFARInFolders takes the road of TestSharedCIFAR with a few images, in a zip of
// the same folders: entries for folders too, in no order.
func TestCIFARInFolders(t *testing.T) {
	const train, test = 3, 2 // of each class
	var names []string
	colours := map[string]color.RGBA{}
	for c, class := range cifarClasses {
		names = append(names, "train/"+class+"/", "test/"+class+"/")
		for i := range train + test {
			name := fmt.Sprintf("train/%s/%04d.jpg", class, 338*i)
			if i >= train {
				name = fmt.Sprintf("test/%s/%04d.jpg", class, 255*(i-train))
			}
			names = append(names, name)
			colours[name] = color.RGBA{uint8(20 * c), uint8(50 * i), uint8(200 - 20*c), 255}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Concat([]string{"train/", "test/"}, names) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			w.Write(asJPEG(plain(32, 32, colours[name])))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), write(t, "cifar10-jpeg.zip", b.Bytes()), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 10*train || s.Test.Len() != 10*test || !slices.Equal(s.Classes, cifarClasses) || s.H != 32 {
		t.Fatalf("%d and %d images of height %d, classes %q", s.Train.Len(), s.Test.Len(), s.H, s.Classes)
	}
	var sum [3]float64
	for _, part := range []struct {
		p      *Part
		folder string
		step   int
	}{{&s.Train, "train", 338}, {&s.Test, "test", 255}} {
		for i := range part.p.Len() { // classes in turn
			name := fmt.Sprintf("%s/%s/%04d.jpg", part.folder, cifarClasses[i%10], i/10*part.step)
			want := colours[name]
			for c, v := range []uint8{want.R, want.G, want.B} {
				if d := int(part.p.at(i)[3*500+c]) - int(v); d < -3 || d > 3 || part.p.Labels[i] != i%10 {
					t.Errorf("%s: channel %d is off by %d, label %d", name, c, d, part.p.Labels[i])
				}
				if part.p == &s.Train {
					sum[c] += float64(v)
				}
			}
		}
	}
	for c, mean := range s.Norm.Mean {
		if want := sum[c] / (10 * train); math.Abs(float64(mean)-want) > 3 {
			t.Errorf("channel %d: mean %v, want %v", c, mean, want)
		}
	}
}

// TestSharedCIFAR loads the real set, where there is one beside the module.
func TestSharedCIFAR(t *testing.T) {
	const path = "../../../../../shared/data/cifar10-jpeg.zip"
	if testing.Short() {
		t.Skip("loads 60,000 images")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the JPEG images of CIFAR-10 are not here (%v); TestCIFARInFolders takes the same road with a few", err)
	}
	s, err := Open(t.Context(), path, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 50_000 || s.Test.Len() != 10_000 || !slices.Equal(s.Classes, cifarClasses) {
		t.Errorf("%d and %d images, classes %q", s.Train.Len(), s.Test.Len(), s.Classes)
	}
	// The mean and standard deviation that everyone uses for CIFAR-10.
	for c, want := range [][2]float64{{0.4914, 0.2470}, {0.4822, 0.2435}, {0.4465, 0.2616}} {
		mean, std := float64(s.Norm.Mean[c])/255, float64(s.Norm.Std[c])/255
		if d := max(mean-want[0], want[0]-mean, std-want[1], want[1]-std); d > 0.003 {
			t.Errorf("channel %d: mean %.4f, deviation %.4f, want %.4f", c, mean, std, want)
		}
	}
}
