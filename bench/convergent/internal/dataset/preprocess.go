package dataset

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
)

// Preprocess is what is done to an image before a network sees it: its shorter edge is made
// Resize long, a piece is cut out of the middle, and value v of a channel, from 0 to 255,
// becomes (v/Scale - Mean) / Std.
type Preprocess struct {
	Name          string    // of the preset that it began with
	Resize        int       // 0: as long as the piece needs
	Height, Width int       // of the piece
	Scale         float64   // 255: values are from 0 to 1; 1: as they are
	Mean, Std     []float64 // of red, green and blue
	BGR           bool      // blue comes first
}

// presets are those of networks that are often seen: of PyTorch and torchvision, trained on
// ImageNet or CIFAR-10, of Caffe's, and values as they are.
var presets = []struct {
	name     string
	size     int // of the piece where the network does not say
	margin   func(size int) int
	settings Preprocess
}{
	{"imagenet", 224, func(size int) int { return (256*size + 112) / 224 }, Preprocess{Scale: 255, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}},
	{"cifar10", 32, nil, Preprocess{Scale: 255, Mean: []float64{0.4914, 0.4822, 0.4465}, Std: []float64{0.247, 0.2435, 0.2616}}},
	{"caffe", 227, func(size int) int { return (256*size + 113) / 227 }, Preprocess{Scale: 1, Mean: []float64{123, 117, 104}, Std: []float64{1, 1, 1}, BGR: true}},
	{"none", 0, nil, Preprocess{Scale: 1, Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}},
}

// presetNames lists the presets.
func presetNames() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Preset returns what a preset does for a network whose input has the given height and
// width, 0 where these are open. Without a name it is that of ImageNet, or for images of
// 32x32 that of CIFAR-10.
func Preset(name string, height, width int) (Preprocess, error) {
	if name == "" {
		name = "imagenet"
		if height == side && width == side {
			name = "cifar10"
		}
	}
	i := slices.Index(presetNames(), name)
	if i < 0 {
		return Preprocess{}, fmt.Errorf("%q is none of %s", name, strings.Join(presetNames(), ", "))
	}
	preset := presets[i]
	p := preset.settings
	p.Name, p.Height, p.Width = name, height, width
	if height == 0 {
		p.Height = preset.size
	}
	if width == 0 {
		p.Width = preset.size
	}
	if preset.margin != nil {
		p.Resize = preset.margin(max(p.Height, p.Width))
	}
	return p, nil
}

// Check returns an error if the piece cannot be cut out of what is resized.
func (p Preprocess) Check() error {
	switch {
	case p.Height < 1 || p.Width < 1:
		return fmt.Errorf("the network's input may be of any size; say which by -crop")
	case p.Resize > 0 && p.Resize < max(p.Height, p.Width):
		return fmt.Errorf("-resize %d: a piece of %d x %d does not fit in; give %d or more", p.Resize, p.Height, p.Width, max(p.Height, p.Width))
	}
	for _, v := range p.Std {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("-std %g: it must be above 0", v)
		}
	}
	for _, v := range p.Mean {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("-mean %g: it must be a number", v)
		}
	}
	return nil
}

// String says what is done, for people.
func (p Preprocess) String() string {
	resize := fmt.Sprintf("%d x %d from the middle", p.Height, p.Width)
	if p.Resize > 0 {
		resize = fmt.Sprintf("resized to %d, %s", p.Resize, resize)
	} else {
		resize = "resized to " + resize
	}
	values := "values from 0 to 255"
	if p.Scale == 255 {
		values = "values from 0 to 1"
	}
	order := "RGB"
	if p.BGR {
		order = "BGR"
	}
	return fmt.Sprintf("%s (%s), %s, %s, less %v, by %v", resize, p.Name, order, values, p.Mean, p.Std)
}

// Piece returns what a network sees of an image.
func (p Preprocess) Piece(m image.Image) *image.RGBA {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	// As torchvision does: the longer edge is rounded down.
	short := p.Resize
	if short == 0 {
		short = max(p.Height, p.Width)
		if p.Height != p.Width { // the least that covers the piece
			short = max((p.Width*min(w, h)+w-1)/w, (p.Height*min(w, h)+h-1)/h)
		}
	}
	if w <= h {
		w, h = short, max(p.Height, short*h/w)
	} else {
		w, h = max(p.Width, short*w/h), short
	}
	resized := Resize(m, w, h)
	at := image.Pt(middle(w-p.Width), middle(h-p.Height))
	piece := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for y := range p.Height {
		copy(piece.Pix[y*piece.Stride:(y+1)*piece.Stride], resized.Pix[resized.PixOffset(at.X, at.Y+y):])
	}
	return piece
}

// middle is where a piece begins that leaves so much: as torchvision's CenterCrop has it.
func middle(rest int) int { return int(math.RoundToEven(float64(rest) / 2)) }

// Input writes a piece as a network's input, channels first or last: red, green and blue, of
// one channel their luma, of four an opaque alpha besides, which has no mean and deviation.
func (p Preprocess) Input(dst []float32, piece *image.RGBA, count int, channelsLast bool) {
	var tables [channels + 1][256]float32
	for c := range channels {
		for v := range 256 {
			tables[c][v] = (float32(v)/float32(p.Scale) - float32(p.Mean[c])) / float32(p.Std[c])
		}
	}
	const opaque = float32(1)
	size := p.Height * p.Width
	for i := range size {
		px := piece.Pix[4*i : 4*i+4]
		for c := range count {
			from := c
			if p.BGR && c < channels {
				from = channels - 1 - c
			}
			v := opaque
			switch {
			case count == 1: // ITU-R 601, as Pillow rounds it
				v = tables[0][(19595*int(px[0])+38470*int(px[1])+7471*int(px[2])+(1<<15))>>16]
			case c < channels:
				v = tables[from][px[from]]
			}
			if channelsLast {
				dst[i*count+c] = v
			} else {
				dst[c*size+i] = v
			}
		}
	}
}
