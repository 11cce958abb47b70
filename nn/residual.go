package nn

import (
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/vec"
)

// Residual adds the output of an earlier layer to its input, the output of the layer
// before it (He et al., CVPR 2016). Where their shapes differ, as between the stages of a
// residual network, the shortcut is what makes them alike, a projection:
//
//	Residual{Name: "add", From: "relu1", Shortcut: []Layer{
//		Conv2D{Name: "projection", Out: 32, Kernel: 1, Stride: 2, NoBias: true}, BatchNorm2D{Name: "norm"},
//	}}
type Residual struct {
	Name     string
	From     string  // the earlier layer
	Shortcut []Layer // what its output goes through; none: it is added as it is
}

func (l Residual) name() string                             { return l.Name }
func (l Residual) window() (size, stride, pad int, ok bool) { return 1, 1, 0, true }
func (l Residual) output(in Shape) (Shape, error)           { return in, nil } // New compares both inputs
func (l Residual) build(Shape, *rand.Rand) op               { return sumOp{} }

// sumOp is Residual at work.
type sumOp struct{}

func (sumOp) params() []*Param { return nil }
func (sumOp) inPlace() bool    { return true }

func (sumOp) forward(p pass, y, x *Tensor) {
	y.forEach(p.threads, func(i int) {
		vec.Add(y.image(i), p.shortcut.image(i))
		if p.relu {
			vec.ReLU(y.image(i))
		}
	})
}

// backward has nothing to do: the gradient of either term is that of the sum.
func (sumOp) backward(p pass, dx, dy, y, x *Tensor) {}
