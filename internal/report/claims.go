package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/convergent-go/convergent/internal/study"
)

// finding is one claim of the paper in a sentence, with the number that decides it.
type finding struct {
	ID, Title string
	Number    string
	Sentence  string
	Paper     string // what the paper found
}

// findings states what a run says about the claims; nothing where they were not tested.
func findings(r *study.Results) []finding {
	if len(r.Layers) == 0 || r.Layers[0].Convergence == nil {
		return nil
	}
	first, last := r.Layers[0], r.Layers[len(r.Layers)-1]
	var all []finding
	rotation := func(l study.Layer) study.MatchedNull { return l.Convergence.Nulls[0] }
	untrained := first.Convergence.Nulls[len(first.Convergence.Nulls)-1]
	all = append(all, finding{ID: "convergence", Title: "Some features converge, others do not",
		Number: fmt.Sprintf("%s in %s, %s in %s", percent(*rotation(first).Beyond.Value), first.Name, percent(*rotation(last).Beyond.Value), last.Name),
		Sentence: fmt.Sprintf("So many units have a partner in another network that is beyond what 1 %% of rotated units find. Matched units correlate %s in %s (rotated ones %.2f) and %s in %s (%.2f). "+
			"Correlation alone proves nothing: before training, the same networks match by %.2f in %s.",
			interval(first.Convergence.Matched), first.Name, *first.Convergence.Matched.Null, interval(last.Convergence.Matched), last.Name, *last.Convergence.Matched.Null, untrained.Mean, first.Name),
		Paper: "mean r of matched units 0.66 in conv1, 0.38 in conv5; no null"})
	if s := first.Subspaces; s != nil && len(s.Predictions) > 0 {
		full, best := s.Predictions[0].R2, s.Predictions[len(s.Predictions)-1].R2
		sentence := fmt.Sprintf("So much of a unit's variance on images held out do all units of another network explain in %s, and its best partner alone %s.", first.Name, percent(*best.Value))
		if a := s.Angles; a != nil {
			sentence += fmt.Sprintf(" Units that are clustered together span nearby spaces: mean canonical correlation %.2f, of random groups %.2f.", *a.Value, *a.Null)
		}
		all = append(all, finding{ID: "subspaces", Title: "Common subspaces, different bases", Number: percent(*full.Value) + " by all, " + percent(*best.Value) + " by one",
			Sentence: sentence, Paper: "few-to-one predictions nearly as good as from all units; 1 − 2 · loss is 0.66 in conv1"})
	}
	if first.Basis != nil {
		all = append(all, finding{ID: "basis", Title: "Between a local and a distributed code",
			Number: fmt.Sprintf("%.2f in %s, %.2f in %s", *first.Basis.Index.Value, first.Name, *last.Basis.Index.Value, last.Name),
			Sentence: fmt.Sprintf("So far from a random basis (0) to the best aligned one (1) do the networks' own units lie: %s in %s, %s in %s. Principal axes do not: %s in %s.",
				interval(first.Basis.Index), first.Name, interval(last.Basis.Index), last.Name, interval(first.Basis.AxesIndex), first.Name),
			Paper: "a mix of a local and a somewhat distributed code; no figure"})
	}
	if a := first.Activity; a != nil {
		all = append(all, finding{ID: "activity", Title: "Mean activations agree",
			Number: fmt.Sprintf("%s apart, by chance %s", percent(*a.Distance.Value), percent(*a.Distance.Null)),
			Sentence: fmt.Sprintf("Sorted mean activations of two networks in %s differ by this share of the area beneath them; if the units of both are dealt out at random, by that (p = %.2g). From networks before training they differ by %s.",
				first.Name, *a.Distance.P, percent(a.Untrained)),
			Paper: "nearly identical curves; no distance"})
	}
	if d := first.Descent; len(d) > 0 {
		l, run, worst := first, d[0].Runs[0], 0.0
		for _, layer := range r.Layers {
			for _, one := range layer.Descent {
				if excess := one.Runs[0].Objective/one.Objective - 1; excess > worst {
					l, worst, run = layer, excess, one.Runs[0]
				}
			}
		}
		all = append(all, finding{ID: "descent", Title: "What stopped descent hides",
			Number:   fmt.Sprintf("up to %s above the optimum", percent(worst)),
			Sentence: fmt.Sprintf("The paper predicted sparsely by gradient descent. After %d passes its objective is at worst (%s) so far above the exact one; no weight is ever 0, and how many count depends on the threshold.", run.Epochs, l.Name),
			Paper:    "loss at λ = 0 above that at 10⁻⁴, which no optimum allows"})
	}
	if g := r.Growth; len(g) > 1 {
		before, after := g[0].Layers[0], g[len(g)-1].Layers[0]
		all = append(all, finding{ID: "growth", Title: "Units converge while networks learn",
			Number:   fmt.Sprintf("%+.2f before, %+.2f after training", before.Matched-before.Rotated, after.Matched-after.Rotated),
			Sentence: fmt.Sprintf("So much more than rotated units do matched units of %s correlate. Training makes units differ: the correlation itself goes from %.2f to %.2f.", before.Name, before.Matched, after.Matched),
			Paper:    "not studied"})
	}
	return all
}

func percent(x float64) string {
	if x > 0 && x < 0.001 {
		return fmt.Sprintf("%.1g %%", 100*x)
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}

// two is x with two decimals, and zero without a sign.
func two(x float64) string {
	return fmt.Sprintf("%.2f", math.Round(100*x)/100+0)
}

// interval is a value with its interval, if there is one.
func interval(m study.Measure) string {
	if m.Low == nil || m.High == nil {
		return known(m.Value)
	}
	return two(*m.Value) + " [" + two(*m.Low) + ", " + two(*m.High) + "]"
}

func known(x *float64) string {
	if x == nil {
		return "–"
	}
	return strconv.FormatFloat(*x, 'f', 3, 64)
}

// sizes counts clusters: one to one, one to two, one to more, several to several, and of
// one network only.
func sizes(cells []study.Cell) []float64 {
	counts := make([]float64, 5)
	for _, c := range cells {
		few, many := min(c.A, c.B), max(c.A, c.B)
		switch {
		case few == 0:
			counts[4] += c.Count
		case few == 1:
			counts[min(many, 3)-1] += c.Count
		default:
			counts[3] += c.Count
		}
	}
	return counts
}
