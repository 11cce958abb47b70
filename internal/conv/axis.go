package conv

// axis is a convolution in one dimension: output o is a sum over taps k of input
// o*stride - pad + k, where there is one. Padding may be negative.
type axis struct{ in, out, taps, stride, pad int }

// vertical and horizontal are the axes of g.
func (g Geometry) vertical() axis   { return axis{g.H, g.OutH(), g.KH, g.Stride, g.Pad} }
func (g Geometry) horizontal() axis { return axis{g.W, g.OutW(), g.KW, g.Stride, g.Pad} }

// valid returns the taps [k0, k1) of output o that have an input, if any.
func (a axis) valid(o int) (k0, k1 int) {
	start := o*a.stride - a.pad
	return max(0, -start), min(a.taps, a.in-start)
}

// reached returns the outputs [o0, o1) that tap k gives an input, if any.
func (a axis) reached(k int) (o0, o1 int) {
	if k-a.pad >= a.in {
		return 0, 0
	}
	return divUp(max(0, a.pad-k), a.stride), min(a.out, (a.in-1+a.pad-k)/a.stride+1)
}

// interior returns the outputs [o0, o1) that all taps give an input, if any.
func (a axis) interior() (o0, o1 int) {
	o0, _ = a.reached(0)
	_, o1 = a.reached(a.taps - 1)
	return min(o0, a.out), max(min(o0, a.out), o1)
}

// adjoint is the convolution in one dimension that takes the gradient of the output of a to
// that of inputs phase, phase+stride, and so on: by the taps last, last-stride, and so on,
// which are those that reach them.
func (a axis) adjoint(phase int) (b axis, last int) {
	first := (phase + a.pad) % a.stride
	taps := divUp(max(0, a.taps-first), a.stride)
	b = axis{in: a.out, out: divUp(a.in-phase, a.stride), taps: taps, stride: 1, pad: taps - 1 - (phase+a.pad)/a.stride}
	return b, first + (taps-1)*a.stride
}

// overhang is how many inputs are missing at most on either side.
func (a axis) overhang() int { return max(a.pad, (a.out-1)*a.stride-a.pad+a.taps-a.in) }
