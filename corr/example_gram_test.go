package corr_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/corr"
)

// Two networks of 30 units that have nothing in common, over 20 samples: plain CKA is far
// from 0, which debiased CKA is not.
func ExampleHSIC() {
	rnd := rand.New(rand.NewPCG(1, 1))
	a, b := make([]float32, 20*30), make([]float32, 20*30)
	for i := range a {
		a[i], b[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
	}
	h := corr.NewHSIC(30, 30)
	for half := range 2 { // samples may come in parts
		if err := h.Add(10, a[half*300:][:300], b[half*300:][:300]); err != nil {
			fmt.Println(err)
			return
		}
	}
	plain, _ := h.CKA(0, 1)
	debiased, _ := h.DebiasedCKA(0, 1)
	fmt.Printf("CKA %.2f, debiased %.2f\n", plain, debiased)
	// Output: CKA 0.55, debiased -0.06
}

// Flattened images are rows of 8 features, of which one half comes after the other.
func ExampleGram() {
	images, a, _ := activations(50)
	g := corr.NewGram(50)
	for _, from := range []int{0, 4} {
		if err := g.Add(images, corr.Rows(a[from:], 50, 4, 8)); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(g.Samples(), "samples,", g.Features(), "features")
	// Output: 50 samples, 8 features
}

// The second network spans the space of the first, in another basis, and has nearly the
// same neighbours.
func ExampleGramPair() {
	images, a, b := activations(50)
	x, y := corr.NewGram(50), corr.NewGram(50)
	for g, t := range map[*corr.Gram]corr.Tensor{x: corr.NHWC(a, 50, 2, 2, 2), y: corr.NHWC(b, 50, 2, 2, 2)} {
		if err := g.Add(images, t.Flatten()); err != nil {
			fmt.Println(err)
			return
		}
	}
	pair, err := corr.NewGramPair(x, y)
	if err != nil {
		fmt.Println(err)
		return
	}
	neighbours := func(p *corr.GramPair) (float64, error) { return p.MutualNeighbours(5, corr.EuclideanDistance) }
	share, _ := neighbours(pair)
	null, _ := pair.PermutationNull(context.Background(), 99, 1, neighbours)
	fmt.Printf("mutual neighbours %.2f, by chance %.2f, p = %.2f\n", share, null.Mean(), null.PValue(share))
	rsa, _ := pair.RSA(corr.CorrelationDistance)
	fmt.Printf("RSA %.2f\n", rsa)
	rbf, err := pair.RBF(0.4)
	if err != nil {
		fmt.Println(err)
		return
	}
	cka, _ := rbf.DebiasedCKA()
	fmt.Printf("debiased RBF CKA %.2f\n", cka)
	// Output:
	// mutual neighbours 0.74, by chance 0.10, p = 0.01
	// RSA 0.89
	// debiased RBF CKA 0.91
}
