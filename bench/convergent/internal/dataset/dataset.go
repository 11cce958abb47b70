// Package dataset holds small colour images with labels: procedural ones, a
// folder or zip of images by class, or the CIFAR-10 binary batches. It gives them
// to training in normalised, augmented batches. Images is a list of images of any
// size, without labels, to be shown.
//
// Pixels are bytes in NHWC order, three channels: red, green, blue. Whatever the
// number of threads, the same source gives the same bytes.
package dataset

import (
	"image"
	"math"
)

const channels = 3

// Set is a data set split into a part to train on and a part to test on.
type Set struct {
	Name    string   // the path it was opened from, or how it was made
	H, W, C int      // of every image; C is 3
	Classes []string // the name of each label
	Train   Part
	Test    Part
	Norm    Normalizer // of the training pixels
	Notes   []string   // what was not read, or not as someone may expect
}

// newSet gives a set of square images, its pixels still black.
func newSet(name string, size int, classes []string, train, test []int) *Set {
	part := func(labels []int) Part {
		return Part{H: size, W: size, C: channels, Labels: labels, Pixels: make([]uint8, len(labels)*size*size*channels)}
	}
	return &Set{Name: name, H: size, W: size, C: channels, Classes: classes, Train: part(train), Test: part(test)}
}

// Part is a sequence of labelled images. Classes take turns in it as far as they
// last (procedural images and images by class), so that any prefix is balanced.
type Part struct {
	H, W, C int
	Pixels  []uint8 // Len x H x W x C
	Labels  []int   // index into Set.Classes, one for each image
}

// Len returns the number of images.
func (p *Part) Len() int { return len(p.Labels) }

// at returns the pixels of image i.
func (p *Part) at(i int) []uint8 {
	n := p.H * p.W * p.C
	return p.Pixels[i*n : (i+1)*n : (i+1)*n]
}

// Image returns a copy of image i, to look at.
func (p *Part) Image(i int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, p.W, p.H))
	for k, px := 0, p.at(i); k < p.W*p.H; k++ {
		copy(m.Pix[4*k:4*k+3], px[3*k:3*k+3])
		m.Pix[4*k+3] = 255
	}
	return m
}

// Normalizer maps a byte v of channel c to (v - Mean[c]) / Std[c].
type Normalizer struct {
	Mean, Std []float32 // on the scale of bytes, 0 to 255
}

// Stats returns the mean and standard deviation of each channel over all images
// and positions. A constant channel has the deviation 1, so that it becomes 0.
func (p *Part) Stats() Normalizer {
	n := Normalizer{Mean: make([]float32, p.C), Std: make([]float32, p.C)}
	for c := range p.C {
		// Through counts the sums are of integers, and exact.
		var count [256]int64
		for i := c; i < len(p.Pixels); i += p.C {
			count[p.Pixels[i]]++
		}
		var total, sum, squares int64
		for v, k := range count {
			total += k
			sum += k * int64(v)
			squares += k * int64(v*v)
		}
		total = max(total, 1)
		mean := float64(sum) / float64(total)
		variance := float64(squares)/float64(total) - float64(mean*mean)
		n.Mean[c], n.Std[c] = float32(mean), 1
		if std := float32(math.Sqrt(max(variance, 0))); std > 0 {
			n.Std[c] = std
		}
	}
	return n
}

// table lists the normalised value of every byte of every channel.
func (n Normalizer) table() [][256]float32 {
	t := make([][256]float32, len(n.Mean))
	for c := range t {
		for v := range t[c] {
			t[c][v] = (float32(v) - n.Mean[c]) / n.Std[c]
		}
	}
	return t
}
