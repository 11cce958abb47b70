package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/par"
)

// Dropout zeroes each element with probability P while training and divides the
// others by 1 - P; otherwise it does nothing (Srivastava et al., JMLR 2014). It
// works in place. What is dropped depends on the seed of training, the step and
// the image's place in the batch alone.
type Dropout struct {
	Name string
	P    float64
}

func (l Dropout) name() string                             { return l.Name }
func (l Dropout) window() (size, stride, pad int, ok bool) { return 1, 1, 0, true }

func (l Dropout) output(in Shape) (Shape, error) {
	if !(l.P >= 0 && l.P < 1) {
		return Shape{}, fmt.Errorf("probability %g is not in [0, 1)", l.P)
	}
	return in, nil
}

func (l Dropout) build(_ Shape, rnd *rand.Rand) op {
	return &dropoutOp{p: l.P, salt: rnd.Uint64()}
}

type dropoutOp struct {
	p    float64
	salt uint64 // tells the layers of a network apart
	keep []bool
}

func (o *dropoutOp) params() []*Param { return nil }
func (o *dropoutOp) inPlace() bool    { return true }

func (o *dropoutOp) forward(p pass, y, x *Tensor) {
	if !p.train {
		return
	}
	if cap(o.keep) < len(y.Data) {
		o.keep = make([]bool, len(y.Data))
	}
	o.keep = o.keep[:len(y.Data)]
	size := y.Shape().Size()
	threshold := uint64(o.p * (1 << 53))
	par.For(p.threads, y.N, func(i int) {
		var draw rand.PCG
		draw.Seed(p.seed^o.salt, uint64(p.step)<<20^uint64(i))
		keep := o.keep[i*size:][:size]
		for j := range keep {
			keep[j] = draw.Uint64()>>11 >= threshold
		}
	})
	o.mask(p, y)
}

func (o *dropoutOp) backward(p pass, dx, dy, y, x *Tensor) {
	if p.train {
		o.mask(p, dy)
	}
}

func (o *dropoutOp) mask(p pass, t *Tensor) {
	scale := float32(1 / (1 - o.p))
	size := t.Shape().Size()
	par.For(p.threads, t.N, func(i int) {
		v := t.image(i)
		for j, k := range o.keep[i*size:][:size] {
			if k {
				v[j] *= scale
			} else {
				v[j] = 0
			}
		}
	})
}
