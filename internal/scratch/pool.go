// Package scratch keeps memory between uses. Memory that is used again costs neither zeros nor
// faults of pages, which for large matrices take as long as what is done with them.
package scratch

import (
	"math/bits"
	"sync"
)

// Pool holds buffers, by size: those of 2^i elements in place i. The zero value is empty.
type Pool[T any] [bits.UintSize]sync.Pool

// Get returns a buffer of n elements with any content, to be given back to Put.
func (p *Pool[T]) Get(n int) *[]T {
	class := bits.Len(uint(max(n, 1) - 1))
	buf, ok := p[class].Get().(*[]T)
	if !ok {
		data := make([]T, 1<<class)
		buf = &data
	}
	*buf = (*buf)[:n]
	return buf
}

// Put takes back what Get returned; nil is nothing.
func (p *Pool[T]) Put(buf *[]T) {
	if buf != nil {
		p[bits.Len(uint(cap(*buf)-1))].Put(buf)
	}
}
