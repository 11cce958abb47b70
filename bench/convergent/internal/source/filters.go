package source

import (
	"image"
	"image/color"
	"math"
)

// DrawFilter draws weights, height x width x channels: zero is grey, and the largest in size
// is full colour.
func DrawFilter(weights []float32, height, width, channels int) image.Image {
	var largest float64
	for _, x := range weights {
		largest = max(largest, math.Abs(float64(x)))
	}
	tone := func(x float32) uint8 {
		if largest == 0 {
			return 128
		}
		return uint8(math.Round(127.5 + 127.5*float64(x)/largest))
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for at := range height * width {
		c := weights[at*channels:][:channels]
		img.SetNRGBA(at%width, at/width, color.NRGBA{tone(c[0]), tone(c[1%channels]), tone(c[2%channels]), 255})
	}
	return img
}

// Filters draws the weights that make the units of the first aligned layer of the images, by
// network and unit; nil unless that is the layer of a convolution of the images in all of
// them.
func (m *Models) Filters() [][]image.Image {
	if len(m.description.Aligned) == 0 {
		return nil
	}
	var all [][]image.Image
	for i, x := range m.models {
		if x.channels == 0 {
			return nil
		}
		w := x.graph.Filters(x.layers[m.description.Aligned[0].Layers[i]])
		if w == nil || w.Shape[1] != x.channels || w.Shape[2] != w.Shape[3] {
			return nil
		}
		depth, size := min(x.channels, 3), w.Shape[2] // without the alpha
		data := w.Data.([]float32)
		var own []image.Image
		for u := range w.Shape[0] {
			filter := make([]float32, size*size*depth)
			for c := range depth {
				to := c
				if x.pre.BGR {
					to = depth - 1 - c
				}
				for at := range size * size {
					filter[at*depth+to] = data[(u*x.channels+c)*size*size+at]
				}
			}
			own = append(own, DrawFilter(filter, size, size, depth))
		}
		all = append(all, own)
	}
	return all
}
