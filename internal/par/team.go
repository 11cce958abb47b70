package par

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// patience is how long those who wait stay awake, of which a core that nobody needs is
// kept busy: helpers for the next call, and a caller for its helpers.
const patience = 500 * time.Microsecond

// cores are those that there are, whatever GOMAXPROCS says: more helpers would only keep
// each other from work.
var cores = runtime.NumCPU()

// The team are goroutines that help with calls of For.
var (
	// board has the calls that helpers may join. One for which there is no place is left
	// to its caller: with so many, all cores have work.
	board [32]atomic.Pointer[call]

	// helpers is how many there are, one for each core but the caller's at most.
	helpers atomic.Int32

	// spare is how many helpers are idle beyond the seats on the board. Below zero, that
	// many more are wanted.
	spare atomic.Int32
)

// call is a call of For that others help with.
type call struct {
	f        func(int)
	n        int64
	next     atomic.Int64 // the least index that nobody has begun
	seats    atomic.Int32 // how many helpers may yet join
	left     atomic.Int32 // how many have joined and left
	asleep   atomic.Bool  // the caller waits for woken
	woken    chan struct{}
	panicked atomic.Pointer[Panic] // the first
}

// Panic is what For panics with where f did, perhaps on another goroutine.
type Panic struct {
	Value any    // what f panicked with
	Stack []byte // of the goroutine it ran on
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap returns what f panicked with if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// share is For with up to so many helpers.
func share(seats int32, n int, f func(i int)) {
	c := &call{f: f, n: int64(n)}
	c.seats.Store(seats)
	place := c.post(seats)
	defer c.finish(place, seats) // even if f ends the goroutine, as a failing test does
	c.run()
}

// post puts the call on the board, and starts helpers where too few are idle. Without a
// place it returns len(board).
func (c *call) post(seats int32) (place int) {
	for !board[place].CompareAndSwap(nil, c) {
		if place++; place == len(board) {
			return place
		}
	}
	if wanted := -spare.Add(-seats); wanted > 0 {
		limit := int32(min(runtime.GOMAXPROCS(0), cores) - 1)
		for ; wanted > 0; wanted-- {
			if helpers.Add(1) > limit {
				helpers.Add(-1)
				break
			}
			spare.Add(1)
			go help()
		}
	}
	return place
}

// run calls f for indices that nobody has begun until there are none.
func (c *call) run() {
	defer func() {
		if v := recover(); v != nil {
			c.panicked.CompareAndSwap(nil, &Panic{v, debug.Stack()})
			c.next.Store(c.n)
		}
	}()
	for i := c.next.Add(1) - 1; i < c.n; i = c.next.Add(1) - 1 {
		c.f(int(i))
	}
}

// finish takes the call off the board and waits for the helpers that joined.
func (c *call) finish(place int, seats int32) {
	empty := c.seats.Swap(0)
	if place < len(board) {
		board[place].Store(nil)
		spare.Add(empty)
		joined := seats - empty
		if !spin(func() bool { return c.left.Load() == joined }) {
			c.woken = make(chan struct{}, 1)
			c.asleep.Store(true)
			for c.left.Load() != joined {
				<-c.woken
			}
		}
	}
	if p := c.panicked.Load(); p != nil {
		panic(p)
	}
}

// help is the life of a helper.
func help() {
	var c *call
	defer func() {
		if c != nil { // f has ended the goroutine
			helpers.Add(-1)
		}
	}()
	for c = join(); c != nil; c = join() {
		c.help()
		spare.Add(1)
	}
}

// help does what a helper does for a call that it has joined.
func (c *call) help() {
	defer func() {
		c.left.Add(1)
		if c.asleep.Load() {
			select {
			case c.woken <- struct{}{}:
			default: // the caller has yet to look
			}
		}
	}()
	c.run()
}

// join waits for a call to help with. It returns nil if none comes, and the helper is to
// end.
func join() *call {
	var c *call
	if spin(func() bool { c = seat(); return c != nil }) {
		return c
	}
	helpers.Add(-1)
	spare.Add(-1)
	// Whoever posted before that may have counted on this helper.
	if c = seat(); c != nil {
		helpers.Add(1)
		spare.Add(1)
	}
	return c
}

// seat takes a seat on the board, if there is one.
func seat() *call {
	for i := range board {
		c := board[i].Load()
		if c == nil || c.next.Load() >= c.n {
			continue
		}
		for s := c.seats.Load(); s > 0; s = c.seats.Load() {
			if c.seats.CompareAndSwap(s, s-1) {
				return c
			}
		}
	}
	return nil
}

// spin waits until done is true, awake, but not longer than patience lasts. Now and then it
// lets other goroutines go first.
func spin(done func() bool) bool {
	for start := time.Now(); ; runtime.Gosched() {
		for range 256 {
			if done() {
				return true
			}
		}
		if time.Since(start) > patience {
			return false
		}
	}
}
