package dataset

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
)

func openTest(t *testing.T, path string) *Images {
	t.Helper()
	m, err := OpenTestImages(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestOpenTestImages: of a data set that is split, the images held out are shown; the first
// folder on an image's way is its class.
func TestOpenTestImages(t *testing.T) {
	split := files{}
	for _, part := range []string{"train", "test", "val"} {
		for i := range 3 {
			split[fmt.Sprintf("%s/c%d/more/%d.png", part, i%2, i)] = grey(uint8(i))
		}
	}
	classes := files{"x/2.png": grey(1), "x/10.png": grey(1), "y/1.png": grey(2)}
	flat := files{"2.png": grey(1), "10.png": grey(1), "y/1.png": grey(2)}
	for name, c := range map[string]struct {
		path string
		want string
	}{
		"split":    {split.folder(t), "test/c0/more/0.png c0, test/c0/more/2.png c0, test/c1/more/1.png c1"},
		"zip":      {under("set", split).zip(t), "set/test/c0/more/0.png c0, set/test/c0/more/2.png c0, set/test/c1/more/1.png c1"},
		"classes":  {classes.zip(t), "x/2.png x, x/10.png x, y/1.png y"},
		"no class": {flat.folder(t), "2.png , 10.png , y/1.png "},
	} {
		m := openTest(t, c.path)
		var got []string
		for i := range m.Len() {
			got = append(got, m.Name(i)+" "+m.Class(i))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s", name, text)
		}
	}
	if _, err := OpenTestImages(files{"a.txt": nil}.folder(t)); err == nil || !strings.Contains(err.Error(), "no images in it; give a folder or a zip of images") {
		t.Errorf("no images: %v", err)
	}
	m := openTest(t, classes.folder(t))
	for limit, want := range map[int][]int{0: {0, 1, 2}, 5: {0, 1, 2}, 2: {0, 1}, 1: {0}} {
		if got := m.Spread(limit); !slices.Equal(got, want) {
			t.Errorf("%d of three: %v", limit, got)
		}
	}
}

// TestOpenTestCIFAR shows the test batch.
func TestOpenTestCIFAR(t *testing.T) {
	f := cifarFiles(12, 11)
	m := openTest(t, under("cifar-10-batches-bin", f).zip(t))
	if m.Len() != 11 || m.Name(3) != "test_batch.bin/3" || m.Class(10) != "airplane" || m.Class(3) != "cat" {
		t.Errorf("%d images, %s of class %s", m.Len(), m.Name(3), m.Class(3))
	}
	got, err := m.Image(4)
	if err != nil {
		t.Fatal(err)
	}
	if c := color.RGBAModel.Convert(got.At(31, 31)).(color.RGBA); c != (color.RGBA{204, 255, 3, 255}) {
		t.Errorf("the last pixel is %v", c)
	}
	bad := slices.Clone(f[cifarTest[0]])
	bad[0] = 10
	for name, data := range map[string][]byte{"label": bad, "length": f[cifarTest[0]][:100]} {
		if _, err := OpenTestImages(f.with(files{cifarTest[0]: data}).folder(t)); err == nil || !strings.Contains(err.Error(), "download it again") {
			t.Errorf("another %s: %v", name, err)
		}
	}
}
