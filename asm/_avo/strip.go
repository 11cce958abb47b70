package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// strip emits the loops over strips that layers are made of: eight lanes a
// step, the count a positive multiple of 8. Each does what its twin in package
// asm does, one rounding an operation.
func strip() {
	stripKernel("add8", "adds a to dst", "dst, a *float32", []string{"dst", "a"}, func() func([]Mem) {
		return func(at []Mem) {
			sum := YMM()
			VMOVUPS(at[0], sum)
			VADDPS(at[1], sum, sum)
			VMOVUPS(sum, at[0])
		}
	})

	// MAXPS gives its second source where neither is larger, so that a NaN, or
	// a zero of either sign, stays what it was.
	stripKernel("relu8", "replaces what is below zero by zero", "x *float32", []string{"x"}, func() func([]Mem) {
		zero := zeroYMM()
		return func(at []Mem) {
			v := YMM()
			VMAXPS(at[0], zero, v)
			VMOVUPS(v, at[0])
		}
	})

	stripKernel("relugrad8", "zeroes d where y is not above zero", "d, y *float32", []string{"d", "y"}, func() func([]Mem) {
		zero := zeroYMM()
		return func(at []Mem) {
			mask := YMM()
			VCMPPS(Imm(cmpLT), at[1], zero, mask)
			VANDPS(at[0], mask, mask)
			VMOVUPS(mask, at[0])
		}
	})

	zeroSum()

	// x / (r sqrt(r)) with r = sqrt(s), by the reciprocal.
	stripKernel("threequarters8", "sets dst to x * s^(-3/4)", "dst, x, s *float32", []string{"dst", "x", "s"}, func() func([]Mem) {
		one, bits := YMM(), GP32()
		MOVL(U32(0x3f800000), bits)
		VMOVD(bits, one.AsX())
		VBROADCASTSS(one.AsX(), one)
		return func(at []Mem) {
			root, power := YMM(), YMM()
			VSQRTPS(at[2], root)
			VSQRTPS(root, power)
			VMULPS(power, root, root)
			VDIVPS(root, one, power)
			VMULPS(at[1], power, power)
			VMOVUPS(power, at[0])
		}
	})

	lanes := GLOBL("lanes", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(i))
	}
	stripKernel("max8", "raises maxima to x, and sets argmax[i] to offset+i where x[i] raises its",
		"maxima *float32, argmax *int32, x *float32, offset int32", []string{"maxima", "argmax", "x"}, func() func([]Mem) {
			index, step, bits := YMM(), YMM(), GP32()
			Load(Param("offset"), bits)
			VMOVD(bits, index.AsX())
			VPBROADCASTD(index.AsX(), index)
			VPADDD(lanes, index, index)
			MOVL(U32(8), bits)
			VMOVD(bits, step.AsX())
			VPBROADCASTD(step.AsX(), step)
			return func(at []Mem) {
				maxima, argmax, x, mask := YMM(), YMM(), YMM(), YMM()
				VMOVUPS(at[0], maxima)
				VMOVUPS(at[1], argmax)
				VMOVUPS(at[2], x)
				VCMPPS(Imm(cmpLT), x, maxima, mask)
				VBLENDVPS(mask, x, maxima, maxima)
				VBLENDVPS(mask, index, argmax, argmax)
				VMOVUPS(maxima, at[0])
				VMOVUPS(argmax, at[1])
				VPADDD(step, index, index)
			}
		})
}

// zeroSum emits the sum of zero times n elements, 32 a step: 0, or NaN if an element is
// NaN or infinite.
func zeroSum() {
	kernel("zerosum32", avx2, "func(n int, x *float32) float32", "sums zero times n elements, a positive multiple of 32.")
	n := Load(Param("n"), GP64())
	x := Mem{Base: Load(Param("x"), GP64())}
	zero := zeroYMM()
	sums := []VecVirtual{zeroYMM(), zeroYMM(), zeroYMM(), zeroYMM()}
	Label("step")
	for i, s := range sums {
		VFMADD231PS(x.Offset(32*i), zero, s)
	}
	ADDQ(Imm(128), x.Base)
	SUBQ(Imm(32), n)
	JNZ(LabelRef("step"))
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	half := XMM()
	VEXTRACTF128(Imm(1), sums[0], half)
	VADDPS(half, sums[0].AsX(), half)
	VHADDPS(half, half, half)
	VHADDPS(half, half, half)
	VMOVSS(half, mustResolve(ReturnIndex(0)))
	ret()
}

// zeroYMM returns a register of zeros.
func zeroYMM() VecVirtual {
	z := YMM()
	VXORPS(z, z, z)
	return z
}

// stripKernel emits a loop over n elements of each of the named arrays; setup
// emits what comes before the loop and returns what emits a step.
func stripKernel(name, summary, params string, arrays []string, setup func() func(at []Mem)) {
	kernel(name, avx2, "func(n int, "+params+")", summary+", for n elements, a positive multiple of 8.")
	n := Load(Param("n"), GP64())
	at := make([]Mem, len(arrays))
	for i, a := range arrays {
		at[i] = Mem{Base: Load(Param(a), GP64())}
	}
	body := setup()
	Label("step")
	body(at)
	for i := range at {
		ADDQ(Imm(32), at[i].Base)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("step"))
	ret()
}
