package assignment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func uniformMatrix(n int) Matrix {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	c := Matrix{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
	for i := range c.Data {
		c.Data[i] = rnd.Float64()
	}
	return c
}

// noisyCorrelations returns the correlations of n units with noisy copies of them in another
// order, over 200 observations.
func noisyCorrelations(n int) Matrix {
	rnd := rand.New(rand.NewPCG(2, uint64(n)))
	const samples = 200
	a, b := mat.NewDense(n, samples, nil), mat.NewDense(n, samples, nil)
	for i := range n {
		for k := range samples {
			a.Set(i, k, rnd.NormFloat64())
		}
	}
	for i, j := range rnd.Perm(n) {
		for k := range samples {
			b.Set(i, k, a.At(j, k)+rnd.NormFloat64())
		}
	}
	for _, x := range []*mat.Dense{a, b} {
		for i := range n {
			row := x.RawRowView(i)
			var mean, square float64
			for _, v := range row {
				mean += v / samples
			}
			for k, v := range row {
				row[k] = v - mean
				square += row[k] * row[k]
			}
			for k := range row {
				row[k] /= math.Sqrt(square)
			}
		}
	}
	var c mat.Dense
	c.Mul(a, b.T())
	return Matrix{Rows: n, Cols: n, Stride: n, Data: c.RawMatrix().Data}
}

func BenchmarkMax(b *testing.B) {
	for _, kind := range []struct {
		name string
		make func(n int) Matrix
	}{{"uniform", uniformMatrix}, {"noisy", noisyCorrelations}} {
		for _, n := range []int{384, 1000, 2000, 4000} {
			c := kind.make(n)
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := Max(c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkKinds has values that leave short lists of no use, among others.
func BenchmarkKinds(b *testing.B) {
	for _, k := range kinds {
		c := newMatrix(1000, 1000, k.value)
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Max(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTransport(b *testing.B) {
	for _, size := range [][2]int{{256, 384}, {255, 384}, {768, 192}, {511, 512}, {997, 1000}, {1021, 1019}} {
		n, m := size[0], size[1]
		noisy := noisyCorrelations(max(n, m))
		noisy.Rows, noisy.Cols = n, m
		for name, c := range map[string]Matrix{"noisy": noisy, "falling": newMatrix(n, m, kinds[5].value)} {
			b.Run(fmt.Sprintf("%s/%dx%d", name, n, m), func(b *testing.B) {
				for b.Loop() {
					if _, err := Transport(context.Background(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
