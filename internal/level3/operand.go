package level3

import "github.com/convergent-go/convergent/asm"

// Operand is one side of a product: a set of vectors v_i of k terms each, which
// knows how to pack itself. It is where matrices and patches of images differ;
// the loops above it do not.
type Operand interface {
	// Pack writes terms [k0, k1) of vectors [i0, i1) to dst in panels of r
	// vectors: panel p holds, for each k in turn, the r terms
	// v_{i0+p*r}[k] ... v_{i0+p*r+r-1}[k], zero beyond i1.
	Pack(dst []float32, r, i0, i1, k0, k1 int)
}

// Rows is a matrix whose rows are the vectors: v_i[k] = Data[i*Stride+k].
type Rows struct {
	Data   []float32
	Stride int
}

// Pack implements Operand.
func (m Rows) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	tier, kc := asm.Active(), k1-k0
	for ; i0 < i1; i0 += r {
		rows := min(r, i1-i0)
		panel := dst[:kc*r]
		if rows < r {
			clear(panel)
		}
		tier.Transpose(panel, r, m.Data[i0*m.Stride+k0:], m.Stride, rows, kc)
		dst = dst[kc*r:]
	}
}

// Cols is a matrix whose columns are the vectors: v_i[k] = Data[k*Stride+i].
type Cols struct {
	Data   []float32
	Stride int
}

// Pack implements Operand.
func (m Cols) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	tier, kc := asm.Active(), k1-k0
	for ; i0 < i1; i0 += r {
		n := min(r, i1-i0)
		src := m.Data[k0*m.Stride+i0:]
		if n == r {
			tier.Panel(kc, r, dst, src, m.Stride)
			dst = dst[kc*r:]
			continue
		}
		for k := range kc {
			copy(dst[k*r:], src[k*m.Stride:][:n])
			clear(dst[k*r+n : (k+1)*r])
		}
	}
}

// PackTerm writes one term of consecutive vectors to its place in each of their
// panels of r vectors by kc terms; dst begins at that term in the first panel.
// The last panel is filled up with zeros.
func PackTerm(dst []float32, r, kc int, terms []float32) {
	for ; len(terms) >= r; terms = terms[r:] {
		switch r {
		case 16:
			*(*[16]float32)(dst) = *(*[16]float32)(terms)
		case 32:
			*(*[32]float32)(dst) = *(*[32]float32)(terms)
		default:
			copy(dst[:r], terms)
		}
		if len(terms) == r {
			return
		}
		dst = dst[kc*r:]
	}
	n := copy(dst[:r], terms)
	clear(dst[n:r])
}
