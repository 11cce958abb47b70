package finding

import (
	"strings"

	"github.com/convergent-go/convergent/corr"
)

// undirectedMeasure is a measure, or the mean of its two directions.
type undirectedMeasure struct {
	corr.Measure
	name     string
	of       []int // places in allMeasures
	interval intervalKind
}

// undirected is the name of a measure without its direction.
func undirected(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, "_ab"), "_ba")
}

func undirectedMeasures() []undirectedMeasure {
	var all []undirectedMeasure
	place := make(map[string]int)
	for i, m := range allMeasures() {
		name := undirected(m.Name)
		at, known := place[name]
		if !known {
			at = len(all)
			place[name] = at
			all = append(all, undirectedMeasure{Measure: m, name: name, interval: measureIntervals[m.Name]})
		}
		all[at].of = append(all[at].of, i)
	}
	return all
}

// value is that of a pair of networks whose measures are given.
func (m undirectedMeasure) value(measures []float64) (v float64) {
	for _, i := range m.of {
		v += measures[i] / float64(len(m.of))
	}
	return v
}

// figure is that of all pairs of networks, of figures of all measures.
func (m undirectedMeasure) figure(measures []pairFigure) pairFigure {
	if len(m.of) == 1 {
		return measures[m.of[0]]
	}
	return bothWays(measures[m.of[0]], measures[m.of[1]])
}
