package corr

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// TestJackknifePairs compares with sums over pairs by hand, and the standard error with its
// definition.
func TestJackknifePairs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{3, 4, 8} {
		var values, weights []float64
		var pairs [][2]int
		for a := range n {
			for b := a + 1; b < n; b++ {
				pairs = append(pairs, [2]int{a, b})
				values, weights = append(values, rnd.NormFloat64()), append(weights, 1+rnd.Float64())
			}
		}
		for _, w := range [][]float64{nil, weights} {
			j := JackknifePairs(n, values, w)
			if want := stat.Mean(values, w); math.Abs(j.Value-want) > 1e-14 {
				t.Errorf("%d networks: mean %v, want %v", n, j.Value, want)
			}
			for k := range n {
				var left, leftWeights []float64
				for i, p := range pairs {
					if p[0] != k && p[1] != k {
						left = append(left, values[i])
						if w != nil {
							leftWeights = append(leftWeights, w[i])
						}
					}
				}
				if want := stat.Mean(left, leftWeights); math.Abs(j.Without[k]-want) > 1e-14 {
					t.Errorf("without %d of %d: %v, want %v", k, n, j.Without[k], want)
				}
			}
		}
		j := JackknifePairs(n, values, nil)
		var variance float64
		for _, without := range j.Without {
			variance += (without - j.Value) * (without - j.Value) * float64(n-1) / float64(n)
		}
		if se := j.StandardError(); math.Abs(se-math.Sqrt(variance)) > 1e-14 {
			t.Errorf("%d networks: standard error %v, want %v", n, se, math.Sqrt(variance))
		}
		if math.Abs(j.Corrected()-j.Value) > 1e-14 {
			t.Errorf("a mean over pairs has no bias, got %v", j.Corrected()-j.Value)
		}
	}
}

// TestJackknifePairsUnknown: two networks, or a pair without a figure, have no standard
// error; a pair without weight has no say.
func TestJackknifePairsUnknown(t *testing.T) {
	nan := math.NaN()
	if j := JackknifePairs(2, []float64{0.5}, nil); j.Value != 0.5 || !math.IsNaN(j.StandardError()) {
		t.Errorf("two networks: %v +- %v", j.Value, j.StandardError())
	}
	if j := JackknifePairs(1, nil, nil); !math.IsNaN(j.Value) || !math.IsNaN(j.StandardError()) {
		t.Errorf("one network: %v +- %v", j.Value, j.StandardError())
	}
	for k := range 3 {
		values := []float64{1, 2, 3}
		values[k] = nan
		if j := JackknifePairs(3, values, nil); !math.IsNaN(j.StandardError()) {
			t.Errorf("no figure of pair %d: +- %v", k, j.StandardError())
		}
	}
	j := JackknifePairs(4, []float64{1, 2, nan, 3, 4, 5}, []float64{1, 1, 0, 1, 1, 1})
	if j.Value != 3 || math.IsNaN(j.StandardError()) {
		t.Errorf("a pair without weight: %v +- %v", j.Value, j.StandardError())
	}
	defer func() {
		if recover() != badPairCount {
			t.Error("no panic")
		}
	}()
	JackknifePairs(4, make([]float64, 3), nil)
}

// TestJackknifePairsVariance: the mean squared standard error is the variance of the mean
// over pairs where networks differ, and 2(n-1)/(n-2) times that where pairs do.
func TestJackknifePairsVariance(t *testing.T) {
	const sets = 20000
	for _, n := range []int{3, 4, 8} {
		for _, of := range []struct {
			network, pair, want float64 // standard deviations, and the mean square
		}{
			{1, 0, 4 / float64(n)},
			{0, 1, 2 / float64(n*(n-1)) * 2 * float64(n-1) / float64(n-2)},
		} {
			rnd := rand.New(rand.NewPCG(3, uint64(n)))
			var squares float64
			for range sets {
				se := JackknifePairs(n, pairFigures(rnd, n, 0, of.network, of.pair, rnd.NormFloat64), nil).StandardError()
				squares += se * se / sets
			}
			if math.Abs(squares/of.want-1) > 0.05 {
				t.Errorf("%d networks, %+v: mean square %v", n, of, squares)
			}
		}
	}
}

// pairFigures are mean + a_i + a_j + e_ij of n networks, for standard deviations of a and e.
func pairFigures(rnd *rand.Rand, n int, mean, network, pair float64, quality func() float64) []float64 {
	own := make([]float64, n)
	for i := range own {
		own[i] = network * quality()
	}
	var values []float64
	for a := range n {
		for b := a + 1; b < n; b++ {
			values = append(values, mean+own[a]+own[b]+pair*rnd.NormFloat64())
		}
	}
	return values
}

// TestJackknifePairsCovers: of 95 % intervals over few networks about 95 % hold the mean of
// all networks where these differ by what each has of its own, be it normal or uniform, and
// more where pairs differ by what only they have. Where what networks have of their own is
// as skewed as an exponential variable, 87 % or more do, as of Student's t of as many
// independent figures. Of intervals as if pairs were independent far fewer do.
func TestJackknifePairsCovers(t *testing.T) {
	const sets, mean = 2000, 0.4
	slack := 2.5 * math.Sqrt(0.95*0.05/sets)
	for _, n := range []int{3, 4, 8} {
		for name, of := range map[string]struct {
			quality func(*rand.Rand) float64
			least   float64
		}{
			"normal":  {(*rand.Rand).NormFloat64, 0.94},
			"uniform": {func(rnd *rand.Rand) float64 { return 2*rnd.Float64() - 1 }, 0.93},
			"skewed":  {func(rnd *rand.Rand) float64 { return rnd.ExpFloat64() - 1 }, 0.87},
		} {
			for _, pair := range []float64{0, 0.3, 1, 3} {
				rnd := rand.New(rand.NewPCG(5, uint64(n)))
				inside, naive := 0., 0.
				half := quantile(n) // standard errors
				halfNaive := quantile(n * (n - 1) / 2)
				for range sets {
					values := pairFigures(rnd, n, mean, 1, pair, func() float64 { return of.quality(rnd) })
					j := JackknifePairs(n, values, nil)
					if math.Abs(j.Value-mean) <= half*j.StandardError() {
						inside += 1. / sets
					}
					if se := stat.StdErr(stat.StdDev(values, nil), float64(len(values))); math.Abs(j.Value-mean) <= halfNaive*se {
						naive += 1. / sets
					}
				}
				t.Logf("%d networks, %s, pairs %v: %.1f %%, as if pairs were independent %.1f %%", n, name, pair, 100*inside, 100*naive)
				if inside < of.least-slack || pair <= 0.3 && inside > 0.97+slack {
					t.Errorf("%d networks, %s, pairs %v: %.1f %% hold the mean", n, name, pair, 100*inside)
				}
				if pair == 0 && naive > 0.9 {
					t.Errorf("%d networks, %s: as if pairs were independent, %.1f %% hold the mean", n, name, 100*naive)
				}
			}
		}
	}
}

// quantile is how many standard errors an interval of n groups has to either side.
func quantile(n int) float64 {
	j := Jackknife{Without: make([]float64, n), Rows: make([]float64, n)}
	for k := range n {
		j.Without[k], j.Rows[k] = float64(k), 1
	}
	low, high := j.Interval(0.95)
	return (high - low) / 2 / j.StandardError()
}
