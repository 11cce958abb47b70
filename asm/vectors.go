package asm

import "math"

// What BLAS does with vectors, in float64 and float32, is named as there. A sum is divided
// among lanes, of which a vector of 32 bytes has as many as elements: whole blocks of
// vectors go to a set of lanes for each vector of the block, whole vectors beyond them to
// the first set. The sets are added, then the halves of the set that is left, and then neighbours;
// to that the last elements, which fill no vector, are added one by one.

// float is either precision.
type float interface{ float32 | float64 }

// How many elements a vector of 32 bytes has.
const (
	lanes64 = 4
	lanes32 = 8
)

// sumInLanes returns the sum of n terms; add adds one to what there is. A block has so many
// vectors of so many lanes.
func sumInLanes[T float](n, vectors, lanes int, add func(s T, i int) T) T {
	var s [32]T
	i := 0
	for _, block := range []int{vectors * lanes, lanes} {
		for ; i+block <= n; i += block {
			for j := range block {
				s[j] = add(s[j], i+j)
			}
		}
	}
	sets := s[:vectors*lanes]
	for step := lanes; step < len(sets); step *= 2 {
		for j := 0; j < len(sets); j += 2 * step {
			for l := range lanes {
				sets[j+l] += sets[j+step+l]
			}
		}
	}
	for l := range lanes / 2 {
		s[l] += s[lanes/2+l]
	}
	for left := lanes / 2; left > 1; left /= 2 {
		for l := range left / 2 {
			s[l] = s[2*l] + s[2*l+1]
		}
	}
	total := s[0]
	for ; i < n; i++ {
		total = add(total, i)
	}
	return total
}

// Ddot returns the sum over i of x[i] * y[i], one FMA a term, in blocks of four vectors.
func (t Tier) Ddot(x, y []float64) float64 {
	y = y[:len(x)]
	switch {
	case len(x) == 0:
		return 0
	case tiers[t].lanes > 0:
		return ddot(len(x), &x[0], &y[0])
	}
	return sumInLanes(len(x), 4, lanes64, func(s float64, i int) float64 { return math.FMA(x[i], y[i], s) })
}

// Sdot is Ddot in float32.
func (t Tier) Sdot(x, y []float32) float32 {
	y = y[:len(x)]
	switch {
	case len(x) == 0:
		return 0
	case tiers[t].lanes > 0:
		return sdot(len(x), &x[0], &y[0])
	}
	return sumInLanes(len(x), 4, lanes32, func(s float32, i int) float32 { return FMA(x[i], y[i], s) })
}

// Dasum returns the sum over i of |x[i]|, in blocks of four vectors.
func (t Tier) Dasum(x []float64) float64 {
	switch {
	case len(x) == 0:
		return 0
	case tiers[t].lanes > 0:
		return dasum(len(x), &x[0])
	}
	return sumInLanes(len(x), 4, lanes64, func(s float64, i int) float64 { return s + math.Abs(x[i]) })
}

// Sasum is Dasum in float32.
func (t Tier) Sasum(x []float32) float32 {
	switch {
	case len(x) == 0:
		return 0
	case tiers[t].lanes > 0:
		return sasum(len(x), &x[0])
	}
	return sumInLanes(len(x), 4, lanes32, func(s float32, i int) float32 { return s + float32(math.Abs(float64(x[i]))) })
}

// Daxpy is y[i] += alpha * x[i] for i < len(y), one FMA each.
func (t Tier) Daxpy(y []float64, alpha float64, x []float64) {
	x = x[:len(y)]
	switch {
	case len(y) == 0:
	case tiers[t].lanes > 0:
		daxpy(len(y), &y[0], &x[0], alpha)
	default:
		for i, v := range x {
			y[i] = math.FMA(v, alpha, y[i])
		}
	}
}

// Saxpy is Daxpy in float32.
func (t Tier) Saxpy(y []float32, alpha float32, x []float32) {
	x = x[:len(y)]
	switch {
	case len(y) == 0:
	case tiers[t].lanes > 0:
		saxpy(len(y), &y[0], &x[0], alpha)
	default:
		for i, v := range x {
			y[i] = FMA(v, alpha, y[i])
		}
	}
}

// Dscal is x[i] *= alpha.
func (t Tier) Dscal(alpha float64, x []float64) {
	switch {
	case len(x) == 0:
	case tiers[t].lanes > 0:
		dscal(len(x), &x[0], alpha)
	default:
		for i := range x {
			x[i] *= alpha
		}
	}
}

// Sscal is Dscal in float32.
func (t Tier) Sscal(alpha float32, x []float32) {
	switch {
	case len(x) == 0:
	case tiers[t].lanes > 0:
		sscal(len(x), &x[0], alpha)
	default:
		for i := range x {
			x[i] *= alpha
		}
	}
}

// Ddot4 sets dot[r] to the sum over j < len(x) of a[r*lda+j] * x[j], for four rows, one FMA
// a term, in blocks of two vectors.
func (t Tier) Ddot4(a []float64, lda int, x []float64, dot *[4]float64) {
	if len(x) == 0 {
		*dot = [4]float64{}
		return
	}
	_ = a[3*lda+len(x)-1]
	if tiers[t].lanes > 0 {
		ddot4(len(x), &a[0], lda, &x[0], &dot[0])
		return
	}
	for r := range dot {
		row := a[r*lda:]
		dot[r] = sumInLanes(len(x), 2, lanes64, func(s float64, j int) float64 { return math.FMA(row[j], x[j], s) })
	}
}

// Sdot4 is Ddot4 in float32.
func (t Tier) Sdot4(a []float32, lda int, x []float32, dot *[4]float32) {
	if len(x) == 0 {
		*dot = [4]float32{}
		return
	}
	_ = a[3*lda+len(x)-1]
	if tiers[t].lanes > 0 {
		sdot4(len(x), &a[0], lda, &x[0], &dot[0])
		return
	}
	for r := range dot {
		row := a[r*lda:]
		dot[r] = sumInLanes(len(x), 2, lanes32, func(s float32, j int) float32 { return FMA(row[j], x[j], s) })
	}
}

// Daxpy4 is y[j] += the sum of a[r*lda+j] * x[r] over r < 4, one FMA a term, r rising, for
// j < len(y).
func (t Tier) Daxpy4(y, a []float64, lda int, x *[4]float64) {
	if len(y) == 0 {
		return
	}
	_ = a[3*lda+len(y)-1]
	if tiers[t].lanes > 0 {
		daxpy4(len(y), &y[0], &a[0], lda, &x[0])
		return
	}
	for r, f := range x {
		row := a[r*lda:]
		for j := range y {
			y[j] = math.FMA(row[j], f, y[j])
		}
	}
}

// Saxpy4 is Daxpy4 in float32.
func (t Tier) Saxpy4(y, a []float32, lda int, x *[4]float32) {
	if len(y) == 0 {
		return
	}
	_ = a[3*lda+len(y)-1]
	if tiers[t].lanes > 0 {
		saxpy4(len(y), &y[0], &a[0], lda, &x[0])
		return
	}
	for r, f := range x {
		row := a[r*lda:]
		for j := range y {
			y[j] = FMA(row[j], f, y[j])
		}
	}
}
