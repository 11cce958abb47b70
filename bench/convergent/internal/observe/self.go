package observe

import (
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// SelfMoments are moments of each unit of a network at two times, summed in float64 about
// the first observation.
type SelfMoments struct {
	count          int64
	firstX, firstY []float32
	x, y           []float64
	xx, xy, yy     []float64
}

func newSelfMoments(units int) *SelfMoments {
	sums := make([]float64, 5*units)
	return &SelfMoments{x: sums[:units], y: sums[units : 2*units], xx: sums[2*units : 3*units], xy: sums[3*units : 4*units], yy: sums[4*units:]}
}

// add adds observations at both times, padding left out.
func (m *SelfMoments) add(x, y source.Tensor, valid []bool) {
	u := x.Units
	for at := range x.Samples * x.Positions {
		if valid != nil && !valid[at] {
			continue
		}
		a, b := x.Data[at*u:(at+1)*u], y.Data[at*u:(at+1)*u]
		if m.count == 0 {
			m.firstX, m.firstY = append(m.firstX, a...), append(m.firstY, b...)
		}
		m.count++
		for i, v := range a {
			dx, dy := float64(v-m.firstX[i]), float64(b[i]-m.firstY[i])
			m.x[i] += dx
			m.y[i] += dy
			m.xx[i] += float64(dx * dx)
			m.xy[i] += float64(dx * dy)
			m.yy[i] += float64(dy * dy)
		}
	}
}

// MeanCorrelation is the mean correlation of a unit with itself at the other time, over
// those that are live at the second; 0 of one that is not at the first, NaN if none is.
func (m *SelfMoments) MeanCorrelation() float64 {
	total, live := 0.0, 0.0
	n := float64(m.count)
	for i := range m.x {
		vx, vy := m.xx[i]-m.x[i]*m.x[i]/n, m.yy[i]-m.y[i]*m.y[i]/n
		if vy <= 0 {
			continue
		}
		live++
		if vx > 0 {
			total += (m.xy[i] - m.x[i]*m.y[i]/n) / math.Sqrt(vx) / math.Sqrt(vy)
		}
	}
	return total / live
}
