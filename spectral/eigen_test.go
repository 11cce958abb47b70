package spectral

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/mat"
)

// Spectra known in closed form: Chung, "Spectral graph theory" (1997), section 1.2,
// and Brouwer, Haemers, "Spectra of graphs" (2012), section 1.4.
func TestKnownSpectra(t *testing.T) {
	const n = 9
	closed := func(f func(k float64) float64) []float64 {
		v := make([]float64, n)
		for k := range v {
			v[k] = f(float64(k))
		}
		slices.Sort(v)
		return v
	}
	completeSpectrum := func(rest float64) []float64 {
		return closed(func(k float64) float64 { return rest * indicator(k > 0) })
	}
	for _, c := range []struct {
		name string
		g    *mat.SymDense
		kind Laplacian
		want []float64
	}{
		{"path", pathGraph(n), Unnormalized, closed(func(k float64) float64 { return 2 - 2*math.Cos(math.Pi*k/n) })},
		{"path", pathGraph(n), Symmetric, closed(func(k float64) float64 { return 1 - math.Cos(math.Pi*k/(n-1)) })},
		{"path", pathGraph(n), RandomWalk, closed(func(k float64) float64 { return 1 - math.Cos(math.Pi*k/(n-1)) })},
		{"cycle", cycleGraph(n), Unnormalized, closed(func(k float64) float64 { return 2 - 2*math.Cos(2*math.Pi*k/n) })},
		{"cycle", cycleGraph(n), Symmetric, closed(func(k float64) float64 { return 1 - math.Cos(2*math.Pi*k/n) })},
		{"complete", completeGraph(n), Unnormalized, completeSpectrum(n)},
		{"complete", completeGraph(n), RandomWalk, completeSpectrum(n / (n - 1.))},
	} {
		s, err := Decompose(context.Background(), c.g, c.kind, n, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !floats.EqualApprox(s.Values, c.want, 1e-13) {
			t.Errorf("%s, Laplacian %d: %v, want %v", c.name, c.kind, s.Values, c.want)
		}
	}
}

func TestLaplacianMatrix(t *testing.T) {
	g := mat.NewSymDense(4, []float64{
		7, 1, 3, 0, // the diagonal is not read
		0, 7, 0, 0,
		0, 0, 7, 0,
		0, 0, 0, 7,
	})
	a, b := 1/math.Sqrt(4), 3/math.Sqrt(12)
	for kind, want := range map[Laplacian][]float64{
		Unnormalized: {4, -1, -3, 0, -1, 1, 0, 0, -3, 0, 3, 0, 0, 0, 0, 0},
		Symmetric:    {1, -a, -b, 0, -a, 1, 0, 0, -b, 0, 1, 0, 0, 0, 0, 0},
		RandomWalk:   {1, -0.25, -0.75, 0, -1, 1, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0},
	} {
		dst := mat.NewDense(4, 4, nil)
		if got := kind.Matrix(dst, g); got != dst || !mat.EqualApprox(got, mat.NewDense(4, 4, want), 1e-15) {
			t.Errorf("Laplacian %d:\n%v", kind, mat.Formatted(got))
		}
	}
	mustPanic(t, badShape, func() { Symmetric.Matrix(mat.NewDense(3, 4, nil), g) })
	mustPanic(t, badLaplace, func() { Laplacian(3).Matrix(nil, g) })
}

func TestDecomposeCertificates(t *testing.T) {
	g := noiseGraph(newRand(1), 40)
	for i := range 40 { // one isolated vertex
		g.SetSym(7, i, 0)
	}
	for kind := Unnormalized; kind <= RandomWalk; kind++ {
		s, err := Decompose(context.Background(), g, kind, 12, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(s.Values) || len(s.Values) != 40 {
			t.Errorf("values %v", s.Values)
		}
		// The residuals must be small, and the norms of Lu - λu.
		var lu mat.Dense
		lu.Mul(kind.Matrix(nil, g), s.Vectors)
		for j, r := range s.Residuals {
			u := mat.Col(nil, j, s.Vectors)
			direct := mat.Col(nil, j, &lu)
			floats.AddScaled(direct, -s.Values[j], u)
			if r > 1e-12 || !scalar.EqualWithinAbs(r, floats.Norm(direct, 2), 1e-14) {
				t.Errorf("Laplacian %d: residual %d is %g, directly %g", kind, j, r, floats.Norm(direct, 2))
			}
			if !scalar.EqualWithinAbs(floats.Norm(u, 2), 1, 1e-14) || sign(u) != 1 {
				t.Errorf("Laplacian %d: vector %d has norm %v, sign %v", kind, j, floats.Norm(u, 2), sign(u))
			}
		}
		if s.Values[1] > 1e-13 || s.Values[2] < 1e-3 {
			t.Errorf("Laplacian %d: two components, but spectrum %v", kind, s.Values[:3])
		}
	}
}

func TestDecomposeSmall(t *testing.T) {
	for n := range 3 {
		for kind := Unnormalized; kind <= RandomWalk; kind++ {
			s, err := Decompose(context.Background(), completeGraph(n), kind, n, 0)
			if err != nil || len(s.Values) != n || len(s.Residuals) != n {
				t.Errorf("n=%d, Laplacian %d: %+v, %v", n, kind, s, err)
			}
		}
	}
	if s, err := Decompose(context.Background(), completeGraph(3), Symmetric, 0, 0); err != nil || len(s.Values) != 3 || !s.Vectors.IsEmpty() {
		t.Errorf("no vectors: %+v, %v", s, err)
	}
	mustPanic(t, badClusters, func() { Decompose(context.Background(), completeGraph(3), Symmetric, 4, 0) })
	for weight, want := range map[float64]string{math.NaN(): "NaN", math.Inf(1): "Inf", -0.5: "negative"} {
		g := completeGraph(4)
		g.SetSym(1, 3, weight)
		_, err := Decompose(context.Background(), g, Symmetric, 2, 0)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "1 and 3") {
			t.Errorf("weight %v: error %v", weight, err)
		}
	}
}

func TestSign(t *testing.T) {
	for want, v := range map[float64][]float64{
		1:  {0.5, -0.5 - 1e-15, 0.1}, // a tie but for rounding: the first counts
		-1: {0.4, -0.5, 0.1},
	} {
		if got := sign(v); got != want {
			t.Errorf("sign(%v) = %v", v, got)
		}
	}
}

func TestEigengap(t *testing.T) {
	values := []float64{0, 0.1, 0.2, 1.2, 1.3, 2.3, 9}
	for _, c := range []struct{ lo, hi, want int }{
		{1, 6, 6}, {1, 5, 3}, {4, 4, 4}, {4, 5, 5}, {1, 2, 1},
	} {
		if got := Eigengap(values, c.lo, c.hi); got != c.want {
			t.Errorf("Eigengap in [%d, %d] = %d, want %d", c.lo, c.hi, got, c.want)
		}
	}
	if got := Eigengap([]float64{0, 1, 2, 3}, 1, 3); got != 1 {
		t.Errorf("equal gaps: %d, want the smallest", got)
	}
	for _, r := range [][2]int{{0, 3}, {3, 2}, {1, 7}} {
		mustPanic(t, badGap, func() { Eigengap(values, r[0], r[1]) })
	}
}
