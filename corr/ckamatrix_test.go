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
					if x[i] = float32(rnd.NormFloat64() * magnitude(features)); features == 3 {
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

// TestPermutedCKA: each element is that of the pair of Grams in the order.
func TestPermutedCKA(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 8))
	for _, samples := range []int{3, 17, 130} {
		var grams []*corr.Gram
		for features := range 40 { // more than a tile of the product
			g := corr.NewGram(samples)
			x := make([]float32, samples*(features+1))
			for i := range x {
				if x[i] = float32(rnd.NormFloat64() * magnitude(features)); features == 3 {
					x[i] = 5 // all samples the same
				}
			}
			if err := g.Add(nil, corr.Rows(x, samples, features+1, features+1)); err != nil {
				t.Fatal(err)
			}
			grams = append(grams, g)
		}
		grams[7] = nil
		orders := [][]int{nil}
		for range 50 { // more than are gathered at a time
			orders = append(orders, rnd.Perm(samples))
		}
		for _, y := range []int{0, 3, 7, 39} {
			got, one := mat.NewDense(len(orders), len(grams), nil), mat.NewDense(len(orders), len(grams), nil)
			if err := errors.Join(corr.PermutedCKA(context.Background(), got, grams, grams[y], orders, 3), corr.PermutedCKA(context.Background(), one, grams, grams[y], orders, 1)); err != nil {
				t.Fatal(err)
			}
			for d, order := range orders {
				for x := range grams {
					want := pairCKA([]*corr.Gram{grams[x], grams[y]}, [][]int{nil, order}, 0, 1)
					if v := got.At(d, x); math.IsNaN(v) != math.IsNaN(want) || math.Abs(v-want) > 1e-6 {
						t.Fatalf("%d samples, Grams %d and %d, order %d: %v, want %v", samples, x, y, d, v, want)
					}
					if v, w := got.At(d, x), one.At(d, x); v != w && !math.IsNaN(v) {
						t.Fatalf("three threads give %v, one %v", v, w)
					}
				}
			}
		}
		ended, end := context.WithCancel(context.Background())
		end()
		dst := mat.NewDense(1, 1, []float64{7})
		if err := corr.PermutedCKA(ended, dst, grams[:1], grams[1], orders[1:2], 2); !errors.Is(err, context.Canceled) || dst.At(0, 0) != 7 {
			t.Errorf("cancelled: %v, and %v in the destination", err, dst.At(0, 0))
		}
		for name, call := range map[string]func(){
			"a destination of another shape": func() {
				corr.PermutedCKA(context.Background(), dst, grams[:2], grams[1], orders[1:2], 1)
			},
			"no permutation": func() {
				corr.PermutedCKA(context.Background(), dst, grams[:1], grams[1], [][]int{make([]int, samples)}, 1)
			},
			"other samples": func() {
				g := corr.NewGram(samples + 1)
				if err := g.Add(nil, corr.Rows(append(make([]float32, samples), 1), samples+1, 1, 1)); err != nil {
					t.Fatal(err)
				}
				corr.PermutedCKA(context.Background(), dst, []*corr.Gram{g}, grams[1], orders[1:2], 1)
			},
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", name)
					}
				}()
				call()
			}()
		}
	}
}

// magnitude is that of activations: some are so small or large that float32 does not hold products
// of their inner products.
func magnitude(features int) float64 {
	switch features % 10 {
	case 6:
		return 1e-13
	case 9:
		return 1e13
	}
	return 1
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

// BenchmarkPermutedCKA compares a layer with 53, as it is and with samples in 199 other orders.
func BenchmarkPermutedCKA(b *testing.B) {
	const samples, features, layers = 1000, 200, 53
	rnd := rand.New(rand.NewPCG(1, 1))
	var grams []*corr.Gram
	for range layers + 1 {
		x := make([]float32, samples*features)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		g := corr.NewGram(samples)
		if err := g.Add(nil, corr.Rows(x, samples, features, features)); err != nil {
			b.Fatal(err)
		}
		grams = append(grams, g)
	}
	orders := [][]int{nil}
	for range 199 {
		orders = append(orders, rnd.Perm(samples))
	}
	dst := mat.NewDense(len(orders), layers, nil)
	for b.Loop() {
		if err := corr.PermutedCKA(context.Background(), dst, grams[:layers], grams[layers], orders, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(orders)*layers)*samples*samples*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

// TestCKAOfOtherSamples: Grams that know that they are of other samples are refused.
func TestCKAOfOtherSamples(t *testing.T) {
	var grams []*corr.Gram
	for first := range uint64(2) {
		g := corr.NewGram(4)
		if err := g.Add([]uint64{first, 8, 9, 10}, corr.Rows([]float32{1, 2, 4, 7}, 4, 1, 1)); err != nil {
			t.Fatal(err)
		}
		grams = append(grams, g)
	}
	if err := corr.CKAMatrix(t.Context(), mat.NewSymDense(2, nil), grams, nil, 1); err == nil {
		t.Error("CKAMatrix takes them")
	}
	if err := corr.PermutedCKA(t.Context(), mat.NewDense(1, 1, nil), grams[:1], grams[1], [][]int{nil}, 1); err == nil {
		t.Error("PermutedCKA takes them")
	}
}
