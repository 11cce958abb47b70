package onnx

// windows are where a filter or a pool is applied along each spatial axis.
type windows struct {
	kernel, stride, dilation []int // nil: not given
	pads                     []int // before each axis, then after each
	auto                     string
	ceil                     bool
}

func newWindows(a *attributes) windows {
	w := windows{
		kernel: a.ints("kernel_shape"), stride: a.ints("strides"), dilation: a.ints("dilations"), pads: a.ints("pads"),
		auto: a.choice("auto_pad", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
	}
	positive("kernel_shape", w.kernel)
	positive("strides", w.stride)
	positive("dilations", w.dilation)
	for _, p := range w.pads {
		if p < 0 || p > 1<<30 {
			failf("attribute pads is %v: out of range", w.pads)
		}
	}
	return w
}

// span is a window along one axis of a tensor at hand.
type span struct {
	in, out                  int // sizes
	kernel, stride, dilation int
	before, after            int // pads
}

// fit returns the spans along the spatial axes of a tensor, for kernels of the given
// sizes.
func (w windows) fit(sizes, kernel []int) []span {
	n := len(sizes)
	if len(kernel) != n || w.kernel != nil && len(w.kernel) != n {
		failf("a kernel %v for %d spatial axes", kernel, n)
	}
	for i, k := range w.kernel {
		if k != kernel[i] {
			failf("attribute kernel_shape is %v, the weights have %v", w.kernel, kernel)
		}
	}
	if w.stride != nil && len(w.stride) != n || w.dilation != nil && len(w.dilation) != n || w.pads != nil && len(w.pads) != 2*n {
		failf("strides %v, dilations %v or pads %v for %d spatial axes", w.stride, w.dilation, w.pads, n)
	}
	out := make([]span, n)
	for i := range out {
		s := span{in: sizes[i], kernel: kernel[i], stride: 1, dilation: 1}
		if w.stride != nil {
			s.stride = w.stride[i]
		}
		if w.dilation != nil {
			s.dilation = w.dilation[i]
		}
		if s.kernel > 1<<30/s.dilation {
			failf("a kernel of %d at dilation %d", s.kernel, s.dilation)
		}
		switch w.auto {
		case "SAME_UPPER", "SAME_LOWER":
			s.out = (s.in + s.stride - 1) / s.stride
			total := max(0, (s.out-1)*s.stride+s.reach()-s.in)
			s.before = total / 2
			if w.auto == "SAME_LOWER" {
				s.before = total - total/2
			}
			s.after = total - s.before
		default:
			if w.pads != nil && w.auto == "NOTSET" {
				s.before, s.after = w.pads[i], w.pads[n+i]
			}
			rest := s.in + s.before + s.after - s.reach()
			if rest < 0 {
				failf("a kernel of %d does not fit %d positions padded by %d and %d", s.reach(), s.in, s.before, s.after)
			}
			s.out = rest/s.stride + 1
			if w.ceil && rest%s.stride != 0 && s.out*s.stride < s.in+s.before {
				// One more, unless it would begin in the padding after the end.
				s.out++
			}
		}
		out[i] = s
	}
	return out
}

// reach is how many positions the window covers.
func (s span) reach() int { return (s.kernel-1)*s.dilation + 1 }

// from returns the terms [lo, hi) of the window at output position i that lie within the
// input, and the position of term 0.
func (s span) from(i int) (at, lo, hi int) {
	at = i*s.stride - s.before
	if at < 0 {
		lo = (-at + s.dilation - 1) / s.dilation
	}
	hi = s.kernel
	if last := s.in - 1 - at; last < (s.kernel-1)*s.dilation {
		if hi = 0; last >= 0 {
			hi = last/s.dilation + 1
		}
	}
	return at, min(lo, hi), hi
}

// outs returns the shape of the result.
func outs(n, c int, spans []span) []int {
	shape := []int{n, c}
	for _, s := range spans {
		shape = append(shape, s.out)
	}
	return shape
}
