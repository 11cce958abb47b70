package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/vec"
)

// LRN is local response normalisation across channels (Krizhevsky et al., NIPS
// 2012, section 3.3, with Caffe's division of Alpha by Size): with
//
//	s_c = K + Alpha/Size * sum of x_d^2 over the Size channels d round c
//
// the output is x_c * s_c^-Beta. Zero fields mean CaffeNet's values: Size 5,
// Alpha 1e-4, Beta 0.75, K 1.
type LRN struct {
	Name           string
	Size           int     // odd
	Alpha, Beta, K float64 // as in the formula
}

func (l LRN) name() string                             { return l.Name }
func (l LRN) window() (size, stride, pad int, ok bool) { return 1, 1, 0, true }

func (l LRN) output(in Shape) (Shape, error) {
	if l.Size < 0 || l.Size > 0 && l.Size%2 == 0 || l.Alpha < 0 || l.Beta < 0 || l.K < 0 {
		return Shape{}, fmt.Errorf("size %d, alpha %g, beta %g, k %g: size must be odd, none negative", l.Size, l.Alpha, l.Beta, l.K)
	}
	return in, nil
}

func (l LRN) build(Shape, *rand.Rand) op {
	if l.Size == 0 {
		l.Size = 5
	}
	if l.Alpha == 0 {
		l.Alpha = 1e-4
	}
	if l.Beta == 0 {
		l.Beta = 0.75
	}
	if l.K == 0 {
		l.K = 1
	}
	return &lrnOp{half: l.Size / 2, alpha: float32(l.Alpha / float64(l.Size)), beta: l.Beta, k: float32(l.K)}
}

// lrnOp is LRN at work.
type lrnOp struct {
	half     int
	alpha, k float32 // alpha is per channel of the window
	beta     float64
	scale    []float32 // s, for backward
	scratch  []float32 // a part for each image, which terms returns
}

func (o *lrnOp) params() []*Param { return nil }
func (o *lrnOp) inPlace() bool    { return false }

// terms returns scratch of image i: room for one term a channel of a window
// sum, with half zeros at either end, and for the sums.
func (o *lrnOp) terms(i, channels int) (terms, sums []float32) {
	n := channels + 2*o.half
	part := o.scratch[i*(n+channels):][:n+channels]
	return part[:n], part[n:]
}

// windowSums sets each sum to that of the 2*half + 1 terms from it on.
func windowSums(sums, terms []float32) {
	copy(sums, terms)
	for first := 1; first <= len(terms)-len(sums); first++ {
		vec.Add(sums, terms[first:][:len(sums)])
	}
}

// normalise sets dst to x * s^-beta.
func (o *lrnOp) normalise(dst, x, s []float32) {
	if o.beta == 0.75 {
		vec.ThreeQuarters(dst, x, s)
		return
	}
	for c, v := range x {
		dst[c] = v * float32(elem.Exp(-o.beta*elem.Log(float64(s[c]))))
	}
}

func (o *lrnOp) forward(p pass, y, x *Tensor) {
	o.scale = grow(o.scale, len(x.Data))
	o.scratch = grow(o.scratch, x.N*2*(x.C+o.half))
	size := x.Shape().Size()
	x.forEach(p.threads, func(i int) {
		terms, _ := o.terms(i, x.C)
		squares := terms[o.half:][:x.C]
		for at := i * size; at < (i+1)*size; at += x.C {
			in, out, scale := x.Data[at:][:x.C], y.Data[at:][:x.C], o.scale[at:][:x.C]
			for c, v := range in {
				squares[c] = v * v
			}
			windowSums(scale, terms)
			for c, v := range scale {
				scale[c] = o.k + float32(o.alpha*v)
			}
			o.normalise(out, in, scale)
		}
	})
}

// backward uses dy_d/dx_c = s_c^-beta [c = d] - 2 alpha beta x_c y_d / s_d
// where c is in the window of d, which is where d is in the window of c; y_d is
// x_d s_d^-beta.
func (o *lrnOp) backward(p pass, dx, dy, y, x *Tensor) {
	if dx == nil {
		return
	}
	size := x.Shape().Size()
	factor := float32(2 * float64(o.alpha) * o.beta)
	x.forEach(p.threads, func(i int) {
		terms, sums := o.terms(i, x.C)
		ratios := terms[o.half:][:x.C]
		for at := i * size; at < (i+1)*size; at += x.C {
			in, d, scale, to := x.Data[at:][:x.C], dy.Data[at:][:x.C], o.scale[at:][:x.C], dx.Data[at:][:x.C]
			o.normalise(to, d, scale)
			for c, v := range to {
				ratios[c] = v * in[c] / scale[c]
			}
			windowSums(sums, terms)
			for c, v := range sums {
				to[c] -= float32(factor * in[c] * v)
			}
		}
	})
}
