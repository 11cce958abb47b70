package match

import (
	"cmp"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
)

// activeSet finds one target's weights at one lambda from a guess of their signs, by
// solving the equations that the signs imply and then exchanging the sources that
// contradict them, all at once, as homotopy does.
//
// The equations are solved by a Cholesky factor. Sources that are the least sure come last,
// so that of the factor little changes when they do.
type activeSet struct {
	*problem
	factor   *dense.Factor
	factored []int // rows of the factor
	set      []int // members, in the order in which they are to be
	member   []bool
	sign     []float64
	c        []float64 // sxy of the target
	slack    []float64 // what a gradient may err by
	w, g     []float64
	sum      []float64 // of ascend: inverse times sign
	x        []float64 // of members
	changes  []int
	best     int // fewest changes so far
	patience int // rounds that may yet pass without fewer
}

// minPivot is the share of a source's variance below which others determine it.
const minPivot = 1e-11

// maxSearch bounds the steps of a search.
const maxSearch = 1000

func newActiveSet(pr *problem) *activeSet {
	a := &activeSet{problem: pr, factor: dense.NewFactor(1, 0), member: make([]bool, pr.p)}
	for _, s := range []*[]float64{&a.sign, &a.slack, &a.w, &a.g, &a.sum, &a.x} {
		*s = make([]float64, pr.p)
	}
	return a
}

// begin sets signs by the guess. Members are the sources that have a sign, in falling order
// of the key's magnitudes, or those that have none, in rising order.
func (a *activeSet) begin(guess []float32, signed bool, key []float32) {
	a.set, a.factored = a.set[:0], a.factored[:0]
	a.factor.Truncate(0)
	a.best, a.patience = math.MaxInt, 3
	for j, z := range guess {
		a.sign[j] = 0
		if z != 0 {
			a.sign[j] = math.Copysign(1, float64(z))
		}
		if a.member[j] = (z != 0) == signed; a.member[j] {
			a.set = append(a.set, j)
		}
	}
	slices.SortStableFunc(a.set, func(i, j int) int {
		order := cmp.Compare(max(key[i], -key[i]), max(key[j], -key[j]))
		if signed {
			return -order
		}
		return order
	})
	slices.Sort(a.set[:len(a.set)/8*7]) // rows of matrices are read in the order of memory
}

// refactor makes factor that of the members' part of a matrix.
func (a *activeSet) refactor(matrix []float64, share float64) {
	common := 0
	for common < min(len(a.set), len(a.factored)) && a.set[common] == a.factored[common] {
		common++
	}
	if common == len(a.factored) && common == len(a.set) {
		return
	}
	a.factor.Truncate(common)
	a.factor.Grow(min(a.p, max(a.p/2, len(a.set)+len(a.set)/8)))
	a.factor.Extend(len(a.set), share, func(k, first int, dst []float64) {
		row := matrix[a.set[k]*a.p:][:a.p]
		for i, j := range a.set[first:][:len(dst)] {
			dst[i] = row[j]
		}
	})
	a.factored = append(a.factored[:0], a.set...)
}

// exchange removes changes that are members from the set, and appends those that are not;
// false if they have not become fewer for some time.
func (a *activeSet) exchange() bool {
	if a.patience--; len(a.changes) < a.best {
		a.best, a.patience = len(a.changes), 3
	}
	if a.patience == 0 {
		return false
	}
	for _, j := range a.changes {
		if a.member[j] = !a.member[j]; a.member[j] {
			a.set = append(a.set, j)
		}
	}
	a.set = slices.DeleteFunc(a.set, func(j int) bool { return !a.member[j] })
	return true
}

// descend sets weights and gradients at lambda, of which members' are nonzero; false if
// they are not found.
func (a *activeSet) descend(target int, lambda, tol float64, guess []float32) bool {
	a.begin(guess, true, guess)
	a.setTarget(target, tol)
	clear(a.w)
	copy(a.g, a.c)
	for {
		x := a.direction(lambda)
		for i, j := range a.set {
			a.w[j] += x[i]
		}
		a.updateGradient()
		exact := true
		a.changes = a.changes[:0]
		for j, g := range a.g {
			switch {
			case !a.member[j] && math.Abs(g) > lambda+a.slack[j] || a.member[j] && a.w[j]*a.sign[j] < 0:
				a.changes = append(a.changes, j)
			case a.member[j]:
				exact = exact && math.Abs(g-float64(lambda*a.sign[j])) <= a.slack[j]
			}
		}
		if len(a.changes) == 0 && exact {
			return true
		}
		if !a.exchange() {
			return false
		}
		for _, j := range a.changes {
			if a.member[j] {
				a.sign[j] = math.Copysign(1, a.g[j])
			} else if w := a.w[j]; w != 0 {
				a.w[j] = 0
				dense.AddScaled(a.g, w, a.row(j))
			}
		}
	}
}

// setTarget sets the problem to that of a target.
func (a *activeSet) setTarget(target int, tol float64) {
	a.c = a.sxy[target*a.p:][:a.p]
	for j := range a.slack {
		a.slack[j] = tol / 2 * math.Sqrt(a.sxx[j*(a.p+1)]) * math.Sqrt(a.syy[target])
	}
}

// direction returns what members' weights lack of where their gradients are lambda sign.
func (a *activeSet) direction(lambda float64) []float64 {
	a.refactor(a.sxx, minPivot)
	x := a.x[:len(a.set)]
	for i, j := range a.set {
		x[i] = a.g[j] - float64(lambda*a.sign[j])
	}
	a.factor.Solve(x)
	return x
}

// updateGradient computes g of the weights, which only members have.
func (a *activeSet) updateGradient() {
	x := a.x[:len(a.set)]
	for i, j := range a.set {
		x[i] = -a.w[j]
	}
	copy(a.g, a.c)
	dense.AxpyRows(a.g, a.sxx, a.p, a.set, x)
}

// search is descend by steps at each of which the objective falls, and which therefore
// end, however alike the sources: feature-sign search (see descent.newton). It begins with
// the guess as weights, in the given units. It returns false where
// sources determine each other.
func (a *activeSet) search(target int, lambda, tol float64, guess []float32, units []float64) bool {
	a.begin(guess, true, guess)
	a.setTarget(target, tol)
	for j, z := range guess {
		a.w[j] = float64(z) * units[j]
	}
	a.updateGradient()
	for steps := maxSearch; steps > 0 && a.ctx.Err() == nil; steps-- {
		x := a.direction(lambda)
		step, leaving := 1.0, -1
		for i, j := range a.set {
			if t := -a.w[j] / x[i]; x[i]*a.sign[j] < 0 && t < step {
				step, leaving = t, j
			}
		}
		for i, j := range a.set {
			a.w[j] += float64(step * x[i])
		}
		if leaving >= 0 {
			a.leave(leaving)
			for _, j := range a.set {
				s := float64(lambda * a.sign[j])
				a.g[j] = s + float64((1-step)*(a.g[j]-s))
			}
			continue
		}
		a.updateGradient()
		exact, entering, excess := true, -1, 0.0
		for j, g := range a.g {
			if a.member[j] {
				exact = exact && math.Abs(g-float64(lambda*a.sign[j])) <= a.slack[j]
			} else if e := math.Abs(g) - lambda - a.slack[j]; e > excess {
				entering, excess = j, e
			}
		}
		if entering < 0 {
			if exact {
				return true
			}
			continue
		}
		a.member[entering], a.sign[entering] = true, math.Copysign(1, a.g[entering])
		a.set = append(a.set, entering)
		if a.refactor(a.sxx, minPivot); !a.factor.Kept(len(a.set)-1) && !a.makeRoom(entering) {
			return false
		}
	}
	return false
}

// makeRoom moves the weights of members that determine the last member, so that the last's
// rises with its sign and the prediction stays, until one is 0, which leaves the set; false
// if none gets there.
func (a *activeSet) makeRoom(last int) bool {
	others := a.set[:len(a.set)-1]
	x := a.x[:len(a.set)]
	for i, j := range a.set {
		x[i] = -a.sign[last] * a.sxx[last*a.p+j]
	}
	a.factor.Solve(x)
	step, leaving := math.Inf(1), -1
	for i, j := range others {
		if t := -a.w[j] / x[i]; x[i]*a.sign[j] < 0 && t < step {
			step, leaving = t, j
		}
	}
	if leaving < 0 {
		return false
	}
	for i, j := range others {
		a.w[j] += float64(step * x[i])
	}
	a.w[last] = step * a.sign[last]
	a.leave(leaving)
	a.updateGradient()
	return true
}

// leave takes a member, whose weight is to be 0, from the set.
func (a *activeSet) leave(j int) {
	a.w[j], a.member[j] = 0, false
	a.set = slices.DeleteFunc(a.set, func(k int) bool { return k == j })
}

// ascend sets weights at lambda by way of the sources without any, given the inverse of all
// covariances and the weights at lambda 0, as homotopy.ascendTo does; false if they are not
// found. u are the guess's gradients over lambda.
func (a *activeSet) ascend(inverse, weights []float64, lambda float64, guess, u []float32) bool {
	a.begin(guess, false, u)
	clear(a.sum)
	signed := make([]int, 0, a.p)
	signs := make([]float64, 0, a.p)
	for j, s := range a.sign {
		if s != 0 {
			signed, signs = append(signed, j), append(signs, s)
		}
	}
	dense.AxpyRows(a.sum, inverse, a.p, signed, signs)
	for {
		a.refactor(inverse, 0)
		x := a.x[:len(a.set)]
		for i, j := range a.set {
			x[i] = weights[j] - float64(lambda*a.sum[j])
		}
		a.factor.Solve(x)
		for i, j := range a.set {
			a.g[j] = x[i]
			x[i] = -x[i]
		}
		for j, w := range weights {
			a.w[j] = w - float64(lambda*a.sum[j])
		}
		dense.AxpyRows(a.w, inverse, a.p, a.set, x)
		a.changes = a.changes[:0]
		for j, w := range a.w {
			if a.member[j] {
				a.w[j] = 0
			}
			if a.member[j] && math.Abs(a.g[j]) > lambda*boundaryFactor || !a.member[j] && w*a.sign[j] < 0 {
				a.changes = append(a.changes, j)
			}
		}
		if len(a.changes) == 0 {
			return true
		}
		if !a.exchange() {
			return false
		}
		for _, j := range a.changes {
			sign := 0.0
			if !a.member[j] {
				sign = math.Copysign(1, a.g[j])
			}
			dense.AddScaled(a.sum, sign-a.sign[j], inverse[j*a.p:][:a.p])
			a.sign[j] = sign
		}
	}
}
