package arrays

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// numbers delivers the rows 0, 1, ... of one unit, then an error.
type numbers struct {
	next, end int
	err       error
	delay     time.Duration
	closed    atomic.Int32
}

func (s *numbers) Read(dst []float32) (int, error) {
	time.Sleep(s.delay)
	for i := range dst {
		if s.next == s.end {
			return i, s.err
		}
		dst[i] = float32(s.next)
		s.next++
	}
	return len(dst), nil
}

func (s *numbers) Close() error {
	s.closed.Add(1)
	return nil
}

func TestAheadIsAllRowsInOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, end := range []int{0, 1, 9, 10, 11, 20, 95} {
		for _, last := range []error{io.EOF, broken} {
			s := &numbers{end: end, err: last}
			a := ReadAhead(s, 10, 1)
			at := 0
			for {
				block, n, err := a.Next()
				if err != nil {
					if !errors.Is(err, last) {
						t.Fatalf("ended by %v, want %v", err, last)
					}
					break
				}
				for _, v := range block[:n] {
					if v != float32(at) {
						t.Fatalf("row %d is %v", at, v)
					}
					at++
				}
			}
			if at != end && (last == io.EOF || at != end/10*10) {
				t.Fatalf("%d rows, want %d", at, end)
			}
			if _, _, err := a.Next(); !errors.Is(err, last) {
				t.Fatalf("then %v", err)
			}
			if err := a.Close(); err != nil || s.closed.Load() != 1 {
				t.Fatalf("closed %d times, %v", s.closed.Load(), err)
			}
		}
	}
}

func TestAheadClosesEarly(t *testing.T) {
	for blocks := range 4 {
		s := &numbers{end: 1 << 30}
		a := ReadAhead(s, 10, 1)
		for range blocks {
			if _, n, err := a.Next(); n != 10 || err != nil {
				t.Fatalf("%d rows, %v", n, err)
			}
		}
		a.Close()
		if s.closed.Load() != 1 || s.next > 10*(blocks+2) {
			t.Errorf("closed %d times, after %d rows", s.closed.Load(), s.next)
		}
		for range 4 {
			if _, _, err := a.Next(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("got %v after Close", err)
			}
		}
	}
}

// TestAheadOverlaps works as long on each block as reading takes: all takes half
// as long as one after the other.
func TestAheadOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, blocks = time.Second, 100
		a := ReadAhead(&numbers{end: 10 * blocks, err: io.EOF, delay: each}, 10, 1)
		defer a.Close()
		begin := time.Now()
		for range blocks {
			if _, _, err := a.Next(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(each)
		}
		if took := time.Since(begin); took != (blocks+1)*each {
			t.Errorf("%v for %d blocks", took, blocks)
		}
	})
}
