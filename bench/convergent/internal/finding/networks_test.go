package finding

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// upbringing is a way of making networks, all of which see the same images: rectified
// units, each of which has one of the common signals by as much as the network is good, and
// a mixture of all that is the network's own.
type upbringing struct {
	units, images int
	signals       []float64                // by image
	quality       func(*rand.Rand) float64 // of a network
}

func newUpbringing(units, images int, quality func(*rand.Rand) float64) *upbringing {
	u := &upbringing{units: units, images: images, quality: quality}
	rnd := rand.New(rand.NewPCG(21, 22))
	for range units * images {
		u.signals = append(u.signals, rnd.NormFloat64())
	}
	return u
}

// network makes one, and returns its activations.
func (u *upbringing) network(rnd *rand.Rand) []float32 {
	quality := u.quality(rnd)
	weights := make([]float64, u.units*u.units)
	for i := range weights {
		weights[i] = 0.4 * rnd.NormFloat64()
		if i%(u.units+1) == 0 {
			weights[i] += 2 * quality
		}
	}
	var x []float32
	for i := range u.images {
		for unit := range u.units {
			v := 0.2 // of the mean
			for k, s := range u.signals[i*u.units:][:u.units] {
				v += weights[unit*u.units+k] * s
			}
			x = append(x, float32(max(0, v)))
		}
	}
	return x
}

// The figures that are tested, all by the road's own way from pairs to intervals.
var networkFigures = []string{"matched_r", "exceedance", "cka", "linear", "procrustes", "activity_distance"}

// figures makes so many networks and compares them.
func (u *upbringing) figures(t *testing.T, rnd *rand.Rand, networks int) []results.Measure {
	t.Helper()
	var all [][]float32
	l := &layer{Layer: new(observe.Layer), result: new(results.Layer)}
	for a := range networks {
		all = append(all, u.network(rnd))
		l.Units = append(l.Units, u.units)
		for b := a + 1; b < networks; b++ {
			l.result.Pairs = append(l.result.Pairs, results.Pair{A: a, B: b})
		}
	}
	l.Moments = corr.NewMoments(l.Units...)
	if err := l.Moments.Add(u.images, all...); err != nil {
		t.Fatal(err)
	}
	means, err := l.perPair(context.Background(), l.Moments, nil, func(_ int, c *corr.Pair) ([]float64, error) {
		r, err := matchedR(c)
		if err != nil {
			return nil, err
		}
		values := []float64{mean(r), shareAbove(r, 0.6)}
		for _, m := range corr.Measures() {
			switch m.Name {
			case "cka", "linear_ab", "linear_ba", "procrustes":
				v, err := m.Func(c)
				if err != nil {
					return nil, err
				}
				values = append(values, v)
			}
		}
		cka, procrustes, linear := values[2], values[3], (values[4]+values[5])/2
		return []float64{values[0], values[1], cka, linear, procrustes}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var measures []results.Measure
	for _, m := range means {
		measures = append(measures, m.measure(noInterval))
	}
	if err := l.activity(context.Background()); err != nil {
		t.Fatal(err)
	}
	return append(measures, l.result.Activity.Distance)
}

// TestNetworkIntervalsCover makes networks in a known way: of 95 % intervals over networks,
// 92 % or more hold the mean over all networks that are made so. They may well be more, for
// the jackknife counts what only a pair has, beside what its networks have, twice and more.
func TestNetworkIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("many networks")
	}
	sets := sampleSets(t)
	slack := 2.5 * math.Sqrt(0.95*0.05/float64(sets))
	for name, quality := range map[string]func(*rand.Rand) float64{
		"of one quality":    func(*rand.Rand) float64 { return 0.5 },
		"of normal quality": func(rnd *rand.Rand) float64 { return 0.6 + 0.2*rnd.NormFloat64() },
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpbringing(6, 100, quality)
			const pairs = 1000 // of networks that no other pair has
			truth := make([]float64, len(networkFigures))
			rnd := rand.New(rand.NewPCG(31, 1))
			for range pairs {
				for i, m := range u.figures(t, rnd, 2) {
					truth[i] += *m.Value / pairs
				}
			}
			for _, networks := range []int{3, 4, 8} {
				inside, given, width := make([]float64, len(truth)), make([]float64, len(truth)), make([]float64, len(truth))
				rnd := rand.New(rand.NewPCG(31, uint64(networks)))
				for range sets {
					for i, m := range u.figures(t, rnd, networks) {
						if m.Networks == nil {
							continue // pairs are all alike
						}
						given[i]++
						width[i] += m.Networks.High - m.Networks.Low
						if m.Networks.Low <= truth[i] && truth[i] <= m.Networks.High {
							inside[i]++
						}
					}
				}
				for i := range inside {
					share := inside[i] / given[i]
					t.Logf("%d networks, %-17s %.3f, intervals of %.3f: %.1f %%", networks, networkFigures[i], truth[i], width[i]/given[i], 100*share)
					if !(share >= 0.92-slack) {
						t.Errorf("%d networks, %s: %.1f %% of the intervals hold %v", networks, networkFigures[i], 100*share, truth[i])
					}
				}
			}
		})
	}
}

// TestLayerMeasures: a layer's measures are means over pairs and directions of what pairs
// have, with the jackknife over networks of these means, and draws of chance in common.
func TestLayerMeasures(t *testing.T) {
	streams := rand.New(rand.NewPCG(3, 78))
	l, _, _ := made(t, func(_ *rand.Rand, net int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i, s := range signals {
			x[i] = s + float64(net+1)*streams.NormFloat64()
		}
		return x
	})
	for name, of := range map[string][]string{"cka": {"cka"}, "matched": {"matched"}, "procrustes": {"procrustes"}, "linear": {"linear_ab", "linear_ba"}, "pwcca": {"pwcca_ab", "pwcca_ba"}} {
		var perPair []float64
		null := 0.0
		for _, p := range l.Pairs {
			v := 0.0
			for _, direction := range of {
				v += *p.Measures[direction].Value / float64(len(of))
				null += *p.Measures[direction].Null / float64(len(of)) / 3
			}
			perPair = append(perPair, v)
		}
		want := corr.JackknifePairs(3, perPair, nil)
		low, high := want.Interval(0.95)
		m := l.Measures[name]
		near(t, name, m.Value, want.Value-1e-12, want.Value+1e-12)
		near(t, name+", from", &m.Networks.Low, low-1e-9, low+1e-9)
		near(t, name+", to", &m.Networks.High, high-1e-9, high+1e-9)
		near(t, name+" by chance", m.Null, null-1e-12, null+1e-12)
		near(t, name+", p", m.P, 0.1, 0.1) // of nine draws
		if over := measureIntervals[of[0]] != noInterval; (m.Images != nil) != over {
			t.Errorf("%s has an interval over images: %v", name, m.Images != nil)
		}
	}
	if _, ok := l.Measures["linear_ab"]; ok {
		t.Error("a layer's measures have directions")
	}
	for _, f := range l.Figures() {
		if f.Networks == nil && f.Value != nil {
			t.Errorf("%s has no interval over networks", f.Name)
		}
	}
}
