package finding

import (
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// undirected is what a measure is called in the mean of its directions, and how many it has.
func undirected(m corr.Measure) (name string, directions float64) {
	if m.Symmetric {
		return m.Name, 1
	}
	return strings.TrimSuffix(strings.TrimSuffix(m.Name, "_ab"), "_ba"), 2
}

// layerMeasures are means over pairs of networks, and over both directions, of measures of
// each pair in the order of allMeasures.
func (l *layer) layerMeasures(perPair [][]corr.Jackknife) map[string]results.Measure {
	means, kinds := make(map[string]*pairMean), make(map[string]intervalKind)
	for i, m := range allMeasures() {
		name, directions := undirected(m)
		mean := means[name]
		if mean == nil {
			mean = &pairMean{pairs: make([]float64, len(perPair))}
			means[name], kinds[name] = mean, measureIntervals[m.Name]
		}
		for k, own := range perPair {
			mean.add(k, own[i], 1/directions)
		}
	}
	all := make(map[string]results.Measure)
	for name, mean := range means {
		all[name] = l.pairMeasure(*mean, kinds[name])
	}
	return all
}

// measureMeans are means over pairs and directions of the values of measures of each pair.
func measureMeans(perPair [][]float64) map[string]float64 {
	means := make(map[string]float64)
	for i, m := range allMeasures() {
		name, directions := undirected(m)
		for _, values := range perPair {
			means[name] += values[i] / directions / float64(len(perPair))
		}
	}
	return means
}

// layerNulls sets what means over pairs are by chance, of values of each pair in each draw
// and, last, of what was observed of the same images: a draw of the mean is the mean of the
// draws of all pairs that exchange images in the same way.
func (l *layer) layerNulls(values [][][]float64) {
	draws := make([]map[string]float64, len(values[0]))
	for d := range draws {
		ofDraw := make([][]float64, len(values))
		for k := range values {
			ofDraw[k] = values[k][d]
		}
		draws[d] = measureMeans(ofDraw)
	}
	observed := draws[len(draws)-1]
	for _, m := range allMeasures() {
		name, _ := undirected(m)
		var chance corr.Null
		for _, means := range draws[:len(draws)-1] {
			chance.Draws = append(chance.Draws, means[name])
		}
		l.result.Measures[name] = againstChance(l.result.Measures[name], chance, observed[name], m.Distance)
	}
}
