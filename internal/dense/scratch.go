package dense

import "github.com/convergent-go/convergent/internal/scratch"

// pool holds buffers between products.
var pool scratch.Pool[float64]

// Scratch returns a buffer of n numbers of any content, to be given back to Release.
func Scratch(n int) *[]float64 { return pool.Get(n) }

// Release takes back what Scratch returned; nil is nothing.
func Release(buf *[]float64) { pool.Put(buf) }
