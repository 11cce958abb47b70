package main

// precision is float32 or float64: the letter that BLAS has for it, the suffix of the
// assembler's instructions for one number, its size and its lanes.
type precision struct {
	letter, suffix string
	size           int
	lanes          string // of a vector, here and in the assembler's spelling
	spelt          string
}

var (
	single = precision{"s", "S", 4, s4, "S4"}
	double = precision{"d", "D", 8, d2, "D2"}
)

// vectors emits what BLAS does with vectors, in both precisions, two vectors here being one
// of AVX2's.
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

// each emits loops over the count n of elements of arrays: 32 bytes many times a step, then once,
// and then, after what stands between, one element. With each 16 bytes goes which they are.
func (p precision) each(k *kernel, n *reg, arrays []*reg, many int, vector func(i int, at []place), between func(), one func()) {
	for _, loop := range []struct {
		label, rest string
		count       int
	}{{"many", "vectors", many}, {"vectors", "rest", 1}} {
		elements := 32 / p.size * loop.count
		k.label(loop.label)
		k.op("CMP $%d, R%v", elements, n)
		k.branch("BLT", loop.rest)
		for i := range 2 * loop.count {
			at := make([]place, len(arrays))
			for j, a := range arrays {
				at[j] = place{a, 16 * i}
			}
			vector(i, at)
		}
		k.move(32*loop.count, arrays...)
		k.op("SUB $%d, R%v", elements, n)
		k.branch("JMP", loop.label)
	}
	k.label("rest")
	between()
	k.label("ones")
	k.branch("CBZ R%v,", "done", n)
	one()
	k.move(p.size, arrays...)
	k.op("SUB $1, R%v", n)
	k.branch("JMP", "ones")
	k.label("done")
}

// total adds pairs of vectors to the first, neighbours first, then the two of the pair, and
// then neighbours in it.
func (p precision) total(k *kernel, sums []*reg) *reg {
	for step := 2; step < len(sums); step *= 2 {
		for i := 0; i+step < len(sums); i += 2 * step {
			k.float("fadd", p.lanes, sums[i], sums[i], sums[i+step])
			k.float("fadd", p.lanes, sums[i+1], sums[i+1], sums[i+step+1])
		}
	}
	k.float("fadd", p.lanes, sums[0], sums[0], sums[1])
	for lanes := 16 / p.size; lanes > 1; lanes /= 2 {
		k.float("faddp", p.lanes, sums[0], sums[0], sums[0])
	}
	return sums[0]
}

// fma is z += x y in all lanes, and fmaOne in one.
func (p precision) fma(k *kernel, x, y, z *reg) {
	k.op("VFMLA V%v."+p.spelt+", V%v."+p.spelt+", V%v."+p.spelt, x, y, z)
}

func (p precision) fmaOne(k *kernel, x, y, z *reg) {
	k.op("FMADD"+p.suffix+" F%v, F%v, F%v, F%v", x, z, y, z)
}

// get loads one number, and put stores it.
func (p precision) get(k *kernel, base *reg) *reg {
	v := vec()
	k.op("FMOV"+p.suffix+" (R%v), F%v", base, v)
	return v
}

func (p precision) put(k *kernel, v, base *reg) { k.op("FMOV"+p.suffix+" F%v, (R%v)", v, base) }

func (p precision) result(k *kernel, v *reg) {
	_, at := k.offset("ret")
	k.op("FMOV"+p.suffix+" F%v, ret+%d(FP)", v, at)
	k.ret()
}

func (p precision) dot() {
	k := newKernel(p.letter + "dot")
	n, x, y, sums := k.load("n"), k.load("x"), k.load("y"), k.accumulators(8, 1)
	var total *reg
	p.each(k, n, []*reg{x, y}, 4, func(i int, at []place) {
		p.fma(k, k.get(at[0]), k.get(at[1]), sums[i][0])
	}, func() { total = p.total(k, first(sums)) }, func() {
		p.fmaOne(k, p.get(k, x), p.get(k, y), total)
	})
	p.result(k, total)
}

// first returns the first register of each row.
func first(rows [][]*reg) []*reg {
	var v []*reg
	for _, row := range rows {
		v = append(v, row[0])
	}
	return v
}

func (p precision) asum() {
	k := newKernel(p.letter + "asum")
	n, x, sums := k.load("n"), k.load("x"), k.accumulators(8, 1)
	mask := k.splat64(0x7fffffff_7fffffff) // all bits but the sign's
	if p.size == 8 {
		mask = k.splat64(0x7fffffff_ffffffff)
	}
	size := func(v *reg) *reg {
		k.op("VAND V%v.B16, V%v.B16, V%v.B16", v, mask, v)
		return v
	}
	var total *reg
	p.each(k, n, []*reg{x}, 4, func(i int, at []place) {
		k.float("fadd", p.lanes, sums[i][0], sums[i][0], size(k.get(at[0])))
	}, func() { total = p.total(k, first(sums)) }, func() {
		k.op("FADD"+p.suffix+" F%v, F%v", size(p.get(k, x)), total)
	})
	p.result(k, total)
}

func (p precision) axpy() {
	k := newKernel(p.letter + "axpy")
	n, y, x, alpha := k.load("n"), k.load("y"), k.load("x"), k.broadcast("alpha")
	p.each(k, n, []*reg{y, x}, 4, func(_ int, at []place) {
		v := k.get(at[0])
		p.fma(k, k.get(at[1]), alpha, v)
		k.put(v, at[0])
	}, func() {}, func() {
		v := p.get(k, y)
		p.fmaOne(k, p.get(k, x), alpha, v)
		p.put(k, v, y)
	})
	k.ret()
}

func (p precision) scal() {
	k := newKernel(p.letter + "scal")
	n, x, alpha := k.load("n"), k.load("x"), k.broadcast("alpha")
	p.each(k, n, []*reg{x}, 4, func(_ int, at []place) {
		v := k.get(at[0])
		k.float("fmul", p.lanes, v, v, alpha)
		k.put(v, at[0])
	}, func() {}, func() {
		v := p.get(k, x)
		k.op("FMUL"+p.suffix+" F%v, F%v", alpha, v)
		p.put(k, v, x)
	})
	k.ret()
}

// rowsOf returns pointers to four rows, lda elements apart.
func (p precision) rowsOf(k *kernel) []*reg {
	rows, step := []*reg{k.load("a")}, k.bytes("lda", p.size/4+1)
	for i := range 3 {
		rows = append(rows, gp())
		k.op("ADD R%v, R%v, R%v", step, rows[i], rows[i+1])
	}
	return rows
}

func (p precision) dot4() {
	k := newKernel(p.letter + "dot4")
	n, rows, x, sums := k.load("n"), p.rowsOf(k), k.load("x"), k.accumulators(4, 4)
	p.each(k, n, append(rows, x), 2, func(i int, at []place) {
		v := k.get(at[4])
		for r := range rows {
			p.fma(k, k.get(at[r]), v, sums[r][i])
		}
	}, func() {
		for r := range rows {
			p.total(k, sums[r])
		}
	}, func() {
		v := p.get(k, x)
		for r, row := range rows {
			p.fmaOne(k, p.get(k, row), v, sums[r][0])
		}
	})
	dot := k.load("dot")
	for r := range rows {
		p.put(k, sums[r][0], dot)
		k.move(p.size, dot)
	}
	k.ret()
}

func (p precision) axpy4() {
	k := newKernel(p.letter + "axpy4")
	n, y, rows, x := k.load("n"), k.load("y"), p.rowsOf(k), k.load("x")
	var factors [4]*reg
	for r := range factors {
		factors[r] = vec()
		k.op("VLD1R.P %d(R%v), [V%v."+p.spelt+"]", p.size, x, factors[r])
	}
	p.each(k, n, append(rows, y), 2, func(_ int, at []place) {
		v := k.get(at[4])
		for r, f := range factors {
			p.fma(k, k.get(at[r]), f, v)
		}
		k.put(v, at[4])
	}, func() {}, func() {
		v := p.get(k, y)
		for r, f := range factors {
			p.fmaOne(k, p.get(k, rows[r]), f, v)
		}
		p.put(k, v, y)
	})
	k.ret()
}
