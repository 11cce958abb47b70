package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// activity is claim 4.
func activity(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return l.Activity != nil })
	if len(layers) == 0 {
		return nil
	}
	first := layers[0]
	a, text := first.Activity, ""
	sentence(&text, "In %s the sorted mean activations of two networks differ by %s of the area between them and 0.", first.Title.Short, percent(a.Distance.Value))
	if e := a.Equivalence; e != nil {
		sentence(&text, "They count as equivalent at one layer if the 95 %% upper limit over other %s is below %.0f %%; of several layers, by the q-values of these tests.", e.Over, 100*e.Margin)
	} else {
		sentence(&text, "Whether they are equivalent cannot be tested: this needs three networks, or images in groups.")
	}
	if a.Initial != nil {
		sentence(&text, "Untrained networks differ by %s from each other, and by %s from themselves after training.", percent(a.Initial), percent(a.Untrained))
	}
	sentence(&text, "Were the units of both dealt out at random, the curves would differ by %s (p = %s); that they differ by no more is no proof that they agree.", percent(a.Distance.Null), significantDigits(a.Distance.P))
	number := fmt.Sprintf("In %s the curves are %s apart", first.Title.Short, percent(a.Distance.Value))
	if a.Equivalence != nil {
		number += fmt.Sprintf(", %s at most", percent(a.Equivalence.Upper))
	}
	return &claim{ID: "activity", Title: "Do mean activations agree?", Layers: layers,
		Number:   number,
		answer:   &answer{"Distance of the curves of sorted mean activations, as a share of the area beneath them: smaller is more alike.", "units dealt at random", func(l layer) answerPoint { return pointOf(l.Activity.Distance, l.Activity.Initial) }},
		Sentence: text,
		Paper:    "nearly identical curves; no distance",
		drawings: []drawing{drawActivity(c, layers)},
	}
}

// equivalent writes what a test of equivalence shows.
func equivalent(e *results.Equivalence) string {
	switch {
	case e == nil:
		return dash
	case e.Equivalent:
		return "yes"
	}
	return "not shown"
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

// hiddenMeans counts the units that curves leave out, and all.
func (l layer) hiddenMeans() (hidden, all int) {
	for _, means := range l.MeanSorted {
		for _, v := range shownMeans(means, l.Signed()) {
			if all++; math.IsNaN(v) {
				hidden++
			}
		}
	}
	return hidden, all
}

func drawActivity(c *contents, layers []layer) drawing {
	d := drawing{name: "activity", caption: "Mean activations of the units of each network, sorted.",
		paper: "The paper found them to lie almost on one curve, the most and least active one to two orders of magnitude apart.",
		data:  [][]string{{"layer", "network", "rank", "mean_activation"}}}
	var hidden []string
	for _, l := range layers {
		if n, all := l.hiddenMeans(); n > 0 {
			hidden = append(hidden, fmt.Sprintf("%d of %d in %s", n, all, l.Title.Short))
		}
		for net, means := range l.MeanSorted {
			for i, v := range means {
				d.data = append(d.data, []string{l.Name, c.networks[net].Full, fmt.Sprint(i + 1), cell(v)})
			}
		}
	}
	if len(hidden) > 0 {
		d.caption += fmt.Sprintf(" Not drawn are units that have no activation, or less than a ten-thousandth of the largest of their network: %s.", list(hidden, namedLayers))
	}
	// Colours, and then the same dashed.
	if len(c.networks) <= 2*len(palette) {
		for n := range c.networks {
			d.key = append(d.key, entry{c.network(n), palette[n%len(palette)], shape(n / len(palette))})
		}
	} else {
		d.caption += fmt.Sprintf(" There are %d networks, more than there are colours.", len(c.networks))
	}
	d.layerPanels(layers, func(l layer) *chart {
		p := newPlot("unit, sorted", "mean activation", layerPanelWidth)
		for n, means := range l.MeanSorted {
			line(p, c.network(n), ranked(p, shownMeans(means, l.Signed())), palette[n%len(palette)], n/len(palette)%2 == 1)
		}
		if !l.Signed() {
			logScale(&p.Y)
		}
		return p
	})
	return d
}
