package level3

import (
	"math/bits"
	"sync"
)

// pools hold buffers between products, by size: pool i those of 2^i floats.
var pools [bits.UintSize]sync.Pool

// Scratch returns a buffer of n floats with any content, to be given back to
// Release.
func Scratch(n int) *[]float32 {
	class := bits.Len(uint(max(n, 1) - 1))
	buf, ok := pools[class].Get().(*[]float32)
	if !ok {
		data := make([]float32, 1<<class)
		buf = &data
	}
	*buf = (*buf)[:n]
	return buf
}

// Release takes back what Scratch returned; nil is nothing.
func Release(buf *[]float32) {
	if buf != nil {
		pools[bits.Len(uint(cap(*buf)-1))].Put(buf)
	}
}
