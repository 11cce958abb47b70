package finding

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// wide is two networks of layers of these many units, which have something in common.
type wide struct {
	units  []int
	images int
}

func (s wide) Description() *source.Description {
	d := &source.Description{Samples: s.images, ImageCount: s.images, Networks: make([]source.Network, 2)}
	for n := range d.Networks {
		for _, units := range s.units {
			d.Networks[n].Layers = append(d.Networks[n].Layers, source.Layer{Units: units})
		}
	}
	return d
}

func (s wide) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		const causes = 40 // of what units of all layers do
		rnd := rand.New(rand.NewPCG(1, 2))
		normal := func(n int) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rnd.NormFloat64())
			}
			return x
		}
		common := normal(s.images * causes)
		b := &source.Batch{Images: make([]uint64, s.images), Networks: make([][]source.Tensor, 2)}
		for i := range b.Images {
			b.Images[i] = uint64(i)
		}
		for n := range b.Networks {
			for _, units := range s.units {
				t := source.Tensor{Samples: s.images, Positions: 1, Units: units, Data: normal(s.images * units)}
				weights := normal(units)
				for i := range t.Data {
					image, unit := i/units, i%units
					t.Data[i] = max(0, t.Data[i]+weights[unit]*common[image*causes+unit%causes])
				}
				b.Networks[n] = append(b.Networks[n], t)
			}
		}
		yield(b, nil)
	}
}

// BenchmarkGrids compares 20 layers with 20, of as many units as convolutions of ResNet-50 have.
func BenchmarkGrids(b *testing.B) {
	s := wide{[]int{64, 64, 256, 64, 256, 128, 512, 128, 128, 512, 256, 256, 1024, 256, 256, 1024, 512, 512, 2048, 512}, 1000}
	o, err := observe.Run(context.Background(), s, observe.Plan{Grid: true, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Grids(context.Background(), o.Grid, Options{Analysis: results.Analysis{Shuffles: 199, Seed: 1}}); err != nil {
			b.Fatal(err)
		}
	}
}
