package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// claimFigures are drawn once for all layers, under the claim that they test.
func claimFigures(r *study.Results) map[string][]drawing {
	all := make(map[string][]drawing)
	if len(r.Layers) == 0 {
		return all
	}
	all["activity"] = []drawing{drawActivity(r.Layers)}
	if r.Layers[0].Convergence == nil {
		return all
	}
	all["convergence"] = []drawing{drawNulls(r.Layers)}
	if s := r.Layers[0].Subspaces; s != nil && len(s.Predictions) > 0 {
		all["subspaces"] = []drawing{drawPredictions(r.Layers)}
	}
	all["basis"] = []drawing{drawBases(r.Layers)}
	if len(r.Layers[0].Descent) > 0 {
		all["descent"] = []drawing{drawDescent(r.Layers)}
	}
	if len(r.Growth) > 1 {
		all["growth"] = append(all["growth"], drawGrowth(r.Growth))
	}
	if len(r.Widths) > 1 {
		all["growth"] = append(all["growth"], drawWidths(r.Widths))
	}
	return all
}

func nameOf(l study.Layer) string           { return l.Name }
func nameOfStage(l study.StageLayer) string { return l.Name }

// panels draws a plot for each layer side by side.
func panels(layers []study.Layer, of func(l study.Layer) *plot.Plot) (width, height vg.Length, d func(draw.Canvas)) {
	const w, h = 192, 190
	return vg.Length(len(layers)) * w, h, func(c draw.Canvas) {
		for i, l := range layers {
			p := of(l)
			p.Title.Text = l.Name
			p.Draw(box(c, vg.Length(i)*w, 0, w-8, h))
		}
	}
}

var nullWords = map[string]string{"rotation": "rotated", "shuffle": "other images", "untrained": "untrained"}

func drawNulls(layers []study.Layer) drawing {
	d := drawing{name: "nulls", caption: "The share of units (vertical) whose matched partner correlates more than r (horizontal), of all pairs of networks, beside three nulls: " +
		"units of one network rotated at random in the space that they span; networks that see different images; and the same networks before training.",
		data: [][]string{{"layer", "series", "percentile", "r"}}}
	series := func(l study.Layer) [][]float64 {
		values := [][]float64{l.Convergence.Percentiles}
		for _, n := range l.Convergence.Nulls {
			values = append(values, n.Percentiles)
		}
		return values
	}
	d.key = []entry{{"trained", palette[0], false}}
	for k, n := range layers[0].Convergence.Nulls {
		d.key = append(d.key, entry{nullWords[n.Name], palette[k+1], true})
	}
	for _, l := range layers {
		for k, values := range series(l) {
			for i, v := range values {
				d.data = append(d.data, []string{l.Name, d.key[k].name, fmt.Sprint(i), number(v)})
			}
		}
	}
	d.width, d.height, d.draw = panels(layers, func(l study.Layer) *plot.Plot {
		p := newPlot("", "r", "")
		for k, values := range series(l) {
			var pts plotter.XYs
			for i, v := range values {
				pts = append(pts, plotter.XY{X: v, Y: 1 - float64(i)/100})
			}
			xy(p, pts, d.key[k].colour, d.key[k].dashed)
		}
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.1, 1, 0, 1
		return p
	})
	return d
}

func drawPredictions(layers []study.Layer) drawing {
	d := drawing{name: "predictions", width: 560, height: 290, key: keyOf(layers, nameOf),
		caption: "The share of a unit's variance that units of another network explain on images held out, in means over units, pairs and both directions, by the number of units in the prediction: those that come first on the LASSO's path, refitted; the best partner (dot at 1); and all. " +
			"Bars: 95 % intervals, over resampled images.",
		data: [][]string{{"layer", "kind", "terms", "r2", "low", "high"}}}
	for _, l := range layers {
		for _, p := range l.Subspaces.Predictions {
			d.data = append(d.data, []string{l.Name, p.Name, fmt.Sprint(p.Terms), number(*p.R2.Value), known(p.R2.Low), known(p.R2.High)})
		}
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("", "units in the prediction", "R², held out")
		var names []string
		for k, l := range layers {
			var pts plotter.XYs
			names = nil
			add := func(one study.Prediction, name string) {
				x := float64(len(pts)) + 0.06*float64(k-2)
				pts = append(pts, plotter.XY{X: x, Y: *one.R2.Value})
				names = append(names, name)
				if one.R2.Low != nil {
					xy(p, plotter.XYs{{X: x, Y: *one.R2.Low}, {X: x, Y: *one.R2.High}}, palette[k%len(palette)], false)
				}
			}
			all := l.Subspaces.Predictions
			for _, one := range all {
				if one.Name == "lasso" {
					add(one, fmt.Sprint(one.Terms))
				}
			}
			add(all[0], "all")
			xy(p, pts, palette[k%len(palette)], false)
			dot(p, plotter.XY{X: 0.06*float64(k-2) - 0.2, Y: *all[len(all)-1].R2.Value}, palette[k%len(palette)])
		}
		p.NominalX(names...)
		p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
		p.Y.Min = min(0, p.Y.Min)
		p.Draw(c)
	}
	return d
}

func dot(p *plot.Plot, at plotter.XY, c color.Color) {
	s, err := plotter.NewScatter(plotter.XYs{at})
	if err != nil {
		return // not a number
	}
	s.GlyphStyle = draw.GlyphStyle{Color: c, Radius: 2.4, Shape: draw.CircleGlyph{}}
	p.Add(s)
}

func drawBases(layers []study.Layer) drawing {
	d := drawing{name: "bases", width: 760, height: 280, key: keyOf(layers, nameOf),
		caption: "Mean correlation of matched units after the second network's basis was turned by an angle, on average over planes, from its own basis (0°) to a random one (90°); units have variance 1. Left: from the networks' units; right: from their principal axes, with r in size. " +
			"If single units meant nothing, the curves on the left would be flat. Dots: after the rotation that brings the second network nearest to the first.",
		data: [][]string{{"layer", "degrees", "units_r", "axes_r"}}}
	for _, l := range layers {
		for i, angle := range l.Basis.Degrees {
			d.data = append(d.data, []string{l.Name, number(angle), number(l.Basis.Units[i]), number(l.Basis.Axes[i])})
		}
	}
	d.draw = func(c draw.Canvas) {
		for k, title := range []string{"units", "principal axes"} {
			p := newPlot(title, "degrees", "matched r")
			for i, l := range layers {
				var pts plotter.XYs
				for j, angle := range l.Basis.Degrees {
					pts = append(pts, plotter.XY{X: angle, Y: [][]float64{l.Basis.Units, l.Basis.Axes}[k][j]})
				}
				xy(p, pts, palette[i%len(palette)], false)
				if k == 0 {
					dot(p, plotter.XY{X: 0, Y: l.Basis.Aligned}, palette[i%len(palette)])
				}
			}
			p.Y.Min, p.Y.Max = 0, 0.8
			p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 30, Label: "30"}, {Value: 60, Label: "60"}, {Value: 90, Label: "90"}}
			p.Draw(box(c, vg.Length(380*k), 0, 370, 280))
		}
	}
	return d
}

func drawActivity(layers []study.Layer) drawing {
	d := drawing{name: "activity", caption: "Mean activations of the units of each network, sorted. The paper found them to lie almost on one curve, the most and least active one to two orders of magnitude apart.",
		data: [][]string{{"layer", "network", "rank", "mean_activation"}}}
	for _, l := range layers {
		for net, means := range l.MeanSorted {
			for i, v := range means {
				d.data = append(d.data, []string{l.Name, fmt.Sprint(net + 1), fmt.Sprint(i + 1), number(v)})
			}
		}
	}
	if nets := len(layers[0].MeanSorted); nets <= len(palette) {
		for net := range nets {
			d.key = append(d.key, entry{fmt.Sprint("network ", net+1), palette[net], false})
		}
	}
	d.width, d.height, d.draw = panels(layers, func(l study.Layer) *plot.Plot {
		p := newPlot("", "unit, sorted", "")
		var most float64
		for _, means := range l.MeanSorted {
			most = max(most, slices.Max(means))
		}
		for net, means := range l.MeanSorted {
			shown := make([]float64, len(means))
			for u, v := range means {
				if shown[u] = v; v <= most/1e4 {
					shown[u] = math.NaN() // all but dead: it would press the others together
				}
			}
			curve(p, shown, palette[net%len(palette)], false)
		}
		logScale(&p.Y)
		return p
	})
	return d
}

func drawDescent(layers []study.Layer) drawing {
	d := drawing{name: "descent", caption: "The sparse prediction's objective (loss and penalty) against lambda, solved exactly and by stochastic gradient descent stopped after some passes over the same positions.",
		data: [][]string{{"layer", "lambda", "passes", "loss", "objective"}}}
	for _, l := range layers {
		for _, one := range l.Descent {
			d.data = append(d.data, []string{l.Name, number(one.Lambda), "exact", number(one.Loss), number(one.Objective)})
			for _, run := range one.Runs {
				d.data = append(d.data, []string{l.Name, number(one.Lambda), fmt.Sprint(run.Epochs), number(run.Loss), number(run.Objective)})
			}
		}
	}
	d.key = []entry{{"exact", palette[0], false}}
	for k, run := range layers[0].Descent[0].Runs {
		d.key = append(d.key, entry{fmt.Sprint(run.Epochs, " passes"), palette[k+1], true})
	}
	d.width, d.height, d.draw = panels(layers, func(l study.Layer) *plot.Plot {
		p := newPlot("", "lambda", "")
		line := func(e entry, of func(study.Descent) float64) {
			var pts plotter.XYs
			for _, one := range l.Descent {
				if one.Lambda > 0 {
					pts = append(pts, plotter.XY{X: one.Lambda, Y: of(one)})
				}
			}
			slices.SortFunc(pts, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
			xy(p, pts, e.colour, e.dashed)
		}
		for k := range layers[0].Descent[0].Runs {
			line(d.key[k+1], func(one study.Descent) float64 { return one.Runs[k].Objective })
		}
		line(d.key[0], func(one study.Descent) float64 { return one.Objective })
		logScale(&p.X)
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0.001, Label: "0.001"}, {Value: 0.01, Label: "0.01"}, {Value: 0.1, Label: "0.1"}}
		p.Y.Min = 0
		return p
	})
	return d
}

func drawGrowth(stages []study.Stage) drawing {
	d := drawing{name: "growth", width: 760, height: 280, key: keyOf(stages[0].Layers, nameOfStage),
		caption: "When units converge: matched r of networks at the same epoch less that of rotated units (left), and the correlation of a unit with itself at the end of training (right), in means over units and networks.",
		data:    [][]string{{"epoch", "layer", "matched_r", "rotated_r", "final_r"}}}
	for _, s := range stages {
		for _, l := range s.Layers {
			d.data = append(d.data, []string{fmt.Sprint(s.Epoch), l.Name, number(l.Matched), number(l.Rotated), number(l.Final)})
		}
	}
	d.draw = func(c draw.Canvas) {
		for k, title := range []string{"beyond rotated units", "with itself at the end"} {
			p := newPlot("", "epoch", title)
			for i := range stages[0].Layers {
				var pts plotter.XYs
				for _, s := range stages {
					v := s.Layers[i].Final
					if k == 0 {
						v = s.Layers[i].Matched - s.Layers[i].Rotated
					}
					pts = append(pts, plotter.XY{X: float64(s.Epoch), Y: v})
				}
				xy(p, pts, palette[i%len(palette)], false)
			}
			p.Y.Min = min(0, p.Y.Min)
			p.Draw(box(c, vg.Length(380*k), 0, 370, 280))
		}
	}
	return d
}

func drawWidths(widths []study.Width) drawing {
	d := drawing{name: "widths", width: 560, height: 280, key: keyOf(widths[0].Layers, nameOfStage),
		caption: "Matched r of two networks by their width, in multiples of 32, 64, 96, 96 and 64 units. Dashed: of rotated units.",
		data:    [][]string{{"width", "layer", "units", "matched_r", "rotated_r"}}}
	for _, w := range widths {
		for i, l := range w.Layers {
			d.data = append(d.data, []string{number(w.Width), l.Name, fmt.Sprint(w.Units[i]), number(l.Matched), number(l.Rotated)})
		}
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("", "width", "matched r")
		for i := range widths[0].Layers {
			var own, rotated plotter.XYs
			for _, w := range widths {
				own = append(own, plotter.XY{X: w.Width, Y: w.Layers[i].Matched})
				rotated = append(rotated, plotter.XY{X: w.Width, Y: w.Layers[i].Rotated})
			}
			xy(p, own, palette[i%len(palette)], false)
			xy(p, rotated, palette[i%len(palette)], true)
		}
		logScale(&p.X)
		p.Y.Min = 0
		p.Draw(c)
	}
	return d
}

func number(v float64) string { return fmt.Sprintf("%.6g", v) }
