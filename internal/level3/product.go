// Package level3 is the dense linear algebra of convergent: the five loops of
// BLIS (Van Zee and van de Geijn, ACM TOMS 2015) around the micro-kernels of
// package asm, with packing as the seam. Whatever can pack itself (see
// [Operand]) can be multiplied, so convolutions and covariances are matrix
// products without a matrix.
//
// An element of C is a sum over blocks of KC terms, each block summed from zero
// by one fused multiply-add a term, and the blocks added in order to what C begins
// with. Neither the
// tier nor the number of threads nor the other blocking figures change that
// order, so they do not change a bit of the result.
package level3

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// The blocking figures, of which KC is part of the meaning of a result and the others
// only of its speed:
//
//	            AVX2      AVX-512    lies in                   so that
//	tile of C   6 x 16    12 x 32    12 or 24 of the 16 or 32  loads stay below multiply-adds
//	                                 vector registers
//	low tile    4 x 16    8 x 32     8 or 16 registers         rows of C seldom leave a rest
//	panel of A  KC x 6    KC x 12    9, 18 KB: level 1         it is read once for each panel of B
//	panel of B  KC x 16   KC x 32    24, 48 KB: level 1 or 2   it is read once for each panel of A
//	block of A  KC x mc              288 KB: level 2           B passes through level 1 only mc/6, mc/12 times
//	block of B  slab*KC x nc         18 MB: level 3            threads meet only once for each
//
// More terms than KC would spill the panels further, fewer would visit C more often.
const (
	KC = 384  // terms at a time
	mc = 192  // rows of A at a time, a multiple of every High
	nc = 1536 // columns of B at a time, a multiple of every Width

	// slab is how many blocks of KC are packed of B at once.
	slab = 8
)

// End is how a product ends. The zero value overwrites C.
type End struct {
	Accumulate bool      // add to C
	Bias       []float32 // or begin with Bias[j] in each row of C; nil: with zero
	ReLU       bool      // replace what is below zero by zero
}

// Gemm computes C = A B^T for the m vectors of k terms of a and the n of b:
//
//	C[i*ldc+j] = sum over k of a_i[k] * b_j[k]
//
// and what end adds, on at most threads threads.
func Gemm(threads, m, n, k int, a, b Operand, c []float32, ldc int, end End) {
	p := product{m: m, n: n, k: k, a: a, b: b, c: c, ldc: ldc, end: end}
	p.run(asm.Active(), threads)
}

type product struct {
	m, n, k int
	a, b    Operand
	c       []float32
	ldc     int
	end     End

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
	panels := Scratch(min(depth, p.k) * roundUp(min(nc, p.n), p.tile.Width))
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
	end := p.ending(0, 0)
	for i := range p.m {
		p.finish(make([]float32, p.n), i, 0, end)
	}
}

// ending returns how the block of terms [ks, ke) ends: the first adds what C is to
// hold besides, all others what it holds; the last has the floor.
func (p *product) ending(ks, ke int) asm.End {
	end := asm.End{Floor: float32(math.Inf(-1))}
	switch {
	case ks > 0 || p.end.Accumulate:
		end.Add, end.Stride = p.c, p.ldc
	case p.end.Bias != nil:
		end.Add = p.end.Bias
	}
	if ke == p.k && p.end.ReLU {
		end.Floor = 0
	}
	return end
}

// rowBlock is the number of rows of A that loop 3 gives to a thread at a time:
// mc, or less where that would leave threads idle.
func (p *product) rowBlock(threads int) int {
	parts := max(threads, 1)
	share := roundUp((p.m+parts-1)/parts, p.tile.High)
	if rounds := (share + mc - 1) / mc; rounds > 1 {
		share = roundUp((share+rounds-1)/rounds, p.tile.High)
	}
	return max(share, p.tile.High)
}

// packB packs columns [j0, j1) and terms [k0, k1) of B: block after block of KC
// terms, in each panel after panel of Width columns.
func (p *product) packB(threads int, dst []float32, j0, j1, k0, k1 int) {
	const strip = 96 // a multiple of every Width
	width := roundUp(j1-j0, p.tile.Width)
	strips := (j1 - j0 + strip - 1) / strip
	par.For(threads, strips*((k1-k0+KC-1)/KC), func(i int) {
		js, ks := j0+i%strips*strip, k0+i/strips*KC
		ke := min(k1, ks+KC)
		at := (ks-k0)*width + (js-j0)*(ke-ks)
		p.b.Pack(dst[at:], p.tile.Width, js, min(j1, js+strip), ks, ke)
	})
}

// rowsOfC multiplies rows [i0, i1) of A with what packB packed.
func (p *product) rowsOfC(panels []float32, i0, i1, j0, j1, k0, k1 int) {
	width := roundUp(j1-j0, p.tile.Width)
	rows := cut(p.tile, i1-i0)
	block := Scratch(rows.total() * min(KC, k1-k0))
	defer Release(block)
	high := min(i1, i0+rows.high*p.tile.High)
	for ks := k0; ks < k1; ks += KC {
		kc := min(KC, k1-ks)
		p.a.Pack(*block, p.tile.High, i0, high, ks, ks+kc)
		p.a.Pack((*block)[(high-i0)*kc:], p.tile.Low, high, i1, ks, ks+kc)
		b := right{panels[(ks-k0)*width:], p.tile.Width, kc}
		p.macro(view{packed: *block, kc: kc}, rows, b, i0, i1, j0, j1, ks, kc)
	}
}

// view is a block of A, packed or in place.
type view struct {
	packed []float32 // panels, one after another; nil: in place
	kc     int       // terms of what is packed
	asm.Left
}

// tile returns the A of a tile of the given height that begins at row i.
func (v *view) tile(i, height int) asm.Left {
	if v.packed != nil {
		return asm.Left{Data: v.packed[i*v.kc:], Row: 1, Col: height}
	}
	left := v.Left
	left.Data = left.Data[i*left.Row:]
	return left
}

// rows is how many rows are cut into tiles: high ones, then low ones, of which the
// last may be a part of one.
type rows struct {
	tile      asm.Tile
	high, low int
}

// cut chooses the tiles that cover n rows with the least left over.
func cut(t asm.Tile, n int) rows {
	best := rows{t, (n + t.High - 1) / t.High, 0}
	for low := 1; low <= 2; low++ {
		r := rows{t, (max(0, n-low*t.Low) + t.High - 1) / t.High, low}
		if r.total() < best.total() {
			best = r
		}
	}
	return best
}

// total is the number of rows of all tiles.
func (r rows) total() int { return r.high*r.tile.High + r.low*r.tile.Low }

// right is a block of B: the row of term k begins stride floats after the one
// before it, and column j, at the edge of a tile, step*j floats after column 0.
type right struct {
	data         []float32
	stride, step int
}

// macro is the macro-kernel: a block of A against a block of B, of kc terms from ks
// on, tile by tile.
func (p *product) macro(a view, rows rows, b right, i0, i1, j0, j1, ks, kc int) {
	width := p.tile.Width
	end := p.ending(ks, ks+kc)
	var edge [asm.MaxTile]float32
	for j := j0; j < j1; j += width { // loop 2: panels of B, each in the first-level cache
		bp, cols := b.data[(j-j0)*b.step:], min(width, j1-j)
		height := p.tile.High
		for i, n := i0, 0; i < i1; i, n = i+height, n+1 { // loop 1: panels of A
			if n == rows.high {
				height = p.tile.Low
			}
			left := a.tile(i-i0, height)
			if i+height <= i1 && cols == width {
				here := end
				if end.Add != nil {
					here.Add = end.Add[i*end.Stride+j:]
				}
				p.tier.Gemm(height, kc, left, bp, b.stride, p.c[i*p.ldc+j:], p.ldc, here)
				continue
			}
			p.tier.Gemm(height, kc, left, bp, b.stride, edge[:], width, asm.End{Floor: float32(math.Inf(-1))})
			for r := range min(height, i1-i) {
				p.finish(edge[r*width:][:cols], i+r, j, end)
			}
		}
	}
}

// finish writes a part of row i of C, from column j on, given its sums.
func (p *product) finish(sums []float32, i, j int, end asm.End) {
	c := p.c[i*p.ldc+j:][:len(sums)]
	if end.Add == nil {
		copy(c, sums)
	} else {
		for x, v := range end.Add[i*end.Stride+j:][:len(sums)] {
			c[x] = sums[x] + v
		}
	}
	for x, v := range c {
		if v < end.Floor {
			c[x] = end.Floor
		}
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
