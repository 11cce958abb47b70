// Package dense is the linear algebra in float64 that the measures stand on, where
// gonum's is too slow: products, the eigenvalues and eigenvectors of symmetric
// matrices, and singular values by way of them. Matrices are row-major slices.
//
// Results are the same bits in every tier and for any number of threads.
package dense

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// View is a matrix to read: element (i, j) is Data[i*RowStride+j*ColStride].
type View struct {
	Data                 []float64
	RowStride, ColStride int
}

// Rows is the view of a row-major matrix.
func Rows(data []float64, stride int) View { return View{data, stride, 1} }

// T is the transpose.
func (v View) T() View { return View{v.Data, v.ColStride, v.RowStride} }

// slice is the view of what begins at (i, j).
func (v View) slice(i, j int) View {
	return View{v.Data[i*v.RowStride+j*v.ColStride:], v.RowStride, v.ColStride}
}

// The blocking figures. kc is part of the meaning of a result, as in float32.
const (
	kc = 256
	mc = 96 // a multiple of the rows of every tile
	nc = 1024
)

// Product is C += Alpha A B, for A of M x K, B of K x N and a row-major C of M x N, whose
// rows lie LDC apart.
type Product struct {
	M, N, K int
	Alpha   float64 // 0 means 1
	A, B    View
	C       []float64
	LDC     int
}

// Gemm computes a product on at most threads threads.
func Gemm(threads int, p Product) {
	if p.M == 0 || p.N == 0 || p.K == 0 {
		return
	}
	if p.Alpha == 0 {
		p.Alpha = 1
	}
	// A core does some 32 multiply-adds a nanosecond, or packs 2 elements.
	threads = par.Worth(threads, (p.M+16)*p.N*p.K/32)
	tier := asm.Active()
	rows, cols := tier.ProductTile()
	packedB := Scratch(min(p.K, kc) * roundUp(min(p.N, nc), cols))
	defer Release(packedB)
	for j0 := 0; j0 < p.N; j0 += nc {
		n := min(nc, p.N-j0)
		for k0 := 0; k0 < p.K; k0 += kc {
			k := min(kc, p.K-k0)
			par.Blocks(threads, n, 8*cols, func(j1, j2 int) {
				pack((*packedB)[j1*k:], cols, j2-j1, k, 1, p.B.slice(k0, j0+j1).T())
			})
			share := min(mc, roundUp((p.M+threads-1)/threads, rows))
			par.Blocks(threads, p.M, share, func(i0, i1 int) {
				packedA := Scratch(k * roundUp(i1-i0, rows))
				defer Release(packedA)
				pack(*packedA, rows, i1-i0, k, p.Alpha, p.A.slice(i0, k0))
				packedProduct{i1 - i0, n, k, *packedA, *packedB, p.C[i0*p.LDC+j0:], p.LDC}.add(tier)
			})
		}
	}
}

// packedProduct is the product of packed operands of m rows and n columns, k terms each.
type packedProduct struct {
	m, n, k int
	a, b, c []float64
	ldc     int
}

// add adds the product to C, tile by tile.
func (p packedProduct) add(tier asm.Tier) {
	rows, cols := tier.ProductTile()
	for j := 0; j < p.n; j += cols {
		for i := 0; i < p.m; i += rows {
			a, b := p.a[i*p.k:], p.b[j*p.k:]
			if i+rows <= p.m && j+cols <= p.n {
				tier.Product(p.k, a, b, p.c[i*p.ldc+j:], p.ldc)
				continue
			}
			var edge [asm.MaxProductTile]float64
			tier.Product(p.k, a, b, edge[:], cols)
			for r := range min(rows, p.m-i) {
				row := p.c[(i+r)*p.ldc+j:][:min(cols, p.n-j)]
				for s := range row {
					row[s] += edge[r*cols+s]
				}
			}
		}
	}
}

// pack writes alpha times n rows of k terms in panels of r rows, term after term; the last
// panel is filled up with zeros. r is even.
func pack(dst []float64, r, n, k int, alpha float64, v View) {
	for i := 0; i < n; i += r {
		panel, rows := dst[i*k:][:r*k], min(r, n-i)
		if rows < r {
			clear(panel)
		}
		if v.RowStride == 1 {
			for t := range k {
				src, dst := v.Data[t*v.ColStride+i:][:rows], panel[t*r:][:rows]
				if alpha == 1 {
					copy(dst, src)
					continue
				}
				for x, y := range src {
					dst[x] = alpha * y
				}
			}
			continue
		}
		x := 0
		if v.ColStride == 1 { // two rows at a time, so that writes are half as many
			for ; x+2 <= rows; x += 2 {
				row1, row2 := v.Data[(i+x)*v.RowStride:][:k], v.Data[(i+x+1)*v.RowStride:][:k]
				columns := panel[x:]
				for t, y := range row1 {
					pair := columns[t*r:][:2]
					pair[0], pair[1] = alpha*y, alpha*row2[t]
				}
			}
		}
		for ; x < rows; x++ {
			at := (i + x) * v.RowStride
			for t := x; t < len(panel); t += r {
				panel[t] = alpha * v.Data[at]
				at += v.ColStride
			}
		}
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
