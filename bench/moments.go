package bench

import (
	"fmt"

	"github.com/convergent-go/convergent/corr"
)

// Moments are the correlations of P units over N observations.
type Moments struct {
	N int `json:"n"`
	P int `json:"p"`
}

// works counts the operations of a covariance, which is symmetric: N P (P+1).
func (s Moments) works() ([]Work, error) {
	name := fmt.Sprintf("moments/N=%d,p=%d", s.N, s.P)
	if s.N < 2 || s.P < 1 {
		return nil, fmt.Errorf("%s: size out of range", name)
	}
	operations := float64(s.N) * float64(s.P) * float64(s.P+1)
	return []Work{{Name: name, Operations: operations, Tolerance: 1e-5, Spec: s, start: s.start}}, nil
}

// Observations returns the observations, N x P.
func (s Moments) Observations() []float32 { return uniform(1, s.N*s.P) }

func (s Moments) start(threads int) (*Job, error) {
	x := s.Observations()
	var m *corr.Moments
	return &Job{
		Run: func() error {
			m = corr.NewMoments(s.P)
			m.Threads = threads
			if err := m.Add(s.N, x); err != nil {
				return err
			}
			m.Correlation(nil, 0, 0)
			return nil
		},
		Results: func() [][]float64 { return [][]float64{m.Correlation(nil, 0, 0).RawMatrix().Data} },
	}, nil
}
