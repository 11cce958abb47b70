package dense

import (
	"context"
	"math"
	"math/rand/v2"
)

// Rotate multiplies the m rows of n elements of z from the right with an orthogonal
// matrix from the Haar measure: reflections that take Gaussian vectors of n, n-1, ...
// elements to a coordinate, and signs (Stewart, "The efficient generation of random
// orthogonal matrices", 1980).
func Rotate(rnd *rand.Rand, m, n int, z []float64) {
	// Row i of n+1 holds the vector of i elements.
	vectors := Scratch((n + 1) * n)
	defer Release(vectors)
	r := &reflections{n: n, a: *vectors, tau: make([]float64, n+1)}
	sign := make([]float64, n)
	for i := 1; i <= n; i++ {
		v := r.a[i*n:][:i]
		for j := range v {
			v[j] = rnd.NormFloat64()
		}
		var beta float64
		beta, r.tau[i] = householder(v)
		sign[i-1] = math.Copysign(1, beta)
	}
	for i := range m {
		row := z[i*n:][:n]
		for j, s := range sign {
			row[j] *= s
		}
	}
	r.apply(context.Background(), 1, n+1, m, z)
}
