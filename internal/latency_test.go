package internal_test

import (
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
	"github.com/convergent-go/convergent/match"
)

// TestCollectorIsNotKeptWaiting: assembly cannot be interrupted, so no call of a kernel may
// be long. While kernels are at work, the collector stops the world many times, somewhere
// within a call: if calls took a millisecond, it would wait half of one, as often longer as
// shorter. (The odd wait is the system's, which may take the processor away from anyone.)
func TestCollectorIsNotKeptWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	const n, many = 1500, 1 << 24
	a, b, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	x, y := make([]float32, many), make([]float32, many)
	rnd := rand.New(rand.NewPCG(1, 1))
	costs := mat.NewDense(n, n, nil)
	costs.Apply(func(_, _ int, _ float64) float64 { return rnd.Float64() }, costs)
	m := corr.NewMoments(n)
	m.Threads = 1
	for name, work := range map[string]func(){
		"products": func() {
			level3.Gemm(1, level3.Product{M: n, N: n, K: n, A: level3.Rows{Data: a, Stride: n}, B: level3.Rows{Data: b, Stride: n}, C: c, LDC: n})
		},
		"elements":     func() { vec.Add(x, y) },
		"finite":       func() { vec.Finite(x) },
		"observations": func() { m.Add(n, a) },
		"matching":     func() { match.Bipartite(costs) },
		"team":         func() { par.For(2, 2, func(int) {}) },
	} {
		t.Run(name, func(t *testing.T) {
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					select {
					case <-stop:
						return
					default:
						work()
					}
				}
			}()
			defer func() {
				close(stop)
				<-done
			}()
			// A call that nothing can interrupt delays every series of collections; other
			// programs that take the cores do not delay all of several.
			const series = 5
			for range series {
				waits := waits(150)
				if len(waits) < 100 {
					t.Fatalf("the world was stopped %d times", len(waits))
				}
				median := waits[len(waits)/2]
				t.Logf("waits: median %.2g s, 90 %% below %.2g s, longest %.2g s", median, waits[len(waits)*9/10], waits[len(waits)-1])
				if median <= 0.5e-3 {
					return
				}
			}
			t.Errorf("half of the collector's waits are longer than 0.5 ms, in each of %d series", series)
		})
	}
}

// waits collects so many times and returns how long the world took to stop, in seconds and
// rising.
func waits(times int) []float64 {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	counts := func() []uint64 {
		metrics.Read(sample)
		return slices.Clone(sample[0].Value.Float64Histogram().Counts)
	}
	var waits []float64
	before := counts()
	for range times {
		runtime.GC()
		after := counts()
		h := sample[0].Value.Float64Histogram()
		for i, k := range after {
			for range k - before[i] {
				waits = append(waits, h.Buckets[i+1])
			}
		}
		before = after
		time.Sleep(time.Millisecond)
	}
	slices.Sort(waits)
	return waits
}
