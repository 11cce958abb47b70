package finding

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// curves are how networks' mean activations may come about: rnd is a network, and size how much
// networks differ.
var curves = map[string]func(rnd *rand.Rand, size float64) []float64{
	"units of one distribution": func(rnd *rand.Rand, size float64) []float64 {
		return curve(func(float64) float64 { return math.Exp(size * rnd.NormFloat64()) })
	},
	"scales": func(rnd *rand.Rand, size float64) []float64 {
		scale := math.Exp(size * rnd.NormFloat64())
		return curve(func(x float64) float64 { return scale * math.Exp(3*x) })
	},
	"slopes": func(rnd *rand.Rand, size float64) []float64 {
		slope := 3 * (1 + size*rnd.NormFloat64())
		return curve(func(x float64) float64 { return math.Exp(slope * x) })
	},
}

func curve(unit func(x float64) float64) []float64 {
	means := make([]float64, 32)
	for i := range means {
		means[i] = unit((float64(i) + 0.5) / float64(len(means)))
	}
	return means
}

// differing is the size at which two networks are the given distance apart on average.
func differing(network func(rnd *rand.Rand, size float64) []float64, distance float64) float64 {
	low, high := 0.0, 1.0
	for range 14 {
		size, rnd, total := (low+high)/2, rand.New(rand.NewPCG(1, 1)), 0.0
		const pairs = 4000
		for range pairs {
			total += sortedDistance(network(rnd, size), network(rnd, size)) / pairs
		}
		if total < distance {
			low = size
		} else {
			high = size
		}
	}
	return low
}

// networkPairs are all pairs of so many networks.
func networkPairs(n int) (pairs []results.Pair) {
	for a := range n {
		for b := a + 1; b < n; b++ {
			pairs = append(pairs, results.Pair{A: a, B: b})
		}
	}
	return pairs
}

// TestEquivalenceErrors draws networks whose curves are the margin apart on average, and so not
// equivalent: no more than 5 % of the tests say that they are, but for what chance does to
// the share of so many draws. Of networks an eighth as far apart most tests say so, if
// there are eight; and 95 % intervals hold the distance.
func TestEquivalenceErrors(t *testing.T) {
	sets := 10 * sampleSets(t)
	if testing.Short() {
		sets = 100
	}
	slack := 2.5 * math.Sqrt(equivalenceLevel*(1-equivalenceLevel)/float64(sets))
	for name, network := range curves {
		size, near := differing(network, equivalenceMargin), differing(network, equivalenceMargin/8)
		for _, n := range []int{3, 4, 8} {
			pairs := networkPairs(n)
			rnd := rand.New(rand.NewPCG(2, uint64(n)))
			test := func(size float64) (*results.Equivalence, *results.Interval) {
				means := make([][]float64, n)
				for i := range means {
					means[i] = network(rnd, size)
				}
				f := make(pairFigure, len(pairs))
				for k, p := range pairs {
					f[k].Value = sortedDistance(means[p.A], means[p.B])
				}
				s := f.distanceSpread()
				return s.equivalence(), s.interval()
			}
			var wrong, found, inside float64
			for range sets {
				e, i := test(size)
				if e.Equivalent != (e.Upper <= e.Margin) {
					t.Fatalf("a limit of %v and p of %v disagree", e.Upper, e.P)
				}
				if e.Equivalent {
					wrong += 1 / float64(sets)
				}
				if i.Low <= equivalenceMargin && equivalenceMargin <= i.High {
					inside += 1 / float64(sets)
				}
				if e, _ := test(near); e.Equivalent {
					found += 1 / float64(sets)
				}
			}
			t.Logf("%s, %d networks: %.1f %% wrong, %.1f %% found, %.1f %% of intervals hold the distance", name, n, 100*wrong, 100*found, 100*inside)
			if wrong > equivalenceLevel+slack {
				t.Errorf("%s, %d networks: %.1f %% of the tests are wrong", name, n, 100*wrong)
			}
			if n == 8 && found < 0.8 {
				t.Errorf("%s: %.1f %% of what is equivalent is found", name, 100*found)
			}
			if inside < confidence-slack {
				t.Errorf("%s, %d networks: %.1f %% of the intervals hold the distance", name, n, 100*inside)
			}
		}
	}
}

// TestEquivalenceOverImages draws the means of two networks, the margin apart, on groups of
// images: no more than 5 % of the tests say that they are equivalent.
func TestEquivalenceOverImages(t *testing.T) {
	const groups, units = 20, 16
	sets := 10 * sampleSets(t)
	wrong := 0
	rnd := rand.New(rand.NewPCG(3, 1))
	for range sets {
		var total [2][units]float64
		var of [groups][2][units]float64
		for g := range of {
			for u := range units {
				for n := range 2 {
					mean := float64(u+1) * (1 + 0.1*float64(n)*(2.0/1.9-0)) // 2 (s - 1)/(s + 1) is 0.1 of a scale s = 1 + 0.2/1.9
					of[g][n][u] = mean * (1 + 0.05*rnd.NormFloat64())
					total[n][u] += of[g][n][u] / groups
				}
			}
		}
		j := corr.Jackknife{Value: sortedDistance(total[0][:], total[1][:])}
		for g := range of {
			var without [2][units]float64
			for n := range without {
				for u := range units {
					without[n][u] = (groups*total[n][u] - of[g][n][u]) / (groups - 1)
				}
			}
			j.Without, j.Rows = append(j.Without, sortedDistance(without[0][:], without[1][:])), append(j.Rows, 1)
		}
		e := (pairFigure{j}).distanceSpread().equivalence()
		if e.Over != "images" {
			t.Fatalf("%+v", e)
		}
		if e.Equivalent {
			wrong++
		}
	}
	t.Logf("%d of %d", wrong, sets)
	if share := float64(wrong) / float64(sets); share > equivalenceLevel+2.5*math.Sqrt(equivalenceLevel/float64(sets)) || share < 0.01 {
		t.Errorf("%.1f %% of the tests are wrong", 100*share)
	}
}

// TestEquivalenceLimits: what cannot be known is not said, and networks that are alike or
// equally far apart are so for certain.
func TestEquivalenceLimits(t *testing.T) {
	of := func(values ...float64) *spread {
		f := make(pairFigure, len(values))
		for i, v := range values {
			f[i].Value = v
		}
		return f.distanceSpread()
	}
	if of(0.01).equivalence() != nil {
		t.Error("two networks without images are tested")
	}
	if e := of(0, 0, 0).equivalence(); e == nil || !e.Equivalent || e.Upper != 0 || e.P != 0 {
		t.Errorf("copies: %+v", e)
	}
	if e := of(0.2, 0.2, 0.2).equivalence(); e == nil || e.Equivalent || e.P != 1 {
		t.Errorf("far apart: %+v", e)
	}
	if e := of(0, 0.05, 0.05).equivalence(); e != nil {
		t.Errorf("two copies beside a third: %+v", e)
	}
}

// TestOverNetworks compares with means worked out by hand, and draws networks that each add
// something to their pairs, or pairs that do: 95 % intervals hold what they are on average.
func TestOverNetworks(t *testing.T) {
	f := pairFigure{{Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}, {Value: 12}}
	j := f.networks(nil) // 01 02 03 12 13 23
	if want := []float64{7, 17. / 3, 3, 7. / 3}; j.Value != 4.5 || !slices.EqualFunc(j.Without, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("%+v, want %v", j, want)
	}
	if j := f[:1].networks(nil); j.Without != nil {
		t.Errorf("two networks without one: %+v", j)
	}
	sets := 25 * sampleSets(t)
	for _, n := range []int{3, 4, 8} {
		pairs := networkPairs(n)
		rnd := rand.New(rand.NewPCG(4, uint64(n)))
		for _, own := range []float64{0, 1} {
			inside := 0
			for range sets {
				adds := make([]float64, n)
				for i := range adds {
					adds[i] = own * rnd.NormFloat64()
				}
				f := make(pairFigure, len(pairs))
				for k, p := range pairs {
					f[k].Value = adds[p.A] + adds[p.B] + 0.3*rnd.NormFloat64()
				}
				if i := f.measure(plainInterval).Networks; i.Low <= 0 && i.High >= 0 {
					inside++
				}
			}
			share := float64(inside) / float64(sets)
			t.Logf("%d networks, their share %v: %.1f %%", n, own, 100*share)
			if share < 0.93 {
				t.Errorf("%d networks, their share %v: %.1f %% of the intervals hold 0", n, own, 100*share)
			}
		}
	}
}
