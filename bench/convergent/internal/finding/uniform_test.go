package finding

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// strangers are two networks that have nothing in common but the places of an image that
// each of them sees: units are mixtures of signals of the image and of the observation.
type strangers struct {
	images, positions int
	effect            float64 // of the image, beside 1 of the observation
	shared            float64 // of signals that both networks have in common
	seed              uint64
}

const strangerUnits = 5

func (s *strangers) Description() *source.Description {
	d := &source.Description{Aligned: []source.Aligned{{Name: "layer", Layers: []int{0, 0}}}, Samples: s.images, ImageCount: s.images}
	for range 2 {
		d.Networks = append(d.Networks, source.Network{Layers: []source.Layer{{Name: "layer", Units: strangerUnits, Extents: []int{s.positions}}}})
	}
	return d
}

func (s *strangers) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		rnd := rand.New(rand.NewPCG(s.seed, 21))
		normal := func() (x [strangerUnits]float64) {
			for i := range x {
				x[i] = rnd.NormFloat64()
			}
			return x
		}
		b := new(source.Batch)
		var data [2][]float32
		for i := range s.images {
			b.Images = append(b.Images, uint64(i))
			common, own := normal(), [2][strangerUnits]float64{normal(), normal()}
			for at := range s.positions {
				for net := range data {
					for u, v := range normal() {
						v += s.effect*own[net][u] + s.shared*common[u] + math.Cos(float64(at*(u+1)+net))
						data[net] = append(data[net], float32(max(0, v+0.5*own[net][(u+1)%strangerUnits])))
					}
				}
			}
		}
		for net := range data {
			b.Networks = append(b.Networks, []source.Tensor{{Samples: s.images, Positions: s.positions, Units: strangerUnits, Data: data[net]}})
		}
		yield(b, nil)
	}
}

// pValues are those of exchanged images, by measure, and of claim 1.
func (s *strangers) pValues(t *testing.T, draws int) map[string]float64 {
	t.Helper()
	o, err := observe.Run(context.Background(), s, observe.Plan{Seed: s.seed, Sample: true, Groups: 2})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Layer(context.Background(), o.Layers[0], Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 1, Shuffles: draws, Groups: 1, Seed: s.seed}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := make(map[string]float64)
	for name, m := range l.Pairs[0].Measures {
		if m.P != nil {
			p[name] = *m.P
		}
	}
	for _, n := range l.Convergence.Nulls {
		if n.Name == "shuffle" {
			p["claim 1"] = *n.P
		}
	}
	return p
}

// TestUniformP: the p-values of networks that have nothing in common are uniform, by every
// measure, whether observations of an image are alike or not; those of networks that do
// have something in common are small.
func TestUniformP(t *testing.T) {
	draws, sets, every := 99, sampleSets(t), true
	if testing.Short() {
		draws, sets, every = 39, 20, false
	}
	for name, s := range map[string]strangers{
		"image effects":    {images: 60, positions: 12, effect: 1.5},
		"no image effects": {images: 60, positions: 12},
		"one position":     {images: 300, positions: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if !every && s.effect == 0 {
				t.Skip("many samples")
			}
			all := make(map[string][]float64)
			for set := range sets {
				s.seed = uint64(set + 1)
				for name, p := range s.pValues(t, draws) {
					all[name] = append(all[name], p)
				}
			}
			if len(all) < 18 {
				t.Errorf("%d figures have p-values", len(all))
			}
			// The limit of Kolmogorov and Smirnov's distance at 1 in 10,000: there are
			// dozens of tests.
			limit := math.Sqrt(-math.Log(1e-4/2)/2/float64(sets)) + 1/float64(draws+1)
			for name, p := range all {
				slices.Sort(p)
				d := 0.0
				for i, v := range p {
					d = max(d, math.Abs(v-float64(i)/float64(len(p))), math.Abs(float64(i+1)/float64(len(p))-v))
				}
				below, _ := slices.BinarySearch(p, 0.05+1e-9)
				t.Logf("%-12s distance %.3f, at most 0.05: %.3f", name, d, float64(below)/float64(len(p)))
				if len(p) != sets || d > limit {
					t.Errorf("%s: %d p-values, %.3f from uniform, limit %.3f", name, len(p), d, limit)
				}
			}
			s.shared, s.seed = 2, 1
			for name, p := range s.pValues(t, draws) {
				if p > 0.05 && name != "excess_ab" && name != "excess_ba" {
					t.Errorf("%s: p %v of networks that share signals", name, p)
				}
			}
		})
	}
}
