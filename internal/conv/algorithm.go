package conv

import "github.com/convergent-go/convergent/asm"

// direction is what of a convolution is computed.
type direction int

const (
	forward         direction = iota // the output
	backwardWeights                  // the gradient of the filters
	backwardData                     // the gradient of the images
)

// algorithm is a way to compute a convolution in one direction.
type algorithm int

const (
	im2col       algorithm = iota // a product with the matrix of patches, which is packed from the images
	col2im                        // a product that gives the gradients of patches, which are added to the images
	winograd                      // Winograd's algorithm, on tiles
	phases                        // a product for all positions a stride apart; not with few channels, of a tile of columns
	spaceToDepth                  // the convolution at stride 1 of blocks of positions
	pointwise                     // a product with the images themselves, whose patches are positions
	depthwise                     // sums over the taps of each channel, whose vectors are channels
	mergedGroups                  // the convolution of several groups taken for one
	narrow                        // products with few columns, which read both operands where they lie
	direct                        // products that read patches where they lie in the images
)

// algorithm returns how g is computed. It depends on the shape alone, so that results do
// not depend on the machine.
func (g Geometry) algorithm(d direction) algorithm { return g.algorithmWith(d, g.form(d)) }

// algorithmWith is algorithm for a form of Winograd's convolution, nil if there is none that
// is quicker.
func (g Geometry) algorithmWith(d direction, form *asm.Winograd) algorithm {
	_, blocks := g.blocks()
	_, merged := g.merged()
	switch {
	case g.depthwise():
		return depthwise
	case merged:
		return mergedGroups
	case g.narrow(d):
		return narrow
	case form != nil:
		return winograd
	case blocks:
		return spaceToDepth
	case d == backwardWeights && g.direct():
		return direct // which is quicker than pointwise, too
	case g.pointwise():
		return pointwise
	case d == backwardData && g.C/g.groups() >= 8:
		return phases
	case d == backwardData:
		return col2im
	case d == forward && g.direct():
		return direct
	}
	return im2col
}

// pointwise reports whether patches are positions, so that images are a matrix.
func (g Geometry) pointwise() bool {
	return g.KH*g.KW == 1 && g.Stride == 1 && g.Pad == 0 && g.groups() == 1
}

// adjoint is the convolution that takes the gradient of the output of g, at stride 1 and with
// filters as high as wide, to that of the images: dy is padded by what the filters overhang,
// and filters are rotated by half a circle.
func (g Geometry) adjoint() Geometry {
	return Geometry{N: g.N, H: g.OutH(), W: g.OutW(), C: g.Out, Out: g.C, KH: g.KH, KW: g.KW, Stride: g.Stride, Pad: g.KH - 1 - g.Pad, Groups: g.Groups}
}
