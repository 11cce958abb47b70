package asm

// Strides is how far rows, the columns in a row, and outputs lie apart, in elements.
type Strides struct{ Row, Col, Output int }

// Terms are what outputs of a depthwise convolution are sums over: rows and columns of the
// image X and the filters W, of each of so many channels. W has no outputs.
type Terms struct {
	Rows, Cols, Channels int
	X, W                 Strides
}

// Depthwise computes outputs of a convolution whose channels each have a filter of their
// own:
//
//	s := sum over row < Rows and col < Cols, both rising, one FMA a term, of
//	     x[i*X.Output + row*X.Row + col*X.Col + c] * w[row*W.Row + col*W.Col + c]
//	y[i*stride+c] = max(s + e.Add[i*e.Stride+c], e.Floor)
//
// for i < outputs and c < Channels. All sizes are positive, and no stride is negative. Outputs
// are computed more than once unless e.Stride says that each adds something of its own.
func (t Tier) Depthwise(outputs int, terms Terms, y []float32, stride int, x, w []float32, e Epilogue) {
	if min(outputs, terms.Rows, terms.Cols, terms.Channels) < 1 {
		panic("asm: nothing to sum")
	}
	d := depthwise{terms, y, x, w, stride, e}
	n := 0
	if tiers[t].lanes == 16 && terms.Channels >= 16 {
		n = terms.Channels &^ 15
		d.kernels(outputs, 0, n, 16)
	}
	if tiers[t].lanes > 0 && n < terms.Channels&^7 {
		d.kernels(outputs, n, terms.Channels&^7, 8)
		n = terms.Channels &^ 7
	}
	if n < terms.Channels {
		d.portable(outputs, n)
	}
}

// depthwise is a call of Depthwise.
type depthwise struct {
	Terms
	y, x, w []float32
	stride  int
	e       Epilogue
}

// kernelTerms is how many terms a call of a kernel sums at most, if more than one tile: it
// takes a twentieth of a millisecond, as nothing can interrupt it.
const kernelTerms = 1 << 20

// kernels computes channels [c0, c1) by kernels of the given number of lanes: of seven outputs
// at a time, and the rest by threes and single ones, or seven or three that include some
// that are there already, which costs less.
func (d *depthwise) kernels(outputs, c0, c1, lanes int) {
	for i := 0; i < outputs; {
		left, size := outputs-i, 1
		again := d.e.Stride == 0
		switch {
		case left >= 7:
			size = 7
		case left > 3 && outputs > 7 && again:
			i, left, size = outputs-7, 7, 7
		case left >= 3:
			size = 3
		case left == 2 && outputs > 3 && again:
			i, left, size = outputs-3, 3, 3
		}
		tiles := min(left/size, max(1, kernelTerms/(size*(c1-c0)*d.Rows*d.Cols)))
		d.call(i, tiles, size, c0, c1, lanes)
		i += tiles * size
	}
}

// call computes channels [c0, c1) of tiles of so many outputs, from output i on.
func (d *depthwise) call(i, tiles, size, c0, c1, lanes int) {
	const float = 4 // bytes
	last := i + tiles*size - 1
	y, x, w := d.y[i*d.stride+c0:last*d.stride+c1], d.x[i*d.X.Output+c0:last*d.X.Output+(d.Rows-1)*d.X.Row+(d.Cols-1)*d.X.Col+c1], d.w[c0:(d.Rows-1)*d.W.Row+(d.Cols-1)*d.W.Col+c1]
	var add *float32
	addstep := 0
	if d.e.Add != nil {
		add, addstep = &d.e.Add[i*d.e.Stride+c0 : last*d.e.Stride+c1][0], float*d.e.Stride
	}
	n, ystep, xstep := c1-c0, float*d.stride, float*d.X.Output
	xcol, xjump := float*d.X.Col, float*(d.X.Row-d.Cols*d.X.Col)
	reuse := 0 // columns of terms as far apart as outputs
	if size == 7 && d.X.Output == d.X.Col && (d.Cols == 3 || d.Cols == 7) {
		reuse, xjump = d.Cols, float*(d.X.Row-(d.Cols+size-1)*d.X.Col)
	}
	wcol, wjump := float*d.W.Col, float*(d.W.Row-d.Cols*d.W.Col)
	switch {
	case reuse == 7 && lanes == 16:
		depthwise7of7x16(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case reuse == 3 && lanes == 16:
		depthwise7of3x16(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case reuse == 7 && lanes == 8:
		depthwise7of7x8(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case reuse == 3 && lanes == 8:
		depthwise7of3x8(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case size == 7 && lanes == 16:
		depthwise7x16(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case size == 3 && lanes == 16:
		depthwise3x16(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case lanes == 16:
		depthwise1x16(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case size == 7:
		depthwise7x8(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	case size == 3:
		depthwise3x8(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	default:
		depthwise1x8(tiles, n, d.Rows, d.Cols, &y[0], ystep, &x[0], xstep, xcol, xjump, &w[0], wcol, wjump, add, addstep, d.e.Floor)
	}
}

// portable is Depthwise's definition, for channels from c0 on.
func (d *depthwise) portable(outputs, c0 int) {
	var sums [64]float32
	for i := range outputs {
		for c := c0; c < d.Channels; c += len(sums) {
			s := sums[:min(len(sums), d.Channels-c)]
			clear(s)
			for row := range d.Rows {
				for col := range d.Cols {
					x, w := d.x[i*d.X.Output+row*d.X.Row+col*d.X.Col+c:][:len(s)], d.w[row*d.W.Row+col*d.W.Col+c:][:len(s)]
					for j, v := range s {
						s[j] = FMA(x[j], w[j], v)
					}
				}
			}
			d.e.store(d.y[i*d.stride+c:][:len(s)], s, i, c)
		}
	}
}
