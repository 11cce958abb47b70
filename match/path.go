package match

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
)

// path follows one target's weights from large to small lambda.
//
// Everything it needs of the residual r = y - w.x comes from the covariances:
//
//	g_j = E x_j r = sxy_j - (Sxx w)_j      minus the gradient of the loss
//	2 loss = E r^2 = syy - w.(sxy + g)
//
// The weights are optimal (Karush, Kuhn, Tucker) if and only if |g_j| <= lambda
// everywhere, with g_j = lambda sign(w_j) where w_j != 0.
type path struct {
	*problem
	target int
	w, g   []float64
	lambda float64 // of w; at first the least that leaves all weights 0
	ridge  float64 // added to the diagonal of Sxx: the elastic net's
	used   []int   // scratch
	minus  []float64

	working []int   // sources that may have weight: see screen
	in      []bool  // whether in working
	near    []int   // scratch
	inner   descent // the problem within them
}

func newPath(pr *problem) *path {
	return &path{problem: pr, w: make([]float64, pr.p), g: make([]float64, pr.p), in: make([]bool, pr.p)}
}

// begin starts a target from weights 0.
func (s *path) begin(target int) {
	s.target, s.ridge = target, 0
	clear(s.w)
	copy(s.g, s.c())
	s.lambda = largest(s.g)
}

// c returns sxy of the target.
func (s *path) c() []float64 { return s.sxy[s.target*s.p:][:s.p] }

// set takes weights over, which are for lambda and a ridge.
func (s *path) set(w []float64, lambda, ridge float64) {
	copy(s.w, w)
	s.lambda, s.ridge = lambda, ridge
	s.gradient()
}

// penalise changes the ridge.
func (s *path) penalise(ridge float64) {
	if s.ridge != ridge {
		s.ridge = ridge
		s.gradient()
	}
}

// gradient computes g from w.
func (s *path) gradient() {
	copy(s.g, s.c())
	s.gradientOf(s.g, s.w)
	for j, w := range s.w {
		s.g[j] -= float64(s.ridge * w)
	}
}

// gradientOf takes Sxx w from g.
func (s *path) gradientOf(g, w []float64) {
	s.used, s.minus = s.used[:0], s.minus[:0]
	for j, w := range w {
		if w != 0 {
			s.used, s.minus = append(s.used, j), append(s.minus, -w)
		}
	}
	dense.Combine(g, s.sxx, s.p, s.used, s.minus)
}

// optimal checks the KKT conditions.
func (s *path) optimal(lambda, tol float64) bool {
	variance := s.syy[s.target]
	for j, g := range s.g {
		residual := math.Abs(g) - lambda
		if w := s.w[j]; w != 0 {
			residual = math.Abs(g - math.Copysign(lambda, w))
		}
		if !(residual <= tol*math.Sqrt(s.sxx[j*(s.p+1)])*math.Sqrt(variance)) {
			return false
		}
	}
	return true
}

// follow moves on to a lambda that is not larger, and returns its sweeps. What
// lies far off is reached by way of others: from near by, the signs of most
// weights are right from the start.
func (s *path) follow(lambda, tol float64, maxIter int) (sweeps int, err error) {
	const stride = 4
	for far := true; far; {
		next := lambda
		if far = s.lambda > stride*lambda; far {
			next = s.lambda / stride
		}
		n, ok := s.descend(next, tol, maxIter)
		if sweeps += n; !ok {
			return sweeps, fmt.Errorf("match: target %d at lambda %g is not done after %d sweeps (duality gap %g on the way, at %g); allow more, or a larger tolerance, or leave out sources that are nearly collinear", s.target, lambda, sweeps, gap(next, s.loss(), s.w, s.g), next)
		}
	}
	return sweeps, nil
}

// descend goes to a lambda in one step; false if that takes too many sweeps.
//
// The weights are found within a working set of sources: those with weight and
// those that the sequential strong rule does not discard (Tibshirani et al.,
// J. R. Statist. Soc. B 74, 2012): between two lambdas |g_j| rarely rises by more
// than their difference. Rarely is not never, so sources outside the set that
// violate the KKT conditions are then added, until none does.
func (s *path) descend(lambda, tol float64, maxIter int) (sweeps int, ok bool) {
	s.working = s.working[:0]
	for j, w := range s.w {
		if s.in[j] = w != 0; s.in[j] {
			s.working = append(s.working, j)
		}
	}
	s.screen(max(0, 2*lambda-s.lambda))
	for more := len(s.working) > 0; more; more = s.screen(lambda) {
		s.gather()
		n, ok := s.inner.run(lambda, tol, maxIter-sweeps)
		sweeps += n
		for i, j := range s.working {
			s.w[j] = s.inner.w[i]
		}
		s.gradient()
		if !ok {
			return sweeps, false
		}
	}
	s.lambda = min(s.lambda, lambda)
	return sweeps, true
}

// screen adds to the working set sources whose |g_j| exceeds the bound and
// reports whether there were any. If they are many it takes the largest first, up
// to twice the number in the set: a few strong sources explain many weaker ones,
// which then need not be looked at.
func (s *path) screen(bound float64) bool {
	s.near = s.near[:0]
	for j, g := range s.g {
		if !s.in[j] && math.Abs(g) > bound {
			s.near = append(s.near, j)
		}
	}
	if room := max(16, 2*len(s.working)); len(s.near) > room {
		slices.SortStableFunc(s.near, func(a, b int) int { return cmp.Compare(math.Abs(s.g[b]), math.Abs(s.g[a])) })
		s.near = s.near[:room]
	}
	for _, j := range s.near {
		s.in[j] = true
	}
	s.working = append(s.working, s.near...)
	return len(s.near) > 0
}

// gather copies the working set's problem.
func (s *path) gather() {
	d := &s.inner
	d.resize(len(s.working))
	c, variance := s.c(), s.syy[s.target]
	d.variance = variance
	for i, j := range s.working {
		row := s.row(j)
		for k, l := range s.working {
			d.q[i*d.n+k] = row[l]
		}
		d.q[i*d.n+i] += s.ridge
		d.c[i], d.w[i], d.g[i] = c[j], s.w[j], s.g[j]
		d.unit[i] = math.Sqrt(row[j]) * math.Sqrt(variance)
	}
}

// loss includes the ridge's 1/2 ridge |w|^2: the elastic net is the LASSO with so much
// more of each source's variance that no target has part in.
func (s *path) loss() float64 { return loss(s.syy[s.target], s.w, s.c(), s.g) }

// record writes the weights and what follows from them.
func (s *path) record(f *LassoFit, lambda float64, thresholds []float64) error {
	t, variance, loss := s.target, s.syy[s.target], s.loss()
	if !(loss >= -1e-3*variance) {
		return fmt.Errorf("match: target %d is predicted with a loss of %g at lambda %g: sxx, sxy and its variance are not the covariances of any variables", t, loss, lambda)
	}
	f.Gap[t] = gap(lambda-s.ridge, max(0, loss), s.w, s.g)
	loss = max(0, loss-float64(s.ridge/2*dense.Dot(s.w, s.w)))
	f.Loss[t] = loss
	if variance > 0 {
		f.R2[t] = 1 - 2*loss/variance
	}
	for i, threshold := range thresholds {
		for _, w := range s.w {
			if math.Abs(w) > threshold {
				f.NonZero[i][t]++
			}
		}
	}
	if f.W != nil {
		for j, w := range s.w {
			f.W.Set(j, t, w)
		}
	}
	return nil
}

// loss is 1/2 E r^2.
func loss(variance float64, w, c, g []float64) float64 {
	sum := variance
	for j, w := range w {
		sum -= float64(w * (c[j] + g[j]))
	}
	return sum / 2
}

// gap returns the duality gap of weights w, a bound on how far P(w) is above its
// minimum; at lambda = 0, where it would be infinite, the largest |g_j|.
//
// The dual problem is to maximise D(theta) = E y theta - 1/2 E theta^2 over the
// random variables theta with |E x_j theta| <= lambda for all j, and
// D(theta) <= P(w) for any of those. The residual, shrunk until it is one of
// them, theta = a r with a = min(1, lambda / max |g_j|), gives with
// E y r = E r^2 + w.g
//
//	P(w) - D(a r) = (1 - a)^2 loss + sum_j (lambda |w_j| - a w_j g_j),
//
// in which no term is negative.
func gap(lambda, loss float64, w, g []float64) float64 {
	most := largest(g)
	if lambda == 0 {
		return most
	}
	a := min(1, lambda/most)
	sum := float64((1 - a) * (1 - a) * loss)
	for j, w := range w {
		sum += max(0, float64(lambda*math.Abs(w))-float64(float64(a*w)*g[j]))
	}
	return sum
}

func largest(g []float64) float64 {
	var most float64
	for _, g := range g {
		most = max(most, math.Abs(g))
	}
	return most
}
