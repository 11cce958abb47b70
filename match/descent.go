package match

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/convergent-go/convergent/internal/dense"
)

// descent minimises 1/2 w.Qw - c.w + lambda |w|_1 by coordinate descent
// (Friedman, Hastie and Tibshirani, J. Stat. Softw. 33, 2010), with steps of
// Newton's method among the nonzero weights, since coordinate descent converges
// slowly where sources are nearly collinear.
type descent struct {
	n        int
	q        []float64 // n x n
	c, w, g  []float64 // g = c - Qw
	unit     []float64 // standard deviation of source times that of the target
	variance float64   // of the target

	active []int     // sources with weight
	l, dir []float64 // Cholesky factor of their part of q, and a direction: see direction
}

// resize makes room for n weights.
func (d *descent) resize(n int) {
	d.n = n
	for _, s := range []*[]float64{&d.c, &d.w, &d.g, &d.unit} {
		*s = slices.Grow((*s)[:0], n)[:n]
	}
	d.q = slices.Grow(d.q[:0], n*n)[:n*n]
}

func (d *descent) row(i int) []float64 { return d.q[i*d.n:][:d.n] }

// run descends until the KKT residuals and the duality gap are within tol, or until the
// KKT residuals are after Newton's method, when the gap is as small as rounding lets it
// be; in at most maxIter sweeps, and as long as the context lasts.
func (d *descent) run(ctx context.Context, lambda, tol float64, maxIter int) (sweeps int, ok bool) {
	sweepsSinceNewton, newtonSteps := 0, 1
	for !d.isOptimal(lambda, tol) || gap(lambda, loss(d.variance, d.w, d.c, d.g), d.w, d.g) > tol*d.variance/2 {
		if sweeps == maxIter || ctx.Err() != nil {
			return sweeps, false
		}
		nonzero := d.sweep(lambda)
		sweeps++
		// A step of Newton costs about as much as nonzero/6 sweeps: at this rate
		// they at most double the time.
		if sweepsSinceNewton++; 6*sweepsSinceNewton >= newtonSteps*nonzero {
			sweepsSinceNewton, newtonSteps = 0, d.newton(lambda)
			if d.isOptimal(lambda, tol) {
				break
			}
		}
	}
	return sweeps, true
}

// isOptimal reports whether the weights satisfy the KKT conditions within tol, in
// correlations.
func (d *descent) isOptimal(lambda, tol float64) bool {
	for i, g := range d.g {
		if !(kktResidual(d.w[i], g, lambda) <= tol*d.unit[i]) {
			return false
		}
	}
	return true
}

// sweep minimises over each weight in turn: with z what the weight would be
// without penalty times Q_ii, w = sign(z) max(0, |z| - lambda) / Q_ii. It
// returns how many weights are not 0.
func (d *descent) sweep(lambda float64) (nonzero int) {
	for i, w := range d.w {
		q := d.q[i*d.n+i]
		z := float64(w*q) + d.g[i]
		next := math.Copysign(max(0, math.Abs(z)-lambda), z) / q
		if next != w {
			d.w[i] = next
			dense.AddScaled(d.g, w-next, d.row(i))
		}
		if next != 0 {
			nonzero++
		}
	}
	return nonzero
}

// newton moves the nonzero weights towards the minimum that they would have with
// their present signs. Where one becomes 0 on the way it stays so and the others
// go on: feature-sign search (Lee, Battle, Raina and Ng, NIPS 2006). As the
// objective falls at every step and each call ends at the minimum for other
// nonzero weights or signs, there are finitely many, however alike the sources.
// It returns the number of steps.
func (d *descent) newton(lambda float64) (steps int) {
	d.active = d.active[:0]
	for i, w := range d.w {
		if w != 0 {
			d.active = append(d.active, i)
		}
	}
	for factorRows := 0; ; {
		steps++
		step := math.Inf(1)
		if d.direction(lambda, factorRows) {
			step = 1
		}
		leaving := -1
		for k, x := range d.dir {
			if t := -d.w[d.active[k]] / x; t > 0 && t < step {
				step, leaving = t, k
			}
		}
		if math.IsInf(step, 1) {
			return steps
		}
		factorRows = len(d.active)
		for k, i := range d.active {
			w := d.w[i]
			d.w[i] += float64(step * d.dir[k])
			if k == leaving || d.w[i]*w <= 0 { // the latter by rounding
				d.w[i] = 0
				factorRows = min(factorRows, k)
			}
		}
		unobstructed := factorRows == len(d.active)
		d.active = slices.DeleteFunc(d.active, func(i int) bool { return d.w[i] == 0 })
		copy(d.g, d.c)
		for _, i := range d.active {
			dense.AddScaled(d.g, -d.w[i], d.row(i))
		}
		if unobstructed {
			return steps
		}
	}
}

// direction sets dir to a direction of descent for the active weights: with S
// their part of Q and b = g - lambda sign(w), minus the gradient, S^-1 b by
// Cholesky's S = L L^T, of which the first factorRows rows are those of the last call.
//
// If a row of S depends on those before it, dir is that dependence instead,
// S dir = 0, pointing downhill, with 0 in the others' places, and the result is
// false.
func (d *descent) direction(lambda float64, factorRows int) (bounded bool) {
	d.l = slices.Grow(d.l[:0], d.n*d.n)[:d.n*d.n]
	d.dir = slices.Grow(d.dir[:0], d.n)[:len(d.active)]
	for i, at := range d.active {
		row, li := d.row(at), d.l[i*d.n:][:i+1]
		if i >= factorRows {
			for j, column := range d.active[:i] {
				lj := d.l[j*d.n:][:j+1]
				li[j] = (row[column] - dense.Dot(li[:j], lj[:j])) / lj[j]
			}
			pivot := row[at] - dense.Dot(li[:i], li[:i])
			if pivot <= 1e-11*row[at] {
				d.dependence(lambda, i)
				return false
			}
			li[i] = math.Sqrt(pivot)
		}
		b := d.g[at] - math.Copysign(lambda, d.w[at])
		d.dir[i] = (b - dense.Dot(li[:i], d.dir[:i])) / li[i]
	}
	d.solveTransposed(len(d.active))
	return true
}

// dependence sets dir for direction when row i depends on those before it.
func (d *descent) dependence(lambda float64, i int) {
	clear(d.dir)
	for j, x := range d.l[i*d.n:][:i] {
		d.dir[j] = -x
	}
	d.solveTransposed(i)
	d.dir[i] = 1
	var slope float64
	for j, at := range d.active[:i+1] {
		slope += float64(d.dir[j] * (math.Copysign(lambda, d.w[at]) - d.g[at]))
	}
	if slope > 0 {
		floats.Scale(-1, d.dir)
	}
}

// solveTransposed replaces the first n of dir by x with L^T x = dir.
func (d *descent) solveTransposed(n int) {
	for i := n - 1; i >= 0; i-- {
		li := d.l[i*d.n:][:i+1]
		d.dir[i] /= li[i]
		dense.AddScaled(d.dir[:i], -d.dir[i], li[:i])
	}
}
