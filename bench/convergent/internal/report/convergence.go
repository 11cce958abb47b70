package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// Nulls of the one-to-one matching.
const (
	rotationNull  = "rotation"
	inputNull     = "rotation_before"
	shuffleNull   = "shuffle"
	untrainedNull = "untrained"
)

// matchedNull returns the null of a name, or nil.
func matchedNull(l layer, name string) *results.MatchedNull {
	if l.Convergence == nil {
		return nil
	}
	for i := range l.Convergence.Nulls {
		if n := &l.Convergence.Nulls[i]; n.Name == name {
			return n
		}
	}
	return nil
}

// strictestNull is the strictest rotation that is known: of the inputs of the ReLU, or of
// what it makes of them; nil if neither is.
func strictestNull(l layer) *results.MatchedNull {
	if n := matchedNull(l, inputNull); n != nil {
		return n
	}
	return matchedNull(l, rotationNull)
}

// convergence is claim 1.
func convergence(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return matchedNull(l, rotationNull) != nil })
	if len(layers) == 0 {
		return nil
	}
	first := layers[0]
	rotated := "randomly rotated units"
	if strictestNull(first).Name == inputNull {
		rotated += ", rotated before the ReLU and as sparse as these,"
	}
	text := "So many units have a partner in another network that correlates more than 99 % of " + rotated + " do."
	sentence(&text, "Matched units correlate %s, rotated ones %s.",
		endpoints(layers, " and ", func(l layer) string { return interval(l.Convergence.Matched) }),
		endpoints(layers, " and ", func(l layer) string { return decimals(2, strictestNull(l).Mean) }))
	if strictestNull(first).Untrained != nil {
		sentence(&text, "Of untrained networks it is %s.", endpoints(layers, ", ", func(l layer) string { return percent(strictestNull(l).Untrained) }))
	}
	if c := first.Convergence.Converged; c != nil && c.Tests > 0 {
		sentence(&text, "At a false discovery rate of 5 %%, %s of matched units are found to have converged.", endpoints(layers, ", ", func(l layer) string { return percent(l.Convergence.Converged.Share.Value) }))
	}
	if f := first.Convergence.Features; len(f) > 0 {
		sentence(&text, "Features that all %d networks have: %s.", f[0].Networks, endpoints(layers, ", ", func(l layer) string { return fmt.Sprint(l.Convergence.Features[0].Count) }))
	}
	if untrained := matchedNull(first, untrainedNull); untrained != nil {
		networks := "Before training, the same networks"
		if c.pretrained() {
			networks = "Untrained networks of the same architecture"
		}
		end := "."
		if v, ok := valueOf(first.Convergence.Matched.Value); ok && untrained.Mean >= v {
			end = ": correlation alone proves nothing."
		}
		sentence(&text, "%s match by %s in %s%s", networks, decimals(2, untrained.Mean), first.Title.Short, end)
	}
	return &claim{ID: "convergence", Title: "Do features converge?", Layers: layers,
		Number: "Of the units, " + endpoints(layers, " and ", func(l layer) string { return percent(strictestNull(l).Exceedance.Value) }) + " are beyond 99 % of rotated ones",
		answer: &answer{"Share of units whose one-to-one partner correlates more than 99 % of rotated units do.", "rotated null", func(l layer) answerPoint {
			n, chance := strictestNull(l), 0.01
			p := pointOf(n.Exceedance, n.Untrained)
			p.chance = &chance
			return p
		}},
		Sentence: text,
		Paper:    "some do, others do not; mean r of matched units 0.66 in conv1, 0.38 in conv5; no null",
		drawings: []drawing{drawNulls(layers)},
	}
}

// nullDescriptions say what is matched, in a key and in a caption.
var nullDescriptions = map[string][2]string{
	rotationNull:  {"rotated null", "units of one network rotated at random in the space that they span"},
	inputNull:     {"rotated null before the ReLU", "units rotated before the ReLU and made as sparse as they were"},
	shuffleNull:   {"shuffled null", "networks that see different images"},
	untrainedNull: {"untrained", "networks before training"},
}

func drawNulls(layers []layer) drawing {
	d := drawing{name: "nulls", data: [][]string{{"layer", "series", "percentile", "r"}}, key: []entry{{"the networks", palette[0], asLine}}}
	var names, nulls []string // of all layers, of which not all may have the same
	for _, l := range layers {
		for _, n := range l.Convergence.Nulls {
			if slices.Contains(names, n.Name) {
				continue
			}
			description := nullDescriptions[n.Name]
			names, nulls = append(names, n.Name), append(nulls, description[1])
			d.key = append(d.key, entry{description[0], palette[len(names)], asDashes})
		}
	}
	d.caption = "The share of units whose matched partner correlates more than r, of all pairs of networks, beside what chance gives: " + list(nulls, len(nulls)) + "."
	series := func(l layer) [][]float64 {
		values := make([][]float64, len(d.key)) // nil: the layer has none
		values[0] = l.Convergence.Percentiles
		for _, n := range l.Convergence.Nulls {
			values[1+slices.Index(names, n.Name)] = n.Percentiles
		}
		return values
	}
	least := -0.1
	for _, l := range layers {
		for k, values := range series(l) {
			for i, v := range values {
				d.data = append(d.data, []string{l.Name, d.key[k].name, fmt.Sprint(i), cell(v)})
				least = min(least, v)
			}
		}
	}
	d.layerPanels(layers, func(l layer) *chart {
		p := newPlot("r", "share of units", layerPanelWidth)
		for k, values := range series(l) {
			if len(values) == 0 {
				continue
			}
			var pts plotter.XYs
			for i, v := range values {
				pts = append(pts, plotter.XY{X: v, Y: 1 - float64(i)/100})
			}
			line(p, d.key[k].name, pts, d.key[k].colour, d.key[k].shape == asDashes)
		}
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = least, 1, 0, 1
		return p
	})
	return d
}
