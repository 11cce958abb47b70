package match

import (
	"math"
	"sync"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// directions finds the weights of many targets at one lambda, to single precision, by the
// alternating direction method of multipliers (Boyd, Parikh, Chu, Peleato and Eckstein,
// Found. Trends Mach. Learn. 3, 2011, section 6.4), whose steps are products of matrices.
// With R the sources' correlations, c the target's with them, and weights in standard
// deviations, they are
//
//	w = (R + rho I)^-1 (c + rho (z - u))
//	v = a w + (1 - a) z + u
//	u = v between -tau and tau, z = v - u
//
// with tau = lambda/rho, in the same units, and over-relaxation by a. The zeros and signs
// of z are right long before its digits.
type directions struct {
	*operators
	stride      int       // floats from a target to the next
	c, rhs      []float32 // targets x p
	w, z, u     []float32
	tau         []float32 // p: of a target of variance 1
	signs       []int8    // of z, at the last check
	targetScale []float64 // inverses of the targets' standard deviations
}

const (
	relaxation    = 1.8
	checkInterval = 5   // iterations
	maxIterations = 150 // the active set mends the rest
)

// operators are the matrices (R + rho I)^-1 of each lambda, computed when first used.
type operators struct {
	*problem
	threads  int
	lambdas  []float64
	scale    []float64
	operator []operator
}

type operator struct {
	once   sync.Once
	rho    float64
	packed level3.PackedB
}

func newOperators(pr *problem, threads int, lambdas []float64) *operators {
	return &operators{problem: pr, threads: threads, lambdas: lambdas, scale: pr.standardScales(), operator: make([]operator, len(lambdas))}
}

// rhoFactor is rho over lambda, in correlations. Convergence is fastest where the
// threshold, lambda/rho, is about the size of weights, which is a few hundredths.
const rhoFactor = 25

// at returns the operator of lambda i.
func (o *operators) at(i int) *operator {
	m := &o.operator[i]
	m.once.Do(func() {
		var sources, targets float64
		for j := range o.p {
			sources += o.sxx[j*(o.p+1)] / float64(o.p)
		}
		for _, v := range o.syy {
			targets += v / float64(o.targets)
		}
		m.rho = 1.0
		if unit := math.Sqrt(sources) * math.Sqrt(targets); unit > 0 {
			m.rho = max(1e-3, min(100, rhoFactor*o.lambdas[i]/unit))
		}
		f := o.factorCorrelation(o.threads, o.scale, m.rho, 0)
		inverse := make([]float64, o.p*o.p)
		f.Inverse(inverse)
		m.packed = level3.NewPackedB(make([]float32, level3.PackedLen(o.p, o.p)), o.p, o.p)
		width := level3.Width()
		par.Blocks(o.threads, o.p, width, func(lo, hi int) {
			rows := make([]float32, (hi-lo)*o.p)
			for i := range rows {
				rows[i] = float32(inverse[lo*o.p+i])
			}
			m.packed.Pack(lo, hi, level3.Rows{Data: rows, Stride: o.p})
		})
	})
	return m
}

func newDirections(o *operators) *directions {
	const spare = 8               // tiles of a product may end beyond the last target
	stride := (o.p+15)/16*16 + 16 // rows a power of two apart would share few sets of a cache
	n := (wideTargets + spare) * stride
	d := &directions{operators: o, stride: stride, tau: make([]float32, o.p), signs: make([]int8, wideTargets*o.p), targetScale: make([]float64, wideTargets)}
	for _, x := range []*[]float32{&d.c, &d.rhs, &d.w, &d.z, &d.u} {
		*x = make([]float32, n)
	}
	return d
}

// guess returns z of the target in place k of the last run, and u/tau, which is between -1
// and 1, in its own place.
func (d *directions) guess(k int) (z, u []float32) {
	u = d.u[k*d.stride:][:d.p]
	for j, tau := range d.tau {
		if u[j] != 0 {
			u[j] /= tau
		}
	}
	return d.z[k*d.stride:][:d.p], u
}

// run iterates for targets, up to wideTargets of them, at lambda i until the signs settle.
func (d *directions) run(i int, targets []int) error {
	m := d.at(i)
	for j, s := range d.scale {
		d.tau[j] = float32(d.lambdas[i] / m.rho * s)
		if s == 0 {
			d.tau[j] = float32(math.Inf(1))
		}
	}
	for k, t := range targets {
		scale := 0.0
		if v := d.syy[t]; v > 0 {
			scale = 1 / math.Sqrt(v)
		}
		d.targetScale[k] = scale
		at := k * d.stride
		for j, c := range d.sxy[t*d.p:][:d.p] {
			d.c[at+j] = float32(c * d.scale[j] * scale)
		}
		copy(d.rhs[at:], d.c[at:][:d.p])
		clear(d.z[at:][:d.p])
		clear(d.u[at:][:d.p])
	}
	n := len(targets)
	clear(d.signs)
	for iteration := 1; iteration <= maxIterations; iteration++ {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		m.packed.MultiplyRows(n, level3.Rows{Data: d.rhs, Stride: d.stride}, d.w, d.stride)
		for k := range n {
			d.step(k, float32(m.rho))
		}
		if iteration%checkInterval == 0 {
			members, changes := d.check(n)
			if 500*changes <= members {
				break
			}
		}
	}
	return nil
}

// step is the part of an iteration that follows the product, for the target in place k.
func (d *directions) step(k int, rho float32) {
	at, n := k*d.stride, d.p
	c, rhs, w, z, u := d.c[at:][:n], d.rhs[at:][:n], d.w[at:][:n], d.z[at:][:n], d.u[at:][:n]
	tau, scale := d.tau[:n], float32(d.targetScale[k])
	for j, tau := range tau {
		tau = float32(tau * scale)
		v := float32(relaxation*w[j]) - float32((relaxation-1)*z[j]) + u[j]
		y := v
		if v > tau {
			y = tau
		} else if v < -tau {
			y = -tau
		}
		x := v - y
		z[j], u[j] = x, y
		rhs[j] = c[j] + float32(rho*(x-y))
	}
}

// check counts the nonzero z of the first n targets, and the signs that have changed since
// the last call.
func (d *directions) check(n int) (members, changes int) {
	for k := range n {
		signs := d.signs[k*d.p:][:d.p]
		for j, z := range d.z[k*d.stride:][:d.p] {
			var s int8
			if z > 0 {
				s = 1
			} else if z < 0 {
				s = -1
			}
			if s != 0 {
				members++
			}
			if s != signs[j] {
				changes++
				signs[j] = s
			}
		}
	}
	return members, changes
}
