package corr

import (
	"fmt"
	"math"
)

// Distance says how far two samples are from each other in a network's features.
type Distance int

const (
	EuclideanDistance   Distance = iota // |x - y|
	CosineDistance                      // 1 - x.y / (|x| |y|), of activations as they are, not centred
	CorrelationDistance                 // 1 - Pearson's correlation of x and y over features
)

// metric gives distances, or what has their order.
type metric struct {
	*Gram
	kind  Distance
	norms []float64 // of samples: squared for Euclidean distances, or what products are divided by
}

// metric returns an error that names the first sample that has no distance to others.
func (g *Gram) metric(d Distance) (metric, error) {
	m := metric{g, d, make([]float64, g.n)}
	switch {
	case d < EuclideanDistance || d > CorrelationDistance:
		panic("corr: unknown distance")
	case d == CorrelationDistance && g.kernel:
		panic("corr: another kernel has no features to correlate over")
	}
	for i := range m.norms {
		if d == EuclideanDistance {
			m.norms[i] = g.diagonal(i)
			continue
		}
		squares := g.squares[i]
		if d == CorrelationDistance {
			squares -= g.sum[i] * g.sum[i] / float64(g.features)
		}
		if squares <= 1e-12*g.squares[i] { // 0, but for rounding
			name := map[Distance]string{CosineDistance: "0", CorrelationDistance: "the same"}[d]
			return m, fmt.Errorf("corr: sample %d is %s in all features: it has no distance of this kind to others", i, name)
		}
		m.norms[i] = math.Sqrt(squares)
	}
	return m, nil
}

// from sets dst to the distances of sample i to samples j, j+1, and so on; Euclidean ones
// squared. None is below 0, and that of j to i is the same.
func (m metric) from(i, j int, dst []float32) {
	products := m.products[i*m.n:][j : j+len(dst)]
	if m.kind == EuclideanDistance {
		for k, v := range products {
			dst[k] = float32(max(0, m.norms[i]+m.norms[j+k]-2*float64(v)))
		}
		return
	}
	for k, v := range products {
		product := float64(v) + (m.lift[i] + m.lift[j+k]) + m.centre
		if m.kind == CorrelationDistance {
			product -= m.sum[i] * m.sum[j+k] / float64(m.features)
		}
		dst[k] = float32(max(0, 1-product/(m.norms[i]*m.norms[j+k])))
	}
}
