package spectral

import (
	"context"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// optimum tries every partition of the rows into exactly k groups.
func optimum(x *mat.Dense, k int) float64 {
	n, d := x.Dims()
	best := math.Inf(1)
	labels := make([]int, n)
	var search func(i, used int)
	search = func(i, used int) {
		if i == n {
			if used == k {
				best = min(best, scatter(x, labels, k, d))
			}
			return
		}
		for l := range min(used+1, k) { // each partition once, in canonical labels
			labels[i] = l
			search(i+1, max(used, l+1))
		}
	}
	search(0, 0)
	return best
}

// scatter returns the summed squared distance to the groups' means.
func scatter(x *mat.Dense, labels []int, k, d int) float64 {
	var s float64
	for _, group := range members(labels, k) {
		mean := make([]float64, d)
		for _, i := range group {
			for j, v := range x.RawRowView(i) {
				mean[j] += v / float64(len(group))
			}
		}
		for _, i := range group {
			s += squaredDistance(x.RawRowView(i), mean)
		}
	}
	return s
}

func TestKMeansOptimal(t *testing.T) {
	rng := newRand(2)
	for range 60 {
		n := 1 + rng.IntN(8)
		k := 1 + rng.IntN(n)
		x := mat.NewDense(n, 2, nil)
		x.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, x)
		labels, inertia, err := KMeans(context.Background(), x, k, KMeansOptions{Restarts: 30})
		if err != nil {
			t.Fatal(err)
		}
		if got := scatter(x, labels, k, 2); math.Abs(got-inertia) > 1e-12 {
			t.Errorf("n=%d k=%d: inertia %v, by its labels %v", n, k, inertia, got)
		}
		if want := optimum(x, k); inertia > want+1e-12 {
			t.Errorf("n=%d k=%d: inertia %v, optimum %v", n, k, inertia, want)
		}
	}
}

// Few distinct rows make ties and empty groups.
func TestKMeansGroupsNeverEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		k := rapid.IntRange(1, n).Draw(t, "k")
		values := rapid.SliceOfN(rapid.Float64Range(-1, 1), 3, 3).Draw(t, "values")
		x := mat.NewDense(n, 1, nil)
		for i := range n {
			x.Set(i, 0, rapid.SampledFrom(values).Draw(t, "x"))
		}
		o := KMeansOptions{Seed: rapid.Uint64().Draw(t, "seed"), Restarts: 3, Threads: 1}
		labels, inertia, err := KMeans(context.Background(), x, k, o)
		if err != nil || inertia < 0 {
			t.Fatal(inertia, err)
		}
		if !isCanonical(labels) || slices.Max(labels) != k-1 {
			t.Fatalf("k=%d, labels %v", k, labels)
		}
		if k >= 3 && inertia > 1e-12 {
			t.Fatalf("three distinct points in %d groups: inertia %v", k, inertia)
		}
		o.Threads = 3
		repeated, repeatedInertia, _ := KMeans(context.Background(), x, k, o)
		if !slices.Equal(repeated, labels) || repeatedInertia != inertia {
			t.Fatal("depends on the number of threads")
		}
	})
}

func TestKMeansInput(t *testing.T) {
	if labels, inertia, err := KMeans(context.Background(), new(mat.Dense), 0, KMeansOptions{}); len(labels) != 0 || inertia != 0 || err != nil {
		t.Error("no points:", labels, inertia, err)
	}
	x := mat.NewDense(2, 1, []float64{1, math.NaN()})
	if _, _, err := KMeans(context.Background(), x, 1, KMeansOptions{}); err == nil {
		t.Error("NaN passed")
	}
	mustPanic(t, badClusters, func() { KMeans(context.Background(), x, 0, KMeansOptions{}) })
	mustPanic(t, badClusters, func() { KMeans(context.Background(), x, 3, KMeansOptions{}) })
}
