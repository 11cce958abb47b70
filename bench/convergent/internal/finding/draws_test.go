package finding

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// TestWideLayerSaysDraws: of a wide layer every figure beside chance says how many draws that is
// of, as many as the rules of draws.go, and its p-value is one of so many; what is of some
// units says of how many.
func TestWideLayerSaysDraws(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	const units, asked = 300, 60 // of which (256/300)^3 is less than the least
	o, err := observe.Run(context.Background(), mixtures{units}, observe.Plan{Sample: true, Groups: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Layer(context.Background(), o.Layers[0], Options{Analysis: results.Analysis{Lambdas: []float64{0.5}, Draws: asked, Shuffles: asked, Groups: 1, Seed: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		draws int
		p     *float64
		want  int
	}{
		"matched r":     {l.Convergence.Matched.Draws, l.Convergence.Matched.P, leastDraws},
		"rotation":      {l.Convergence.Nulls[0].Draws, l.Convergence.Nulls[0].P, leastDraws},
		"exchange":      {l.Convergence.Nulls[1].Draws, l.Convergence.Nulls[1].P, asked},
		"best partners": {l.Pairs[0].Null.Rotation.Draws, &l.Pairs[0].Null.Rotation.P, leastDraws},
		"clusters":      {l.Subspaces.Angles.Draws, l.Subspaces.Angles.P, clusterDraws},
		"index":         {l.Basis.Index.Draws, l.Basis.Index.P, leastDraws},
		"index of axes": {l.Basis.AxesIndex.Draws, l.Basis.AxesIndex.P, leastDraws},
		"CKA":           {l.Measures["cka"].Draws, l.Measures["cka"].P, asked},
		"Procrustes":    {l.Measures["procrustes"].Draws, l.Measures["procrustes"].P, leastDraws},
	} {
		if c.draws != c.want {
			t.Errorf("%s: %d draws, want %d", name, c.draws, c.want)
		}
		if c.p == nil {
			t.Errorf("%s has no p-value", name)
			continue
		}
		if k := *c.p * float64(1+c.draws); k < 1-1e-9 || math.Abs(k-math.Round(k)) > 1e-9 {
			t.Errorf("%s: p %v is none of %d draws", name, *c.p, c.draws)
		}
	}
	if s := l.Subspaces; !slices.Equal(s.Clustered, []int{clusterUnits, clusterUnits}) || !slices.Equal(s.Predicted, []int{units, units}) {
		t.Errorf("%v units are clustered and %v predicted", s.Clustered, s.Predicted)
	}
	if d := l.Descent[0]; d.Units != descentUnits {
		t.Errorf("%d units are predicted by descent", d.Units)
	}
}
