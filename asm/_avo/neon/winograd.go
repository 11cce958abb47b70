package main

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/internal/toomcook"
)

// winograd emits the transforms of Winograd's convolution, which asm/_avo/winograd.go
// derives: dst = M src M^T for grids of vectors of four channels, rows first, into memory on
// the stack, then columns. Factors stand in lanes of registers.
func winograd() {
	for _, f := range []toomcook.Form{toomcook.F2x3, toomcook.F4x3, toomcook.F2x5, toomcook.F4x5} {
		name := fmt.Sprintf("%dx%d", f.M, f.R)
		input, filter, output := f.Matrices()
		if name != "2x5" { // which has the input of 4x3
			transform("transformInput"+name, input, false)
		}
		transform("transformFilter"+name, filter, false)
		transform("transformOutput"+name, output, true)
		transform("transformOutputAdjoint"+name, output.T(), false)
		transform("transformFilterAdjoint"+name, filter.T(), false)
	}
}

func transform(name string, m toomcook.Matrix, epilogue bool) {
	out, in := len(m), len(m[0])
	k := newKernel(name)
	t := &transformKernel{kernel: k, m: m, lane: make(map[float64]int)}
	n, src, dst := k.load("n"), k.load("src"), k.load("dst")
	srcRow, srcCol, dstRow, dstCol := k.bytes("srcRow", 2), k.bytes("srcCol", 2), k.bytes("dstRow", 2), k.bytes("dstCol", 2)
	var bias, floor *reg
	if epilogue {
		bias, floor = k.load("bias"), k.broadcast("floor")
	}
	half := k.local(16 * out * in) // [row of src][column of dst]
	t.loadFactors(name)

	k.label("channels")
	line, at := gp(), gp()
	k.comment("Rows.")
	k.op("MOVD R%v, R%v", src, line)
	for i := range in {
		x := make([]*reg, in)
		k.op("MOVD R%v, R%v", line, at)
		for j := range x {
			x[j] = vec()
			k.op("VLD1.P (R%v)(R%v), [V%v.S4]", at, srcCol, x[j])
		}
		for j, y := range t.apply(x) {
			k.st(y, half, 16*(i*out+j))
		}
		k.op("ADD R%v, R%v", srcRow, line)
	}
	k.comment("Columns.")
	var b *reg
	if epilogue {
		b = k.ldNew(bias, 0)
		k.move(16, bias)
	}
	k.op("MOVD R%v, R%v", dst, line)
	for j := range out {
		x := make([]*reg, in)
		for i := range x {
			x[i] = k.ldNew(half, 16*(i*out+j))
		}
		k.op("MOVD R%v, R%v", line, at)
		for _, y := range t.apply(x) {
			if epilogue {
				y = k.new("fadd", y, b)
				k.raise(s4, y, floor)
			}
			k.op("VST1.P [V%v.S4], (R%v)(R%v)", y, at, dstRow)
		}
		k.op("ADD R%v, R%v", dstCol, line)
	}
	k.move(16, src, dst)
	k.countDown(n, 4, "channels")
	k.ret()
}

// transformKernel is a transform by a matrix, whose factors are lanes of registers.
type transformKernel struct {
	*kernel
	m       toomcook.Matrix
	lane    map[float64]int // of each factor: 4 times its register and its lane there
	factors []*reg
}

// loadFactors loads the factors that the transform has: it asks once, of no effect.
func (t *transformKernel) loadFactors(name string) {
	trial := &transformKernel{kernel: &kernel{}, m: t.m, lane: t.lane}
	trial.apply(vecs(len(t.m[0])))
	if len(t.lane) == 0 {
		return
	}
	values := make([]uint64, (len(t.lane)+3)/4*4)
	for f, i := range t.lane {
		values[i] = uint64(math.Float32bits(float32(f)))
	}
	table := t.table("factors"+name, 4, values...)
	for i := 0; i < len(values); i += 4 {
		t.factors = append(t.factors, t.ldNew(table.base, 4*i))
	}
}

// times emits op (fmla, fmls or fmul) of x and a factor.
func (t *transformKernel) times(op string, dst, x *reg, factor float64) {
	i, ok := t.lane[factor]
	if !ok {
		i = len(t.lane)
		t.lane[factor] = i
	}
	if t.factors == nil { // a trial
		return
	}
	t.byElement(op, dst, x, t.factors[i/4], i%4)
}

func (t *transformKernel) copyOf(x *reg) *reg {
	v := vec()
	t.op("VORR V%v.B16, V%v.B16, V%v.B16", x, x, v)
	return v
}

// apply emits y = M x. Points p and -p, which are neighbours in every transform, share their
// work.
func (t *transformKernel) apply(x []*reg) []*reg {
	m, y := t.m, make([]*reg, len(t.m))
	n := len(m)
	if n >= len(x) { // rows are points
		y[0], y[n-1] = t.sum(m[0], x, 0, 1, 1), t.sum(m[n-1], x, 0, 1, 1)
		for i := 1; i < n-1; i += 2 {
			f := toomcook.LastOddFactor(m[i])
			even, odd := t.sum(m[i], x, 0, 2, 1), t.sum(m[i], x, 1, 2, f)
			y[i], y[i+1] = t.copyOf(even), t.copyOf(even)
			t.times("fmla", y[i], odd, f)
			t.times("fmls", y[i+1], odd, f)
		}
		return y
	}
	n = len(x)
	sums, differences := append([]*reg{}, x...), append([]*reg{}, x...)
	for j := 1; j < n-1; j += 2 {
		sums[j], differences[j] = t.new("fadd", x[j], x[j+1]), t.new("fsub", x[j], x[j+1])
	}
	for i, row := range m {
		factors := append([]float64{}, row...)
		pairs := sums
		for j := 1; j < n-1; j += 2 {
			if row[j+1] != row[j] {
				pairs = differences
			}
			factors[j+1] = 0
		}
		y[i] = t.sum(factors, pairs, 0, 1, 1)
	}
	return y
}

// sum emits the sum of row[j]/f * x[j] for j = start, start+step, ...: terms with factor 1
// first, then by rising j, one rounding each.
func (t *transformKernel) sum(row []float64, x []*reg, start, step int, f float64) *reg {
	var acc *reg
	owned := false // acc is not one of x
	for _, unit := range []bool{true, false} {
		for j := start; j < len(x); j += step {
			switch c := row[j] / f; {
			case c == 0 || (c == 1) != unit:
			case acc == nil && c == 1:
				acc = x[j]
			case acc == nil:
				acc, owned = vec(), true
				t.times("fmul", acc, x[j], c)
			case c == 1:
				acc, owned = t.new("fadd", acc, x[j]), true
			case c == -1:
				acc, owned = t.new("fsub", acc, x[j]), true
			default:
				if !owned {
					acc, owned = t.copyOf(acc), true
				}
				t.times("fmla", acc, x[j], c)
			}
		}
	}
	return acc
}
