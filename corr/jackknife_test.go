package corr

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"gonum.org/v1/gonum/stat"
)

// pairOfSignals adds n images of several positions each to groups: two units of one
// network and one of another, which correlate by about a half.
func pairOfSignals(t *testing.T, g *Groups, rnd *rand.Rand, images, positions int, also func(image int, x, y []float32)) {
	t.Helper()
	for i := range images {
		common := rnd.NormFloat64() // what positions of an image share
		var x, y []float32
		for range positions {
			s := rnd.NormFloat64() + common
			x = append(x, float32(s+rnd.NormFloat64()), float32(rnd.NormFloat64()))
			y = append(y, float32(s+rnd.NormFloat64()))
		}
		if err := g.AddTensors(nil, []uint64{uint64(i)}, NHWC(x, 1, 1, positions, 2), NHWC(y, 1, 1, positions, 1)); err != nil {
			t.Fatal(err)
		}
		if also != nil {
			also(i, x, y)
		}
	}
}

func correlationFigures(p *Pair) ([]float64, error) {
	r := p.Correlation()
	return []float64{r.At(0, 0), r.At(1, 0)}, nil
}

// TestJackknifeLeavesOut compares figures without a group with those of moments that never
// had it, and the standard error with its definition by pseudo-values; groups are of
// unequal size.
func TestJackknifeLeavesOut(t *testing.T) {
	const groups, images, positions = 12, 100, 3
	g := NewGroups(groups, 2, 1)
	without := make([]*Moments, groups)
	for k := range without {
		without[k] = NewMoments(2, 1)
	}
	pairOfSignals(t, g, rand.New(rand.NewPCG(1, 1)), images, positions, func(image int, x, y []float32) {
		for k, m := range without {
			if image%groups != k {
				if err := m.Add(positions, x, y); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	got, err := g.Jackknife(context.Background(), 0, 1, correlationFigures)
	if err != nil {
		t.Fatal(err)
	}
	for k, m := range without {
		want := m.Pair(0, 1).Correlation().At(0, 0)
		if math.Abs(got[0].Without[k]-want) > 1e-7 {
			t.Errorf("without group %d: %v, want %v", k, got[0].Without[k], want)
		}
	}
	j := got[0]
	var n, mean, variance float64
	for _, m := range j.Rows {
		n += m
	}
	if n != images*positions {
		t.Errorf("%v rows", n)
	}
	mean = groups * j.Value
	for k, m := range j.Rows {
		mean -= (1 - m/n) * j.Without[k]
	}
	for k, m := range j.Rows {
		h := n / m
		pseudo := h*j.Value - (h-1)*j.Without[k]
		variance += (pseudo - mean) * (pseudo - mean) / (h - 1) / groups
	}
	if se := j.StandardError(); math.Abs(se-math.Sqrt(variance)) > 1e-12 || se == 0 {
		t.Errorf("standard error %v, want %v", se, math.Sqrt(variance))
	}
	low, high := j.Interval(0.95)
	if half := 2.20098516 * j.StandardError(); math.Abs(high-j.Value-half) > 1e-6 || math.Abs(j.Value-low-half) > 1e-6 { // t of 11 degrees of freedom
		t.Errorf("interval [%v, %v] of %v", low, high, j.Value)
	}
}

// TestCorrected: the variance that divides by n has a bias that falls as 1/n does, all of
// which the correction takes, and what is left is the variance that divides by n - 1.
func TestCorrected(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	x := make([]float64, 30)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	j := Jackknife{Value: stat.PopVariance(x, nil)}
	for i := range x {
		j.Without = append(j.Without, stat.PopVariance(slices.Concat(x[:i], x[i+1:]), nil))
		j.Rows = append(j.Rows, 1)
	}
	if want := stat.Variance(x, nil); math.Abs(j.Corrected()-want) > 1e-12 {
		t.Errorf("%v, want %v", j.Corrected(), want)
	}
	low, high := j.CorrectedInterval(0.9)
	if half := 1.69912703 * j.StandardError(); math.Abs((low+high)/2-j.Corrected()) > 1e-12 || math.Abs(high-low-2*half) > 1e-7 {
		t.Errorf("interval [%v, %v]", low, high)
	}
}

// TestJackknifeCovers: of intervals of correlations between positions that are not
// independent within images, 95 % hold the truth.
func TestJackknifeCovers(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates")
	}
	const sets, truth = 400, 2. / 3 // s has variance 2, its noise 1
	inside := 0
	for set := range sets {
		g := NewGroups(25, 2, 1)
		pairOfSignals(t, g, rand.New(rand.NewPCG(7, uint64(set))), 200, 4, nil)
		got, err := g.Jackknife(context.Background(), 0, 1, correlationFigures)
		if err != nil {
			t.Fatal(err)
		}
		if low, high := got[0].Interval(0.95); low <= truth && truth <= high {
			inside++
		}
	}
	if share := float64(inside) / sets; share < 0.92 || share > 0.98 {
		t.Errorf("%v of the intervals hold the truth", share)
	}
}

func TestJackknifeTooFew(t *testing.T) {
	g := NewGroups(20, 2, 1)
	pairOfSignals(t, g, rand.New(rand.NewPCG(1, 1)), 9, 3, nil)
	if _, err := g.Jackknife(context.Background(), 0, 1, correlationFigures); !errors.Is(err, ErrTooFewObservations) {
		t.Error(err)
	}
	if se := (Jackknife{Value: 1, Without: []float64{1}, Rows: []float64{3}}).StandardError(); !math.IsNaN(se) {
		t.Errorf("the standard error of one group is %v", se)
	}
}

// TestJackknifeOfFew compares groups of many units and few observations, which are kept as they
// came, with moments of the observations, and figures without a group with those of moments
// that never had it.
func TestJackknifeOfFew(t *testing.T) {
	const groups, p, q = 30, 250, 150
	g := NewGroups(groups, p, q)
	rnd := rand.New(rand.NewPCG(2, 2))
	without, one, all := NewMoments(p, q), NewMoments(p, q), NewMoments(p, q)
	for image := range uint64(3 * groups) {
		x, y := make([]float32, p), make([]float32, q)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		for j := range y {
			y[j] = x[j] + float32(rnd.NormFloat64())
		}
		errs := []error{g.AddTensors([]uint64{image}, []uint64{image}, Rows(x, 1, p, p), Rows(y, 1, q, q)), all.Add(1, x, y)}
		if image%groups == 7 {
			errs = append(errs, one.Add(1, x, y))
		} else {
			errs = append(errs, without.Add(1, x, y))
		}
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	g.Close()
	if !g.parts[0].kept() {
		t.Fatal("no observations are kept")
	}
	for name, m := range map[string][2]*Moments{"all": {g.Total(), all}, "one": {g.Group(7), one}} {
		if m[0].Count() != m[1].Count() || !mat.EqualApprox(m[0].Correlation(nil, 0, 1), m[1].Correlation(nil, 0, 1), 1e-6) {
			t.Errorf("%s: other moments", name)
		}
	}
	for k, v := range g.Means(1)[7] {
		if math.Abs(v-one.Mean(1)[k]) > 1e-6 {
			t.Errorf("mean of unit %d is %v, want %v", k, v, one.Mean(1)[k])
		}
	}
	got, err := g.Jackknife(context.Background(), 0, 1, correlationFigures)
	if err != nil {
		t.Fatal(err)
	}
	if want := without.Pair(0, 1).Correlation().At(0, 0); math.Abs(got[0].Without[7]-want) > 1e-6 {
		t.Errorf("without a group %v, want %v", got[0].Without[7], want)
	}
	intervals, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 5}, 0, 1, correlationFigures)
	if err != nil || math.Abs(intervals[0].Value-got[0].Value) > 1e-12 {
		t.Errorf("bootstrap of %v, want %v (%v)", intervals, got[0].Value, err)
	}
}
