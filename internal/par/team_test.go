package par

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// withCores runs a test as on so many cores, as far as the team is concerned, and sees that
// it leaves nothing behind.
func withCores(t *testing.T, n int) {
	had, before := cores, runtime.GOMAXPROCS(n)
	cores = n
	t.Cleanup(func() {
		cores = had
		runtime.GOMAXPROCS(before)
		goleak.VerifyNone(t)
		if h, s := helpers.Load(), spare.Load(); h != 0 || s != 0 {
			t.Errorf("an idle team counts %d helpers and %d to spare", h, s)
		}
		for i := range board {
			if board[i].Load() != nil {
				t.Errorf("a call is left at place %d of the board", i)
			}
		}
	})
}

// sum has For add the indices below n, each once.
func sum(threads, n int) error {
	var sum atomic.Int64
	For(threads, n, func(i int) { sum.Add(int64(i) + 1) })
	if got, want := sum.Load(), int64(n)*int64(n+1)/2; got != want {
		return fmt.Errorf("threads=%d, n=%d: sum %d, want %d", threads, n, got, want)
	}
	return nil
}

// TestTeamHelps: two indices that wait for each other end only on two goroutines; the
// second time the caller waits so long that it falls asleep.
func TestTeamHelps(t *testing.T) {
	withCores(t, 2)
	for _, pause := range []time.Duration{0, 10 * patience} {
		var meet sync.WaitGroup
		meet.Add(2)
		caller := make(chan bool, 1)
		caller <- true
		For(2, 2, func(int) {
			meet.Done()
			meet.Wait()
			select {
			case <-caller:
			default:
				time.Sleep(pause)
			}
		})
	}
}

func TestNested(t *testing.T) {
	withCores(t, 8)
	For(3, 20, func(int) {
		For(8, 20, func(int) {
			if err := sum(4, 20); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestConcurrent has more calls at once than the board has places, while GOMAXPROCS
// changes.
func TestConcurrent(t *testing.T) {
	withCores(t, 8)
	var callers sync.WaitGroup
	for k := range 2 * len(board) {
		callers.Go(func() {
			for range 100 {
				if err := sum(k%10, 50); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 50 {
		runtime.GOMAXPROCS(1 + n%8)
		time.Sleep(100 * time.Microsecond)
	}
	callers.Wait()
}

// TestFullBoard: a call without a place is done by its caller.
func TestFullBoard(t *testing.T) {
	withCores(t, 8)
	var nest func(depth int)
	nest = func(depth int) {
		if depth == 0 {
			return
		}
		For(2, 2, func(i int) {
			if i == 0 {
				nest(depth - 1)
			}
		})
	}
	nest(3 * len(board))
}

// TestOneCore: where there is nothing to share work among, nothing is started.
func TestOneCore(t *testing.T) {
	for _, one := range []func(){func() { cores = 1 }, func() { runtime.GOMAXPROCS(1) }} {
		t.Run("", func(t *testing.T) {
			withCores(t, 2)
			one()
			at := -1
			For(2, 100, func(i int) {
				if at++; i != at || helpers.Load() != 0 {
					t.Fatalf("f(%d) was called in place of f(%d), beside %d helpers", i, at, helpers.Load())
				}
			})
		})
	}
}

// TestPanic: a panic of f reaches the caller, whichever goroutine it was on, after all
// calls have returned, and with its trace.
func TestPanic(t *testing.T) {
	withCores(t, 4)
	cause := errors.New("cause")
	for k := range 100 {
		var running atomic.Int32
		func() {
			defer func() {
				p, ok := recover().(*Panic)
				if !ok || p.Value != cause || !errors.Is(p, cause) {
					t.Fatalf("For panicked with %v", p)
				}
				if text := p.Error(); !strings.Contains(text, "cause") || !strings.Contains(text, "TestPanic") {
					t.Fatalf("no trace of f in %q", text)
				}
				if n := running.Load(); n != 0 {
					t.Fatalf("%d calls had not returned", n)
				}
			}()
			For(4, 1000, func(i int) {
				running.Add(1)
				defer running.Add(-1)
				if i == k {
					panic(cause)
				}
			})
			t.Fatal("For returned")
		}()
		if err := sum(4, 100); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGoexit: f may end the goroutine, as a failing test does.
func TestGoexit(t *testing.T) {
	withCores(t, 4)
	for range 100 {
		var caller sync.WaitGroup
		caller.Go(func() { For(4, 20, func(int) { runtime.Goexit() }) })
		caller.Wait()
		if err := sum(4, 100); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOthersRun: who waits awake lets others have the core. (One time of many it may wait
// in vain, where the system takes the core away.)
func TestOthersRun(t *testing.T) {
	withCores(t, 1)
	for range 100 {
		var done atomic.Bool
		go done.Store(true)
		if spin(done.Load) {
			return
		}
	}
	t.Error("a goroutine did not get the core from one that waited for it")
}
