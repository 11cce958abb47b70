package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// answer is the figure that decides a claim, at all layers, beside what chance and untrained
// networks give.
type answer struct {
	shows  string // what is drawn
	chance string // what the chance is of
	of     func(l layer) answerPoint
}

// answerPoint is that of a layer; what is not known is nil.
type answerPoint struct {
	value, chance, untrained *float64
	interval                 *results.Interval
}

// pointOf is the point of a figure with what is beside it in it.
func pointOf(m results.Measure, untrained *float64) answerPoint {
	p := answerPoint{m.Value, m.Null, untrained, m.Networks}
	if p.interval == nil {
		p.interval = m.Images
	}
	return p
}

// drawAnswer draws the layers of a claim; no drawing, if nothing is known of them.
func drawAnswer(id string, layers []layer, a *answer) drawing {
	const width, height = 300, 170
	if a == nil {
		return drawing{}
	}
	d := drawing{name: "answer_" + id, width: width, height: height, caption: a.shows, data: [][]string{{"layer", "value", "low", "high", "chance", "untrained"}}}
	var values, chance, untrained, ends plotter.XYs
	for i, l := range layers {
		p := a.of(l)
		row := []string{l.Name, cell(p.value), "", "", cell(p.chance), cell(p.untrained)}
		values, chance, untrained = appendPoint(values, float64(i), p.value), appendPoint(chance, float64(i), p.chance), appendPoint(untrained, float64(i), p.untrained)
		if p.interval != nil {
			row[2], row[3] = cell(p.interval.Low), cell(p.interval.High)
			ends = append(ends, plotter.XY{X: float64(i), Y: p.interval.Low}, plotter.XY{X: float64(i), Y: p.interval.High})
		}
		d.data = append(d.data, row)
	}
	if len(values) == 0 {
		return drawing{}
	}
	d.key = []entry{{"these networks", palette[0], asDots}}
	if len(chance) > 0 {
		d.key = append(d.key, entry{a.chance, palette[4], asDashes})
	}
	if len(untrained) > 0 {
		d.key = append(d.key, entry{"untrained", palette[1], asLine})
	}
	if len(ends) > 0 {
		d.caption += " Bars: 95 % intervals."
	}
	p := newPlot("", "", width)
	line(p, a.chance, chance, palette[4], true)
	line(p, "untrained", untrained, palette[1], false)
	for i := 0; i < len(ends); i += 2 {
		stroke(p, ends[i:i+2], palette[0], false)
	}
	dots(p, "these networks", values, palette[0])
	d.height += nominal(p, titles(layers), width)
	p.Y.Min = min(0, p.Y.Min)
	p.Y.Max += 0.05 * (p.Y.Max - p.Y.Min) // lest a dot stand on the edge
	d.draw = func(c draw.Canvas) { drawPlot(p, c) }
	return d
}

// cautions say what else figures may be owed to: units that are dead, and networks that are
// not equally good.
func (c *contents) cautions() []string {
	var all []string
	for _, l := range c.layers {
		units := 0
		for _, n := range l.Units {
			units += n
		}
		if l.DeadUnits > 0 {
			all = append(all, fmt.Sprintf("%d of %d units of %s are dead: they never change, and are left out of its figures.", l.DeadUnits, units, l.Title.Short))
		}
	}
	const unequal = 0.02
	lowest, highest := -1, -1
	accuracy := func(n int) float64 { return *c.Results.Networks[n].TestAccuracy }
	for n := range c.Results.Networks {
		if c.Results.Networks[n].TestAccuracy == nil {
			continue
		}
		if lowest < 0 || accuracy(n) < accuracy(lowest) {
			lowest = n
		}
		if highest < 0 || accuracy(n) > accuracy(highest) {
			highest = n
		}
	}
	if lowest >= 0 && accuracy(highest)-accuracy(lowest) > unequal {
		all = append(all, fmt.Sprintf("The networks are not equally good: test accuracy is from %s (%s) to %s (%s). Where networks differ, so may how well they are trained.",
			percent(accuracy(lowest)), c.network(lowest), percent(accuracy(highest)), c.network(highest)))
	}
	return all
}
