package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementary emits elementary functions of strips, whose constants are a table that its
// twin in package asm reads, too, and what layers between products are made of besides.
func elementary() {
	// e^(x - shift).
	stripKernel("exp8", "sets y to e^(x-shift) by the constants c", "y, x *float32, shift float32, c *float32", []string{"y", "x"}, func() func([]Mem) {
		shift := broadcastParam("shift")
		c := coefficients{Mem{Base: Load(Param("c"), GP64())}}
		return func(at []Mem) {
			x := YMM()
			VMOVUPS(at[1], x)
			VSUBPS(shift, x, x)
			VMOVUPS(c.exp(x), at[0])
		}
	})

	// 1 / (1 + e^-x).
	stripKernel("sigmoid8", "sets y to 1/(1+e^-x) by the constants c of exp8", "y, x *float32, c *float32", []string{"y", "x"}, func() func([]Mem) {
		zero := zeroYMM()
		c := coefficients{Mem{Base: Load(Param("c"), GP64())}}
		return func(at []Mem) {
			x, one := YMM(), YMM()
			VSUBPS(at[1], zero, x)
			e := c.exp(x)
			VBROADCASTSS(c.at(expOne), one)
			VADDPS(one, e, e)
			VDIVPS(e, one, e)
			VMOVUPS(e, at[0])
		}
	})

	stripKernel("rational8", "sets y to the odd rational function of x with the constants c", "y, x *float32, c *float32", []string{"y", "x"}, func() func([]Mem) {
		c := coefficients{Mem{Base: Load(Param("c"), GP64())}}
		return func(at []Mem) {
			x := YMM()
			VMOVUPS(at[1], x)
			VMOVUPS(c.rational(x), at[0])
		}
	})

	// x (1 + f(x / divisor)) / 2.
	stripKernel("gelu8", "sets y to x(1+f(x/divisor))/2 for the rational function f with the constants c", "y, x *float32, divisor float32, c *float32", []string{"y", "x"}, func() func([]Mem) {
		divisor := broadcastParam("divisor")
		c := coefficients{Mem{Base: Load(Param("c"), GP64())}}
		one, half := YMM(), YMM()
		VBROADCASTSS(c.at(rationalOne), one)
		VADDPS(one, one, half)
		VDIVPS(half, one, half)
		return func(at []Mem) {
			x, scaled := YMM(), YMM()
			VMOVUPS(at[1], x)
			VDIVPS(divisor, x, scaled)
			f := c.rational(scaled)
			VADDPS(one, f, f)
			VMULPS(f, x, f)
			VMULPS(half, f, f)
			VMOVUPS(f, at[0])
		}
	})

	// MAXPS and MINPS give their second source where one is NaN.
	stripKernel("raise8", "raises dst to a", "dst, a *float32", []string{"dst", "a"}, func() func([]Mem) {
		return func(at []Mem) {
			a := YMM()
			VMOVUPS(at[1], a)
			VMAXPS(at[0], a, a)
			VMOVUPS(a, at[0])
		}
	})

	stripKernel("clamp8", "raises x to lo, and then lowers it to hi", "x *float32, lo, hi float32", []string{"x"}, func() func([]Mem) {
		lo, hi := broadcastParam("lo"), broadcastParam("hi")
		return func(at []Mem) {
			v := YMM()
			VMAXPS(at[0], lo, v)
			VMINPS(v, hi, v)
			VMOVUPS(v, at[0])
		}
	})

	stripKernel("multiply8", "multiplies dst by a", "dst, a *float32", []string{"dst", "a"}, func() func([]Mem) {
		return func(at []Mem) {
			p := YMM()
			VMOVUPS(at[0], p)
			VMULPS(at[1], p, p)
			VMOVUPS(p, at[0])
		}
	})

	stripKernel("standardize8", "sets y to (x-mean)*inverse*scale + bias", "y, x, scale, bias *float32, mean, inverse float32", []string{"y", "x", "scale", "bias"}, func() func([]Mem) {
		mean, inverse := broadcastParam("mean"), broadcastParam("inverse")
		return func(at []Mem) {
			v := YMM()
			VMOVUPS(at[1], v)
			VSUBPS(mean, v, v)
			VMULPS(inverse, v, v)
			VMULPS(at[2], v, v)
			VADDPS(at[3], v, v)
			VMOVUPS(v, at[0])
		}
	})

	spread()
}

// spread emits the sums of x - shift and of its square over n elements, of every eighth by
// itself, in float64.
func spread() {
	kernel("spread8", avx2, "func(n int, x *float32, shift float64, sums *float64)", "sets the first 8 sums to those of x - shift, and the other 8 to those of its square, of every eighth of n elements, a positive multiple of 8.")
	n := Load(Param("n"), GP64())
	x, to := Mem{Base: Load(Param("x"), GP64())}, Mem{Base: Load(Param("sums"), GP64())}
	shift := YMM()
	VBROADCASTSD(mustResolve(Param("shift")), shift)
	sums := []VecVirtual{zeroYMM(), zeroYMM(), zeroYMM(), zeroYMM()}
	Label("step")
	for i := range 2 {
		d := YMM()
		VCVTPS2PD(x.Offset(16*i), d)
		VSUBPD(shift, d, d)
		VADDPD(d, sums[i], sums[i])
		VFMADD231PD(d, d, sums[2+i])
	}
	ADDQ(Imm(32), x.Base)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	for i, s := range sums {
		VMOVUPD(s, to.Offset(32*i))
	}
	ret()
}

// coefficients are a table of float32.
type coefficients struct{ table Mem }

func (c coefficients) at(i int) Mem { return c.table.Offset(4 * i) }

// Places in the table of the exponential.
const (
	expLow     = iota // e^x is 0 below
	expHigh           // and infinite above
	expLog2E          // 1 / ln 2
	expLn2High        // -ln 2 in two parts
	expLn2Low
	expSeries // the coefficients, from that of r^7 on
	expOne    = expSeries + 7
)

// exp emits e^x, in place of x. With k = round(x / ln 2) and r = x - k ln 2, it is 2^k times
// the series of e^r; 2^k is multiplied by in halves, since it may be beyond what floats hold.
func (c coefficients) exp(x VecVirtual) VecVirtual {
	bound, k, s, t := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(c.at(expLow), bound)
	VMAXPS(x, bound, x)
	VBROADCASTSS(c.at(expHigh), bound)
	VMINPS(x, bound, x)
	VBROADCASTSS(c.at(expLog2E), k)
	VMULPS(x, k, k)
	VROUNDPS(Imm(8), k, k)
	VBROADCASTSS(c.at(expLn2High), t)
	VFMADD231PS(t, k, x)
	VBROADCASTSS(c.at(expLn2Low), t)
	VFMADD231PS(t, k, x)
	c.horner(s, x, expSeries, 8)
	one, half := YMM(), YMM()
	VBROADCASTSS(c.at(expOne), one)
	VCVTPS2DQ(k, k)
	VPSRAD(Imm(1), k, half)
	VPSUBD(half, k, k)
	for _, power := range []VecVirtual{half, k} {
		VPSLLD(Imm(23), power, power)
		VPADDD(one, power, power)
		VMULPS(power, s, s)
	}
	return s
}

// horner emits s = c[i] x^(n-1) + ... + c[i+n-1], one FMA a term.
func (c coefficients) horner(s, x VecVirtual, i, n int) {
	VBROADCASTSS(c.at(i), s)
	for k := 1; k < n; k++ {
		t := YMM()
		VBROADCASTSS(c.at(i+k), t)
		VFMADD213PS(t, x, s)
	}
}

// Places in the table of a rational function.
const (
	rationalLow         = iota // it is -1 below
	rationalHigh               // and 1 above
	rationalNumerator          // six coefficients
	rationalDenominator = rationalNumerator + 6
	rationalOne         = rationalDenominator + 5 // the last coefficient
	rationalMinusOne    = rationalOne + 1
)

// rational emits x P(x^2) / Q(x^2), between -1 and 1, in place of x.
func (c coefficients) rational(x VecVirtual) VecVirtual {
	bound, square, p, q := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(c.at(rationalLow), bound)
	VMAXPS(x, bound, x)
	VBROADCASTSS(c.at(rationalHigh), bound)
	VMINPS(x, bound, x)
	VMULPS(x, x, square)
	c.horner(p, square, rationalNumerator, 6)
	c.horner(q, square, rationalDenominator, 6)
	VMULPS(x, p, p)
	VDIVPS(q, p, p)
	VBROADCASTSS(c.at(rationalMinusOne), bound)
	VMAXPS(p, bound, p)
	VBROADCASTSS(c.at(rationalOne), bound)
	VMINPS(p, bound, p)
	return p
}

// broadcastParam returns a parameter in all lanes.
func broadcastParam(name string) VecVirtual {
	v := YMM()
	VBROADCASTSS(mustResolve(Param(name)), v)
	return v
}
