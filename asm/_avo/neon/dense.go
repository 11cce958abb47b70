package main

// dense emits what factorisations in float64 spend their time in: the micro-kernel of the
// matrix product, of packed operands, and the products of rows and vectors.
func dense() {
	productKernel()
	dotAxpyKernel()
	axpyKernel()
	gerKernel()
}

// productKernel emits tiles of 6 rows by 8 columns: a step takes 33 instructions for 48
// multiply-adds.
func productKernel() {
	const mr = 6
	k := newKernel("product6x8")
	n, a, b, c, ldc := k.load("k"), k.load("a"), k.load("b"), k.load("c"), k.bytes("ldc", 3)
	acc := k.accumulators(mr, 4)
	k.label("step")
	row := vecs(4)
	k.op("VLD1.P 64(R%v), [V%v.D2, V%v.D2, V%v.D2, V%v.D2]", b, row[0], row[1], row[2], row[3])
	for i := range acc {
		ai := vec()
		k.op("VLD1R.P 8(R%v), [V%v.D2]", a, ai)
		for j := range row {
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", row[j], ai, acc[i][j])
		}
	}
	k.countDown(n, 1, "step")
	for i := range acc {
		for j, v := range acc[i] {
			k.float("fadd", d2, v, v, k.ldNew(c, 16*j))
			k.st(v, c, 16*j)
		}
		k.op("ADD R%v, R%v", ldc, c)
	}
	k.ret()
}

// factors returns the four float64 at a pointer, each in both lanes of a vector.
func (k *kernel) factors(name string) [4]*reg {
	var f [4]*reg
	base := k.load(name)
	for i := range f {
		f[i] = vec()
		k.op("VLD1R.P 8(R%v), [V%v.D2]", base, f[i])
	}
	return f
}

// fourRows returns pointers to four rows.
func (k *kernel) fourRows(first, stride string) []*reg {
	rows, step := []*reg{k.load(first)}, k.bytes(stride, 3)
	for i := range 3 {
		rows = append(rows, gp())
		k.op("ADD R%v, R%v, R%v", step, rows[i], rows[i+1])
	}
	return rows
}

func dotAxpyKernel() {
	k := newKernel("dotaxpy4")
	n, rows, x, y, factor := k.load("n"), k.fourRows("a", "lda"), k.load("x"), k.load("y"), k.factors("u")
	sums := k.accumulators(4, 2)
	k.label("step")
	for half := range 2 {
		xs, ys := k.ldNew(x, 16*half), k.ldNew(y, 16*half)
		for i, row := range rows {
			v := k.ldNew(row, 16*half)
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", v, xs, sums[i][half])
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", v, factor[i], ys)
		}
		k.st(ys, y, 16*half)
	}
	k.move(32, append(rows, x, y)...)
	k.countDown(n, 4, "step")
	k.comment("Sums 0 and 2, 1 and 3, then both.")
	dot := k.load("dot")
	for i, s := range sums {
		k.float("fadd", d2, s[0], s[0], s[1])
		k.float("faddp", d2, s[0], s[0], s[0])
		total := vec()
		k.op("FMOVD %d(R%v), F%v", 8*i, dot, total)
		k.op("FADDD F%v, F%v", s[0], total)
		k.op("FMOVD F%v, %d(R%v)", total, 8*i, dot)
	}
	k.ret()
}

func axpyKernel() {
	k := newKernel("axpy4")
	n, y, factor := k.load("n"), k.load("y"), k.factors("x")
	var rows []*reg
	for _, name := range []string{"a", "b", "c", "d"} {
		rows = append(rows, k.load(name))
	}
	k.label("step")
	for half := range 2 {
		sum := k.ldNew(y, 16*half)
		for i, row := range rows {
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", k.ldNew(row, 16*half), factor[i], sum)
		}
		k.st(sum, y, 16*half)
	}
	k.move(32, append(rows, y)...)
	k.countDown(n, 4, "step")
	k.ret()
}

func gerKernel() {
	k := newKernel("ger4")
	n, rows, a, factor := k.load("n"), k.fourRows("y", "ldy"), k.load("a"), k.factors("x")
	k.label("step")
	for half := range 2 {
		v := k.ldNew(a, 16*half)
		for i, row := range rows {
			sum := k.ldNew(row, 16*half)
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", v, factor[i], sum)
			k.st(sum, row, 16*half)
		}
	}
	k.move(32, append(rows, a)...)
	k.countDown(n, 4, "step")
	k.ret()
}
