package corr

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTurning: turned units have the same distribution as units in the basis of a random
// rotation, in the mean and spread of the largest correlation of each unit of a, whether there
// are more observations than units or fewer.
func TestTurning(t *testing.T) {
	for _, rows := range []int{9, 400} {
		const p, q, draws = 5, 16, 3000
		rnd := rand.New(rand.NewPCG(3, uint64(rows)))
		var x, y []float32
		for range rows {
			s := rnd.NormFloat64()
			for i := range p {
				x = append(x, float32(s+0.5*rnd.NormFloat64()*float64(i+1)))
			}
			for j := range q {
				y = append(y, float32(float64(j+1)*(s+rnd.NormFloat64())))
			}
		}
		m := NewMoments(p, q)
		if err := m.Add(rows, x, y); err != nil {
			t.Fatal(err)
		}
		c := m.Pair(0, 1)
		turning := c.Turning()
		var turned, rotated Null
		for d := range draws {
			for _, of := range []struct {
				null *Null
				pair *Pair
			}{{&turned, nil}, {&rotated, c.Basis(nil, Rotation(q, rand.New(rand.NewPCG(5, uint64(d)))))}} {
				var r []float64
				if of.pair == nil {
					r = turning.Correlation(rand.New(rand.NewPCG(4, uint64(d)))).RawMatrix().Data
				} else {
					r = of.pair.Correlation().RawMatrix().Data
				}
				var sum float64
				for i := range p {
					largest := math.Inf(-1)
					for _, v := range r[i*q:][:q] {
						largest = max(largest, v)
					}
					sum += largest / p
				}
				of.null.Draws = append(of.null.Draws, sum)
			}
		}
		se := rotated.Std() * math.Sqrt(2.0/draws)
		if d := turned.Mean() - rotated.Mean(); math.Abs(d) > 4*se {
			t.Errorf("%d rows: mean %v, want %v", rows, turned.Mean(), rotated.Mean())
		}
		if ratio := turned.Std() / rotated.Std(); math.Abs(ratio-1) > 4/math.Sqrt(draws) {
			t.Errorf("%d rows: deviation %v, want %v", rows, turned.Std(), rotated.Std())
		}
	}
}
