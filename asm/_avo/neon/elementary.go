package main

import "math"

// float32s returns four copies of a float32.
func (k *kernel) float32s(v float32) *reg { return k.splat(math.Float32bits(v)) }

// elementary emits elementary functions of strips, whose constants are a table that its
// twin in package asm reads, too, and what layers between products are made of besides.
func elementary() {
	stripKernel("exp8", []string{"y", "x"}, func(k *kernel) func(at []place) {
		shift, c := k.broadcast("shift"), k.coefficients(expSize)
		return func(at []place) { k.put(c.exp(k.new("fsub", k.get(at[1]), shift)), at[0]) }
	})

	// 1 / (1 + e^-x).
	stripKernel("sigmoid8", []string{"y", "x"}, func(k *kernel) func(at []place) {
		zero, one, c := k.zeros(), k.float32s(1), k.coefficients(expSize)
		return func(at []place) {
			e := c.exp(k.new("fsub", zero, k.get(at[1])))
			k.put(k.new("fdiv", one, k.new("fadd", one, e)), at[0])
		}
	})

	stripKernel("rational8", []string{"y", "x"}, func(k *kernel) func(at []place) {
		c := k.coefficients(rationalSize)
		return func(at []place) { k.put(c.rational(k.get(at[1])), at[0]) }
	})

	// x (1 + f(x / divisor)) / 2.
	stripKernel("gelu8", []string{"y", "x"}, func(k *kernel) func(at []place) {
		divisor, one, half, c := k.broadcast("divisor"), k.float32s(1), k.float32s(0.5), k.coefficients(rationalSize)
		return func(at []place) {
			x := k.get(at[1])
			f := c.rational(k.new("fdiv", x, divisor))
			k.put(k.new("fmul", k.new("fmul", x, k.new("fadd", f, one)), half), at[0])
		}
	})

	stripKernel("raise8", []string{"dst", "a"}, func(k *kernel) func(at []place) {
		return func(at []place) {
			v := k.get(at[0])
			k.raise(s4, v, k.get(at[1]))
			k.put(v, at[0])
		}
	})

	stripKernel("clamp8", []string{"x"}, func(k *kernel) func(at []place) {
		lo, hi := k.broadcast("lo"), k.broadcast("hi")
		return func(at []place) {
			v := k.get(at[0])
			k.raise(s4, v, lo)
			k.lower(v, hi)
			k.put(v, at[0])
		}
	})

	stripKernel("multiply8", []string{"dst", "a"}, func(k *kernel) func(at []place) {
		return func(at []place) { k.put(k.new("fmul", k.get(at[0]), k.get(at[1])), at[0]) }
	})

	stripKernel("standardize8", []string{"y", "x", "scale", "bias"}, func(k *kernel) func(at []place) {
		mean, inverse := k.broadcast("mean"), k.broadcast("inverse")
		return func(at []place) {
			v := k.new("fmul", k.new("fsub", k.get(at[1]), mean), inverse)
			k.put(k.new("fadd", k.new("fmul", v, k.get(at[2])), k.get(at[3])), at[0])
		}
	})

	spread()
}

// spread emits the sums of x - shift and of its square over n elements, of every eighth by
// itself, in float64.
func spread() {
	k := newKernel("spread8")
	n, x, to, shift := k.load("n"), k.load("x"), k.load("sums"), k.broadcast("shift")
	sums := k.accumulators(8, 1)
	k.label("step")
	for i := range 2 {
		v := k.ldNew(x, 16*i)
		for j, convert := range []string{"fcvtl", "fcvtl2"} {
			d, at := vec(), 2*i+j
			k.unary(convert, d, v)
			k.float("fsub", d2, d, d, shift)
			k.float("fadd", d2, sums[at][0], sums[at][0], d)
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", d, d, sums[4+at][0])
		}
	}
	k.move(32, x)
	k.countDown(n, 8, "step")
	for i, s := range sums {
		k.st(s[0], to, 16*i)
	}
	k.ret()
}

// lower lowers v to a ceiling where it is above; a NaN stays.
func (k *kernel) lower(v, ceiling *reg) { k.insert(v, ceiling, k.new("fcmgt", v, ceiling)) }

// coefficients are a table of float32 in registers, four in each; the last register has the
// last four.
type coefficients struct {
	k    *kernel
	n    int
	regs []*reg
}

// coefficients loads the table at c.
func (k *kernel) coefficients(n int) coefficients {
	c, base := coefficients{k: k, n: n}, k.load("c")
	for i := 0; i < n; i += 4 {
		c.regs = append(c.regs, k.ldNew(base, 4*min(i, n-4)))
	}
	return c
}

// at returns coefficient i in all lanes.
func (c coefficients) at(i int) *reg {
	v, lane := vec(), i%4
	if i/4*4 > c.n-4 {
		lane = i - (c.n - 4)
	}
	c.k.op("VDUP V%v.S[%d], V%v.S4", c.regs[i/4], lane, v)
	return v
}

// Places in the table of the exponential.
const (
	expLow     = iota // e^x is 0 below
	expHigh           // and infinite above
	expLog2E          // 1 / ln 2
	expLn2High        // -ln 2 in two parts
	expLn2Low
	expSeries // the coefficients, from that of r^7 on
	expSize   = expSeries + 8
	expOne    = expSize - 1
)

// exp emits e^x, in place of x. With k = round(x / ln 2) and r = x - k ln 2, it is 2^k times
// the series of e^r; 2^k is multiplied by in halves, since it may be beyond what floats hold.
func (c coefficients) exp(x *reg) *reg {
	k := c.k
	k.raise(s4, x, c.at(expLow))
	k.lower(x, c.at(expHigh))
	power := k.new("fmul", x, c.at(expLog2E))
	k.unary("frintn", power, power)
	k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", c.at(expLn2High), power, x)
	k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", c.at(expLn2Low), power, x)
	s := c.horner(x, expSeries, expSize-expSeries)
	half, one := vec(), c.at(expOne)
	k.unary("fcvtns", power, power)
	k.unary("sshr1", half, power)
	k.op("VSUB V%v.S4, V%v.S4, V%v.S4", half, power, power)
	for _, p := range []*reg{half, power} {
		k.op("VSHL $23, V%v.S4, V%v.S4", p, p)
		k.op("VADD V%v.S4, V%v.S4, V%v.S4", one, p, p)
		k.float("fmul", s4, s, s, p)
	}
	return s
}

// horner emits c[i] x^(n-1) + ... + c[i+n-1], one FMA a term.
func (c coefficients) horner(x *reg, i, n int) *reg {
	s := c.at(i)
	for j := 1; j < n; j++ {
		t := c.at(i + j)
		c.k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", x, s, t)
		s = t
	}
	return s
}

// Places in the table of a rational function.
const (
	rationalLow         = iota // it is -1 below
	rationalHigh               // and 1 above
	rationalNumerator          // six coefficients
	rationalDenominator = rationalNumerator + 6
	rationalOne         = rationalDenominator + 5 // the last coefficient
	rationalMinusOne    = rationalOne + 1
	rationalSize        = rationalMinusOne + 1
)

// rational emits x P(x^2) / Q(x^2), between -1 and 1.
func (c coefficients) rational(x *reg) *reg {
	k, v := c.k, vec()
	k.op("VORR V%v.B16, V%v.B16, V%v.B16", x, x, v)
	k.raise(s4, v, c.at(rationalLow))
	k.lower(v, c.at(rationalHigh))
	square := k.new("fmul", v, v)
	p, q := c.horner(square, rationalNumerator, 6), c.horner(square, rationalDenominator, 6)
	y := k.new("fdiv", k.new("fmul", p, v), q)
	k.raise(s4, y, c.at(rationalMinusOne))
	k.lower(y, c.at(rationalOne))
	return y
}
