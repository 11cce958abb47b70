package main

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/internal/toomcook"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// winograd emits the transforms of Winograd's convolution (Winograd, Arithmetic
// Complexity of Computations, 1980; Lavin and Gray, CVPR 2016).
//
// To convolve is to multiply polynomials. Those of degree below n are known by
// their values at n points, of which infinity, the leading coefficient, may be
// one; so r taps g and m outputs y = A^T [(G g) * (B^T d)] of n = m+r-1 inputs d
// take n multiplications, not m*r. G evaluates the taps at the points (divided by
// what Lagrange's interpolation divides by), A^T evaluates monomials there, and
// B^T holds the coefficients of the interpolating polynomials. In two dimensions
// every transform acts on columns and on rows.
//
// Points 0, 1, -1, infinity give F(2x2, 3x3), of 16 multiplications for 36. Points
// 0, 3/4, -3/4, 3/2, -3/2, infinity give F(4x4, 3x3), of 36 for 144, and F(2x2, 5x5),
// of 36 for 100, with one and the same B; their powers stay near 1, so that the largest
// error is a fifth of what the usual 1, -1, 2, -2 give. Eight points give F(4x4, 5x5),
// of 64 for 400. The gradient of the taps, G^T [(A dy) * (B^T d)], needs the adjoints of
// the output and filter transforms, A and G^T, besides.
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

// transform emits dst = M src M^T for grids of vectors of 8 channels, the count a
// positive multiple of 8: rows first, into memory on the stack, then columns.
// The epilogue is what a layer does next: a bias is added, and what is below a floor
// raised to it.
func transform(name string, m toomcook.Matrix, epilogue bool) {
	out, in := len(m), len(m[0])
	definition := "Transform"
	params := "n int, dst *float32, dstRow, dstCol int, src *float32, srcRow, srcCol int"
	if epilogue {
		params += ", bias *float32, floor float32"
		definition = "Output"
	}
	kernel(name, avx2, "func("+params+")", fmt.Sprintf("transforms a grid of %d x %d into one of %d x %d, of n channels; Tier.%s is its definition.", in, in, out, out, definition))
	Attributes(0) // may grow the stack, where half of the transform stays

	n := Load(Param("n"), GP64())
	src := newGrid("src", "srcRow", "srcCol", in)
	dst := newGrid("dst", "dstCol", "dstRow", out) // a column at a time
	var bias Mem
	var floor VecVirtual
	if epilogue {
		bias = Mem{Base: Load(Param("bias"), GP64())}
		floor = YMM()
		VBROADCASTSS(mustResolve(Param("floor")), floor)
	}
	local := AllocLocal(32*out*in + 32)
	half := Mem{Base: GP64()} // [row of src][column of dst], aligned
	LEAQ(local.Offset(31), half.Base)
	ANDQ(I8(-32), half.Base)

	Label("channels")
	Comment("Rows.")
	src.rewind()
	for i := range in {
		x := make([]VecVirtual, in)
		for j := range x {
			x[j] = YMM()
			VMOVUPS(src.at(j), x[j])
		}
		for j, y := range apply(m, x) {
			VMOVUPS(y, half.Offset(32*(i*out+j)))
		}
		if i < in-1 {
			src.next()
		}
	}
	Comment("Columns.")
	dst.rewind()
	for j := range out {
		x := make([]VecVirtual, in)
		for i := range x {
			x[i] = YMM()
			VMOVUPS(half.Offset(32*(i*out+j)), x[i])
		}
		for i, y := range apply(m, x) {
			if epilogue {
				sum := YMM()
				VADDPS(bias, y, sum)
				y = sum
				VMAXPS(y, floor, y) // of a NaN, the NaN
			}
			VMOVUPS(y, dst.at(i))
		}
		if j < out-1 {
			dst.next()
		}
	}
	ADDQ(Imm(32), src.base)
	ADDQ(Imm(32), dst.base)
	if epilogue {
		ADDQ(Imm(32), bias.Base)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("channels"))
	ret()
}

// grid walks over lines of up to 8 elements. The second half of a line has a pointer of
// its own.
type grid struct {
	base, line, line4      Register // the first line, the present one, and its element 4
	lineStride             Register
	elementStride, stride3 Register // stride3 is 3 times the stride of elements
}

func newGrid(base, lineStride, elementStride string, size int) *grid {
	g := &grid{base: Load(Param(base), GP64()), lineStride: Load(Param(lineStride), GP64()), elementStride: Load(Param(elementStride), GP64()), line: GP64()}
	SHLQ(Imm(2), g.lineStride)
	SHLQ(Imm(2), g.elementStride)
	if size > 3 {
		g.stride3 = GP64()
		LEAQ(Mem{Base: g.elementStride, Index: g.elementStride, Scale: 2}, g.stride3)
	}
	if size > 4 {
		g.line4 = GP64()
	}
	return g
}

// rewind goes to the first line.
func (g *grid) rewind() {
	MOVQ(g.base, g.line)
	if g.line4 != nil {
		LEAQ(Mem{Base: g.line, Index: g.elementStride, Scale: 4}, g.line4)
	}
}

// next goes to the next line.
func (g *grid) next() {
	ADDQ(g.lineStride, g.line)
	if g.line4 != nil {
		ADDQ(g.lineStride, g.line4)
	}
}

// at returns the address of element i of the present line.
func (g *grid) at(i int) Mem {
	m := Mem{Base: g.line}
	if i >= 4 {
		m.Base = g.line4
	}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = g.elementStride, uint8(i%4)
	case 3:
		m.Index, m.Scale = g.stride3, 1
	}
	return m
}

// apply emits y = M x. Points p and -p, which are neighbours in every transform,
// share their work: where they are rows of M, even and odd columns have sums of
// their own, the odd ones over their last factor f, and the rows are even + f odd and
// even - f odd; where they are columns, the sum and the difference of their x are
// taken first.
func apply(m toomcook.Matrix, x []VecVirtual) []VecVirtual {
	y := make([]VecVirtual, len(m))
	n := len(m)
	if n >= len(x) { // rows are points
		y[0], y[n-1] = sum(m[0], x, 0, 1, 1), sum(m[n-1], x, 0, 1, 1)
		for i := 1; i < n-1; i += 2 {
			f := toomcook.LastOddFactor(m[i])
			even, odd := sum(m[i], x, 0, 2, 1), sum(m[i], x, 1, 2, f)
			y[i], y[i+1] = YMM(), YMM()
			VMOVAPS(even, y[i])
			VFMADD231PS(constant(f), odd, y[i])
			VMOVAPS(even, y[i+1])
			VFNMADD231PS(constant(f), odd, y[i+1])
		}
		return y
	}
	n = len(x)
	sums, differences := append([]VecVirtual{}, x...), append([]VecVirtual{}, x...)
	for j := 1; j < n-1; j += 2 {
		sums[j], differences[j] = YMM(), YMM()
		VADDPS(x[j+1], x[j], sums[j])
		VSUBPS(x[j+1], x[j], differences[j])
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
		y[i] = sum(factors, pairs, 0, 1, 1)
	}
	return y
}

// sum emits the sum of row[j]/f * x[j] for j = start, start+step, ...: terms with
// factor 1 first, then by rising j, one rounding each.
func sum(row []float64, x []VecVirtual, start, step int, f float64) VecVirtual {
	var acc VecVirtual
	for _, unit := range []bool{true, false} {
		for j := start; j < len(x); j += step {
			c, next := row[j]/f, YMM()
			switch {
			case c == 0 || (c == 1) != unit:
				continue
			case acc == nil && c == 1:
				next = x[j]
			case acc == nil:
				VMULPS(constant(c), x[j], next)
			case c == 1:
				VADDPS(x[j], acc, next)
			case c == -1:
				VSUBPS(x[j], acc, next)
			default:
				VMOVAPS(acc, next)
				VFMADD231PS(constant(c), x[j], next)
			}
			acc = next
		}
	}
	return acc
}

var constants = map[float64]Mem{}

// constant returns 8 copies of c in memory.
func constant(c float64) Mem {
	if m, ok := constants[c]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("factor%d", len(constants)), RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(math.Float32bits(float32(c))))
	}
	constants[c] = m
	return m
}
