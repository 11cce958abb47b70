package match

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// homotopy follows one target's weights along all lambdas. They are piecewise linear in
// lambda, and each piece ends where a source gets weight or loses it (Osborne, Presnell
// and Turlach, "A new approach to variable selection in least squares problems", IMA J.
// Numer. Anal. 20, 2000; Efron, Hastie, Johnstone and Tibshirani, "Least angle
// regression", Ann. Statist. 32, 2004).
//
// From large lambda down few sources have weight, and the inverse of their covariances
// tells how weights move. From 0 up few have none, and the same is told by the inverse
// of their part of the inverse of all covariances, which all targets share. So the path
// is followed from both ends, and no inverse is of more than about half of the sources.
type homotopy struct {
	p       int
	members *inverse // sources with weight, or on the way up those without
	w, g    []float64
	sign    []float64
	d, a    []float64 // changes of weights or of gradients, as lambda moves by 1
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

// down writes the weights at falling lambdas to rows of out, and returns how many it
// wrote: all, or those before more than most sources have weight, or one gets weight
// that others determine.
func (h *homotopy) down(q, c, lambdas, out []float64, most int) (done int) {
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
	if done == len(lambdas) || first < 0 || !m.add(first) {
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
				row[s] = h.w[s] + (lambda-lambdas[done])*d[i]
			}
		}
		if done == len(lambdas) || next.source < 0 {
			return done
		}
		lambda -= next.distance
		for j, a := range h.a {
			h.g[j] -= next.distance * a
		}
		for i, s := range m.set {
			h.w[s] += next.distance * d[i]
			h.g[s] = lambda * h.sign[s]
		}
		if j := next.source; m.at[j] >= 0 {
			h.w[j] = 0
			m.remove(j)
		} else {
			h.sign[j] = math.Copysign(1, h.g[j])
			if k == most || !m.add(j) {
				return done
			}
		}
	}
	return done
}

// up does the same from lambda 0 on, where the weights are given, for lambdas in the
// same order, falling: it writes the last ones, and returns how many it did not write.
// x is the inverse of all covariances.
func (h *homotopy) up(x, weights, lambdas, out []float64) (left int) {
	m, p := h.members, h.p
	m.reset(x)
	copy(h.w, weights)
	clear(h.sum)
	for j, w := range h.w {
		h.sign[j] = math.Copysign(1, w)
		floats.AddScaled(h.sum, h.sign[j], m.row(j))
	}
	lambda := 0.0
	left = len(lambdas)
	for steps := 20 * p; steps > 0 && left > 0; steps-- {
		k := len(m.set)
		d, rhs := h.d[:k], h.rhs[:k] // of the gradients of members
		for i, s := range m.set {
			rhs[i] = -h.sum[s]
		}
		m.solve(d, rhs)
		copy(h.a, h.sum) // minus the change of weights
		m.times(h.a, d)
		next := event{math.Inf(1), -1}
		for j, w := range h.w {
			if i := m.at[j]; i >= 0 {
				next.nearer(lambda-h.g[j], d[i]-1, j)
				next.nearer(lambda+h.g[j], -d[i]-1, j)
			} else {
				next.nearer(w*h.sign[j], h.a[j]*h.sign[j], j)
			}
		}
		for ; left > 0 && lambdas[left-1] <= lambda+next.distance; left-- {
			row := out[(left-1)*p:][:p]
			for j, w := range h.w {
				row[j] = w - (lambdas[left-1]-lambda)*h.a[j]
				if m.at[j] >= 0 {
					row[j] = 0
				}
			}
		}
		if left == 0 || next.source < 0 {
			return left
		}
		lambda += next.distance
		for j, a := range h.a {
			h.w[j] -= next.distance * a
		}
		for i, s := range m.set {
			h.w[s] = 0
			h.g[s] += next.distance * d[i]
		}
		j := next.source
		h.w[j] = 0
		if m.at[j] >= 0 {
			h.sign[j] = math.Copysign(1, h.g[j])
			floats.AddScaled(h.sum, h.sign[j], m.row(j))
			m.remove(j)
		} else {
			h.g[j] = lambda * h.sign[j]
			floats.AddScaled(h.sum, -h.sign[j], m.row(j))
			if !m.add(j) {
				return left
			}
		}
	}
	return left
}
