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

// fixture is what testdata/measures.py wrote.
type fixture struct {
	X, Y     [][]float64
	Measures struct {
		Best_ab, Best_ba, Cka, Rv, Cca, Svcca, Pwcca_ab, Pwcca_ba, Procrustes, Permutation, Linear_ab, Linear_ba, Weighted float64

		Canonical, R2 []float64
		Ridge, Held   map[string][]float64
	}
	Mutual struct{ Plain, Correction [][]float64 }
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/measures.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]fixture
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// exact is the Pair of observations in float64.
func exact(x, y [][]float64) *Pair {
	p, n := len(x[0]), len(x)
	both := make([][]float64, n)
	for r := range both {
		both[r] = append(slices.Clone(x[r]), y[r]...)
	}
	s := moments{count: int64(n), mean: make([]float64, len(both[0])), prod: make([]float64, len(both[0])*len(both[0]))}
	for _, row := range both {
		for i, v := range row {
			s.mean[i] += v / float64(n)
		}
	}
	for _, row := range both {
		for i := range row {
			for j := i; j < len(row); j++ {
				s.prod[i*len(row)+j] += (row[i] - s.mean[i]) * (row[j] - s.mean[j])
			}
		}
	}
	c := s.pair(0, p, upTo(p), upTo(len(y[0])), 1)
	c.accuracy = 1e-12
	return c
}

// TestMeasures compares with numpy, scipy and scikit-learn.
func TestMeasures(t *testing.T) {
	for name, f := range fixtures(t) {
		if name == "mutual" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := exact(f.X, f.Y)
			near := func(what string, got, want float64) {
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
				got, err := m.Of(c)
				if err != nil {
					t.Fatal(err)
				}
				if w, ok := want[m.Name]; ok {
					near(m.Name, got, w)
					delete(want, m.Name)
				}
				back, err := m.Of(c.Swap())
				if err != nil {
					t.Fatal(err)
				}
				if m.Symmetric {
					near(m.Name+" from the other side", back, got)
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
				near("canonical correlation", r, f.Measures.Canonical[i])
			}
			linear, err := c.Linear()
			if err != nil {
				t.Fatal(err)
			}
			near("weighted R2", linear.Weighted, f.Measures.Weighted)
			for j, r := range linear.R2 {
				near("R2", r, f.Measures.R2[j])
			}
			half := len(f.X) / 2
			train, test := exact(f.X[:half], f.Y[:half]), exact(f.X[half:], f.Y[half:])
			for key, want := range f.Measures.Ridge {
				lambda, _ := strconv.ParseFloat(key, 64)
				got, err := c.Ridge(nil, lambda)
				if err != nil {
					t.Fatal(err)
				}
				held, err := train.Ridge(test, lambda)
				if err != nil {
					t.Fatal(err)
				}
				for j := range want {
					near("ridge R2", got[0].R2[j], want[j])
					near("ridge R2 on held-out data", held[0].R2[j], f.Measures.Held[key][j])
				}
			}
		})
	}
}

// TestInformation compares mutual information with scikit-learn's, in two parts.
func TestInformation(t *testing.T) {
	f := fixtures(t)["mutual"]
	flat := func(x [][]float64) []float32 {
		var all []float32
		for _, row := range x {
			for _, v := range row {
				all = append(all, float32(v))
			}
		}
		return all
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
		if want := f.Mutual.Plain[got.A][got.B]; math.Abs(got.Plain-want) > 1e-9 {
			t.Errorf("units %d and %d: %v nats, want %v", got.A, got.B, got.Plain, want)
		}
		if want := f.Mutual.Correction[got.A][got.B]; math.Abs(got.Bias-want) > 1e-12 {
			t.Errorf("units %d and %d: bias %v, want %v", got.A, got.B, got.Bias, want)
		}
	}
	one := NewHistograms(a, b, [][2]int{{2, 1}})
	if err := one.Add(Rows(x, n, p, p), Rows(y, n, q, q)); err != nil {
		t.Fatal(err)
	}
	if got, all := one.Information(), h.Information(); len(got) != 1 || got[0] != all[len(all)-1] {
		t.Errorf("a chosen pair has %v, want %v", got, all[len(all)-1])
	}
	if err := one.Merge(h); err == nil {
		t.Error("histograms of other pairs were merged")
	}
	y[3] = float32(math.NaN())
	if err := one.Add(Rows(x, n, p, p), Rows(y, n, q, q)); err == nil || one.Count() != int64(n) {
		t.Error("NaN was counted")
	}
	if got := NewHistograms(a, b, [][2]int{{0, 0}}).Information(); got[0] != (Information{}) {
		t.Errorf("of nothing: %v", got)
	}
}

// units are observations of two networks that share causes.
func units(rnd *rand.Rand, n, p, q int) (x, y [][]float64) {
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

// change returns what f makes of each row.
func change(x [][]float64, f func(row []float64) []float64) [][]float64 {
	y := make([][]float64, len(x))
	for i, row := range x {
		y[i] = f(slices.Clone(row))
	}
	return y
}

// TestInvariance holds measures to what their documentation promises.
func TestInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.IntRange(1, 7).Draw(t, "p"), rapid.IntRange(1, 7).Draw(t, "q")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		x, y := units(rnd, 60, p, q)
		rotated := change(x, func(r []float64) []float64 { return r })
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
			"factor": change(x, func(r []float64) []float64 {
				for j := range r {
					r[j] = 3e5*r[j] - 7e5
				}
				return r
			}),
			"order": change(x, func(r []float64) []float64 {
				s := make([]float64, p)
				for i, o := range order {
					s[i] = r[o]
				}
				return s
			}),
			"rotation": rotated,
			"scales": change(x, func(r []float64) []float64 {
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
			"linear_ab": {"factor", "order", "rotation", "scales"}, "linear_ba": {"factor", "order", "scales"},
			"ridge_ab": {"factor", "order", "rotation"}, "ridge_ba": {"factor", "order"},
		}
		c := exact(x, y)
		for _, m := range Measures() {
			want, err := m.Of(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range invariant[m.Name] {
				got, err := m.Of(exact(variants[v], y))
				if err != nil || math.Abs(got-want) > 1e-8 {
					t.Errorf("%s is %v, after %s %v (%v)", m.Name, want, v, got, err)
				}
			}
			// A network is as near to itself as can be.
			self, err := m.Of(exact(x, x))
			least, most := 1-1e-9, 1+1e-9
			switch m.Name {
			case "excess_ab", "excess_ba":
				least, most = -1e-9, 2
			case "ridge_ab", "ridge_ba":
				least = 0.8
			case "procrustes", "permutation":
				least, most = 0, 1e-6
			}
			if err != nil || self < least || self > most {
				t.Errorf("%s of a network with itself is %v (%v)", m.Name, self, err)
			}
		}
	})
}

// TestRefused: where measures would have one value whatever the data they are errors,
// and where units determine others ranks tell.
func TestRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	x, y := units(rnd, 12, 7, 6)
	c := exact(x, y)
	if rho, err := c.CCA(); !errors.Is(err, ErrTooFew) {
		t.Errorf("13 dimensions in 12 observations: %v, %v", rho, err)
	}
	if v, err := c.PWCCA(); !errors.Is(err, ErrTooFew) || !math.IsNaN(v) {
		t.Errorf("PWCCA %v, %v", v, err)
	}
	if _, err := c.Linear(); err != nil {
		t.Errorf("7 dimensions in 12 observations: %v", err)
	}
	if _, err := exact(x[:8], y[:8]).Linear(); !errors.Is(err, ErrTooFew) {
		t.Errorf("7 dimensions in 8 observations: %v", err)
	}
	two := exact(x[:2], y[:2])
	none := NewMoments(3, 2)
	for range 5 {
		if err := none.Add(1, []float32{1, 2, 3}, []float32{4, 5}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range Measures() {
		if v, err := m.Of(two); !errors.Is(err, ErrTooFew) || !math.IsNaN(v) {
			t.Errorf("%s of two observations: %v, %v", m.Name, v, err)
		}
		if _, err := m.Of(none.Pair(0, 1)); !errors.Is(err, ErrDead) {
			t.Errorf("%s of dead units: %v", m.Name, err)
		}
	}
	x, y = units(rnd, 60, 4, 3)
	x = change(x, func(r []float64) []float64 { return append(r, r[0]-2*r[1], r[2]) })
	if p, q := exact(x, y).Rank(); p != 4 || q != 3 {
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
		got, err := k.Of(m.Pair(0, 1))
		want, err2 := k.Of(exact(x, y))
		if err != nil || err2 != nil || math.Abs(got-want) > 1e-5 {
			t.Errorf("%s of moments is %v, want %v (%v)", k.Name, got, want, err)
		}
	}
}

func TestNewPair(t *testing.T) {
	one := mat.NewDense(1, 1, []float64{1})
	for _, v := range []float64{2, math.NaN(), math.Inf(1)} {
		if _, err := NewPair(one, mat.NewDense(1, 1, []float64{v}), one, 10); err == nil {
			t.Errorf("covariance %v of variances 1: no error", v)
		}
	}
	c, err := NewPair(one, mat.NewDense(1, 1, []float64{0.5}), one, 10)
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
	x, y := units(rnd, 80, 5, 7)
	c := exact(x, y)
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
		rotated := change(y, func(r []float64) []float64 { return r })
		for i := range rotated {
			rotated[i] = flat[i*7 : (i+1)*7]
		}
		if want, _ := exact(x, rotated).Best(); math.Abs(got-want) > 1e-12 {
			t.Errorf("draw %d is %v, want %v", d, got, want)
		}
	}
}
