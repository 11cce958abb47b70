package assignment

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/convergent-go/convergent/asm"
)

// Flow is a number of units that go from a row to a column.
type Flow struct{ Row, Col, Units int }

// Plan is a transport with its dual variables: U_i + V_j >= c_ij, with equality
// where there is flow.
type Plan struct {
	Flows []Flow
	Units int // of all flows: the least common multiple of rows and columns
	U, V  []float64
}

// Transport moves as many units out of each row as out of any other, and as many
// into each column as into any other, with the largest sum of units times values.
//
// The method is that of successive shortest paths, by Dijkstra's algorithm on reduced costs,
// with scaling (Edmonds and Karp, "Theoretical improvements in algorithmic efficiency for
// network flow problems", J. ACM 19, 1972). Units move in grains, first of the largest power
// of two that a row has, then of half as many each time. All flow is in grains, so that every
// path lets one through. A grain is halved when no path joins a row that has one to a column
// that takes one; each row and column is then the end of one path of the next grain at most,
// if it is of any.
//
// Of n rows and m columns with greatest common divisor g, that is n + m paths at most for each
// of log2(min(n, m)/g) + 1 grains, and n m steps a path. Without grains there can be n m paths,
// where values are of rank one.
//
// Among plans with equal sums the choice depends on the values alone: rows, or columns if they
// are more, send in their order, and of equally short paths the first is taken. The context's
// error ends it early.
func Transport(ctx context.Context, c Matrix) (Plan, error) {
	if c.Rows == 0 || c.Cols == 0 {
		return Plan{U: make([]float64, c.Rows), V: make([]float64, c.Cols)}, nil
	}
	if c.Rows < c.Cols { // a row then has no more units than a column, and begins with one grain and not with several
		var err error
		if c, err = transpose(c); err != nil {
			return Plan{}, err
		}
	}
	t := newTransport(c)
	if err := t.initialise(); err != nil {
		return Plan{}, err
	}
	for t.grain = 1 << (bits.Len(uint(t.supply[0])) - 1); t.grain > 0; t.grain /= 2 {
		if err := t.move(ctx); err != nil {
			return Plan{}, err
		}
	}
	return t.plan(), nil
}

// transport is the problem of moving units out of rows and into columns, grains of them at a
// time. Throughout, rows have their largest gain, u_i, wherever they have flow.
type transport struct {
	Matrix
	grain     int // units that move together; all flows are multiples of it
	price     []float64
	supply    []int      // units that a row still sends
	inflow    [][]inflow // of a column
	capacity  []int      // units that a column still takes
	saturated []int32    // 0 for a column whose capacity is less than a grain, else -1

	dist    []float64 // by column, length of the shortest path, NaN where final
	predRow []int32   // the row before a column
	predCol []int32   // the column before a row; -1: on no path
	labels  []label   // permanent ones
	rows    []int32   // on all paths
}

// inflow is a row's part of the flow into a column.
type inflow struct {
	row   int32
	units int
}

func newTransport(c Matrix) *transport {
	n, m := c.Rows, c.Cols
	g := n
	for r := m; r != 0; {
		g, r = r, g%r
	}
	t := &transport{
		Matrix: c, price: make([]float64, m), supply: slices.Repeat([]int{m / g}, n),
		inflow: make([][]inflow, m), capacity: slices.Repeat([]int{n / g}, m), saturated: make([]int32, m),
		dist: make([]float64, m), predRow: make([]int32, m), predCol: make([]int32, n),
	}
	for i := range t.predCol {
		t.predCol[i] = -1
	}
	return t
}

// initialise checks the values and makes the prices that are columns' largest values.
func (t *transport) initialise() error {
	for j := range t.price {
		t.price[j] = math.Inf(-1)
	}
	for i := range t.Rows {
		if err := t.Check(i); err != nil {
			return err
		}
		asm.Active().ColumnMax(t.price, t.predRow, t.Row(i), int32(i))
	}
	for j, p := range t.price {
		if math.IsInf(p, -1) {
			t.price[j] = 0 // forbidden to all; augment will say so
		}
	}
	return nil
}

// move moves grains out of rows in their order as long as there are paths to columns that have
// the capacity. That all units can be moved is known when grains are single units.
func (t *transport) move(ctx context.Context) error {
	for j, units := range t.capacity {
		t.saturated[j] = 0
		if units >= t.grain {
			t.saturated[j] = -1
		}
	}
	for i := range int32(t.Rows) {
		for t.supply[i] >= t.grain && slices.Contains(t.saturated, -1) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if t.augment(i) {
				continue
			}
			if t.grain == 1 {
				side, other := "rows", "columns"
				if t.Transposed {
					side, other = other, side
				}
				return fmt.Errorf("%w: %s %v are allowed only %d %s between them, of %d for %d %s",
					ErrInfeasible, side, slices.Sorted(slices.Values(t.rows)), len(t.labels), other, t.Cols, t.Rows, side)
			}
			break
		}
	}
	return nil
}

// augment moves grains out of row start along a shortest path to a column that has
// the capacity, as many as can go, and reports whether there is a path.
func (t *transport) augment(start int32) bool {
	for j := range t.dist {
		t.dist[j] = math.Inf(1)
	}
	for _, i := range t.rows {
		t.predCol[i] = -1
	}
	t.labels, t.rows = t.labels[:0], append(t.rows[:0], start)
	j, d := t.relax(start, 0)
	for j >= 0 && t.capacity[j] < t.grain {
		t.dist[j] = math.NaN()
		t.labels = append(t.labels, label{int32(j), d})
		next, nextDist, rows := -1, 0.0, len(t.rows)
		for _, f := range t.inflow[j] {
			if f.row != start && t.predCol[f.row] < 0 {
				t.predCol[f.row] = int32(j)
				t.rows = append(t.rows, f.row)
				next, nextDist = t.relax(f.row, d+(t.Row(int(f.row))[j]-t.price[j]))
			}
		}
		if len(t.rows) == rows {
			next, nextDist = t.relax(start, math.Inf(1)) // shortens nothing
		}
		j, d = next, nextDist
	}
	if j < 0 {
		return false
	}
	for _, x := range t.labels {
		t.price[x.col] += d - x.dist
	}
	t.push(start, int32(j))
	return true
}

// relax goes on from row i, where base is its distance plus u_i, and returns the
// nearest column and its distance.
func (t *transport) relax(i int32, base float64) (column int, length float64) {
	return asm.Active().Relax(t.dist, t.predRow, t.Row(int(i)), t.price, t.saturated, base, i)
}

// push moves the grains that the path to column end lets through.
func (t *transport) push(start, end int32) {
	units := min(t.supply[start], t.capacity[end])
	for i := t.predRow[end]; i != start; i = t.predRow[t.predCol[i]] {
		flows := t.inflow[t.predCol[i]]
		units = min(units, flows[rowIndex(flows, i)].units)
	}
	units -= units % t.grain
	t.supply[start] -= units
	if t.capacity[end] -= units; t.capacity[end] < t.grain {
		t.saturated[end] = 0
	}
	for j := end; ; j = t.predCol[t.predRow[j]] {
		i := t.predRow[j]
		t.add(i, j, units)
		if i == start {
			return
		}
		t.add(i, t.predCol[i], -units)
	}
}

// add adds to the flow from row i to column j.
func (t *transport) add(i, j int32, units int) {
	flows := t.inflow[j]
	k := rowIndex(flows, i)
	if k < 0 {
		t.inflow[j] = append(flows, inflow{i, units})
	} else if flows[k].units += units; flows[k].units == 0 {
		t.inflow[j] = slices.Delete(flows, k, k+1)
	}
}

// rowIndex returns the index of row i's flow, or -1.
func rowIndex(flows []inflow, i int32) int {
	return slices.IndexFunc(flows, func(f inflow) bool { return f.row == i })
}

// plan returns what has been moved, and the proof that it is best.
func (t *transport) plan() Plan {
	p := Plan{U: make([]float64, t.Rows), V: t.price}
	for j, flows := range t.inflow {
		for _, f := range flows {
			p.U[f.row] = t.Row(int(f.row))[j] - t.price[j]
			p.Units += f.units
			if t.Transposed {
				p.Flows = append(p.Flows, Flow{j, int(f.row), f.units})
			} else {
				p.Flows = append(p.Flows, Flow{int(f.row), j, f.units})
			}
		}
	}
	if t.Transposed {
		p.U, p.V = p.V, p.U
	}
	return p
}
