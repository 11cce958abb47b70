package level3

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
	"time"
)

// TestCollectorIsNotKeptWaiting: assembly cannot be interrupted, so no call of a kernel may
// be long. While products are at work, the collector stops the world many times, somewhere
// within a call: if calls took a millisecond, it would wait half of one, as often longer as
// shorter. (The odd wait is the system's, which may take the processor away from anyone.)
func TestCollectorIsNotKeptWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	const n = 1500
	a, b, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				Gemm(1, n, n, n, Rows{a, n}, Rows{b, n}, c, n, End{})
			}
		}
	}()
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	var waits []float64
	before := counts(sample)
	for range 150 {
		runtime.GC()
		after := counts(sample)
		h := sample[0].Value.Float64Histogram()
		for i, k := range after {
			for range k - before[i] {
				waits = append(waits, h.Buckets[i+1])
			}
		}
		before = after
		time.Sleep(time.Millisecond)
	}
	close(stop)
	<-done
	slices.Sort(waits)
	if len(waits) < 100 {
		t.Fatalf("the world was stopped %d times", len(waits))
	}
	if w := waits[len(waits)/2]; w > 0.5e-3 {
		t.Errorf("half of the collector's waits are longer than %v s", w)
	}
	t.Logf("waits: median %.2g s, 90 %% below %.2g s, longest %.2g s", waits[len(waits)/2], waits[len(waits)*9/10], waits[len(waits)-1])
}

// counts reads a histogram of pauses.
func counts(sample []metrics.Sample) []uint64 {
	metrics.Read(sample)
	return slices.Clone(sample[0].Value.Float64Histogram().Counts)
}
