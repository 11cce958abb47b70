package blas

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// call is a routine with all its arguments but the matrices, of which a and b are read and c
// is written; for the triangles, b. Each matrix has the given elements in a row.
type call struct {
	name         string
	terms        int // of a sum
	a, b, c      shape
	run64        func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int)
	run32        func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int)
	triangle     blas.Uplo // of which the other triangle of A is not read
	triangleOfC  blas.Uplo // of which the other triangle of C is not written
	overwritesC  bool      // beta is 0: C may hold NaN
	isSubstitute bool      // solves: A is to be well conditioned
}

type shape struct{ rows, cols int }

func flip(t blas.Transpose, rows, cols int) shape {
	if t == blas.NoTrans {
		return shape{rows, cols}
	}
	return shape{cols, rows}
}

// calls are all routines of levels 2 and 3 with every flag, for given sizes.
func calls(m, n, k int, alpha, beta float64) []call {
	alpha32, beta32 := float32(alpha), float32(beta)
	var all []call
	add := func(c call) {
		c.overwritesC = beta == 0 && c.c.rows > 0
		all = append(all, c)
	}
	transposes := []blas.Transpose{blas.NoTrans, blas.Trans}
	for _, tA := range transposes {
		for _, tB := range transposes {
			add(call{name: fmt.Sprintf("gemm %c%c", tA, tB), terms: k, a: flip(tA, m, k), b: flip(tB, k, n), c: shape{m, n},
				run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
					i.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
				},
				run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
					i.Sgemm(tA, tB, m, n, k, alpha32, a, lda, b, ldb, beta32, c, ldc)
				}})
		}
		in, out := n, m
		if tA != blas.NoTrans {
			in, out = m, n
		}
		add(call{name: fmt.Sprintf("gemv %c", tA), terms: in, a: shape{m, n}, b: shape{in, 1}, c: shape{out, 1},
			run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
				i.Dgemv(tA, m, n, alpha, a, lda, b, ldb, beta, c, ldc)
			},
			run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
				i.Sgemv(tA, m, n, alpha32, a, lda, b, ldb, beta32, c, ldc)
			}})
	}
	add(call{name: "ger", terms: 1, a: shape{m, 1}, b: shape{n, 1}, c: shape{m, n},
		run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
			i.Dger(m, n, alpha, a, lda, b, ldb, c, ldc)
		},
		run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
			i.Sger(m, n, alpha32, a, lda, b, ldb, c, ldc)
		}})
	all[len(all)-1].overwritesC = false
	for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
		add(call{name: fmt.Sprintf("symv %c", ul), terms: n, a: shape{n, n}, b: shape{n, 1}, c: shape{n, 1}, triangle: ul,
			run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
				i.Dsymv(ul, n, alpha, a, lda, b, ldb, beta, c, ldc)
			},
			run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
				i.Ssymv(ul, n, alpha32, a, lda, b, ldb, beta32, c, ldc)
			}})
		for _, s := range []blas.Side{blas.Left, blas.Right} {
			order := m
			if s == blas.Right {
				order = n
			}
			add(call{name: fmt.Sprintf("symm %c%c", s, ul), terms: order, a: shape{order, order}, b: shape{m, n}, c: shape{m, n}, triangle: ul,
				run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
					i.Dsymm(s, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc)
				},
				run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
					i.Ssymm(s, ul, m, n, alpha32, a, lda, b, ldb, beta32, c, ldc)
				}})
			for _, tA := range transposes {
				for _, d := range []blas.Diag{blas.NonUnit, blas.Unit} {
					if s == blas.Left {
						add(call{name: fmt.Sprintf("trmv %c%c%c", ul, tA, d), terms: m, a: shape{m, m}, b: shape{m, 1}, triangle: ul,
							run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) { i.Dtrmv(ul, tA, d, m, a, lda, b, ldb) },
							run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) { i.Strmv(ul, tA, d, m, a, lda, b, ldb) }})
						add(call{name: fmt.Sprintf("trsv %c%c%c", ul, tA, d), terms: m, a: shape{m, m}, b: shape{m, 1}, triangle: ul, isSubstitute: true,
							run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) { i.Dtrsv(ul, tA, d, m, a, lda, b, ldb) },
							run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) { i.Strsv(ul, tA, d, m, a, lda, b, ldb) }})
					}
					add(call{name: fmt.Sprintf("trmm %c%c%c%c", s, ul, tA, d), terms: order, a: shape{order, order}, b: shape{m, n}, triangle: ul,
						run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
							i.Dtrmm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
						},
						run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
							i.Strmm(s, ul, tA, d, m, n, alpha32, a, lda, b, ldb)
						}})
					add(call{name: fmt.Sprintf("trsm %c%c%c%c", s, ul, tA, d), terms: order, a: shape{order, order}, b: shape{m, n}, triangle: ul, isSubstitute: true,
						run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
							i.Dtrsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
						},
						run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
							i.Strsm(s, ul, tA, d, m, n, alpha32, a, lda, b, ldb)
						}})
				}
			}
		}
		for _, tA := range transposes {
			add(call{name: fmt.Sprintf("syrk %c%c", ul, tA), terms: k, a: flip(tA, n, k), c: shape{n, n}, triangleOfC: ul,
				run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
					i.Dsyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
				},
				run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
					i.Ssyrk(ul, tA, n, k, alpha32, a, lda, beta32, c, ldc)
				}})
			add(call{name: fmt.Sprintf("syr2k %c%c", ul, tA), terms: 2 * k, a: flip(tA, n, k), b: flip(tA, n, k), c: shape{n, n}, triangleOfC: ul,
				run64: func(i blas.Float64, a, b, c []float64, lda, ldb, ldc int) {
					i.Dsyr2k(ul, tA, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
				},
				run32: func(i blas.Float32, a, b, c []float32, lda, ldb, ldc int) {
					i.Ssyr2k(ul, tA, n, k, alpha32, a, lda, b, ldb, beta32, c, ldc)
				}})
		}
	}
	return all
}

// random returns a matrix whose rows lie stride apart, with NaN between them.
func random(rnd *rand.Rand, s shape, stride int) []float64 {
	if s.rows*s.cols == 0 {
		return nil
	}
	x := make([]float64, (s.rows-1)*stride+s.cols)
	for i := range x {
		if x[i] = math.NaN(); i%stride < s.cols {
			x[i] = float64(float32(rnd.NormFloat64()))
		}
	}
	return x
}

// inputs returns the matrices of a call: what must not be read is NaN.
func (c call) inputs(rnd *rand.Rand, pad int) (a, b, out []float64) {
	a, b, out = random(rnd, c.a, c.a.cols+pad), random(rnd, c.b, c.b.cols+pad), random(rnd, c.c, c.c.cols+pad)
	for i := range c.a.rows {
		if c.triangle == 0 {
			break
		}
		row := a[i*(c.a.cols+pad):][:c.a.cols]
		for j := range row {
			switch {
			case (c.triangle == blas.Upper) == (j < i) && i != j:
				row[j] = math.NaN()
			case c.isSubstitute && i == j:
				row[j] = 3
			case c.isSubstitute:
				row[j] /= float64(c.terms)
			}
		}
	}
	for i := range out {
		if c.overwritesC {
			out[i] = math.NaN()
		}
	}
	return a, b, out
}

// TestMatrices compares every routine of levels 2 and 3 with gonum's, in both precisions: to rounding, and to
// the bit between numbers of threads. What is not to be read holds NaN, and what is not to
// be written stays.
func TestMatrices(t *testing.T) {
	sizes := [][3]int{{1, 1, 1}, {3, 50, 7}, {49, 48, 65}, {97, 131, 30}}
	if !testing.Short() {
		sizes = append(sizes, [3]int{150, 20, 260}, [3]int{200, 211, 301}, [3]int{5, 600, 3}, [3]int{430, 2, 100})
	}
	withoutGonum(t)
	for _, size := range sizes {
		for _, factor := range [][2]float64{{1, 0}, {-0.5, 1}, {2, 0.25}, {0, 0.5}} {
			for _, c := range calls(size[0], size[1], size[2], factor[0], factor[1]) {
				rnd := rand.New(rand.NewPCG(uint64(size[0]), uint64(size[1])))
				for _, pad := range []int{0, 3} {
					a, b, out := c.inputs(rnd, pad)
					c.check(t, fmt.Sprintf("%s %v alpha, beta = %v pad %d", c.name, size, factor, pad), a, b, out, pad)
				}
			}
		}
	}
}

func (c call) check(t *testing.T, name string, a, b, out []float64, pad int) {
	t.Helper()
	run := func(i blas.Float64) []float64 {
		b, out := append([]float64(nil), b...), append([]float64(nil), out...)
		c.run64(i, a, b, out, c.a.cols+pad, c.b.cols+pad, c.c.cols+pad)
		if out == nil {
			return b
		}
		return out
	}
	narrow := func(x []float64) []float32 {
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = float32(v)
		}
		return y
	}
	run32 := func(i blas.Float32) []float64 {
		b, out := narrow(b), narrow(out)
		c.run32(i, narrow(a), b, out, c.a.cols+pad, c.b.cols+pad, c.c.cols+pad)
		if len(out) == 0 {
			out = b
		}
		x := make([]float64, len(out))
		for i, v := range out {
			x[i] = float64(v)
		}
		return x
	}
	ours := out
	if c.overwritesC { // gonum's Syrk adds to NaN
		out = append([]float64(nil), out...)
		for i := range out {
			if row, col := i/(c.c.cols+pad), i%(c.c.cols+pad); col < c.c.cols && (c.triangleOfC == 0 || row == col || (c.triangleOfC == blas.Upper) == (row < col)) {
				out[i] = 0
			}
		}
	}
	want := run(gonum.Implementation{})
	out = ours
	size := math.Sqrt(float64(c.terms))
	compare := func(what string, got []float64, bound float64) {
		t.Helper()
		for i, v := range want {
			if math.IsNaN(v) && math.IsNaN(got[i]) {
				continue
			}
			if !(math.Abs(got[i]-v) <= bound*(math.Abs(v)+size)) {
				t.Fatalf("%s %s: element %d is %v, want %v", name, what, i, got[i], v)
			}
		}
	}
	one, one32 := run(Implementation{Threads: 1}), run32(Implementation{Threads: 1})
	compare("float64", one, 1e-14)
	compare("float32", one32, 1e-5)
	two, two32 := run(Implementation{Threads: 2}), run32(Implementation{Threads: 2})
	for i := range one {
		if math.Float64bits(one[i]) != math.Float64bits(two[i]) && !math.IsNaN(one[i]) || one32[i] != two32[i] && !math.IsNaN(one32[i]) {
			t.Fatalf("%s: threads change element %d", name, i)
		}
	}
}

// TestInfinities: an infinity reaches only what depends on it.
func TestInfinities(t *testing.T) {
	withoutGonum(t)
	const n = 100
	a, b := make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i], b[i] = 1+float64(i%7), float64(i%5)
	}
	for i := range n {
		a[i*n+i] = 20
	}
	b[10*n+3] = math.Inf(1)
	for name, f := range map[string]func(Implementation, gonum.Implementation, []float64, []float64){
		"Dtrmm": func(i Implementation, g gonum.Implementation, x, y []float64) {
			i.Dtrmm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, x, n)
			g.Dtrmm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, y, n)
		},
		"Dtrsm": func(i Implementation, g gonum.Implementation, x, y []float64) {
			i.Dtrsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, x, n)
			g.Dtrsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, n, n, 1, a, n, y, n)
		},
	} {
		x, y := append([]float64(nil), b...), append([]float64(nil), b...)
		f(Implementation{}, gonum.Implementation{}, x, y)
		for i := range x {
			if finite := !math.IsInf(x[i], 0) && !math.IsNaN(x[i]); finite != (!math.IsInf(y[i], 0) && !math.IsNaN(y[i])) {
				t.Errorf("%s: element %d is %v, gonum's %v", name, i, x[i], y[i])
			}
		}
	}
}

// TestPanics: what gonum refuses is refused with gonum's words, whatever the size.
func TestPanics(t *testing.T) {
	i, x := Implementation{}, make([]float64, 1e4)
	for want, f := range map[string]func(){
		"illegal transpose":          func() { i.Dgemm('?', blas.NoTrans, 100, 100, 100, 1, x, 100, x, 100, 0, x, 100) },
		"insufficient length of a":   func() { i.Dgemm(blas.NoTrans, blas.NoTrans, 101, 100, 100, 1, x, 100, x, 100, 0, x, 100) },
		"bad leading dimension of B": func() { i.Dgemm(blas.NoTrans, blas.NoTrans, 100, 100, 100, 1, x, 100, x, 99, 0, x, 100) },
		"m < 0":                      func() { i.Dtrsm(blas.Left, blas.Upper, blas.NoTrans, blas.Unit, -1, 100, 1, x, 100, x, 100) },
		"illegal side":               func() { i.Dsymm('?', blas.Upper, 100, 100, 1, x, 100, x, 100, 0, x, 100) },
		"illegal triangle":           func() { i.Dsyrk('?', blas.NoTrans, 100, 100, 1, x, 100, 0, x, 100) },
		"illegal diagonal":           func() { i.Dtrmm(blas.Left, blas.Upper, blas.NoTrans, '?', 100, 100, 1, x, 100, x, 100) },
		"insufficient length of c":   func() { i.Dsyr2k(blas.Upper, blas.NoTrans, 100, 100, 1, x, 100, x, 100, 0, x[1:], 100) },
		"zero x index increment":     func() { i.Dgemv(blas.NoTrans, 100, 100, 1, x, 100, x, 0, 0, x, 1) },
		"insufficient length of y":   func() { i.Dgemv(blas.NoTrans, 100, 100, 1, x, 100, x, 1, 0, x[:99], 1) },
		"bad leading dimension of A": func() { i.Dgemv(blas.NoTrans, 100, 100, 1, x, 99, x, 1, 0, x, 1) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

// TestSameBits: every routine of levels 2 and 3 gives the same bits in every tier, under which this
// test is run, and for any number of threads.
func TestSameBits(t *testing.T) {
	const want = "391857886def77e"
	withoutGonum(t)
	for _, threads := range []int{1, 2, 3} {
		h := fnv.New64a()
		for _, c := range calls(97, 131, 70, -0.5, 0.25) {
			a, b, out := c.inputs(rand.New(rand.NewPCG(7, 8)), 0)
			c.run64(Implementation{Threads: threads}, a, b, out, c.a.cols, c.b.cols, c.c.cols)
			for _, v := range append(b, out...) {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
			narrow := func(x []float64) (y []float32) {
				for _, v := range x {
					y = append(y, float32(v))
				}
				return y
			}
			if strings.HasPrefix(c.name, "trmv") { // gonum's own in float32
				continue
			}
			a, b, out = c.inputs(rand.New(rand.NewPCG(7, 8)), 0)
			b32, out32 := narrow(b), narrow(out)
			c.run32(Implementation{Threads: threads}, narrow(a), b32, out32, c.a.cols, c.b.cols, c.c.cols)
			for _, v := range append(b32, out32...) {
				h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
			}
		}
		if got := fmt.Sprintf("%x", h.Sum64()); got != want {
			t.Errorf("threads=%d: digest %s, want %s", threads, got, want)
		}
	}
}

// TestVectors compares the routines of level 1 with gonum's, in both precisions, of vectors
// that lie side by side, apart, and beyond a run.
func TestVectors(t *testing.T) {
	withoutGonum(t)
	rnd := rand.New(rand.NewPCG(1, 1))
	near := func(name string, got, want, bound float64) {
		t.Helper()
		if !(math.Abs(got-want) <= bound) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	i, g := Implementation{}, gonum.Implementation{}
	for _, n := range []int{0, 1, 2, 31, 130, 300, run, run + 1, 2*run + 70} {
		for _, inc := range []int{1, 3} {
			x, y := random(rnd, shape{n, 1}, inc), random(rnd, shape{n, 1}, inc)
			x32, y32 := make([]float32, len(x)), make([]float32, len(y))
			for j := range x {
				x32[j], y32[j] = float32(x[j]), float32(y[j])
			}
			name, size := fmt.Sprintf("of %d elements %d apart", n, inc), float64(n)
			near("Ddot "+name, i.Ddot(n, x, inc, y, inc), g.Ddot(n, x, inc, y, inc), 1e-15*size)
			near("Sdot "+name, float64(i.Sdot(n, x32, inc, y32, inc)), g.Ddot(n, x, inc, y, inc), 1e-6*size)
			near("Dasum "+name, i.Dasum(n, x, inc), g.Dasum(n, x, inc), 1e-15*size)
			near("Sasum "+name, float64(i.Sasum(n, x32, inc)), g.Dasum(n, x, inc), 1e-5*size)
			near("Dnrm2 "+name, i.Dnrm2(n, x, inc), g.Dnrm2(n, x, inc), 1e-15*size)
			near("Snrm2 "+name, float64(i.Snrm2(n, x32, inc)), g.Dnrm2(n, x, inc), 1e-6*size)
			got, got32, want := slices.Clone(y), slices.Clone(y32), slices.Clone(y)
			i.Daxpy(n, -0.3, x, inc, got, inc)
			i.Saxpy(n, -0.3, x32, inc, got32, inc)
			g.Daxpy(n, -0.3, x, inc, want, inc)
			i.Dscal(n, 0.7, got, inc)
			i.Sscal(n, 0.7, got32, inc)
			g.Dscal(n, 0.7, want, inc)
			for j := 0; j < len(want); j += inc {
				near("Daxpy and Dscal "+name, got[j], want[j], 1e-15)
				near("Saxpy and Sscal "+name, float64(got32[j]), want[j], 1e-6)
			}
		}
	}
}

// TestNorms: lengths are right where squares leave the range, and of what is not finite.
func TestNorms(t *testing.T) {
	i, g := Implementation{}, gonum.Implementation{}
	for _, inc := range []int{1, 2} {
		x, x32 := make([]float64, 200), make([]float32, 200)
		for _, special := range []float64{0, 1e-320, 1e-200, 1e-160, 1e-30, 1e25, 1e150, 1e200, math.MaxFloat64 / 4, math.Inf(1), math.NaN()} {
			for j := range x {
				x[j] = special
				x32[j] = float32(special)
			}
			n := len(x) / inc
			if got, want := i.Dnrm2(n, x, inc), g.Dnrm2(n, x, inc); !(math.Abs(got-want) <= 1e-14*want) && !(got == want || got != got && want != want) {
				t.Errorf("Dnrm2 of %v, %d apart, is %v, gonum's %v", special, inc, got, want)
			}
			if got, want := float64(i.Snrm2(n, x32, inc)), float64(g.Snrm2(n, x32, inc)); !(math.Abs(got-want) <= 1e-5*want) && !(got == want || got != got && want != want) {
				t.Errorf("Snrm2 of %v, %d apart, is %v, gonum's %v", special, inc, got, want)
			}
			x[7*inc], x32[7*inc] = 0, 0
		}
	}
}
