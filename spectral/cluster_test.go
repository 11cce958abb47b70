package spectral

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

func TestPlantedPartitions(t *testing.T) {
	rng := newRand(3)
	for _, c := range []struct{ n, k int }{{12, 2}, {30, 3}, {60, 6}, {160, 20}} {
		labels, g := plantedPartition(rng, c.n, c.k)
		for kind := Unnormalized; kind <= RandomWalk; kind++ {
			for _, k := range []int{0, c.k} {
				got, err := Cluster(context.Background(), g, Options{K: k, Laplacian: kind, Seed: 9})
				if err != nil {
					t.Fatal(err)
				}
				if got.K != c.k || !slices.Equal(got.Labels, labels) {
					t.Errorf("n=%d, Laplacian %d, K=%d: %d clusters %v, want %v", c.n, kind, k, got.K, got.Labels, labels)
				}
				if len(got.Residuals) != c.k || slices.Max(got.Residuals) > 1e-10 {
					t.Errorf("residuals %v", got.Residuals)
				}
			}
		}
	}
}

// Two interleaved half moons: no straight line parts them, their neighbour graph
// does.
func TestTwoMoons(t *testing.T) {
	const n = 60
	at := func(i int) (x, y float64) {
		a := math.Pi * float64(i/2) / (n/2 - 1)
		if i%2 == 0 {
			return math.Cos(a), math.Sin(a)
		}
		return 1 - math.Cos(a), 0.5 - math.Sin(a)
	}
	g := graph(n, func(i, j int) float64 {
		xi, yi := at(i)
		xj, yj := at(j)
		return math.Exp(-((xi-xj)*(xi-xj) + (yi-yj)*(yi-yj)) / (2 * 0.1 * 0.1))
	})
	for kind := Unnormalized; kind <= RandomWalk; kind++ {
		c, err := Cluster(context.Background(), g, Options{K: 2, Laplacian: kind})
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range c.Labels {
			if l != i%2 {
				t.Errorf("Laplacian %d: point %d in moon %d", kind, i, l)
			}
		}
	}
}

func TestDisconnected(t *testing.T) {
	// Triangles {0,1,2}, {4,5,6}, {8,9,10}; 3 and 7 alone.
	g := graph(11, func(i, j int) float64 { return indicator(i/4 == j/4 && i%4 != 3 && j%4 != 3) })
	want := []int{0, 0, 0, -1, 1, 1, 1, -1, 2, 2, 2}
	for kind := Unnormalized; kind <= RandomWalk; kind++ {
		for _, k := range []int{0, 1, 3} { // one cluster cannot hold three components
			c, err := Cluster(context.Background(), g, Options{K: k, Laplacian: kind})
			if err != nil {
				t.Fatal(err)
			}
			if c.K != 3 || c.Components != 3 || !slices.Equal(c.Labels, want) || !slices.Equal(c.Isolated, []int{3, 7}) {
				t.Errorf("Laplacian %d, K=%d: %+v", kind, k, c)
			}
			if c.Values[2] > 1e-14 || k == 0 && c.Values[3] < 1 {
				t.Errorf("Laplacian %d: eigenvalue 0 is not threefold: %v", kind, c.Values)
			}
			if !slices.EqualFunc(c.Groups(), [][]int{{0, 1, 2}, {4, 5, 6}, {8, 9, 10}}, slices.Equal) {
				t.Errorf("groups %v", c.Groups())
			}
		}
	}
}

func TestClusterSmall(t *testing.T) {
	for _, c := range []struct {
		g      *mat.SymDense
		k      int
		labels []int
	}{
		{newSym(0), 0, nil},
		{newSym(0), 5, nil},
		{newSym(1), 1, []int{-1}},
		{newSym(2), 0, []int{-1, -1}},
		{completeGraph(2), 0, []int{0, 0}},
		{completeGraph(2), 1, []int{0, 0}},
		{completeGraph(2), 9, []int{0, 1}},
		{pathGraph(3), 3, []int{0, 1, 2}},
	} {
		for _, f := range []func(mat.Symmetric, Options) (*Clustering, error){
			func(g mat.Symmetric, o Options) (*Clustering, error) { return Cluster(context.Background(), g, o) },
			func(g mat.Symmetric, o Options) (*Clustering, error) { return Split(context.Background(), g, o, 1) },
		} {
			got, err := f(c.g, Options{K: c.k})
			if err != nil || !slices.Equal(got.Labels, c.labels) || got.K != max(0, slices.Max(append(c.labels, -1))+1) {
				t.Errorf("n=%d, K=%d: %+v, %v", c.g.SymmetricDim(), c.k, got, err)
			}
		}
	}
	g := completeGraph(3)
	mustPanic(t, badLaplace, func() { Cluster(context.Background(), g, Options{Laplacian: 7}) })
	g.SetSym(0, 2, math.NaN())
	if _, err := Cluster(context.Background(), g, Options{}); err == nil {
		t.Error("NaN passed")
	}
}

// Renaming the vertices renames the clusters and changes nothing else.
func TestClusterFollowsPermutation(t *testing.T) {
	rng := newRand(4)
	labels, g := plantedPartition(rng, 48, 5)
	perm := rng.Perm(48)
	renamed := graph(48, func(i, j int) float64 { return g.At(perm[i], perm[j]) })
	got, err := Cluster(context.Background(), renamed, Options{K: 5})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]int, 48)
	for i, p := range perm {
		want[i] = labels[p]
	}
	canonicalize(want)
	if !slices.Equal(got.Labels, want) {
		t.Errorf("%v, want %v", got.Labels, want)
	}
}

func TestClusterSameForAnyThreads(t *testing.T) {
	g := noiseGraph(newRand(5), 150) // no structure: the restarts disagree
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	serial, err := Cluster(context.Background(), g, Options{K: 12, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(4)
	parallel, err := Cluster(context.Background(), g, Options{K: 12, Threads: 4})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(serial.Labels, parallel.Labels) || serial.Inertia != parallel.Inertia ||
		!slices.Equal(serial.Values, parallel.Values) || !slices.Equal(serial.Residuals, parallel.Residuals) {
		t.Error("results depend on the number of threads")
	}
}

func TestSplit(t *testing.T) {
	// 4 groups of 16, each of 4 subgroups of 4.
	g := graph(64, func(i, j int) float64 {
		return 0.01 + 0.3*indicator(i/16 == j/16) + 0.6*indicator(i/4 == j/4)
	})
	for _, c := range []struct {
		alpha float64
		size  int
	}{{0.5, 16}, {0.25, 16}, {4.5 / 64, 4}, {0.001, 1}, {0, 1}} {
		got, err := Split(context.Background(), g, Options{K: 4}, c.alpha)
		if err != nil {
			t.Fatal(err)
		}
		if got.K != 64/c.size {
			t.Errorf("alpha %v: %d clusters, want %d", c.alpha, got.K, 64/c.size)
		}
		for i, l := range got.Labels {
			if l != i/c.size {
				t.Errorf("alpha %v: vertex %d in cluster %d, want %d", c.alpha, i, l, i/c.size)
			}
		}
	}
	for _, alpha := range []float64{math.NaN(), -1} {
		if _, err := Split(context.Background(), g, Options{}, alpha); err == nil {
			t.Errorf("alpha %v: no error", alpha)
		}
	}
}

// Whatever the graph, the division ends, keeps to the limit and only refines.
func TestSplitRefines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 24).Draw(t, "n")
		weight := rapid.SampledFrom([]float64{0, 0, 0, 0.1, 1, 1e-9})
		g := graph(n, func(i, j int) float64 { return weight.Draw(t, "w") })
		alpha := rapid.Float64Range(0.01, 1).Draw(t, "alpha")
		o := Options{K: rapid.IntRange(0, 5).Draw(t, "K"), Restarts: 2, Threads: 1}
		coarse, err := Cluster(context.Background(), g, o)
		if err != nil {
			t.Fatal(err)
		}
		fine, err := Split(context.Background(), g, o, alpha)
		if err != nil {
			t.Fatal(err)
		}
		if !isCanonical(fine.Labels) || len(fine.Labels) != n {
			t.Fatalf("labels %v", fine.Labels)
		}
		for l, group := range fine.Groups() {
			if len(group) == 0 || float64(len(group)) > max(1, alpha*float64(n)) {
				t.Fatalf("cluster %d has %d of %d vertices, alpha %v", l, len(group), n, alpha)
			}
			for _, v := range group {
				if coarse.Labels[v] != coarse.Labels[group[0]] {
					t.Fatalf("cluster %d joins two of the first clusters", l)
				}
			}
		}
		for i, l := range fine.Labels {
			if (l < 0) != slices.Contains(fine.Isolated, i) {
				t.Fatalf("vertex %d has label %d, isolated are %v", i, l, fine.Isolated)
			}
		}
	})
}
