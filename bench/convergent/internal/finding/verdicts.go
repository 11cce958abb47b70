package finding

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// statement is a statement of a claim with what tests it at a layer: a p-value, or an
// interval in which something must hold. Either is nil where what was given does not allow
// the test.
type statement struct {
	name     string
	p        func(l *results.Layer) *float64
	interval func(l *results.Layer) *results.Interval
	holds    func(i results.Interval) bool
}

func above0(i results.Interval) bool { return i.Low > 0 }
func below1(i results.Interval) bool { return i.High < 1 }

// claims are what each claim comes down to. The first statement is what it cannot do
// without.
var claims = []struct {
	name       string
	statements []statement
}{
	{"convergence", []statement{
		{name: results.UnitsCorrespond, p: correspondence},
		{name: results.FeaturesShared, p: sharedFeatures},
		{name: results.FeaturesRecur, p: recurrentFeatures},
		{name: results.BeyondUntrained, interval: exceedanceGain, holds: above0},
	}},
	{"subspaces", []statement{
		{name: results.SubspacesShared, p: sharedSubspaces},
		{name: results.BasesDiffer, interval: predictionGain, holds: above0},
	}},
	{"basis", []statement{
		{name: results.NotDistributed, p: locality},
		{name: results.NotLocal, interval: index, holds: below1},
		{name: results.LocalityLearned, interval: indexGain, holds: above0},
	}},
	{"activity", []statement{{name: results.ActivitiesEquate, p: equivalentActivity}}},
}

// Verdicts says of each claim in which layers its tests show it.
func Verdicts(layers []results.Layer) []results.Verdict {
	var all []results.Verdict
	for _, c := range claims {
		v := results.Verdict{Claim: c.name, Shown: []string{}, NotShown: []string{}}
		for _, s := range c.statements {
			v.Statements = append(v.Statements, s.test(layers))
		}
		for _, l := range layers {
			refused := func(s results.Statement) bool { return slices.Contains(s.NotShown, l.Name) }
			switch {
			case slices.Contains(v.Statements[0].NotTested, l.Name):
			case slices.ContainsFunc(v.Statements, refused):
				v.NotShown = append(v.NotShown, l.Name)
			default:
				v.Shown = append(v.Shown, l.Name)
			}
		}
		all = append(all, v)
	}
	return all
}

// test tests a statement at all layers.
func (s statement) test(layers []results.Layer) results.Statement {
	st := results.Statement{Name: s.name, Shown: []string{}, NotShown: []string{}}
	shown, tested := make([]bool, len(layers)), make([]bool, len(layers))
	if s.p != nil {
		q := make([]float64, len(layers))
		for i := range layers {
			q[i] = math.NaN()
			if p := s.p(&layers[i]); p != nil {
				q[i] = *p
			}
		}
		for i, v := range corr.BenjaminiHochberg(q) {
			shown[i], tested[i] = v <= discoveryRate, !math.IsNaN(v)
			st.Q = append(st.Q, results.Finite(v))
		}
	} else {
		for i := range layers {
			if interval := s.interval(&layers[i]); interval != nil {
				shown[i], tested[i] = s.holds(*interval), true
			}
		}
	}
	for i, l := range layers {
		switch {
		case !tested[i]:
			st.NotTested = append(st.NotTested, l.Name)
		case shown[i]:
			st.Shown = append(st.Shown, l.Name)
		default:
			st.NotShown = append(st.NotShown, l.Name)
		}
	}
	return st
}

// headline is the interval over networks, or of two networks that over images; nil if there
// is neither.
func headline(m *results.Measure) *results.Interval {
	switch {
	case m == nil:
		return nil
	case m.Networks != nil:
		return m.Networks
	}
	return m.Images
}

func correspondence(l *results.Layer) *float64 {
	if l.Convergence == nil {
		return nil
	}
	return l.Convergence.Matched.P
}

// sharedFeatures are those that three networks or more have, of more than three.
func sharedFeatures(l *results.Layer) *float64 {
	if l.Convergence == nil || len(l.Units) < 4 {
		return nil
	}
	for _, f := range l.Convergence.Features {
		if f.Networks == 3 {
			return f.P
		}
	}
	return nil
}

// recurrentFeatures are those that all of three networks or more have.
func recurrentFeatures(l *results.Layer) *float64 {
	if l.Convergence == nil || len(l.Convergence.Features) == 0 || len(l.Units) < 3 {
		return nil
	}
	return l.Convergence.Features[0].P
}

// exceedanceGain is that beside the strictest rotation of which it is known, the last.
func exceedanceGain(l *results.Layer) (gain *results.Interval) {
	if l.Convergence == nil {
		return nil
	}
	for _, n := range l.Convergence.Nulls {
		if n.Gain != nil {
			gain = headline(n.Gain)
		}
	}
	return gain
}

func sharedSubspaces(l *results.Layer) *float64 {
	if l.Subspaces == nil || l.Subspaces.Angles == nil {
		return nil
	}
	return l.Subspaces.Angles.P
}

func predictionGain(l *results.Layer) *results.Interval {
	if l.Subspaces == nil {
		return nil
	}
	return headline(l.Subspaces.Gain)
}

func locality(l *results.Layer) *float64 {
	if l.Basis == nil {
		return nil
	}
	return l.Basis.Index.P
}

func index(l *results.Layer) *results.Interval {
	if l.Basis == nil {
		return nil
	}
	return headline(&l.Basis.Index)
}

func indexGain(l *results.Layer) *results.Interval {
	if l.Basis == nil {
		return nil
	}
	return headline(l.Basis.Gain)
}

func equivalentActivity(l *results.Layer) *float64 {
	if l.Activity == nil || l.Activity.Equivalence == nil {
		return nil
	}
	return &l.Activity.Equivalence.P
}
