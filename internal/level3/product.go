// Package level3 is the dense linear algebra of convergent: the five loops of
// BLIS (Van Zee and van de Geijn, ACM TOMS 2015) around the micro-kernels of
// package asm, with packing as the seam. Whatever can pack itself (see
// [Operand]) can be multiplied, so convolutions and covariances are matrix
// products without a matrix.
//
// An element of C is a sum over blocks of KC terms, each block summed from zero
// by one fused multiply-add a term, and the blocks added in order. Neither the
// tier nor the number of threads nor the other blocking figures change that
// order, so they do not change a bit of the result.
package level3

import (
	"sync"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// The blocking figures. KC is part of the meaning of a result (see the package
// comment); the others only of its speed.
const (
	// KC terms at a time: a B micro-panel of KC x NR floats is 24 KB (AVX2) or
	// 48 KB (AVX-512) and comes from the first- or second-level cache. More terms
	// would spill it further, fewer would visit C more often.
	KC = 384

	// mc rows of A at a time, a multiple of every MR: mc x KC floats are 288 KB
	// and stay in the second-level cache.
	mc = 192

	// nc columns of B at a time, a multiple of every NR.
	nc = 1536

	// narrow products read A where it lies: each term is used so seldom that
	// packing it would not pay.
	narrow = 128

	// slab is how many blocks of KC are packed of B at once, so that threads
	// meet seldom: at most slab*KC x nc floats, 18 MB of the third level.
	slab = 8
)

// Gemm computes C = A B^T, or C += A B^T if accumulate, for the m vectors of k
// terms of a and the n of b:
//
//	C[i*ldc+j] (+)= sum over k of a_i[k] * b_j[k]
//
// on at most threads threads.
func Gemm(threads, m, n, k int, a, b Operand, c []float32, ldc int, accumulate bool) {
	p := product{m: m, n: n, k: k, a: a, b: b, c: c, ldc: ldc, accumulate: accumulate}
	p.run(asm.Active(), threads)
}

// GemmBias is Gemm that overwrites, with bias[j] added to each C[i,j] last.
func GemmBias(threads, m, n, k int, a, b Operand, c []float32, ldc int, bias []float32) {
	p := product{m: m, n: n, k: k, a: a, b: b, c: c, ldc: ldc, bias: bias}
	p.run(asm.Active(), threads)
}

// Syrk computes the upper triangle, j >= i, of C = A A^T for the n vectors of k
// terms of a. What it leaves below the diagonal is unspecified.
func Syrk(threads, n, k int, a Operand, c []float32, ldc int) {
	p := product{m: n, n: n, k: k, a: a, b: a, c: c, ldc: ldc, upper: true}
	p.run(asm.Active(), threads)
}

type product struct {
	m, n, k    int
	a, b       Operand
	c          []float32
	ldc        int
	accumulate bool
	upper      bool      // skip tiles that lie wholly below the diagonal
	bias       []float32 // added after the last term; nil: none

	tier asm.Tier
	tile asm.Tile
}

func (p *product) run(tier asm.Tier, threads int) {
	switch {
	case p.m < 0 || p.n < 0 || p.k < 0:
		panic("level3: negative size")
	case p.m == 0 || p.n == 0:
		return
	case p.ldc < p.n:
		panic("level3: ldc less than the columns of C")
	case len(p.c) < (p.m-1)*p.ldc+p.n:
		panic("level3: C too short")
	}
	p.tier, p.tile = tier, tier.Tile()
	if p.k == 0 {
		p.empty()
		return
	}

	rows := p.rowBlock(threads)
	blocks := (p.m + rows - 1) / rows
	depth := KC
	if threads > 1 || blocks > 1 {
		depth = slab * KC
	}
	panels := Scratch(min(depth, p.k) * roundUp(min(nc, p.n), p.tile.NR))
	defer Release(panels)

	for jc := 0; jc < p.n; jc += nc { // loop 5: columns of C
		j1 := min(p.n, jc+nc)
		for pc := 0; pc < p.k; pc += depth { // loop 4: terms
			k1 := min(p.k, pc+depth)
			p.packB(threads, *panels, jc, j1, pc, k1)
			par.For(threads, blocks, func(i int) { // loop 3: rows of C
				p.rowsOfC(*panels, i*rows, min(p.m, (i+1)*rows), jc, j1, pc, k1)
			})
		}
	}
}

// empty is the product of vectors without terms.
func (p *product) empty() {
	for i := range p.m {
		row := p.c[i*p.ldc:][:p.n]
		if !p.accumulate {
			clear(row)
		}
		p.addBias(row, 0)
	}
}

// rowBlock is the number of rows of A that loop 3 gives to a thread at a time:
// mc, or less where that would leave threads idle.
func (p *product) rowBlock(threads int) int {
	parts := max(threads, 1)
	if p.upper && parts > 1 {
		parts *= 4 // blocks of rows of a triangle differ in work: more of them even it out
	}
	share := roundUp((p.m+parts-1)/parts, p.tile.MR)
	if rounds := (share + mc - 1) / mc; rounds > 1 {
		share = roundUp((share+rounds-1)/rounds, p.tile.MR)
	}
	return max(share, p.tile.MR)
}

// packB packs columns [j0, j1) and terms [k0, k1) of B: block after block of KC
// terms, in each panel after panel of NR columns.
func (p *product) packB(threads int, dst []float32, j0, j1, k0, k1 int) {
	const strip = 96 // a multiple of every NR
	width := roundUp(j1-j0, p.tile.NR)
	strips := (j1 - j0 + strip - 1) / strip
	par.For(threads, strips*((k1-k0+KC-1)/KC), func(i int) {
		js, ks := j0+i%strips*strip, k0+i/strips*KC
		ke := min(k1, ks+KC)
		at := (ks-k0)*width + (js-j0)*(ke-ks)
		p.b.Pack(dst[at:], p.tile.NR, js, min(j1, js+strip), ks, ke)
	})
}

// rowsOfC multiplies rows [i0, i1) of A with what packB packed, and adds the
// bias after the last term.
func (p *product) rowsOfC(panels []float32, i0, i1, j0, j1, k0, k1 int) {
	if p.upper && i0 >= j1 {
		return
	}
	width := roundUp(j1-j0, p.tile.NR)
	mr := p.tile.MR
	whole := i0 // panels before it are read where they are
	strided, ok := p.a.(Strided)
	if ok && p.n <= narrow {
		whole = i1 - (i1-i0)%mr
	}
	block := Scratch(roundUp(i1-whole, mr) * min(KC, k1-k0))
	defer Release(block)
	for ks := k0; ks < k1; ks += KC {
		kc := min(KC, k1-ks)
		b, accumulate := panels[(ks-k0)*width:], p.accumulate || ks > 0
		if whole > i0 {
			data, rs, cs := strided.At(i0, ks)
			p.macro(view{data, rs, cs, mr * rs}, b, i0, whole, j0, j1, kc, accumulate)
		}
		if whole < i1 {
			p.a.Pack(*block, mr, whole, i1, ks, ks+kc)
			p.macro(view{*block, 1, mr, mr * kc}, b, whole, i1, j0, j1, kc, accumulate)
		}
	}
	if k1 == p.k {
		for i := i0; i < i1; i++ {
			p.addBias(p.c[i*p.ldc+j0:i*p.ldc+j1], j0)
		}
	}
}

// view is a block of A in memory: panels that lie next apart, in which term k of
// vector i is data[i*rs+k*cs].
type view struct {
	data         []float32
	rs, cs, next int
}

// macro is the macro-kernel: a block of A against a block of B, tile by tile.
func (p *product) macro(a view, b []float32, i0, i1, j0, j1, kc int, accumulate bool) {
	mr, nr := p.tile.MR, p.tile.NR
	var edge [asm.MaxTile]float32
	for j := j0; j < j1; j += nr { // loop 2: panels of B, each in the first-level cache
		bp := b[(j-j0)*kc:]
		for i := i0; i < i1; i += mr { // loop 1: panels of A
			if p.upper && i >= j+nr {
				break
			}
			ap := a.data[(i-i0)/mr*a.next:]
			rows, cols := min(mr, i1-i), min(nr, j1-j)
			if rows == mr && cols == nr {
				p.tier.Gemm(kc, ap, a.rs, a.cs, bp, nr, p.c[i*p.ldc+j:], p.ldc, accumulate)
				continue
			}
			p.tier.Gemm(kc, ap, a.rs, a.cs, bp, nr, edge[:], nr, false)
			for r := range rows {
				ci := p.c[(i+r)*p.ldc+j:][:cols]
				if er := edge[r*nr:][:cols]; accumulate {
					for x, v := range er {
						ci[x] += v
					}
				} else {
					copy(ci, er)
				}
			}
		}
	}
}

func (p *product) addBias(row []float32, j0 int) {
	if p.bias != nil {
		p.tier.Add(row, p.bias[j0:][:len(row)])
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// pool keeps packing buffers between products.
var pool = sync.Pool{New: func() any { return new([]float32) }}

// Scratch returns a buffer of n floats with any content, to be given back to
// Release.
func Scratch(n int) *[]float32 {
	buf := pool.Get().(*[]float32)
	if cap(*buf) < n {
		*buf = make([]float32, n)
	}
	*buf = (*buf)[:n]
	return buf
}

// Release takes back what Scratch returned; nil is nothing.
func Release(buf *[]float32) {
	if buf != nil {
		pool.Put(buf)
	}
}
