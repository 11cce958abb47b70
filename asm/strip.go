package asm

import "math"

// Strips are what elementwise layers are made of. Each method has as its
// definition the loop at its end, which is also what does the last elements,
// fewer than 8, in every tier.

// vectors returns how many of n elements the tier's kernels do.
func (t Tier) vectors(n int) int {
	if t < AVX2 {
		return 0
	}
	return n &^ 7
}

// Add is dst[i] += a[i] for i < len(a).
func (t Tier) Add(dst, a []float32) {
	dst = dst[:len(a)]
	n := t.vectors(len(a))
	if n > 0 {
		add8(n, &dst[0], &a[0])
	}
	for i := n; i < len(a); i++ {
		dst[i] += a[i]
	}
}

// ReLU replaces what is below zero by zero; NaN stays NaN.
func (t Tier) ReLU(x []float32) {
	n := t.vectors(len(x))
	if n > 0 {
		relu8(n, &x[0])
	}
	for i, v := range x[n:] {
		if v < 0 {
			x[n+i] = 0
		}
	}
}

// Gate zeroes d[i] where y[i] is not above zero: the gradient of ReLU.
func (t Tier) Gate(d, y []float32) {
	d = d[:len(y)]
	n := t.vectors(len(y))
	if n > 0 {
		gate8(n, &d[0], &y[0])
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
	n := t.vectors(len(x))
	if n > 0 {
		threequarters8(n, &dst[0], &x[0], &s[0])
	}
	for i := n; i < len(x); i++ {
		root := float32(math.Sqrt(float64(s[i])))
		dst[i] = x[i] * (1 / float32(root*float32(math.Sqrt(float64(root)))))
	}
}

// Max keeps the larger of best[i] and x[i] in best, and in who where it came
// from, from+i for x[i]; of equals, and before a NaN in x, the earlier stays.
func (t Tier) Max(best []float32, who []int32, x []float32, from int32) {
	best, who = best[:len(x)], who[:len(x)]
	n := t.vectors(len(x))
	if n > 0 {
		max8(n, &best[0], &who[0], &x[0], from)
	}
	for i := n; i < len(x); i++ {
		if best[i] < x[i] {
			best[i], who[i] = x[i], from+int32(i)
		}
	}
}

// Finite reports whether no element of x is NaN or infinite, which zero times it
// tells: 0, or NaN.
func (t Tier) Finite(x []float32) bool {
	n := len(x) &^ 31
	if t < AVX2 {
		n = 0
	}
	var nothing float32
	if n > 0 {
		nothing = vanish32(n, &x[0])
	}
	for _, v := range x[n:] {
		nothing += 0 * v
	}
	return nothing == 0
}
