package report

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// Lambdas at which a sentence speaks of descent: something is predicted there, an R² of 1 % or
// more by the exact solution, and something is left unexplained, an objective above a
// thousandth, where predicting nothing has a half. Elsewhere multiples of the optimum say
// little.
const (
	predictedR2         = 0.01
	negligibleObjective = 1e-3
)

// excessOf is how far stopped descent is above the optimum, as a share of it, if that says
// anything.
func excessOf(one results.Descent) (excess float64, ok bool) {
	if 1-2*one.Loss < predictedR2 || one.Objective < negligibleObjective {
		return 0, false
	}
	return one.Runs[0].Objective/one.Objective - 1, true
}

// descent is what stopped gradient descent hides.
func descent(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return len(l.Descent) > 0 })
	if len(layers) == 0 {
		return nil
	}
	var where *layer
	var worst results.Descent
	excess := 0.0
	for i, l := range layers {
		for _, one := range l.Descent {
			if e, ok := excessOf(one); ok && (where == nil || e > excess) {
				where, worst, excess = &layers[i], one, e
			}
		}
	}
	passes := layers[0].Descent[0].Runs[0].Epochs
	number, text := "Stopped descent: no lambda predicts anything", ""
	sentence(&text, "A sparse prediction can be trained by gradient descent, as in the paper, and stopped after %d passes.", passes)
	if where != nil {
		number = fmt.Sprintf("Stopped descent is up to %s above the optimum (%s)", percent(excess), where.Title.Short)
		sentence(&text, "Where anything is predicted (an exact R² of 1 %% or more) the objective is then so far above the exact optimum at worst (%s, lambda %g, exact R² %s).", where.Title.Short, worst.Lambda, percent(1-2*worst.Loss))
	} else {
		sentence(&text, "At no lambda is anything predicted (an exact R² of 1 %% or more) and anything left to predict, so that how far it is from the optimum says nothing.")
	}
	sentence(&text, "No weight is exactly 0, so that the number of terms depends on a threshold.")
	return &claim{ID: "descent", Title: "What does stopped descent hide?", Layers: layers,
		answer: &answer{fmt.Sprintf("How far the objective is above the optimum after %d passes, as a share of it, at the worst lambda that predicts anything.", passes), "", func(l layer) (p answerPoint) {
			for _, one := range l.Descent {
				if excess, ok := excessOf(one); ok && (p.value == nil || excess > *p.value) {
					p.value = &excess
				}
			}
			return p
		}},
		Number:   number,
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
	d.key = []entry{{"exact", palette[0], asLine}}
	runs := layers[0].Descent[0].Runs
	for k, run := range runs {
		d.key = append(d.key, entry{fmt.Sprint(run.Epochs, " passes"), palette[k+1], asDashes})
	}
	d.layerPanels(layers, func(l layer) *chart {
		p := newPlot("lambda", "objective", layerPanelWidth)
		series := func(e entry, of func(results.Descent) float64) {
			var pts plotter.XYs
			for _, one := range l.Descent {
				if one.Lambda > 0 {
					pts = append(pts, plotter.XY{X: one.Lambda, Y: of(one)})
				}
			}
			slices.SortFunc(pts, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
			line(p, e.name, pts, e.colour, e.shape == asDashes)
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
