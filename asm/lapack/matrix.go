package lapack

import "math"

// finite reports whether no element is NaN or infinite: the sum of zero times each is 0, or
// else NaN.
func finite(x []float64) bool {
	var sum float64
	for _, v := range x {
		sum += 0 * v
	}
	return !math.IsNaN(sum)
}

// transpose writes m rows of n elements as the columns of dst.
func transpose(m, n int, row func(i int) []float64, dst []float64, ld int) {
	const block = 16 // rows and columns of which all cache lines are used at once
	for i0 := 0; i0 < m; i0 += block {
		for j0 := 0; j0 < n; j0 += block {
			for i := i0; i < min(m, i0+block); i++ {
				for j, v := range row(i)[j0:min(n, j0+block)] {
					dst[(j0+j)*ld+i] = v
				}
			}
		}
	}
}
