package asm

import "math"

// The rows of an assignment problem, in float64: c are the values of a row, p
// the prices of the columns, and c[j] - p[j] is what column j gains the row.
// Each method has as its definition the loop in Go, which is also what does the
// last elements in every tier; all round alike, one subtraction at a time.

// Lanes is how many maxima LaneMax takes.
const Lanes = 32

// LaneMax sets best[l] to the largest gain at the places j = l mod Lanes, -Inf
// where there is none.
func (t Tier) LaneMax(best *[Lanes]float64, c, p []float64) {
	p = p[:len(c)]
	n := len(c) &^ (Lanes - 1)
	if t < AVX2 {
		n = 0
	}
	if n > 0 {
		lanemax32(n, &c[0], &p[0], &best[0])
	} else {
		for l := range best {
			best[l] = math.Inf(-1)
		}
	}
	for j := n; j < len(c); j++ {
		if h := c[j] - p[j]; h > best[j%Lanes] {
			best[j%Lanes] = h
		}
	}
}

// AtLeast puts into dst the places where the gain is at least least, rising, as
// many as it holds, and returns their number.
func (t Tier) AtLeast(dst []int32, c, p []float64, least float64) int {
	p = p[:len(c)]
	j, k := 0, 0
	if n := t.vectors(len(c)); n > 0 && len(dst) >= 8 {
		j, k = atleast8(n, &c[0], &p[0], least, &dst[0], len(dst)-8)
	}
	for ; j < len(c) && k < len(dst); j++ {
		if c[j]-p[j] >= least {
			dst[k] = int32(j)
			k++
		}
	}
	return k
}

// Shorter puts into dst, which is as long as c, the places where base less the
// gain is below dist, rising, and returns their number.
func (t Tier) Shorter(dst []int32, dist, c, p []float64, base float64) int {
	dst, dist, p = dst[:len(c)], dist[:len(c)], p[:len(c)]
	n, k := t.vectors(len(c)), 0
	if n > 0 {
		k = shorter8(n, &c[0], &p[0], &dist[0], base, &dst[0])
	}
	for j := n; j < len(c); j++ {
		if base-(c[j]-p[j]) < dist[j] {
			dst[k] = int32(j)
			k++
		}
	}
	return k
}

// Relax shortens paths to columns by those through row i, where base is that row's
// distance plus its gain from its own column: dist[j] falls to base less the gain,
// and from[j] is then i. NaN in dist is for columns that are done with. It returns
// the nearest column and its distance, of equal ones one that has no row, then the
// first; -1 and +Inf if there is none.
func (t Tier) Relax(dist []float64, from []int32, c, p []float64, row []int32, base float64, i int32) (nearest int, least float64) {
	dist, from, p, row = dist[:len(c)], from[:len(c)], p[:len(c)], row[:len(c)]
	nearest, least = -1, math.Inf(1)
	free := false
	take := func(j int) {
		nearest, least, free = j, dist[j], row[j] < 0
	}
	n := t.vectors(len(c))
	if n > 0 {
		var places [8]int64
		relax8(n, &dist[0], &from[0], &c[0], &p[0], &row[0], base, i, &places[0])
		for l, at := range places {
			j := int(at) + l&4 // the last 4 lanes count from 4 on
			if at < 0 || dist[j] > least {
				continue
			}
			if dist[j] < least || row[j] < 0 && !free || row[j] < 0 == free && j < nearest {
				take(j)
			}
		}
	}
	for j := n; j < len(c); j++ {
		if h := base - (c[j] - p[j]); h < dist[j] {
			dist[j], from[j] = h, i
		}
		if dist[j] < least || dist[j] == least && row[j] < 0 && !free {
			take(j)
		}
	}
	if math.IsInf(least, 1) {
		nearest = -1
	}
	return nearest, least
}

// Two are the largest and second largest of a row's gains and their places, of
// equal ones the first; -Inf and -1 where there is none.
type Two struct {
	First, Second float64
	J, J2         int
}

// add offers the gain h at place j, where lower places than j were offered
// before if they are as good.
func (b *Two) add(h float64, j int) {
	switch {
	case h > b.First:
		b.Second, b.J2, b.First, b.J = b.First, b.J, h, j
	case h > b.Second:
		b.Second, b.J2 = h, j
	}
}

// merge offers the gain h at place j in any order.
func (b *Two) merge(h float64, j int) {
	before := func(g float64, i int) bool { return h > g || h == g && j < i }
	switch {
	case before(b.First, b.J):
		b.Second, b.J2, b.First, b.J = b.First, b.J, h, j
	case before(b.Second, b.J2):
		b.Second, b.J2 = h, j
	}
}

// NoTwo is what there is in an empty row.
var NoTwo = Two{math.Inf(-1), math.Inf(-1), -1, -1}

// TopTwo finds the two largest gains of a row.
func (t Tier) TopTwo(c, p []float64) Two {
	p = p[:len(c)]
	b := NoTwo
	n := t.vectors(len(c))
	if n > 0 {
		var gains [8]float64
		var places [8]int64
		toptwo4(n, &c[0], &p[0], &gains[0], &places[0])
		for l, j := range places {
			if j >= 0 {
				b.merge(gains[l], int(j))
			}
		}
	}
	for j := n; j < len(c); j++ {
		b.add(c[j]-p[j], j)
	}
	return b
}

// ColumnMax keeps the larger of best[j] and x[j] in best and, if it is x[j], its
// row in who; of equals the earlier stays.
func (t Tier) ColumnMax(best []float64, who []int32, x []float64, row int32) {
	best, who = best[:len(x)], who[:len(x)]
	n := t.vectors(len(x))
	if n > 0 {
		columnmax8(n, &best[0], &who[0], &x[0], row)
	}
	for j := n; j < len(x); j++ {
		if best[j] < x[j] {
			best[j], who[j] = x[j], row
		}
	}
}

// Within reports whether every element of x is within ±limit or -Inf.
func (t Tier) Within(x []float64, limit float64) bool {
	n := len(x) &^ 15
	if t < AVX2 {
		n = 0
	}
	if n > 0 && within16(n, &x[0], limit) != 0 {
		return false
	}
	for _, v := range x[n:] {
		if !(math.Abs(v) <= limit || math.IsInf(v, -1)) {
			return false
		}
	}
	return true
}
