package onnx

import "math"

// fromFloat16 returns the value of an IEEE 754 half-precision number.
func fromFloat16(u uint16) float32 {
	sign, exponent, fraction := uint32(u>>15)<<31, uint32(u>>10&31), uint32(u&1023)
	switch exponent {
	case 0: // zero and the denormals: fraction * 2^-24
		v := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// roundFloat16 rounds to the nearest half-precision number, ties to even.
func roundFloat16(x float32) float32 {
	a := float32(math.Abs(float64(x)))
	switch {
	case !(a < 65520): // NaN, and what rounds to infinity
		if a >= 65520 {
			return float32(math.Copysign(math.Inf(1), float64(x)))
		}
		return x
	case a < 0x1p-14: // a multiple of 2^-24
		return float32(math.Copysign(math.RoundToEven(float64(x)*0x1p24)*0x1p-24, float64(x)))
	}
	return roundBits(x, 13)
}

// roundBfloat16 rounds to the nearest bfloat16, ties to even.
func roundBfloat16(x float32) float32 {
	if x != x {
		return x
	}
	return roundBits(x, 16)
}

// roundBits rounds away the last n bits of the fraction, ties to even.
func roundBits(x float32, n uint) float32 {
	u := math.Float32bits(x)
	u += 1<<(n-1) - 1 + u>>n&1
	return math.Float32frombits(u &^ (1<<n - 1))
}
