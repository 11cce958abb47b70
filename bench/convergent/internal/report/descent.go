package report

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// negligibleObjective is an objective, where predicting nothing has 0.5, of which multiples
// say nothing.
const negligibleObjective = 1e-3

// descent is what stopped gradient descent hides.
func descent(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return len(l.Descent) > 0 })
	if len(layers) == 0 {
		return nil
	}
	worst, run, excess := layers[0], layers[0].Descent[0].Runs[0], 0.0
	for _, l := range layers {
		for _, one := range l.Descent {
			if one.Objective < negligibleObjective {
				continue // nothing is left to be a share of
			}
			if e := one.Runs[0].Objective/one.Objective - 1; e > excess {
				worst, run, excess = l, one.Runs[0], e
			}
		}
	}
	text := ""
	sentence(&text, "A sparse prediction can be trained by gradient descent, as in the paper. Stopped after %d passes, the objective is so far above the exact optimum at worst (%s), and no weight is exactly 0, so that the number of terms depends on a threshold.", run.Epochs, worst.Title.Short)
	return &claim{ID: "descent", Title: "What does stopped descent hide?", Layers: layers,
		Number:   fmt.Sprintf("up to %s above the optimum", percent(excess)),
		Sentence: text,
		Paper:    "loss at λ = 0 above that at 10⁻⁴, which no optimum allows",
		drawings: []drawing{drawDescent(layers)},
	}
}

func drawDescent(layers []layer) drawing {
	d := drawing{name: "descent", caption: "The sparse prediction's objective (loss and penalty) against lambda, solved exactly and by stochastic gradient descent stopped after some passes over the same positions.",
		data: [][]string{{"layer", "lambda", "passes", "loss", "objective"}}}
	for _, l := range layers {
		for _, one := range l.Descent {
			d.data = append(d.data, []string{l.Name, cell(one.Lambda), "exact", cell(one.Loss), cell(one.Objective)})
			for _, run := range one.Runs {
				d.data = append(d.data, []string{l.Name, cell(one.Lambda), fmt.Sprint(run.Epochs), cell(run.Loss), cell(run.Objective)})
			}
		}
	}
	d.key = []entry{{"exact", palette[0], false}}
	runs := layers[0].Descent[0].Runs
	for k, run := range runs {
		d.key = append(d.key, entry{fmt.Sprint(run.Epochs, " passes"), palette[k+1], true})
	}
	d.layerPanels(layers, func(l layer) *plot.Plot {
		p := newPlot("lambda", "", layerPanelWidth)
		series := func(e entry, of func(results.Descent) float64) {
			var pts plotter.XYs
			for _, one := range l.Descent {
				if one.Lambda > 0 {
					pts = append(pts, plotter.XY{X: one.Lambda, Y: of(one)})
				}
			}
			slices.SortFunc(pts, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
			line(p, pts, e.colour, e.dashed)
		}
		for k := range runs {
			series(d.key[k+1], func(one results.Descent) float64 { return one.Runs[k].Objective })
		}
		series(d.key[0], func(one results.Descent) float64 { return one.Objective })
		logScale(&p.X)
		p.Y.Min = 0
		return p
	})
	return d
}
