package dense

import (
	"math/bits"
	"sync"
)

// pools hold buffers, by size: pool i those of 2^i numbers.
var pools [bits.UintSize]sync.Pool

// Scratch returns a buffer of n numbers of any content, to be given back to Release. Memory that
// is used again costs neither zeros nor faults of pages, which for large matrices take as long as
// what is done with them.
func Scratch(n int) *[]float64 {
	class := bits.Len(uint(max(n, 1) - 1))
	buf, ok := pools[class].Get().(*[]float64)
	if !ok {
		data := make([]float64, 1<<class)
		buf = &data
	}
	*buf = (*buf)[:n]
	return buf
}

// Release takes back what Scratch returned.
func Release(buf *[]float64) { pools[bits.Len(uint(cap(*buf)-1))].Put(buf) }
