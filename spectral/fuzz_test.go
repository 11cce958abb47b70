package spectral

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FuzzLinkage replays the merges of trees by every method, over similarities of few or many
// levels, ties included, and over inner products of points.
func FuzzLinkage(f *testing.F) {
	f.Add(uint64(1), uint8(20), uint16(3), uint8(Average))
	f.Add(uint64(2), uint8(1), uint16(1000), uint8(Complete))
	f.Add(uint64(3), uint8(30), uint16(5), uint8(Single))
	f.Add(uint64(4), uint8(30), uint16(2), uint8(Ward))
	f.Fuzz(func(t *testing.T, seed uint64, leaves uint8, levels uint16, kind uint8) {
		n, method := 1+int(leaves)%40, Linkage(kind)%(Ward+1)
		rnd := rand.New(rand.NewPCG(seed, 4))
		level, tol := func() float64 { return float64(rnd.IntN(1+int(levels)))/7 - 1 }, 1e-12*(1+float64(levels))
		if method == Ward { // squares of distances are whole, and their roots near 0 are not as sure
			level, tol = func() float64 { return float64(rnd.IntN(1 + int(levels)%50)) }, 1e-5
		}
		sim := mat.NewSymDense(n, nil)
		points := make([][]float64, n)
		for i := range n {
			points[i] = []float64{level(), level(), level()}
			for j := range i + 1 {
				if sim.SetSym(i, j, level()); method == Ward {
					sim.SetSym(i, j, floats.Dot(points[i], points[j]))
				}
			}
		}
		// foldPairs folds the similarities of all pairs of leaves.
		foldPairs := func(a, b []int, start float64, fold func(x, y float64) float64) float64 {
			for _, i := range a {
				for _, j := range b {
					start = fold(start, sim.At(i, j))
				}
			}
			return start
		}
		mean := func(leaves []int) []float64 {
			m := make([]float64, 3)
			for _, i := range leaves {
				floats.AddScaled(m, 1/float64(len(leaves)), points[i])
			}
			return m
		}
		similarity := map[Linkage]func(a, b []int) float64{
			Average:  meanSimilarity(sim),
			Complete: func(a, b []int) float64 { return foldPairs(a, b, math.Inf(1), math.Min) },
			Single:   func(a, b []int) float64 { return foldPairs(a, b, math.Inf(-1), math.Max) },
			Ward: func(a, b []int) float64 {
				na, nb := float64(len(a)), float64(len(b))
				return -math.Sqrt(2*na*nb/(na+nb)) * floats.Distance(mean(a), mean(b), 2)
			},
		}[method]
		tree, err := Link(context.Background(), sim, LinkageOptions{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		checkMerges(t, n, similarity, tol, tree)
	})
}
