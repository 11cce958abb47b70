package finding

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// population is two networks of which any number of images can be drawn: units mix signals
// that belong in part to the image and in part to the position, with noise of their own.
type population struct {
	units, positions int
	relu             bool
	weights          [2][]float64
}

func newPopulation(units, positions int, relu bool) *population {
	p := &population{units: units, positions: positions, relu: relu}
	rnd := rand.New(rand.NewPCG(11, 12))
	for n := range p.weights {
		for i := range units * units {
			w := 0.35 * rnd.NormFloat64()
			if i%(units+1) == 0 {
				w += 1.5 * float64(i/units+1) / float64(units)
			}
			p.weights[n] = append(p.weights[n], w)
		}
	}
	return p
}

// draw is a source of some images of a population.
type draw struct {
	*population
	images int
	seed   uint64
}

func (d *draw) Description() *source.Description {
	s := &source.Description{Aligned: []source.Aligned{{Name: "layer", Layers: []int{0, 0}}}, Samples: d.images, ImageCount: d.images}
	for range 2 {
		l := source.Layer{Name: "layer", Units: d.units, Extents: []int{d.positions}}
		s.Networks = append(s.Networks, source.Network{Layers: []source.Layer{l}})
	}
	return s
}

func (d *draw) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		rnd := rand.New(rand.NewPCG(d.seed, 1))
		const size = 1000
		for lo := 0; lo < d.images; lo += size {
			b := new(source.Batch)
			var data [2][]float32
			for i := lo; i < min(d.images, lo+size); i++ {
				b.Images = append(b.Images, uint64(i))
				d.image(rnd, &data)
			}
			for net := range data {
				b.Networks = append(b.Networks, []source.Tensor{{Samples: len(b.Images), Positions: d.positions, Units: d.units, Data: data[net]}})
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// image draws the activations of an image.
func (d *draw) image(rnd *rand.Rand, data *[2][]float32) {
	image, signals := make([]float64, d.units), make([]float64, d.units)
	for k := range image {
		image[k] = rnd.NormFloat64()
	}
	for range d.positions {
		for k := range signals {
			signals[k] = 0.7*image[k] + 0.7*rnd.NormFloat64()
		}
		for net := range data {
			for u := range d.units {
				v := 0.5 * rnd.NormFloat64()
				for k, s := range signals {
					v += d.weights[net][u*d.units+k] * s
				}
				if d.relu {
					v = max(0, v)
				}
				data[net] = append(data[net], float32(v))
			}
		}
	}
}

// figures are what is found in a draw, by name.
func (d *draw) figures(t *testing.T) map[string]results.Measure {
	t.Helper()
	o, err := observe.Run(context.Background(), d, observe.Plan{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Layer(context.Background(), o.Layers[0], Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 1, Seed: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := l.Pairs[0].Measures
	for _, f := range l.Figures() {
		all[f.Name] = f.Measure
	}
	return all
}

// sampleSets is how many samples of a population are drawn: CONVERGENT_SETS, or a few.
func sampleSets(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("CONVERGENT_SETS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 40
}

// alike returns the same population with networks that are more alike, or have nothing in common:
// signals of their own.
func (p *population) alike(share float64) *population {
	for n, weights := range p.weights {
		for i := range weights {
			unit, signal := i/p.units, i%p.units
			switch {
			case share > 0:
				if weights[i] *= 0.3; unit == signal {
					weights[i] = share
				}
			case signal%2 != n:
				weights[i] = 0
			}
		}
	}
	return p
}

// TestIntervalsCover draws samples of populations: of networks that have much, little or nothing
// in common, of few images and many. Of the 95 % intervals of every figure that has one, 91 % or
// more hold what they are of: corrected ones the figure of the population, the others what so
// many images give on average. Corrected ones hold it in 99 % at most, but for what chance does
// to the share of so many samples, and there are none of so few images that they do not.
func TestIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("many samples")
	}
	sets := sampleSets(t)
	slack := 2.5 * math.Sqrt(0.95*0.05/float64(sets))
	for name, p := range map[string]struct {
		*population
		images  int
		figures int // that have intervals, at least
	}{
		"gaussian":               {newPopulation(16, 1, false), 300, 13},
		"rectified":              {newPopulation(16, 1, true), 300, 13},
		"rectified, positions":   {newPopulation(8, 4, true), 300, 13},
		"rectified, many images": {newPopulation(8, 1, true), 3000, 13},
		"much in common":         {newPopulation(16, 1, true).alike(1.5), 100, 13},
		"nothing in common":      {newPopulation(16, 1, true).alike(0), 100, 13},
		"fewest images":          {newPopulation(24, 1, true), imagesPerUnit * 24, 13},
		"few images":             {newPopulation(24, 1, true), 24, 2},
		"few, nothing in common": {newPopulation(24, 1, false).alike(0), 16, 2},
	} {
		t.Run(name, func(t *testing.T) {
			truth := sync.OnceValue(func() map[string]results.Measure {
				return (&draw{p.population, 200_000 / p.positions, 99}).figures(t)
			})
			figures := make(map[string][]results.Measure)
			for set := range sets {
				for name, m := range (&draw{p.population, p.images, uint64(set)}).figures(t) {
					if m.Images != nil {
						figures[name] = append(figures[name], m)
					}
				}
			}
			if few := p.figures < 13; len(figures) < p.figures || few && len(figures["cka"]) > 0 {
				t.Errorf("%d figures have intervals", len(figures))
			}
			for name, all := range figures {
				average, width := 0.0, 0.0
				for _, m := range all {
					average += *m.Value / float64(len(all))
					width += (m.Images.High - m.Images.Low) / float64(len(all))
				}
				corrected := all[0].Corrected != nil
				of := average
				if corrected {
					of = *truth()[name].Value
				}
				inside := 0.0
				for _, m := range all {
					if m.Images.Low <= of && of <= m.Images.High {
						inside++
					}
				}
				share := inside / float64(len(all))
				t.Logf("%-20s %.4f, intervals of %.4f: %.1f %%", name, of, width, 100*share)
				if share < 0.91-slack || share > 0.99+slack && corrected {
					t.Errorf("%s: %.1f %% of the intervals hold %v", name, 100*share, of)
				}
			}
		})
	}
}
