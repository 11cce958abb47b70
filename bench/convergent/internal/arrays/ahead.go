package arrays

import (
	"io"
	"os"
	"sync"
)

// Reader delivers rows, as Rows does.
type Reader interface {
	Read(dst []float32) (rows int, err error)
	Close() error
}

// Ahead reads rows while its user works on those before.
type Ahead struct {
	r      Reader
	blocks chan block
	free   chan []float32
	last   block
	done   chan struct{}
	stop   sync.Once
	ended  sync.WaitGroup
}

type block struct {
	buf  []float32
	rows int
	err  error
}

// ReadAhead begins to read r, in blocks of up to the given number of rows of so
// many units, by a goroutine with two buffers. It panics if there is no room for a
// row.
func ReadAhead(r Reader, rows, units int) *Ahead {
	if rows < 1 || units < 1 {
		panic("arrays: no room for a row")
	}
	a := &Ahead{r: r, blocks: make(chan block), free: make(chan []float32, 2), done: make(chan struct{})}
	a.free <- make([]float32, rows*units)
	a.free <- make([]float32, rows*units)
	a.ended.Go(a.read)
	return a
}

func (a *Ahead) read() {
	defer close(a.blocks)
	for {
		var b block
		select {
		case b.buf = <-a.free:
		case <-a.done:
			return
		}
		b.rows, b.err = a.r.Read(b.buf)
		select {
		case a.blocks <- b:
		case <-a.done:
			return
		}
		if b.err != nil {
			return
		}
	}
}

// Next returns the next rows, of which there are as many as there is room for,
// fewer only where they end. They are valid until the next call. It returns io.EOF only
// after the last of them, and any other error in their place.
func (a *Ahead) Next() (rows []float32, n int, err error) {
	if a.last.err != nil {
		return nil, 0, a.last.err
	}
	if a.last.buf != nil {
		a.free <- a.last.buf
	}
	b, open := <-a.blocks
	if !open {
		b.err = os.ErrClosed
	}
	a.last = b
	if b.rows == 0 || b.err != nil && b.err != io.EOF {
		return nil, 0, b.err
	}
	return b.buf, b.rows, nil
}

// Close ends the reading, waits for its goroutine and closes what it read.
func (a *Ahead) Close() error {
	a.stop.Do(func() {
		close(a.done)
		if r, ok := a.r.(interface{ Stop() }); ok {
			r.Stop()
		}
	})
	a.ended.Wait()
	return a.r.Close()
}
