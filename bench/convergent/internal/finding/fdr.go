package finding

import (
	"maps"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// FalseDiscoveries sets the q-values of measures: of one family of tests, which are those of
// all measures, pairs of networks and layers.
func FalseDiscoveries(layers []results.Layer) {
	var p []float64
	each := func(fn func(m *results.Measure)) {
		for _, l := range layers {
			for _, pair := range l.Pairs {
				for _, name := range slices.Sorted(maps.Keys(pair.Measures)) {
					m := pair.Measures[name]
					fn(&m)
					pair.Measures[name] = m
				}
			}
		}
	}
	each(func(m *results.Measure) {
		if m.P == nil {
			p = append(p, math.NaN())
		} else {
			p = append(p, *m.P)
		}
	})
	q := corr.BenjaminiHochberg(p)
	each(func(m *results.Measure) { m.Q, q = results.Finite(q[0]), q[1:] })
}
