package corr

import "testing"

// TestBands looks at whether bands cover a triangle, are no more than threads, and of about
// equal size: no further from an equal share than the rows at their ends.
func TestBands(t *testing.T) {
	for panels := 1; panels < 60; panels++ {
		for threads := 1; threads <= 9; threads++ {
			bands, next := bandsOf(panels, threads), 0
			for _, b := range bands {
				size := 0
				for i := b.i0; i < b.i1; i++ {
					size += panels - i
				}
				if b.i0 != next || b.i1 <= b.i0 || size > panels*(panels+1)/2/threads+2*panels {
					t.Errorf("%d panels for %d threads: %v", panels, threads, bands)
				}
				next = b.i1
			}
			if next != panels || len(bands) > threads {
				t.Errorf("%d panels for %d threads: %v", panels, threads, bands)
			}
		}
	}
}
