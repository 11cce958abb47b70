package study

import (
	"context"
	"math"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/nn"
)

// Grids compares all layers of each two networks, given the names of each network's
// layers, and moments in which these are networks of their own, network after network.
func Grids(layers [][]string, m *corr.Moments) []Grid {
	var all []Grid
	first := 0 // of network a's layers in m
	for a := range layers {
		second := first + len(layers[a])
		for b := a + 1; b < len(layers); b++ {
			g := Grid{A: a, B: b, LayersA: layers[a], LayersB: layers[b]}
			for i := range layers[a] {
				var cka, matched, linear []*float64
				for j := range layers[b] {
					p := m.Pair(first+i, second+j)
					of := func(f func() (float64, error)) *float64 {
						v, err := f()
						if err != nil {
							return nil // no unit is live, or there are too few images
						}
						return Finite(v)
					}
					cka = append(cka, of(p.CKA))
					matched = append(matched, of(func() (float64, error) {
						if len(p.UnitsA) == 0 || len(p.UnitsB) == 0 {
							return math.NaN(), nil
						}
						best, err := match.Bipartite(p.Correlation())
						return best.Mean, err
					}))
					linear = append(linear, of(func() (float64, error) {
						v, err := p.Linear()
						return v.Mean, err
					}))
				}
				g.CKA, g.Matched, g.Linear = append(g.CKA, cka), append(g.Matched, matched), append(g.Linear, linear)
			}
			all = append(all, g)
			second += len(layers[b])
		}
		first += len(layers[a])
	}
	return all
}

// acrossLayers compares all layers of the first two networks, by units' means over the
// positions of an image.
func (r *run) acrossLayers(ctx context.Context) ([]Grid, error) {
	nets, err := r.networks(r.jobs()[:2], final)
	if err != nil {
		return nil, err
	}
	var units []int
	for _, n := range nets {
		for _, layer := range r.Layers {
			s, _ := n.Shape(tap(n.Arch(), layer))
			units = append(units, s.C)
		}
	}
	m := corr.NewMoments(units...)
	m.Threads = r.Threads
	err = r.stream(ctx, "stream activations of all layers", nets, func(seen []taps, ids []uint64) error {
		var all []corr.Tensor
		for i, n := range nets {
			for _, layer := range r.Layers {
				t := seen[i][tap(n.Arch(), layer)]
				all = append(all, corr.Rows(overPositions(t), t.N, t.C, t.C))
			}
		}
		return m.AddTensors(ids, all...)
	})
	if err != nil {
		return nil, err
	}
	return Grids([][]string{r.Layers, r.Layers}, closed(m)), nil
}

// overPositions returns the mean of each unit over the positions of each image.
func overPositions(t *nn.Tensor) []float32 {
	means := make([]float32, t.N*t.C)
	sum := make([]float64, t.C)
	for i := range t.N {
		clear(sum)
		for at := range t.H * t.W {
			for u, v := range t.Data[(i*t.H*t.W+at)*t.C:][:t.C] {
				sum[u] += float64(v)
			}
		}
		for u, v := range sum {
			means[i*t.C+u] = float32(v / float64(t.H*t.W))
		}
	}
	return means
}

// Finite returns a pointer to what JSON can hold, or nil.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
