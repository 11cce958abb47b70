// Package selection finds order statistics without sorting.
package selection

import "cmp"

// Nth moves the values that come before the nth in order, counted from 0, before it and the
// others behind it, and returns it (Hoare, "Algorithm 65: Find", 1961), in a number of steps
// that grows with x but for rare orders. No value may be NaN.
func Nth[T cmp.Ordered](x []T, n int) T {
	low, high := 0, len(x)-1
	for low < high {
		a, b, c := x[low], x[low+(high-low)/2], x[high]
		pivot := max(min(a, b), min(max(a, b), c)) // the median of three
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for pivot < x[j] {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		if n <= j {
			high = j
		} else if n >= i {
			low = i
		} else {
			break
		}
	}
	return x[n]
}
