package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/par"
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
	Size           int // odd
	Alpha, Beta, K float64
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

type lrnOp struct {
	half     int
	alpha, k float32 // alpha is per channel of the window
	beta     float64
	scale    []float32 // s, for backward
}

func (o *lrnOp) params() []*Param { return nil }
func (o *lrnOp) inPlace() bool    { return false }

// power returns s^-beta; the usual 3/4 takes two square roots, which are
// rounded alike everywhere.
func (o *lrnOp) power(s float32) float32 {
	if o.beta == 0.75 {
		root := float32(math.Sqrt(float64(s)))
		return 1 / float32(root*float32(math.Sqrt(float64(root))))
	}
	return float32(elem.Exp(-o.beta * elem.Log(float64(s))))
}

// windowSums sets sum[c] to the sum of v over the channels round c.
func (o *lrnOp) windowSums(sum, v []float32) {
	for c := range sum {
		var s float32
		for _, u := range v[max(0, c-o.half):min(len(v), c+o.half+1)] {
			s += u
		}
		sum[c] = s
	}
}

func (o *lrnOp) forward(p pass, y, x *Tensor) {
	if cap(o.scale) < len(x.Data) {
		o.scale = make([]float32, len(x.Data))
	}
	o.scale = o.scale[:len(x.Data)]
	size := x.Shape().Size()
	par.For(p.threads, x.N, func(i int) {
		squares := make([]float32, x.C)
		for at := i * size; at < (i+1)*size; at += x.C {
			in, out, scale := x.Data[at:][:x.C], y.Data[at:][:x.C], o.scale[at:][:x.C]
			for c, v := range in {
				squares[c] = v * v
			}
			o.windowSums(scale, squares)
			for c, v := range in {
				scale[c] = o.k + float32(o.alpha*scale[c])
				out[c] = v * o.power(scale[c])
			}
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
	par.For(p.threads, x.N, func(i int) {
		ratio, sum := make([]float32, x.C), make([]float32, x.C)
		for at := i * size; at < (i+1)*size; at += x.C {
			in, d, scale, to := x.Data[at:][:x.C], dy.Data[at:][:x.C], o.scale[at:][:x.C], dx.Data[at:][:x.C]
			for c, v := range d {
				to[c] = v * o.power(scale[c])
				ratio[c] = float32(to[c]*in[c]) / scale[c]
			}
			o.windowSums(sum, ratio)
			for c, v := range in {
				to[c] -= float32(float32(factor*v) * sum[c])
			}
		}
	})
}
