package spectral

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func TestSimilarity(t *testing.T) {
	xx := mat.NewDense(3, 3, []float64{
		1, 0.5, 0.1,
		0.5, 1, 0.2,
		0.1, 0.2, 1,
	})
	yy := mat.NewDense(2, 2, []float64{1, 0.25, 0.25, 1})
	xy := mat.NewDense(3, 2, []float64{
		0.8, 0.6,
		0.4, -0.2,
		0.3, 0.7,
	})
	for _, c := range []struct {
		labels []int
		want   []Group
	}{
		{[]int{0, 0, 1, 0, 1}, []Group{
			{A: []int{0, 1}, B: []int{0}, BetweenNet: 0.6, BetweenNetPaper: 1.2 / 6, WithinNet: (0.5 + 1) / 2, WithinNetPaper: (3./9 + 1./4) / 2},
			{A: []int{2}, B: []int{1}, BetweenNet: 0.7, BetweenNetPaper: 0.7 / 6, WithinNet: 1, WithinNetPaper: (1./9 + 1./4) / 2},
		}},
		{[]int{0, 0, 0, 1, 1}, []Group{ // single-net clusters
			{A: []int{0, 1, 2}, WithinNet: 0.8 / 3, WithinNetPaper: 4.6 / 9 / 2},
			{B: []int{0, 1}, WithinNet: 0.25, WithinNetPaper: 2.5 / 4 / 2},
		}},
		{[]int{-1, 0, -1, -1, -1}, []Group{{A: []int{1}, WithinNet: 1, WithinNetPaper: 1. / 9 / 2}}},
		{[]int{-1, -1, -1, -1, -1}, nil},
	} {
		got := Similarity(xx, xy, yy, c.labels)
		if !slices.EqualFunc(got, c.want, func(a, b Group) bool {
			return slices.Equal(a.A, b.A) && slices.Equal(a.B, b.B) && floats.EqualApprox(
				[]float64{a.BetweenNet, a.BetweenNetPaper, a.WithinNet, a.WithinNetPaper},
				[]float64{b.BetweenNet, b.BetweenNetPaper, b.WithinNet, b.WithinNetPaper}, 1e-15)
		}) {
			t.Errorf("labels %v: %+v, want %+v", c.labels, got, c.want)
		}
	}
	mustPanic(t, badShape, func() { Similarity(xx, xy, yy, []int{0}) })
	mustPanic(t, badShape, func() { Similarity(yy, xy, xx, []int{0, 0, 0, 0, 0}) })
}
