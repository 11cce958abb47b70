package corr_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// TestCKAMatrix: each element is that of the pair of Grams, whatever their orders.
func TestCKAMatrix(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 7))
	for _, samples := range []int{3, 17, 130} {
		var grams []*corr.Gram
		var orders [][]int
		for features := range 40 { // more than a tile of the product
			g := corr.NewGram(samples)
			if features == 0 {
				g = nil
			} else {
				x := make([]float32, samples*features)
				for i := range x {
					if x[i] = float32(rnd.NormFloat64()); features == 3 {
						x[i] = 5 // all samples the same
					}
				}
				if err := g.Add(nil, corr.Rows(x, samples, features, features)); err != nil {
					t.Fatal(err)
				}
			}
			grams, orders = append(grams, g), append(orders, rnd.Perm(samples))
		}
		orders[5] = nil
		for _, of := range [][][]int{nil, orders} {
			got := mat.NewSymDense(len(grams), nil)
			one := mat.NewSymDense(len(grams), nil)
			if err := errors.Join(corr.CKAMatrix(context.Background(), got, grams, of, 2), corr.CKAMatrix(context.Background(), one, grams, of, 1)); err != nil {
				t.Fatal(err)
			}
			ended, end := context.WithCancel(context.Background())
			end()
			if err := corr.CKAMatrix(ended, mat.NewSymDense(len(grams), nil), grams, of, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			for i := range grams {
				for j := range grams {
					want := pairCKA(grams, of, i, j)
					if v := got.At(i, j); math.IsNaN(v) != math.IsNaN(want) || math.Abs(v-want) > 1e-6 {
						t.Fatalf("%d samples, Grams %d and %d: %v, want %v", samples, i, j, v, want)
					}
					if v, w := got.At(i, j), one.At(i, j); v != w && !math.IsNaN(v) {
						t.Fatalf("two threads give %v, one %v", v, w)
					}
				}
			}
		}
	}
}

// pairCKA is CKA of two Grams, one by one.
func pairCKA(grams []*corr.Gram, orders [][]int, i, j int) float64 {
	if grams[i] == nil || grams[j] == nil {
		return math.NaN()
	}
	c, err := corr.NewGramPair(grams[i], grams[j])
	if err != nil {
		return math.NaN()
	}
	if orders != nil {
		partners := make([]int, grams[i].Samples()) // sample of j that is with each of i
		for at := range partners {
			x, y := at, at
			if orders[i] != nil {
				x = orders[i][at]
			}
			if orders[j] != nil {
				y = orders[j][at]
			}
			partners[x] = y
		}
		c = c.Permuted(partners)
	}
	v, err := c.CKA()
	if err != nil {
		return math.NaN()
	}
	return v
}

// Of two networks' two layers each, over 40 samples, first layers agree.
func ExampleCKAMatrix() {
	rnd := rand.New(rand.NewPCG(1, 1))
	common := make([]float32, 40*3)
	for i := range common {
		common[i] = float32(rnd.NormFloat64())
	}
	var layers []*corr.Gram
	for layer := range 4 {
		x := common
		if layer%2 == 1 {
			x = make([]float32, 40*3)
			for i := range x {
				x[i] = float32(rnd.NormFloat64())
			}
		}
		g := corr.NewGram(40)
		if err := g.Add(nil, corr.Rows(x, 40, 3, 3)); err != nil {
			fmt.Println(err)
			return
		}
		layers = append(layers, g)
	}
	cka := mat.NewSymDense(4, nil)
	if err := corr.CKAMatrix(context.Background(), cka, layers, nil, 0); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("first layers %.2f, second layers %.2f\n", cka.At(0, 2), cka.At(1, 3))
	// Output: first layers 1.00, second layers 0.16
}
