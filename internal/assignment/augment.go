package assignment

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/vec"
)

// augment assigns one more row: it finds the shortest alternating path from it to
// an unassigned column by Dijkstra's algorithm on u_i + p_j - c_ij, and shifts the
// assignment along it. If there is none it returns the rows that were reached:
// all their columns are each other's.
//
// Where lists turn out to be of no use, since most rows on the way had to be
// scanned, as with values of rank one, the next searches scan every row; each
// time that happens, twice as many.
func (s *solver) augment(start int32) []int {
	s.done = s.done[:0]
	var end int32
	var length float64
	if s.scans > 0 {
		s.scans--
		end, length = s.scan(start)
	} else {
		s.scanned = 0
		if end, length = s.search(start); s.scanned > 16 && 2*s.scanned > len(s.done) {
			s.patience = 2*s.patience + 1
			s.scans = s.patience
		}
	}
	if end < 0 {
		reached := []int{int(start)}
		for _, x := range s.done {
			reached = append(reached, int(s.row[x.col]))
		}
		slices.Sort(reached)
		return reached
	}
	for _, x := range s.done {
		s.price[x.col] += max(0, length-x.dist) // rounding must not lower it
	}
	for j := end; ; {
		i := s.from[j]
		next := s.col[i]
		s.assign(i, j)
		if i == start {
			return nil
		}
		j = next
	}
}

// scan is Dijkstra's algorithm with full scans. Like search it returns the
// nearest unassigned column and its distance, or -1.
func (s *solver) scan(start int32) (end int32, length float64) {
	s.queue.clear()
	defer s.queue.forget(s.Cols)
	dist := s.queue.key[:s.Cols]
	i, base := start, 0.0
	for {
		j, d := vec.Relax(dist, s.from, s.Row(int(i)), s.price, s.row, base, i)
		if j < 0 || s.row[j] < 0 {
			return int32(j), d
		}
		dist[j] = math.NaN()
		s.done = append(s.done, step{int32(j), d})
		i = s.row[j]
		base = d + (s.paid[i] - s.price[j])
	}
}

// search is Dijkstra's algorithm by the rows' lists.
//
// From a row at distance d, a column of gain h is at d + u - h. Columns that are
// not on the row's list are no nearer than its bound says; the queue holds that
// distance as if it were a vertex, and when its turn comes the row is scanned.
func (s *solver) search(start int32) (end int32, length float64) {
	s.queue.clear()
	m := int32(s.Cols)
	s.end, s.length = -1, math.Inf(1)
	s.reach(start, 0)
	for {
		v, d, ok := s.queue.pop(s.length)
		if !ok {
			return s.end, s.length
		}
		if v < m {
			s.done = append(s.done, step{v, d})
			i := s.row[v]
			s.reach(i, d+(s.paid[i]-s.price[v]))
		} else {
			s.extend(v - m)
		}
	}
}

// reach goes on from row i, where base is its distance plus u_i, by its list.
func (s *solver) reach(i int32, base float64) {
	if math.IsInf(s.bound[i], 1) {
		s.refresh(i)
	}
	place, value := s.list(i)
	for k, j := range place {
		s.shorten(i, j, base-(value[k]-s.price[j]))
	}
	if d := base - s.bound[i]; d < s.length {
		s.base[i] = base
		s.queue.push(int32(s.Cols)+i, d)
	}
}

// shorten offers a path of length d to column j through row i.
func (s *solver) shorten(i, j int32, d float64) {
	if d < s.length && d < s.queue.key[j] {
		s.from[j] = i
		if s.row[j] < 0 {
			s.end, s.length = j, d
		} else {
			s.queue.push(j, d)
		}
	}
}

// extend goes on from row i by what was not on its list: by a new one, if prices
// have made it reach further, else by the whole row.
func (s *solver) extend(i int32) {
	base, bound := s.base[i], s.bound[i]
	if s.refresh(i); s.bound[i] < bound {
		s.reach(i, base)
		return
	}
	s.scanned++
	row := s.Row(int(i))
	for _, j := range s.hits[:vec.Shorter(s.hits, s.queue.key[:s.Cols], row, s.price, base)] {
		s.shorten(i, j, base-(row[j]-s.price[j]))
	}
}
