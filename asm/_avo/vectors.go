package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// precision is float32 or float64, with the letter that BLAS has for it and the
// instructions for vectors and for one number.
type precision struct {
	letter, name                                      string
	size                                              int
	fma, fmaOne, add, mul, mulOne, broadcast, moveOne func(...Op)
	addNeighbours                                     func(Op, Op, Op)
}

var (
	single = precision{"s", "float32", 4, VFMADD231PS, VFMADD231SS, VADDPS, VMULPS, VMULSS, VBROADCASTSS, VMOVSS, VHADDPS}
	double = precision{"d", "float64", 8, VFMADD231PD, VFMADD231SD, VADDPD, VMULPD, VMULSD, VBROADCASTSD, VMOVSD, VHADDPD}
)

// vectors emits what BLAS does with vectors, in both precisions. What fits no vector is done
// one by one, here too, as many vectors are short.
func vectors() {
	for _, p := range []precision{single, double} {
		p.dot()
		p.asum()
		p.axpy()
		p.scal()
		p.dot4()
		p.axpy4()
	}
}

// each emits loops over the count n of elements of arrays: many vectors a step, then one, and then,
// after what stands between, one element. With each goes which of the vectors it is.
func (p precision) each(n Register, arrays []Mem, many int, vector func(i int, at []Mem), between func(), one func()) {
	for _, loop := range []struct {
		label, rest string
		count       int
	}{{"many", "vectors", many}, {"vectors", "rest", 1}} {
		Label(loop.label)
		CMPQ(n, Imm(uint64(32/p.size*loop.count)))
		JLT(LabelRef(loop.rest))
		for i := range loop.count {
			at := make([]Mem, len(arrays))
			for j, a := range arrays {
				at[j] = a.Offset(32 * i)
			}
			vector(i, at)
		}
		advance(32*loop.count, arrays)
		SUBQ(Imm(uint64(32/p.size*loop.count)), n)
		JMP(LabelRef(loop.label))
	}
	Label("rest")
	between()
	Label("ones")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	one()
	advance(p.size, arrays)
	DECQ(n)
	JMP(LabelRef("ones"))
	Label("done")
}

// advance moves the pointers of arrays, of which some may share one.
func advance(bytes int, arrays []Mem) {
	moved := make(map[Register]bool)
	for _, a := range arrays {
		if !moved[a.Base] {
			ADDQ(Imm(uint64(bytes)), a.Base)
		}
		moved[a.Base] = true
	}
}

// zeros returns n vectors of zeros.
func zeros(n int) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = zeroYMM()
	}
	return v
}

// total adds vectors to the first, neighbours first, then its halves, and then neighbours.
func (p precision) total(sums []VecVirtual) {
	for step := 1; step < len(sums); step *= 2 {
		for i := 0; i+step < len(sums); i += 2 * step {
			p.add(sums[i+step], sums[i], sums[i])
		}
	}
	s, half := sums[0].AsX(), XMM()
	VEXTRACTF128(Imm(1), sums[0], half)
	p.add(half, s, s)
	for lanes := 16 / p.size; lanes > 1; lanes /= 2 {
		p.addNeighbours(s, s, s)
	}
}

// pointers loads parameters.
func pointers(names ...string) []Mem {
	m := make([]Mem, len(names))
	for i, name := range names {
		m[i] = Mem{Base: Load(Param(name), GP64())}
	}
	return m
}

func (p precision) dot() {
	kernel(p.letter+"dot", avx2, "func(n int, x, y *"+p.name+") "+p.name, "returns the inner product of n elements; Tier."+p.method("dot")+" is its definition.")
	n, arrays := Load(Param("n"), GP64()), pointers("x", "y")
	sums := zeros(4)
	p.each(n.(Register), arrays, 4, func(i int, at []Mem) {
		v := YMM()
		VMOVUPS(at[0], v)
		p.fma(at[1], v, sums[i])
	}, func() { p.total(sums) }, func() {
		v := XMM()
		p.moveOne(arrays[0], v)
		p.fmaOne(arrays[1], v, sums[0].AsX())
	})
	p.moveOne(sums[0].AsX(), mustResolve(ReturnIndex(0)))
	ret()
}

func (p precision) asum() {
	kernel(p.letter+"asum", avx2, "func(n int, x *"+p.name+") "+p.name, "returns the sum of the sizes of n elements; Tier."+p.method("asum")+" is its definition.")
	n, arrays := Load(Param("n"), GP64()), pointers("x")
	sums := zeros(4)
	mask := YMM() // all bits but the sign's
	VPCMPEQD(mask, mask, mask)
	if p.size == 4 {
		VPSRLD(Imm(1), mask, mask)
	} else {
		VPSRLQ(Imm(1), mask, mask)
	}
	p.each(n.(Register), arrays, 4, func(i int, at []Mem) {
		v := YMM()
		VANDPS(at[0], mask, v)
		p.add(v, sums[i], sums[i])
	}, func() { p.total(sums) }, func() {
		v := XMM()
		p.moveOne(arrays[0], v)
		VANDPS(mask.AsX(), v, v)
		p.add(v, sums[0].AsX(), sums[0].AsX())
	})
	p.moveOne(sums[0].AsX(), mustResolve(ReturnIndex(0)))
	ret()
}

func (p precision) axpy() {
	kernel(p.letter+"axpy", avx2, "func(n int, y, x *"+p.name+", alpha "+p.name+")", "adds alpha times n elements; Tier."+p.method("axpy")+" is its definition.")
	n, arrays, alpha := Load(Param("n"), GP64()), pointers("y", "x"), YMM()
	p.broadcast(mustResolve(Param("alpha")), alpha)
	p.each(n.(Register), arrays, 4, func(_ int, at []Mem) {
		v := YMM()
		VMOVUPS(at[0], v)
		p.fma(at[1], alpha, v)
		VMOVUPS(v, at[0])
	}, func() {}, func() {
		v := XMM()
		p.moveOne(arrays[0], v)
		p.fmaOne(arrays[1], alpha.AsX(), v)
		p.moveOne(v, arrays[0])
	})
	ret()
}

func (p precision) scal() {
	kernel(p.letter+"scal", avx2, "func(n int, x *"+p.name+", alpha "+p.name+")", "multiplies n elements by alpha.")
	n, arrays, alpha := Load(Param("n"), GP64()), pointers("x"), YMM()
	p.broadcast(mustResolve(Param("alpha")), alpha)
	p.each(n.(Register), arrays, 4, func(_ int, at []Mem) {
		v := YMM()
		p.mul(at[0], alpha, v)
		VMOVUPS(v, at[0])
	}, func() {}, func() {
		v := XMM()
		p.mulOne(arrays[0], alpha.AsX(), v)
		p.moveOne(v, arrays[0])
	})
	ret()
}

// dot4 emits inner products of four rows with a vector, which is loaded once for all.
func (p precision) dot4() {
	kernel(p.letter+"dot4", avx2, "func(n int, a *"+p.name+", lda int, x, dot *"+p.name+")", "sets the inner products of four rows of n elements; Tier."+p.method("dot4")+" is its definition.")
	n, arrays := Load(Param("n"), GP64()), pointers("a", "x")
	a, x := arrays[0], arrays[1]
	lda, last := Load(Param("lda"), GP64()).(Register), Mem{Base: GP64()}
	SHLQ(Imm(uint64(p.size/4+1)), lda)
	LEAQ(a.Idx(lda, 2), last.Base)
	ADDQ(lda, last.Base)
	arrays = []Mem{x, a, a.Idx(lda, 1), a.Idx(lda, 2), last}
	var sums [4][]VecVirtual
	for r := range sums {
		sums[r] = zeros(2)
	}
	p.each(n.(Register), arrays, 2, func(i int, at []Mem) {
		v := YMM()
		VMOVUPS(at[0], v)
		for r := range sums {
			p.fma(at[1+r], v, sums[r][i])
		}
	}, func() {
		for r := range sums {
			p.total(sums[r])
		}
	}, func() {
		v := XMM()
		p.moveOne(arrays[0], v)
		for r := range sums {
			p.fmaOne(arrays[1+r], v, sums[r][0].AsX())
		}
	})
	dot := pointers("dot")[0]
	for r := range sums {
		p.moveOne(sums[r][0].AsX(), dot.Offset(p.size*r))
	}
	ret()
}

// axpy4 emits what adds four rows: y is read and written once for all of them.
func (p precision) axpy4() {
	kernel(p.letter+"axpy4", avx2, "func(n int, y, a *"+p.name+", lda int, x *"+p.name+")", "adds four rows of n elements; Tier."+p.method("axpy4")+" is its definition.")
	n, arrays := Load(Param("n"), GP64()), pointers("y", "a")
	a := arrays[1]
	lda, last := Load(Param("lda"), GP64()).(Register), Mem{Base: GP64()}
	SHLQ(Imm(uint64(p.size/4+1)), lda)
	LEAQ(a.Idx(lda, 2), last.Base)
	ADDQ(lda, last.Base)
	arrays = []Mem{arrays[0], a, a.Idx(lda, 1), a.Idx(lda, 2), last}
	x, factors := pointers("x")[0], zeros(4)
	for r, f := range factors {
		p.broadcast(x.Offset(p.size*r), f)
	}
	p.each(n.(Register), arrays, 2, func(_ int, at []Mem) {
		v := YMM()
		VMOVUPS(at[0], v)
		for r, f := range factors {
			p.fma(at[1+r], f, v)
		}
		VMOVUPS(v, at[0])
	}, func() {}, func() {
		v := XMM()
		p.moveOne(arrays[0], v)
		for r, f := range factors {
			p.fmaOne(arrays[1+r], f.AsX(), v)
		}
		p.moveOne(v, arrays[0])
	})
	ret()
}

// method is the name of the kernel's definition.
func (p precision) method(routine string) string {
	return string(p.letter[0]-'a'+'A') + routine
}
