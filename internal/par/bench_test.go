package par

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkFor is a call with work of a given length for each thread: what it takes longer
// than that is what sharing costs.
func BenchmarkFor(b *testing.B) {
	perTurn := time.Second
	for range 100 { // the quickest is the one that nothing disturbed
		const turns = 10000
		start := time.Now()
		compute(turns)
		perTurn = min(perTurn, time.Since(start)/(turns/1000))
	}
	for _, threads := range []int{1, 2} {
		for _, work := range []time.Duration{0, 20 * time.Microsecond, 100 * time.Microsecond, 300 * time.Microsecond, time.Millisecond} {
			b.Run(fmt.Sprintf("threads=%d/work=%v", threads, work), func(b *testing.B) {
				turns := int(1000 * work / perTurn)
				for b.Loop() {
					For(threads, threads, func(int) { compute(turns) })
				}
			})
		}
	}
}

var result atomic.Uint64

// compute keeps a core at work.
func compute(turns int) {
	x := uint64(1)
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if turns > 0 {
		result.Store(x)
	}
}
