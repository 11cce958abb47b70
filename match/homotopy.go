package match

import (
	"context"
	"math"

	"github.com/convergent-go/convergent/internal/dense"
)

// homotopy follows one target's weights along all lambdas. They are piecewise linear in
// lambda, and each piece ends where a source gets weight or loses it (Osborne, Presnell
// and Turlach, "A new approach to variable selection in least squares problems", IMA J.
// Numer. Anal. 20, 2000; Efron, Hastie, Johnstone and Tibshirani, "Least angle
// regression", Ann. Statist. 32, 2004).
//
// From large lambda down few sources have weight, and the inverse of their covariances
// gives all weights. From 0 up few have none, and the inverse of their part of the inverse
// of all covariances, which all targets share, gives them as well. So the path is followed
// from both ends, and no inverse is of more than about half of the sources.
//
// A step from piece to piece costs as much as the weights at any lambda, given the set of
// sources with weight and the signs. So it is cheaper to leap to the next lambda that is
// wanted: to guess that set and signs are those from before, and to add and remove all
// sources that contradict that, until none does (the primal-dual active set method:
// Hintermüller, Ito and Kunisch, SIAM J. Optim. 13, 2002). Where that does not end, the
// path is followed from piece to piece.
type homotopy struct {
	ctx     context.Context // which ends a path where it is
	p       int
	members *inverse // sources with weight, or on the way up those without
	w, g    []float64
	sign    []float64 // of weights
	d, a    []float64 // solution of the members' equations, and q times it
	rhs     []float64
	sum     []float64 // on the way up: the inverse of all covariances times sign
}

func newHomotopy(ctx context.Context, p int) *homotopy {
	h := &homotopy{ctx: ctx, p: p, members: newInverse(p)}
	for _, s := range []*[]float64{&h.w, &h.g, &h.sign, &h.d, &h.a, &h.rhs, &h.sum} {
		*s = make([]float64, p)
	}
	return h
}

const (
	leapFactor     = 1.5       // the largest factor of a leap down
	maxRepairs     = 12        // of a guess
	boundaryFactor = 1 + 1e-12 // of lambda, above which a gradient is not there by rounding
)

// descend writes the weights at falling lambdas to rows of out, and returns the number of
// rows: that of the lambdas, unless more than maxMembers sources have weight, a leap fails
// or the context ends.
func (h *homotopy) descend(q, c, lambdas, out []float64, maxMembers int) (count int) {
	m, p := h.members, h.p
	m.reset(q)
	clear(h.w)
	copy(h.g, c)
	for lambda := maxAbs(c); count < len(lambdas) && h.ctx.Err() == nil; {
		lambda = min(lambda, max(lambdas[count], lambda/leapFactor))
		if !h.descendTo(c, lambda, maxMembers) {
			return count
		}
		for count < len(lambdas) && lambdas[count] >= lambda {
			copy(out[count*p:][:p], h.w)
			count++
		}
	}
	return count
}

// descendTo leaps down to the weights and gradients at lambda; false if it fails.
func (h *homotopy) descendTo(c []float64, lambda float64, maxMembers int) bool {
	m := h.members
	for range maxRepairs {
		x := h.solveMembers(c, lambda, h.sign)
		clear(h.w)
		for i, s := range m.set {
			h.w[s] = x[i]
			x[i] = -x[i]
		}
		copy(h.g, c)
		m.addProduct(h.g, x)
		settled := true
		for j, g := range h.g {
			switch {
			case m.position[j] >= 0:
				if h.w[j]*h.sign[j] < 0 {
					m.remove(j)
					settled = false
				}
			case math.Abs(g) > lambda*boundaryFactor:
				h.sign[j] = math.Copysign(1, g)
				if len(m.set) == maxMembers || !m.add(j) {
					return false
				}
				settled = false
			}
		}
		if settled {
			return true
		}
	}
	return false
}

// solveMembers returns the members' inverse times a - lambda b, in d.
func (h *homotopy) solveMembers(a []float64, lambda float64, b []float64) []float64 {
	m := h.members
	x, rhs := h.d[:len(m.set)], h.rhs[:len(m.set)]
	for i, s := range m.set {
		rhs[i] = a[s] - float64(lambda*b[s])
	}
	m.solve(x, rhs)
	return x
}

// ascend follows the path from the given weights at lambda 0 up. It writes the weights at
// falling lambdas to rows of out, from the last row on, and returns the number of rows
// that it does not reach. x is the inverse of all covariances.
func (h *homotopy) ascend(x, weights, lambdas, out []float64) (remaining int) {
	m, p := h.members, h.p
	m.reset(x)
	clear(h.sum)
	for j, w := range weights {
		h.sign[j] = math.Copysign(1, w)
		dense.AddScaled(h.sum, h.sign[j], m.row(j))
	}
	for remaining = len(lambdas); remaining > 0 && h.ctx.Err() == nil && h.ascendTo(weights, lambdas[remaining-1]); remaining-- {
		copy(out[(remaining-1)*p:][:p], h.w)
	}
	return remaining
}

// ascendTo leaps up to the weights at lambda; false if it fails. With X = Q^-1,
// w = X (c - g), where g is lambda sign for sources with weight; those without have
// X (c - g) = 0, which gives their g.
func (h *homotopy) ascendTo(weights []float64, lambda float64) bool {
	m := h.members
	for range maxRepairs {
		x := h.solveMembers(weights, lambda, h.sum)
		for i, s := range m.set {
			h.g[s] = x[i]
			x[i] = -x[i]
		}
		for j, w := range weights {
			h.w[j] = w - float64(lambda*h.sum[j])
		}
		m.addProduct(h.w, x)
		for _, s := range m.set {
			h.w[s] = 0
		}
		settled := true
		for j, w := range h.w {
			switch {
			case m.position[j] < 0:
				if w*h.sign[j] < 0 {
					dense.AddScaled(h.sum, -h.sign[j], m.row(j))
					if !m.add(j) {
						return false
					}
					settled = false
				}
			case math.Abs(h.g[j]) > lambda*boundaryFactor:
				h.sign[j] = math.Copysign(1, h.g[j])
				dense.AddScaled(h.sum, h.sign[j], m.row(j))
				m.remove(j)
				settled = false
			}
		}
		if settled {
			return true
		}
	}
	return false
}

// event is the end of a piece.
type event struct {
	distance float64 // in lambda
	source   int     // -1: none
}

// update replaces the event by one that is at num/den, if that is ahead and nearer.
// Rounding can take an event that is due behind.
func (e *event) update(num, den float64, source int) {
	if den > 1e-12 && max(0, num) < e.distance*den {
		*e = event{max(0, num) / den, source}
	}
}

// descendStepwise writes the weights at falling lambdas to rows of out, from piece to
// piece of the path, until a source gets weight that others determine, and returns the
// number of rows. Before a source gets weight it calls onEntry, if that is not nil, with
// the lambda and the number of sources that have weight, and at the end of the path once
// more; false ends the path.
func (h *homotopy) descendStepwise(q, c, lambdas, out []float64, onEntry func(lambda float64, size int) bool) (count int) {
	m, p := h.members, h.p
	m.reset(q)
	clear(h.w)
	copy(h.g, c)
	first, lambda := -1, 0.0
	for j, g := range c {
		if math.Abs(g) > lambda {
			first, lambda = j, math.Abs(g)
		}
	}
	for count < len(lambdas) && lambdas[count] >= lambda {
		clear(out[count*p:][:p])
		count++
	}
	if count == len(lambdas) && onEntry == nil || first < 0 || onEntry != nil && !onEntry(lambda, 0) || !m.add(first) {
		return count
	}
	h.sign[first] = math.Copysign(1, c[first])
	for steps := 20 * p; steps > 0 && h.ctx.Err() == nil; steps-- {
		k := len(m.set)
		d, rhs := h.d[:k], h.rhs[:k]
		for i, s := range m.set {
			rhs[i] = h.sign[s]
		}
		m.solve(d, rhs)
		clear(h.a)
		m.addProduct(h.a, d)
		next := event{lambda, -1}
		for j, g := range h.g {
			if i := m.position[j]; i >= 0 {
				next.update(h.w[j]*h.sign[j], -d[i]*h.sign[j], j)
			} else {
				next.update(lambda-g, 1-h.a[j], j)
				next.update(lambda+g, 1+h.a[j], j)
			}
		}
		for ; count < len(lambdas) && lambdas[count] >= lambda-next.distance; count++ {
			row := out[count*p:][:p]
			clear(row)
			for i, s := range m.set {
				row[s] = h.w[s] + float64((lambda-lambdas[count])*d[i])
			}
		}
		if count == len(lambdas) && onEntry == nil {
			return count
		}
		lambda -= next.distance
		for j, a := range h.a {
			h.g[j] -= float64(next.distance * a)
		}
		for i, s := range m.set {
			h.w[s] += float64(next.distance * d[i])
			h.g[s] = lambda * h.sign[s]
		}
		j := next.source
		switch {
		case j < 0:
			if onEntry != nil {
				onEntry(0, p)
			}
			return count
		case m.position[j] >= 0:
			h.w[j] = 0
			m.remove(j)
		default:
			h.sign[j] = math.Copysign(1, h.g[j])
			if onEntry != nil && !onEntry(lambda, k) || !m.add(j) {
				return count
			}
		}
	}
	return count
}
