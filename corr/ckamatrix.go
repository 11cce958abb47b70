package corr

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// CKAMatrix sets dst to [GramPair.CKA] of every two of some Grams, of all layers of several
// networks, say. The Grams are of the same samples; Gram g has sample orders[g][i] where
// others have theirs, and sample i itself if orders, or that of g, is nil. A nil Gram, and one
// of which no CKA is defined, make NaN.
//
// All of it is one product of a matrix, the n^2 inner products of n samples in a row for each
// Gram, with itself: of many layers much faster than each pair on its own. Products are
// summed in float32, some thousands at a time, and these sums in float64, so that it agrees
// with GramPair.CKA to 1e-6. The number of threads, 0 of which are all, changes no bit.
//
// If the context ends its error is CKAMatrix's, and dst is unchanged. It panics if dst is not
// of so many rows, or a Gram or an order not of as many samples as the others.
func CKAMatrix(ctx context.Context, dst *mat.SymDense, grams []*Gram, orders [][]int, threads int) error {
	if dst.SymmetricDim() != len(grams) || orders != nil && len(orders) != len(grams) {
		panic("corr: the destination or the orders do not fit")
	}
	var rows gramRows
	place := make([]int, len(grams)) // of each Gram among the rows, or -1
	for i, g := range grams {
		if place[i] = -1; g == nil || g.ready(3) != nil {
			continue
		}
		if len(rows.grams) > 0 && g.n != rows.grams[0].n {
			panic("corr: Grams of different numbers of samples")
		}
		order := indices(g.n)
		if orders != nil && orders[i] != nil {
			order = orders[i]
			checkPermutation(order, g.n)
		}
		place[i] = len(rows.grams)
		rows.grams, rows.orders = append(rows.grams, g), append(rows.orders, order)
	}
	products, err := rows.products(ctx, par.Threads(threads))
	if err != nil {
		return err
	}
	n := len(rows.grams)
	for i := range grams {
		for j := range i + 1 {
			cka := math.NaN()
			if x, y := place[i], place[j]; x >= 0 && y >= 0 {
				cka = min(1, products[x*n+y]/(math.Sqrt(products[x*n+x])*math.Sqrt(products[y*n+y])))
			}
			dst.SetSym(i, j, cka)
		}
	}
	return nil
}

// gramRows is a matrix whose rows are the inner products of Grams, each of its samples in an
// order of its own.
type gramRows struct {
	grams  []*Gram
	orders [][]int
	first  int // product that a row begins with
}

// products returns the inner products of every two rows, or the context's error.
func (m gramRows) products(ctx context.Context, threads int) ([]float64, error) {
	const run = 16 * level3.KC // terms that are summed in float32
	rows := len(m.grams)
	sums := make([]float64, rows*rows)
	if rows == 0 {
		return sums, nil
	}
	terms := m.grams[0].n * m.grams[0].n
	parts := make([][]float32, (terms+run-1)/run)
	par.For(threads, len(parts), func(i int) {
		if ctx.Err() != nil {
			return
		}
		part := gramRows{m.grams, m.orders, i * run}
		parts[i] = make([]float32, rows*rows)
		level3.Gemm(1, level3.Product{M: rows, N: rows, K: min(run, terms-i*run), A: part, B: part, C: parts[i], LDC: rows})
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, part := range parts {
		for i, v := range part {
			sums[i] += float64(v)
		}
	}
	return sums, nil
}

// Pack implements level3.Operand.
func (m gramRows) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	n, terms := m.grams[0].n, k1-k0
	for ; i0 < i1; i0 += r {
		panel := dst[:terms*r]
		clear(panel)
		for i := i0; i < min(i0+r, i1); i++ {
			order, at := m.orders[i], i-i0
			for k := m.first + k0; k < m.first+k1; {
				row := m.grams[i].products[order[k/n]*n:][:n]
				for _, sample := range order[k%n : min(n, k%n+m.first+k1-k)] {
					panel[at] = row[sample]
					at += r
					k++
				}
			}
		}
		dst = dst[terms*r:]
	}
}
