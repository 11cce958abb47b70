// Package assignment finds the cheapest way to give each of n rows its own of m >= n
// columns, with a proof that it is: the method is Jonker and Volgenant's ("A shortest
// augmenting path algorithm for dense and sparse linear assignment problems",
// Computing 38, 1987), exact, and at most cubic in time.
package assignment

import (
	"math"
	"slices"
)

// Solve returns the column of each of n rows that gives the least total of the n x m
// costs, n <= m, and dual variables: u_i + v_j <= c_ij, with equality where assigned,
// and if m > n, v_j <= 0, and 0 where unassigned. +Inf forbids. If there are no n
// allowed pairs, reached are rows that have fewer columns between them than they are.
// Of equal totals the choice is arbitrary, but always the same. Costs may not be NaN or
// -Inf, and must be small enough for sums of a few.
func Solve(n, m int, cost []float64) (col []int, u, v []float64, reached []int) {
	a := newAssignment(n, m, cost)
	if reached = a.solve(); reached != nil {
		return nil, nil, nil, reached
	}
	u = make([]float64, n)
	for i, j := range a.col {
		u[i] = a.line(i)[j] - a.v[j]
	}
	return a.col, u, a.v, nil
}

// assignment is the problem of giving each of n rows its own of m >= n columns
// at the least total cost; +Inf forbids.
//
// With potentials v, the reduced costs of row i are c_ij - v_j. Throughout, an
// assigned row has a column of least reduced cost, u_i, so that
// u_i + v_j <= c_ij with equality where assigned; and if m > n, v_j = 0 where
// unassigned and v_j <= 0 elsewhere. Once all rows are assigned these prove the
// assignment optimal.
type assignment struct {
	n, m int
	cost []float64 // n x m
	v    []float64
	row  []int // of a column; -1: unassigned
	col  []int // of a row; -1: unassigned

	dist []float64 // augment's scratch: by column, length of the shortest path,
	from []int     // and the row before it
	done []step
}

// step is a column reached by a shortest path of the given length.
type step struct {
	col  int
	dist float64
}

func newAssignment(n, m int, cost []float64) *assignment {
	a := &assignment{
		n: n, m: m,
		cost: cost, v: make([]float64, m),
		row: make([]int, m), col: make([]int, n),
		dist: make([]float64, m), from: make([]int, m),
	}
	for j := range a.row {
		a.row[j] = -1
	}
	for i := range a.col {
		a.col[i] = -1
	}
	return a
}

func (a *assignment) line(i int) []float64 { return a.cost[i*a.m:][:a.m] }

func (a *assignment) assign(i, j int) { a.col[i], a.row[j] = j, i }

// solve assigns all rows, or returns rows that have too few columns.
func (a *assignment) solve() []int {
	if a.n == a.m {
		a.reduceColumns() // not for m > n, where unassigned columns must keep v = 0
	}
	var free []int
	for i, j := range a.col {
		if j < 0 {
			free = append(free, i)
		}
	}
	for range 2 {
		free = a.reduceRows(free)
	}
	for _, i := range free {
		if reached := a.augment(i); reached != nil {
			return reached
		}
	}
	return nil
}

// reduceColumns lowers each column to its least cost and assigns it to the first
// row that has it, if that is free. Then it moves reduction from columns to rows
// with no other choice: such a row's column may fall until a second one is as
// good, which leaves it less attractive to others.
func (a *assignment) reduceColumns() {
	least := a.from
	for j := range a.v {
		a.v[j] = math.Inf(1)
	}
	for i := range a.n {
		for j, x := range a.line(i) {
			if x < a.v[j] {
				a.v[j], least[j] = x, i
			}
		}
	}
	choices := make([]int, a.n)
	for j, i := range least {
		if math.IsInf(a.v[j], 1) {
			a.v[j] = 0 // forbidden to all; augment will say so
			continue
		}
		if choices[i]++; choices[i] == 1 {
			a.assign(i, j)
		}
	}
	for i, n := range choices {
		if n != 1 {
			continue
		}
		if _, j, second, _ := leastTwo(a.line(i), a.v); j == a.col[i] && !math.IsInf(second, 1) {
			a.v[j] -= second
		}
	}
}

// reduceRows gives each free row its best column, lowered until the second best
// is as good, as in an auction; who held it is free. It returns the rows that
// are still free when none of them can lower a price, or after a number of bids.
func (a *assignment) reduceRows(free []int) []int {
	left := free[:0] // never overtakes what is read
	bids := 4 * a.m
	for k := 0; k < len(free); bids-- {
		i := free[k]
		k++
		first, j, second, j2 := leastTwo(a.line(i), a.v)
		if j < 0 {
			left = append(left, i) // all forbidden; augment will say so
			continue
		}
		// A row with one column only would lower it without end. A fall of less
		// than half an ulp changes nothing: then the second is as good.
		price := a.v[j]
		if j2 >= 0 {
			price -= second - first
		}
		lower := price < a.v[j]
		a.v[j] = price
		if !lower && j2 >= 0 && a.row[j] >= 0 {
			j = j2
		}
		if held := a.row[j]; held >= 0 {
			a.col[held] = -1
			if lower && bids > 0 {
				k--
				free[k] = held // bids at once
			} else {
				left = append(left, held)
			}
		}
		a.assign(i, j)
	}
	return left
}

// leastTwo returns the least and second least of cost - v and their first
// places; +Inf and -1 where there is none.
func leastTwo(cost, v []float64) (first float64, j int, second float64, j2 int) {
	first, j, second, j2 = math.Inf(1), -1, math.Inf(1), -1
	for k, x := range cost {
		if h := x - v[k]; h < second {
			if h < first {
				second, j2 = first, j
				first, j = h, k
			} else {
				second, j2 = h, k
			}
		}
	}
	return first, j, second, j2
}

// augment assigns one more row: it finds the shortest alternating path from it
// to an unassigned column by Dijkstra's algorithm on the reduced costs
// c_ij - u_i - v_j, and shifts the assignment along it. If there is none it
// returns the rows that were reached: all their columns are each other's.
func (a *assignment) augment(start int) []int {
	for j := range a.dist {
		a.dist[j] = math.Inf(1)
	}
	a.done = a.done[:0]
	i, base := start, 0.0
	var end int
	var length float64
	for {
		end, length = a.relax(i, base)
		if math.IsInf(length, 1) {
			reached := []int{start}
			for _, s := range a.done {
				reached = append(reached, a.row[s.col])
			}
			slices.Sort(reached)
			return reached
		}
		if a.row[end] < 0 {
			break
		}
		a.done = append(a.done, step{end, length})
		a.dist[end] = math.NaN() // neither shorter nor least from now on
		i = a.row[end]
		base = length - (a.line(i)[end] - a.v[end])
	}
	for _, s := range a.done {
		a.v[s.col] -= length - s.dist
	}
	for i, j := a.from[end], end; ; i = a.from[j] {
		next := a.col[i]
		a.assign(i, j)
		if i == start {
			return nil
		}
		j = next
	}
}

// relax shortens paths by those that go through row i, where base is the length
// so far less u_i, and returns the column with the least length; of equal ones
// an unassigned one if there is any, so that ties end the search.
func (a *assignment) relax(i int, base float64) (end int, least float64) {
	least = math.Inf(1)
	row, dist, from, v := a.row[:a.m], a.dist[:a.m], a.from[:a.m], a.v[:a.m]
	for j, x := range a.line(i) {
		d := dist[j]
		if h := base + (x - v[j]); h < d {
			d = h
			dist[j], from[j] = h, i
		}
		if d <= least && (d < least || row[j] < 0) {
			end, least = j, d
		}
	}
	return end, least
}
