package corr

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// TestManyUnits takes moments of 8,192 units, or of CONVERGENT_UNITS.
func TestManyUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a gigabyte")
	}
	const rows = 500
	p := 8192
	if s := os.Getenv("CONVERGENT_UNITS"); s != "" {
		var err error
		if p, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d units take %d MB", p, EstimateMemory(p/2, p-p/2)>>20)
	rnd := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, rows*p)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	m := NewMoments(p/2, p-p/2)
	if err := m.AddTensors(nil, Rows(x, rows, p/2, p), Rows(x[p/2:], rows, p-p/2, p)); err != nil {
		t.Fatal(err)
	}
	between := m.PairOf(0, 1, []int{0, p/2 - 1}, []int{1, p/2 - 1})
	for i, u := range between.UnitsA {
		for j, v := range between.UnitsB {
			var sx, sy, xx, yy, xy float64
			for r := range rows {
				a, b := float64(x[r*p+u]), float64(x[r*p+p/2+v])
				sx, sy, xx, yy, xy = sx+a, sy+b, xx+a*a, yy+b*b, xy+a*b
			}
			want := (xy - sx*sy/rows) / math.Sqrt((xx-sx*sx/rows)*(yy-sy*sy/rows))
			if got := between.Correlation().At(i, j); math.Abs(got-want) > 1e-6 {
				t.Errorf("units %d and %d: %v, want %v", u, v, got, want)
			}
		}
	}
}

// TestManyRows doubles moments until they are of more than 10^10 rows.
func TestManyRows(t *testing.T) {
	const p, rows = 5, 1000
	rnd := rand.New(rand.NewPCG(1, 3))
	x := make([]float32, rows*p)
	for i := range x {
		x[i] = float32(1e3 + rnd.NormFloat64() + float64(x[max(0, i-1)])/1e3)
	}
	m := NewMoments(p)
	if err := m.Add(rows, x); err != nil {
		t.Fatal(err)
	}
	mean, covariance := m.Mean(0), m.Covariance(nil, 0, 0)
	count := int64(rows)
	for count < 1e10 {
		if err := m.Merge(m.clone()); err != nil {
			t.Fatal(err)
		}
		count *= 2
	}
	if m.Count() != count {
		t.Fatalf("%d rows, want %d", m.Count(), count)
	}
	for i := range p {
		if got := m.Mean(0)[i]; math.Abs(got-mean[i]) > 1e-9*math.Abs(mean[i]) {
			t.Errorf("mean %v, want %v", got, mean[i])
		}
		for j := range p {
			if got, want := m.Covariance(nil, 0, 0).At(i, j), covariance.At(i, j); math.Abs(got-want) > 1e-9 {
				t.Errorf("covariance %v, want %v", got, want)
			}
		}
	}
	if err := m.Add(rows, x); err != nil || m.Count() != count+rows {
		t.Errorf("more rows after these: %v, %d", err, m.Count())
	}
}
