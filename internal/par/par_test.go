package par

import (
	"runtime"
	"sync/atomic"
	"testing"
)

func TestFor(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 3, 8, 100} {
		for _, n := range []int{0, 1, 2, 7, 1000} {
			calls := make([]atomic.Int32, n)
			var running, peak atomic.Int32
			For(threads, n, func(i int) {
				if c := running.Add(1); c > peak.Load() {
					peak.Store(c)
				}
				calls[i].Add(1)
				running.Add(-1)
			})
			for i := range calls {
				if c := calls[i].Load(); c != 1 {
					t.Fatalf("threads=%d n=%d: f(%d) called %d times", threads, n, i, c)
				}
			}
			if int(peak.Load()) > max(threads, 1) {
				t.Fatalf("threads=%d: %d calls at once", threads, peak.Load())
			}
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 25} {
		calls := make([]int, n)
		Blocks(1, n, 10, func(lo, hi int) {
			if lo%10 != 0 || hi-lo > 10 || hi <= lo {
				t.Fatalf("block [%d, %d) of %d", lo, hi, n)
			}
			for i := lo; i < hi; i++ {
				calls[i]++
			}
		})
		for i, c := range calls {
			if c != 1 {
				t.Fatalf("n=%d: %d covered %d times", n, i, c)
			}
		}
	}
}

func TestThreads(t *testing.T) {
	if got := Threads(3); got != 3 {
		t.Errorf("Threads(3) = %d", got)
	}
	if got, want := Threads(0), runtime.GOMAXPROCS(0); got != want {
		t.Errorf("Threads(0) = %d, want %d", got, want)
	}
}

func TestWorth(t *testing.T) {
	for _, test := range []struct{ threads, nanoseconds, want int }{
		{8, 0, 1}, {8, 9999, 1}, {8, 10000, 2}, {8, 1e9, 8}, {1, 1e9, 1}, {0, 1e9, 1},
	} {
		if got := Worth(test.threads, test.nanoseconds); got != test.want {
			t.Errorf("Worth(%d, %d) = %d, want %d", test.threads, test.nanoseconds, got, test.want)
		}
	}
}
