package finding

import (
	"context"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
)

// Grids compares all layers of each two networks by means over positions.
func Grids(ctx context.Context, g *observe.Grid, threads int) ([]results.Grid, error) {
	if g == nil {
		return nil, nil
	}
	var all []results.Grid
	first := 0 // of network a's layers in the moments
	for a := range g.Layers {
		second := first + len(g.Layers[a])
		for b := a + 1; b < len(g.Layers); b++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			grid := newGrid(a, b, g.Layers[a], g.Layers[b])
			cols := len(g.Layers[b])
			par.For(par.Threads(threads), len(g.Layers[a])*cols, func(k int) {
				i, j := k/cols, k%cols
				p := g.Moments.Pair(first+i, second+j)
				p.Threads = 1
				grid.CKA[i][j], grid.Matched[i][j], grid.Linear[i][j] = gridCell(p)
			})
			all = append(all, grid)
			second += cols
		}
		first += len(g.Layers[a])
	}
	return all, nil
}

func newGrid(a, b int, layersA, layersB []string) results.Grid {
	g := results.Grid{A: a, B: b, LayersA: layersA, LayersB: layersB}
	for _, values := range []*[][]*float64{&g.CKA, &g.Matched, &g.Linear} {
		for range layersA {
			*values = append(*values, make([]*float64, len(layersB)))
		}
	}
	return g
}

// gridCell compares two layers. A figure is nil where no unit is live, or there are too
// few images.
func gridCell(p *corr.Pair) (cka, matched, linear *float64) {
	known := func(v float64, err error) *float64 {
		if err != nil {
			return nil
		}
		return results.Finite(v)
	}
	cka = known(p.CKA())
	if len(p.UnitsA) > 0 && len(p.UnitsB) > 0 {
		best, err := match.Bipartite(p.Correlation())
		matched = known(best.Mean, err)
	}
	l, err := p.Linear()
	if err != nil {
		l.Mean = math.NaN()
	}
	return cka, matched, results.Finite(l.Mean)
}
