package finding

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// Made-up networks: so many units, images and positions, and groups of images.
const madeUnits, madeImages, madeWhere, madeGroups = 12, 80, 5, 20

// madeSource is three networks whose activations are made up.
type madeSource struct{ networks, baseline [3][]float32 }

func (s *madeSource) Description() *source.Description {
	d := &source.Description{Aligned: []source.Aligned{{Name: "made", Layers: []int{0, 0, 0}}}, Samples: madeImages, ImageCount: madeImages, Baseline: true}
	for range 3 {
		d.Networks = append(d.Networks, source.Network{Layers: []source.Layer{{Name: "made", Units: madeUnits, Extents: []int{madeWhere}}}})
	}
	return d
}

func (s *madeSource) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		b := new(source.Batch)
		for i := range madeImages {
			b.Images = append(b.Images, uint64(i))
		}
		for n := range 3 {
			of := func(data []float32) []source.Tensor {
				return []source.Tensor{{Samples: madeImages, Positions: madeWhere, Units: madeUnits, Data: data}}
			}
			b.Networks, b.Baseline = append(b.Networks, of(s.networks[n])), append(b.Baseline, of(s.baseline[n]))
		}
		yield(b, nil)
	}
}

// made is findings of three networks whose activations are made from common signals, and
// the activations themselves.
func made(t *testing.T, activation func(rnd *rand.Rand, net int, signals []float64) []float64) (*results.Layer, *observe.Layer, [3][]float32) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 1))
	s := new(madeSource)
	for range madeImages * madeWhere {
		signals := make([]float64, madeUnits)
		for k := range signals {
			signals[k] = rnd.NormFloat64()
		}
		for net := range s.networks {
			for _, v := range activation(rand.New(rand.NewPCG(uint64(net), 9)), net, signals) {
				s.networks[net] = append(s.networks[net], float32(v+0.01*rnd.NormFloat64()+3))
				s.baseline[net] = append(s.baseline[net], float32(rnd.NormFloat64()))
			}
		}
	}
	o, err := observe.Run(context.Background(), s, observe.Plan{Groups: madeGroups, Sample: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Layer(context.Background(), o.Layers[0], Options{Analysis: results.Analysis{Lambdas: []float64{0, 0.1}, Clusters: madeUnits, Draws: 19, Shuffles: 9, Seed: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, o.Layers[0], s.networks
}

func near(t *testing.T, name string, got *float64, low, high float64) {
	t.Helper()
	if got == nil || !(*got >= low && *got <= high) {
		t.Errorf("%s is %v, want it in [%v, %v]", name, dereference(got), low, high)
	}
}

func dereference(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// TestCopies: networks that are one network in another order are the most local code that
// there is, and nothing of them is left to chance.
func TestCopies(t *testing.T) {
	l, _, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i, from := range rnd.Perm(len(signals)) {
			x[i] = float64(from+1) * signals[from]
		}
		return x
	})
	near(t, "matched r", l.Convergence.Matched.Value, 0.999, 1)
	for _, n := range l.Convergence.Nulls {
		near(t, "share beyond "+n.Name, n.Exceedance.Value, 1, 1)
	}
	for n, units := range l.Convergence.Recurrence {
		for unit, others := range units {
			if others != 2 {
				t.Errorf("unit %d of network %d recurs in %d others", unit, n, others)
			}
		}
	}
	near(t, "held out", l.Convergence.HeldOut.Value, 0.999, 1)
	near(t, "converged", l.Convergence.Converged.Share.Value, 0.8, 1) // the last of a network have little left to be rotated into
	if f := l.Convergence.Features[0]; f.Networks != 3 || f.Count != madeUnits || f.Share != 1 || *f.P != 0.05 {
		t.Errorf("features of all networks: %+v", f)
	}
	near(t, "p", l.Convergence.Matched.P, 0.05, 0.05)
	for _, p := range l.Subspaces.Predictions {
		near(t, p.Name, p.R2.Value, 0.99, 1)
	}
	near(t, "need of one term", &l.Subspaces.TermCounts[0].Share, 1, 1)
	near(t, "clusters", l.Subspaces.Angles.Value, 0.999, 1)
	near(t, "clusters found anew in a random basis", l.Subspaces.Angles.Null, 0.1, 0.7)
	near(t, "p of clusters", l.Subspaces.Angles.P, 0.05, 0.05)
	near(t, "clusters of unrelated networks before training", l.Subspaces.UntrainedAngles, 0, 0.4)
	near(t, "index", l.Basis.Index.Value, 0.999, 1.001)
	near(t, "index of unrelated networks before training", l.Basis.UntrainedIndex, -0.3, 0.3)
	near(t, "index added in training", l.Basis.Gain.Value, *l.Basis.Index.Value-*l.Basis.UntrainedIndex-1e-12, *l.Basis.Index.Value-*l.Basis.UntrainedIndex+1e-12)
	if g := l.Basis.Gain; g.Networks == nil || g.Networks.Low <= 0.5 || g.Images == nil || g.Images.Low <= 0.5 {
		t.Errorf("index added in training %v in %v over networks, %v over images", *g.Value, g.Networks, g.Images)
	}
	near(t, "distance of curves", l.Activity.Distance.Value, 0, 0.01)
	if e := l.Activity.Equivalence; e == nil || !e.Equivalent || e.Over != "networks" || e.Upper > 0.1 {
		t.Errorf("equal curves: %+v", e)
	}
	near(t, "distance less that before training", l.Activity.Gain.Value, *l.Activity.Distance.Value-*l.Activity.Initial-1e-12, *l.Activity.Distance.Value-*l.Activity.Initial+1e-12)
	for _, d := range l.Descent {
		for _, run := range d.Runs {
			if run.Objective < d.Objective-d.Gap-1e-6 { // float32 against float64
				t.Errorf("lambda %v: descent has %v, the exact solution %v", d.Lambda, run.Objective, d.Objective)
			}
		}
	}
}

// TestRotations: networks that span one space in random bases are a fully distributed code.
func TestRotations(t *testing.T) {
	l, _, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		var x mat.VecDense
		x.MulVec(corr.Rotation(len(signals), rnd), mat.NewVecDense(len(signals), signals))
		return x.RawVector().Data
	})
	full, best := l.Subspaces.Predictions[0], l.Subspaces.Predictions[len(l.Subspaces.Predictions)-1]
	near(t, "full", full.R2.Value, 0.99, 1)
	near(t, "best partner", best.R2.Value, 0.1, 0.6)
	near(t, "16 terms", l.Subspaces.Predictions[5].R2.Value, 0.99, 1)
	near(t, "p of clusters", l.Subspaces.Angles.P, 0.06, 1)
	near(t, "index", l.Basis.Index.Value, -0.1, 0.1)
	near(t, "aligned", &l.Basis.Aligned, 0.99, 1)
	near(t, "p", l.Basis.Index.P, 0.02, 1)
	near(t, "share beyond rotation", l.Convergence.Nulls[0].Exceedance.Value, 0, 0.1)
}

// TestUnrelated: of networks that have nothing in common nothing is found.
func TestUnrelated(t *testing.T) {
	var streams [3]*rand.Rand
	for i := range streams {
		streams[i] = rand.New(rand.NewPCG(uint64(i), 77))
	}
	l, observed, all := made(t, func(_ *rand.Rand, net int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i := range x {
			x[i] = streams[net].NormFloat64()
		}
		return x
	})
	for _, n := range l.Convergence.Nulls {
		near(t, "share beyond "+n.Name, n.Exceedance.Value, 0, 0.06)
	}
	near(t, "p", l.Convergence.Matched.P, 0.06, 1)
	full := l.Subspaces.Predictions[0]
	near(t, "full", full.R2.Value, -0.2, 0)
	near(t, "predicted", l.Subspaces.PredictedShare, 0, 0)

	groups := observed.ImageGroups()
	// The R^2 held out is that of a regression with an intercept on rows of the others.
	var left, total float64 // of all units
	for unit := range madeUnits {
		for fold := range 2 {
			var fitX, testX, fitY, testY []float64
			for row := range madeImages * madeWhere {
				x := make([]float64, 0, madeUnits+1)
				for _, v := range all[0][row*madeUnits:][:madeUnits] {
					x = append(x, float64(v))
				}
				x = append(x, 1)
				y := float64(all[1][row*madeUnits+unit])
				if observed.Folds[groups[row/madeWhere]] == fold {
					fitX, fitY = append(fitX, x...), append(fitY, y)
				} else {
					testX, testY = append(testX, x...), append(testY, y)
				}
			}
			var w mat.VecDense
			if err := w.SolveVec(mat.NewDense(len(fitY), madeUnits+1, fitX), mat.NewVecDense(len(fitY), fitY)); err != nil {
				t.Fatal(err)
			}
			var predicted mat.VecDense
			predicted.MulVec(mat.NewDense(len(testY), madeUnits+1, testX), &w)
			d := floats.Distance(predicted.RawVector().Data, testY, 2)
			left += d * d
			total += float64(len(testY)) * stat.PopVariance(testY, nil)
		}
	}
	if r2 := 1 - left/total; math.Abs(full.AB[0]-r2) > 1e-4 {
		t.Errorf("R^2 held out %v, by regression %v", full.AB[0], r2)
	}
}

// TestAxes: principal axes of networks that are one network in another order agree as far as
// axes can, which is wholly; and where networks mix the same signals in other shares, the best
// rotation brings axes nearer than they are, and not as near as to be the same.
func TestAxes(t *testing.T) {
	for _, other := range []float64{0, 1} {
		l, _, _ := made(t, func(rnd *rand.Rand, net int, signals []float64) []float64 {
			x := make([]float64, len(signals))
			for i, from := range rnd.Perm(len(signals)) {
				x[i] = signals[from] + 0.5*float64(from%5)*signals[0] + other*float64(net)*rnd.NormFloat64()*signals[from]
			}
			return x
		})
		b := l.Basis
		if other == 0 {
			near(t, "index of axes", b.AxesIndex.Value, 0.999, 1.001)
			near(t, "aligned axes", &b.AlignedAxes, 0.999, 1)
			continue
		}
		near(t, "aligned axes", &b.AlignedAxes, b.Axes[0], 0.999)
	}
}

// TestSortedDistance compares with distances worked out by hand.
func TestSortedDistance(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{3, 1, 2}, 0},
		{[]float64{1, 1}, []float64{2, 2}, 1 / 1.5},
		{[]float64{0, 4}, []float64{1, 2, 3}, (1./3 + 2./6 + 2./6 + 1./3) / 2}, // stretched to sixths
		{[]float64{0}, []float64{0}, 0},
	} {
		if got := sortedDistance(c.a, c.b); math.Abs(got-c.want) > 1e-12 || sortedDistance(c.b, c.a) != got {
			t.Errorf("%v and %v are %v apart, want %v", c.a, c.b, got, c.want)
		}
	}
}

// TestEqualImages: where all images are equal, units vary over positions alone, and images
// that do not go together are as good as those that do.
func TestEqualImages(t *testing.T) {
	seen := 0
	l, _, _ := made(t, func(_ *rand.Rand, net int, _ []float64) []float64 {
		at := seen / 3 % madeWhere // three networks see each position
		seen++
		x := make([]float64, madeUnits)
		for i := range x {
			x[i] = math.Sin(float64((net + 1) * (i + 2) * (at + 1)))
		}
		return x
	})
	c := l.Convergence
	if shuffled := c.Nulls[1]; math.Abs(shuffled.Mean-*c.Matched.Value) > 0.01 || *shuffled.P < 0.05 {
		t.Errorf("matched r %v, of other images %v (p %v)", *c.Matched.Value, shuffled.Mean, *shuffled.P)
	}
}
