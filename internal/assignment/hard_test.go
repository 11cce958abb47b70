package assignment

import (
	"gonum.org/v1/gonum/mat"
	"math"
	"math/rand/v2"
	"testing"
)

func BenchmarkHard(b *testing.B) {
	n := 1000
	rnd := rand.New(rand.NewPCG(1, 2))
	k := 40
	x, y := mat.NewDense(n, k, nil), mat.NewDense(n, k, nil)
	for _, d := range []*mat.Dense{x, y} {
		for i := range d.RawMatrix().Data {
			d.RawMatrix().Data[i] = rnd.NormFloat64()
		}
	}
	var lr mat.Dense
	lr.Mul(x, y.T())
	for name, f := range map[string]func(i, j int) float64{
		"equal":        func(i, j int) float64 { return 7 },
		"product":      func(i, j int) float64 { return float64(i * j) },
		"minusproduct": func(i, j int) float64 { return -float64((i + 1) * (j + 1)) },
		"int3":         func(i, j int) float64 { return float64(rnd.IntN(3)) },
		"int100":       func(i, j int) float64 { return float64(rnd.IntN(100)) },
		"geometric":    func(i, j int) float64 { return math.Pow(0.99, float64(i+j)) },
		"euclid":       func(i, j int) float64 { return -math.Hypot(x.At(i, 0)-y.At(j, 0), x.At(i, 1)-y.At(j, 1)) },
		"lowrank":      func(i, j int) float64 { return lr.At(i, j) },
		"rank1":        func(i, j int) float64 { return x.At(i, 0) * y.At(j, 0) },
		"rowscale":     func(i, j int) float64 { return rnd.Float64() + 3*x.At(i, 0) + 4*y.At(j, 0) },
	} {
		c := Matrix{n, n, n, make([]float64, n*n)}
		for i := range n {
			for j := range n {
				c.Data[i*n+j] = f(i, j)
			}
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Max(c)
			}
		})
	}
}
