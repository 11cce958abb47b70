package spectral

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestAffinity(t *testing.T) {
	corr := mat.NewSymDense(3, []float64{
		1, 0.5, -0.7,
		0, 1, 0.2,
		0, 0, 1,
	})
	for _, c := range []struct {
		rule          Rule
		w01, w02, w12 float64
	}{
		{Rule{}, 0.5, 0, 0.2},
		{Rule{Kind: Abs}, 0.5, 0.7, 0.2},
		{Rule{Threshold: 0.2}, 0.5, 0, 0},
		{Rule{Kind: Abs, Threshold: 0.5}, 0, 0.7, 0},
	} {
		g := Affinity(nil, corr, c.rule)
		want := mat.NewSymDense(3, []float64{0, c.w01, c.w02, 0, 0, c.w12, 0, 0, 0})
		if !mat.Equal(g, want) {
			t.Errorf("%+v gives\n%v", c.rule, mat.Formatted(g))
		}
	}
	if Affinity(corr, corr, Rule{}) != corr || corr.At(0, 0) != 0 || corr.At(0, 2) != 0 {
		t.Error("in place: not stored in dst")
	}
	corr.SetSym(0, 1, math.NaN())
	if g := Affinity(nil, corr, Rule{Threshold: 0.9}); !math.IsNaN(g.At(0, 1)) {
		t.Error("NaN was hidden")
	}
	if Affinity(nil, new(mat.SymDense), Rule{}).SymmetricDim() != 0 {
		t.Error("the empty graph grew")
	}
	mustPanic(t, badShape, func() { Affinity(newSym(2), corr, Rule{}) })
	mustPanic(t, badKind, func() { Affinity(nil, corr, Rule{Kind: 2}) })
}

func TestBlocks(t *testing.T) {
	xx := mat.NewDense(2, 2, []float64{1, 2, 2, 3})
	xy := mat.NewDense(2, 1, []float64{4, 5})
	yy := mat.NewDense(1, 1, []float64{6})
	if g := Combine(xx, xy, yy); !mat.Equal(g, mat.NewDense(3, 3, []float64{1, 2, 4, 2, 3, 5, 4, 5, 6})) {
		t.Errorf("Combine gives\n%v", mat.Formatted(g))
	}
	if g := MappingGraph(xy); !mat.Equal(g, mat.NewDense(3, 3, []float64{1, 0, 4, 0, 1, 5, 4, 5, 1})) {
		t.Errorf("MappingGraph gives\n%v", mat.Formatted(g))
	}
	mustPanic(t, badShape, func() { Combine(yy, xy, xx) })
	xx.Set(0, 1, 2+1e-12)
	Combine(xx, xy, yy) // rounding is forgiven
	xx.Set(0, 1, 2.1)
	mustPanic(t, asymmetric, func() { Combine(xx, xy, yy) })
	xx.Set(0, 1, math.NaN())
	mustPanic(t, asymmetric, func() { Combine(xx, xy, yy) })
	xx.Set(1, 0, math.NaN())
	if g := Combine(xx, xy, yy); !math.IsNaN(g.At(0, 1)) {
		t.Error("NaN was hidden")
	}
}
