package nn

import (
	"math"

	"github.com/convergent-go/convergent/internal/par"
)

// Schedule gives the learning rate of step 0 <= step < total.
type Schedule func(step, total int) float64

// Constant is the schedule of the same rate throughout.
func Constant(rate float64) Schedule { return func(int, int) float64 { return rate } }

// Step multiplies the base rate by gamma once a period, given in steps, as Caffe's
// policy "step" does.
func Step(base, gamma float64, period int) Schedule {
	return func(step, _ int) float64 {
		rate := base
		for range step / period {
			rate *= gamma
		}
		return rate
	}
}

// OneCycle rises in a line from top/25 to top over the first quarter of the
// steps and falls in a line to nearly zero over the rest (after Smith and
// Topin, "Super-convergence", 2017).
func OneCycle(top float64) Schedule {
	return func(step, total int) float64 {
		t, peak := float64(step)+0.5, float64(float64(total)/4)
		if t < peak {
			return top/25 + float64((top-top/25)*(t/peak))
		}
		return top * ((float64(total) - t) / (float64(total) - peak))
	}
}

// update does one step of SGD with momentum and L2 weight decay, in Caffe's
// form:
//
//	v = momentum*v + rate*LRMult*(grad + decay*DecayMult*w)
//	w = w - v
func (p *Param) update(threads int, rate, momentum, decay float64) {
	p.velocity = grow(p.velocity, len(p.Data))
	lr, m, d := float32(rate*p.LRMult), float32(momentum), float32(decay*p.DecayMult)
	par.Blocks(threads, len(p.Data), 1<<15, func(lo, hi int) {
		weights := p.Data[lo:hi]
		v, grad := p.velocity[lo:][:len(weights)], p.Grad[lo:][:len(weights)]
		for i, w := range weights {
			g := grad[i] + float32(d*w)
			v[i] = float32(m*v[i]) + float32(lr*g)
			weights[i] = w - v[i]
		}
	})
}

// isFinite reports whether x is neither NaN nor infinite.
func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
