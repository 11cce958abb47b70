package main

import "fmt"

// strip emits the loops over strips that layers are made of, eight elements a step, the
// count a positive multiple of 8. Each does what its twin in package asm does, one rounding
// an operation.
func strip() {
	stripKernel("add8", []string{"dst", "a"}, func(k *kernel) func(at []place) {
		return func(at []place) { k.put(k.new("fadd", k.get(at[0]), k.get(at[1])), at[0]) }
	})

	stripKernel("relu8", []string{"x"}, func(k *kernel) func(at []place) {
		zero := k.zeros()
		return func(at []place) {
			v := k.get(at[0])
			k.raise(s4, v, zero)
			k.put(v, at[0])
		}
	})

	stripKernel("relugrad8", []string{"d", "y"}, func(k *kernel) func(at []place) {
		zero := k.zeros()
		return func(at []place) {
			mask := k.new("fcmgt", k.get(at[1]), zero)
			k.op("VAND V%v.B16, V%v.B16, V%v.B16", k.get(at[0]), mask, mask)
			k.put(mask, at[0])
		}
	})

	zeroSum()

	// x / (r sqrt(r)) with r = sqrt(s), by the reciprocal.
	stripKernel("threequarters8", []string{"dst", "x", "s"}, func(k *kernel) func(at []place) {
		one := k.float32s(1)
		return func(at []place) {
			root, power := vec(), vec()
			k.unary("fsqrt", root, k.get(at[2]))
			k.unary("fsqrt", power, root)
			k.float("fmul", s4, power, root, power)
			k.float("fdiv", s4, power, one, power)
			k.float("fmul", s4, power, k.get(at[1]), power)
			k.put(power, at[0])
		}
	})

	stripKernel("max8", []string{"maxima", "argmax", "x"}, func(k *kernel) func(at []place) {
		index, step := k.broadcast("offset"), k.splat(4)
		k.op("VADD V%v.S4, V%v.S4, V%v.S4", k.get(k.table("lanes", 4, 0, 1, 2, 3)), index, index)
		return func(at []place) {
			maxima, argmax, x := k.get(at[0]), k.get(at[1]), k.get(at[2])
			above := k.new("fcmgt", x, maxima)
			k.insert(maxima, x, above)
			k.insert(argmax, index, above)
			k.put(maxima, at[0])
			k.put(argmax, at[1])
			k.op("VADD V%v.S4, V%v.S4, V%v.S4", step, index, index)
		}
	})
}

// zeroSum emits the sum of zero times n elements: 0, or NaN if an element is NaN or infinite.
func zeroSum() {
	k := newKernel("zerosum32")
	n, x, zero := k.load("n"), k.load("x"), k.zeros()
	sums := k.accumulators(8, 1)
	k.label("step")
	for i, s := range sums {
		k.op("VFMLA V%v.S4, V%v.S4, V%v.S4", k.ldNew(x, 16*i), zero, s[0])
	}
	k.move(128, x)
	k.countDown(n, 32, "step")
	total := sums[0][0]
	for _, s := range sums[1:] {
		k.float("fadd", s4, total, total, s[0])
	}
	k.float("faddp", s4, total, total, total)
	k.float("faddp", s4, total, total, total)
	_, at := k.offset("ret")
	k.op("FMOVS F%v, ret+%d(FP)", total, at)
	k.ret()
}

// place is so many bytes from a pointer.
type place struct {
	base *reg
	at   int
}

func (k *kernel) get(p place) *reg    { return k.ldNew(p.base, p.at) }
func (k *kernel) put(v *reg, p place) { k.st(v, p.base, p.at) }

// new returns a new vector a op b of four float32.
func (k *kernel) new(op string, a, b *reg) *reg {
	v := vec()
	k.float(op, s4, v, a, b)
	return v
}

// insert copies lanes of v where the mask is ones.
func (k *kernel) insert(dst, v, mask *reg) {
	k.op("VBIT V%v.B16, V%v.B16, V%v.B16", mask, v, dst)
}

// stripKernel emits a loop over n elements of each of the named arrays; setup emits what
// comes before the loop and returns what emits the work on four elements of each.
func stripKernel(name string, arrays []string, setup func(k *kernel) func(at []place)) {
	k := newKernel(name)
	n := k.load("n")
	at := make([]place, len(arrays))
	for i, a := range arrays {
		at[i].base = k.load(a)
	}
	body := setup(k)
	k.label("step")
	for half := range 2 {
		for i := range at {
			at[i].at = 16 * half
		}
		body(at)
	}
	for _, p := range at {
		k.move(32, p.base)
	}
	k.countDown(n, 8, "step")
	k.ret()
}

// zeros returns a vector of zeros.
func (k *kernel) zeros() *reg {
	v := vec()
	k.zero(v)
	return v
}

// splat returns four copies of an int32, splat64 two of an int64.
func (k *kernel) splat(bits uint32) *reg {
	v, r := vec(), gp()
	k.op("MOVD $0x%x, R%v", bits, r)
	k.op("VDUP R%v, V%v.S4", r, v)
	return v
}

func (k *kernel) splat64(bits uint64) *reg {
	v, r := vec(), gp()
	k.op("MOVD $0x%x, R%v", bits, r)
	k.op("VDUP R%v, V%v.D2", r, v)
	return v
}

// table returns where numbers of so many bytes each stand, under a name that is the file's.
func (k *kernel) table(name string, size int, values ...uint64) place {
	fmt.Fprintln(&file.tables)
	for i, v := range values {
		fmt.Fprintf(&file.tables, "DATA %s<>+%d(SB)/%d, $0x%x\n", name, size*i, size, v)
	}
	fmt.Fprintf(&file.tables, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", name, size*len(values))
	r := gp()
	k.op("MOVD $"+name+"<>(SB), R%v", r)
	return place{r, 0}
}
