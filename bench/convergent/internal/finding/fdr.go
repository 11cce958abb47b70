package finding

import (
	"maps"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// FalseDiscoveries sets the q-values of measures, in two families of tests: all measures of
// each two networks at all layers; and all measures and figures of inner products in means
// over pairs at all layers.
func FalseDiscoveries(layers []results.Layer) {
	var pairs, means []func(set func(m *results.Measure))
	of := func(measures map[string]results.Measure) (all []func(set func(m *results.Measure))) {
		for _, name := range slices.Sorted(maps.Keys(measures)) {
			all = append(all, func(set func(m *results.Measure)) {
				m := measures[name]
				set(&m)
				measures[name] = m
			})
		}
		return all
	}
	for _, l := range layers {
		for _, p := range l.Pairs {
			pairs = append(pairs, of(p.Measures)...)
		}
		means = append(means, of(l.Measures)...)
		if l.Geometry != nil {
			for i := range l.Geometry.Measures {
				means = append(means, func(set func(m *results.Measure)) { set(&l.Geometry.Measures[i].Mean) })
			}
		}
	}
	for _, family := range [][]func(set func(m *results.Measure)){pairs, means} {
		p := make([]float64, len(family))
		for i, change := range family {
			change(func(m *results.Measure) {
				p[i] = math.NaN()
				if m.P != nil {
					p[i] = *m.P
				}
			})
		}
		for i, q := range corr.BenjaminiHochberg(p) {
			family[i](func(m *results.Measure) { m.Q = results.Finite(q) })
		}
	}
}
