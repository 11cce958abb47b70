package finding

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// sharing is two networks of which some units are shared, up to noise, and the others are
// random bases of one space.
type sharing struct {
	units, shared int
	noise         float64
	relu          bool
}

// draw returns the layer of two such networks, and what of it is turned.
func (s sharing) draw(seed uint64, draws int) (*layer, turnable) {
	rnd := rand.New(rand.NewPCG(seed, 5))
	const rows = 300
	rest := s.units - s.shared
	var bases [2][]float64
	for net := range bases {
		if rest > 0 {
			bases[net] = corr.Rotation(rest, rnd).RawMatrix().Data
		}
	}
	var inputs, outputs [2][][]float32
	for net := range inputs {
		inputs[net], outputs[net] = make([][]float32, s.units), make([][]float32, s.units)
	}
	scale := make([]float64, s.units) // of signals, which differ in variance
	for k := range scale {
		scale[k] = 0.5 + rnd.Float64()
	}
	thresholds := [2][]float64{}
	for net := range thresholds {
		for range s.units {
			thresholds[net] = append(thresholds[net], 0.8*rnd.Float64())
		}
		copy(thresholds[net][:s.shared], thresholds[0][:s.shared])
	}
	for range rows {
		signals := make([]float64, s.units)
		for k := range signals {
			signals[k] = scale[k] * rnd.NormFloat64()
		}
		for net := range inputs {
			for u := range s.units {
				v := signals[u]
				if u < s.shared {
					v += s.noise * rnd.NormFloat64()
				} else {
					v = 0
					for k := range rest {
						v += bases[net][k*rest+u-s.shared] * signals[s.shared+k]
					}
				}
				if s.relu {
					v -= thresholds[net][u]
				}
				inputs[net][u], outputs[net][u] = append(inputs[net][u], float32(v)), append(outputs[net][u], float32(max(0, v)))
			}
		}
	}
	l := &layer{Layer: &observe.Layer{Units: []int{s.units, s.units}}, Options: Options{Analysis: results.Analysis{Draws: draws, Seed: seed + 1}}, result: &results.Layer{Pairs: []results.Pair{{A: 0, B: 1}}, Dead: [][]int{{}, {}}}}
	if s.relu {
		b := new(beforeReLU)
		for net := range inputs {
			b.add(inputs[net], outputs[net])
		}
		return l, b
	}
	m := corr.NewMoments(s.units, s.units)
	var data [2][]float32
	for row := range rows {
		for net := range data {
			for u := range s.units {
				data[net] = append(data[net], inputs[net][u][row])
			}
		}
	}
	if err := m.Add(rows, data[0], data[1]); err != nil {
		panic(err)
	}
	return l, afterReLU{m}
}

// TestUnitPValues: where a network's basis is a random one, p-values of its units are
// uniform, before the ReLU and after it, and where some units are shared and the others are
// not, the share of these among those that are found is at most the rate; but for many units
// that are shared too weakly to be told from others, which make the null of these too easy.
func TestUnitPValues(t *testing.T) {
	sets := sampleSets(t)
	if testing.Short() {
		sets = min(sets, 10)
	}
	for name, c := range map[string]struct {
		sharing
		power float64 // share of shared units that are found, at least
		rate  float64 // false discovery rate at most
	}{
		"random":                 {sharing{units: 12}, 0, discoveryRate},
		"random, before ReLU":    {sharing{units: 12, relu: true}, 0, discoveryRate},
		"half shared":            {sharing{units: 16, shared: 8, noise: 0.3}, 0.8, discoveryRate},
		"half shared, weakly":    {sharing{units: 16, shared: 8, noise: 1}, 0.1, 0.25},
		"half shared, rectified": {sharing{units: 16, shared: 8, noise: 0.3, relu: true}, 0.8, discoveryRate},
		"few shared, rectified":  {sharing{units: 16, shared: 3, noise: 0.5, relu: true}, 0.5, discoveryRate},
	} {
		t.Run(name, func(t *testing.T) {
			var low, one []float64
			var false_, power float64
			for set := range sets {
				l, turned := c.draw(uint64(set), 49)
				test, err := l.rotation(context.Background(), "rotation", turned, matchedRotation, l.Draws)
				if err != nil {
					t.Fatal(err)
				}
				if c.shared == 0 {
					u := newUnitTest(test, 0, 1)
					low = append(low, shareBelow(u.p, 0.05))
					one = append(one, u.p[set%len(u.p)])
				}
				converged, err := l.converged(context.Background(), test)
				if err != nil {
					t.Fatal(err)
				}
				var found, wrong, right float64
				m := test.observed[0]
				for i, a := range m.a {
					if *converged.Q[0][a] > discoveryRate {
						continue
					}
					found++
					if a < c.shared && m.b[i] == a {
						right++
					} else if a >= c.shared && m.b[i] >= c.shared {
						wrong++
					}
				}
				false_ += wrong / max(1, found) / float64(sets)
				if c.shared > 0 {
					power += right / float64(c.shared) / float64(sets)
				}
			}
			t.Logf("false discovery rate %.3f, power %.2f", false_, power)
			if slack := 2.5 * math.Sqrt(0.05*0.95/float64(sets)); false_ > c.rate+slack {
				t.Errorf("false discovery rate %v", false_)
			}
			if power < c.power {
				t.Errorf("of shared units %v are found", power)
			}
			if c.shared == 0 {
				d := uniformDistance(one)
				t.Logf("p <= .05 of %.3f of units; distance from uniform %.3f", mean(low), d)
				// 1 % of uniform samples are farther (Kolmogorov and Smirnov).
				if d > 1.63/math.Sqrt(float64(sets)) {
					t.Errorf("p-values are %v from uniform", d)
				}
				if share, slack := mean(low), 0.15/math.Sqrt(float64(sets)); math.Abs(share-0.05) > slack {
					t.Errorf("p is at most .05 of %v of units", share)
				}
			}
		})
	}
}

func shareBelow(p []float64, limit float64) float64 {
	n := 0.0
	for _, v := range p {
		if v <= limit {
			n++
		}
	}
	return n / float64(len(p))
}

// uniformDistance is the largest between the distribution of values and the uniform one.
func uniformDistance(values []float64) float64 {
	x := slices.Sorted(slices.Values(values))
	d, n := 0.0, float64(len(x))
	for i, v := range x {
		d = max(d, v-float64(i)/n, float64(i+1)/n-v)
	}
	return d
}

// TestNothingLeft: where all units keep their places none is left to be rotated, and p-values are
// those that there were; where one is left it is rotated as often as all were, however wide the
// layer, since of few draws of one unit no p-value is small.
func TestNothingLeft(t *testing.T) {
	u := unitTest{p: []float64{0.01, 0.02}, draws: 99, kept: []bool{true, true}}
	u.against(rest{}, nil)
	if !slices.Equal(u.p, []float64{0.01, 0.02}) || u.draws != 99 {
		t.Errorf("p %v of %d draws", u.p, u.draws)
	}
	for units, want := range map[int]int{0: 0, 1: 39, cubeWidth: 39, cubeWidth + 1: leastUnitDraws} {
		if got := (rest{units: make([]int, units)}).draws(39); got != want {
			t.Errorf("%d units are rotated %d times, want %d", units, got, want)
		}
	}
}
