package corr

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// CKAMatrix sets dst to [GramPair.CKA] of every two of some Grams, of all layers of several
// networks, say. The Grams are of the same samples; Gram g has sample orders[g][i] where
// others have theirs, and sample i itself if orders, or that of g, is nil. A nil Gram, and one
// of which no CKA is defined, make NaN.
//
// All of it is one product of a matrix, the inner products of every two samples in a row for each
// Gram, with itself: of many layers much faster than each pair on its own. Products are
// summed in float32, some thousands at a time, and these sums in float64, so that it agrees
// with GramPair.CKA to 1e-6. The number of threads, 0 of which are all, changes no bit.
//
// If the context ends its error is CKAMatrix's, and Grams that are known to be of other samples are
// an error as in [NewGramPair]; dst is unchanged then. It panics if dst is not of so many rows, or
// a Gram or an order not of as many samples as the others.
func CKAMatrix(ctx context.Context, dst *mat.SymDense, grams []*Gram, orders [][]int, threads int) error {
	if dst.SymmetricDim() != len(grams) || orders != nil && len(orders) != len(grams) {
		panic("corr: the destination or the orders do not fit")
	}
	var rows []gramRow
	place := make([]int, len(grams)) // of each Gram among the rows, or -1
	for i, g := range grams {
		if place[i] = -1; g == nil || g.ready(3) != nil {
			continue
		}
		var order []int
		if orders != nil {
			order = orders[i]
		}
		if len(rows) > 0 && g.n == rows[0].gram.n {
			if err := sameSamples(rows[0].gram, g); err != nil {
				return err
			}
		}
		place[i] = len(rows)
		rows = append(rows, newGramRow(g, order))
	}
	cosines, err := gramCosines(ctx, rows, rows, par.Threads(threads))
	if err != nil {
		return err
	}
	for i := range grams {
		for j := range i + 1 {
			cka := math.NaN()
			if x, y := place[i], place[j]; x >= 0 && y >= 0 {
				cka = min(1, cosines[x*len(rows)+y])
			}
			dst.SetSym(i, j, cka)
		}
	}
	return nil
}

// PermutedCKA sets element (d, i) of dst to [GramPair.CKA] of grams[i] and g, permuted by
// orders[d] as [GramPair.Permuted] says, or as they are if orders[d] is nil: what chance makes of one
// layer beside all layers of another network. Of n samples, d orders and m Grams it takes
// d m n^2/2 multiply-adds. What makes NaN, how accurate it is, the context and threads are as
// in [CKAMatrix].
//
// It panics if dst is not of so many orders and Grams, or a Gram or an order not of as many
// samples as g.
func PermutedCKA(ctx context.Context, dst *mat.Dense, grams []*Gram, g *Gram, orders [][]int, threads int) error {
	if rows, cols := dst.Dims(); rows != len(orders) || cols != len(grams) {
		panic("corr: the destination does not fit the orders and Grams")
	}
	var permuted, stay []gramRow
	if g != nil && g.ready(3) == nil {
		for _, order := range orders {
			permuted = append(permuted, newGramRow(g, order))
		}
	}
	place := make([]int, len(grams)) // of each Gram among those that stay, or -1
	for i, x := range grams {
		if place[i] = -1; len(permuted) > 0 && x != nil && x.ready(3) == nil {
			if x.n == g.n {
				if err := sameSamples(g, x); err != nil {
					return err
				}
			}
			place[i] = len(stay)
			stay = append(stay, newGramRow(x, nil))
		}
	}
	cosines, err := gramCosines(ctx, permuted, stay, par.Threads(threads))
	if err != nil {
		return err
	}
	for i := range grams {
		for d := range orders {
			cka := math.NaN()
			if place[i] >= 0 {
				cka = min(1, cosines[d*len(stay)+place[i]])
			}
			dst.Set(d, i, cka)
		}
	}
	return nil
}

// gramRow is the inner products of a Gram, its samples in an order, or as they are if that is nil.
// The Gram is symmetric: it has those of each sample with itself and all after it. They are
// multiplied by a power of two that makes the norm about 1, so that float32 holds products of two
// rows whatever activations are.
type gramRow struct {
	gram  *Gram
	order []int
	scale float32
	norm  float64 // of the Gram, scaled
}

func newGramRow(g *Gram, order []int) gramRow {
	if order != nil {
		checkPermutation(order, g.n)
	}
	norm, exponent := math.Frexp(g.norm())
	return gramRow{g, order, float32(math.Ldexp(1, -exponent)), norm}
}

// norm is the Frobenius norm.
func (g *Gram) norm() float64 {
	type key struct{}
	return share(g, key{}, func() float64 {
		var squares float64
		for _, v := range g.products {
			squares += float64(float64(v) * float64(v))
		}
		return math.Sqrt(squares)
	})
}

// gramCosines returns those of every row of a with every row of b, or the context's error.
func gramCosines(ctx context.Context, a, b []gramRow, threads int) ([]float64, error) {
	const (
		terms = 2 * level3.KC // at a time, at least
		runs  = 8             // of terms that are summed in float32
		block = 48            // rows of a at a time: with their terms and those of b they stay in level 2
	)
	cols := len(b)
	cosines := make([]float64, len(a)*cols)
	if len(cosines) == 0 {
		return cosines, nil
	}
	n := a[0].gram.n
	for _, r := range slices.Concat(a, b) {
		if r.gram.n != n {
			panic("corr: Grams of different numbers of samples")
		}
	}
	begin := divideTriangle(n, terms)
	parts := make([][]float32, (len(begin)-1+runs-1)/runs)
	par.Blocks(threads, len(begin)-1, runs, func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		part := make([]float32, len(cosines))
		parts[lo/runs] = part
		for k := lo; k < hi; k++ {
			first, end := begin[k], begin[k+1]
			width := triangle(n-first) - triangle(n-end)
			right, packed := level3.Scratch(cols*width), level3.Scratch(level3.PackedLen(cols, width))
			for j, r := range b {
				r.copyTo((*right)[j*width:], first, end, true)
			}
			panels := level3.NewPackedB(*packed, cols, width)
			panels.Pack(0, cols, level3.Rows{Data: *right, Stride: width})
			level3.Release(right)
			left := level3.Scratch(min(block, len(a)) * width)
			for i := 0; i < len(a); i += block {
				rows := a[i:min(len(a), i+block)]
				for d, r := range rows {
					r.copyTo((*left)[d*width:], first, end, false)
				}
				panels.Gemm(1, len(rows), level3.Rows{Data: *left, Stride: width}, part[i*cols:], cols, level3.Epilogue{Accumulate: k > lo}, nil)
			}
			level3.Release(left)
			level3.Release(packed)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, part := range parts {
		for i, v := range part {
			cosines[i] += float64(v)
		}
	}
	for i, x := range a {
		for j, y := range b {
			cosines[i*cols+j] *= 2 / (x.norm * y.norm)
		}
	}
	return cosines, nil
}

// triangle is 1 + 2 + ... + n.
func triangle(n int) int { return n * (n + 1) / 2 }

// divideTriangle divides the triangle of n rows of n, n-1, ..., 1 terms between rows into parts of
// at least so many terms but for the last, and returns where parts begin, and the end.
func divideTriangle(n, least int) []int {
	begin, terms := []int{0}, 0
	for i := range n {
		if terms += n - i; terms >= least {
			begin, terms = append(begin, i+1), 0
		}
	}
	if terms > 0 {
		begin = append(begin, n)
	}
	return begin
}

// copyTo sets dst to the products of samples [first, end), those with themselves halved if asked:
// two Grams' inner product is twice that of such a row and another.
func (r gramRow) copyTo(dst []float32, first, end int, halved bool) {
	n := r.gram.n
	for s := first; s < end; s++ {
		row := dst[:n-s]
		if dst = dst[n-s:]; r.order == nil {
			for k, v := range r.gram.products[s*n+s:][:n-s] {
				row[k] = v * r.scale
			}
		} else {
			gather(row, r.gram.products[r.order[s]*n:][:n], r.order[s:], r.scale)
		}
		if halved {
			row[0] /= 2
		}
	}
}

// gather sets dst to the elements of x at the given places, multiplied by a factor.
func gather(dst, x []float32, places []int, factor float32) {
	dst = dst[:len(places)]
	for i, at := range places {
		dst[i] = x[at] * factor
	}
}
