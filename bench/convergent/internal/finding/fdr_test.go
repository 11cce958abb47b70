package finding

import (
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// TestFalseDiscoveries: measures of all pairs and layers are one family, and what has no p
// has no q.
func TestFalseDiscoveries(t *testing.T) {
	of := func(p float64) results.Measure { return results.Measure{P: &p} }
	layers := []results.Layer{
		{Pairs: []results.Pair{{Measures: map[string]results.Measure{"cka": of(0.01), "rv": of(0.04), "cca": {}}}, {Measures: map[string]results.Measure{"cka": of(0.5)}}}},
		{Pairs: []results.Pair{{Measures: map[string]results.Measure{"cka": of(0.02)}}}},
	}
	FalseDiscoveries(layers)
	for _, c := range []struct {
		layer, pair int
		name        string
		want        float64
	}{{0, 0, "cka", 0.04}, {1, 0, "cka", 0.04}, {0, 0, "rv", 0.16 / 3}, {0, 1, "cka", 0.5}} {
		near(t, c.name, layers[c.layer].Pairs[c.pair].Measures[c.name].Q, c.want-1e-12, c.want+1e-12)
	}
	if q := layers[0].Pairs[0].Measures["cca"].Q; q != nil {
		t.Errorf("q %v without a p", *q)
	}
}
