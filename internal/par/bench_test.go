package par

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkFor is a call with work of a given length for each thread: what it takes longer
// than that is what sharing costs.
func BenchmarkFor(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, work := range []time.Duration{0, 20 * time.Microsecond, 100 * time.Microsecond, 300 * time.Microsecond, time.Millisecond} {
			b.Run(fmt.Sprintf("threads=%d/work=%v", threads, work), func(b *testing.B) {
				for b.Loop() {
					For(threads, threads, func(int) { busy(work) })
				}
			})
		}
	}
}

// busy keeps a core at work for so long.
func busy(d time.Duration) {
	if d == 0 {
		return
	}
	for start := time.Now(); time.Since(start) < d; {
	}
}
