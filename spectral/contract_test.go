package spectral

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestContext: what can take long ends with the context's error.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g := completeGraph(300) // large enough for a Krylov space
	tree, err := AverageLinkage(g)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"Cluster":      func() error { _, err := Cluster(ctx, g, Options{K: 3}); return err },
		"by eigengap":  func() error { _, err := Cluster(ctx, g, Options{}); return err },
		"Split":        func() error { _, err := Split(ctx, g, Options{K: 3}, 0.1); return err },
		"Smallest":     func() error { _, err := Smallest(ctx, g, Unnormalized, 3, 1); return err },
		"Decompose":    func() error { _, err := Decompose(ctx, g, Unnormalized, 3, 1); return err },
		"KMeans":       func() error { _, _, err := KMeans(ctx, g, 3, KMeansOptions{}); return err },
		"Link":         func() error { _, err := Link(ctx, g, LinkageOptions{}); return err },
		"OptimalOrder": func() error { _, err := tree.OptimalOrder(ctx, g); return err },
		"Stability": func() error {
			_, err := Stability(ctx, &Clustering{Labels: make([]int, 300), K: 2}, Options{}, 1, func(int) (mat.Symmetric, error) { return g, nil })
			return err
		},
	} {
		if err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestValues: numbers that users choose and weights are errors, and no panics.
func TestValues(t *testing.T) {
	ctx, g := context.Background(), completeGraph(4)
	for name, f := range map[string]func() error{
		"K":        func() error { _, err := Cluster(ctx, g, Options{K: -1}); return err },
		"MinK":     func() error { _, err := Cluster(ctx, g, Options{MinK: -1}); return err },
		"Restarts": func() error { _, err := Cluster(ctx, g, Options{K: 2, Restarts: -1}); return err },
		"MaxIter":  func() error { _, _, err := KMeans(ctx, g, 2, KMeansOptions{MaxIter: -1}); return err },
		"alpha":    func() error { _, err := Split(ctx, g, Options{}, -1); return err },
		"draws":    func() error { _, err := Stability(ctx, &Clustering{}, Options{}, -1, nil); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, w := range []float64{math.NaN(), -1, math.Inf(1)} {
		bad := completeGraph(4)
		bad.SetSym(1, 3, w)
		_, err := Cluster(ctx, bad, Options{K: 2})
		var e *WeightError
		if !errors.As(err, &e) || e.I != 1 || e.J != 3 || !(e.Weight == w || math.IsNaN(w)) {
			t.Errorf("weight %v: error %v", w, err)
		}
	}
}
