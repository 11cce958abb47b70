package assignment

import (
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/vec"
)

// Flow is so many units from a row to a column.
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
func Transport(c Matrix) (Plan, error) {
	if c.Rows == 0 || c.Cols == 0 {
		return Plan{U: make([]float64, c.Rows), V: make([]float64, c.Cols)}, nil
	}
	t := newTransport(c)
	for j := range t.price {
		t.price[j] = math.Inf(-1)
	}
	for i := range c.Rows {
		if err := c.Check(i); err != nil {
			return Plan{}, err
		}
		vec.ColumnMax(t.price, t.from, c.Row(i), i)
	}
	for j, p := range t.price {
		if math.IsInf(p, -1) {
			t.price[j] = 0 // forbidden to all; augment will say so
		}
	}
	for i := range int32(c.Rows) {
		for supply := t.supply; supply > 0; {
			moved := t.augment(i, supply)
			if moved == 0 {
				return Plan{}, fmt.Errorf("%w: rows %v are allowed only %d columns between them, of %d for %d rows",
					ErrInfeasible, slices.Sorted(slices.Values(t.reached)), len(t.done), c.Cols, c.Rows)
			}
			supply -= moved
		}
	}
	p := Plan{Units: c.Rows * t.supply, U: make([]float64, c.Rows), V: t.price}
	for j, in := range t.in {
		for _, f := range in {
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
	supply int
	price  []float64
	in     [][]share // of a column
	room   []int     // units that a column still takes
	full   []int32   // 0 if it takes none, else -1

	dist    []float64 // by column, length of the shortest path, NaN where final
	from    []int32   // the row before a column
	via     []int32   // the column before a row; -1: not reached
	done    []step
	reached []int32 // rows
}

// share is a row's part of the flow into a column.
type share struct {
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
		Matrix: c, supply: m / g, price: make([]float64, m), in: make([][]share, m), room: make([]int, m), full: make([]int32, m),
		dist: make([]float64, m), from: make([]int32, m), via: make([]int32, n),
	}
	for j := range m {
		t.room[j], t.full[j] = n/g, -1
	}
	for i := range t.via {
		t.via[i] = -1
	}
	return t
}

// augment moves up to supply units out of row start along a shortest path to a
// column that has room, and returns how many; 0 if there is no path.
func (t *transport) augment(start int32, supply int) int {
	for j := range t.dist {
		t.dist[j] = math.Inf(1)
	}
	for _, i := range t.reached {
		t.via[i] = -1
	}
	t.done, t.reached = t.done[:0], append(t.reached[:0], start)
	j, d := t.relax(start, 0)
	for j >= 0 && t.room[j] == 0 {
		t.dist[j] = math.NaN()
		t.done = append(t.done, step{int32(j), d})
		next, nd, scanned := -1, 0.0, false
		for _, f := range t.in[j] {
			if f.row != start && t.via[f.row] < 0 {
				t.via[f.row] = int32(j)
				t.reached = append(t.reached, f.row)
				next, nd = t.relax(f.row, d+(t.Row(int(f.row))[j]-t.price[j]))
				scanned = true
			}
		}
		if !scanned {
			next, nd = t.relax(start, math.Inf(1)) // shortens nothing
		}
		j, d = next, nd
	}
	if j < 0 {
		return 0
	}
	for _, x := range t.done {
		t.price[x.col] += d - x.dist
	}
	return t.move(start, int32(j), supply)
}

// relax goes on from row i, where base is its distance plus u_i, and returns the
// nearest column and its distance.
func (t *transport) relax(i int32, base float64) (int, float64) {
	return vec.Relax(t.dist, t.from, t.Row(int(i)), t.price, t.full, base, i)
}

// move shifts what the path to column end lets through, at most supply.
func (t *transport) move(start, end int32, supply int) int {
	units := min(supply, t.room[end])
	for i := t.from[end]; i != start; i = t.from[t.via[i]] {
		in := t.in[t.via[i]]
		units = min(units, in[at(in, i)].units)
	}
	if t.room[end] -= units; t.room[end] == 0 {
		t.full[end] = 0
	}
	for j := end; ; j = t.via[t.from[j]] {
		i := t.from[j]
		t.add(i, j, units)
		if i == start {
			return units
		}
		t.add(i, t.via[i], -units)
	}
}

// add adds to the flow from row i to column j.
func (t *transport) add(i, j int32, units int) {
	in := t.in[j]
	k := at(in, i)
	if k < 0 {
		t.in[j] = append(in, share{i, units})
	} else if in[k].units += units; in[k].units == 0 {
		t.in[j] = slices.Delete(in, k, k+1)
	}
}

// at returns the place of row i's share, or -1.
func at(in []share, i int32) int {
	return slices.IndexFunc(in, func(f share) bool { return f.row == i })
}
