package nn

import (
	"fmt"
	"math/rand/v2"
)

// Dropout zeroes each element with probability P while training and divides the
// others by 1 - P; otherwise it does nothing (Srivastava et al., JMLR 2014). It
// works in place. Which elements it zeroes depends on the network's seed, the layer, the
// seed of training, the step and the image's place in the batch alone.
type Dropout struct {
	Name string
	P    float64 // in [0, 1)
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

// dropoutOp is Dropout at work.
type dropoutOp struct {
	p    float64
	salt uint64    // differs between the layers of a network
	mask []float32 // what each element is multiplied by
}

func (o *dropoutOp) params() []*Param { return nil }
func (o *dropoutOp) inPlace() bool    { return true }

func (o *dropoutOp) forward(p pass, y, x *Tensor) {
	if !p.train {
		return
	}
	o.mask = grow(o.mask, len(y.Data))
	size := y.Shape().Size()
	factor, threshold := float32(1/(1-o.p)), uint64(o.p*(1<<53))
	y.forEach(p.threads, func(i int) {
		var draw rand.PCG
		draw.Seed(p.seed^o.salt, uint64(p.step)<<20^uint64(i))
		mask := o.mask[i*size:][:size]
		for j := range mask {
			mask[j] = 0
			if draw.Uint64()>>11 >= threshold {
				mask[j] = factor
			}
		}
		scale(y.image(i), mask)
	})
}

func (o *dropoutOp) backward(p pass, dx, dy, y, x *Tensor) {
	size := dy.Shape().Size()
	dy.forEach(p.threads, func(i int) {
		scale(dy.image(i), o.mask[i*size:][:size])
	})
}

// scale multiplies each element of v by its factor.
func scale(v, factors []float32) {
	for j, f := range factors {
		v[j] *= f
	}
}
