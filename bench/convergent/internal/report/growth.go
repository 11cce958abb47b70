package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// rotationExcess is how much more matched units correlate than rotated ones.
func rotationExcess(l results.LayerSummary) *float64 {
	if l.Matched == nil || l.Rotated == nil {
		return nil
	}
	d := *l.Matched - *l.Rotated
	return &d
}

// growth is when units converge.
func growth(c *contents) *claim {
	g := c.Results.Growth
	if len(g) < 2 || len(g[0].Layers) == 0 {
		return nil
	}
	before, after := g[0].Layers[0], g[len(g)-1].Layers[0]
	end := "."
	if before.Matched != nil && after.Matched != nil && *after.Matched < *before.Matched-0.01 {
		end = ": training makes units differ."
	}
	text := ""
	sentence(&text, "Matched units of %s correlate by so much more than rotated ones do. Their correlation itself goes from %s to %s%s", before.Name, decimals(2, before.Matched), decimals(2, after.Matched), end)
	return &claim{ID: "growth", Title: "When do units converge?",
		Number:   fmt.Sprintf("In %s matched units are beyond rotated ones by %s before, %s after training", before.Name, difference(rotationExcess(before)), difference(rotationExcess(after))),
		Sentence: text,
		drawings: []drawing{drawGrowth(g)},
	}
}

// difference writes a number with its sign.
func difference(x *float64) string {
	if x == nil {
		return dash
	}
	return minus(fmt.Sprintf("%+.2f", *x))
}

// widths is whether wider networks are more alike.
func widths(c *contents) *claim {
	w := c.Results.Widths
	if len(w) < 2 || len(w[0].Layers) == 0 {
		return nil
	}
	first, last := w[0], w[len(w)-1]
	a, b := first.Layers[0], last.Layers[0]
	text := ""
	sentence(&text, "Matched units of %s correlate by so much more than rotated ones do, in two networks of %g and of %g times the channels. Their correlation itself is %s and %s.",
		a.Name, first.Width, last.Width, decimals(2, a.Matched), decimals(2, b.Matched))
	return &claim{ID: "widths", Title: "Are wider networks more alike?",
		Number:   fmt.Sprintf("In %s matched units are beyond rotated ones by %s at width %g, %s at %g", a.Name, difference(rotationExcess(a)), first.Width, difference(rotationExcess(b)), last.Width),
		Sentence: text,
		drawings: []drawing{drawWidths(w)},
	}
}

// summaryTitles are the names of layers.
func summaryTitles(layers []results.LayerSummary) []name {
	var names []string
	for _, l := range layers {
		names = append(names, l.Name)
	}
	return shortNames(names)
}

func drawGrowth(checkpoints []results.Checkpoint) drawing {
	titles := summaryTitles(checkpoints[0].Layers)
	d := drawing{name: "growth", key: layerKey(titles),
		caption: "When units converge: matched r of networks at the same epoch less that of rotated units (left), and the correlation of a unit with itself at the end of training (right), in means over units and networks.",
		data:    [][]string{{"epoch", "layer", "matched_r", "rotated_r", "final_r"}}}
	for _, s := range checkpoints {
		for _, l := range s.Layers {
			d.data = append(d.data, []string{fmt.Sprint(s.Epoch), l.Name, cell(l.Matched), cell(l.Rotated), cell(l.Final)})
		}
	}
	excess, self := newPlot("epoch", "beyond rotated units", panelWidth), newPlot("epoch", "with itself at the end", panelWidth)
	for i := range titles {
		var margins, selves plotter.XYs
		for _, s := range checkpoints {
			margins = appendPoint(margins, float64(s.Epoch), rotationExcess(s.Layers[i]))
			selves = appendPoint(selves, float64(s.Epoch), s.Layers[i].Final)
		}
		line(excess, titles[i].Short, margins, layerColour(i, len(titles)), false)
		line(self, titles[i].Short, selves, layerColour(i, len(titles)), false)
	}
	for _, p := range []*chart{excess, self} {
		p.Y.Min = min(0, p.Y.Min)
	}
	d.panels(panelWidth, panelHeight, []*chart{excess, self})
	return d
}

// appendPoint appends a point, if it is known.
func appendPoint(pts plotter.XYs, x float64, y *float64) plotter.XYs {
	if y == nil {
		return pts
	}
	return append(pts, plotter.XY{X: x, Y: *y})
}

func drawWidths(widths []results.Width) drawing {
	titles := summaryTitles(widths[0].Layers)
	d := drawing{name: "widths", width: 560, height: 280, key: layerKey(titles),
		caption: "Matched r of two networks by their width, in multiples of 32, 64, 96, 96 and 64 units. Dashed: of rotated units.",
		data:    [][]string{{"width", "layer", "units", "matched_r", "rotated_r"}}}
	for _, w := range widths {
		for i, l := range w.Layers {
			d.data = append(d.data, []string{cell(w.Width), l.Name, fmt.Sprint(w.Units[i]), cell(l.Matched), cell(l.Rotated)})
		}
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("width", "matched r", d.width)
		for i := range titles {
			var own, rotated plotter.XYs
			for _, w := range widths {
				own = appendPoint(own, w.Width, w.Layers[i].Matched)
				rotated = appendPoint(rotated, w.Width, w.Layers[i].Rotated)
			}
			line(p, titles[i].Short, own, layerColour(i, len(titles)), false)
			line(p, titles[i].Short+", rotated null", rotated, layerColour(i, len(titles)), true)
		}
		logScale(&p.X)
		p.Y.Min = min(0, p.Y.Min)
		drawPlot(p, c)
	}
	return d
}
