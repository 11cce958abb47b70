package finding

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// openBetween opens the only layers of a source.
func openBetween(t *testing.T, s source.Source) *observe.Between {
	t.Helper()
	b, err := observe.NewBetween(s, 0, observe.BetweenPlan{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBetweenIsLayer: what both kinds of comparison find is the same, to the accuracy of float32.
func TestBetweenIsLayer(t *testing.T) {
	d := &draw{newPopulation(16, 3, true), 400, 5}
	o := Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 20, Shuffles: 20, Seed: 1}}
	got, err := Between(t.Context(), openBetween(t, d), o)
	if err != nil {
		t.Fatal(err)
	}
	all, err := observe.Run(t.Context(), d, observe.Plan{Seed: 1, Groups: 25, Sample: true})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Layer(t.Context(), all.Layers[0], o, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, q := got.Pairs[0], want.Pairs[0]
	if !slices.Equal(p.Semi.Partner, q.Semi.Partner) || !slices.Equal(p.Bipartite.Partner, q.Bipartite.Partner) || p.SamePartner != q.SamePartner {
		t.Error("units have other partners")
	}
	near := func(name string, x, y, tolerance float64) {
		if !(math.Abs(x-y) <= tolerance) {
			t.Errorf("%s: %v, and %v of the layer", name, x, y)
		}
	}
	near("best partners", p.Semi.Mean, q.Semi.Mean, 1e-6)
	near("matched r", *got.Convergence.Matched.Value, *want.Convergence.Matched.Value, 1e-6)
	near("held out", *got.Convergence.HeldOut.Value, *want.Convergence.HeldOut.Value, 1e-6)
	near("middle of the percentiles", got.Convergence.Percentiles[50], want.Convergence.Percentiles[50], 1e-6)
	// The matching as it is varies as matchings found anew do.
	i, j := got.Convergence.Matched.Images, want.Convergence.Matched.Images
	near("width of the interval", (i.High-i.Low)/(j.High-j.Low), 1, 0.3)
	// Chance, of all units, here, and the same images at fewer observations of each.
	for k, n := range got.Convergence.Nulls {
		m := want.Convergence.Nulls[k]
		if n.Name != m.Name || *n.P != *m.P || n.Draws != m.Draws {
			t.Errorf("%s has p %v of %d, %s %v of %d", n.Name, *n.P, n.Draws, m.Name, *m.P, m.Draws)
		}
		near(n.Name, n.Mean, m.Mean, 0.05)
	}
	for unit, partner := range p.Between.Mutual.Partner {
		if mutual := p.Between.Back.Partner[p.Semi.Partner[unit]] == unit; mutual != (partner >= 0) || mutual && partner != p.Semi.Partner[unit] {
			t.Errorf("unit %d, whose best partner is %d, has the mutual partner %d", unit, p.Semi.Partner[unit], partner)
		}
	}
}

// TestBetweenIntervalsCover: the interval of the matched mean on images held out holds what the
// very pairs correlate in the population, in about 95 % of samples, with few units and with more
// than there are images. The interval of the matched mean holds what as many images give on
// average.
func TestBetweenIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("many samples")
	}
	sets := sampleSets(t)
	slack := 2.5 * math.Sqrt(0.95*0.05/float64(sets))
	for name, c := range map[string]struct {
		*population
		images int
	}{
		"gaussian":             {newPopulation(16, 1, false), 600},
		"rectified, positions": {newPopulation(8, 4, true), 600},
		"many units":           {newPopulation(60, 1, true), 40},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBetween(t, &draw{c.population, 20_000 / c.positions, 99})
			if err := b.Survey(t.Context()); err != nil {
				t.Fatal(err)
			}
			truth := mat.NewDense(c.units, c.units, nil)
			err := b.Correlate(t.Context(), 0, 1, -1).Pass(func(first int, rows *mat.Dense) error {
				n, _ := rows.Dims()
				truth.Slice(first, first+n, 0, c.units).(*mat.Dense).Copy(rows)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			heldOut, average := 0, 0.0
			var matched []results.Measure
			for set := range sets {
				b := openBetween(t, &draw{c.population, c.images, uint64(set)})
				if err := b.Survey(t.Context()); err != nil {
					t.Fatal(err)
				}
				l := &layer{Layer: b.Layer, result: &results.Layer{Pairs: []results.Pair{{A: 0, B: 1}}}}
				matchings, err := l.betweenPair(t.Context(), b, &l.result.Pairs[0])
				if err != nil {
					t.Fatal(err)
				}
				figures, err := b.Sums(t.Context(), matchings)
				if err != nil {
					t.Fatal(err)
				}
				f := &results.Convergence{Nulls: make([]results.MatchedNull, 1)}
				l.betweenIntervals(f, figures)
				want := 0.0
				for _, m := range matchings[:2] {
					for k := range m.A {
						want += truth.At(m.A[k], m.B[k]) / float64(len(m.A)) / 2
					}
				}
				if i := f.HeldOut.Images; i.Low <= want && want <= i.High {
					heldOut++
				}
				matched = append(matched, f.Matched)
				average += *f.Matched.Value / float64(sets)
			}
			inside := 0
			for _, m := range matched {
				if m.Images.Low <= average && average <= m.Images.High {
					inside++
				}
			}
			t.Logf("of %d intervals hold: held out %d, matched %d", sets, heldOut, inside)
			if share := float64(heldOut) / float64(sets); share < 0.91-slack || share > 0.99+slack {
				t.Errorf("%.1f %% of the intervals of images held out hold", 100*share)
			}
			if share := float64(inside) / float64(sets); share < 0.91-slack {
				t.Errorf("%.1f %% of the intervals of the matched mean hold", 100*share)
			}
		})
	}
}

// turnedDraw is networks of which b's units are those of a population, rotated at random.
type turnedDraw struct {
	units, images int
	seed          uint64
}

func (d turnedDraw) Description() *source.Description {
	return (&draw{&population{units: d.units, positions: 1}, d.images, 0}).Description()
}

func (d turnedDraw) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		rnd := rand.New(rand.NewPCG(d.seed, 8))
		x := make([]float64, d.images*d.units) // units of other variances, and some that are alike
		for i := range x {
			if u := i % d.units; u%3 == 1 {
				x[i] = x[i-1] + 0.5*rnd.NormFloat64()
			} else {
				x[i] = rnd.NormFloat64() * float64(1+u)
			}
		}
		b := &source.Batch{Networks: make([][]source.Tensor, 2)}
		for i := range d.images {
			b.Images = append(b.Images, uint64(i))
		}
		var turned mat.Dense
		turned.Mul(mat.NewDense(d.images, d.units, x), corr.Rotation(d.units, rnd))
		for n, values := range [][]float64{x, turned.RawMatrix().Data} {
			t := source.Tensor{Samples: d.images, Positions: 1, Units: d.units}
			for _, v := range values {
				t.Data = append(t.Data, float32(v))
			}
			b.Networks[n] = []source.Tensor{t}
		}
		yield(b, nil)
	}
}

// TestBetweenRotation: where units are rotated at random, p is uniform, of few units and of more
// than there are observations; and rotations by inner products of observations are those by
// covariances of units.
func TestBetweenRotation(t *testing.T) {
	for _, units := range []int{6, 50, 80} {
		const draws, images = 9, 30
		sets, small := 60, 0
		if testing.Short() {
			sets = 0
		}
		for set := range sets {
			l, err := Between(t.Context(), openBetween(t, turnedDraw{units, images, uint64(set)}), Options{Analysis: results.Analysis{Draws: draws, Groups: 1, Seed: uint64(set)}})
			if err != nil {
				t.Fatal(err)
			}
			if *l.Convergence.Nulls[0].P <= 0.2 {
				small++
			}
		}
		if sets > 0 && (small < 2 || small > 23) { // 12, and 3.5 times 3.1
			t.Errorf("%d units: p is .2 or less in %d of %d", units, small, sets)
		}
		d := turnedDraw{units, images, 1}
		l, err := Between(t.Context(), openBetween(t, d), Options{Analysis: results.Analysis{Draws: 200, Groups: 1, Seed: 1}})
		if err != nil {
			t.Fatal(err)
		}
		m := corr.NewMoments(units, units)
		for b := range d.Batches(t.Context()) {
			if err := m.Add(images, b.Networks[0][0].Data, b.Networks[1][0].Data); err != nil {
				t.Fatal(err)
			}
		}
		want, err := m.RotationNull(t.Context(), 0, 1, 200, 2)
		if err != nil {
			t.Fatal(err)
		}
		got := l.Pairs[0].Null.Rotation
		if off := got.SemiMean - want.Mean(); math.Abs(off) > 4*math.Hypot(got.SemiStd, want.Std())/math.Sqrt(200) || got.SemiStd > 1.4*want.Std() || want.Std() > 1.4*got.SemiStd {
			t.Errorf("%d units: best of rotated partners %v ± %v, want %v ± %v", units, got.SemiMean, got.SemiStd, want.Mean(), want.Std())
		}
	}
}
