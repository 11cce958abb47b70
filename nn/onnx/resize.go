package onnx

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// resize is how images are interpolated, one axis after another.
type resize struct {
	mode, coordinates, nearest, policy string
	a                                  float64 // of the cubic kernel
	exclude, antialias                 bool
	extrapolation                      float32
	axes                               []int
}

func buildResize(a *attributes) kernel {
	r := resize{
		mode:      a.choice("mode", "nearest", "linear", "cubic"),
		a:         -0.75,
		nearest:   "floor",
		exclude:   a.bool("exclude_outside", false),
		antialias: a.bool("antialias", false),
		policy:    a.choice("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller"),
		axes:      a.ints("axes"),
	}
	r.coordinates = "asymmetric"
	if a.version >= 11 {
		r.coordinates = a.choice("coordinate_transformation_mode", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize")
		r.nearest = a.choice("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
		r.a = float64(a.float("cubic_coeff_a", -0.75))
		r.extrapolation = a.float("extrapolation_value", 0)
	}
	return func(c *call) []*Tensor {
		if a.version < 11 {
			return []*Tensor{r.run(c, c.floats(1), nil, nil)}
		}
		var scales, roi []float32
		var sizes []int
		if c.has(1) && c.in[1].Len() > 0 && r.coordinates == "tf_crop_and_resize" {
			roi = c.floats(1)
		}
		if c.has(2) && c.in[2].Len() > 0 {
			scales = c.floats(2)
		}
		if c.has(3) && c.in[3].Len() > 0 {
			sizes = c.ints(3)
		}
		if (scales == nil) == (sizes == nil) {
			failf("either scales or sizes are needed")
		}
		return []*Tensor{r.run(c, scales, sizes, roi)}
	}
}

// buildUpsample returns the kernel of Upsample, the older name.
func buildUpsample(a *attributes) kernel {
	mode := a.choice("mode", "nearest", "linear", "bilinear")
	if mode == "bilinear" {
		mode = "linear"
	}
	r := resize{mode: mode, coordinates: "asymmetric", nearest: "floor", policy: "stretch"}
	scales := a.floats("scales")
	return func(c *call) []*Tensor {
		scales := scales
		if a.version >= 9 {
			scales = c.floats(1)
		}
		return []*Tensor{r.run(c, scales, nil, nil)}
	}
}

func (r resize) run(c *call, scales []float32, sizes []int, roi []float32) *Tensor {
	x := c.tensor(0)
	over := r.axes
	if over == nil {
		for i := range x.Shape {
			over = append(over, i)
		}
	}
	over = axes(over, len(x.Shape))
	if len(sizes) != len(over) && len(scales) != len(over) || roi != nil && len(roi) != 2*len(over) ||
		roi == nil && r.coordinates == "tf_crop_and_resize" {
		failf("%d scales, %d sizes, a region of %d for %d axes", len(scales), len(sizes), len(roi), len(over))
	}
	if r.mode != "nearest" || r.coordinates == "tf_crop_and_resize" {
		c.floats(0)
	}
	// With a policy, one scale for all axes.
	common := 0.0
	if sizes != nil && r.policy != "stretch" {
		for i, ax := range over {
			s := float64(sizes[i]) / float64(max(1, x.Shape[ax]))
			if i == 0 || (r.policy == "not_larger") == (s < common) {
				common = s
			}
		}
	}
	y, changed := x, false
	outside := make([][]bool, len(x.Shape))
	for i, ax := range over {
		n := x.Shape[ax]
		l := line{resize: r, in: n, end: 1}
		if roi != nil {
			l.start, l.end = float64(roi[i]), float64(roi[len(over)+i])
		}
		if scales != nil {
			l.scale = float64(scales[i])
			out := math.Floor(float64(n) * l.scale)
			if !(l.scale > 0) || out > 1<<40 {
				failf("scales %v of shape %v", scales, x.Shape)
			}
			l.out = int(out)
		} else {
			l.out = sizes[i]
			if l.out < 0 || l.out > 1<<40 {
				failf("sizes %v", sizes)
			}
			l.scale = float64(l.out) / float64(max(1, n))
			if common != 0 {
				l.scale = common
				l.out = int(math.Floor(float64(common*float64(n)) + 0.5))
			}
		}
		if l.out == n && l.scale == 1 && r.coordinates != "tf_crop_and_resize" {
			continue
		}
		if n == 0 && l.out > 0 {
			failf("sizes %v of shape %v", sizes, x.Shape)
		}
		if _, ok := elements([]int{l.out}); !ok || int64(l.out)*8 > c.mem.limit {
			failf("an axis of %d", l.out)
		}
		changed = true
		outside[ax] = l.outside()
		if r.mode == "nearest" {
			y = c.picked(y, ax, l.nearestIndices())
		} else {
			y = c.interpolated(y, ax, l.taps())
		}
	}
	if !changed {
		return c.same()
	}
	if r.coordinates == "tf_crop_and_resize" {
		y = c.plain(y)
		d, s := y.Data.([]float32), strides(y.Shape)
		for i := range d {
			for ax, o := range outside {
				if o != nil && o[i/s[ax]%y.Shape[ax]] {
					d[i] = r.extrapolation
				}
			}
		}
	}
	return y
}

// line is the interpolation along one axis.
type line struct {
	resize
	in, out    int
	scale      float64
	start, end float64 // of the region, in parts of the axis
}

// at returns where output position i lies in the input.
func (l line) at(i int) float64 {
	x, n := float64(i), float64(l.in)
	switch l.coordinates {
	case "half_pixel":
		return (x+0.5)/l.scale - 0.5
	case "half_pixel_symmetric":
		return float64(n/2*(1-float64(l.out)/float64(l.scale*n))) + (x+0.5)/l.scale - 0.5
	case "pytorch_half_pixel":
		if l.out == 1 {
			return 0
		}
		return (x+0.5)/l.scale - 0.5
	case "align_corners":
		if w := float64(l.scale * n); w != 1 {
			return float64(x*(n-1)) / (w - 1)
		}
		return 0
	case "tf_half_pixel_for_nn":
		return (x + 0.5) / l.scale
	case "tf_crop_and_resize":
		if l.out == 1 {
			return float64(0.5 * float64((l.start+l.end)*(n-1)))
		}
		return float64(l.start*(n-1)) + float64(float64(x*(l.end-l.start))*(n-1))/float64(l.out-1)
	}
	return x / l.scale
}

// outside reports for each output position whether it lies outside the input.
func (l line) outside() []bool {
	out := make([]bool, l.out)
	for i := range out {
		x := l.at(i)
		out[i] = x < 0 || x > float64(l.in-1)
	}
	return out
}

func (l line) nearestIndices() []int {
	out := make([]int, l.out)
	for i := range out {
		x := l.at(i)
		switch l.nearest {
		case "floor":
			x = math.Floor(x)
		case "ceil":
			x = math.Ceil(x)
		case "round_prefer_ceil":
			x = math.Floor(x + 0.5)
		default:
			x = math.Ceil(x - 0.5)
		}
		out[i] = int(min(max(x, 0), float64(l.in-1)))
	}
	return out
}

// weighted is an input position and its weight.
type weighted struct {
	index  int
	weight float32
}

// taps returns for each output position the input positions that it is made of.
func (l line) taps() [][]weighted {
	s, support := 1.0, 1.0
	if l.mode == "cubic" {
		support = 2
	}
	if l.antialias {
		s = min(l.scale, 1)
	}
	out := make([][]weighted, l.out)
	for i := range out {
		x := l.at(i)
		if !(math.Abs(x) < 1<<40) {
			failf("position %v of an axis of %d", x, l.in)
		}
		lo, hi := int(math.Floor(x-support/s))+1, int(math.Ceil(x+support/s))-1
		var weights []float64
		sum := 0.0
		first := lo
		for k := lo; k <= hi; k++ {
			w := l.weight(float64((float64(k) - x) * s))
			if l.exclude && (k < 0 || k >= l.in) {
				w = 0
			}
			weights = append(weights, w)
			sum += w
		}
		for k, w := range weights {
			if w == 0 {
				continue
			}
			if l.exclude || l.antialias {
				w /= sum
			}
			out[i] = append(out[i], weighted{min(max(first+k, 0), l.in-1), float32(w)})
		}
	}
	return out
}

// weight is the kernel.
func (l line) weight(t float64) float64 {
	t = math.Abs(t)
	if l.mode == "linear" {
		return max(0, 1-t)
	}
	switch a := l.a; {
	case t <= 1:
		return float64(float64((float64((a+2)*t)-(a+3))*t)*t) + 1
	case t < 2:
		return float64((float64((float64(a*t)-float64(5*a))*t)+float64(8*a))*t) - float64(4*a)
	}
	return 0
}

// interpolated returns weighted sums of x along an axis.
func (c *call) interpolated(x *Tensor, along int, taps [][]weighted) *Tensor {
	shape := slices.Clone(x.Shape)
	shape[along] = len(taps)
	y, d := c.newFloats(shape)
	y.channelsLast = x.channelsLast
	inner := x.strides()[along]
	n, src := x.Shape[along], x.Data.([]float32)
	if len(d) == 0 {
		return y
	}
	par.Blocks(c.threads, len(d)/inner, max(1, blockLen/inner), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row, base := d[r*inner:][:inner], r/len(taps)*n
			clear(row)
			for _, t := range taps[r%len(taps)] {
				from := src[(base+t.index)*inner:][:inner]
				for i, v := range from {
					row[i] += float32(t.weight * v)
				}
			}
		}
	})
	return y
}
