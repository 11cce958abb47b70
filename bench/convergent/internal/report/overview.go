package report

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// layer is a section of the page.
type layer struct {
	results.Layer
	Title     name
	DeadUnits int // of all networks
	Semi      pairRange
	Bipartite pairRange
	Null      pairRange
	Same      pairRange
	Figures   []figure
	Elsewhere []string        // names of figures that the page has no room for
	Lasso     []results.Lasso // mean over pairs
	Measures  []measure       // of the first pairs
	Overall   []measure       // mean over all pairs
}

// pairRange is a figure over all pairs of networks.
type pairRange struct{ Mean, Min, Max float64 }

func newPairRange(pairs []results.Pair, of func(results.Pair) float64) pairRange {
	r := pairRange{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, p := range pairs {
		v := of(p)
		r.Mean += v / float64(len(pairs))
		r.Min, r.Max = min(r.Min, v), max(r.Max, v)
	}
	return r
}

// measure is one figure of how alike two networks are, in the first pairs of them.
type measure struct {
	measureName
	Pairs []results.Measure
}

// pairColumns is how many pairs of networks tables have columns for.
const pairColumns = 10

// FirstPairs are those that tables have columns for.
func (l layer) FirstPairs() []results.Pair { return l.Pairs[:min(len(l.Pairs), pairColumns)] }

func newLayer(l results.Layer, title name) layer {
	s := layer{Layer: l, Title: title,
		Semi:      newPairRange(l.Pairs, func(p results.Pair) float64 { return p.Semi.Mean }),
		Bipartite: newPairRange(l.Pairs, func(p results.Pair) float64 { return p.Bipartite.Mean }),
		Null:      newPairRange(l.Pairs, func(p results.Pair) float64 { return p.Null.Rotation.SemiMean }),
		Same:      newPairRange(l.Pairs, func(p results.Pair) float64 { return p.SamePartner }),
	}
	for _, name := range slices.Sorted(maps.Keys(l.Pairs[0].Measures)) {
		m := measure{measureName: describeMeasure(name)}
		for _, p := range s.FirstPairs() {
			m.Pairs = append(m.Pairs, p.Measures[name])
		}
		s.Measures = append(s.Measures, m)
	}
	for _, f := range l.MeanMeasures() {
		s.Overall = append(s.Overall, measure{describeMeasure(f.Name), []results.Measure{f.Measure}})
	}
	s.Measures, s.Overall = withoutTwins(s.Measures), withoutTwins(s.Overall)
	for _, d := range l.Dead {
		s.DeadUnits += len(d)
	}
	n := float64(len(l.Pairs))
	for i, first := range l.Pairs[0].Lasso {
		m := results.Lasso{Lambda: first.Lambda, NonZero: make(map[string]float64)}
		for _, p := range l.Pairs {
			f := p.Lasso[i]
			m.Loss += f.Loss / n
			m.R2 += f.R2 / n
			m.Gap = max(m.Gap, f.Gap)
			for key, v := range f.NonZero {
				m.NonZero[key] += v / n
			}
		}
		s.Lasso = append(s.Lasso, m)
	}
	return s
}

// titles are the names of layers.
func titles(layers []layer) []name {
	names := make([]name, len(layers))
	for i, l := range layers {
		names[i] = l.Title
	}
	return names
}

// beside is how far from the middle of a layer's place its dot of one of several series is.
func beside(i, series int) float64 { return 0.16 * (float64(i) - float64(series-1)/2) }

// drawMeans compares the layers, over all pairs of networks.
func drawMeans(layers []layer) drawing {
	const width, height = 560, 280
	data := [][]string{{"layer", "best_partner", "one_to_one", "rotated"}}
	for _, l := range layers {
		data = append(data, []string{l.Name, cell(l.Semi.Mean), cell(l.Bipartite.Mean), cell(l.Null.Mean)})
	}
	d := drawing{
		name: "means", width: width, height: height, data: data, key: []entry{{"semi-matching", palette[0], asDots}, {"one-to-one matching", palette[1], asDots}, {"semi-matching, rotated null", palette[4], asDots}},
		caption: "Mean correlation of units with their partners in another network, by layer, over all pairs of networks (bars: the least and the largest of any pair).",
		paper:   "The paper found 0.70, 0.56, 0.48, 0.37 and 0.42 for semi-matching in conv1 to conv5 of CaffeNet, and 0.66, 0.51, 0.45, 0.34 and 0.38 one to one; it had no rotated units.",
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("", "mean correlation", width)
		for k, of := range []func(layer) pairRange{
			func(l layer) pairRange { return l.Semi },
			func(l layer) pairRange { return l.Bipartite },
			func(l layer) pairRange { return l.Null },
		} {
			var means plotter.XYs
			for i, l := range layers {
				r, x := of(l), float64(i)+beside(k, 3)
				means = append(means, plotter.XY{X: x, Y: r.Mean})
				stroke(p, plotter.XYs{{X: x, Y: r.Min}, {X: x, Y: r.Max}}, d.key[k].colour, false)
			}
			dots(p, d.key[k].name, means, d.key[k].colour)
		}
		nominal(p, titles(layers), width)
		p.Y.Min, p.Y.Max = min(0, p.Y.Min), 1
		drawPlot(p, c)
	}
	return d
}

// The size of one of two panels.
const panelWidth, panelHeight = 380, 280

// drawLasso shows prediction loss and number of weights against lambda; no drawing, if
// there is no lambda above 0.
func drawLasso(layers []layer) drawing {
	data := [][]string{{"layer", "lambda", "loss", "r2", "weights"}}
	penalties := 0
	loss, weights := newPlot("lambda", "prediction loss", panelWidth), newPlot("lambda", "weights per unit", panelWidth)
	for k, l := range layers {
		var losses, counts plotter.XYs
		for _, f := range l.Lasso {
			data = append(data, []string{l.Name, cell(f.Lambda), cell(f.Loss), cell(f.R2), cell(f.NonZero["0.01"])})
			if f.Lambda > 0 {
				penalties++
				losses = append(losses, plotter.XY{X: f.Lambda, Y: f.Loss})
				counts = append(counts, plotter.XY{X: f.Lambda, Y: f.NonZero["0.01"]})
			}
		}
		for _, pts := range []plotter.XYs{losses, counts} {
			slices.SortFunc(pts, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		}
		line(loss, l.Title.Short, losses, layerColour(k, len(layers)), false)
		line(weights, l.Title.Short, counts, layerColour(k, len(layers)), false)
	}
	if penalties == 0 {
		return drawing{}
	}
	d := drawing{
		name: "lasso", data: data, key: layerKey(titles(layers)),
		caption: "Sparse prediction of one network's units from another's: the loss (0.5 is predicting nothing) and the number of weights above 0.01 per unit, against the penalty lambda, means over all pairs of networks. " +
			"lambda is in units of correlation: a unit that correlates less than lambda with all others is predicted from none.",
		paper: "The paper's lambda is this one divided by the number of channels. It found that a few weights predict nearly as well as all of them.",
	}
	for _, p := range []*chart{loss, weights} {
		logScale(&p.X)
		p.Y.Min = 0
	}
	loss.Y.Max = 0.55
	d.panels(panelWidth, panelHeight, []*chart{loss, weights})
	return d
}
