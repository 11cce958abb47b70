package match

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// rectified returns the correlations of p units, and of p others with them, that share
// 40 causes: the data of bench/peers.
func rectified(p, rows int) (sxx, sxy *mat.Dense) {
	const causes = 40
	rnd := rand.New(rand.NewPCG(1, 1))
	normal := func(r, c int) *mat.Dense {
		d := mat.NewDense(r, c, nil)
		for i := range d.RawMatrix().Data {
			d.RawMatrix().Data[i] = rnd.NormFloat64()
		}
		return d
	}
	f := normal(rows, causes)
	side := func() *mat.Dense {
		var a mat.Dense
		a.Mul(f, normal(causes, p))
		data := a.RawMatrix().Data
		for i := range data {
			data[i] = max(0, data[i]+rnd.NormFloat64())
		}
		for j := range p {
			var m, s float64
			for i := range rows {
				m += a.At(i, j) / float64(rows)
			}
			for i := range rows {
				s += (a.At(i, j) - m) * (a.At(i, j) - m) / float64(rows)
			}
			for i := range rows {
				a.Set(i, j, (a.At(i, j)-m)/math.Sqrt(s)/math.Sqrt(float64(rows)))
			}
		}
		return &a
	}
	a, b := side(), side()
	sxx, sxy = &mat.Dense{}, &mat.Dense{}
	sxx.Mul(a.T(), a)
	sxy.Mul(a.T(), b)
	return sxx, sxy
}

func BenchmarkLasso(b *testing.B) {
	for _, p := range []int{96, 384} {
		sxx, sxy := rectified(p, 20000)
		for _, lambda := range []float64{1e-3, 1e-2, 1e-1} {
			b.Run(fmt.Sprint(p, "/", lambda), func(b *testing.B) {
				for b.Loop() {
					if _, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{lambda}, Threads: 1}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprint(p, "/path"), func(b *testing.B) {
			subset := sxy.Slice(0, p, 0, 16)
			for b.Loop() {
				if _, err := Lasso(context.Background(), sxx, subset, LassoOptions{Lambdas: LambdaGrid(LambdaMax(subset), LambdaMax(subset)/1000, 100), Threads: 1}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*float64(p)/16, "s/all-targets")
		})
	}
}

// BenchmarkLassoWide has about as many units as observations, or more, and the lambdas that
// bench/convergent has.
func BenchmarkLassoWide(b *testing.B) {
	const rows, targets = 1000, 144
	for _, p := range []int{512, 1024, 2048} {
		b.Run(fmt.Sprint(p), func(b *testing.B) {
			sxx, sxy := rectified(p, rows)
			for b.Loop() {
				if _, err := Lasso(context.Background(), sxx, sxy.Slice(0, p, 0, targets), LassoOptions{Lambdas: []float64{0, 0.001, 0.01, 0.03, 0.1, 0.25, 0.5}, Threads: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
