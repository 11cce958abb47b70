package dataset

import (
	"image"
	"image/draw"
	"math"
)

// Resize returns an image of another size, by linear interpolation where it grows and by a
// triangle over as many pixels as become one where it shrinks: bit for bit what Pillow's
// Image.resize with BILINEAR makes, and so what torchvision.transforms.Resize makes of files.
// Transparent parts are on black.
func Resize(m image.Image, width, height int) *image.RGBA {
	b := m.Bounds()
	src := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(src, src.Rect, m, b.Min, draw.Src)
	if width != b.Dx() {
		dst := image.NewRGBA(image.Rect(0, 0, width, b.Dy()))
		all := triangles(b.Dx(), width)
		for y := range b.Dy() {
			resample(dst.Pix[y*dst.Stride:], 4, src.Pix[y*src.Stride:], 4, all)
		}
		src = dst
	}
	if height != b.Dy() {
		dst := image.NewRGBA(image.Rect(0, 0, width, height))
		all := triangles(b.Dy(), height)
		for x := range width {
			resample(dst.Pix[4*x:], dst.Stride, src.Pix[4*x:], src.Stride, all)
		}
		src = dst
	}
	return src
}

// weights are those of the pixels from first on that make one, in parts of 1 << weightBits.
type weights struct {
	first int
	parts []int
}

const weightBits = 22

// triangles returns the weights of each of size pixels that from ones make.
func triangles(from, size int) []weights {
	scale := float64(from) / float64(size)
	support := max(scale, 1)
	all := make([]weights, size)
	for i := range all {
		center := float64((float64(i) + 0.5) * scale)
		lo, hi := max(0, int(center-support+0.5)), min(from, int(center+support+0.5))
		w := make([]float64, hi-lo)
		sum := 0.0
		for k := range w {
			x := float64((float64(k+lo) - center + 0.5) * float64(1/support))
			w[k] = max(0, 1-math.Abs(x))
			sum += w[k]
		}
		all[i] = weights{lo, make([]int, len(w))}
		for k, v := range w {
			all[i].parts[k] = int(0.5 + float64(float64(v/sum)*(1<<weightBits)))
		}
	}
	return all
}

// resample makes a row or a column of pixels, so many bytes apart, of another.
func resample(dst []uint8, step int, src []uint8, from int, all []weights) {
	for i, w := range all {
		var sum [channels]int
		for k, part := range w.parts {
			px := src[(w.first+k)*from:]
			for c := range sum {
				sum[c] += part * int(px[c])
			}
		}
		to := dst[i*step:]
		for c, v := range sum {
			to[c] = uint8(max(0, min(255, (v+(1<<(weightBits-1)))>>weightBits)))
		}
		to[3] = 255
	}
}
