// Package par divides independent work among cores.
//
// Nothing here reduces: callers write results that do not overlap, so that no
// figure depends on the number of cores.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Threads resolves an option: n itself when positive, else GOMAXPROCS.
func Threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// For calls f once for each i in [0, n), at most threads calls at a time, and
// returns when all have returned. Threads below 2 run inline, in order.
func For(threads, n int, f func(i int)) {
	if threads = min(threads, n); threads < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	worker := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	var wg sync.WaitGroup
	for range threads - 1 {
		wg.Go(worker)
	}
	worker() // the caller is one too
	wg.Wait()
}

// Blocks is For over the intervals [lo, hi) of length size that cover [0, n);
// the last may be shorter.
func Blocks(threads, n, size int, f func(lo, hi int)) {
	For(threads, (n+size-1)/size, func(i int) {
		f(i*size, min(n, (i+1)*size))
	})
}
