package identification

import (
	"context"
	"errors"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// widths are those of the RBF kernels, as shares of the median distance of two images.
// Each is half the one before, so that its kernel is the fourth power of that one's.
var widths = []float64{0.8, 0.4, 0.2}

// gram is inner products of all representations: of matrices of images x images, the sum
// of the products of their elements.
type gram struct {
	count int
	sums  []float64
}

func newGram(count int) gram { return gram{count, make([]float64, count*count)} }

func (g gram) at(a, b int) float64 { return g.sums[a*g.count+b] }

// add adds the products of what is above the diagonals, which counts twice, in the rows of
// two matrices.
func (g gram) add(threads, length int, a, b []float32) {
	products := level3.Scratch(g.count * g.count)
	defer level3.Release(products)
	level3.Gemm(threads, level3.Product{M: g.count, N: g.count, K: length,
		A: level3.Rows{Data: a, Stride: length}, B: level3.Rows{Data: b, Stride: length}, C: *products, LDC: g.count})
	for i, v := range (*products)[:len(g.sums)] {
		g.sums[i] += 2 * float64(v)
	}
}

// addDiagonals adds the products of the elements on the diagonals.
func (g gram) addDiagonals(a, b func(representation int) []float64) {
	for i := range g.count {
		for j := range g.count {
			x, y := a(i), b(j)
			for k := range min(len(x), len(y)) {
				g.sums[i*g.count+j] += float64(x[k] * y[k])
			}
		}
	}
}

// sums are the inner products of all kinds of matrices. Of features that span everything,
// those of the projection are 0.
type sums struct {
	linear    gram
	rbf       []gram // by width; of centred kernels
	spans     gram   // of the projections onto what features span
	explained gram   // of the first's projection and the second's linear kernel
}

// pieceLength is how many elements of each matrix are multiplied at a time.
const pieceLength = 1 << 16

// multiply reads the matrices of all representations once, piece by piece, and with them
// those of the spans of the first of them, as many as there are.
func (r *run) multiply(ctx context.Context, all []*representation, spans []*span) (*sums, error) {
	n, count := r.images, len(all)
	s := &sums{newGram(count), make([]gram, len(widths)), newGram(len(spans)), newGram(len(spans))}
	matrices := make([]*matrices, count)
	for i := range all {
		var of *span
		if i < len(spans) {
			of = spans[i]
		}
		m, err := openMatrices(all[i], of)
		if err != nil {
			return nil, err
		}
		defer m.close()
		matrices[i] = m
	}
	length := max(pieceLength, n)
	linear, projections, rbf := make([]float32, count*length), make([]float32, len(spans)*length), make([][]float32, len(widths))
	for w := range widths {
		s.rbf[w], rbf[w] = newGram(count), make([]float32, count*length)
	}
	errs := make([]error, count)
	for from := 0; from < n-1; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to, size := from, 0 // rows
		for to < n-1 && size+n-1-to <= length {
			size += n - 1 - to
			to++
		}
		par.For(r.threads, count, func(i int) {
			part := func(x []float32) []float32 { return x[i*size:][:size] }
			kernels := make([][]float32, len(widths))
			for w := range widths {
				kernels[w] = part(rbf[w])
			}
			if errs[i] = matrices[i].read(from, to, part(linear), kernels); i < len(spans) && errs[i] == nil {
				errs[i] = matrices[i].readSpan(part(projections))
			}
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		s.linear.add(r.threads, size, linear, linear)
		s.spans.add(r.threads, size, projections, projections)
		s.explained.add(r.threads, size, projections, linear)
		for w := range widths {
			s.rbf[w].add(r.threads, size, rbf[w], rbf[w])
		}
		from = to
		r.progress.Report(progress.Event{Task: "multiply layers", Done: from * (2*n - from), Total: (n - 1) * (n + 1)})
	}
	squares := func(i int) []float64 { return all[i].Squares }
	leverages := func(i int) []float64 { return spans[i].Leverages }
	s.linear.addDiagonals(squares, squares)
	s.spans.addDiagonals(leverages, leverages)
	s.explained.addDiagonals(leverages, squares)
	for w := range widths {
		s.rbf[w].centre(n, 1-middles[w], func(i int) []float64 { return matrices[i].rowSums[w] })
	}
	return s, nil
}

// centre makes inner products of kernels, whose diagonals are the same number, those of
// centred kernels, given their rows' sums above and below the diagonal: with k = K1 and l = L1,
//
//	<HKH, HLH> = <K, L> - 2 k.l / n + k.1 l.1 / n^2
func (g gram) centre(n int, diagonal float64, rowSums func(representation int) []float64) {
	rows, totals := make([][]float64, g.count), make([]float64, g.count)
	for i := range rows {
		rows[i] = make([]float64, n)
		for k, v := range rowSums(i) {
			rows[i][k] = v + diagonal
			totals[i] += v + diagonal
		}
	}
	for i := range g.count {
		for j := range g.count {
			var product float64
			for k, v := range rows[i] {
				product += float64(v * rows[j][k])
			}
			g.sums[i*g.count+j] += float64(float64(n)*diagonal*diagonal) - 2*product/float64(n) + float64(totals[i]*totals[j])/float64(n)/float64(n)
		}
	}
}

// middles are the RBF kernels at the median distance. Taking that off a kernel changes
// nothing when it is centred, and leaves small numbers to sum.
var middles = func() []float64 {
	all := make([]float64, len(widths))
	for w, width := range widths {
		all[w] = elem.Exp(-1 / (2 * width * width))
	}
	return all
}()

// matrices are those of a representation, being read.
type matrices struct {
	*representation
	linear, span *reader     // span is nil where there is no file
	rowSums      [][]float64 // of the RBF kernels, less their middle, without the diagonal
}

func openMatrices(r *representation, s *span) (*matrices, error) {
	m := &matrices{representation: r, rowSums: make([][]float64, len(widths))}
	for w := range widths {
		m.rowSums[w] = make([]float64, r.Images)
	}
	var err error
	if m.linear, err = open(r.file); err != nil {
		return nil, err
	}
	if s != nil && !s.everything() {
		if m.span, err = open(s.file); err != nil {
			m.linear.close()
			return nil, err
		}
	}
	return m, nil
}

func (m *matrices) close() {
	m.linear.close()
	if m.span != nil {
		m.span.close()
	}
}

// read reads what is above the diagonal in rows [from, to), which are those that follow.
func (m *matrices) read(from, to int, linear []float32, rbf [][]float32) error {
	if err := m.linear.read(linear); err != nil {
		return err
	}
	n, at := m.Images, 0
	scale := -1 / (2 * widths[0] * widths[0] * m.Median * m.Median)
	for i := from; i < to; i++ {
		for j := i + 1; j < n; j++ {
			k := elem.Exp(scale * float64(squaredDistance(m.Squares[i], m.Squares[j], linear[at])))
			for w, c := range middles {
				v := k - c
				rbf[w][at] = float32(v)
				m.rowSums[w][i] += v
				m.rowSums[w][j] += v
				k *= k
				k *= k
			}
			at++
		}
	}
	return nil
}

// readSpan reads what follows of the projection.
func (m *matrices) readSpan(dst []float32) error {
	if m.span == nil {
		clear(dst)
		return nil
	}
	return m.span.read(dst)
}
