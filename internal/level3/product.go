// Package level3 is the dense linear algebra of convergent: the five loops of
// BLIS (Van Zee and van de Geijn, ACM TOMS 2015) around the micro-kernels of
// package asm, with packing as the seam. Whatever can pack itself (see
// [Operand]) can be multiplied, so convolutions and covariances are matrix
// products without a matrix.
//
// An element of C is a sum over blocks of KC terms, each block summed from zero
// by one fused multiply-add a term, and the blocks added in order to what C begins
// with. Neither the tier nor the number of threads nor the other blocking figures
// change that order, so they do not change a bit of the result.
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
//	short tile  4 x 16    8 x 32     8 or 16 registers         rows of C seldom leave a rest
//	panel of A  KC x 6    KC x 12    9, 18 KB: level 1         it is read once for each panel of B
//	panel of B  KC x 16   KC x 32    24, 48 KB: level 1 or 2   it is read once for each panel of A
//	block of A  KC x mc              288 KB: level 2           B passes through level 1 only mc/6, mc/12 times
//	block of B  KC x nc              2.3 MB: level 3           A is packed once for each
//
// More terms than KC would spill the panels further, fewer would visit C more often.
const (
	KC = 384  // terms at a time
	mc = 192  // rows of A at a time, a multiple of every MR
	nc = 1536 // columns of B at a time, a multiple of every NR
)

// Epilogue is what a product does besides the sums. The zero value overwrites C.
type Epilogue struct {
	Accumulate bool      // add to C
	Bias       []float32 // or begin with Bias[j] in each row of C; nil: with zero
	ReLU       bool      // replace what is below zero by zero
}

// Product is C = A B^T for the M vectors of K terms of A and the N of B, and what the
// epilogue adds:
//
//	C[i*LDC+j] = sum over k of a_i[k] * b_j[k]
type Product struct {
	M, N, K  int
	A, B     Operand
	C        []float32
	LDC      int // floats from a row of C to the next
	Epilogue Epilogue
}

// Gemm computes a product on at most threads threads: a core does some 64 multiply-adds a
// nanosecond, or packs 4 elements.
func Gemm(threads int, p Product) {
	newProduct(asm.Active(), p).run(par.Worth(threads, (p.M+16)*p.N*p.K/64))
}

// product is a product at work.
type product struct {
	Product
	tier asm.Tier
	tile asm.Tile

	// Operands that are read where they lie, and a B that was packed before, else nil.
	inPlaceA *Rows
	inPlaceB *Cols
	packedB  *PackedB

	narrow bool // tiles are those of Narrow
}

func newProduct(tier asm.Tier, p Product) *product {
	return &product{Product: p, tier: tier, tile: tier.Tile()}
}

func (p *product) run(threads int) {
	switch {
	case p.M < 0 || p.N < 0 || p.K < 0:
		panic("level3: negative size")
	case p.M == 0 || p.N == 0:
		return
	case p.LDC < p.N:
		panic("level3: ldc less than the columns of C")
	case len(p.C) < (p.M-1)*p.LDC+p.N:
		panic("level3: C too short")
	}
	if p.K == 0 {
		p.storeEmpty()
		return
	}
	if p.runFewRows(threads) {
		return
	}
	p.readInPlace()
	rows, cols := p.share(threads)
	across := (p.N + cols - 1) / cols
	par.For(threads, (p.M+rows-1)/rows*across, func(i int) {
		i0, j0 := i/across*rows, i%across*cols
		p.multiply(i0, min(p.M, i0+rows), j0, min(p.N, j0+cols))
	})
}

// share returns how many rows and columns of C are a thread's, which does all that they
// take: to read what another core has packed takes longer than to pack it again.
func (p *product) share(threads int) (rows, cols int) {
	least := math.MaxInt
	for down := 1; down <= threads; down++ {
		across := threads / down
		r, c := roundUp((p.M+down-1)/down, p.tile.MR), roundUp((p.N+across-1)/across, p.tile.NR)
		if cost := r*c + 16*(r+c); cost < least { // in multiply-adds: to pack is some 16
			least, rows, cols = cost, r, c
		}
	}
	return rows, cols
}

// multiply computes rows [i0, i1) and columns [j0, j1) of C.
func (p *product) multiply(i0, i1, j0, j1 int) {
	rounds := (i1 - i0 + mc - 1) / mc
	rows, kc, cols := roundUp((i1-i0+rounds-1)/rounds, p.tile.MR), min(KC, p.K), 0
	if p.inPlaceB == nil && p.packedB == nil {
		cols = roundUp(min(nc, j1-j0), p.tile.NR)
	}
	packedA, packedB := Scratch(rows*kc), Scratch(cols*kc)
	defer Release(packedA)
	defer Release(packedB)
	for jc := j0; jc < j1; jc += nc { // loop 5: columns of C
		for k := 0; k < p.K; k += KC { // loop 4: terms
			b := block{j0: jc, j1: min(j1, jc+nc), k0: k, k1: min(p.K, k+KC)}
			right := p.blockB(*packedB, b)
			for ic := i0; ic < i1; ic += rows { // loop 3: rows of C
				b.i0, b.i1 = ic, min(i1, ic+rows)
				tiling := newRowTiling(p.tile, b.i1-b.i0)
				p.macro(b, p.blockA(*packedA, tiling, b), tiling, right)
			}
		}
	}
}

// block is a part of a product: rows [i0, i1) and columns [j0, j1) of C, and terms
// [k0, k1).
type block struct{ i0, i1, j0, j1, k0, k1 int }

// storeEmpty stores the product of vectors without terms.
func (p *product) storeEmpty() {
	e := p.epilogue(0, 0)
	for i := range p.M {
		p.storeRow(make([]float32, p.N), i, 0, e)
	}
}

// epilogue returns that of the block of terms [k0, k1): the first adds what C is to
// hold besides, all others what it holds; the last has the floor.
func (p *product) epilogue(k0, k1 int) asm.Epilogue {
	e := asm.Epilogue{Floor: float32(math.Inf(-1))}
	switch {
	case k0 > 0 || p.Epilogue.Accumulate:
		e.Add, e.Stride = p.C, p.LDC
	case p.Epilogue.Bias != nil:
		e.Add = p.Epilogue.Bias
	}
	if k1 == p.K && p.Epilogue.ReLU {
		e.Floor = 0
	}
	return e
}

// blockB returns the columns and terms of a block of B, in place, or packed before or now.
func (p *product) blockB(packed []float32, b block) blockB {
	if in := p.inPlaceB; in != nil {
		return blockB{in.Data[b.k0*in.Stride+b.j0:], in.Stride, 1}
	}
	if p.packedB != nil {
		return p.packedB.terms(b.j0, b.k0, b.k1)
	}
	p.B.Pack(packed, p.tile.NR, b.j0, b.j1, b.k0, b.k1)
	return blockB{packed, p.tile.NR, b.k1 - b.k0}
}

// blockA returns the rows and terms of a block of A, packed, or in place but for the rows
// of a tile that ends beyond them.
func (p *product) blockA(packed []float32, rows rowTiling, b block) blockA {
	a := blockA{packed: packed, kc: b.k1 - b.k0}
	if in := p.inPlaceA; in != nil {
		a.inPlace = rows.whole(b.i1 - b.i0)
		a.PanelA = asm.PanelA{Data: in.Data[b.i0*in.Stride+b.k0:], RowStride: in.Stride, ColStride: 1}
	}
	first := b.i0 + a.inPlace
	short := max(first, min(b.i1, b.i0+rows.fullTiles*p.tile.MR))
	p.A.Pack(packed, p.tile.MR, first, short, b.k0, b.k1)
	p.A.Pack(packed[(short-first)*a.kc:], p.tile.MRShort, short, b.i1, b.k0, b.k1)
	return a
}

// blockA is a block of A: some rows in place, the others packed.
type blockA struct {
	asm.PanelA
	inPlace int       // rows
	packed  []float32 // panels, one after another
	kc      int       // terms of what is packed
}

// panel returns the A of a tile of the given number of rows that begins at row i.
func (a *blockA) panel(i, rows int) asm.PanelA {
	if i >= a.inPlace {
		return asm.PanelA{Data: a.packed[(i-a.inPlace)*a.kc:], RowStride: 1, ColStride: rows}
	}
	p := a.PanelA
	p.Data = p.Data[i*p.RowStride:]
	return p
}

// rowTiling is how rows are divided into tiles: full ones, then short ones, of which the
// last may be a part of one.
type rowTiling struct {
	tile                  asm.Tile
	fullTiles, shortTiles int
}

// newRowTiling chooses the tiles that cover n rows with the least left over.
func newRowTiling(t asm.Tile, n int) rowTiling {
	best := rowTiling{t, (n + t.MR - 1) / t.MR, 0}
	for short := 1; short <= 2; short++ {
		r := rowTiling{t, (max(0, n-short*t.MRShort) + t.MR - 1) / t.MR, short}
		if r.total() < best.total() {
			best = r
		}
	}
	return best
}

// total is the number of rows of all tiles.
func (r rowTiling) total() int { return r.fullTiles*r.tile.MR + r.shortTiles*r.tile.MRShort }

// whole is the number of rows of those tiles that end within n rows.
func (r rowTiling) whole(n int) int {
	switch {
	case r.total() == n:
		return n
	case r.shortTiles > 0:
		return r.total() - r.tile.MRShort
	}
	return r.total() - r.tile.MR
}

// blockB is a block of B: the row of term k begins stride floats after the one
// before it, and column j, at the edge of a tile, step*j floats after column 0.
type blockB struct {
	data         []float32
	stride, step int
}

// macro is the macro-kernel: a block of A against a block of B, of at most KC terms, tile
// by tile.
func (p *product) macro(x block, a blockA, rows rowTiling, b blockB) {
	width, kc := p.tile.NR, x.k1-x.k0
	epilogue := p.epilogue(x.k0, x.k1)
	var edge [asm.MaxTile]float32
	var bias [asm.MaxTile]float32         // of the last columns, with room for a whole tile
	for j := x.j0; j < x.j1; j += width { // loop 2: panels of B, each in the first-level cache
		panelB, cols := asm.PanelB{Data: b.data[(j-x.j0)*b.step:], Stride: b.stride}, min(width, x.j1-j)
		mr := p.tile.MR
		for i, n := x.i0, 0; i < x.i1; i, n = i+mr, n+1 { // loop 1: panels of A
			if n == rows.fullTiles {
				mr = p.tile.MRShort
			}
			panelA := a.panel(i-x.i0, mr)
			if i+mr <= x.i1 && (cols == width || p.narrow) {
				e := epilogue
				if e.Add != nil {
					e.Add = e.Add[i*e.Stride+j:]
				}
				p.multiplyTile(mr, cols, kc, panelA, panelB, p.C[i*p.LDC+j:], p.LDC, e)
				continue
			}
			if epilogue.Stride == 0 {
				e := epilogue
				if e.Add != nil {
					copy(bias[:width], e.Add[j:][:cols])
					e.Add = bias[:]
				}
				p.multiplyTile(mr, cols, kc, panelA, panelB, edge[:], width, e)
				for r := range min(mr, x.i1-i) {
					copy(p.C[(i+r)*p.LDC+j:][:cols], edge[r*width:])
				}
				continue
			}
			p.multiplyTile(mr, cols, kc, panelA, panelB, edge[:], width, asm.Epilogue{Floor: float32(math.Inf(-1))})
			for r := range min(mr, x.i1-i) {
				p.storeRow(edge[r*width:][:cols], i+r, j, epilogue)
			}
		}
	}
}

// multiplyTile computes a tile, of which at least so many columns are wanted.
func (p *product) multiplyTile(rows, cols, kc int, a asm.PanelA, b asm.PanelB, c []float32, ldc int, e asm.Epilogue) {
	if p.narrow {
		p.tier.Narrow(cols, kc, a, b, c, ldc, e)
	} else {
		p.tier.Gemm(rows, kc, a, b, c, ldc, e)
	}
}

// storeRow stores a part of row i of C, from column j on, given its sums.
func (p *product) storeRow(sums []float32, i, j int, e asm.Epilogue) {
	c := p.C[i*p.LDC+j:][:len(sums)]
	if e.Add == nil {
		copy(c, sums)
	} else {
		for x, v := range e.Add[i*e.Stride+j:][:len(sums)] {
			c[x] = sums[x] + v
		}
	}
	for x, v := range c {
		if v < e.Floor {
			c[x] = e.Floor
		}
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
