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

// Grids compares all layers of each two networks by means over positions. Progress counts
// layers of the first of two networks.
func Grids(ctx context.Context, g *observe.Grid, o Options) ([]results.Grid, error) {
	if g == nil {
		return nil, nil
	}
	first, total := []int{0}, 0 // of each network's layers among all; layers of the first of two
	for n, layers := range g.Layers {
		first = append(first, first[len(first)-1]+len(layers))
		total += len(layers) * (len(g.Layers) - 1 - n)
	}
	var all []results.Grid
	done := 0
	for a := range g.Layers {
		for b := a + 1; b < len(g.Layers); b++ {
			grid := results.Grid{A: a, B: b, LayersA: g.Layers[a], LayersB: g.Layers[b]}
			grid.CKA, grid.Matched, grid.Linear = cells(grid), cells(grid), cells(grid)
			for i := range grid.LayersA {
				x := g.Features.Standardized(first[a] + i)
				span := x.Span(o.Threads)
				par.For(par.Threads(o.Threads), len(grid.LayersB), func(j int) {
					if ctx.Err() == nil {
						grid.Matched[i][j], grid.Linear[i][j] = gridCell(x, span, g.Features.Standardized(first[b]+j))
					}
				})
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if done++; o.Progress != nil {
					o.Progress(done, total)
				}
			}
			all = append(all, grid)
		}
	}
	return all, compareGrids(ctx, g, o, first, all)
}

// cells has one for every two layers.
func cells(g results.Grid) [][]*float64 {
	rows := make([][]*float64, len(g.LayersA))
	for i := range rows {
		rows[i] = make([]*float64, len(g.LayersB))
	}
	return rows
}

// gridCell compares two layers: units one to one, and by least squares from the span of the
// first. A figure is nil where no unit is live, or there are too few images.
func gridCell(x, span, y *observe.Columns) (matched, linear *float64) {
	if x.Units == 0 || y.Units == 0 {
		return nil, nil
	}
	if best, err := match.Bipartite(x.Product(y)); err == nil {
		matched = results.Finite(best.Mean)
	}
	if span == nil {
		return matched, nil
	}
	explained := 0.0
	for _, v := range span.Product(y).RawMatrix().Data {
		explained += float64(v * v)
	}
	return matched, results.Finite(min(1, explained/float64(y.Units)))
}

// compareGrids sets CKA, and beside it what it is when images are exchanged: not of each two
// layers, but the largest of any two, since that is what is looked for.
func compareGrids(ctx context.Context, g *observe.Grid, o Options, first []int, grids []results.Grid) error {
	layers := first[len(g.Layers)]
	grams := make([]*corr.Gram, layers)
	for i := range grams {
		grams[i] = g.Features.Gram(i, nil, o.Threads)
	}
	cka := func(orders [][]int, threads int) [][][]*float64 {
		all := mat.NewSymDense(layers, nil)
		if corr.CKAMatrix(ctx, all, grams, orders, threads) != nil {
			return nil // the context has ended
		}
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
	if err := ctx.Err(); err != nil {
		return err
	}
	for k, values := range own {
		grids[k].CKA = cells(grids[k])
		for i, row := range values {
			for j, v := range row {
				if v != nil {
					grids[k].CKA[i][j] = results.Finite(*v)
				}
			}
		}
	}
	if o.Shuffles == 0 || len(g.Features.Images) < 3 {
		return nil
	}
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
