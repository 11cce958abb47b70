package corr

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/convergent-go/convergent/internal/dense"
)

// fixture is the data and measures of testdata/measures.py.
type fixture struct {
	X, Y     [][]float64
	Measures struct {
		Best_ab, Best_ba, Cka, Rv, Cca, Svcca, Pwcca_ab, Pwcca_ba, Procrustes, Permutation, Linear_ab, Linear_ba, Weighted float64

		Canonical, R2 []float64
		Ridge         map[string][]float64
		HeldOut       map[string][]float64 `json:"held_out"`
	}
	Mutual struct{ Plain, Correction [][]float64 }
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/measures.json")
	if err != nil {
		t.Fatal(err)
	}
	var byName map[string]fixture
	if err := json.Unmarshal(data, &byName); err != nil {
		t.Fatal(err)
	}
	return byName
}

// exactPair returns the Pair of observations in float64.
func exactPair(x, y [][]float64) *Pair {
	p, n := len(x[0]), len(x)
	joint := make([][]float64, n)
	for r := range joint {
		joint[r] = append(slices.Clone(x[r]), y[r]...)
	}
	s := moments{count: int64(n), mean: make([]float64, len(joint[0])), prod: make([]float64, len(joint[0])*len(joint[0]))}
	for _, row := range joint {
		for i, v := range row {
			s.mean[i] += v / float64(n)
		}
	}
	for _, row := range joint {
		for i := range row {
			for j := i; j < len(row); j++ {
				s.prod[i*len(row)+j] += (row[i] - s.mean[i]) * (row[j] - s.mean[j])
			}
		}
	}
	c := s.pair(0, p, indices(p), indices(len(y[0])))
	c.accuracy, c.Threads = 1e-12, 1
	return c
}

// TestMeasures compares with numpy, scipy and scikit-learn.
func TestMeasures(t *testing.T) {
	for name, f := range fixtures(t) {
		if name == "mutual" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := exactPair(f.X, f.Y)
			checkNear := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) <= 1e-8) {
					t.Errorf("%s is %.12g, want %.12g", what, got, want)
				}
			}
			want := map[string]float64{
				"best_ab": f.Measures.Best_ab, "best_ba": f.Measures.Best_ba, "cka": f.Measures.Cka, "rv": f.Measures.Rv,
				"cca": f.Measures.Cca, "svcca": f.Measures.Svcca, "pwcca_ab": f.Measures.Pwcca_ab, "pwcca_ba": f.Measures.Pwcca_ba,
				"procrustes": f.Measures.Procrustes, "permutation": f.Measures.Permutation,
				"linear_ab": f.Measures.Linear_ab, "linear_ba": f.Measures.Linear_ba,
			}
			for _, m := range Measures() {
				got, err := m.Func(c)
				if err != nil {
					t.Fatal(err)
				}
				if w, ok := want[m.Name]; ok {
					checkNear(m.Name, got, w)
					delete(want, m.Name)
				}
				reversed, err := m.Func(c.Swap())
				if err != nil {
					t.Fatal(err)
				}
				if m.Symmetric {
					checkNear(m.Name+" from the other side", reversed, got)
				}
			}
			if len(want) > 0 {
				t.Errorf("not among the measures: %v", want)
			}
			rho, err := c.CCA()
			if err != nil || len(rho) != len(f.Measures.Canonical) {
				t.Fatal(rho, err)
			}
			for i, r := range rho {
				checkNear("canonical correlation", r, f.Measures.Canonical[i])
			}
			linear, err := c.Linear()
			if err != nil {
				t.Fatal(err)
			}
			checkNear("weighted R2", linear.VarianceWeighted, f.Measures.Weighted)
			for j, r := range linear.R2 {
				checkNear("R2", r, f.Measures.R2[j])
			}
			half := len(f.X) / 2
			train, test := exactPair(f.X[:half], f.Y[:half]), exactPair(f.X[half:], f.Y[half:])
			for key, want := range f.Measures.Ridge {
				lambda, _ := strconv.ParseFloat(key, 64)
				got, err := c.Ridge(nil, lambda)
				if err != nil {
					t.Fatal(err)
				}
				heldOut, err := train.Ridge(test, lambda)
				if err != nil {
					t.Fatal(err)
				}
				for j := range want {
					checkNear("ridge R2", got[0].R2[j], want[j])
					checkNear("ridge R2 on held-out data", heldOut[0].R2[j], f.Measures.HeldOut[key][j])
				}
			}
		})
	}
}

// TestInformation compares mutual information with scikit-learn's, in two parts.
func TestInformation(t *testing.T) {
	f := fixtures(t)["mutual"]
	flat := func(x [][]float64) []float32 {
		var values []float32
		for _, row := range x {
			for _, v := range row {
				values = append(values, float32(v))
			}
		}
		return values
	}
	n, p, q := len(f.X), len(f.X[0]), len(f.Y[0])
	x, y := flat(f.X), flat(f.Y)
	a, b := PaperBins(Rows(x, n, p, p)), PaperBins(Rows(y, n, q, q))
	h, o := NewHistograms(a, b, nil), NewHistograms(a, b, nil)
	const cut = 123
	if err := h.Add(Rows(x, cut, p, p), Rows(y, cut, q, q)); err != nil {
		t.Fatal(err)
	}
	if err := o.Add(Rows(x[cut*p:], n-cut, p, p), Rows(y[cut*q:], n-cut, q, q)); err != nil {
		t.Fatal(err)
	}
	if err := h.Merge(o); err != nil {
		t.Fatal(err)
	}
	for _, got := range h.Information() {
		if want := f.Mutual.Plain[got.A][got.B]; math.Abs(got.PlugIn-want) > 1e-9 {
			t.Errorf("units %d and %d: %v nats, want %v", got.A, got.B, got.PlugIn, want)
		}
		if want := f.Mutual.Correction[got.A][got.B]; math.Abs(got.Bias-want) > 1e-12 {
			t.Errorf("units %d and %d: bias %v, want %v", got.A, got.B, got.Bias, want)
		}
	}
	single := NewHistograms(a, b, [][2]int{{2, 1}})
	if err := single.Add(Rows(x, n, p, p), Rows(y, n, q, q)); err != nil {
		t.Fatal(err)
	}
	if got, want := single.Information(), h.Information(); len(got) != 1 || got[0] != want[len(want)-1] {
		t.Errorf("a chosen pair has %v, want %v", got, want[len(want)-1])
	}
	if err := single.Merge(h); err == nil {
		t.Error("histograms of other pairs were merged")
	}
	y[3] = float32(math.NaN())
	if err := single.Add(Rows(x, n, p, p), Rows(y, n, q, q)); err == nil || single.Count() != int64(n) {
		t.Error("NaN was counted")
	}
	if got := NewHistograms(a, b, [][2]int{{0, 0}}).Information(); got[0] != (Information{}) {
		t.Errorf("of nothing: %v", got)
	}
}

// mixedUnits returns n observations of two networks that share causes.
func mixedUnits(rnd *rand.Rand, n, p, q int) (x, y [][]float64) {
	mix := func(k int) [][]float64 {
		m := make([][]float64, 3)
		for i := range m {
			for range k {
				m[i] = append(m[i], rnd.NormFloat64())
			}
		}
		return m
	}
	mx, my := mix(p), mix(q)
	for range n {
		z := []float64{rnd.NormFloat64(), rnd.NormFloat64(), rnd.NormFloat64()}
		row := func(m [][]float64) []float64 {
			r := make([]float64, len(m[0]))
			for j := range r {
				r[j] = 0.5*rnd.NormFloat64() + 1
				for i, v := range z {
					r[j] += v * m[i][j]
				}
			}
			return r
		}
		x, y = append(x, row(mx)), append(y, row(my))
	}
	return x, y
}

// mapRows returns f of each row.
func mapRows(x [][]float64, f func(row []float64) []float64) [][]float64 {
	y := make([][]float64, len(x))
	for i, row := range x {
		y[i] = f(slices.Clone(row))
	}
	return y
}

// TestInvariance checks the invariances that the documentation of measures states.
func TestInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.IntRange(1, 7).Draw(t, "p"), rapid.IntRange(1, 7).Draw(t, "q")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		x, y := mixedUnits(rnd, 60, p, q)
		rotated := mapRows(x, func(r []float64) []float64 { return r })
		flat := make([]float64, 0, len(x)*p)
		for _, r := range rotated {
			flat = append(flat, r...)
		}
		dense.Rotate(rnd, len(x), p, flat)
		for i := range rotated {
			rotated[i] = flat[i*p : (i+1)*p]
		}
		order := rnd.Perm(p)
		variants := map[string][][]float64{
			"factor": mapRows(x, func(r []float64) []float64 {
				for j := range r {
					r[j] = 3e5*r[j] - 7e5
				}
				return r
			}),
			"order": mapRows(x, func(r []float64) []float64 {
				s := make([]float64, p)
				for i, o := range order {
					s[i] = r[o]
				}
				return s
			}),
			"rotation": rotated,
			"scales": mapRows(x, func(r []float64) []float64 {
				for j := range r {
					r[j] *= math.Pow(10, float64(j-3))
				}
				return r
			}),
		}
		invariant := map[string][]string{
			"best_ab": {"factor", "order", "scales"}, "best_ba": {"factor", "order", "scales"},
			"cka": {"factor", "order", "rotation"}, "rv": {"factor", "order", "rotation"},
			"cca": {"factor", "order", "rotation", "scales"}, "svcca": {"factor", "order", "rotation"},
			"pwcca_ab": {"factor", "order"}, "pwcca_ba": {"factor", "order", "rotation", "scales"},
			"procrustes": {"factor", "order", "rotation"}, "permutation": {"factor", "order"},
			"nbs": {"factor", "order", "rotation"}, "angular": {"factor", "order", "rotation"},
			"overlap": {"factor", "order", "rotation"}, "gulp": {"factor", "order", "rotation"},
			"linear_ab": {"factor", "order", "rotation", "scales"}, "linear_ba": {"factor", "order", "scales"},
			"ridge_ab": {"factor", "order", "rotation"}, "ridge_ba": {"factor", "order"},
		}
		c := exactPair(x, y)
		for _, m := range Measures() {
			want, err := m.Func(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range invariant[m.Name] {
				got, err := m.Func(exactPair(variants[v], y))
				if err != nil || math.Abs(got-want) > 1e-8 {
					t.Errorf("%s is %v, after %s %v (%v)", m.Name, want, v, got, err)
				}
			}
			// A network is as near to itself as can be.
			self, err := m.Func(exactPair(x, x))
			lower, upper := 1-1e-9, 1+1e-9
			switch m.Name {
			case "excess_ab", "excess_ba":
				lower, upper = -1e-9, 2
			case "ridge_ab", "ridge_ba":
				lower = 0.8
			case "procrustes", "permutation", "angular", "gulp":
				lower, upper = 0, 1e-6
			}
			if err != nil || self < lower || self > upper {
				t.Errorf("%s of a network with itself is %v (%v)", m.Name, self, err)
			}
		}
	})
}

// TestMeasureErrors: a measure that would have one value whatever the data is an error,
// and ranks count the units that others do not determine.
func TestMeasureErrors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	x, y := mixedUnits(rnd, 12, 7, 6)
	c := exactPair(x, y)
	if rho, err := c.CCA(); !errors.Is(err, ErrTooFewObservations) {
		t.Errorf("13 dimensions in 12 observations: %v, %v", rho, err)
	}
	if v, err := c.PWCCA(); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
		t.Errorf("PWCCA %v, %v", v, err)
	}
	if _, err := c.Linear(); err != nil {
		t.Errorf("7 dimensions in 12 observations: %v", err)
	}
	if _, err := exactPair(x[:8], y[:8]).Linear(); !errors.Is(err, ErrTooFewObservations) {
		t.Errorf("7 dimensions in 8 observations: %v", err)
	}
	twoRows := exactPair(x[:2], y[:2])
	constant := NewMoments(3, 2)
	for range 5 {
		if err := constant.Add(1, []float32{1, 2, 3}, []float32{4, 5}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range Measures() {
		if v, err := m.Func(twoRows); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
			t.Errorf("%s of two observations: %v, %v", m.Name, v, err)
		}
		if _, err := m.Func(constant.Pair(0, 1)); !errors.Is(err, ErrNoLiveUnits) {
			t.Errorf("%s of dead units: %v", m.Name, err)
		}
	}
	x, y = mixedUnits(rnd, 60, 4, 3)
	x = mapRows(x, func(r []float64) []float64 { return append(r, r[0]-2*r[1], r[2]) })
	if p, q := exactPair(x, y).Rank(); p != 4 || q != 3 {
		t.Errorf("ranks %d and %d, want 4 and 3", p, q)
	}
	// The same from float32 moments, whose covariances are of full rank by rounding.
	m := NewMoments(6, 3)
	for i := range x {
		row := func(x []float64) (y []float32) {
			for _, v := range x {
				y = append(y, float32(v))
			}
			return y
		}
		if err := m.Add(1, row(x[i]), row(y[i])); err != nil {
			t.Fatal(err)
		}
	}
	if p, q := m.Pair(0, 1).Rank(); p != 4 || q != 3 {
		t.Errorf("ranks %d and %d of moments, want 4 and 3", p, q)
	}
	// Float32 moments give measures to six digits.
	for _, k := range Measures() {
		got, err := k.Func(m.Pair(0, 1))
		want, err2 := k.Func(exactPair(x, y))
		if err != nil || err2 != nil || math.Abs(got-want) > 1e-5 {
			t.Errorf("%s of moments is %v, want %v (%v)", k.Name, got, want, err)
		}
	}
}

func TestNewPair(t *testing.T) {
	unitVariance := mat.NewDense(1, 1, []float64{1})
	for _, v := range []float64{2, math.NaN(), math.Inf(1)} {
		if _, err := NewPair(unitVariance, mat.NewDense(1, 1, []float64{v}), unitVariance, 10); err == nil {
			t.Errorf("covariance %v of variances 1: no error", v)
		}
	}
	c, err := NewPair(unitVariance, mat.NewDense(1, 1, []float64{0.5}), unitVariance, 10)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.CKA(); err != nil || v != 0.25 {
		t.Errorf("CKA %v, %v", v, err)
	}
}

// TestRotationNullOfPair compares with the rotation written out.
func TestRotationNullOfPair(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	x, y := mixedUnits(rnd, 80, 5, 7)
	c := exactPair(x, y)
	null, err := c.RotationNull(context.Background(), 3, 9)
	if err != nil {
		t.Fatal(err)
	}
	for d, got := range null.Draws {
		flat := make([]float64, 0, 80*7)
		for _, r := range y {
			flat = append(flat, r...)
		}
		dense.Rotate(rand.New(rand.NewPCG(9, uint64(d))), len(y), 7, flat)
		rotated := mapRows(y, func(r []float64) []float64 { return r })
		for i := range rotated {
			rotated[i] = flat[i*7 : (i+1)*7]
		}
		if want, _ := exactPair(x, rotated).MeanMaxCorrelation(); math.Abs(got-want) > 1e-12 {
			t.Errorf("draw %d is %v, want %v", d, got, want)
		}
	}
}
