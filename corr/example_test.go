package corr_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// activations are n images of 4 positions: two units of a network, and two mixtures of
// them that another network has, with some noise.
func activations(n int) (images []uint64, a, b []float32) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		images = append(images, uint64(i))
		for range 4 {
			x, y := rnd.NormFloat64(), rnd.NormFloat64()
			a = append(a, float32(x), float32(y))
			b = append(b, float32(x+y+0.3*rnd.NormFloat64()), float32(x-y+0.3*rnd.NormFloat64()))
		}
	}
	return images, a, b
}

// The second network spans the space of the first, in another basis.
func ExamplePair() {
	_, a, b := activations(500)
	m := corr.NewMoments(2, 2)
	if err := m.Add(len(a)/2, a, b); err != nil {
		fmt.Println(err)
		return
	}
	pair := m.Pair(0, 1)
	best, _ := pair.MeanMaxCorrelation()
	cca, _ := pair.MeanCCA()
	null, _ := m.RotationNull(context.Background(), 0, 1, 99, 1)
	fmt.Printf("best partners %.2f, rotated %.2f\n", best, null.Mean())
	fmt.Printf("canonical correlation %.2f\n", cca)
	// Output:
	// best partners 0.69, rotated 0.45
	// canonical correlation 0.98
}

// Distances are small, and similarities large, where networks are alike.
func ExampleMeasures() {
	_, a, b := activations(500)
	m := corr.NewMoments(2, 2)
	if err := m.Add(len(a)/2, a, b); err != nil {
		fmt.Println(err)
		return
	}
	pair := m.Pair(0, 1)
	for _, measure := range corr.Measures() {
		switch measure.Name {
		case "cka", "nbs", "angular", "overlap", "gulp":
			v, err := measure.Func(pair)
			fmt.Printf("%-8s %.2f, a distance: %v %v\n", measure.Name, v, measure.Distance, err)
		}
	}
	// Output:
	// cka      0.96, a distance: false <nil>
	// nbs      0.98, a distance: false <nil>
	// angular  0.21, a distance: true <nil>
	// overlap  0.96, a distance: false <nil>
	// gulp     0.41, a distance: true <nil>
}

func ExampleGroups_Bootstrap() {
	images, a, b := activations(500)
	g := corr.NewGroups(50, 2, 2)
	if err := g.AddTensors(nil, images, corr.NHWC(a, 500, 2, 2, 2), corr.NHWC(b, 500, 2, 2, 2)); err != nil {
		fmt.Println(err)
		return
	}
	cka, err := g.Bootstrap(context.Background(), corr.BootstrapOptions{Draws: 200}, 0, 1, func(p *corr.Pair) ([]float64, error) {
		v, err := p.CKA()
		return []float64{v}, err
	})
	fmt.Printf("CKA %.2f, from %.2f to %.2f %v\n", cka[0].Value, cka[0].Low, cka[0].High, err)
	// Output: CKA 0.96, from 0.95 to 0.96 <nil>
}

// The interval of the mean correlation of matched units, here of unit 0 with 1 and 1 with 0.
func ExampleGroups_JackknifeMatched() {
	images, a, b := activations(500)
	g := corr.NewGroups(25, 2, 2)
	if err := g.AddTensors(nil, images, corr.NHWC(a, 500, 2, 2, 2), corr.NHWC(b, 500, 2, 2, 2)); err != nil {
		log.Fatal(err)
	}
	g.Close()
	matched := g.JackknifeMatched(0, 1, []int{0, 1}, []int{1, 0})
	low, high := matched.Interval(0.95)
	fmt.Printf("matched r %.3f, from %.3f to %.3f\n", matched.Value, low, high)
	// Output: matched r 0.690, from 0.685 to 0.694
}

func ExampleHistograms() {
	_, a, b := activations(500)
	x, y := corr.Rows(a, 2000, 2, 2), corr.Rows(b, 2000, 2, 2)
	h := corr.NewHistograms(corr.PaperBins(x), corr.PaperBins(y), [][2]int{{0, 0}})
	if err := h.Add(x, y); err != nil {
		fmt.Println(err)
		return
	}
	i := h.Information()[0]
	fmt.Printf("units %d and %d share %.2f nats\n", i.A, i.B, i.PlugIn-i.Bias)
	// Output: units 0 and 0 share 0.22 nats
}

func ExampleBenjaminiHochberg() {
	for _, q := range corr.BenjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.5}) {
		fmt.Printf("%.4f\n", q)
	}
	// Output:
	// 0.0400
	// 0.0533
	// 0.0533
	// 0.5000
}

// The correlations between the units of two networks alone: for many units.
func ExampleCrossMoments() {
	m := corr.NewCrossMoments(2, 3)
	a := []float32{1, 0, 2, 0, 3, 1, 4, 1} // 4 observations of 2 units
	b := []float32{2, 0, 0, 4, 0, -1, 6, 5, 0, 8, 5, -1}
	if err := m.Add(4, a, b); err != nil {
		log.Fatal(err)
	}
	m.Close()
	fmt.Printf("%.2f\n", mat.Formatted(m.Correlation(nil)))
	// Output:
	// ⎡ 1.00   0.89  -0.45⎤
	// ⎣ 0.89   1.00   0.00⎦
}
