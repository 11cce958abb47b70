package bench

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/match"
)

// Lasso is the sparse prediction of Targets of P units from P others, given the covariances
// of N observations: for one Lambda, or for a Path of as many, falling from the largest that
// leaves any target a weight to a thousandth of it.
type Lasso struct {
	N       int     `json:"n"`
	P       int     `json:"p"`
	Targets int     `json:"targets"`
	Lambda  float64 `json:"lambda,omitempty"`
	Path    int     `json:"path,omitempty"`
}

func (s Lasso) works() ([]Work, error) {
	name := fmt.Sprintf("lasso/p=%d,targets=%d", s.P, s.Targets)
	if s.Path > 0 {
		name += fmt.Sprintf(",path=%d", s.Path)
	} else {
		name += fmt.Sprintf(",lambda=%g", s.Lambda)
	}
	if s.N < 2 || s.P < 1 || s.Targets < 1 || s.Targets > s.P || s.Path < 0 || (s.Path == 0) != (s.Lambda > 0) {
		return nil, fmt.Errorf("%s: out of range", name)
	}
	// A peer's weights are as good as its stopping rule makes them.
	return []Work{{Name: name, Tolerance: 0.02, Spec: s, start: s.start}}, nil
}

// Units returns the observations of both networks' units, N x P, rectified mixtures of
// 40 causes and noise, of mean 0 and variance 1.
func (s Lasso) Units() (a, b *mat.Dense) {
	const causes = 40
	stream := 0
	random := func(r, c int) *mat.Dense {
		stream++
		return mat.NewDense(r, c, Float64s(uniform(stream, r*c)))
	}
	f := random(s.N, causes)
	side := func() *mat.Dense {
		x := new(mat.Dense)
		x.Mul(f, random(causes, s.P))
		x.Add(x, random(s.N, s.P))
		column := make([]float64, s.N)
		for j := range s.P {
			mat.Col(column, j, x)
			var mean, square float64
			for i, v := range column {
				column[i] = max(0, v)
				mean += column[i] / float64(s.N)
			}
			for _, v := range column {
				square += (v - mean) * (v - mean) / float64(s.N)
			}
			for i, v := range column {
				x.Set(i, j, (v-mean)/math.Sqrt(square))
			}
		}
		return x
	}
	return side(), side()
}

func (s Lasso) start(threads int) (*Job, error) {
	a, b := s.Units()
	var sxx, cross mat.Dense
	sxx.Mul(a.T(), a)
	cross.Mul(a.T(), b)
	sxx.Scale(1/float64(s.N), &sxx)
	cross.Scale(1/float64(s.N), &cross)
	sxy := cross.Slice(0, s.P, 0, s.Targets)
	var weights []float64
	return &Job{
		Run: func() error {
			lambdas := []float64{s.Lambda}
			if s.Path > 0 {
				largest := match.LambdaMax(sxy)
				lambdas = match.LambdaGrid(largest, largest/1000, s.Path)
			}
			fits, err := match.Lasso(context.Background(), &sxx, sxy, match.LassoOptions{Lambdas: lambdas, Threads: threads, KeepWeights: true})
			if err != nil {
				return err
			}
			weights = weights[:0]
			for _, f := range fits {
				weights = append(weights, f.W.RawMatrix().Data...)
			}
			return nil
		},
		Results: func() [][]float64 { return [][]float64{weights} },
	}, nil
}
