package asm

import "math"

// Strips are what elementwise layers are made of. Each method has as its
// definition the loop at its end, which is also what does the last elements,
// fewer than 8, in every tier.

// kernelLen returns how many of n elements the tier's kernels do that take step elements
// at a time, a power of two.
func (t Tier) kernelLen(n, step int) int {
	if tiers[t].lanes == 0 {
		return 0
	}
	return n &^ (step - 1)
}

// Add is dst[i] += a[i] for i < len(a).
func (t Tier) Add(dst, a []float32) {
	dst = dst[:len(a)]
	n := t.kernelLen(len(a), 8)
	if n > 0 {
		add8(n, &dst[0], &a[0])
	}
	for i := n; i < len(a); i++ {
		dst[i] += a[i]
	}
}

// ReLU replaces what is below zero by zero; NaN stays NaN.
func (t Tier) ReLU(x []float32) {
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		relu8(n, &x[0])
	}
	for i, v := range x[n:] {
		if v < 0 {
			x[n+i] = 0
		}
	}
}

// ReLUGrad zeroes d[i] where y[i] is not above zero: the gradient of ReLU.
func (t Tier) ReLUGrad(d, y []float32) {
	d = d[:len(y)]
	n := t.kernelLen(len(y), 8)
	if n > 0 {
		relugrad8(n, &d[0], &y[0])
	}
	for i, v := range y[n:] {
		if !(v > 0) {
			d[n+i] = 0
		}
	}
}

// ThreeQuarters is dst[i] = x[i] * s[i]^(-3/4), by square roots, which are
// rounded alike everywhere.
func (t Tier) ThreeQuarters(dst, x, s []float32) {
	dst, s = dst[:len(x)], s[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		threequarters8(n, &dst[0], &x[0], &s[0])
	}
	for i := n; i < len(x); i++ {
		root := float32(math.Sqrt(float64(s[i])))
		dst[i] = x[i] * (1 / float32(root*float32(math.Sqrt(float64(root)))))
	}
}

// Max raises maxima[i] to x[i], and sets argmax[i] to offset+i where that raises it: of
// equals, and before a NaN in x, the earlier stays.
func (t Tier) Max(maxima []float32, argmax []int32, x []float32, offset int32) {
	maxima, argmax = maxima[:len(x)], argmax[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		max8(n, &maxima[0], &argmax[0], &x[0], offset)
	}
	for i := n; i < len(x); i++ {
		if maxima[i] < x[i] {
			maxima[i], argmax[i] = x[i], offset+int32(i)
		}
	}
}

// Finite reports whether no element of x is NaN or infinite: the sum of zero times each is
// 0, or else NaN.
func (t Tier) Finite(x []float32) bool {
	n := t.kernelLen(len(x), 32)
	var sum float32
	if n > 0 {
		sum = zerosum32(n, &x[0])
	}
	for _, v := range x[n:] {
		sum += float32(0 * v)
	}
	return sum == 0
}
