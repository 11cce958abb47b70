package corr

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// images are activations of n images of the given positions by two networks that share
// causes, of which some belong to the image and some to the position in it.
func images(rnd *rand.Rand, n, positions, p, q int) (ids []uint64, x, y []float32) {
	k := max(p, q)
	for i := range n {
		ids = append(ids, uint64(i))
		image := make([]float64, k)
		for j := range image {
			image[j] = rnd.NormFloat64()
		}
		for range positions {
			cause := make([]float64, k)
			for j := range cause {
				cause[j] = image[j] + 0.3*rnd.NormFloat64()
			}
			for j := range p {
				x = append(x, float32(max(0, cause[j]+0.5*rnd.NormFloat64())))
			}
			for j := range q {
				y = append(y, float32(max(0, cause[j]+0.5*rnd.NormFloat64())))
			}
		}
	}
	return ids, x, y
}

// TestGroups: the groups together are all observations, however these are cut.
func TestGroups(t *testing.T) {
	const n, positions, p, q = 50, 9, 4, 3
	ids, x, y := images(rand.New(rand.NewPCG(1, 1)), n, positions, p, q)
	g, cut, want := NewGroups(20, p, q), NewGroups(20, p, q), NewMoments(p, q)
	tensors := []Tensor{NHWC(x, n, 3, 3, p), NHWC(y, n, 3, 3, q)}
	if err := errors.Join(g.AddTensors(nil, ids, tensors...), want.AddTensors(ids, tensors...)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		lo, hi := i*positions, (i+1)*positions
		if err := cut.AddTensors(nil, ids[i:i+1], NHWC(x[lo*p:hi*p], 1, 3, 3, p), NHWC(y[lo*q:hi*q], 1, 3, 3, q)); err != nil {
			t.Fatal(err)
		}
	}
	requireEqual(t, cut.Total(), g.Total(), "cut")
	total := g.Total()
	if total.Count() != n*positions || g.Count() != total.Count() || !mat.EqualApprox(total.Correlation(nil, 0, 1), want.Correlation(nil, 0, 1), 1e-6) {
		t.Error("the groups together are not all observations")
	}
	if err := total.SameSamples(want); err != nil {
		t.Error(err)
	}
	x[7*positions*p+5] = float32(math.NaN())
	if err := g.AddTensors(nil, ids, tensors...); err == nil || !strings.Contains(err.Error(), "network 0, row 514, unit 1") || g.Count() != n*positions {
		t.Errorf("NaN: %v, %d observations", err, g.Count())
	}
}

// TestBootstrap compares resamples with moments of the images drawn, and intervals with
// the standard error known for the correlation of independent images.
func TestBootstrap(t *testing.T) {
	const n, positions, p, q = 40, 5, 4, 3
	ids, x, y := images(rand.New(rand.NewPCG(1, 1)), n, positions, p, q)
	g := NewGroups(n, p, q)
	if err := g.AddTensors(nil, ids, NHWC(x, n, 1, positions, p), NHWC(y, n, 1, positions, q)); err != nil {
		t.Fatal(err)
	}
	var figuresOfDraws [][]float64
	g.Threads = 1 // so that calls come in order
	figures := func(c *Pair) ([]float64, error) {
		r := append(slices.Clone(c.Correlation().RawMatrix().Data), float64(c.Count))
		figuresOfDraws = append(figuresOfDraws, r)
		return r, nil
	}
	if _, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 20, Seed: 5}, 0, 1, figures); err != nil {
		t.Fatal(err)
	}
	for d, got := range figuresOfDraws[1:] {
		rnd := rand.New(rand.NewPCG(5, uint64(d)))
		m, distinct := NewMoments(p, q), map[int]bool{}
		for range n {
			i := rnd.IntN(n)
			distinct[i] = true
			lo, hi := i*positions, (i+1)*positions
			if err := m.Add(positions, x[lo*p:hi*p], y[lo*q:hi*q]); err != nil {
				t.Fatal(err)
			}
		}
		want := append(slices.Clone(m.Correlation(nil, 0, 1).RawMatrix().Data), float64(len(distinct)*positions))
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-6 {
				t.Fatalf("draw %d: figure %d is %v, want %v", d, i, got[i], want[i])
			}
		}
	}

	correlation := func(c *Pair) ([]float64, error) { return []float64{c.Correlation().At(0, 0)}, nil }
	a, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 300}, 0, 1, correlation)
	if err != nil {
		t.Fatal(err)
	}
	g.Threads = 3
	b, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 300}, 0, 1, correlation)
	if err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("%v on one thread, %v on three (%v)", a, b, err)
	}
	g.Close()
	if c, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 300}, 0, 1, correlation); err != nil || !reflect.DeepEqual(a, c) {
		t.Errorf("%v before they were closed, %v after (%v)", a, c, err)
	}
	if i := a[0]; !(i.Low < i.Value && i.Value < i.High) || math.Abs((i.High-i.Low)/(2*1.96*i.Std)-1) > 0.2 {
		t.Errorf("interval %+v", i)
	}

	nineImages := NewGroups(n, p, q)
	if err := nineImages.AddTensors(nil, ids[:9], NHWC(x[:9*positions*p], 9, 1, positions, p), NHWC(y[:9*positions*q], 9, 1, positions, q)); err != nil {
		t.Fatal(err)
	}
	if _, err := nineImages.Bootstrap(context.Background(), BootstrapOptions{}, 0, 1, correlation); !errors.Is(err, ErrTooFewObservations) {
		t.Errorf("nine images: %v", err)
	}
	failure := errors.New("broken")
	if _, err := g.Bootstrap(context.Background(), BootstrapOptions{}, 0, 1, func(*Pair) ([]float64, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("an error of figures: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Bootstrap(ctx, BootstrapOptions{}, 0, 1, correlation); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestBootstrapCovers: of many samples, about as many intervals hold the truth as their
// level says. Images, not positions, are what is resampled: intervals that took
// positions for independent would be too short and hold it in half of the cases.
func TestBootstrapCovers(t *testing.T) {
	const n, positions, samples = 60, 6, 150
	rnd := rand.New(rand.NewPCG(8, 8))
	covered := 0
	for range samples {
		g := NewGroups(30, 1, 1)
		for i := range n {
			a, b := rnd.NormFloat64(), rnd.NormFloat64()
			x, y := make([]float32, positions), make([]float32, positions)
			for k := range positions {
				x[k], y[k] = float32(a+0.1*rnd.NormFloat64()), float32(0.6*a+0.8*b+0.1*rnd.NormFloat64())
			}
			if err := g.AddTensors(nil, []uint64{uint64(i)}, NHWC(x, 1, 1, positions, 1), NHWC(y, 1, 1, positions, 1)); err != nil {
				t.Fatal(err)
			}
		}
		interval, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: 200, Level: 0.9}, 0, 1, func(c *Pair) ([]float64, error) {
			return []float64{c.Correlation().At(0, 0)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if truth := 0.6 / 1.01; interval[0].Low <= truth && truth <= interval[0].High {
			covered++
		}
	}
	if coverage := float64(covered) / samples; coverage < 0.8 || coverage > 0.97 {
		t.Errorf("%.2f of 0.9 intervals hold the truth", coverage)
	}
}

// TestShuffles: what images share is gone, what positions share stays, however images
// are cut; and the p-value tells.
func TestShuffles(t *testing.T) {
	const n, positions = 150, 4
	rnd := rand.New(rand.NewPCG(1, 1))
	ids, x, y := images(rnd, n, positions, 2, 2)
	for i := range n {
		for k := range positions { // unit 1 of each network is where it is, whatever the image
			x[(i*positions+k)*2+1] = float32(k) + 0.1*float32(rnd.NormFloat64())
			y[(i*positions+k)*2+1] = float32(k) + 0.1*float32(rnd.NormFloat64())
		}
	}
	m, s, cut := NewMoments(2, 2), NewShuffles(20, 1, 2, 2), NewShuffles(20, 1, 2, 2)
	all := []Tensor{NHWC(x, n, 2, 2, 2), NHWC(y, n, 2, 2, 2)}
	if err := errors.Join(m.AddTensors(ids, all...), s.AddTensors(ids, all...)); err != nil {
		t.Fatal(err)
	}
	for lo := 0; lo < n; lo += 7 {
		hi := min(n, lo+7)
		size := positions * 2
		if err := cut.AddTensors(ids[lo:hi], NHWC(x[lo*size:hi*size], hi-lo, 2, 2, 2), NHWC(y[lo*size:hi*size], hi-lo, 2, 2, 2)); err != nil {
			t.Fatal(err)
		}
	}
	chance := s.Moments()
	for i, o := range cut.Moments() {
		requireEqual(t, o, chance[i], "cut")
	}
	at := func(i int) func(*Pair) (float64, error) {
		return func(c *Pair) (float64, error) { return c.Correlation().At(i, i), nil }
	}
	observed, null, err := m.CompareToNull(chance, 0, 1, at(0))
	if err != nil || observed < 0.5 || math.Abs(null.Mean()) > 0.1 || null.PValue(observed) != 1./21 || null.PValueLower(observed) != 1 {
		t.Errorf("a unit of images: %v, by chance %v (%v)", observed, null, err)
	}
	observed, null, err = m.CompareToNull(chance, 0, 1, at(1))
	if err != nil || math.Abs(null.Mean()-observed) > 0.02 {
		t.Errorf("a unit of positions: %v, by chance %v (%v)", observed, null, err)
	}
	if a, b := chance[0].Mean(1), m.Mean(1); math.Abs(a[0]-b[0]) > 1e-6 {
		t.Errorf("shuffled images have the mean %v, want %v", a, b)
	}
	if err := s.AddTensors(ids[:1], NHWC(x[:8], 1, 2, 2, 2), NHWC(y[:8], 1, 2, 2, 2)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.CompareToNull(s.Moments(), 0, 1, at(0)); err == nil {
		t.Error("moments of other samples stand for chance")
	}
}

// TestPermutationNull compares with the mean of all correlations, which it has.
func TestPermutationNull(t *testing.T) {
	x, y := mixedUnits(rand.New(rand.NewPCG(3, 3)), 100, 6, 4)
	c := exactPair(x, y)
	null, err := c.PermutationNull(context.Background(), 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := mean(c.Correlation().RawMatrix().Data); math.Abs(null.Mean()-want) > 0.02 {
		t.Errorf("mean %v, want %v", null.Mean(), want)
	}
}

// BenchmarkBootstrap is all measures of two networks of 256 units, in resamples of 100
// groups of images.
func BenchmarkBootstrap(b *testing.B) {
	const n, positions, p = 200, 16, 256
	ids, x, y := images(rand.New(rand.NewPCG(1, 1)), n, positions, p, p)
	g := NewGroups(100, p, p)
	if err := g.AddTensors(nil, ids, NHWC(x, n, 4, 4, p), NHWC(y, n, 4, 4, p)); err != nil {
		b.Fatal(err)
	}
	const draws = 64
	for b.Loop() {
		_, err := g.Bootstrap(context.Background(), BootstrapOptions{Draws: draws}, 0, 1, func(c *Pair) ([]float64, error) {
			var all []float64
			for _, m := range Measures() {
				v, err := m.Func(c)
				if err != nil {
					return nil, err
				}
				all = append(all, v)
			}
			return all, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/draws*1000, "s/1000-draws")
}

func BenchmarkRotationNull(b *testing.B) {
	const n, p = 4000, 384
	_, x, y := images(rand.New(rand.NewPCG(1, 1)), n, 1, p, p)
	m := NewMoments(p, p)
	m.Threads = 1
	if err := m.Add(n, x, y); err != nil {
		b.Fatal(err)
	}
	c := m.Pair(0, 1)
	c.Threads = 1
	const draws = 10
	for b.Loop() {
		if _, err := c.RotationNull(context.Background(), draws, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/draws*1000, "ms/draw")
}

// TestGroupsOfSameSamples: groups may have equal samples, and any of them add up.
func TestGroupsOfSameSamples(t *testing.T) {
	g, want := NewGroups(4, 1), NewMoments(1)
	for i := range uint64(8) {
		x := Rows([]float32{float32(i * i)}, 1, 1, 1)
		if err := g.AddTensors([]uint64{7}, []uint64{i}, x); err != nil {
			t.Fatal(err)
		}
		if i%4 == 1 || i%4 == 2 {
			if err := want.AddTensors(nil, x); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.Close()
	if got := g.Sum(1, 2); got.Count() != 4 || math.Abs(got.Std(0)[0]-want.Std(0)[0]) > 1e-6 || g.Total().Count() != 8 {
		t.Errorf("%d observations, deviation %v, want %v", got.Count(), got.Std(0), want.Std(0))
	}
}

// TestGroupsOfBlocks: groups of one block of observations, which are kept, and of two, which are
// not, are what moments of the same observations are, to the last bit.
func TestGroupsOfBlocks(t *testing.T) {
	const groups = 200
	rnd := rand.New(rand.NewPCG(5, 3))
	for name, c := range map[string]struct {
		units []int
		adds  []int // observations
		kept  int   // after how many of these none are folded
	}{
		"one network":         {[]int{250}, []int{200, 30}, 2},
		"two networks":        {[]int{200, 100}, []int{191, 1, 50}, 3},
		"as many as units":    {[]int{100, 60}, []int{200}, 1},
		"more than they hold": {[]int{100, 160}, []int{100, 150, 150}, 2},
	} {
		g, want := NewGroups(groups, c.units...), NewMoments(c.units...)
		for i, rows := range c.adds {
			x := data(rnd, rows, c.units...)
			tensors := make([]Tensor, len(x))
			for k, units := range c.units {
				tensors[k] = NHWC(x[k], 1, 1, rows, units)
			}
			if err := errors.Join(g.AddTensors(nil, []uint64{groups + 3}, tensors...), want.Add(rows, x...)); err != nil {
				t.Fatal(err)
			}
			if kept := g.parts[3].kept(); kept != (i < c.kept) {
				t.Errorf("%s: kept is %v after %d", name, kept, i+1)
			}
			requireEqual(t, g.Group(3), want, name)
		}
		g.Close()
		requireEqual(t, g.Group(3), want, name+", closed")
		if g.Total().Count() != want.Count() {
			t.Errorf("%s: %d observations", name, g.Total().Count())
		}
	}
}
