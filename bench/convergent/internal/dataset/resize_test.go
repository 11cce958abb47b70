package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"math"
	"testing"
)

// pattern is an image of numbers that testdata/resize.py makes, too.
func pattern(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			for c := range 3 {
				m.Pix[m.PixOffset(x, y)+c] = uint8(x*x*7 + y*13 + x*y*3 + c*91)
			}
			m.Pix[m.PixOffset(x, y)+3] = 255
		}
	}
	return m
}

func rgbDigest(m *image.RGBA) string {
	var rgb []byte
	for i := 0; i < len(m.Pix); i += 4 {
		rgb = append(rgb, m.Pix[i:i+3]...)
	}
	h := sha256.Sum256(rgb)
	return hex.EncodeToString(h[:8])
}

// TestResizeIsPillows compares digests with those that testdata/resize.py prints.
func TestResizeIsPillows(t *testing.T) {
	for _, c := range []struct {
		w, h, toW, toH int
		want           string
	}{
		{32, 32, 224, 224, "c64abb691f867ebd"},
		{100, 75, 32, 24, "b46e880b1c2266e0"},
		{75, 100, 31, 64, "8f65ba20945c3f9e"},
		{32, 32, 32, 32, "3ea0cd1c15ab8900"},
		{7, 5, 1, 3, "0fa64f72c29a2df8"},
		{640, 480, 341, 256, "15fe13fa46f77df5"},
	} {
		if got := rgbDigest(Resize(pattern(c.w, c.h), c.toW, c.toH)); got != c.want {
			t.Errorf("%d x %d to %d x %d: %s, Pillow makes %s", c.w, c.h, c.toW, c.toH, got, c.want)
		}
	}
}

// TestPreprocessIsTorchvisions compares with Resize, CenterCrop, ToTensor and Normalize,
// whose numbers testdata/resize.py prints: the first of each channel and a sum of all.
func TestPreprocessIsTorchvisions(t *testing.T) {
	for _, c := range []struct {
		w, h, resize, crop int
		first              [3]float64
		sum                float64
	}{
		{100, 75, 64, 56, [3]float64{-0.38830381631851196, -0.004901949781924486, 1.803398847579956}, 7965.844951021019},
		{75, 101, 37, 32, [3]float64{-0.4739275872707367, 0.20518219470977783, 0.6007844805717468}, 2647.1894553443417},
		{32, 32, 73, 64, [3]float64{-1.3815395832061768, 0.3102242052555084, 2.117124319076538}, 10181.148494483903},
	} {
		p, err := Preset("imagenet", c.crop, c.crop)
		if err != nil {
			t.Fatal(err)
		}
		p.Resize = c.resize
		piece := p.Piece(pattern(c.w, c.h))
		x := make([]float32, 3*c.crop*c.crop)
		p.Input(x, piece, 3, false)
		last := make([]float32, len(x))
		p.Input(last, piece, 3, true)
		p.BGR = true
		turned := make([]float32, len(x))
		p.Input(turned, piece, 3, false)
		sum := 0.0
		for i, v := range x {
			sum += float64(v) * float64(i%7+1)
			ch, at := i/(c.crop*c.crop), i%(c.crop*c.crop)
			if last[at*3+ch] != v || turned[(2-ch)*c.crop*c.crop+at] != v {
				t.Fatalf("channel %d at %d is elsewhere", ch, at)
			}
		}
		if math.Abs(sum-c.sum) > 1e-4*math.Abs(c.sum) {
			t.Errorf("%d x %d: sum %v, want %v", c.w, c.h, sum, c.sum)
		}
		for ch, want := range c.first {
			if got := float64(x[ch*c.crop*c.crop]); math.Abs(got-want) > 1e-6 {
				t.Errorf("%d x %d: channel %d begins with %v, want %v", c.w, c.h, ch, got, want)
			}
		}
	}
}

// TestPresets: what is sensible follows from the size of the network's input.
func TestPresets(t *testing.T) {
	for _, c := range []struct {
		name          string
		height, width int
		want          string
	}{
		{"", 224, 224, "imagenet, 256, 224 x 224"},
		{"", 0, 0, "imagenet, 256, 224 x 224"},
		{"", 32, 32, "cifar10, 0, 32 x 32"},
		{"imagenet", 299, 299, "imagenet, 342, 299 x 299"},
		{"caffe", 227, 227, "caffe, 256, 227 x 227"},
		{"none", 320, 512, "none, 0, 320 x 512"},
	} {
		p, err := Preset(c.name, c.height, c.width)
		if got := fmt.Sprintf("%s, %d, %d x %d", p.Name, p.Resize, p.Height, p.Width); got != c.want || err != nil || p.Check() != nil {
			t.Errorf("%q of %d x %d: %s, %v", c.name, c.height, c.width, got, err)
		}
		if piece := p.Piece(pattern(50, 31)); piece.Rect.Dx() != p.Width || piece.Rect.Dy() != p.Height {
			t.Errorf("a piece of %v", piece.Rect)
		}
	}
	if _, err := Preset("imagnet", 224, 224); err == nil {
		t.Error("a preset that there is not")
	}
	if p, _ := Preset("none", 0, 0); p.Check() == nil {
		t.Error("no size")
	}
	p, _ := Preset("none", 64, 32)
	p.Resize = 63
	if p.Check() == nil {
		t.Error("a piece larger than the image")
	}
}
