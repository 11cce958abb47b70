//go:build !race

package level3

import (
	"runtime"
	"testing"
)

// TestBuffersReused: after the first product packing allocates no buffers, only
// the closures that threads run. Not so under the race detector, where a sync.Pool
// forgets some of what it is given.
func TestBuffersReused(t *testing.T) {
	const n, runs = 200, 50
	x, c := make([]float32, n*n), make([]float32, n*n)
	multiply := func() { Gemm(1, Product{M: n, N: n, K: n, A: Rows{x, n}, B: Cols{x, n}, C: c, LDC: n}) }
	multiply()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		multiply()
	}
	runtime.ReadMemStats(&after)
	// A garbage collection in between may empty the pool once or twice.
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 40_000 {
		t.Errorf("%d bytes allocated a product", got)
	}
}
