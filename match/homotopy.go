package match

import (
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
// tells all weights. From 0 up few have none, and the inverse of their part of the
// inverse of all covariances, which all targets share, tells the same. So the path is
// followed from both ends, and no inverse is of more than about half of the sources.
//
// A step from piece to piece costs as much as the weights of any lambda, given which
// are not zero, and their signs. So it is cheaper to leap to the next lambda that is
// wanted: to guess that they are those from before, and to let all sources in or out
// that say otherwise, until none does (the primal-dual active set method: Hintermüller,
// Ito and Kunisch, SIAM J. Optim. 13, 2002). Where that does not end, there are steps.
type homotopy struct {
	p       int
	members *inverse // sources with weight, or on the way up those without
	w, g    []float64
	sign    []float64 // of weights
	d, a    []float64
	rhs     []float64
	sum     []float64 // on the way up: the inverse of all covariances times sign
}

func newHomotopy(p int) *homotopy {
	h := &homotopy{p: p, members: newInverse(p)}
	for _, s := range []*[]float64{&h.w, &h.g, &h.sign, &h.d, &h.a, &h.rhs, &h.sum} {
		*s = make([]float64, p)
	}
	return h
}

const (
	stride = 1.5       // the largest factor of a leap down
	tries  = 12        // how often a guess is mended
	beyond = 1 + 1e-12 // what is above lambda but for rounding
)

// down writes the weights at falling lambdas to rows of out, and returns how many it
// wrote: all, or those before more than most sources have weight, or a leap fails.
func (h *homotopy) down(q, c, lambdas, out []float64, most int) (done int) {
	m, p := h.members, h.p
	m.reset(q)
	clear(h.w)
	copy(h.g, c)
	for at := largest(c); done < len(lambdas); {
		at = min(at, max(lambdas[done], at/stride))
		if !h.leapDown(c, at, most) {
			return done
		}
		for done < len(lambdas) && lambdas[done] >= at {
			copy(out[done*p:][:p], h.w)
			done++
		}
	}
	return done
}

// leapDown finds weights and gradients at lambda.
func (h *homotopy) leapDown(c []float64, lambda float64, most int) bool {
	m := h.members
	for range tries {
		k := len(m.set)
		x, rhs := h.d[:k], h.rhs[:k]
		for i, s := range m.set {
			rhs[i] = c[s] - float64(lambda*h.sign[s])
		}
		m.solve(x, rhs)
		clear(h.w)
		for i, s := range m.set {
			h.w[s] = x[i]
			x[i] = -x[i]
		}
		copy(h.g, c)
		m.times(h.g, x)
		done := true
		for j, g := range h.g {
			switch {
			case m.at[j] >= 0:
				if h.w[j]*h.sign[j] < 0 {
					m.remove(j)
					done = false
				}
			case math.Abs(g) > lambda*beyond:
				h.sign[j] = math.Copysign(1, g)
				if len(m.set) == most || !m.add(j) {
					return false
				}
				done = false
			}
		}
		if done {
			return true
		}
	}
	return false
}

// up does the same from lambda 0 on, where the weights are given, for lambdas in the
// same order, falling: it writes the last ones, and returns how many it did not write.
// x is the inverse of all covariances.
func (h *homotopy) up(x, weights, lambdas, out []float64) (left int) {
	m, p := h.members, h.p
	m.reset(x)
	clear(h.sum)
	for j, w := range weights {
		h.sign[j] = math.Copysign(1, w)
		dense.AddScaled(h.sum, h.sign[j], m.row(j))
	}
	for left = len(lambdas); left > 0 && h.leapUp(weights, lambdas[left-1]); left-- {
		copy(out[(left-1)*p:][:p], h.w)
	}
	return left
}

// leapUp finds weights at lambda. With X = Q^-1, w = X (c - g), where g is lambda sign
// for sources with weight; those without have X (c - g) = 0, which gives theirs.
func (h *homotopy) leapUp(weights []float64, lambda float64) bool {
	m := h.members
	for range tries {
		k := len(m.set)
		x, rhs := h.d[:k], h.rhs[:k]
		for i, s := range m.set {
			rhs[i] = weights[s] - float64(lambda*h.sum[s])
		}
		m.solve(x, rhs)
		for i, s := range m.set {
			h.g[s] = x[i]
			x[i] = -x[i]
		}
		for j, w := range weights {
			h.w[j] = w - float64(lambda*h.sum[j])
		}
		m.times(h.w, x)
		for _, s := range m.set {
			h.w[s] = 0
		}
		done := true
		for j, w := range h.w {
			switch {
			case m.at[j] < 0:
				if w*h.sign[j] < 0 {
					dense.AddScaled(h.sum, -h.sign[j], m.row(j))
					if !m.add(j) {
						return false
					}
					done = false
				}
			case math.Abs(h.g[j]) > lambda*beyond:
				h.sign[j] = math.Copysign(1, h.g[j])
				dense.AddScaled(h.sum, h.sign[j], m.row(j))
				m.remove(j)
				done = false
			}
		}
		if done {
			return true
		}
	}
	return false
}

// event is what ends a piece.
type event struct {
	distance float64 // in lambda
	source   int     // -1: none
}

// nearer replaces the event by one that is at num/den, if that is ahead and nearer.
// Rounding can take an event that is due behind.
func (e *event) nearer(num, den float64, source int) {
	if den > 1e-12 && max(0, num) < e.distance*den {
		*e = event{max(0, num) / den, source}
	}
}

// steps does what down does, from piece to piece, until a source gets weight that
// others determine. Before one gets weight, it calls joining, if that is not nil, with
// the lambda and the number that have some already, and at the end of the path once
// more; false ends the path.
func (h *homotopy) steps(q, c, lambdas, out []float64, joining func(lambda float64, size int) bool) (done int) {
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
	for done < len(lambdas) && lambdas[done] >= lambda {
		clear(out[done*p:][:p])
		done++
	}
	if done == len(lambdas) && joining == nil || first < 0 || joining != nil && !joining(lambda, 0) || !m.add(first) {
		return done
	}
	h.sign[first] = math.Copysign(1, c[first])
	for steps := 20 * p; steps > 0; steps-- {
		k := len(m.set)
		d, rhs := h.d[:k], h.rhs[:k]
		for i, s := range m.set {
			rhs[i] = h.sign[s]
		}
		m.solve(d, rhs)
		clear(h.a)
		m.times(h.a, d)
		next := event{lambda, -1}
		for j, g := range h.g {
			if i := m.at[j]; i >= 0 {
				next.nearer(h.w[j]*h.sign[j], -d[i]*h.sign[j], j)
			} else {
				next.nearer(lambda-g, 1-h.a[j], j)
				next.nearer(lambda+g, 1+h.a[j], j)
			}
		}
		for ; done < len(lambdas) && lambdas[done] >= lambda-next.distance; done++ {
			row := out[done*p:][:p]
			clear(row)
			for i, s := range m.set {
				row[s] = h.w[s] + float64((lambda-lambdas[done])*d[i])
			}
		}
		if done == len(lambdas) && joining == nil {
			return done
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
			if joining != nil {
				joining(0, p)
			}
			return done
		case m.at[j] >= 0:
			h.w[j] = 0
			m.remove(j)
		default:
			h.sign[j] = math.Copysign(1, h.g[j])
			if joining != nil && !joining(lambda, k) || !m.add(j) {
				return done
			}
		}
	}
	return done
}
