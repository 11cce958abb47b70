package level3

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// To pack a number takes as long as some 16 multiply-adds: little where it is multiplied
// hundreds of times, much in products of few rows or columns, or of small matrices. Operands
// of these are read where they lie.
const (
	fewRows   = 4       // of A: so few that B is read once, row by row
	fewPanels = 4       // of B: so few that A is not packed
	smallA    = 1 << 18 // numbers of an A that is not packed either: it stays in level 2
	smallB    = 1 << 14 // numbers of a B that is not packed: it stays in level 1 and 2
)

// readInPlace decides which operands are read where they lie.
func (p *product) readInPlace() {
	if a, ok := p.A.(Rows); ok && (p.N <= fewPanels*p.tile.NR || p.M*p.K <= smallA) {
		p.inPlaceA = &a
		if p.N <= p.tier.NarrowColumns() && p.M >= asm.NarrowRows {
			p.narrow, p.tile.MR, p.tile.MRShort = true, asm.NarrowRows, asm.NarrowRows
		}
	}
	if b, ok := p.B.(Cols); ok && p.N%p.tile.NR == 0 && p.N*p.K <= smallB {
		p.inPlaceB = &b
	}
}

// runFewRows computes a product of few rows, and reports whether it is one. Rows of C are
// sums of rows of B, which memory is quickest to give from end to end, some side by side.
func (p *product) runFewRows(threads int) bool {
	const (
		columns = 2048 // at a time, whose sums stay in the first-level cache
		terms   = 8    // rows of B at a time
	)
	a, ok := p.A.(Rows)
	b, rows := p.B.(Cols)
	if !ok || !rows || p.M > fewRows {
		return false
	}
	share := roundUp((p.N+threads-1)/threads, 32)
	par.Blocks(threads, p.N, min(columns, share), func(lo, hi int) {
		n := hi - lo
		sums := Scratch(p.M * n)
		defer Release(sums)
		for k0 := 0; k0 < p.K; k0 += KC {
			k1 := min(p.K, k0+KC)
			clear(*sums)
			for k := k0; k < k1; k += terms {
				end := min(k1, k+terms)
				for i := range p.M {
					p.tier.AddRows((*sums)[i*n:][:n], a.Data[i*a.Stride+k:i*a.Stride+end], b.Data[k*b.Stride+lo:], b.Stride)
				}
			}
			e := p.epilogue(k0, k1)
			for i := range p.M {
				p.storeRow((*sums)[i*n:][:n], i, lo, e)
			}
		}
	})
	return true
}
