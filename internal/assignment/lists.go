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
	width  int // columns that a row has memory for
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
	return l.column[start:][:n], l.value[start:][:n]
}

// refresh makes a new list for row i at the present prices.
//
// Its threshold is the least of 8 maxima, each over an eighth of the row, so that
// 8 columns at least are on the list; where values come in no order, some 22 on
// average, however long the row: the sum of 8/k for k up to 8.
func (s *solver) refresh(i int32) {
	tier, l := asm.Active(), &s.lists
	if l.column == nil { // where columns alone settle everything there are no lists
		l.column, l.value = make([]int32, s.Rows*l.width), make([]float64, s.Rows*l.width)
	}
	var maxima [asm.Lanes]float64
	row := s.Row(int(i))
	tier.LaneMax(&maxima, row, s.price)
	threshold, largest := foldLanes(&maxima)
	column := l.column[int(i)*l.width:][:l.width]
	n := tier.ThresholdColumns(column, row, s.price, max(threshold, -math.MaxFloat64))
	if n == l.width && l.width < s.Cols {
		// Too many, of which most must be equal: the list is then of the very best, those
		// that follow the row's own number first, so that rows do not all want the same.
		threshold = largest
		start := int(i) % s.Cols
		n = tier.ThresholdColumns(column, row[start:], s.price[start:], largest)
		for k := range column[:n] {
			column[k] += int32(start)
		}
		n += tier.ThresholdColumns(column[n:], row[:start], s.price[:start], largest)
	}
	value := l.value[int(i)*l.width:]
	for k, j := range column[:n] {
		value[k] = row[j]
	}
	l.count[i], l.bound[i] = int32(n), threshold
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
