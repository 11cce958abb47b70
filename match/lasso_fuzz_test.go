package match

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FuzzLasso predicts from sources that may be more than the observations, equal, constant
// or nearly dependent; the KKT conditions and the duality gap are the truth.
func FuzzLasso(f *testing.F) {
	f.Add(uint64(1), uint8(10), uint8(3), uint8(50), 0.1, uint8(0))
	f.Add(uint64(2), uint8(30), uint8(1), uint8(5), 1e-6, uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, sources, targets, observations uint8, lambda float64, kind uint8) {
		if !(lambda >= 0 && lambda <= 2) || lambda > 0 && lambda < 1e-9 {
			t.Skip("not a penalty of interest")
		}
		p, q := 1+int(sources)%60, 1+int(targets)%5
		rnd := rand.New(rand.NewPCG(seed, 3))
		x := mat.NewDense(2+int(observations), p+q, nil)
		x.Apply(func(i, j int, _ float64) float64 {
			switch {
			case j > 0 && kind&1 != 0 && j%4 == 1:
				return x.At(i, j-1) // a copy
			case j > 0 && kind&2 != 0 && j%4 == 2:
				return x.At(i, j-1) + 1e-4*rnd.NormFloat64()
			case kind&4 != 0 && j%7 == 3:
				return 1 // constant
			case kind&8 != 0:
				return max(0, rnd.NormFloat64())
			}
			return rnd.NormFloat64()
		}, x)
		joint := correlate(x)
		sxx, sxy := joint.Slice(0, p, 0, p), joint.Slice(0, p, p, p+q)
		variance := make([]float64, q)
		for j := range variance {
			variance[j] = joint.At(p+j, p+j)
		}
		fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{lambda}, Variance: variance, KeepWeights: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, fit := range fits {
			for j := range q {
				// Weights of nearly equal sources are large, and so are rounding errors.
				size := floats.Norm(mat.Col(nil, j, fit.W), 1)
				if gap := fit.Gap[j]; !(gap >= 0 && gap < 1e-9+1e-11*size*size) {
					t.Errorf("target %d: gap %v of weights %v", j, gap, size)
				}
				for i := range p {
					g := sxy.At(i, j)
					for k := range p {
						g -= sxx.At(i, k) * fit.W.At(k, j)
					}
					if w := fit.W.At(i, j); math.Abs(g) > lambda+1e-9*(1+size) || w != 0 && sxx.At(i, i) > 0 && math.Abs(g-math.Copysign(lambda, w)) > 1e-9*(1+size) {
						t.Errorf("target %d: gradient %v at source %d of weight %v, lambda %v", j, g, i, w, lambda)
					}
				}
			}
		}
	})
}
