package level3

import "github.com/convergent-go/convergent/internal/scratch"

// pool holds buffers between products.
var pool scratch.Pool[float32]

// Scratch returns a buffer of n floats with any content, to be given back to
// Release.
func Scratch(n int) *[]float32 { return pool.Get(n) }

// Release takes back what Scratch returned; nil is nothing.
func Release(buf *[]float32) { pool.Put(buf) }
