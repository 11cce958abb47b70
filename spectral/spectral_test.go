package spectral

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Property tests draw the same cases on every run unless -rapid.seed says otherwise.
func init() { flag.Set("rapid.seed", "1") }

// graph builds a graph from the weight of each pair i < j.
func graph(n int, weight func(i, j int) float64) *mat.SymDense {
	g := newSym(n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			g.SetSym(i, j, weight(i, j))
		}
	}
	return g
}

func pathGraph(n int) *mat.SymDense {
	return graph(n, func(i, j int) float64 { return indicator(j == i+1) })
}

func cycleGraph(n int) *mat.SymDense {
	return graph(n, func(i, j int) float64 { return indicator(j == i+1 || j == i+n-1) })
}

func completeGraph(n int) *mat.SymDense {
	return graph(n, func(i, j int) float64 { return 1 })
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// plantedPartition returns a random partition of n vertices into k groups, canonical, and a
// graph whose edges are heavier within groups.
func plantedPartition(rng *rand.Rand, n, k int) (labels []int, g *mat.SymDense) {
	labels = make([]int, n)
	for i := range labels {
		labels[i] = i % k
	}
	rng.Shuffle(n, func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
	canonicalize(labels)
	return labels, graph(n, func(i, j int) float64 {
		return 0.8*indicator(labels[i] == labels[j]) + 0.1*rng.Float64()
	})
}

func noiseGraph(rng *rand.Rand, n int) *mat.SymDense {
	return graph(n, func(i, j int) float64 { return rng.Float64() })
}

// mustPanic checks the message that f panics with.
func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	f()
}

func isCanonical(labels []int) bool {
	c := slices.Clone(labels)
	canonicalize(c)
	return slices.Equal(c, labels)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
