package assignment

import (
	"math"

	"github.com/convergent-go/convergent/internal/vec"
)

// listed is how many columns a row's list may hold.
const listed = 64

// lists hold for each row some columns of large gain, and a bound on the gains of
// all others, which stays one when prices rise. A list not yet made is empty,
// with the bound +Inf.
type lists struct {
	width int // places for each row
	count []int32
	place []int32
	value []float64
	bound []float64
}

func newLists(n, w int) lists {
	l := lists{width: w, count: make([]int32, n), bound: make([]float64, n)}
	for i := range l.bound {
		l.bound[i] = math.Inf(1)
	}
	return l
}

// list returns the columns on row i's list and the values there.
func (l *lists) list(i int32) ([]int32, []float64) {
	at, n := int(i)*l.width, int(l.count[i])
	if n == 0 {
		return nil, nil
	}
	return l.place[at:][:n], l.value[at:][:n]
}

// refresh makes a new list for row i at the present prices.
//
// Its threshold is the least of 8 maxima, each over an eighth of the row, so that
// 8 columns at least are on the list; where values come in no order, some 22 on
// average, however long the row: the sum of 8/k for k up to 8.
func (s *solver) refresh(i int32) {
	if s.place == nil { // where columns alone settle everything there are no lists
		s.place, s.value = make([]int32, s.Rows*s.width), make([]float64, s.Rows*s.width)
	}
	var lanes [vec.Lanes]float64
	row := s.Row(int(i))
	vec.LaneMax(&lanes, row, s.price)
	least, most := fold(&lanes)
	place := s.place[int(i)*s.width:][:s.width]
	n := vec.AtLeast(place, row, s.price, max(least, -math.MaxFloat64))
	if n == s.width && s.width < s.Cols {
		// Too many, of which most must be equal: keep to the very best, those that
		// follow the row's own number first, so that rows do not all want the same.
		least = most
		from := int(i) % s.Cols
		n = vec.AtLeast(place, row[from:], s.price[from:], most)
		for k := range place[:n] {
			place[k] += int32(from)
		}
		n += vec.AtLeast(place[n:], row[:from], s.price[:from], most)
	}
	value := s.value[int(i)*s.width:]
	for k, j := range place[:n] {
		value[k] = row[j]
	}
	s.count[i], s.bound[i] = int32(n), least
}

// best returns the two largest gains of row i, of its list if that is enough.
func (s *solver) best(i int32) vec.Two {
	for range 2 {
		b := vec.NoTwo
		place, value := s.list(i)
		for k, j := range place {
			if h := value[k] - s.price[j]; h > b.Second {
				if h > b.First {
					b.Second, b.J2, b.First, b.J = b.First, b.J, h, int(j)
				} else {
					b.Second, b.J2 = h, int(j)
				}
			}
		}
		if b.Second >= s.bound[i] {
			return b
		}
		s.refresh(i)
	}
	return vec.TopTwo(s.Row(int(i)), s.price)
}

// fold makes 8 maxima of those of the lanes, and returns the least and the largest.
func fold(lanes *[vec.Lanes]float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for l := range 8 {
		share := max(max(lanes[l], lanes[l+8]), max(lanes[l+16], lanes[l+24]))
		least, most = min(least, share), max(most, share)
	}
	return least, most
}
