package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// finding is one claim of the paper in a sentence, with the number that decides it.
type finding struct {
	ID, Title string
	Number    string
	Sentence  string
	Paper     string // what the paper found
}

// perfect is an objective, where predicting nothing has 0.5, of which multiples say nothing.
const perfect = 1e-3

// findings states what a run says about the claims; nothing where they were not tested.
// Titles ask, since the answer may be either.
func findings(r *study.Results) []finding {
	if len(r.Layers) == 0 || r.Layers[0].Convergence == nil {
		return nil
	}
	first := r.Layers[0]
	// ends says something of the first layer and, if there are more, of the last.
	ends := func(and string, of func(l study.Layer) string) string {
		said := of(first) + " in " + first.Name
		if len(r.Layers) > 1 {
			last := r.Layers[len(r.Layers)-1]
			said += and + of(last) + " in " + last.Name
		}
		return said
	}
	var all []finding
	sentence := "This share of units has a partner in another network that correlates more than 99 % of randomly rotated units do. Matched units correlate " +
		ends(" and ", func(l study.Layer) string { return interval(l.Convergence.Matched) }) + ", rotated ones " +
		ends(" and ", func(l study.Layer) string { return two(*l.Convergence.Matched.Null) }) + "."
	untrained := first.Convergence.Nulls[len(first.Convergence.Nulls)-1]
	if sentence += fmt.Sprintf(" Before training, the same networks match by %.2f in %s", untrained.Mean, first.Name); untrained.Mean >= *first.Convergence.Matched.Value {
		sentence += ": correlation alone proves nothing"
	}
	all = append(all, finding{ID: "convergence", Title: "Do features converge?",
		Number:   ends(", ", func(l study.Layer) string { return percent(*l.Convergence.Nulls[0].Beyond.Value) }),
		Sentence: sentence + ".",
		Paper:    "some do, others do not; mean r of matched units 0.66 in conv1, 0.38 in conv5; no null"})
	if s := first.Subspaces; s != nil && len(s.Predictions) > 0 {
		full, best := s.Predictions[0].R2, s.Predictions[len(s.Predictions)-1].R2
		sentence := fmt.Sprintf("On images held out, all units of another network together explain %s of a unit's variance in %s; its best partner alone explains %s.", percent(*full.Value), first.Name, percent(*best.Value))
		if a := s.Angles; a != nil {
			sentence += fmt.Sprintf(" Between the spans of both networks' units in a cluster the mean canonical correlation is %.2f, between random groups %.2f.", *a.Value, *a.Null)
		}
		all = append(all, finding{ID: "subspaces", Title: "Are subspaces shared where single units are not?", Number: percent(*full.Value) + " by all, " + percent(*best.Value) + " by one",
			Sentence: sentence, Paper: "yes; a few units predict nearly as well as all; 1 − 2 · loss is 0.66 in conv1"})
	}
	if first.Basis != nil {
		all = append(all, finding{ID: "basis", Title: "Is the code local or distributed?",
			Number: ends(", ", func(l study.Layer) string { return two(*l.Basis.Index.Value) }),
			Sentence: "Between a random basis (0, distributed) and the best aligned one (1, local) the networks' own units lie at " +
				ends(" and at ", func(l study.Layer) string { return interval(l.Basis.Index) }) + "; their principal axes at " +
				ends(" and at ", func(l study.Layer) string { return interval(l.Basis.AxesIndex) }) + ".",
			Paper: "a mix of a local and a somewhat distributed code; no figure"})
	}
	if a := first.Activity; a != nil {
		all = append(all, finding{ID: "activity", Title: "Do mean activations agree?",
			Number: fmt.Sprintf("%s apart, %s by chance", percent(*a.Distance.Value), percent(*a.Distance.Null)),
			Sentence: fmt.Sprintf("In %s the sorted mean activations of two networks differ by %s of the area beneath them. Were the units of both dealt out at random, they would differ by %s (p = %.2g); from those of untrained networks they differ by %s.",
				first.Name, percent(*a.Distance.Value), percent(*a.Distance.Null), *a.Distance.P, percent(a.Untrained)),
			Paper: "nearly identical curves; no distance"})
	}
	if d := first.Descent; len(d) > 0 {
		l, run, worst := first, d[0].Runs[0], 0.0
		for _, layer := range r.Layers {
			for _, one := range layer.Descent {
				if one.Objective < perfect {
					continue // nothing is left to be a share of
				}
				if excess := one.Runs[0].Objective/one.Objective - 1; excess > worst {
					l, worst, run = layer, excess, one.Runs[0]
				}
			}
		}
		all = append(all, finding{ID: "descent", Title: "What does stopped descent hide?",
			Number:   fmt.Sprintf("up to %s above the optimum", percent(worst)),
			Sentence: fmt.Sprintf("The paper trains its sparse predictions by gradient descent. Stopped after %d passes, the objective is so far above the exact optimum at worst (%s), and no weight is exactly 0, so that the number of terms depends on a threshold.", run.Epochs, l.Name),
			Paper:    "loss at λ = 0 above that at 10⁻⁴, which no optimum allows"})
	}
	if g := r.Growth; len(g) > 1 {
		before, after := g[0].Layers[0], g[len(g)-1].Layers[0]
		sentence := fmt.Sprintf("Matched units of %s correlate by so much more than rotated ones do. Their correlation itself goes from %.2f to %.2f", before.Name, before.Matched, after.Matched)
		if after.Matched < before.Matched-0.01 {
			sentence += ": training makes units differ"
		}
		all = append(all, finding{ID: "growth", Title: "When do units converge?",
			Number:   fmt.Sprintf("%+.2f before, %+.2f after training", before.Matched-before.Rotated, after.Matched-after.Rotated),
			Sentence: sentence + ".",
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

// mostPairs is how many pairs of networks tables have columns for.
const mostPairs = 10

func firstPairs(pairs []study.Pair) []study.Pair { return pairs[:min(len(pairs), mostPairs)] }

// ways writes the figures of both directions of the first pairs.
func ways(p study.Prediction) []string {
	var all []string
	for k, ab := range p.AB[:min(len(p.AB), mostPairs)] {
		all = append(all, two(ab)+" / "+two(p.BA[k]))
	}
	return all
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
