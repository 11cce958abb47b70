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
	target  int
	w, g    []float64
	lambda  float64 // of w; at first the smallest that leaves all weights 0
	ridge   float64 // added to the diagonal of Sxx: the elastic net's
	support []int   // scratch of subtractProduct
	negated []float64

	workingSet   []int   // sources that may have weight: see screen
	inWorkingSet []bool  // for each source
	candidates   []int   // scratch of screen
	subproblem   descent // of the sources in working
}

func newPath(pr *problem) *path {
	return &path{problem: pr, w: make([]float64, pr.p), g: make([]float64, pr.p), inWorkingSet: make([]bool, pr.p)}
}

// begin starts a target from weights 0.
func (s *path) begin(target int) {
	s.target, s.ridge = target, 0
	clear(s.w)
	copy(s.g, s.c())
	s.lambda = maxAbs(s.g)
}

// c returns sxy of the target.
func (s *path) c() []float64 { return s.sxy[s.target*s.p:][:s.p] }

// set sets the weights, which are for lambda and a ridge.
func (s *path) set(w []float64, lambda, ridge float64) {
	copy(s.w, w)
	s.lambda, s.ridge = lambda, ridge
	s.updateGradient()
}

// setRidge sets the ridge, and updates the gradient.
func (s *path) setRidge(ridge float64) {
	if s.ridge != ridge {
		s.ridge = ridge
		s.updateGradient()
	}
}

// updateGradient computes g from w.
func (s *path) updateGradient() {
	copy(s.g, s.c())
	s.subtractProduct(s.g, s.w)
	for j, w := range s.w {
		s.g[j] -= float64(s.ridge * w)
	}
}

// subtractProduct subtracts Sxx w from g.
func (s *path) subtractProduct(g, w []float64) {
	s.support, s.negated = s.support[:0], s.negated[:0]
	for j, w := range w {
		if w != 0 {
			s.support, s.negated = append(s.support, j), append(s.negated, -w)
		}
	}
	dense.AxpyRows(g, s.sxx, s.p, s.support, s.negated)
}

// isOptimal reports whether the weights satisfy the KKT conditions within tol, in
// correlations.
func (s *path) isOptimal(lambda, tol float64) bool {
	variance := s.syy[s.target]
	for j, g := range s.g {
		if !(kktResidual(s.w[j], g, lambda) <= tol*math.Sqrt(s.sxx[j*(s.p+1)])*math.Sqrt(variance)) {
			return false
		}
	}
	return true
}

// kktResidual returns by how much a weight and its gradient violate the KKT conditions.
func kktResidual(w, g, lambda float64) float64 {
	if w != 0 {
		return math.Abs(g - math.Copysign(lambda, w))
	}
	return math.Abs(g) - lambda
}

// follow moves on to a lambda that is not larger, and returns the number of sweeps. A
// lambda below a quarter of the present one is reached by intermediate ones: over short
// distances, most signs of weights are right from the start.
func (s *path) follow(lambda, tol float64, maxIter int) (sweeps int, err error) {
	const stride = 4
	for intermediate := true; intermediate; {
		next := lambda
		if intermediate = s.lambda > stride*lambda; intermediate {
			next = s.lambda / stride
		}
		n, ok := s.descend(next, tol, maxIter)
		if sweeps += n; !ok {
			if err := s.ctx.Err(); err != nil {
				return sweeps, err
			}
			return sweeps, fmt.Errorf("match: target %d at lambda %g is not done after %d sweeps (duality gap %g on the way, at %g); allow more, or a larger tolerance, or leave out sources that are nearly collinear", s.target, lambda, sweeps, gap(next, s.loss(), s.w, s.g), next)
		}
	}
	return sweeps, nil
}

// descend moves to a lambda in one step; false if that takes more than maxIter sweeps or the
// context ends.
//
// The weights are found within a working set of sources: those with weight and
// those that the sequential strong rule does not discard (Tibshirani et al.,
// J. R. Statist. Soc. B 74, 2012): between two lambdas |g_j| rarely rises by more
// than their difference. Where one does, sources outside the set that violate the
// KKT conditions are then added, until none does.
func (s *path) descend(lambda, tol float64, maxIter int) (sweeps int, ok bool) {
	s.workingSet = s.workingSet[:0]
	for j, w := range s.w {
		if s.inWorkingSet[j] = w != 0; s.inWorkingSet[j] {
			s.workingSet = append(s.workingSet, j)
		}
	}
	s.screen(max(0, 2*lambda-s.lambda))
	for grown := len(s.workingSet) > 0; grown; grown = s.screen(lambda) {
		s.gather()
		n, ok := s.subproblem.run(s.ctx, lambda, tol, maxIter-sweeps)
		sweeps += n
		for i, j := range s.workingSet {
			s.w[j] = s.subproblem.w[i]
		}
		s.updateGradient()
		if !ok {
			return sweeps, false
		}
	}
	s.lambda = min(s.lambda, lambda)
	return sweeps, true
}

// screen adds to the working set sources whose |g_j| exceeds the bound and
// reports whether there were any. It adds at most twice as many as are in the set, or
// 16, the largest first: strong sources explain many weaker ones, which then stay out.
func (s *path) screen(bound float64) bool {
	s.candidates = s.candidates[:0]
	for j, g := range s.g {
		if !s.inWorkingSet[j] && math.Abs(g) > bound {
			s.candidates = append(s.candidates, j)
		}
	}
	if capacity := max(16, 2*len(s.workingSet)); len(s.candidates) > capacity {
		slices.SortStableFunc(s.candidates, func(a, b int) int { return cmp.Compare(math.Abs(s.g[b]), math.Abs(s.g[a])) })
		s.candidates = s.candidates[:capacity]
	}
	for _, j := range s.candidates {
		s.inWorkingSet[j] = true
	}
	s.workingSet = append(s.workingSet, s.candidates...)
	return len(s.candidates) > 0
}

// gather copies the problem of the working set to subproblem.
func (s *path) gather() {
	d := &s.subproblem
	d.resize(len(s.workingSet))
	c, variance := s.c(), s.syy[s.target]
	d.variance = variance
	for i, j := range s.workingSet {
		row := s.row(j)
		for k, l := range s.workingSet {
			d.q[i*d.n+k] = row[l]
		}
		d.q[i*d.n+i] += s.ridge
		d.c[i], d.w[i], d.g[i] = c[j], s.w[j], s.g[j]
		d.unit[i] = math.Sqrt(row[j]) * math.Sqrt(variance)
	}
}

// loss returns the loss with the ridge's 1/2 ridge |w|^2: the elastic net is the LASSO of
// sources that have a further variance, ridge, which is uncorrelated with everything.
func (s *path) loss() float64 { return loss(s.syy[s.target], s.w, s.c(), s.g) }

// lossTolerance is how far below zero rounding can take the loss: a thousandth of the variance, or
// what an error of 1e-6 in each correlation makes, which is much where sources are all but
// collinear and weights are large, as with as many observations as sources.
func (s *path) lossTolerance() float64 {
	variance := s.syy[s.target]
	sum := math.Sqrt(variance)
	for j, w := range s.w {
		sum += float64(math.Abs(w) * math.Sqrt(s.sxx[j*(s.p+1)]))
	}
	return max(1e-3*variance, float64(1e-6/2*sum*sum))
}

// record sets a fit's weights, loss, gap and counts for the target.
func (s *path) record(f *LassoFit, lambda float64, thresholds []float64) error {
	t, variance, loss := s.target, s.syy[s.target], s.loss()
	if !(loss >= -s.lossTolerance()) {
		return fmt.Errorf("match: target %d is predicted with a loss of %g at lambda %g: sxx, sxy and its variance are not the covariances of any variables", t, loss, lambda)
	}
	f.Gap[t] = gap(lambda-s.ridge, max(0, loss), s.w, s.g)
	loss = max(0, loss-float64(s.ridge/2*dense.Dot(s.w, s.w)))
	f.Loss[t] = loss
	if variance > 0 {
		f.R2[t] = 1 - 2*loss/variance
	}
	for i, threshold := range thresholds {
		f.NonZero[i][t] = countAbove(s.w, threshold)
	}
	if f.W != nil {
		for j, w := range s.w {
			if w != 0 {
				f.W.Set(j, t, w)
			}
		}
	}
	return nil
}

// countAbove returns the number of weights whose magnitude is above the threshold.
func countAbove(w []float64, threshold float64) int {
	count := 0
	for _, w := range w {
		if math.Abs(w) > threshold {
			count++
		}
	}
	return count
}

// loss returns 1/2 E r^2.
func loss(variance float64, w, c, g []float64) float64 {
	sum := variance
	for j, w := range w {
		sum -= float64(w * (c[j] + g[j]))
	}
	return float64(sum / 2)
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
	maxGradient := maxAbs(g)
	if lambda == 0 {
		return maxGradient
	}
	a := min(1, lambda/maxGradient)
	sum := float64((1 - a) * (1 - a) * loss)
	for j, w := range w {
		sum += max(0, float64(lambda*math.Abs(w))-float64(float64(a*w)*g[j]))
	}
	return sum
}

// maxAbs returns the largest magnitude in g.
func maxAbs(g []float64) float64 {
	var maximum float64
	for _, g := range g {
		maximum = max(maximum, math.Abs(g))
	}
	return maximum
}
