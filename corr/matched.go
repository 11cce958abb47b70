package corr

import "math"

// PairSums are sums over the observations of one group of images, of pairs of units that were
// matched: of a unit x of one network and a unit y of another, each less some centre, which is
// the same in all groups.
type PairSums struct {
	Rows             float64   // observations
	X, Y, XX, XY, YY []float64 // by pair
}

// NewPairSums returns those of no observation.
func NewPairSums(pairs int) PairSums {
	of := func() []float64 { return make([]float64, pairs) }
	return PairSums{0, of(), of(), of(), of(), of()}
}

// Add adds an observation of pair k, of which Rows counts one for all pairs.
func (s *PairSums) Add(k int, x, y float64) {
	s.X[k] += x
	s.Y[k] += y
	s.XX[k] += float64(x * x)
	s.XY[k] += float64(x * y)
	s.YY[k] += float64(y * y)
}

// JackknifePairSums returns the mean over pairs of their correlations, of all groups and without
// each that has observations. A unit that does not vary correlates by 0.
//
// The pairs stay as they are without a group. The mean correlation of the best matching does not
// change to first order where the matching does, so that this tells its variance.
func JackknifePairSums(groups []PairSums) Jackknife {
	mean := func(without int) (mean float64) {
		n, pairs := 0.0, len(groups[0].X)
		all := NewPairSums(pairs)
		for i, g := range groups {
			if i == without {
				continue
			}
			n += g.Rows
			for k := range pairs {
				all.X[k] += g.X[k]
				all.Y[k] += g.Y[k]
				all.XX[k] += g.XX[k]
				all.XY[k] += g.XY[k]
				all.YY[k] += g.YY[k]
			}
		}
		for k, x := range all.X {
			y := all.Y[k]
			vx, vy := all.XX[k]-float64(x*x)/n, all.YY[k]-float64(y*y)/n
			if vx > 0 && vy > 0 {
				mean += (all.XY[k] - float64(x*y)/n) / math.Sqrt(vx) / math.Sqrt(vy) / float64(pairs)
			}
		}
		return mean
	}
	j := Jackknife{Value: mean(-1)}
	for i, g := range groups {
		if g.Rows > 0 {
			j.Without, j.Rows = append(j.Without, mean(i)), append(j.Rows, g.Rows)
		}
	}
	return j
}

// JackknifeMatched returns the mean correlation of unit unitsA[k] of network a with unit
// unitsB[k] of b, of some groups, or of all if none are given, and without each of these: the
// pairs stay as they are, see [JackknifePairSums]. Units have their numbers in their networks, as in
// [Moments.PairOf], those that are dead included. Of matched units [Jackknife.Interval] is of what
// as many images give on average, of any number of units, however few images there are; of
// fewer than 10 groups it says little. It panics if a network has no such unit, or unless there are
// as many of either network.
//
// It takes a step for each pair and group, or, where observations are kept, for each pair and
// observation: of many units much less than [Groups.Jackknife].
func (g *Groups) JackknifeMatched(a, b int, unitsA, unitsB []int, groups ...int) Jackknife {
	if len(unitsA) != len(unitsB) {
		panic("corr: units are not in pairs")
	}
	checkUnits(unitsA, g.parts[0].Units(a))
	checkUnits(unitsB, g.parts[0].Units(b))
	if len(groups) == 0 {
		groups = indices(len(g.parts))
	}
	all := make([]PairSums, len(groups))
	var centre []float64 // of all units
	for i, group := range groups {
		m := g.part(group)
		all[i] = NewPairSums(len(unitsA))
		if m.Count() == 0 {
			continue
		}
		if centre == nil {
			centre = m.centre()
		}
		all[i].add(m, m.offsets[a], m.offsets[b], unitsA, unitsB, centre)
	}
	return JackknifePairSums(all)
}

// centre is near the means of all units, of groups with observations: of few those of the first.
func (m *Moments) centre() []float64 {
	if !m.kept() {
		s, _ := m.snapshot()
		return s.mean
	}
	centre := make([]float64, m.total())
	for u := range centre {
		centre[u] = float64(m.block[u])
	}
	return centre
}

// add adds the observations of a group.
func (s *PairSums) add(m *Moments, offsetA, offsetB int, unitsA, unitsB []int, centre []float64) {
	n := float64(m.Count())
	s.Rows += n
	if m.kept() {
		for rows := m.block[:m.rows*m.total()]; len(rows) > 0; rows = rows[m.total():] {
			for k := range unitsA {
				i, j := offsetA+unitsA[k], offsetB+unitsB[k]
				s.Add(k, float64(rows[i])-centre[i], float64(rows[j])-centre[j])
			}
		}
		return
	}
	moments, _ := m.snapshot()
	for k := range unitsA {
		i, j := offsetA+unitsA[k], offsetB+unitsB[k]
		x, y := moments.mean[i]-centre[i], moments.mean[j]-centre[j]
		s.X[k] += float64(n * x)
		s.Y[k] += float64(n * y)
		s.XX[k] += float64(n * (moments.covariance(i, i) + float64(x*x)))
		s.XY[k] += float64(n * (moments.covariance(i, j) + float64(x*y)))
		s.YY[k] += float64(n * (moments.covariance(j, j) + float64(y*y)))
	}
}
