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
					r = turning.Correlation(nil, rand.New(rand.NewPCG(4, uint64(d)))).RawMatrix().Data
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

// TestDirections: rows are orthonormal, and their elements have the first, second and fourth
// moments of those of random rotations.
func TestDirections(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 1))
	for _, c := range [][2]int{{1, 1}, {7, 7}, {10, 8}, {40, 3}, {200, 160}} {
		n, k := c[0], c[1]
		var sum, square, fourth, count float64
		for range 1 + 40000/(n*k) {
			d := Directions(n, k, rnd)
			for i := range k {
				for j := range i + 1 {
					var inner, want float64
					for l := range n {
						inner += d.At(i, l) * d.At(j, l)
					}
					if i == j {
						want = 1
					}
					if math.Abs(inner-want) > 1e-12 {
						t.Fatalf("%d of %d: rows %d and %d have the product %v", k, n, i, j, inner)
					}
				}
				for _, v := range d.RawRowView(i) {
					sum, square, fourth, count = sum+v, square+v*v, fourth+v*v*v*v, count+1
				}
			}
		}
		f := float64(n)
		if want := 3 / (f * (f + 2)); math.Abs(sum/count) > 5/math.Sqrt(f*count) || math.Abs(square/count-1/f) > 1e-9 || math.Abs(fourth/count/want-1) > 0.2 {
			t.Errorf("%d of %d: moments %v, %v, %v, want 0, %v, %v", k, n, sum/count, square/count, fourth/count, 1/f, want)
		}
	}
}
