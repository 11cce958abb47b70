package nn

import (
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/vec"
)

// ReLU replaces negative activations by zero, in place. NaN stays NaN.
type ReLU struct{ Name string }

func (l ReLU) name() string                             { return l.Name }
func (l ReLU) output(in Shape) (Shape, error)           { return in, nil }
func (l ReLU) window() (size, stride, pad int, ok bool) { return 1, 1, 0, true }
func (l ReLU) build(Shape, *rand.Rand) op               { return reluOp{} }

// reluOp is ReLU at work.
type reluOp struct{}

func (reluOp) params() []*Param { return nil }
func (reluOp) inPlace() bool    { return true }

func (reluOp) forward(p pass, y, x *Tensor) {
	y.forEach(p.threads, func(i int) {
		vec.ReLU(y.image(i))
	})
}

func (reluOp) backward(p pass, dx, dy, y, x *Tensor) {
	dy.forEach(p.threads, func(i int) {
		vec.ReLUGrad(dy.image(i), y.image(i))
	})
}
