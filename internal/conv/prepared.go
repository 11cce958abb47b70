package conv

import (
	"math"
	"sync"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
)

// Filters are filters that do not change. What the algorithms read of them, transformed and
// packed, is made once for each algorithm that the geometries of images ask for. Methods may
// be called concurrently.
type Filters struct {
	w     []float32
	mu    sync.Mutex
	ready map[way]*prepared
}

// way is how a convolution is computed; form is that of Winograd's.
type way struct {
	algorithm
	form *asm.Winograd
}

// prepared are filters as an algorithm reads them.
type prepared struct {
	once     sync.Once
	winograd []*filters       // of each group
	packed   []level3.PackedB // of each group
	fixed    fixedB
	rows     []float32 // depthwise: [KH, KW, C]
	inner    *Filters  // of blocks, or of merged groups
}

// NewFilters returns filters [Out, KH, KW, C/Groups], which it keeps.
func NewFilters(w []float32) *Filters {
	return &Filters{w: w, ready: make(map[way]*prepared)}
}

// Epilogue is what Filters.Forward does besides the sums.
type Epilogue struct {
	Bias []float32 // is added to each position; nil: none
	ReLU bool      // replaces what is below zero by zero

	// Done, unless it is nil, is called when n outputs from output at on, of one position or
	// of several, are there and still in the cache: concurrently, once for each output.
	Done func(at, n int)
}

// Forward is the function Forward of these filters. It takes Winograd's algorithm more often,
// since transforming filters costs nothing any more; errors may be twice as large.
func (f *Filters) Forward(threads int, g Geometry, y, x []float32, e Epilogue) {
	g.check(x, f.w, y)
	if e.Bias != nil && len(e.Bias) != g.Out {
		panic("conv: wrong length of the bias")
	}
	if g.N == 0 {
		return
	}
	form := g.formOfPrepared()
	how := way{g.algorithmWith(forward, form), nil}
	if how.algorithm == winograd {
		how.form = form
	}
	p := f.prepare(threads, g, how)
	threads = g.Worth(max(1, threads))
	switch how.algorithm {
	case depthwise:
		g.channelwise(y, x, p.rows, e).run(threads)
	case mergedGroups:
		m, _ := g.merged()
		p.inner.Forward(threads, m, y, x, e)
	case winograd:
		for i := range g.groups() {
			newTiling(how.form, g.inputGroup(x, i), g.outputGroup(y, i), g.Pad).convolvePrepared(threads, p.winograd[i], e.columns(i*g.Out/g.groups(), (i+1)*g.Out/g.groups()))
		}
	case spaceToDepth:
		b, _ := g.blocks()
		buf := level3.Scratch(b.N * b.inner.H * b.inner.W * b.inner.C)
		defer level3.Release(buf)
		clear(*buf)
		b.images(threads, toBlocks(*buf, x))
		p.inner.Forward(threads, b.inner, y, *buf, e)
	case narrow, direct:
		x, padded := g.pad(threads, x)
		defer level3.Release(padded)
		g.forwardRows(threads, y, x, g.rowLen(), g.H+2*g.Pad, p.fixed, e)
	default:
		x, padded := g.pad(threads, x)
		defer level3.Release(padded)
		out := g.Out / g.groups()
		for i, b := range p.packed {
			var a level3.Operand = &patches{g.window(x, i)}
			if how.algorithm == pointwise {
				a = level3.Rows{Data: x, Stride: g.C}
			}
			part := e.columns(i*out, (i+1)*out)
			b.Gemm(threads, g.positions(), a, y[i*out:], g.Out, level3.Epilogue{Bias: part.Bias, ReLU: e.ReLU}, e.matrix(g.Out, i*out))
		}
	}
}

// matrix is Done for parts of a matrix of so many columns, that begin at the given one.
func (e Epilogue) matrix(columns, first int) func(i0, i1, j0, j1 int) {
	if e.Done == nil {
		return nil
	}
	return func(i0, i1, j0, j1 int) {
		if j1-j0 == columns {
			e.Done(i0*columns, (i1-i0)*columns)
			return
		}
		for i := i0; i < i1; i++ {
			e.Done(i*columns+first+j0, j1-j0)
		}
	}
}

// prepare returns the filters as a way to compute g reads them.
func (f *Filters) prepare(threads int, g Geometry, how way) *prepared {
	f.mu.Lock()
	p := f.ready[how]
	if p == nil {
		p = new(prepared)
		f.ready[how] = p
	}
	f.mu.Unlock()
	p.once.Do(func() { p.make(threads, g, how, f.w) })
	return p
}

func (p *prepared) make(threads int, g Geometry, how way, w []float32) {
	k, out := g.patch(), g.Out/g.groups()
	switch how.algorithm {
	case depthwise:
		p.rows = make([]float32, len(w))
		asm.Active().Transpose(p.rows, g.C, w, k, g.C, k)
	case mergedGroups:
		m, _ := g.merged()
		ws := make([]float32, m.Out*m.patch())
		m.filters(g, ws, w)
		p.inner = NewFilters(ws)
	case winograd:
		for i := range g.groups() {
			packed := packForward(threads, how.form, w[i*out*k:], out, g.C/g.groups())
			p.winograd = append(p.winograd, packed.kept())
			packed.release()
		}
	case spaceToDepth:
		b, _ := g.blocks()
		ws := make([]float32, b.Out*b.inner.patch())
		b.filters(threads, toBlocks(ws, w))
		p.inner = NewFilters(ws)
	case narrow:
		transposed := make([]float32, max(g.Out, narrowWidth)*k)
		asm.Active().Transpose(transposed, g.Out, w, k, g.Out, k)
		p.fixed = newNarrowB(transposed, g.Out, g.Out, k)
	case direct:
		p.fixed = level3.PackB(threads, g.Out, k, level3.Rows{Data: w, Stride: k})
	default:
		for i := range g.groups() {
			p.packed = append(p.packed, level3.PackB(threads, out, k, level3.Rows{Data: w[i*out*k:], Stride: k}))
		}
	}
}

// kept returns filters in memory of their own, not more than they need.
func (f *filters) kept() *filters {
	n, k := f.points[0].Size()
	size := level3.PackedLen(n, k)
	data := make([]float32, len(f.points)*size)
	copy(data, *f.buf)
	c := new(filters)
	for p := range f.points {
		c.points = append(c.points, level3.NewPackedB(data[p*size:], n, k))
	}
	return c
}

// formOfPrepared is form for prepared filters. What they take is multiplying tiles, of which
// fewer than a product's do not take less, or fetching the transforms from memory, which takes
// as long as some 24 tiles.
func (g Geometry) formOfPrepared() *asm.Winograd {
	rows := func(n int) int { return max(24, n) }
	return g.quickest(rows(g.positions()), rows)
}

// convolvePrepared is convolve, all threads taking parts of the tiles, or of the channels of
// y where there are too few tiles for that.
func (t *tiling) convolvePrepared(threads int, w *filters, e Epilogue) {
	blocks := divUp(t.tiles(), t.block(threads, t.x.vectors()+paddedColumns(t.y.depth)))
	t.share(threads, blocks < threads || t.tiles() < 24*threads, func(threads int, part *tiling) {
		if part == t {
			t.convolve(threads, w, e)
			return
		}
		lo := part.y.c0 - t.y.c0
		hi := lo + part.y.depth
		columns := make([]level3.PackedB, len(w.points))
		for p, b := range w.points {
			columns[p] = b.Columns(lo, paddedColumns(hi))
		}
		part.convolve(threads, &filters{points: columns}, e.columns(lo, hi))
	})
}

// columns is e for channels [lo, hi) of the output.
func (e Epilogue) columns(lo, hi int) Epilogue {
	if e.Bias != nil {
		e.Bias = e.Bias[lo:hi]
	}
	return e
}

// floor is what smaller outputs are raised to.
func (e Epilogue) floor() float32 {
	if e.ReLU {
		return 0
	}
	return float32(math.Inf(-1))
}
