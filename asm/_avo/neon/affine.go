package main

import "fmt"

// affine emits what normalising columns takes: n rows of 16 or 8 columns, whose factors,
// terms and sums stay in registers while the rows pass.
//
//	y = scale*x + shift
//	dx = scale*dy + (slope*x + shift)
//	sum += a;  products += a*b, in float64, which holds each product exactly
//
// The first two round each product and each sum.
func affine() {
	for _, r := range []int{16, 8} {
		rows(fmt.Sprintf("affine%d", r), r, []string{"y", "x"}, []string{"scale", "shift"}, func(k *kernel, at []place, c []*reg) {
			k.put(k.new("fadd", k.new("fmul", k.get(at[1]), c[0]), c[1]), at[0])
		})
		rows(fmt.Sprintf("affinesum%d", r), r, []string{"dx", "dy", "x"}, []string{"scale", "slope", "shift"}, func(k *kernel, at []place, c []*reg) {
			d, x := k.new("fmul", k.get(at[1]), c[0]), k.new("fmul", k.get(at[2]), c[1])
			k.put(k.new("fadd", d, k.new("fadd", x, c[2])), at[0])
		})
		columnSums(r)
	}
}

// rows emits a loop over n rows of arrays, stride apart, of r columns whose constants are
// loaded before it; row emits the work on four columns.
func rows(name string, r int, arrays, constants []string, row func(k *kernel, at []place, c []*reg)) {
	k := newKernel(name)
	n, stride := k.load("n"), k.bytes("stride", 2)
	at := make([]place, len(arrays))
	for i, a := range arrays {
		at[i].base = k.load(a)
	}
	c := make([][]*reg, r/4)
	for _, name := range constants {
		from := k.load(name)
		for i := range c {
			c[i] = append(c[i], k.ldNew(from, 16*i))
		}
	}
	k.label("row")
	for i := range c {
		for j := range at {
			at[j].at = 16 * i
		}
		row(k, at, c[i])
	}
	for _, p := range at {
		k.op("ADD R%v, R%v", stride, p.base)
	}
	k.countDown(n, 1, "row")
	k.ret()
}

// columnSums emits sums of r columns and of their products with those of another array.
func columnSums(r int) {
	k := newKernel(fmt.Sprintf("columnsums%d", r))
	n, stride := k.load("n"), k.bytes("stride", 2)
	totals := []*reg{k.load("sum"), k.load("products")}
	a, b := k.load("a"), k.load("b")
	sums := make([][]*reg, len(totals))
	for i, from := range totals {
		for j := range r / 2 {
			sums[i] = append(sums[i], k.ldNew(from, 16*j))
		}
	}
	k.label("row")
	for i := range r / 4 {
		x, y := k.ldNew(a, 16*i), k.ldNew(b, 16*i)
		for j, convert := range []string{"fcvtl", "fcvtl2"} {
			wideX, wideY, at := vec(), vec(), 2*i+j
			k.unary(convert, wideX, x)
			k.unary(convert, wideY, y)
			k.float("fadd", d2, sums[0][at], sums[0][at], wideX)
			k.op("VFMLA V%v.D2, V%v.D2, V%v.D2", wideX, wideY, sums[1][at])
		}
	}
	k.op("ADD R%v, R%v", stride, a)
	k.op("ADD R%v, R%v", stride, b)
	k.countDown(n, 1, "row")
	for i, to := range totals {
		for j, v := range sums[i] {
			k.st(v, to, 16*j)
		}
	}
	k.ret()
}
