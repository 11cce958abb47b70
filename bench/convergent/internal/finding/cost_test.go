package finding

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// BenchmarkCost prints the table of bench/README.md: seconds that each finding takes of two
// networks of so many units at 1,000 images, and the exponent p to which it grows from one
// width to the next, as width^p.
//
//	go test -run none -bench Cost/1024 -benchtime 1x ./bench/convergent/internal/finding
func BenchmarkCost(b *testing.B) {
	for _, units := range []int{64, 128, 256, 512, 1024, 2048} {
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
	o, err := observe.Run(ctx, &draw{newPopulation(units, 1, true), 1000, 1}, observe.Plan{Sample: true, Gram: 2048, Seed: 1})
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
