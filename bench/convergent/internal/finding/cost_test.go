package finding

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// mixtures are two networks of so many units, rectified mixtures of common signals and noise of
// their own.
type mixtures struct{ units int }

const mixtureImages, mixtureSignals = 1000, 64

func (m mixtures) Description() *source.Description {
	d := &source.Description{Aligned: []source.Aligned{{Name: "layer", Layers: []int{0, 0}}}, Samples: mixtureImages, ImageCount: mixtureImages}
	for range 2 {
		d.Networks = append(d.Networks, source.Network{Layers: []source.Layer{{Name: "layer", Units: m.units}}})
	}
	return d
}

func (m mixtures) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		rnd := rand.New(rand.NewPCG(1, 41))
		signals, common := make([]float32, mixtureImages*mixtureSignals), make([]float32, mixtureSignals*m.units)
		for _, x := range [][]float32{signals, common} {
			for i := range x {
				x[i] = float32(rnd.NormFloat64())
			}
		}
		b := new(source.Batch)
		for i := range mixtureImages {
			b.Images = append(b.Images, uint64(i))
		}
		for range 2 {
			weights, data := make([]float32, len(common)), make([]float32, mixtureImages*m.units)
			for i, v := range common {
				weights[i] = v + float32(rnd.NormFloat64())
			}
			for i := range mixtureImages {
				row := data[i*m.units:][:m.units]
				for k, s := range signals[i*mixtureSignals:][:mixtureSignals] {
					for u, w := range weights[k*m.units:][:m.units] {
						row[u] += s * w / 8
					}
				}
				for u := range row {
					row[u] = max(0, row[u]+float32(0.5*rnd.NormFloat64()))
				}
			}
			b.Networks = append(b.Networks, []source.Tensor{{Samples: mixtureImages, Positions: 1, Units: m.units, Data: data}})
		}
		yield(b, nil)
	}
}

// BenchmarkCost is the seconds that each finding takes of two networks of so many units at 1,000
// images: the table of bench/README.md.
func BenchmarkCost(b *testing.B) {
	for _, units := range []int{64, 128, 256, 512, 1024, 2048, 4096} {
		b.Run(fmt.Sprint(units), func(b *testing.B) {
			for b.Loop() {
				for name, seconds := range findingCosts(b, units) {
					b.ReportMetric(seconds, name+"-s")
				}
			}
		})
	}
}

// findingCosts are the seconds of each finding at one layer.
func findingCosts(t testing.TB, units int) map[string]float64 {
	ctx := context.Background()
	start := time.Now()
	o, err := observe.Run(ctx, mixtures{units}, observe.Plan{Sample: true, Gram: 2048, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	costs := map[string]float64{"observe": time.Since(start).Seconds()}
	l := o.Layers[0]
	l.Gather()
	c := &layer{Layer: l, Options: Options{Analysis: results.Analysis{Lambdas: []float64{0.1, 0.25, 0.5}, Draws: 100, Shuffles: 199, Gram: 2048, Seed: 1}}, result: new(results.Layer)}
	c.images = newCrossFit(l.Groups, l.Folds)
	for _, find := range findings {
		name := runtime.FuncForPC(reflect.ValueOf(find).Pointer()).Name()
		name = name[strings.LastIndex(name, ".")+1:]
		start := time.Now()
		if err := find(c, ctx); err != nil {
			t.Fatal(err)
		}
		costs[name] = time.Since(start).Seconds()
	}
	return costs
}
