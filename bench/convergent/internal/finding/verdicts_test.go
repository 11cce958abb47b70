package finding

import (
	"reflect"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// TestVerdicts holds verdicts to their rules, on layers of which every test is known, one is
// not, and none is.
func TestVerdicts(t *testing.T) {
	of := func(v float64) *float64 { return &v }
	between := func(low, high float64) *results.Measure {
		return &results.Measure{Networks: results.NewInterval(low, high)}
	}
	layer := func(name string, p float64, gain *results.Measure) results.Layer {
		index := *between(0.3, 0.6)
		index.P = &p
		return results.Layer{Name: name, Units: []int{4, 4, 4, 4},
			Convergence: &results.Convergence{
				Matched: results.Measure{P: &p}, Features: []results.Feature{{Networks: 4, P: &p}, {Networks: 3, P: &p}, {Networks: 2}},
				Nulls: []results.MatchedNull{{Name: "rotation", Gain: between(-1, 1)}, {Name: "rotation_before", Gain: gain}, {Name: "shuffle"}},
			},
			Subspaces: &results.Subspaces{Angles: &results.Measure{P: &p}, Gain: gain},
			Basis:     &results.Basis{Index: index, Gain: gain},
			Activity:  &results.Activity{Equivalence: &results.Equivalence{P: p}},
		}
	}
	// Alone .04 would be found; of three tests, of which the others are .02 and .9, it is not.
	layers := []results.Layer{layer("found", 0.01, between(0.1, 0.2)), layer("close", 0.04, between(0.1, 0.2)), layer("open", 0.9, between(0.1, 0.2)),
		{Name: "unknown", Units: []int{4, 4, 4}}, layer("flat", 0.01, between(-0.1, 0.2))}
	layers[4].Convergence.Matched.P = of(0.005)
	wantQ := []float64{0.01 * 2, 0.04 * 4 / 3, 0.9, -1, 0.02}
	verdicts := Verdicts(layers)
	if len(verdicts) != 4 {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	for i, want := range []results.Verdict{
		{Claim: "convergence", Shown: []string{"found"}, NotShown: []string{"close", "open", "flat"}},
		{Claim: "subspaces", Shown: []string{"found"}, NotShown: []string{"close", "open", "flat"}},
		{Claim: "basis", Shown: []string{"found"}, NotShown: []string{"close", "open", "flat"}},
		{Claim: "activity", Shown: []string{"found", "flat"}, NotShown: []string{"close", "open"}},
	} {
		v := verdicts[i]
		statements := v.Statements
		v.Statements = nil
		if !reflect.DeepEqual(v, want) {
			t.Errorf("%+v, want %+v", v, want)
		}
		for _, s := range statements {
			if !slices.Equal(s.NotTested, []string{"unknown"}) {
				t.Errorf("%s: not tested: %v", s.Name, s.NotTested)
			}
			if s.Q != nil && s.Name != results.UnitsCorrespond {
				for k, q := range s.Q {
					if (q == nil) != (wantQ[k] < 0) || q != nil && (*q-wantQ[k] > 1e-12 || wantQ[k]-*q > 1e-12) {
						t.Errorf("%s: q %d is wrong", s.Name, k)
					}
				}
			}
		}
	}
	// Two networks have no interval over networks; what one over images shows is shown.
	two := layer("two", 0.01, nil)
	two.Basis.Index = results.Measure{P: of(0.01), Images: results.NewInterval(0.4, 1.2)}
	basis := Verdicts([]results.Layer{two})[2]
	if len(basis.Shown) != 0 || !slices.Equal(basis.Statements[1].NotShown, []string{"two"}) || !slices.Equal(basis.Statements[2].NotTested, []string{"two"}) {
		t.Errorf("two networks: %+v", basis)
	}
}
