package corr

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkMeasures is each measure of two networks of 96 units, alone and on one thread:
// with what it shares with others. All at once take less.
func BenchmarkMeasures(b *testing.B) {
	const n, p = 2000, 96
	rnd := rand.New(rand.NewPCG(1, 1))
	m := NewMoments(p, p)
	if err := m.Add(n, normal(rnd, n, p), normal(rnd, n, p)); err != nil {
		b.Fatal(err)
	}
	bench := func(name string, measures []Measure) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c := m.Pair(0, 1)
				c.Threads = 1
				for _, measure := range measures {
					if _, err := measure.Func(c); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	for _, measure := range Measures() {
		bench(measure.Name, []Measure{measure})
	}
	bench("all", Measures())
}
