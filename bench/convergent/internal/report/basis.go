package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// basis is claim 3.
func basis(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return l.Basis != nil })
	if len(layers) == 0 {
		return nil
	}
	text := ""
	sentence(&text, "Between a random basis (0, distributed) and the best aligned one (1, local) the networks' own units lie at %s; their principal axes, between random directions and aligned ones, at %s.",
		endpoints(layers, " and at ", func(l layer) string { return decimals(2, l.Basis.Index.Value) }),
		endpoints(layers, " and at ", func(l layer) string { return decimals(2, l.Basis.AxesIndex.Value) }))
	if layers[0].Basis.UntrainedIndex != nil {
		sentence(&text, "Units of untrained networks lie at %s: so much of it the architecture has by itself. %s",
			endpoints(layers, " and at ", func(l layer) string { return decimals(2, l.Basis.UntrainedIndex) }), addedLocality(layers))
	}
	return &claim{ID: "basis", Title: "Is the code local or distributed?", Layers: layers,
		Number: "The index of locality is " + endpoints(layers, " and ", func(l layer) string { return decimals(2, l.Basis.Index.Value) }),
		answer: &answer{"Index of locality, from 0, a random basis, to 1, the best aligned one.", "random basis", func(l layer) answerPoint {
			p, chance := pointOf(l.Basis.Index, l.Basis.UntrainedIndex), 0.0
			p.chance = &chance
			return p
		}},
		Sentence: text,
		Paper:    "a mix of a local and a somewhat distributed code; no figure",
		drawings: []drawing{drawBases(layers)},
	}
}

// addedLocality says where training is known to have added to the index: where the interval
// is above 0, over networks, or of two networks over images.
func addedLocality(layers []layer) string {
	var more, less, open []string
	over := "networks"
	for _, l := range layers {
		g := l.Basis.Gain
		if g == nil {
			continue
		}
		i := g.Networks
		if i == nil {
			i, over = g.Images, "images"
		}
		switch {
		case i != nil && i.Low > 0:
			more = append(more, l.Title.Short)
		case i != nil && i.High < 0:
			less = append(less, l.Title.Short)
		default:
			open = append(open, l.Title.Short)
		}
	}
	text := ""
	for _, part := range []struct {
		says   string
		layers []string
	}{{"That training made the code more local is shown in %s (95 %% over " + over + ").", more}, {"It made it less local in %s.", less}, {"That it changed it is not shown in %s.", open}} {
		if len(part.layers) > 0 {
			sentence(&text, part.says, list(part.layers, namedLayers))
		}
	}
	return text
}

func drawBases(layers []layer) drawing {
	d := drawing{name: "bases", key: layerKey(titles(layers)),
		caption: "Mean correlation of matched units after the second network's basis was turned by an angle, on average over planes, from its own basis (0°) to a random one (90°); units have variance 1. Left: from the networks' units; right: from their principal axes, with r in size. " +
			"If single units meant nothing, the curves on the left would be flat. Dots: after the rotation that brings the second network's nearest to the first's.",
		data: [][]string{{"layer", "degrees", "units_r", "axes_r"}}}
	units, axes := newPlot("degrees", "matched r", panelWidth), newPlot("degrees", "matched r", panelWidth)
	units.Title.Text, axes.Title.Text = "units", "principal axes"
	for i, l := range layers {
		colour := layerColour(i, len(layers))
		var own, principal plotter.XYs
		for j, angle := range l.Basis.Degrees {
			d.data = append(d.data, []string{l.Name, cell(angle), cell(l.Basis.Units[j]), cell(l.Basis.Axes[j])})
			own = append(own, plotter.XY{X: angle, Y: l.Basis.Units[j]})
			principal = append(principal, plotter.XY{X: angle, Y: l.Basis.Axes[j]})
		}
		line(units, l.Title.Short, own, colour, false)
		dots(units, l.Title.Short+", aligned", plotter.XYs{{X: 0, Y: l.Basis.Aligned}}, colour)
		line(axes, l.Title.Short, principal, colour, false)
		dots(axes, l.Title.Short+", aligned", plotter.XYs{{X: 0, Y: l.Basis.AlignedAxes}}, colour)
	}
	highest, lowest := max(0.8, units.Y.Max, axes.Y.Max), min(0, units.Y.Min, axes.Y.Min)
	for _, p := range []*chart{units, axes} {
		p.Y.Min, p.Y.Max = lowest, highest
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 30, Label: "30"}, {Value: 60, Label: "60"}, {Value: 90, Label: "90"}}
	}
	d.panels(panelWidth, panelHeight, []*chart{units, axes})
	return d
}
