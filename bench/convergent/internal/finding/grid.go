package finding

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

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
	first := []int{0} // of each network's layers among all
	for _, layers := range g.Layers {
		first = append(first, first[len(first)-1]+len(layers))
	}
	var all []results.Grid
	for a := range g.Layers {
		for b := a + 1; b < len(g.Layers); b++ {
			grid := results.Grid{A: a, B: b, LayersA: g.Layers[a], LayersB: g.Layers[b]}
			grid.CKA, grid.Matched, grid.Linear = cells(grid), cells(grid), cells(grid)
			columns := len(grid.LayersB)
			par.For(par.Threads(o.Threads), len(grid.LayersA)*columns, func(cell int) {
				if ctx.Err() == nil {
					i, j := cell/columns, cell%columns
					grid.CKA[i][j], grid.Matched[i][j], grid.Linear[i][j] = gridCell(g.Features.Pair(first[a]+i, first[b]+j))
				}
			})
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			all = append(all, grid)
		}
	}
	return all, calibrateGrids(ctx, g, o, first, all)
}

// cells has one for every two layers.
func cells(g results.Grid) [][]*float64 {
	rows := make([][]*float64, len(g.LayersA))
	for i := range rows {
		rows[i] = make([]*float64, len(g.LayersB))
	}
	return rows
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
	p.Threads = 1
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
func calibrateGrids(ctx context.Context, g *observe.Grid, o Options, first []int, grids []results.Grid) error {
	if o.Shuffles == 0 || len(g.Features.Images) < 3 {
		return nil
	}
	layers := first[len(g.Layers)]
	grams := make([]*corr.Gram, layers)
	for i := range grams {
		grams[i] = g.Features.Gram(i, nil, o.Threads)
	}
	cka := func(orders [][]int, threads int) [][][]*float64 {
		all := mat.NewSymDense(layers, nil)
		corr.CKAMatrix(all, grams, orders, threads)
		values := make([][][]*float64, len(grids))
		for k, grid := range grids {
			values[k] = cells(grid)
			for i, row := range values[k] {
				for j := range row {
					row[j] = results.Finite(all.At(first[grid.A]+i, first[grid.B]+j))
				}
			}
		}
		return values
	}
	own := cka(nil, o.Threads)
	exchanged := make([][]float64, o.Shuffles) // the largest of each grid
	par.For(par.Threads(o.Threads), o.Shuffles, func(d int) {
		if ctx.Err() != nil {
			return
		}
		for _, values := range cka(g.Features.Exchange(random(o.Seed, gridExchange, d)), 1) {
			exchanged[d] = append(exchanged[d], largest(values))
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	chance := make([]corr.Null, len(grids))
	for _, draw := range exchanged {
		for k, v := range draw {
			chance[k].Draws = append(chance[k].Draws, v)
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
