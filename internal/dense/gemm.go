// Package dense is the linear algebra in float64 that the measures stand on, where
// gonum's is too slow: products, the eigenvalues and eigenvectors of symmetric
// matrices, and singular values by way of them. Matrices are row-major slices.
//
// Results are the same bits in every tier and for any number of threads.
package dense

import (
	"sync"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// View is a matrix to read: element (i, j) is Data[i*Row+j*Col].
type View struct {
	Data     []float64
	Row, Col int
}

// Rows is the view of a row-major matrix.
func Rows(data []float64, stride int) View { return View{data, stride, 1} }

// T is the transpose.
func (v View) T() View { return View{v.Data, v.Col, v.Row} }

// from is the view of what begins at (i, j).
func (v View) from(i, j int) View { return View{v.Data[i*v.Row+j*v.Col:], v.Row, v.Col} }

// The blocking figures. kc is part of the meaning of a result, as in float32.
const (
	kc = 256
	mc = 96 // a multiple of the rows of every tile
	nc = 1024
)

// Gemm adds alpha A B to the m x n matrix C, for A of m x k and B of k x n.
func Gemm(threads, m, n, k int, alpha float64, a, b View, c []float64, ldc int) {
	if m == 0 || n == 0 || k == 0 {
		return
	}
	tier := asm.Active()
	rows, cols := tier.ProductTile()
	depth := min(k, kc)
	right := scratch(depth * roundUp(min(n, nc), cols))
	defer release(right)
	for j0 := 0; j0 < n; j0 += nc {
		j1 := min(n, j0+nc)
		for k0 := 0; k0 < k; k0 += kc {
			depth := min(kc, k-k0)
			pack(*right, cols, j1-j0, depth, 1, b.from(k0, j0).T())
			share := min(mc, roundUp((m+threads-1)/threads, rows))
			par.Blocks(threads, m, share, func(i0, i1 int) {
				left := scratch(depth * roundUp(i1-i0, rows))
				defer release(left)
				pack(*left, rows, i1-i0, depth, alpha, a.from(i0, k0))
				tiles(tier, i1-i0, j1-j0, depth, *left, *right, c[i0*ldc+j0:], ldc)
			})
		}
	}
}

// tiles multiplies what is packed, tile by tile.
func tiles(tier asm.Tier, m, n, depth int, left, right, c []float64, ldc int) {
	rows, cols := tier.ProductTile()
	for j := 0; j < n; j += cols {
		for i := 0; i < m; i += rows {
			a, b := left[i*depth:], right[j*depth:]
			if i+rows <= m && j+cols <= n {
				tier.Product(depth, a, b, c[i*ldc+j:], ldc)
				continue
			}
			var edge [asm.MaxProductTile]float64
			tier.Product(depth, a, b, edge[:], cols)
			for r := range min(rows, m-i) {
				line := c[(i+r)*ldc+j:][:min(cols, n-j)]
				for s := range line {
					line[s] += edge[r*cols+s]
				}
			}
		}
	}
}

// pack writes alpha times n rows of depth terms in panels of r rows, of which each
// term's lie together; the last panel is filled up with zeros. r is even.
func pack(dst []float64, r, n, depth int, alpha float64, v View) {
	for i := 0; i < n; i += r {
		panel, rows := dst[i*depth:][:r*depth], min(r, n-i)
		if rows < r {
			clear(panel)
		}
		if v.Row == 1 {
			for k := range depth {
				from, to := v.Data[k*v.Col+i:][:rows], panel[k*r:][:rows]
				if alpha == 1 {
					copy(to, from)
					continue
				}
				for x, y := range from {
					to[x] = alpha * y
				}
			}
			continue
		}
		x := 0
		if v.Col == 1 { // two rows at a time, so that writes are half as many
			for ; x+2 <= rows; x += 2 {
				first, second := v.Data[(i+x)*v.Row:][:depth], v.Data[(i+x+1)*v.Row:][:depth]
				to := panel[x:]
				for k, y := range first {
					pair := to[k*r:][:2]
					pair[0], pair[1] = alpha*y, alpha*second[k]
				}
			}
		}
		for ; x < rows; x++ {
			at := (i + x) * v.Row
			for k := x; k < len(panel); k += r {
				panel[k] = alpha * v.Data[at]
				at += v.Col
			}
		}
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

var pool sync.Pool

// scratch returns n numbers of any content, to be given back to release.
func scratch(n int) *[]float64 {
	buf, ok := pool.Get().(*[]float64)
	if !ok || cap(*buf) < n {
		all := make([]float64, n)
		buf = &all
	}
	*buf = (*buf)[:n]
	return buf
}

func release(buf *[]float64) { pool.Put(buf) }
