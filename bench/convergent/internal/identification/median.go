package identification

import "math"

// medianRoot returns the median of the square roots of values that are not negative, which
// it reorders.
func medianRoot(x []float32) float64 {
	upper := selectNth(x, len(x)/2)
	if len(x)%2 == 1 {
		return math.Sqrt(float64(upper))
	}
	lower := x[0]
	for _, v := range x[:len(x)/2] {
		lower = max(lower, v)
	}
	return (math.Sqrt(float64(lower)) + math.Sqrt(float64(upper))) / 2
}

// selectNth moves the values that come before the nth in order, counted from 0, before it
// and the others behind it, and returns it (Hoare, "Algorithm 65: Find", 1961).
func selectNth(x []float32, n int) float32 {
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
