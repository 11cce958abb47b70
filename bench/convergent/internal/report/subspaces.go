package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// Kinds of predictions.
const (
	fullPrediction  = "full"
	lassoPrediction = "lasso"
	bestPrediction  = "best"
)

// prediction returns the prediction of a kind, or nil.
func prediction(l layer, kind string) *results.Prediction {
	for i := range l.Subspaces.Predictions {
		if p := &l.Subspaces.Predictions[i]; p.Name == kind {
			return p
		}
	}
	return nil
}

// withPredictions are the layers whose units are predicted on images held out.
func withPredictions(layers []layer) []layer {
	var all []layer
	for _, l := range layers {
		if len(l.Subspaces.Predictions) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// subspaces is claim 2.
func subspaces(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return l.Subspaces != nil })
	if len(layers) == 0 {
		return nil
	}
	claim := &claim{ID: "subspaces", Title: "Are subspaces shared where single units are not?", Layers: layers,
		Number: "No cluster has units of both networks",
		Paper:  "yes; a few units predict nearly as well as all; 1 − 2 · loss is 0.66 in conv1"}
	first := layers[0]
	if slices.ContainsFunc(layers, func(l layer) bool { return l.Subspaces.Angles != nil }) {
		claim.answer = &answer{"Mean canonical correlation between the spans of both networks' units in a cluster.", "rotated null, clustered anew", func(l layer) answerPoint {
			if l.Subspaces.Angles == nil {
				return answerPoint{untrained: l.Subspaces.UntrainedAngles}
			}
			return pointOf(*l.Subspaces.Angles, l.Subspaces.UntrainedAngles)
		}}
	}
	if a := first.Subspaces.Angles; a != nil {
		claim.Number = fmt.Sprintf("In %s canonical r is %s in clusters, and %s in a random basis", first.Title.Short, decimals(2, a.Value), decimals(2, a.Null))
	}
	if layers := withPredictions(layers); len(layers) > 0 {
		first = layers[0]
		full, best := prediction(first, fullPrediction).R2, prediction(first, bestPrediction).R2
		claim.Number = fmt.Sprintf("In %s all units of another network explain %s of the variance, the best partner %s", first.Title.Short, explained(full.Value), explained(best.Value))
		sentence(&claim.Sentence, "On images held out, all units of another network together explain %s of the units' variance in %s; their best partners alone explain %s.", explained(full.Value), first.Title.Short, explained(best.Value))
		if full.Null != nil {
			sentence(&claim.Sentence, "Between untrained networks all together explain %s.", explained(full.Null))
		}
		claim.drawings = []drawing{drawPredictions(layers)}
	}
	if a := first.Subspaces.Angles; a != nil {
		sentence(&claim.Sentence, "Between the spans of both networks' units in a cluster the mean canonical correlation in %s is %s; where the second network's units are turned into a random basis and clustered anew it is %s (p = %s)%s.",
			first.Title.Short, decimals(2, a.Value), decimals(2, a.Null), significantDigits(a.P), notShown(a.P))
		if u := first.Subspaces.UntrainedAngles; u != nil {
			sentence(&claim.Sentence, "Of untrained networks it is %s.", decimals(2, u))
		}
	} else {
		sentence(&claim.Sentence, "No spectral cluster of %s has units of both networks.", first.Title.Short)
	}
	return claim
}

// testLevel is that of tests of which this page says whether they show anything.
const testLevel = 0.05

// notShown says that a test does not show what it asks for.
func notShown(p *float64) string {
	if p == nil || *p > testLevel {
		return ": that clusters share more than a random basis of the same space would is not shown"
	}
	return ""
}

// explained writes the share of variance that a prediction explains, which can be less than
// what no prediction does.
func explained(r2 *float64) string {
	if r2 != nil && *r2 < 0 {
		return "nothing (R² " + decimals(2, r2) + ")"
	}
	return percent(r2)
}

// leastR2 is where the axis of predictions ends, for these can be worse than any number.
const leastR2 = -1

func drawPredictions(layers []layer) drawing {
	d := drawing{name: "predictions", width: 560, height: 290, key: layerKey(titles(layers)),
		caption: "The share of the variance of all units that units of another network explain on images held out, in means over pairs and both directions, by the number of units in the prediction: those that come first on the LASSO's path, refitted; the best partner (dot at 1); and all.",
		data:    [][]string{{"layer", "kind", "terms", "r2"}}}
	outside := false
	for _, l := range layers {
		for _, p := range l.Subspaces.Predictions {
			d.data = append(d.data, []string{l.Name, p.Name, fmt.Sprint(p.Terms), cell(p.R2.Value)})
			v, _ := valueOf(p.R2.Value)
			outside = outside || v < leastR2
		}
	}
	if outside {
		d.caption += " What is below −1, worse than no prediction by far, is not drawn."
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("units in the prediction", "R², held out", d.width)
		gap := min(0.06, 0.5/float64(len(layers))) // between the layers' points
		var names []string
		for k, l := range layers {
			colour, shift := layerColour(k, len(layers)), gap*(float64(k)-float64(len(layers)-1)/2)
			var pts plotter.XYs
			names = nil
			for _, one := range predictionPath(l) {
				x := float64(len(names)) + shift
				if names = append(names, fmt.Sprint(one.Terms)); one.Terms == 0 {
					names[len(names)-1] = "all"
				}
				if one.R2.Value == nil {
					continue
				}
				pts = append(pts, plotter.XY{X: x, Y: *one.R2.Value})
			}
			line(p, l.Title.Short, pts, colour, false)
			if v, ok := valueOf(prediction(l, bestPrediction).R2.Value); ok {
				dots(p, l.Title.Short+", best partner", plotter.XYs{{X: shift - 0.2, Y: v}}, colour)
			}
		}
		nominal(p, shortNames(names), d.width)
		p.Y.Min = math.Max(min(0, p.Y.Min), leastR2)
		drawPlot(p, c)
	}
	return d
}

// predictionPath is the predictions from some units, and last from all.
func predictionPath(l layer) []results.Prediction {
	var path []results.Prediction
	for _, p := range l.Subspaces.Predictions {
		if p.Name == lassoPrediction {
			path = append(path, p)
		}
	}
	return append(path, *prediction(l, fullPrediction))
}

// directions writes the figures of both directions of the first pairs.
func directions(p results.Prediction) []string {
	var all []string
	for k, ab := range p.AB[:min(len(p.AB), pairColumns)] {
		all = append(all, decimals(2, ab)+" / "+decimals(2, p.BA[k]))
	}
	return all
}

// clusterShapes counts clusters: one to one, one to two, one to more, several to several, and
// of one network only.
func clusterShapes(sizes []results.ClusterSize) []float64 {
	counts := make([]float64, 5)
	for _, c := range sizes {
		small, large := min(c.A, c.B), max(c.A, c.B)
		switch {
		case small == 0:
			counts[4] += c.Count
		case small == 1:
			counts[min(large, 3)-1] += c.Count
		default:
			counts[3] += c.Count
		}
	}
	return counts
}
