package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
)

// activity is claim 4.
func activity(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return l.Activity != nil })
	if len(layers) == 0 {
		return nil
	}
	first := layers[0]
	a, text := first.Activity, ""
	sentence(&text, "In %s the sorted mean activations of two networks differ by %s of the area between them and 0. Were the units of both dealt out at random, they would differ by %s (p = %s).",
		first.Title.Short, percent(a.Distance.Value), percent(a.Distance.Null), significantDigits(a.Distance.P))
	if a.Untrained != nil {
		sentence(&text, "From those of untrained networks they differ by %s.", percent(a.Untrained))
	}
	return &claim{ID: "activity", Title: "Do mean activations agree?", Layers: layers,
		Number:   fmt.Sprintf("%s apart, %s by chance", percent(a.Distance.Value), percent(a.Distance.Null)),
		Sentence: text,
		Paper:    "nearly identical curves; no distance",
		drawings: []drawing{drawActivity(c, layers)},
	}
}

// Signed says whether a unit is negative on average.
func (l layer) Signed() bool {
	for _, means := range l.MeanSorted {
		if len(means) > 0 && slices.Min(means) < 0 {
			return true
		}
	}
	return false
}

// activityFloor is what share of the most active unit's activation a unit must have to be drawn
// on a logarithmic scale, where others would press those that matter together.
const activityFloor = 1e-4

// shownMeans are a network's mean activations as a curve shows them: on a linear scale, if
// any is negative, all.
func shownMeans(means []float64, linear bool) []float64 {
	shown := slices.Clone(means)
	for u, v := range shown {
		if !linear && v <= activityFloor*slices.Max(means) {
			shown[u] = math.NaN()
		}
	}
	return shown
}

func drawActivity(c *contents, layers []layer) drawing {
	d := drawing{name: "activity", caption: "Mean activations of the units of each network, sorted.",
		paper: "The paper found them to lie almost on one curve, the most and least active one to two orders of magnitude apart.",
		data:  [][]string{{"layer", "network", "rank", "mean_activation"}}}
	logarithmic := false
	for _, l := range layers {
		logarithmic = logarithmic || !l.Signed()
		for net, means := range l.MeanSorted {
			for i, v := range means {
				d.data = append(d.data, []string{l.Name, c.networks[net].Full, fmt.Sprint(i + 1), cell(v)})
			}
		}
	}
	if logarithmic {
		d.caption += " On logarithmic scales a unit is left out that has less than a 10 000th of the activation of its network's most active one."
	}
	// Colours, and then the same dashed.
	if len(c.networks) <= 2*len(palette) {
		for n := range c.networks {
			d.key = append(d.key, entry{c.network(n), palette[n%len(palette)], n >= len(palette)})
		}
	} else {
		d.caption += fmt.Sprintf(" There are %d networks, more than there are colours.", len(c.networks))
	}
	d.layerPanels(layers, func(l layer) *plot.Plot {
		p := newPlot("unit, sorted", "", layerPanelWidth)
		for n, means := range l.MeanSorted {
			curve(p, shownMeans(means, l.Signed()), palette[n%len(palette)], n/len(palette)%2 == 1)
		}
		if !l.Signed() {
			logScale(&p.Y)
		}
		return p
	})
	return d
}
