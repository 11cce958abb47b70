package observe

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// between surveys what a source made.
func between(t *testing.T, m *made, plan BetweenPlan) *Between {
	t.Helper()
	b, err := NewBetween(m, 0, plan)
	if err == nil {
		err = b.Survey(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gathered is all that is passed over.
func gathered(t *testing.T, c match.Passes) *mat.Dense {
	t.Helper()
	rows, cols := c.Dims()
	all, next := mat.NewDense(rows, cols, nil), 0
	err := c.Pass(func(first int, block *mat.Dense) error {
		if first != next {
			t.Errorf("rows from %d after %d", first, next)
		}
		n, _ := block.Dims()
		all.Slice(first, first+n, 0, cols).(*mat.Dense).Copy(block)
		next += n
		return nil
	})
	if err != nil || next != rows {
		t.Fatalf("%d of %d rows: %v", next, rows, err)
	}
	return all
}

// wideMade is activations of so many units in each network, some of them dead, of images of two
// samples, with positions that are masked.
func wideMade(p, q int) *made {
	m := newMade(60, 5)
	m.units, m.batch = [2]int{p, q}, 13
	m.valid = make([]bool, 60*5)
	for i := range m.valid {
		m.valid[i] = i%7 != 0
	}
	for i := range m.images {
		m.images[i] = uint64(i / 2)
	}
	for n, units := range m.units {
		m.data[n] = make([]float32, 60*5*units)
		for i := range m.data[n] {
			if u := i % units; u%50 != 3 {
				m.data[n][i] = float32(math.Sin(float64(i*i%9973+n)) + float64(i/units%(2+u%5)))
			}
		}
	}
	return m
}

// TestBetweenIsMoments: correlations of all images and of either half are those of moments of
// these, to the bit, in any number of parts.
func TestBetweenIsMoments(t *testing.T) {
	m := wideMade(150, 90)
	b := between(t, m, BetweenPlan{Seed: 3})
	if len(b.Live[0]) != 147 || len(b.Live[1]) != 88 || b.Rows != 257 {
		t.Fatalf("%d and %d live units, %d rows", len(b.Live[0]), len(b.Live[1]), b.Rows)
	}
	for _, fold := range []int{-1, 0, 1} {
		joint := corr.NewMoments(150, 90)
		for at, ok := range m.valid {
			if image := m.images[at/5]; ok && (fold < 0 || b.Folds[b.groups[image]] == fold) {
				if err := joint.Add(1, m.data[0][at*150:(at+1)*150], m.data[1][at*90:(at+1)*90]); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := corr.Select(corr.ZeroNaN(joint.Correlation(nil, 0, 1)), b.Live[0], b.Live[1])
		for _, d := range []division{{150, 0}, {0, 2}, {0, 7}, {70, 1}, {33, 3}} {
			c := b.Correlate(t.Context(), 0, 1, fold)
			c.division = d
			for look := range 2 {
				if !mat.Equal(gathered(t, c), want) {
					t.Errorf("fold %d, %+v, look %d: not those of moments", fold, d, look+1)
				}
			}
		}
	}
}

// TestBetweenSums: matched units correlate, on images that had no part in the matching and without
// each group of images, as moments of the rest say.
func TestBetweenSums(t *testing.T) {
	m := wideMade(20, 12)
	b := between(t, m, BetweenPlan{Seed: 3, Groups: 11})
	ofA, ofB := []int{0, 4, 19, 7}, []int{11, 2, 5, 1}
	for _, fold := range []int{-1, 0, 1} {
		figures, err := b.Sums(t.Context(), []Matched{{0, 1, fold, ofA, ofB}})
		if err != nil {
			t.Fatal(err)
		}
		mean := func(without int) float64 {
			joint := corr.NewMoments(20, 12)
			for at, ok := range m.valid {
				if group := int(b.groups[m.images[at/5]]); ok && b.Folds[group] != fold && group != without {
					if err := joint.Add(1, m.data[0][at*20:(at+1)*20], m.data[1][at*12:(at+1)*12]); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, sum := joint.Correlation(nil, 0, 1), 0.0
			for k := range ofA {
				sum += r.At(ofA[k], ofB[k]) / float64(len(ofA))
			}
			return sum
		}
		j, place := figures[0], 0
		if math.Abs(j.Value-mean(-1)) > 1e-6 {
			t.Errorf("fold %d: %v, want %v", fold, j.Value, mean(-1))
		}
		for g, of := range b.Folds {
			if of == fold {
				continue
			}
			if math.Abs(j.Without[place]-mean(g)) > 1e-6 {
				t.Errorf("fold %d without group %d: %v, want %v", fold, g, j.Without[place], mean(g))
			}
			place++
		}
		if len(j.Without) != place {
			t.Errorf("%d groups, want %d", len(j.Without), place)
		}
	}
}

// TestBetweenMemory: the less memory, the fewer units are held, and what is held and a part fit;
// too little is an error that says how much it takes.
func TestBetweenMemory(t *testing.T) {
	m := newMade(10, 1)
	m.units = [2]int{20_000, 10_000}
	last := division{held: 20_000}
	for megabytes := int64(4000); megabytes >= 600; megabytes -= 200 {
		b, err := NewBetween(m, 0, BetweenPlan{MaxMemory: megabytes << 20})
		if err != nil {
			t.Fatal(err)
		}
		d, err := b.divide(0, 1)
		if err != nil || d.held > last.held || b.DrawsAtOnce() < 1 || len(b.Plan()) != 1 {
			t.Errorf("%d MB: %+v after %+v, %d draws at once, %v", megabytes, d, last, b.DrawsAtOnce(), err)
		}
		takes := corr.EstimateCrossMemory(d.held, 10_000)
		if d.parts > 0 {
			takes += corr.EstimateCrossMemory((20_000-d.held)/d.parts, 10_000)
		}
		if takes > megabytes<<20 || (d.parts == 0) != (d.held == 20_000) {
			t.Errorf("%d MB: %+v takes %d MB", megabytes, d, takes>>20)
		}
		last = d
	}
	if last.held > 5000 || last.parts < 4 {
		t.Errorf("%+v in 600 MB", last)
	}
	if _, err := NewBetween(m, 0, BetweenPlan{MaxMemory: 100 << 20}); err == nil || !strings.Contains(err.Error(), "MB of memory even a part at a time, more than 100 MB") {
		t.Errorf("100 MB are enough: %v", err)
	}
}
