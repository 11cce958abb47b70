// Package conv computes convolutions of images, forward and backward, as matrix
// products: filters of 3 x 3 and 5 x 5 positions at stride 1 by Winograd's
// algorithm, which takes 2.25 to 6.25 times fewer multiplications, and all others as
// products whose operands are packed straight from the images, so that the matrix of
// patches (im2col) is never formed, or read in place. Where each channel has a filter of
// its own, channels are the vectors. Which it is depends on the shape alone.
//
// For data of unit scale and up to 512 channels no result is off by more than 2e-5
// of the largest, and their root mean square error is at most 1e-5 of their root
// mean square (5 x 5 positions; of 3 x 3, and of sums themselves, a third and a tenth
// of that).
//
// Images are NHWC and filters [Out, KH, KW, C/Groups], so a patch is a row of
// KH*KW*C/Groups terms in the order of a filter's, and the activations of one
// position are a row of units.
package conv

import "github.com/convergent-go/convergent/internal/par"

// Geometry is the shape of a convolution of N images of H x W positions and C
// channels with Out filters of KH x KW positions, applied every Stride
// positions after Pad zeros on each side. With Groups > 1 the channels and the
// filters are divided into that many equal parts, filters of a part having only its
// channels as input; 0 means 1.
type Geometry struct {
	N, H, W, C  int
	Out         int
	KH, KW      int
	Stride, Pad int
	Groups      int
}

// OutH returns the height of the output.
func (g Geometry) OutH() int { return (g.H+2*g.Pad-g.KH)/g.Stride + 1 }

// OutW returns the width of the output.
func (g Geometry) OutW() int { return (g.W+2*g.Pad-g.KW)/g.Stride + 1 }

// groups returns Groups with its default.
func (g Geometry) groups() int { return max(g.Groups, 1) }

// positions returns the number of output positions of all images: the rows of
// the output.
func (g Geometry) positions() int { return g.N * g.OutH() * g.OutW() }

// patch returns the number of terms of a patch: the length of a filter.
func (g Geometry) patch() int { return g.KH * g.KW * g.C / g.groups() }

// Worth returns how many threads to divide the convolution among, of threads at most: a core
// does some 64 multiply-adds a nanosecond, or reads and writes 2 elements.
func (g Geometry) Worth(threads int) int {
	in, out := g.N*g.H*g.W*g.C, g.positions()*g.Out
	return par.Worth(threads, out*g.patch()/64+(in+out)/2)
}

// check panics if the geometry is impossible or a slice has the wrong length.
func (g Geometry) check(x, w, y []float32) {
	switch {
	case g.N < 0 || g.H < 1 || g.W < 1 || g.C < 1 || g.Out < 1 || g.KH < 1 || g.KW < 1 || g.Stride < 1 || g.Pad < 0 || g.Groups < 0:
		panic("conv: size out of range")
	case g.C%g.groups() != 0 || g.Out%g.groups() != 0:
		panic("conv: channels not divisible by groups")
	case g.H+2*g.Pad < g.KH || g.W+2*g.Pad < g.KW:
		panic("conv: filter larger than the padded image")
	case len(x) != g.N*g.H*g.W*g.C:
		panic("conv: wrong length of the input")
	case len(w) != g.Out*g.patch():
		panic("conv: wrong length of the filters")
	case len(y) != g.positions()*g.Out:
		panic("conv: wrong length of the output")
	}
}
