package asm

import "math"

// The rows of an assignment problem, in float64: c are the values of a row, p
// the prices of the columns, and c[j] - p[j] is what column j gains the row.
// Each method has as its definition the loop in Go, which is also what does the
// last elements in every tier; all round alike, one subtraction at a time.

// Lanes is how many maxima LaneMax takes.
const Lanes = 32

// LaneMax sets maxima[l] to the largest gain of the columns j = l mod Lanes, -Inf
// where there is none.
func (t Tier) LaneMax(maxima *[Lanes]float64, c, p []float64) {
	p = p[:len(c)]
	n := t.kernelLen(len(c), Lanes)
	if n > 0 {
		lanemax32(n, &c[0], &p[0], &maxima[0])
	} else {
		for l := range maxima {
			maxima[l] = math.Inf(-1)
		}
	}
	for j := n; j < len(c); j++ {
		if h := c[j] - p[j]; h > maxima[j%Lanes] {
			maxima[j%Lanes] = h
		}
	}
}

// ThresholdColumns puts into dst the columns whose gain is at least the threshold,
// rising, as many as it holds, and returns their number.
func (t Tier) ThresholdColumns(dst []int32, c, p []float64, threshold float64) int {
	p = p[:len(c)]
	j, k := 0, 0
	if n := t.kernelLen(len(c), 8); n > 0 && len(dst) >= 8 {
		j, k = threshold8(n, &c[0], &p[0], threshold, &dst[0], len(dst)-8)
	}
	for ; j < len(c) && k < len(dst); j++ {
		if c[j]-p[j] >= threshold {
			dst[k] = int32(j)
			k++
		}
	}
	return k
}

// RelaxableColumns puts into dst, which is as long as c, the columns for which base less
// the gain is below dist, rising, and returns their number.
func (t Tier) RelaxableColumns(dst []int32, dist, c, p []float64, base float64) int {
	dst, dist, p = dst[:len(c)], dist[:len(c)], p[:len(c)]
	n, k := t.kernelLen(len(c), 8), 0
	if n > 0 {
		k = relaxable8(n, &c[0], &p[0], &dist[0], base, &dst[0])
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
// and its predecessor pred[j] is then i. NaN in dist is for columns whose path is final.
// It returns the nearest column and its distance, of equally near ones one that has no
// row, then the first; -1 and +Inf if there is none.
func (t Tier) Relax(dist []float64, pred []int32, c, p []float64, row []int32, base float64, i int32) (column int, length float64) {
	dist, pred, p, row = dist[:len(c)], pred[:len(c)], p[:len(c)], row[:len(c)]
	column, length = -1, math.Inf(1)
	unassigned := false
	setNearest := func(j int) {
		column, length, unassigned = j, dist[j], row[j] < 0
	}
	n := t.kernelLen(len(c), 8)
	if n > 0 {
		var columns [8]int64
		relax8(n, &dist[0], &pred[0], &c[0], &p[0], &row[0], base, i, &columns[0])
		for l, x := range columns {
			j := int(x) + l&4 // the last 4 lanes count from 4 on
			if x < 0 || dist[j] > length {
				continue
			}
			if dist[j] < length || row[j] < 0 && !unassigned || row[j] < 0 == unassigned && j < column {
				setNearest(j)
			}
		}
	}
	for j := n; j < len(c); j++ {
		if h := base - (c[j] - p[j]); h < dist[j] {
			dist[j], pred[j] = h, i
		}
		if dist[j] < length || dist[j] == length && row[j] < 0 && !unassigned {
			setNearest(j)
		}
	}
	if math.IsInf(length, 1) {
		column = -1
	}
	return column, length
}

// Top2 is the largest and the second largest of a row's gains and their columns, of
// equal gains the first; -Inf and -1 where there is none.
type Top2 struct {
	Gain1, Gain2     float64
	Column1, Column2 int
}

// EmptyTop2 is the Top2 of an empty row.
var EmptyTop2 = Top2{math.Inf(-1), math.Inf(-1), -1, -1}

// Push offers the gain h of column j, where columns before j were offered before if
// their gains are as large.
func (b *Top2) Push(h float64, j int) {
	switch {
	case h > b.Gain1:
		b.Gain2, b.Column2, b.Gain1, b.Column1 = b.Gain1, b.Column1, h, j
	case h > b.Gain2:
		b.Gain2, b.Column2 = h, j
	}
}

// merge offers the gain h of column j in any order.
func (b *Top2) merge(h float64, j int) {
	above := func(g float64, i int) bool { return h > g || h == g && j < i }
	switch {
	case above(b.Gain1, b.Column1):
		b.Gain2, b.Column2, b.Gain1, b.Column1 = b.Gain1, b.Column1, h, j
	case above(b.Gain2, b.Column2):
		b.Gain2, b.Column2 = h, j
	}
}

// TopTwo finds the two largest gains of a row.
func (t Tier) TopTwo(c, p []float64) Top2 {
	p = p[:len(c)]
	b := EmptyTop2
	n := t.kernelLen(len(c), 8)
	if n > 0 {
		var gains [8]float64
		var columns [8]int64
		toptwo4(n, &c[0], &p[0], &gains[0], &columns[0])
		for l, j := range columns {
			if j >= 0 {
				b.merge(gains[l], int(j))
			}
		}
	}
	for j := n; j < len(c); j++ {
		b.Push(c[j]-p[j], j)
	}
	return b
}

// ColumnMax raises maxima[j] to x[j], and sets argmax[j] to row where that raises it: of
// equals the earlier stays.
func (t Tier) ColumnMax(maxima []float64, argmax []int32, x []float64, row int32) {
	maxima, argmax = maxima[:len(x)], argmax[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		columnmax8(n, &maxima[0], &argmax[0], &x[0], row)
	}
	for j := n; j < len(x); j++ {
		if maxima[j] < x[j] {
			maxima[j], argmax[j] = x[j], row
		}
	}
}

// Bounded reports whether every element of x lies between -limit and limit or is -Inf.
func (t Tier) Bounded(x []float64, limit float64) bool {
	n := t.kernelLen(len(x), 16)
	if n > 0 && bounded16(n, &x[0], limit) != 0 {
		return false
	}
	for _, v := range x[n:] {
		if !(math.Abs(v) <= limit || math.IsInf(v, -1)) {
			return false
		}
	}
	return true
}
