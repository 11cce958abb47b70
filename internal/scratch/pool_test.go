package scratch

import "testing"

// TestPool: buffers have the length that is asked for, whatever was given back, and room for as
// many as their size has.
func TestPool(t *testing.T) {
	var p Pool[int16]
	p.Put(nil)
	for _, n := range []int{0, 1, 2, 3, 64, 65, 1000, 64, 3, 0} {
		buf := p.Get(n)
		if len(*buf) != n || cap(*buf) >= 2*max(1, n) {
			t.Errorf("%d elements: %d, with room for %d", n, len(*buf), cap(*buf))
		}
		p.Put(buf)
	}
}
