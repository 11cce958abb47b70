// Package par divides independent work among cores.
//
// Nothing here reduces: callers write results that do not overlap, so that no
// figure depends on the number of cores.
//
// To wake a sleeping core takes longer than many a layer of a network: 0.2 ms on a
// virtual machine. So the goroutines that helped with one call of For, the team, wait for
// the next for half a millisecond, awake, and end only then: soon after the last call none
// is left, which tests that look for leaks can rely on.
package par

import "runtime"

// Threads resolves an option: n itself when positive, else GOMAXPROCS.
func Threads(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// For calls f once for each i in [0, n), begun in order, at most threads calls at a time,
// and returns when all have returned. The caller makes calls itself, with the help of as
// many of the team as threads, cores and GOMAXPROCS allow and other calls of For leave,
// now or later: within f, too. With threads below 2, or on one core, all is done inline.
//
// If f panics on the caller's goroutine or with help, no further calls begin, and For
// panics with a *Panic when those under way have returned. Inline, f's own panic passes.
func For(threads, n int, f func(i int)) {
	if seats := min(threads, n, cores) - 1; seats > 0 {
		if seats = min(seats, runtime.GOMAXPROCS(0)-1); seats > 0 {
			share(int32(seats), n, f)
			return
		}
	}
	for i := range n {
		f(i)
	}
}

// Blocks is For over the intervals [lo, hi) of length size that cover [0, n);
// the last may be shorter.
func Blocks(threads, n, size int, f func(lo, hi int)) {
	For(threads, (n+size-1)/size, func(i int) {
		f(i*size, min(n, (i+1)*size))
	})
}
