package finding

import (
	"context"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// discoveryRate is the false discovery rate at which units are called converged, and, over
// layers, a statement shown.
const discoveryRate = 0.05

// leastUnitDraws is how many draws tell a unit's own null: fewer, and none is tested.
const leastUnitDraws = 19

// stepsDown is how often the units that are not found are rotated anew.
const stepsDown = 2

// converged tests each matched unit of every pair of networks against what rotation makes
// of it.
//
// What is tested is how far a unit's correlation is from its mean over the draws, in their
// standard deviations; p is the share of that of all units of the pair, in all draws, that
// is as far out, so that it is not bounded by the number of draws alone.
//
// Rotating all units is too easy where many are shared: a unit that is not then meets in the
// draws, diluted by, the directions of those that are. So it is done in steps (as Westfall
// and Young, "Resampling-based multiple testing", 1993, step down). Units that are found keep
// their places, and the rest alone is rotated; units found before are tested, too, beside
// what the rest gives, and can be lost again. Shared units that are too weak to be found go
// on diluting: where there are many of these, more than the rate of those found may be
// chance.
func (l *layer) converged(ctx context.Context, test *rotationTest) (*results.Converged, error) {
	pairs := len(l.result.Pairs)
	c := &results.Converged{Null: test.null.Name, Rate: discoveryRate, Q: make([][]*float64, pairs)}
	for k, p := range l.result.Pairs {
		c.Q[k] = make([]*float64, l.Units[p.A])
	}
	if test.null.Draws < leastUnitDraws {
		return c, nil
	}
	all := make([]unitTest, pairs)
	for k := range all {
		all[k] = newUnitTest(test, k, pairs)
		c.Tests += len(all[k].p)
	}
	q := discoveries(all)
	for step := range stepsDown {
		if changed := keep(all, q); !changed {
			break
		}
		if err := l.rotateRest(ctx, test, all, step); err != nil {
			return nil, err
		}
		q = discoveries(all)
	}
	least := 1.0
	for k, u := range all {
		least = min(least, 1/float64(1+u.draws))
		for i, unit := range u.observed.a {
			c.Q[k][unit] = &q[k][i]
		}
	}
	c.LeastCount = int(math.Ceil(least * float64(c.Tests) / discoveryRate))
	return c, nil
}

// discoveries are the q-values of the units of all pairs.
func discoveries(all []unitTest) [][]float64 {
	var p []float64
	for _, u := range all {
		p = append(p, u.p...)
	}
	q := corr.BenjaminiHochberg(p)
	by := make([][]float64, len(all))
	for k, u := range all {
		by[k], q = q[:len(u.p)], q[len(u.p):]
	}
	return by
}

// keep decides which units keep their places, and reports whether these are others than
// before.
func keep(all []unitTest, q [][]float64) (changed bool) {
	for k := range all {
		for i, v := range q[k] {
			kept := v <= discoveryRate
			changed = changed || kept != all[k].kept[i]
			all[k].kept[i] = kept
		}
	}
	return changed
}

// shareFound is the share of matched units that are found; NaN if none is tested.
func shareFound(q []*float64) float64 {
	found, tests := 0, 0
	for _, v := range q {
		if v == nil {
			continue
		}
		tests++
		if *v <= discoveryRate {
			found++
		}
	}
	return float64(found) / float64(tests)
}

// unitTest is the test of the matched units of two networks.
type unitTest struct {
	observed matching
	all      []score // against rotations of all units
	p        []float64
	draws    int    // of all units together, that p is a share of
	kept     []bool // in their places
}

// score is how far a unit is from its draws.
type score struct{ observed, mean, std float64 }

func (s score) z() float64 { return standardised(s.observed, s.mean, s.std) }

func standardised(v, mean, std float64) float64 {
	switch d := v - mean; {
	case d == 0:
		return 0
	case std == 0:
		return math.Inf(int(math.Copysign(1, d)))
	default:
		return d / std
	}
}

// scores are those of units, and of each of their draws beside the others, of all in rising
// order.
func scores(observed []float64, drawn [][]float64) (own []score, pool []float64) {
	n := float64(len(drawn))
	for i, v := range observed {
		var sum, squares float64
		for _, all := range drawn {
			sum += all[i]
		}
		m := sum / n
		for _, all := range drawn {
			squares += float64((all[i] - m) * (all[i] - m))
		}
		own = append(own, score{v, m, math.Sqrt(squares / (n - 1))})
		for _, all := range drawn {
			// Without the draw: the mean moves by d/(n-1), and squares lose d^2 n/(n-1).
			d := all[i] - m
			rest := max(0, squares-float64(d*d)*n/(n-1))
			pool = append(pool, standardised(all[i], m-d/(n-1), math.Sqrt(rest/(n-2))))
		}
	}
	slices.Sort(pool)
	return own, pool
}

// pValue is the share of a pool of draws that is as far out, the unit itself counted.
func pValue(z float64, pool []float64) float64 {
	first, _ := slices.BinarySearch(pool, z)
	return float64(1+len(pool)-first) / float64(1+len(pool))
}

// newUnitTest tests the units of a pair of networks against rotations of all units of one.
func newUnitTest(test *rotationTest, pair, pairs int) unitTest {
	u := unitTest{observed: test.observed[pair]}
	u.kept = make([]bool, len(u.observed.r))
	var drawn [][]float64
	for d := range test.null.Draws {
		drawn = append(drawn, test.drawn[d*pairs+pair].r)
	}
	var pool []float64
	u.all, pool = scores(u.observed.r, drawn)
	u.draws = len(pool)
	for _, s := range u.all {
		u.p = append(u.p, pValue(s.z(), pool))
	}
	return u
}

// rotateRest rotates the units that do not keep their places, and tests all beside them.
func (l *layer) rotateRest(ctx context.Context, test *rotationTest, all []unitTest, step int) error {
	draws, pairs := test.null.Draws, len(all)
	rests := make([]rest, pairs)
	for k, p := range l.result.Pairs {
		rests[k] = newRest(test, p.A, p.B, all[k])
	}
	drawn := make([]matching, draws*pairs)
	err := l.each(ctx, draws*pairs, func(i int) (err error) {
		p, r := l.result.Pairs[i%pairs], rests[i%pairs]
		if i/pairs >= r.draws(draws) {
			return nil
		}
		turned, release := matrix(len(test.live(p.A)), len(r.b))
		defer release()
		r.turning(random(l.Seed, restRotation, step*draws*pairs+i))(turned, p.A)
		drawn[i], err = newMatching(corr.Select(turned, r.a, numbers(len(r.b))), r.a, r.b)
		return err
	})
	if err != nil {
		return err
	}
	for k := range all {
		var own [][]float64
		for d := range rests[k].draws(draws) {
			own = append(own, drawn[d*pairs+k].r)
		}
		all[k].against(rests[k], own)
	}
	return nil
}

// against sets p-values from draws of the rest. A unit that was kept in its place has none: its
// mean and deviation are those of rotations of all units, moved as those of the rest are. Where
// nothing is left to rotate p-values stay.
func (u *unitTest) against(r rest, drawn [][]float64) {
	if len(r.units) == 0 {
		return
	}
	own, pool := scores(pick(u.observed.r, r.units), drawn)
	u.draws = len(pool)
	var shift, before, after float64
	for k, i := range r.units {
		shift += (own[k].mean - u.all[i].mean) / float64(len(own))
		before, after = before+u.all[i].std, after+own[k].std
	}
	for i, s := range u.all {
		moved := score{s.observed, s.mean + shift, s.std * max(1, ratio(after, before))}
		u.p[i] = pValue(min(s.z(), moved.z()), pool)
	}
	for k, i := range r.units {
		u.p[i] = pValue(own[k].z(), pool)
	}
}

// rest is units that do not keep their places.
type rest struct {
	units []int // among those matched
	a, b  []int // places among the live ones of both networks, unmatched ones too
	turning
}

// draws is how often they are rotated, if other units are so many times: less often if they are
// many, which are then many in each draw.
func (r rest) draws(asked int) int {
	switch n := len(r.units); {
	case n == 0:
		return 0
	case n > cubeWidth:
		return min(asked, leastUnitDraws)
	}
	return asked
}

func newRest(test *rotationTest, a, b int, u unitTest) rest {
	var r rest
	keptA, keptB := make(map[int]bool), make(map[int]bool)
	for i, kept := range u.kept {
		if kept {
			keptA[u.observed.a[i]], keptB[u.observed.b[i]] = true, true
		} else {
			r.units = append(r.units, i)
		}
	}
	left := func(live []int, kept map[int]bool) (places []int) {
		for i, unit := range live {
			if !kept[unit] {
				places = append(places, i)
			}
		}
		return places
	}
	r.a, r.b = left(test.live(a), keptA), left(test.live(b), keptB)
	r.turning = test.turning(b, r.b)
	return r
}
