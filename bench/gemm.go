package bench

import (
	"fmt"

	"github.com/convergent-go/convergent/internal/level3"
)

// Gemm is the product C [M, N] = A [M, K] B [K, N] of row-major matrices.
type Gemm struct {
	M int `json:"m"`
	N int `json:"n"`
	K int `json:"k"`
}

func (s Gemm) works() ([]Work, error) {
	name := fmt.Sprintf("gemm/%dx%dx%d", s.M, s.N, s.K)
	if min(s.M, s.N, s.K) < 1 {
		return nil, fmt.Errorf("%s: size out of range", name)
	}
	operations := 2 * float64(s.M) * float64(s.N) * float64(s.K)
	return []Work{{Name: name, Operations: operations, Tolerance: 1e-5, Spec: s, start: s.start}}, nil
}

// Operands returns A and B.
func (s Gemm) Operands() (a, b []float32) { return uniform(1, s.M*s.K), uniform(2, s.K*s.N) }

func (s Gemm) start(threads int) (*Job, error) {
	a, b := s.Operands()
	c := make([]float32, s.M*s.N)
	return &Job{
		Run: func() error {
			level3.Gemm(threads, level3.Product{M: s.M, N: s.N, K: s.K, A: level3.Rows{Data: a, Stride: s.K}, B: level3.Cols{Data: b, Stride: s.N}, C: c, LDC: s.N})
			return nil
		},
		Results: func() [][]float64 { return [][]float64{Float64s(c)} },
	}, nil
}
