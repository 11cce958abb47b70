package corr

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestFewObservations compares measures of networks with more units than observations with
// what the observations themselves give: their inner products.
func TestFewObservations(t *testing.T) {
	const n, p, q = 60, 130, 90
	rnd := rand.New(rand.NewPCG(7, 1))
	signals := mat.NewDense(n, 20, nil)
	signals.Apply(func(int, int, float64) float64 { return rnd.NormFloat64() }, signals)
	network := func(units int) *mat.Dense {
		w, x := mat.NewDense(20, units, nil), mat.NewDense(n, units, nil)
		w.Apply(func(i, _ int, _ float64) float64 { return rnd.NormFloat64() / float64(i+1) }, w)
		x.Mul(signals, w)
		x.Apply(func(_, _ int, v float64) float64 { return float64(float32(v + 0.1*rnd.NormFloat64())) }, x)
		return x
	}
	x, y := network(p), network(q)
	floats := func(x *mat.Dense) (f []float32) {
		for _, v := range x.RawMatrix().Data {
			f = append(f, float32(v))
		}
		return f
	}
	m := NewMoments(p, q)
	if err := m.Add(n, floats(x), floats(y)); err != nil {
		t.Fatal(err)
	}
	c := m.Pair(0, 1)
	centre := func(x *mat.Dense) {
		_, units := x.Dims()
		for j := range units {
			col := mat.Col(nil, j, x)
			for i, v := range col {
				x.Set(i, j, v-mean(col))
			}
		}
	}
	centre(x)
	centre(y)
	gram := func(x *mat.Dense) *mat.Dense {
		var k mat.Dense
		k.Mul(x, x.T())
		k.Scale(1.0/n, &k)
		return &k
	}
	k, l := gram(x), gram(y)
	var cross mat.Dense
	cross.Mul(x.T(), y)
	cross.Scale(1.0/n, &cross)
	var svd mat.SVD
	svd.Factorize(&cross, mat.SVDNone)
	size := math.Sqrt(mat.Trace(k) * mat.Trace(l))
	nbs := mat.Sum(mat.NewVecDense(q, svd.Values(nil))) / size
	inner := func(a, b *mat.Dense) float64 {
		var ab mat.Dense
		ab.Mul(a, b)
		return mat.Trace(&ab)
	}
	// Of GULP, K (K + lambda)^-1 are the inner products' own.
	shrunk := func(k *mat.Dense) *mat.Dense {
		var r, s mat.Dense
		r.CloneFrom(k)
		for i := range n {
			r.Set(i, i, r.At(i, i)+0.01*mat.Trace(k))
		}
		s.Solve(&r, k)
		return &s
	}
	a, b := shrunk(k), shrunk(l)
	gulp := math.Sqrt(inner(a, a) + inner(b, b) - 2*inner(a, b))
	// Of ridge regression, the residuals of the same with a penalty in mean variances.
	r := mat.DenseCopyOf(k)
	for i := range n {
		r.Set(i, i, r.At(i, i)+0.01*mat.Trace(k)/p)
	}
	var s, fit mat.Dense
	s.Solve(r, k)
	fit.Mul(&s, y)
	var ridge float64
	for j := range q {
		var left, all float64
		for i := range n {
			left += math.Pow(y.At(i, j)-fit.At(i, j), 2)
			all += math.Pow(y.At(i, j), 2)
		}
		ridge += (1 - left/all) / q
	}
	want := map[string]float64{
		"cka": inner(k, l) / math.Sqrt(inner(k, k)*inner(l, l)), "nbs": nbs, "procrustes": math.Sqrt(2 - 2*nbs), "angular": math.Acos(nbs),
		"gulp": gulp,
	}
	if got, err := c.Ridge(nil, 0.01*trace(c.aa, p)/p); err != nil || math.Abs(got[0].Mean-ridge) > 1e-6 {
		t.Errorf("ridge is %v, want %v (%v)", got, ridge, err)
	}
	for _, measure := range Measures() {
		got, err := measure.Func(c)
		switch w, known := want[measure.Name]; {
		case known && (err != nil || math.Abs(got-w) > 1e-6):
			t.Errorf("%s is %v, want %v (%v)", measure.Name, got, w, err)
		case slices.Contains([]string{"cca", "linear_ab", "linear_ba", "ridge_ab", "ridge_ba"}, measure.Name) && !errors.Is(err, ErrTooFewObservations):
			t.Errorf("%s is %v of too few observations, %v", measure.Name, got, err)
		}
	}
}
