package assignment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/asm"
)

// Flow is a number of units that go from a row to a column.
type Flow struct{ Row, Col, Units int }

// Plan is a transport with its dual variables: U_i + V_j >= c_ij, with equality
// where there is flow.
type Plan struct {
	Flows []Flow // by columns
	Units int    // of all flows: the least common multiple of rows and columns
	U, V  []float64
}

// Transport moves as many units out of each row as out of any other, and as many
// into each column as into any other, with the largest sum of units times values.
//
// The method is the assignment's, successive shortest paths by Dijkstra's
// algorithm on reduced costs (Edmonds and Karp, "Theoretical improvements in
// algorithmic efficiency for network flow problems", J. ACM 19, 1972; Tomizawa,
// 1971), with flows of integers and full scans of rows.
//
// A path takes at most rows x columns steps. Of n rows and m columns there are up to n m paths
// where values are of rank one and n/m is far from a ratio of small numbers: 511 x 512 then take 15 s, 1021 x 1019 some minutes.
// The context's error ends it early.
func Transport(ctx context.Context, c Matrix) (Plan, error) {
	if c.Rows == 0 || c.Cols == 0 {
		return Plan{U: make([]float64, c.Rows), V: make([]float64, c.Cols)}, nil
	}
	t := newTransport(c)
	if err := t.initialise(); err != nil {
		return Plan{}, err
	}
	for i := range int32(c.Rows) {
		for supply := t.supply; supply > 0; {
			if err := ctx.Err(); err != nil {
				return Plan{}, err
			}
			units := t.augment(i, supply)
			if units == 0 {
				return Plan{}, fmt.Errorf("%w: rows %v are allowed only %d columns between them, of %d for %d rows",
					ErrInfeasible, slices.Sorted(slices.Values(t.rows)), len(t.labels), c.Cols, c.Rows)
			}
			supply -= units
		}
	}
	p := Plan{Units: c.Rows * t.supply, U: make([]float64, c.Rows), V: t.price}
	for j, flows := range t.inflow {
		for _, f := range flows {
			p.U[f.row] = c.Row(int(f.row))[j] - t.price[j]
			p.Flows = append(p.Flows, Flow{int(f.row), j, f.units})
		}
	}
	return p, nil
}

// transport is the problem of moving supply units out of each row and supply n/m
// into each of m columns. Throughout, rows have their largest gain, u_i, wherever
// they have flow.
type transport struct {
	Matrix
	supply    int
	price     []float64
	inflow    [][]inflow // of a column
	capacity  []int      // units that a column still takes
	saturated []int32    // 0 for a column without capacity, else -1

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
		Matrix: c, supply: m / g, price: make([]float64, m),
		inflow: make([][]inflow, m), capacity: make([]int, m), saturated: make([]int32, m),
		dist: make([]float64, m), predRow: make([]int32, m), predCol: make([]int32, n),
	}
	for j := range m {
		t.capacity[j], t.saturated[j] = n/g, -1
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

// augment moves up to supply units out of row start along a shortest path to a
// column that has capacity, and returns how many; 0 if there is no path.
func (t *transport) augment(start int32, supply int) (units int) {
	for j := range t.dist {
		t.dist[j] = math.Inf(1)
	}
	for _, i := range t.rows {
		t.predCol[i] = -1
	}
	t.labels, t.rows = t.labels[:0], append(t.rows[:0], start)
	j, d := t.relax(start, 0)
	for j >= 0 && t.capacity[j] == 0 {
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
		return 0
	}
	for _, x := range t.labels {
		t.price[x.col] += d - x.dist
	}
	return t.push(start, int32(j), supply)
}

// relax goes on from row i, where base is its distance plus u_i, and returns the
// nearest column and its distance.
func (t *transport) relax(i int32, base float64) (column int, length float64) {
	return asm.Active().Relax(t.dist, t.predRow, t.Row(int(i)), t.price, t.saturated, base, i)
}

// push moves what the path to column end lets through, at most supply.
func (t *transport) push(start, end int32, supply int) int {
	units := min(supply, t.capacity[end])
	for i := t.predRow[end]; i != start; i = t.predRow[t.predCol[i]] {
		flows := t.inflow[t.predCol[i]]
		units = min(units, flows[rowIndex(flows, i)].units)
	}
	if t.capacity[end] -= units; t.capacity[end] == 0 {
		t.saturated[end] = 0
	}
	for j := end; ; j = t.predCol[t.predRow[j]] {
		i := t.predRow[j]
		t.add(i, j, units)
		if i == start {
			return units
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
