package assignment

import (
	"math"

	"github.com/convergent-go/convergent/asm"
)

// maxListLen is how many columns a row's list may hold.
const maxListLen = 64

// lists hold for each row some columns of large gain, and a bound on the gains of
// all others, which stays one when prices rise. A list not yet made is empty,
// with the bound +Inf.
type lists struct {
	width  int   // columns that a row has memory for
	start  []int // of each row's memory; nil: one after another
	count  []int32
	column []int32
	value  []float64
	bound  []float64
}

func newLists(n, w int) lists {
	l := lists{width: w, count: make([]int32, n), bound: make([]float64, n)}
	for i := range l.bound {
		l.bound[i] = math.Inf(1)
	}
	return l
}

// row returns the columns on row i's list and the values there.
func (l *lists) row(i int32) (column []int32, value []float64) {
	start, n := int(i)*l.width, int(l.count[i])
	if n == 0 {
		return nil, nil
	}
	if l.start != nil {
		start = l.start[i]
	}
	return l.column[start:][:n], l.value[start:][:n]
}

// refresh makes a new list for row i at the present prices.
func (s *solver) refresh(i int32) {
	l := &s.lists
	if l.column == nil { // where columns alone settle everything there are no lists
		l.column, l.value = make([]int32, s.Rows*l.width), make([]float64, s.Rows*l.width)
	}
	row := s.Row(int(i))
	column := l.column[int(i)*l.width:][:l.width]
	n, threshold := bestColumns(column, row, s.price, int(i), math.Inf(-1))
	value := l.value[int(i)*l.width:]
	for k, j := range column[:n] {
		value[k] = row[j]
	}
	l.count[i], l.bound[i] = int32(n), threshold
}

// bestColumns puts columns of large gain into dst, n of them, such that no other gains more
// than the threshold; none if none gains more than least. number is the row's own.
//
// The threshold is the least of 8 maxima, each over an eighth of the row, so that
// 8 columns at least are on the list; where values come in no order, some 22 on
// average, however long the row: the sum of 8/k for k up to 8.
func bestColumns(dst []int32, row, price []float64, number int, least float64) (n int, threshold float64) {
	tier := asm.Active()
	var maxima [asm.Lanes]float64
	tier.LaneMax(&maxima, row, price)
	threshold, largest := foldLanes(&maxima)
	if largest <= least {
		return 0, largest
	}
	n = tier.ThresholdColumns(dst, row, price, max(threshold, -math.MaxFloat64))
	if n == len(dst) && n < len(row) {
		// Too many, of which most must be equal: the list is then of the very best, those
		// that follow the row's own number first, so that rows do not all want the same.
		threshold = largest
		start := number % len(row)
		n = tier.ThresholdColumns(dst, row[start:], price[start:], largest)
		for k := range dst[:n] {
			dst[k] += int32(start)
		}
		n += tier.ThresholdColumns(dst[n:], row[:start], price[:start], largest)
	}
	return n, threshold
}

// topTwo returns the two largest gains of row i, of its list if that is enough.
func (s *solver) topTwo(i int32) Top2 {
	for range 2 {
		b := asm.EmptyTop2
		column, value := s.lists.row(i)
		for k, j := range column {
			b.Push(value[k]-s.price[j], int(j))
		}
		if b.Gain2 >= s.lists.bound[i] {
			return b
		}
		s.refresh(i)
	}
	return TopTwo(s.Row(int(i)), s.price)
}

// foldLanes makes 8 maxima of those of the lanes, and returns the smallest and the largest.
func foldLanes(lanes *[asm.Lanes]float64) (smallest, largest float64) {
	smallest, largest = math.Inf(1), math.Inf(-1)
	for l := range 8 {
		x := max(max(lanes[l], lanes[l+8]), max(lanes[l+16], lanes[l+24]))
		smallest, largest = min(smallest, x), max(largest, x)
	}
	return smallest, largest
}
