package assignment

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/asm"
)

// augment assigns one more row: it finds the shortest alternating path from it to
// an unassigned column by Dijkstra's algorithm on u_i + p_j - c_ij, and shifts the
// assignment along it. If there is none it returns the rows on all paths: their columns
// are each other's.
//
// Where lists turn out to be of no use, since most rows on the way had to be
// scanned, as with values of rank one, the next searches scan every row; each
// time that happens, twice as many.
func (s *solver) augment(start int32) (deficient []int) {
	s.labels = s.labels[:0]
	var end int32
	var length float64
	if s.fullScans > 0 {
		s.fullScans--
		end, length = s.searchRows(start)
	} else {
		s.rowScans = 0
		if end, length = s.searchLists(start); s.rowScans > 16 && 2*s.rowScans > len(s.labels) {
			s.lastScans = 2*s.lastScans + 1
			s.fullScans = s.lastScans
		}
	}
	if end < 0 {
		deficient = []int{int(start)}
		for _, x := range s.labels {
			deficient = append(deficient, int(s.row[x.col]))
		}
		slices.Sort(deficient)
		return deficient
	}
	for _, x := range s.labels {
		s.price[x.col] += max(0, length-x.dist) // rounding must not lower it
	}
	for j := end; ; {
		i := s.pred[j]
		next := s.col[i]
		s.assign(i, j)
		if i == start {
			return nil
		}
		j = next
	}
}

// searchRows is Dijkstra's algorithm with full scans. Like searchLists it returns the
// nearest unassigned column and its distance, or -1.
func (s *solver) searchRows(start int32) (end int32, length float64) {
	s.queue.clear()
	defer s.queue.resetKeys(s.Cols)
	dist := s.queue.key[:s.Cols]
	i, base := start, 0.0
	for {
		j, d := asm.Active().Relax(dist, s.pred, s.Row(int(i)), s.price, s.row, base, i)
		if j < 0 || s.row[j] < 0 {
			return int32(j), d
		}
		dist[j] = math.NaN()
		s.labels = append(s.labels, label{int32(j), d})
		i = s.row[j]
		base = d + (s.value[i] - s.price[j])
	}
}

// searchLists is Dijkstra's algorithm by the rows' lists.
//
// From a row at distance d, a column of gain h is at d + u - h. Columns that are
// not on the row's list are no nearer than its bound says; the queue holds that
// distance as if it were a vertex, and when its turn comes the row is scanned.
func (s *solver) searchLists(start int32) (end int32, length float64) {
	s.queue.clear()
	m := int32(s.Cols)
	s.end, s.length = -1, math.Inf(1)
	s.expandList(start, 0)
	for {
		v, d, ok := s.queue.pop(s.length)
		if !ok {
			return s.end, s.length
		}
		if v < m {
			s.labels = append(s.labels, label{v, d})
			i := s.row[v]
			s.expandList(i, d+(s.value[i]-s.price[v]))
		} else {
			s.expandRow(v - m)
		}
	}
}

// expandList goes on from row i, where base is its distance plus u_i, by its list.
func (s *solver) expandList(i int32, base float64) {
	if math.IsInf(s.lists.bound[i], 1) {
		s.refresh(i)
	}
	column, value := s.lists.row(i)
	for k, j := range column {
		s.shorten(i, j, base-(value[k]-s.price[j]))
	}
	if d := base - s.lists.bound[i]; d < s.length {
		s.base[i] = base
		s.queue.push(int32(s.Cols)+i, d)
	}
}

// shorten offers a path of length d to column j through row i.
func (s *solver) shorten(i, j int32, d float64) {
	if d < s.length && d < s.queue.key[j] {
		s.pred[j] = i
		if s.row[j] < 0 {
			s.end, s.length = j, d
		} else {
			s.queue.push(j, d)
		}
	}
}

// expandRow goes on from row i by what was not on its list: by a new one, if prices
// have made it reach further, else by the whole row.
func (s *solver) expandRow(i int32) {
	base, bound := s.base[i], s.lists.bound[i]
	if s.refresh(i); s.lists.bound[i] < bound {
		s.expandList(i, base)
		return
	}
	s.rowScans++
	row := s.Row(int(i))
	n := asm.Active().RelaxableColumns(s.columns, s.queue.key[:s.Cols], row, s.price, base)
	for _, j := range s.columns[:n] {
		s.shorten(i, j, base-(row[j]-s.price[j]))
	}
}
