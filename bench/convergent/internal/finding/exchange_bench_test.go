package finding

import (
	"context"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// BenchmarkExchange is every measure of two networks of 96 units each at some 8,192
// observations, whose images are exchanged, a draw.
func BenchmarkExchange(b *testing.B) {
	o, err := observe.Run(context.Background(), &draw{newPopulation(96, 8, true), 1000, 1}, observe.Plan{Sample: true, Groups: 2, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	const draws = 40
	l := &layer{Layer: o.Layers[0], Options: Options{Analysis: results.Analysis{Shuffles: draws, Seed: 1}, Threads: 1}, result: &results.Layer{Pairs: []results.Pair{{A: 0, B: 1}}}}
	for b.Loop() {
		if err := l.exchange(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/draws*1e3, "ms/draw")
}
