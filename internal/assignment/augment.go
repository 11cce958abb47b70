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
// From a row at distance d, a column of gain h is at d + u - h. Columns that are
// not on the row's list are no nearer than its bound says; the queue holds that
// distance as if it were a vertex, and when its turn comes the row is scanned.
func (s *solver) augment(start int32) []int {
	s.queue.clear()
	s.done = s.done[:0]
	m := int32(s.Cols)
	path := search{end: -1, length: math.Inf(1)}
	s.reach(&path, start, 0)
	for {
		v, d, ok := s.queue.pop(path.length)
		if !ok {
			break
		}
		if v < m {
			s.done = append(s.done, step{v, d})
			i := s.row[v]
			s.reach(&path, i, d+(s.paid[i]-s.price[v]))
		} else {
			s.extend(&path, v-m)
		}
	}
	if path.end < 0 {
		reached := []int{int(start)}
		for _, x := range s.done {
			reached = append(reached, int(s.row[x.col]))
		}
		slices.Sort(reached)
		return reached
	}
	for _, x := range s.done {
		s.price[x.col] += path.length - x.dist
	}
	for j := path.end; ; {
		i := s.from[j]
		next := s.col[i]
		s.assign(i, j)
		if i == start {
			return nil
		}
		j = next
	}
}

// search is the nearest unassigned column found so far: a path no shorter than
// it is of no use, so that ties end the search.
type search struct {
	end    int32
	length float64
}

// reach goes on from row i, where base is its distance plus u_i, by its list.
func (s *solver) reach(path *search, i int32, base float64) {
	if math.IsInf(s.bound[i], 1) {
		s.refresh(i)
	}
	place, value := s.list(i)
	for k, j := range place {
		s.shorten(path, i, j, base-(value[k]-s.price[j]))
	}
	if d := base - s.bound[i]; d < path.length {
		s.base[i] = base
		s.queue.push(int32(s.Cols)+i, d)
	}
}

// shorten offers a path of length d to column j through row i.
func (s *solver) shorten(path *search, i, j int32, d float64) {
	if d < path.length && d < s.queue.key[j] {
		s.from[j] = i
		if s.row[j] < 0 {
			path.end, path.length = j, d
		} else {
			s.queue.push(j, d)
		}
	}
}

// extend goes on from row i by what was not on its list: by a new one, if prices
// have made it reach further, else by the whole row.
func (s *solver) extend(path *search, i int32) {
	base, bound := s.base[i], s.bound[i]
	if s.refresh(i); s.bound[i] < bound {
		s.reach(path, i, base)
		return
	}
	row := s.Row(int(i))
	for _, j := range s.hits[:vec.Shorter(s.hits, s.queue.key[:s.Cols], row, s.price, base)] {
		s.shorten(path, i, j, base-(row[j]-s.price[j]))
	}
}
