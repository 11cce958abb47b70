package observe

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Correlations are those between the live units of two networks, over all images or a fold.
// Those of as many units of A as memory allows are held, and those of the others computed anew, a
// part at a time, whenever they are gone through.
type Correlations struct {
	*Between
	ctx        context.Context // of Pass, whose callers have none
	a, b, fold int
	division
	first *corr.CrossMoments // of the units that are held, once they are computed
}

// Correlate returns the correlations of networks a and b over all images, fold -1, or a fold of
// them, to be gone through until ctx is done.
func (b *Between) Correlate(ctx context.Context, x, y, fold int) *Correlations {
	d, _ := b.divide(x, y) // an error of which was one of NewBetween
	return &Correlations{Between: b, ctx: ctx, a: x, b: y, fold: fold, division: d}
}

// Dims returns the numbers of live units.
func (c *Correlations) Dims() (rows, cols int) { return len(c.Live[c.a]), len(c.Live[c.b]) }

// Pass calls visit for blocks of rows, rising; see [corr.CrossMoments.Pass].
func (c *Correlations) Pass(visit func(first int, rows *mat.Dense) error) error {
	first, rest := 0, c.Units[c.a]-c.held
	for part := range 1 + c.parts {
		lo, hi, m := 0, c.held, c.first
		if part > 0 {
			lo, hi, m = c.held+rest*(part-1)/c.parts, c.held+rest*part/c.parts, nil
		}
		if lo == hi {
			continue
		}
		if m == nil {
			var err error
			if m, err = c.moments(part, lo, hi); err != nil {
				return err
			}
		}
		if part == 0 {
			c.first = m
		}
		from, _ := slices.BinarySearch(c.Live[c.a], lo)
		to, _ := slices.BinarySearch(c.Live[c.a], hi)
		if err := c.visit(m, lo, c.Live[c.a][from:to], first, visit); err != nil {
			return err
		}
		first += to - from
	}
	return nil
}

// moments are those of units [lo, hi) of A with all of B.
func (c *Correlations) moments(part, lo, hi int) (*corr.CrossMoments, error) {
	if c.plan.MaxMemory > 0 {
		runtime.GC() // of what was held before, lest both are there
	}
	m := corr.NewCrossMoments(hi-lo, c.Units[c.b])
	m.Threads = c.plan.Threads
	what := "correlate units"
	if c.fold >= 0 {
		what += fmt.Sprintf(" of half %d", c.fold+1)
	}
	if part > 0 {
		what += fmt.Sprintf(", part %d of %d", part, c.parts)
	}
	for r, err := range c.Between.rows(c.ctx, c.fold, what) {
		if err != nil {
			return nil, err
		}
		if r.tensors[c.a].Len() == 0 {
			continue
		}
		if err := m.AddTensors(nil, r.tensors[c.a].Units(lo, hi), r.tensors[c.b]); err != nil {
			return nil, fmt.Errorf("layer %s: %w", c.Name, err)
		}
	}
	m.Close()
	return m, nil
}

// passRows is how many rows are visited at a time.
const passRows = 64

// visit goes through the rows of units of A that are live, whose moments begin with unit lo.
func (c *Correlations) visit(m *corr.CrossMoments, lo int, units []int, first int, visit func(first int, rows *mat.Dense) error) error {
	row, live, all := m.Correlations(), c.Live[c.b], c.Units[c.b]
	block := mat.NewDense(passRows, all, nil)
	for len(units) > 0 {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n := min(passRows, len(units))
		par.For(par.Threads(c.plan.Threads), n, func(i int) {
			x := block.RawRowView(i)
			row(x, units[i]-lo)
			for k, u := range live { // to the left
				x[k] = x[u]
			}
		})
		if err := visit(first, block.Slice(0, n, 0, len(live)).(*mat.Dense)); err != nil {
			return err
		}
		first, units = first+n, units[n:]
	}
	return nil
}
