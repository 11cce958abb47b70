package dataset

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// pixel is a WebP of 1x1, red, without loss: all codes have one symbol, and so the pixel
// takes no bits.
var pixel = func() []byte {
	var bits []byte
	add := func(v, n int) {
		for k := range n {
			bits = append(bits, byte(v>>k&1))
		}
	}
	add(0, 14) // width and height, less 1
	add(0, 14)
	add(0, 4) // no alpha, version 0
	add(0, 3) // no transform, cache or codes of regions
	add(1, 4) // green: a simple code of one symbol of one bit, 0
	add(5, 3) // red: of eight bits, 255
	add(255, 8)
	add(1, 4) // blue 0
	add(5, 3) // alpha 255
	add(255, 8)
	add(1, 4) // distance 0
	data := []byte{0x2f}
	for len(bits)%8 != 0 {
		bits = append(bits, 0)
	}
	for ; len(bits) > 0; bits = bits[8:] {
		var v byte
		for k, bit := range bits[:8] {
			v |= bit << k
		}
		data = append(data, v)
	}
	chunk := binary.LittleEndian.AppendUint32([]byte("WEBPVP8L"), uint32(len(data)))
	chunk = append(chunk, data...)
	if len(chunk)%2 != 0 {
		chunk = append(chunk, 0)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunk))), chunk...)
}()

// TestFormats reads every kind of image that folders hold, by whatever ending.
func TestFormats(t *testing.T) {
	m := plain(8, 8, color.RGBA{200, 120, 40, 255})
	var asGIF, asBMP, asTIFF bytes.Buffer
	if err := gif.Encode(&asGIF, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := bmp.Encode(&asBMP, m); err != nil {
		t.Fatal(err)
	}
	if err := tiff.Encode(&asTIFF, m, &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		ends []string
		data []byte
		want [3]int
		off  int
	}{
		{[]string{".jpg", ".JPEG", ".jpe", ".jfif"}, asJPEG(m), [3]int{200, 120, 40}, 3},
		{[]string{".png", ".jpg"}, asPNG(m), [3]int{200, 120, 40}, 0}, // called otherwise
		{[]string{".gif"}, asGIF.Bytes(), [3]int{200, 120, 40}, 30},   // 216 colours
		{[]string{".bmp", ".dib"}, asBMP.Bytes(), [3]int{200, 120, 40}, 0},
		{[]string{".tif", ".TIFF"}, asTIFF.Bytes(), [3]int{200, 120, 40}, 0},
		{[]string{".webp"}, pixel, [3]int{255, 0, 0}, 0},
	} {
		for _, e := range end.ends {
			f := files{"a/1" + e: end.data, "a/2" + e: end.data, "b/1" + e: end.data, "b/2" + e: end.data}
			s, err := Open(t.Context(), f.folder(t), OpenOptions{Size: 2})
			if err != nil {
				t.Errorf("%s: %v", e, err)
				continue
			}
			for c, want := range end.want {
				if d := int(s.Train.Pixels[c]) - want; d > end.off || d < -end.off || s.Train.Len() != 2 {
					t.Errorf("%s: %v", e, s.Train.Pixels[:3])
				}
			}
		}
	}
}

// TestQuirks reads what other programs read.
func TestQuirks(t *testing.T) {
	whole := asPNG(plain(8, 8, color.RGBA{200, 120, 40, 255}))
	if m, err := decodeImage(whole[:len(whole)-12]); err != nil || m.At(3, 3) != color.Color(color.RGBA{200, 120, 40, 255}) {
		t.Errorf("a PNG without IEND: %v", err)
	}
	if _, err := decodeImage(whole[:len(whole)-20]); err == nil {
		t.Error("half a PNG passes")
	}
	// Four inks with the mark of Adobe, which are inverted, and without, which are not.
	inks := inkJPEG(t)
	marked, err := decodeImage(markInks(inks))
	if err != nil {
		t.Fatal(err)
	}
	bare, err := decodeImage(inks)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := marked.At(0, 0).(color.CMYK), bare.At(0, 0).(color.CMYK); a.C != 255-b.C || a.K != 255-b.K || a.C == b.C {
		t.Errorf("with Adobe's mark %v, without %v", a, b)
	}
}

// inkJPEG is a JPEG of four components: a grey one whose header claims them, and whose
// only scan has each.
func inkJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	sof := bytes.Index(file, []byte{0xff, 0xc0})
	sos := bytes.Index(file, []byte{0xff, 0xda})
	frame := []byte{0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0}
	scan := []byte{0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0}
	// A block is black: a difference of the DC, then the end. Those that follow repeat its
	// bits, which the decoder fills up with ones.
	data := file[sos+10 : len(file)-2]
	return slices.Concat(file[:sof], frame, file[sof+2+int(binary.BigEndian.Uint16(file[sof+2:])):sos], scan, repeatBits(data, 4), file[len(file)-2:])
}

// repeatBits repeats the bits of a block, which ends with padding of ones, so many times.
func repeatBits(data []byte, times int) []byte {
	var bits []byte
	for _, v := range data {
		for k := 7; k >= 0; k-- {
			bits = append(bits, v>>k&1)
		}
	}
	for len(bits) > 0 && bits[len(bits)-1] == 1 {
		bits = bits[:len(bits)-1]
	}
	all := slices.Repeat(bits, times)
	for len(all)%8 != 0 {
		all = append(all, 1)
	}
	var out []byte
	for ; len(all) > 0; all = all[8:] {
		var v byte
		for _, bit := range all[:8] {
			v = v<<1 | bit
		}
		out = append(out, v)
	}
	return out
}

// TestManyScans: a JPEG of thousands of scans is refused and not decoded for ever.
func TestManyScans(t *testing.T) {
	file := asJPEG(plain(64, 64, color.White))
	scans := bytes.Repeat([]byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0}, 5000)
	begin := time.Now()
	_, err := decodeImage(slices.Concat(file[:len(file)-2], scans, file[len(file)-2:]))
	if err == nil || !strings.Contains(err.Error(), "a JPEG of 5001 scans") || time.Since(begin) > time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestOrientation: what EXIF says is counted, and not applied, as in torchvision's ImageFolder.
func TestOrientation(t *testing.T) {
	m := plain(16, 8, color.White).(*image.NRGBA)
	for i := range 16 * 3 { // black on the left
		m.Set(i%3, i/3%8, color.Black)
	}
	file := asJPEG(m)
	want, err := decodeImage(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		exif := []byte("Exif\x00\x00II*\x00")
		if order == binary.BigEndian {
			exif = []byte("Exif\x00\x00MM\x00*")
		}
		short, long := make([]byte, 2), make([]byte, 4)
		add := func(b []byte, v int) { // of two or four bytes
			if len(b) == 2 {
				order.PutUint16(b, uint16(v))
			} else {
				order.PutUint32(b, uint32(v))
			}
			exif = append(exif, b...)
		}
		add(long, 8)
		add(short, 2) // entries
		for _, e := range [][2]int{{0x10f, 1}, {0x112, 6}} {
			add(short, e[0])
			add(short, 3)
			add(long, 1)
			add(short, e[1])
			add(short, 0)
		}
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
		turned := slices.Concat(file[:2], head, exif, file[2:])
		if got := orientation(turned); got != 6 {
			t.Errorf("orientation %d", got)
		}
		if got, err := decodeImage(turned); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the image is turned: %v", err)
		}
		for n := range turned { // whatever is cut
			orientation(turned[:n])
		}
		s, err := Open(t.Context(), files{"a/1.jpg": turned, "a/2.jpg": turned, "b/1.jpg": file, "b/2.jpg": file}.folder(t), OpenOptions{})
		if err != nil || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "2 images to be turned") {
			t.Errorf("%v, %v", s.Notes, err)
		}
	}
	if orientation(file) != 1 {
		t.Error("a JPEG that says nothing is turned")
	}
}

// TestSplits reads folders as people call them, and refuses what could be two things.
func TestSplits(t *testing.T) {
	of := func(train, test string) files {
		return files{train + "/a/1.png": grey(1), train + "/b/1.png": grey(2), test + "/a/1.png": grey(3), test + "/b/1.png": grey(4)}
	}
	for _, names := range [][2]string{{"train", "test"}, {"Train", "Test"}, {"TRAIN", "TEST"}, {"training", "testing"}, {"seg_train", "seg_test"}, {"seg_train/seg_train", "seg_test/seg_test"},
		{"training_set", "test_set"}, {"train", "valid"}, {"Training", "Validation"}, {"flowers-train", "flowers-test"}, {"train images", "val images"}, {"trainset", "testset"}} {
		for kind, path := range map[string]string{"folder": of(names[0], names[1]).folder(t), "zip": of(names[0], names[1]).zip(t)} {
			s, err := Open(t.Context(), path, OpenOptions{})
			if err != nil || !slices.Equal(values(&s.Train), []int{1, 2}) || !slices.Equal(values(&s.Test), []int{3, 4}) || len(s.Notes) > 0 {
				t.Errorf("%s, %s: %v", names, kind, err)
			}
		}
	}
	annotated := files{
		"train/n1/images/1.JPEG": grey(1), "train/n2/images/1.JPEG": grey(2), "train/n1/n1_boxes.txt": {1},
		"val/val_annotations.txt": []byte("v0.JPEG\tn2\t0\t0\t1\t1\nv1.JPEG\tn1\t0\t0\t1\t1\n"), "val/images/v0.JPEG": grey(4), "val/images/v1.JPEG": grey(3),
		"test/images/t0.JPEG": grey(9), "wnids.txt": {1},
	}
	s, err := Open(t.Context(), annotated.zip(t), OpenOptions{})
	if err != nil || !slices.Equal(values(&s.Train), []int{1, 2}) || !slices.Equal(values(&s.Test), []int{3, 4}) {
		t.Fatalf("tiny-imagenet: %v", err)
	}
	if want := []string{"images of train and val are read, and not those of test", "files that are no images are passed over: 1 of .txt"}; !slices.Equal(s.Notes, want) {
		t.Errorf("notes %q", s.Notes)
	}
	s, err = Open(t.Context(), of("train", "test").with(files{"seg_pred/1.png": grey(1), "train/a/@eaDir/1.png": grey(9), "train/a/x.json": {1}, "train/b/y": {1}, "train/a/Thumbs.db": {1}}).folder(t), OpenOptions{})
	if err != nil || s.Train.Len() != 2 {
		t.Fatalf("beside: %v", err)
	}
	if want := []string{"images of train and test are read, and not those of seg_pred", "files that are no images are passed over: 1 of .json, 1 of no ending"}; !slices.Equal(s.Notes, want) {
		t.Errorf("notes %q", s.Notes)
	}
	for name, c := range map[string]struct {
		files files
		want  string
	}{
		"flat val":      {files{"train/a/1.png": grey(1), "train/b/1.png": grey(1), "val/1.png": grey(1), "val/2.png": grey(1)}, "val: 2 images of no class, such as 1.png"},
		"flat beside":   {held(3, 3).with(files{"val/1.png": grey(1)}), "has a folder val, but none to train on"},
		"two to train":  {of("train", "test").with(files{"training/a/1.png": grey(1)}), "train and training, each of which"},
		"formats":       {held(3, 3).with(files{"class0/x.heic": {1}, "class1/y.AVIF": {1}, "class1/z.avif": {1}}), "images of formats that are not read: 2 of .avif, 1 of .heic; convert"},
		"only formats":  {held(3, 3).with(files{"class2/x.heic": {1}}), "class2: images of formats that are not read: 1 of .heic"},
		"normalisation": {files{"train/caf\u00e9/1.png": grey(1), "train/b/1.png": grey(1), "test/cafe\u0301/1.png": grey(1), "test/b/1.png": grey(1)}, `"caf\u00e9" in train and "cafe\u0301" in test`},
		"among classes": {held(3, 3).with(files{"class0/x.png": grey(1), "loose.png": grey(1)}), "1 images of no class, such as loose.png"},
	} {
		if _, err := Open(t.Context(), c.files.zip(t), OpenOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// Classes whose names only begin like that.
	if s, err := Open(t.Context(), files{"test tube/1.png": grey(1), "test tube/2.png": grey(1), "training wheels/1.png": grey(1), "training wheels/2.png": grey(1)}.folder(t), OpenOptions{}); err != nil || len(s.Classes) != 2 {
		t.Errorf("classes: %v", err)
	}
}

// TestAllBroken: all images that cannot be decoded are named at once, with what they are.
func TestAllBroken(t *testing.T) {
	f := held(30, 30)
	for i := range 5 {
		f[fmt.Sprintf("class1/%02d.png", 2*i+1)] = []byte("<html><body>Not found</body></html>")
	}
	f["class0/07.png"] = nil
	for _, threads := range []int{1, 4} {
		_, err := Open(t.Context(), f.zip(t), OpenOptions{Threads: threads})
		if err == nil {
			t.Fatal("no error")
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 6 || !strings.Contains(lines[0], "class1/01.png: not a sound image: image: unknown format (text/html; charset=utf-8)") || !strings.Contains(err.Error(), "class0/07.png: not a sound image: the file is empty") {
			t.Errorf("%d lines: %v", len(lines), err)
		}
	}
}

// TestZipNames reads entries whose names have backslashes, or are of old code pages.
func TestZipNames(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string // classes
		want []string
	}{
		"backslash": {`set\katze\`, `set\hund\`, []string{"hund", "katze"}},
		"CP437":     {"caf\x82 cr\x8ame/", "z\x81g/", []string{"café crème", "züg"}},
		"Shift-JIS": {"\x94\x4c/", "\x95\x5c/", []string{"猫", "表"}}, // the second has a backslash in it
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, class := range []string{c.a, c.b} {
			for i := range 2 {
				w, err := z.CreateHeader(&zip.FileHeader{Name: class + fmt.Sprint(i) + ".png", NonUTF8: true})
				if err != nil {
					t.Fatal(err)
				}
				w.Write(grey(1))
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), write(t, "x.zip", b.Bytes()), OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		slices.Sort(s.Classes)
		if !slices.Equal(s.Classes, c.want) {
			t.Errorf("%s: classes %q", name, s.Classes)
		}
	}
}

// TestPipes: what has no end, or waits for ever, is refused and not opened.
func TestPipes(t *testing.T) {
	dir := held(3, 3).folder(t)
	if err := mkfifo(filepath.Join(dir, "class0", "x.png")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "class0", "y.png")); err != nil {
		t.Skip(err)
	}
	done := make(chan error)
	go func() {
		_, err := Open(t.Context(), dir, OpenOptions{})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "class0/x.png: cannot be opened: not a regular file") || !strings.Contains(err.Error(), "class0/y.png") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "class0", "x.png"), OpenOptions{}); err == nil || !strings.Contains(err.Error(), "neither a folder nor a file") {
		t.Error(err)
	}
}
