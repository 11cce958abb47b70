package finding

import (
	"context"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
)

// Grids compares all layers of each two networks by means over positions. Progress counts
// layers: of the first of two networks as units are matched, of the second as images are
// exchanged.
func Grids(ctx context.Context, g *observe.Grid, o Options) ([]results.Grid, error) {
	if g == nil {
		return nil, nil
	}
	first, total := []int{0}, 0 // of each network's layers among all; layers of each two networks
	for n, layers := range g.Layers {
		first = append(first, first[n]+len(layers))
		total += len(layers) * (len(g.Layers) - 1)
	}
	done := 0
	step := func() {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	var all []results.Grid
	for a := range g.Layers {
		for b := a + 1; b < len(g.Layers); b++ {
			w := gridWork{o, g.Features, first[a], first[b], &results.Grid{A: a, B: b, LayersA: g.Layers[a], LayersB: g.Layers[b]}, step}
			if err := w.match(ctx); err != nil {
				return nil, err
			}
			if err := w.align(ctx); err != nil {
				return nil, err
			}
			all = append(all, *w.grid)
		}
	}
	return all, nil
}

// gridWork is the grid of two networks under way.
type gridWork struct {
	Options
	features       *observe.Features
	firstA, firstB int // layers of the networks among all
	grid           *results.Grid
	step           func() // says that a layer is done
}

// cells has one for every two layers.
func (w *gridWork) cells() [][]*float64 {
	rows := make([][]*float64, len(w.grid.LayersA))
	for i := range rows {
		rows[i] = make([]*float64, len(w.grid.LayersB))
	}
	return rows
}

// match compares units of every two layers.
func (w *gridWork) match(ctx context.Context) error {
	w.grid.Matched, w.grid.Linear = w.cells(), w.cells()
	columns := make([]*observe.Columns, len(w.grid.LayersB))
	par.For(par.Threads(w.Threads), len(columns), func(j int) { columns[j] = w.features.Standardized(w.firstB + j) })
	buffers := sync.Pool{New: func() any { return new([]float64) }} // one for each thread
	for i := range w.grid.LayersA {
		x := w.features.Standardized(w.firstA + i)
		span := x.Span(w.Threads)
		par.For(par.Threads(w.Threads), len(columns), func(k int) {
			if j := len(columns) - 1 - k; ctx.Err() == nil { // deep layers, often the widest, first
				buffer := buffers.Get().(*[]float64)
				w.grid.Matched[i][j], w.grid.Linear[i][j] = matchUnits(ctx, x, span, columns[j], buffer)
				buffers.Put(buffer)
			}
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		w.step()
	}
	return nil
}

// matchUnits compares two layers: units one to one, and by least squares from the span of the
// first. A figure is nil where no unit is live, or there are too few images.
func matchUnits(ctx context.Context, x, span, y *observe.Columns, buffer *[]float64) (matched, linear *float64) {
	if x.Units == 0 || y.Units == 0 {
		return nil, nil
	}
	if best, err := match.BipartiteContext(ctx, layerCorrelations(x, y, buffer)); err == nil {
		matched = results.Finite(best.Mean)
	}
	if span == nil {
		return matched, nil
	}
	products, explained := span.Product(y), 0.0
	for _, v := range *products {
		explained += float64(float64(v) * float64(v))
	}
	level3.Release(products)
	return matched, results.Finite(min(1, explained/float64(y.Units)))
}

// layerCorrelations returns those of every two units in the given memory, the fewer units by
// rows, where matching reads them without a copy.
func layerCorrelations(x, y *observe.Columns, buffer *[]float64) mat.Matrix {
	if x.Units > y.Units {
		return layerCorrelations(y, x, buffer).T()
	}
	products := x.Product(y)
	defer level3.Release(products)
	*buffer = slices.Grow((*buffer)[:0], len(*products))[:len(*products)]
	for i, v := range *products {
		(*buffer)[i] = float64(v)
	}
	return mat.NewDense(x.Units, y.Units, *buffer)
}

// align sets CKA of every two layers, and beside it what it is when images are exchanged: not of
// each two layers, but the largest of any two, since that is what is looked for.
func (w *gridWork) align(ctx context.Context) error {
	w.grid.CKA = w.cells()
	exchanges := [][]int{nil} // which image the second network sees where the first sees each; first all the same
	if len(w.features.Images) >= 3 {
		for d := range w.Shuffles {
			orders := w.features.Exchange(random(w.Seed, gridExchange, d))
			exchanges = append(exchanges, observe.Partners(orders, w.firstA, w.firstB))
		}
	}
	chance := corr.Null{Draws: slices.Repeat([]float64{math.Inf(-1)}, len(exchanges)-1)} // the largest so far
	grams := make([]*corr.Gram, len(w.grid.LayersA))
	for i := range grams {
		grams[i] = w.features.Gram(w.firstA+i, nil, w.Threads)
	}
	cka := mat.NewDense(len(exchanges), len(grams), nil)
	for j := range w.grid.LayersB {
		if err := corr.PermutedCKA(ctx, cka, grams, w.features.Gram(w.firstB+j, nil, w.Threads), exchanges, w.Threads); err != nil {
			return err
		}
		for i := range grams {
			w.grid.CKA[i][j] = results.Finite(cka.At(0, i))
			for d, most := range chance.Draws {
				if v := cka.At(1+d, i); v > most { // which NaN is not
					chance.Draws[d] = v
				}
			}
		}
		w.step()
	}
	if len(chance.Draws) == 0 {
		return nil
	}
	if observed := largest(w.grid.CKA); !math.IsInf(observed, -1) {
		w.grid.CKAP = results.Finite(chance.PValue(observed))
	}
	limit := limitOf(chance, false)
	if w.grid.CKALimit = results.Finite(limit); w.grid.CKALimit == nil {
		return nil
	}
	w.grid.CalibratedCKA = w.cells()
	for i, row := range w.grid.CKA {
		for j, v := range row {
			if v != nil {
				w.grid.CalibratedCKA[i][j] = results.Finite(calibrated(*v, limit))
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
