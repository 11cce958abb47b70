package study

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/convergent-go/convergent/corr"
)

// Made-up networks: so many units, images and positions.
const madeUnits, madeImages, madeWhere = 12, 80, 5

// made is findings of three networks whose activations are made from common signals, and
// the activations themselves.
func made(t *testing.T, activation func(rnd *rand.Rand, net int, signals []float64) []float64) (*findings, [][]float32) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 1))
	units := []int{madeUnits, madeUnits, madeUnits}
	o := &observed{layer: "made", seed: 1, groups: corr.NewGroups(imageGroups, units...), shuffles: corr.NewShuffles(9, 1, units...), untrained: corr.NewGroups(halves, units...)}
	before := make([][]float32, 3)
	all := make([][]float32, 3)
	ids := make([]uint64, madeImages)
	for i := range ids {
		ids[i] = uint64(i)
		for range madeWhere {
			signals := make([]float64, madeUnits)
			for k := range signals {
				signals[k] = rnd.NormFloat64()
			}
			for net := range all {
				for _, v := range activation(rand.New(rand.NewPCG(uint64(net), 9)), net, signals) {
					all[net] = append(all[net], float32(v+0.01*rnd.NormFloat64()+3))
					before[net] = append(before[net], float32(rnd.NormFloat64()))
				}
			}
		}
	}
	of := func(x [][]float32) (tensors []corr.Tensor) {
		for _, data := range x {
			tensors = append(tensors, corr.NHWC(data, madeImages, 1, madeWhere, madeUnits))
		}
		return tensors
	}
	for _, err := range []error{o.groups.AddTensors(ids, of(all)...), o.shuffles.AddTensors(ids, of(all)...), o.untrained.AddTensors(ids, of(before)...)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o.rows = [2][]float32{all[0], all[1]}
	f := &findings{observed: o, draws: 19, resamples: 40, lambdas: []float64{0, 0.1}, moments: closed(o.groups.Total()), before: closed(o.untrained.Total())}
	for _, s := range o.shuffles.Moments() {
		f.shuffled = append(f.shuffled, closed(s))
	}
	var err error
	f.layer, err = Comparison{Draws: 5, Clusters: madeUnits}.Layer(context.Background(), "made", f.moments, func(*Pair, *Detail) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range f.claims() {
		if err := claim(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return f, all
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
	f, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i, from := range rnd.Perm(len(signals)) {
			x[i] = float64(from+1) * signals[from]
		}
		return x
	})
	l := f.layer
	near(t, "matched r", l.Convergence.Matched.Value, 0.999, 1)
	for _, n := range l.Convergence.Nulls {
		near(t, "share beyond "+n.Name, n.Beyond.Value, 1, 1)
		near(t, "found by all, "+n.Name, &n.Found[2], 1, 1)
		near(t, "expected to be found by all", &n.Expected[2], 0.0001-1e-12, 0.0001+1e-12)
	}
	near(t, "p", l.Convergence.Matched.P, 0.05, 0.05)
	for _, p := range l.Subspaces.Predictions {
		near(t, p.Name, p.R2.Value, 0.99, 1)
	}
	near(t, "need of one term", &l.Subspaces.Needed[0].Share, 1, 1)
	near(t, "clusters", l.Subspaces.Angles.Value, 0.999, 1)
	near(t, "random clusters", l.Subspaces.Angles.Null, 0, 0.3)
	near(t, "index", l.Basis.Index.Value, 0.999, 1.001)
	near(t, "distance of curves", l.Activity.Distance.Value, 0, 0.01)
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
	f, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		var x mat.VecDense
		x.MulVec(corr.Rotation(len(signals), rnd), mat.NewVecDense(len(signals), signals))
		return x.RawVector().Data
	})
	l := f.layer
	full, best := l.Subspaces.Predictions[0], l.Subspaces.Predictions[len(l.Subspaces.Predictions)-1]
	near(t, "full", full.R2.Value, 0.99, 1)
	near(t, "best partner", best.R2.Value, 0.1, 0.6)
	near(t, "16 terms", l.Subspaces.Predictions[5].R2.Value, 0.99, 1)
	near(t, "index", l.Basis.Index.Value, -0.1, 0.1)
	near(t, "aligned", &l.Basis.Aligned, 0.99, 1)
	near(t, "p", l.Basis.Index.P, 0.02, 1)
	near(t, "share beyond rotation", l.Convergence.Nulls[0].Beyond.Value, 0, 0.1)
}

// TestUnrelated: of networks that have nothing in common nothing is found.
func TestUnrelated(t *testing.T) {
	var streams [3]*rand.Rand
	for i := range streams {
		streams[i] = rand.New(rand.NewPCG(uint64(i), 77))
	}
	f, all := made(t, func(_ *rand.Rand, net int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i := range x {
			x[i] = streams[net].NormFloat64()
		}
		return x
	})
	l := f.layer
	for _, n := range l.Convergence.Nulls {
		near(t, "share beyond "+n.Name, n.Beyond.Value, 0, 0.06)
	}
	near(t, "p", l.Convergence.Matched.P, 0.06, 1)
	full := l.Subspaces.Predictions[0]
	near(t, "full", full.R2.Value, -0.2, 0)
	near(t, "predicted", &l.Subspaces.Predicted, 0, 0)

	// The R^2 held out is that of a regression with an intercept on rows of the others.
	var r2 float64
	for unit := range madeUnits {
		var left, total float64
		for fold := range 2 {
			var fitX, testX, fitY, testY []float64
			for row := range madeImages * madeWhere {
				x := make([]float64, 0, madeUnits+1)
				for _, v := range all[0][row*madeUnits:][:madeUnits] {
					x = append(x, float64(v))
				}
				x = append(x, 1)
				y := float64(all[1][row*madeUnits+unit])
				if (row/madeWhere%imageGroups)%2 == fold {
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
			scale := stat.PopVariance(fitY, nil) // folds count in units of what was fitted
			d := floats.Distance(predicted.RawVector().Data, testY, 2)
			left += d * d / scale
			total += float64(len(testY)) * stat.PopVariance(testY, nil) / scale
		}
		r2 += (1 - left/total) / madeUnits
	}
	if math.Abs(full.AB[0]-r2) > 1e-4 {
		t.Errorf("R^2 held out %v, by regression %v", full.AB[0], r2)
	}
}

// TestApart compares with distances worked out by hand.
func TestApart(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{3, 1, 2}, 0},
		{[]float64{1, 1}, []float64{2, 2}, 1 / 1.5},
		{[]float64{0, 4}, []float64{1, 2, 3}, (1./3 + 2./6 + 2./6 + 1./3) / 2}, // stretched to sixths
		{[]float64{0}, []float64{0}, 0},
	} {
		if got := apart(c.a, c.b); math.Abs(got-c.want) > 1e-12 || apart(c.b, c.a) != got {
			t.Errorf("%v and %v are %v apart, want %v", c.a, c.b, got, c.want)
		}
	}
}

// TestFewImages: one image can be compared, but not held out nor resampled.
func TestFewImages(t *testing.T) {
	o := tiny(t.TempDir())
	o.Images, o.Nets, o.Epochs, o.Layers = 1, 2, 1, []string{"conv1"}
	res := reproduce(t, o)
	l := res.Layers[0]
	if r := res.Grids[0].Matched[0][0]; r != nil {
		t.Errorf("units that are constant over images match by %v", *r)
	}
	if l.Convergence.Matched.Low != nil || l.Convergence.Matched.Value == nil || len(l.Subspaces.Predictions) != 0 {
		t.Errorf("an interval of one image: %+v, %+v", l.Convergence.Matched, l.Subspaces)
	}
}

// TestOneUnit runs the study on layers of one unit.
func TestOneUnit(t *testing.T) {
	o := tiny(t.TempDir())
	o.Width, o.Epochs, o.Nets = 0.02, 1, 2
	res := reproduce(t, o)
	for _, l := range res.Layers {
		if l.Units[0] > 2 {
			t.Errorf("%s has %d units", l.Name, l.Units[0])
		}
	}
	check(t, res)
}

// TestEqualImages: where all images are equal, units vary over positions alone, and images
// that do not go together are as good as those that do.
func TestEqualImages(t *testing.T) {
	seen := 0
	f, _ := made(t, func(_ *rand.Rand, net int, _ []float64) []float64 {
		at := seen / 3 % madeWhere // three networks see each position
		seen++
		x := make([]float64, madeUnits)
		for i := range x {
			x[i] = math.Sin(float64((net + 1) * (i + 2) * (at + 1)))
		}
		return x
	})
	c := f.layer.Convergence
	if shuffled := c.Nulls[1]; math.Abs(shuffled.Mean-*c.Matched.Value) > 0.01 || *shuffled.P < 0.05 {
		t.Errorf("matched r %v, of other images %v (p %v)", *c.Matched.Value, shuffled.Mean, *shuffled.P)
	}
}
