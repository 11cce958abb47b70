package finding

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/convergent-go/convergent/corr"
)

// TestCrossValidated: of networks that mean the same by their units, or span the same space,
// cross-validated measures are 1; of unrelated ones, of which in-sample measures make much,
// 0 or less.
func TestCrossValidated(t *testing.T) {
	copies, _, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i, from := range rnd.Perm(len(signals)) {
			x[i] = float64(from+1) * signals[from]
		}
		return x
	})
	rotations, _, _ := made(t, func(rnd *rand.Rand, _ int, signals []float64) []float64 {
		var x mat.VecDense
		x.MulVec(corr.Rotation(len(signals), rnd), mat.NewVecDense(len(signals), signals))
		return x.RawVector().Data
	})
	unrelated, _, _ := made(t, func(rnd *rand.Rand, net int, signals []float64) []float64 {
		x := make([]float64, len(signals))
		for i, s := range signals {
			x[i] = math.Sin(float64(net+1) * 1e4 * s * float64(i+1)) // as good as random numbers
		}
		return x
	})
	count := 0
	for name, same := range copies.Pairs[0].Measures {
		if !strings.HasPrefix(name, "cv_") {
			continue
		}
		count++
		near(t, name+" of copies", same.Value, 0.99, 1)
		other := unrelated.Pairs[0].Measures[name]
		low, high := -0.15, 0.01
		if strings.Contains(name, "clipped") || name == "cv_matched" || name == "cv_cca" {
			low, high = -0.06, 0.06
		}
		near(t, name+" of unrelated networks", other.Value, low, high)
		turned := rotations.Pairs[0].Measures[name]
		if name == "cv_matched" {
			near(t, name+" of rotated units", turned.Value, 0.1, 0.8)
		} else {
			near(t, name+" of rotated units", turned.Value, 0.99, 1)
		}
	}
	if count != 14 {
		t.Errorf("%d measures", count)
	}
	near(t, "in-sample CCA of unrelated networks", unrelated.Pairs[0].Measures["cca"].Value, 0.08, 1)
}

// TestHeldOutFigures compares with regressions and correlations of rows.
func TestHeldOutFigures(t *testing.T) {
	const p, q, rows = 5, 4, 60
	rnd := rand.New(rand.NewPCG(3, 3))
	draw := func() (x, y []float32) {
		for range rows {
			var signals [p]float64
			for i := range signals {
				signals[i] = rnd.NormFloat64()
				x = append(x, float32(1e-3*math.Pow(10, float64(i))*(signals[i]+2)))
			}
			for j := range q {
				y = append(y, float32(signals[j]+signals[j+1]+rnd.NormFloat64()))
			}
		}
		return x, y
	}
	pair := func(x, y []float32) *corr.Pair {
		m := corr.NewMoments(p, q)
		if err := m.Add(rows, x, y); err != nil {
			t.Fatal(err)
		}
		return m.Pair(0, 1)
	}
	fitX, fitY := draw()
	testX, testY := draw()
	design := func(x []float32) *mat.Dense {
		d := mat.NewDense(rows, p+1, nil)
		for i := range rows {
			for j := range p {
				d.Set(i, j, float64(x[i*p+j]))
			}
			d.Set(i, p, 1)
		}
		return d
	}
	column := func(y []float32, j int) []float64 {
		var c []float64
		for i := range rows {
			c = append(c, float64(y[i*q+j]))
		}
		return c
	}
	var left, total, clipped float64
	var r2 []float64
	for j := range q {
		var w, predicted mat.VecDense
		if err := w.SolveVec(design(fitX), mat.NewVecDense(rows, column(fitY, j))); err != nil {
			t.Fatal(err)
		}
		predicted.MulVec(design(testX), &w)
		var unexplained float64
		y := column(testY, j)
		for i, v := range y {
			unexplained += square(v - predicted.AtVec(i))
		}
		all := stat.PopVariance(y, nil) * rows
		left, total = left+unexplained, total+all
		r2 = append(r2, 1-unexplained/all)
		clipped += max(0, 1-unexplained/all) / q
	}
	slices.Sort(r2)
	got, err := heldOutLinear(pair(fitX, fitY), pair(testX, testY))
	figures, err := predictionFigures("cv", got, err)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"cv_ab": 1 - left/total, "cv_median_ab": (r2[1] + r2[2]) / 2, "cv_clipped_ab": clipped} {
		if math.Abs(figures[name]-want) > 1e-4 {
			t.Errorf("%s is %v, of rows %v", name, figures[name], want)
		}
	}
}
