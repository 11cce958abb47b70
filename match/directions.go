package match

import (
	"math"
	"sync"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
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
//
// Here w, z, u and v are divided by tau, and c by lambda, which leaves bounds of -1 and 1.
type directions struct {
	*operators
	stride int       // floats from a target to the next
	c, rhs []float32 // targets x p; the right-hand side is divided by lambda, too
	w, v   []float32
	u      []float32
	signs  []int8 // of z, at the last check
}

const (
	relaxation    = 1.8
	checkInterval = 5   // iterations
	maxIterations = 150 // the active set mends the rest
)

// operators are the matrices rho (R + rho I)^-1 of each lambda, computed when first used.
type operators struct {
	*problem
	threads  int
	lambdas  []float64
	scale    []float64
	unit     float64 // of covariances
	operator []operator
}

type operator struct {
	once   sync.Once
	rho    float64
	packed level3.PackedB
}

func newOperators(pr *problem, threads int, lambdas []float64) *operators {
	var sources, targets float64
	for j := range pr.p {
		sources += pr.sxx[j*(pr.p+1)] / float64(pr.p)
	}
	for _, v := range pr.syy {
		targets += v / float64(pr.targets)
	}
	return &operators{problem: pr, threads: threads, lambdas: lambdas, scale: pr.standardScales(), unit: math.Sqrt(sources) * math.Sqrt(targets), operator: make([]operator, len(lambdas))}
}

// rhoFactor is rho over lambda, in correlations. Convergence is fastest where the
// threshold, lambda/rho, is about the size of weights, which is a few hundredths.
const rhoFactor = 40

// at returns the operator of lambda i.
func (o *operators) at(i int) *operator {
	m := &o.operator[i]
	m.once.Do(func() {
		m.rho = 1.0
		if o.unit > 0 {
			m.rho = max(1e-3, min(100, rhoFactor*o.lambdas[i]/o.unit))
		}
		f := o.factorCorrelation(o.threads, o.scale, m.rho, 0)
		inverse := make([]float64, o.p*o.p)
		f.Inverse(inverse)
		m.packed = level3.NewPackedB(make([]float32, level3.PackedLen(o.p, o.p)), o.p, o.p)
		width := level3.Width()
		par.Blocks(o.threads, o.p, width, func(lo, hi int) {
			rows := make([]float32, (hi-lo)*o.p)
			for i := lo; i < hi; i++ {
				for j, v := range inverse[i*o.p:][:o.p] {
					if o.scale[i] > 0 { // else the weight stays 0
						rows[(i-lo)*o.p+j] = float32(m.rho * v * o.scale[j] / o.scale[i])
					}
				}
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
	d := &directions{operators: o, stride: stride, signs: make([]int8, wideTargets*o.p)}
	for _, x := range []*[]float32{&d.c, &d.rhs, &d.w, &d.v, &d.u} {
		*x = make([]float32, n)
	}
	return d
}

// guess returns z and u of the target in place k of the last run.
func (d *directions) guess(k int) (z, u []float32) {
	at := k * d.stride
	z, u = d.w[at:][:d.p], d.u[at:][:d.p]
	for j, v := range d.v[at:][:d.p] {
		z[j] = v - u[j]
	}
	return z, u
}

// units returns what z is in units of for each source, of the last run at lambda i.
func (d *directions) units(i int) []float64 {
	units := make([]float64, d.p)
	for j, s := range d.scale {
		units[j] = d.lambdas[i] / d.operator[i].rho * s * s
	}
	return units
}

// run iterates for targets, up to wideTargets of them, at lambda i until the signs settle.
func (d *directions) run(i int, targets []int) error {
	m := d.at(i)
	lambda := max(d.lambdas[i], 1e-20*d.unit) // that of numbers which single precision has
	for k, t := range targets {
		at := k * d.stride
		for j, c := range d.sxy[t*d.p:][:d.p] {
			d.c[at+j] = float32(c / lambda)
		}
		copy(d.rhs[at:], d.c[at:][:d.p])
		clear(d.v[at:][:d.p])
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
			d.step(k)
		}
		if iteration%checkInterval == 0 {
			members, changes := d.check(n)
			if 1000*changes <= members { // more iterations take as long as the exchanges they save
				break
			}
		}
	}
	return nil
}

// step is the part of an iteration that follows the product, for the target in place k.
func (d *directions) step(k int) {
	const strip = 512 // which stay in the first-level cache
	for first := 0; first < d.p; first += strip {
		at, n := k*d.stride+first, min(strip, d.p-first)
		c, rhs, w, v, u := d.c[at:][:n], d.rhs[at:][:n], d.w[at:][:n], d.v[at:][:n], d.u[at:][:n]
		vec.Add(w, u)
		vec.Scale(1-relaxation, v) // v = a (w + u) + (1 - a) (z + u)
		vec.AddScaled(v, relaxation, w)
		copy(u, v)
		vec.Clamp(u, -1, 1)
		copy(rhs, c)
		vec.Add(rhs, v)
		vec.AddScaled(rhs, -2, u) // c + z - u
	}
}

// check counts the nonzero z of the first n targets, and the signs that have changed since
// the last call.
func (d *directions) check(n int) (members, changes int) {
	for k := range n {
		signs := d.signs[k*d.p:][:d.p]
		for j, v := range d.v[k*d.stride:][:d.p] {
			var s int8
			if v > 1 {
				s = 1
			} else if v < -1 {
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
