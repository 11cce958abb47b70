package corr

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

// centredMatrix is of observations, in a matrix of norm 1.
func centredMatrix(x [][]float64) *mat.Dense {
	m := mat.NewDense(len(x), len(x[0]), nil)
	for i, row := range x {
		m.SetRow(i, row)
	}
	for j := range x[0] {
		mean := stat.Mean(mat.Col(nil, j, m), nil)
		for i := range x {
			m.Set(i, j, m.At(i, j)-mean)
		}
	}
	m.Scale(1/mat.Norm(m, 2), m)
	return m
}

// root is the symmetric root of a positive semidefinite matrix.
func root(m mat.Matrix) *mat.Dense {
	n, _ := m.Dims()
	symmetric := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			symmetric.SetSym(i, j, m.At(i, j))
		}
	}
	var e mat.EigenSym
	if !e.Factorize(symmetric, true) {
		panic("no eigenvalues")
	}
	var v, r mat.Dense
	e.VectorsTo(&v)
	values := e.Values(nil)
	r.Apply(func(i, j int, x float64) float64 { return x * math.Sqrt(max(0, values[j])) }, &v)
	r.Mul(&r, v.T())
	return &r
}

// TestKin compares with definitions over samples, not covariances.
func TestKin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	for _, s := range []struct{ n, p, q int }{{40, 6, 4}, {50, 3, 9}, {60, 1, 1}} {
		x, y := mixedUnits(rnd, s.n, s.p, s.q)
		c := exactPair(x, y)
		a, b := centredMatrix(x), centredMatrix(y)
		near := func(what string, got, want float64, err error) {
			t.Helper()
			if err != nil || !(math.Abs(got-want) <= 1e-8) {
				t.Errorf("%v: %s is %.12g, want %.12g (%v)", s, what, got, want, err)
			}
		}
		// NBS is the fidelity of inner products of samples.
		var k, l, kl mat.Dense
		k.Mul(a, a.T())
		l.Mul(b, b.T())
		r := root(&k)
		kl.Product(r, &l, r)
		nbs, err := c.NBS()
		if want := mat.Trace(root(&kl)); err != nil || math.Abs(nbs-want) > 1e-6 { // roots of rounding
			t.Errorf("%v: NBS is %v, want %v (%v)", s, nbs, want, err)
		}
		angle, err := c.AngularProcrustes()
		near("angle", angle, math.Acos(nbs), err)
		chord, err := c.Procrustes()
		near("chord", chord, 2*math.Sin(angle/2), err)

		// GULP is the distance of what ridge regression makes of targets.
		for _, lambda := range []float64{1e-4, 0.1, 3} {
			smoother := func(m *mat.Dense) *mat.Dense {
				_, p := m.Dims()
				var s, inverse, h mat.Dense
				s.Mul(m.T(), m)
				for i := range p {
					s.Set(i, i, s.At(i, i)+lambda)
				}
				if err := inverse.Inverse(&s); err != nil {
					t.Fatal(err)
				}
				h.Product(m, &inverse, m.T())
				return &h
			}
			var difference mat.Dense
			difference.Sub(smoother(a), smoother(b))
			got, err := c.GULP(lambda)
			near("GULP", got, mat.Norm(&difference, 2), err)
			if most := math.Sqrt(min(1/(2*lambda), float64(s.p+s.q))); got > most {
				t.Errorf("GULP is %v for penalty %v, more than %v", got, lambda, most)
			}
		}
		large, err := c.GULP(1e9)
		var kernels mat.Dense
		kernels.Sub(&k, &l)
		near("GULP of a large penalty", 1e9*large, mat.Norm(&kernels, 2), err)
		small, err := c.GULP(1e-12)
		rho, _ := c.CCA()
		near("GULP of a small penalty", small*small, float64(s.p+s.q)-2*squaredNorm(rho), err)

		// Axes of samples are left singular vectors.
		axes := func(m *mat.Dense) (*mat.Dense, []float64) {
			var svd mat.SVD
			if !svd.Factorize(m, mat.SVDThin) {
				t.Fatal("no singular values")
			}
			var u mat.Dense
			svd.UTo(&u)
			return &u, svd.Values(nil)
		}
		u, su := axes(a)
		v, sv := axes(b)
		overlap := func(k, l int) float64 {
			var uv mat.Dense
			uv.Mul(u.Slice(0, s.n, 0, k).T(), v.Slice(0, s.n, 0, l))
			return mat.Norm(&uv, 2) * mat.Norm(&uv, 2) / float64(max(k, l))
		}
		for k := 1; k <= s.p; k++ {
			for l := 1; l <= s.q; l++ {
				got, err := c.EigenspaceOverlapOf(k, l)
				near("overlap", got, overlap(k, l), err)
			}
		}
		got, err := c.EigenspaceOverlapOf(100, 100)
		near("overlap of all", got, overlap(s.p, s.q), err)
		got, err = c.EigenspaceOverlap(0)
		near("overlap of all", got, overlap(s.p, s.q), err)
		for _, share := range []float64{0.5, 0.9, 0.99} {
			holding := func(s []float64) int {
				var sum float64
				for i, v := range s {
					if sum += v * v; sum >= share {
						return i + 1
					}
				}
				return len(s)
			}
			got, err := c.EigenspaceOverlap(share)
			near("overlap", got, overlap(holding(su), holding(sv)), err)
		}
	}
}

// kin are the measures, with which linear maps they do not see.
func kin() []Measure {
	return []Measure{
		{"nbs", false, true, (*Pair).NBS},
		{"angle", true, true, (*Pair).AngularProcrustes},
		{"gulp", true, true, func(c *Pair) (float64, error) { return c.GULP(0.1) }},
		{"overlap", false, true, func(c *Pair) (float64, error) { return c.EigenspaceOverlap(0.9) }},
		{"overlap of all", false, true, func(c *Pair) (float64, error) { return c.EigenspaceOverlap(0) }},
	}
}

// TestKinInvariance holds measures to what their documentation promises.
func TestKinInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.IntRange(1, 7).Draw(t, "p"), rapid.IntRange(1, 7).Draw(t, "q")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		x, y := mixedUnits(rnd, 60, p, q)
		c := exactPair(x, y)
		turn := Rotation(p, rnd)
		rotated := mapRows(x, func(r []float64) []float64 {
			z := make([]float64, p)
			for i := range z {
				for j, v := range r {
					z[i] += 4 * v * turn.At(i, j)
				}
				z[i] += 7
			}
			return z
		})
		for _, m := range kin() {
			want, err := m.Func(c)
			got, err2 := m.Func(exactPair(rotated, y))
			back, err3 := m.Func(c.Swap())
			if err := errors.Join(err, err2, err3); err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-want) > 1e-7 || math.Abs(back-want) > 1e-9 {
				t.Errorf("%s is %v, rotated %v, from the other side %v", m.Name, want, got, back)
			}
			self, err := m.Func(exactPair(x, rotated))
			best := 1.0
			if m.Distance {
				best = 0
			}
			if err != nil || math.Abs(self-best) > 1e-6 {
				t.Errorf("%s of a rotation is %v (%v)", m.Name, self, err)
			}
		}
		mixed := mapRows(x, func(r []float64) []float64 {
			for i := range r[1:] {
				r[i+1] += 2 * r[i]
			}
			return r
		})
		want, _ := c.EigenspaceOverlap(0)
		if got, err := exactPair(mixed, y).EigenspaceOverlap(0); err != nil || math.Abs(got-want) > 1e-7 {
			t.Errorf("overlap %v, after a linear map %v (%v)", want, got, err)
		}
	})
}

func TestKinErrors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 3))
	x, y := mixedUnits(rnd, 8, 5, 4)
	c, two := exactPair(x, y), exactPair(x[:2], y[:2])
	none := NewMoments(3, 2)
	for range 5 {
		if err := none.Add(1, []float32{1, 2, 3}, []float32{4, 5}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range kin() {
		if v, err := m.Func(two); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
			t.Errorf("%s of two observations: %v, %v", m.Name, v, err)
		}
		if v, err := m.Func(none.Pair(0, 1)); !errors.Is(err, ErrNoLiveUnits) || !math.IsNaN(v) {
			t.Errorf("%s of dead units: %v, %v", m.Name, v, err)
		}
	}
	if v, err := c.EigenspaceOverlap(0); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
		t.Errorf("9 dimensions in 8 observations: %v, %v", v, err)
	}
	if _, err := c.EigenspaceOverlapOf(3, 4); err != nil {
		t.Error(err)
	}
	for _, lambda := range []float64{0, -1, math.NaN()} {
		if _, err := c.GULP(lambda); err == nil {
			t.Errorf("GULP with penalty %v: no error", lambda)
		}
		if _, err := c.Ridge(nil, lambda); err == nil {
			t.Errorf("Ridge with penalty %v: no error", lambda)
		}
	}
	panics(t, "no axes", func() { _, _ = c.EigenspaceOverlapOf(0, 1) })
}

// TestEigenspaceOverlapNull: of independent data it is min(k, l)/(n-1) on average.
func TestEigenspaceOverlapNull(t *testing.T) {
	const n, p, q, draws = 40, 8, 5, 400
	rnd := rand.New(rand.NewPCG(3, 3))
	var null Null
	for range draws {
		var x, y [][]float64
		for range n {
			row := make([]float64, p+q)
			for i := range row {
				row[i] = rnd.NormFloat64()
			}
			x, y = append(x, row[:p]), append(y, row[p:])
		}
		v, err := exactPair(x, y).EigenspaceOverlap(0)
		if err != nil {
			t.Fatal(err)
		}
		null.Draws = append(null.Draws, v)
	}
	if e := null.Std() / math.Sqrt(draws); math.Abs(null.Mean()-q/39.) > 3.5*e {
		t.Errorf("%v on average, want %v, with a standard error of %v", null.Mean(), q/39., e)
	}
}
