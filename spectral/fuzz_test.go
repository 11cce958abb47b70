package spectral

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// FuzzLinkage replays the merges of trees over similarities of few or many levels, ties
// included.
func FuzzLinkage(f *testing.F) {
	f.Add(uint64(1), uint8(20), uint16(3))
	f.Add(uint64(2), uint8(1), uint16(1000))
	f.Fuzz(func(t *testing.T, seed uint64, leaves uint8, levels uint16) {
		n := 1 + int(leaves)%40
		rnd := rand.New(rand.NewPCG(seed, 4))
		sim := mat.NewSymDense(n, nil)
		for i := range n {
			for j := i; j < n; j++ {
				sim.SetSym(i, j, float64(rnd.IntN(1+int(levels)))/8-1)
			}
		}
		tree, err := AverageLinkage(sim)
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, sim, tree)
	})
}
