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
func Grids(ctx context.Context, g *observe.Grid, o Options) ([]results.Grid, error) {
	if g == nil {
		return nil, nil
	}
	var all []results.Grid
	for a := range g.Layers {
		for b := a + 1; b < len(g.Layers); b++ {
			grid := results.Grid{A: a, B: b, LayersA: g.Layers[a], LayersB: g.Layers[b]}
			grid.CKA, grid.Matched, grid.Linear = cells(grid), cells(grid), cells(grid)
			all = append(all, grid)
		}
	}
	err := eachCell(ctx, g, all, g.Moments, o.Threads, func(k, i, j int, p *corr.Pair) {
		all[k].CKA[i][j], all[k].Matched[i][j], all[k].Linear[i][j] = gridCell(p)
	})
	if err != nil {
		return nil, err
	}
	return all, calibrateGrids(ctx, g, o, all)
}

// cells has one for every two layers.
func cells(g results.Grid) [][]*float64 {
	rows := make([][]*float64, len(g.LayersA))
	for i := range rows {
		rows[i] = make([]*float64, len(g.LayersB))
	}
	return rows
}

// eachCell calls fn for every two layers of each grid, side by side.
func eachCell(ctx context.Context, g *observe.Grid, grids []results.Grid, m *corr.Moments, threads int, fn func(k, i, j int, p *corr.Pair)) error {
	first := make([]int, len(g.Layers)+1) // of a network's layers in the moments
	for n, layers := range g.Layers {
		first[n+1] = first[n] + len(layers)
	}
	for k, grid := range grids {
		if err := ctx.Err(); err != nil {
			return err
		}
		cols := len(grid.LayersB)
		par.For(par.Threads(threads), len(grid.LayersA)*cols, func(cell int) {
			i, j := cell/cols, cell%cols
			p := m.Pair(first[grid.A]+i, first[grid.B]+j)
			p.Threads = 1
			fn(k, i, j, p)
		})
	}
	return nil
}

// known is a figure, unless it has an error.
func known(v float64, err error) *float64 {
	if err != nil {
		return nil
	}
	return results.Finite(v)
}

// gridCell compares two layers. A figure is nil where no unit is live, or there are too
// few images.
func gridCell(p *corr.Pair) (cka, matched, linear *float64) {
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

// calibrateGrids sets beside CKA what it is when images are exchanged: not of each two
// layers, but the largest of any two, since that is what is looked for.
func calibrateGrids(ctx context.Context, g *observe.Grid, o Options, grids []results.Grid) error {
	if o.Shuffles == 0 || len(g.Features.Images) < 3 {
		return nil
	}
	cka := func(m *corr.Moments) ([][][]*float64, error) {
		values := make([][][]*float64, len(grids))
		for k := range grids {
			values[k] = cells(grids[k])
		}
		return values, eachCell(ctx, g, grids, m, o.Threads, func(k, i, j int, p *corr.Pair) { values[k][i][j] = known(p.CKA()) })
	}
	own, err := cka(g.Features.Moments(nil, o.Threads))
	if err != nil {
		return err
	}
	chance := make([]corr.Null, len(grids)) // of the largest
	for d := range o.Shuffles {
		exchanged, err := cka(g.Features.Moments(g.Features.Exchange(random(o.Seed, gridExchange, d)), o.Threads))
		if err != nil {
			return err
		}
		for k := range grids {
			chance[k].Draws = append(chance[k].Draws, largest(exchanged[k]))
		}
	}
	for k := range grids {
		grid := &grids[k]
		if observed := largest(own[k]); !math.IsInf(observed, -1) {
			grid.CKAP = results.Finite(chance[k].PValue(observed))
		}
		limit := limitOf(chance[k], false)
		if grid.CKALimit = results.Finite(limit); grid.CKALimit == nil {
			continue
		}
		grid.CalibratedCKA = own[k]
		for _, row := range own[k] {
			for _, v := range row {
				if v != nil {
					*v = calibrated(*v, limit)
				}
			}
		}
	}
	return nil
}

// largest of what is known; -Inf if nothing is.
func largest(rows [][]*float64) float64 {
	v := math.Inf(-1)
	for _, row := range rows {
		for _, x := range row {
			if x != nil {
				v = max(v, *x)
			}
		}
	}
	return v
}
