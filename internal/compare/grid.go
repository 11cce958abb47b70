package compare

import (
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/study"
	"github.com/convergent-go/convergent/match"
)

// grids compares all layers of each two networks.
func grids(nets []*network, m *corr.Moments) ([]study.Grid, error) {
	var all []study.Grid
	first := 0 // of network a's layers in m
	for a, na := range nets {
		second := first + len(na.layers)
		for b := a + 1; b < len(nets); b++ {
			nb := nets[b]
			g := study.Grid{A: a, B: b}
			for _, l := range nb.layers {
				g.LayersB = append(g.LayersB, l.name)
			}
			for i, l := range na.layers {
				g.LayersA = append(g.LayersA, l.name)
				var cka, matched, linear []*float64
				for j := range nb.layers {
					p := m.Pair(first+i, second+j)
					of := func(f func() (float64, error)) *float64 {
						v, err := f()
						if err != nil {
							return nil // no unit is live, or there are too few images
						}
						return finite(v)
					}
					cka = append(cka, of(p.CKA))
					matched = append(matched, of(func() (float64, error) {
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
			second += len(nb.layers)
		}
		first += len(na.layers)
	}
	return all, nil
}
