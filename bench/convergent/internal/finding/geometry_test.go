package finding

import (
	"context"
	"math"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// TestGeometryIntervals: of intervals over images of the measures that have one, about 95 %
// hold the figure of the population. Others have none: mutual neighbours are not a figure of
// a population, but of as many images.
func TestGeometryIntervals(t *testing.T) {
	if testing.Short() {
		t.Skip("many samples")
	}
	sets := sampleSets(t)
	slack := 2.5 * math.Sqrt(0.95*0.05/float64(sets))
	for name, p := range map[string]*population{
		"gaussian":             newPopulation(16, 1, false),
		"rectified, positions": newPopulation(8, 4, true),
	} {
		features := func(images int, seed uint64) *observe.Layer {
			o, err := observe.Run(context.Background(), &draw{p, images, seed}, observe.Plan{Gram: images, Seed: 1, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			return o.Layers[0]
		}
		truth, err := features(50_000, 99).Features.Pair(0, 1).CKA()
		if err != nil {
			t.Fatal(err)
		}
		inside := make(map[string]int)
		for set := range sets {
			l := &layer{Layer: features(300, uint64(set)), Options: Options{Threads: 1, Analysis: results.Analysis{Seed: 1}}, result: &results.Layer{Pairs: []results.Pair{{A: 0, B: 1}}}}
			if err := l.geometry(context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, m := range l.result.Geometry.Measures {
				i := m.Mean.Images
				if i == nil {
					continue
				}
				if inside[m.Name] += 0; i.Low <= truth && truth <= i.High {
					inside[m.Name]++
				}
			}
		}
		if len(inside) != 2 {
			t.Errorf("%s: %d measures have intervals", name, len(inside))
		}
		for measure, n := range inside {
			share := float64(n) / float64(sets)
			t.Logf("%s, %s: %.1f %% hold %.4f", name, measure, 100*share, truth)
			if share < 0.92-slack || share > 0.98+slack {
				t.Errorf("%s, %s: %.1f %% of the intervals hold %v", name, measure, 100*share, truth)
			}
		}
	}
}

// TestGeometry compares with inner products of the images' means, in the order of images.
func TestGeometry(t *testing.T) {
	const images, shuffles = 90, 39
	d := &draw{newPopulation(8, 4, true), images, 3}
	o, err := observe.Run(context.Background(), d, observe.Plan{Gram: images, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	found := func(shuffles int) *results.Geometry {
		l := &layer{Layer: o.Layers[0], Options: Options{Analysis: results.Analysis{Shuffles: shuffles, Seed: 1}}, result: &results.Layer{Pairs: []results.Pair{{A: 0, B: 1}}}}
		if err := l.geometry(context.Background()); err != nil {
			t.Fatal(err)
		}
		return l.result.Geometry
	}
	var grams []*corr.Gram
	for b := range d.Batches(context.Background()) {
		for _, network := range b.Networks {
			x := network[0]
			g := corr.NewGram(images)
			if err := g.Add(nil, corr.NHWC(x.Data, images, 1, x.Positions, x.Units).Pool()); err != nil {
				t.Fatal(err)
			}
			grams = append(grams, g)
		}
	}
	pair, err := corr.NewGramPair(grams[0], grams[1])
	if err != nil {
		t.Fatal(err)
	}
	rbf, err := pair.RBF(0.4)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]float64)
	for name, of := range map[string]func() (float64, error){
		"mutual_neighbours": func() (float64, error) { return pair.MutualNeighbours(10, corr.CosineDistance) },
		"rsa":               func() (float64, error) { return pair.RSA(corr.EuclideanDistance) },
		"rbf_cka":           rbf.CKA, "cka": pair.CKA, "debiased_cka": pair.DebiasedCKA,
	} {
		if want[name], err = of(); err != nil {
			t.Fatal(err)
		}
	}
	g := found(shuffles)
	if g.Images != images || len(g.Measures) != len(want) {
		t.Errorf("%d measures of %d images", len(g.Measures), g.Images)
	}
	for _, m := range g.Measures {
		f := m.Mean
		if !almost(*f.Value, want[m.Name]) || *m.Pairs[0].Value != *f.Value {
			t.Errorf("%s is %v, want %v", m.Name, *f.Value, want[m.Name])
		}
		if *f.P != 1./(shuffles+1) || !(*f.Null < *f.Limit && *f.Limit < *f.Value) || !almost(*f.Calibrated, (*f.Value-*f.Limit)/(1-*f.Limit)) {
			t.Errorf("%s: %v, null %v, limit %v, p %v, calibrated %v", m.Name, *f.Value, *f.Null, *f.Limit, *f.P, *f.Calibrated)
		}
	}
	if chance := *g.Measures[0].Mean.Null; math.Abs(chance-10./(images-1)) > 0.01 {
		t.Errorf("mutual neighbours are %v by chance, want %v", chance, 10./(images-1))
	}
	for _, m := range found(0).Measures {
		if m.Mean.Value == nil || m.Mean.Null != nil || m.Mean.P != nil || m.Mean.Limit != nil || m.Mean.Calibrated != nil {
			t.Errorf("%s without exchanges: %+v", m.Name, m.Mean)
		}
	}
}

// TestLimit: p is 0.05 or less beyond the limit, and nowhere else.
func TestLimit(t *testing.T) {
	for _, draws := range []int{19, 39, 199} {
		var chance corr.Null
		for d := range draws {
			chance.Draws = append(chance.Draws, float64(d*7919%draws))
		}
		for v := -0.5; v < float64(draws)+1; v++ {
			if beyond, p := v > limitOf(chance, false), chance.PValue(v); beyond != (p <= 0.05+1e-12) {
				t.Errorf("%d draws: %v has p = %v beside a limit of %v", draws, v, p, limitOf(chance, false))
			}
		}
	}
	if !math.IsNaN(limitOf(corr.Null{Draws: make([]float64, 18)}, false)) {
		t.Error("18 draws have a limit of 5 %")
	}
}
