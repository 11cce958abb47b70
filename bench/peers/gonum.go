package main

import (
	"github.com/convergent-go/convergent/bench"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// gonum is the peer in Go. It computes correlations in float64.
type gonum struct{}

func (gonum) name() string { return "gonum" }

// does leaves out correlations that would take gonum many seconds.
func (gonum) supports(w bench.Work) bool {
	switch w.Spec.(type) {
	case bench.Gemm, bench.BLAS:
		return true
	case bench.Moments:
		return w.Operations < 5e9
	}
	return false
}

func (gonum) prepare(w bench.Work) (*entry, error) {
	var job *bench.Job
	switch s := w.Spec.(type) {
	case bench.Gemm:
		job = gonumGemm(s)
	case bench.BLAS:
		job = s.Gonum()
	case bench.Moments:
		job = gonumMoments(s)
	}
	if err := job.Run(); err != nil {
		return nil, err
	}
	return ownEntry(job), nil
}

func gonumGemm(s bench.Gemm) *bench.Job {
	x, y := s.Operands()
	a := blas32.General{Rows: s.M, Cols: s.K, Stride: s.K, Data: x}
	b := blas32.General{Rows: s.K, Cols: s.N, Stride: s.N, Data: y}
	c := blas32.General{Rows: s.M, Cols: s.N, Stride: s.N, Data: make([]float32, s.M*s.N)}
	return &bench.Job{
		Run: func() error {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
			return nil
		},
		Results: func() [][]float64 { return [][]float64{bench.Float64s(c.Data)} },
	}
}

func gonumMoments(s bench.Moments) *bench.Job {
	x := mat.NewDense(s.N, s.P, bench.Float64s(s.Observations()))
	var c mat.SymDense
	return &bench.Job{
		Run: func() error {
			c.Reset()
			stat.CorrelationMatrix(&c, x, nil)
			return nil
		},
		Results: func() [][]float64 { return [][]float64{mat.DenseCopyOf(&c).RawMatrix().Data} },
	}
}
