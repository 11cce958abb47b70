// Package natural treats names and numbers as people do: part-2 is before part-10, conv1 is near
// to /features/conv1/Conv, and there is 1 layer and there are 2 layers.
package natural

import (
	"cmp"
	"strings"
)

// Compare returns -1, 0 or 1 as a is before b, is b, or is after b. Runs of digits
// are compared as the numbers they are, and other bytes as they are, but for the
// slash, which is before all: paths are in order folder by folder.
func Compare(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m == 0 || n == 0 {
			if x[0] != y[0] {
				return cmp.Compare(rank(x[0]), rank(y[0]))
			}
			if x[0] == '/' { // a1/ and a01/ are two folders
				if c := cmp.Compare(a[:len(a)-len(x)], b[:len(b)-len(y)]); c != 0 {
					return c
				}
			}
			x, y = x[1:], y[1:]
			continue
		}
		p, q := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
		if c := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)); c != 0 {
			return c
		}
		x, y = x[m:], y[n:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits returns how many digits s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

func rank(b byte) int {
	if b == '/' {
		return -1
	}
	return int(b)
}
