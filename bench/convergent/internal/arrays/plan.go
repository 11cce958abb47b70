package arrays

import "slices"

const (
	maxUnits  = 1 << 24   // of a row: nothing can be done with the correlations of more
	maxStrip  = 1 << 28   // values of a sample that must be held to be transposed
	inCache   = 256 << 10 // values of a strip when samples lie one after the other
	longReads = 16 << 20  // values of a strip when they do not: its reads are the longer
)

// plan is how an array is read.
type plan struct {
	samples, units int
	extents        []int // of positions
	positions      int   // their product
	sample         int   // values of a sample
	stride         int   // how far apart in the file the units of a position are

	// If the array's order is not that of the rows, strips of k samples are held as
	// the file has them. In C order, units are step values apart and positions one.
	// In Fortran order, samples are one apart, units k*step and neighbours along each
	// of the extents k*steps.
	transposed, fortran bool
	step                int
	steps               []int
}

// plan checks that the array can be read as rows, and finds how.
func (a *Array) plan(layouts Layouts) (plan, error) {
	var p plan
	s := a.Shape
	switch {
	case a.err != nil:
		return p, a.err
	case a.DType.Kind == Void:
		return p, a.errorf("it holds 2 bytes of no type, as NumPy saves the bfloat16 of ml_dtypes; if this is such, say so by -bfloat16, else save it with x.astype(np.float32)")
	case !a.DType.numeric():
		return p, a.errorf("it holds %v, where activations are numbers", a.DType)
	case slices.Contains(s, 0):
		return p, a.errorf("shape %v holds no values", s)
	}
	layout, err := a.layout(layouts)
	if err != nil {
		return p, err
	}
	at := layout.unitsAt()
	p.samples, p.units, p.fortran = s[0], s[at], a.Fortran
	p.extents = without(s[1:], at-1)
	p.positions = 1
	for _, d := range p.extents {
		p.positions *= d // no overflow: the whole array's size is known
	}
	p.sample = p.positions * p.units
	if p.units > maxUnits {
		return p, a.errorf("%d units, where %d are allowed", p.units, maxUnits)
	}
	switch {
	case a.Fortran:
		steps := []int{1}
		for i, d := range s[1 : len(s)-1] {
			steps = append(steps, steps[i]*d)
		}
		p.transposed, p.step, p.steps = true, steps[at-1], without(steps, at-1)
		p.stride = p.samples * p.step
	default:
		p.transposed, p.step, p.stride = at == 1 && p.positions > 1, p.positions, 1
		for _, d := range s[at+1:] {
			p.stride *= d
		}
	}
	if p.transposed && p.sample > maxStrip {
		return p, a.errorf("a sample of shape %v has %d values, where %d are allowed unless it is in C order and the units come last", s[1:], p.sample, maxStrip)
	}
	return p, nil
}

// without returns a copy of s without the element at i.
func without(s []int, i int) []int { return slices.Delete(slices.Clone(s), i, i+1) }

// strip returns how many samples a strip holds.
func (p plan) strip() int {
	switch {
	case !p.transposed:
		return 0
	case p.fortran:
		return min(p.samples, max(1, longReads/p.sample))
	}
	return min(p.samples, max(1, inCache/p.sample))
}

// transpose writes the given number of rows, from the given one of a strip of k
// samples.
func (p plan) transpose(dst, strip []float32, row, rows, k int) {
	if !p.fortran {
		// Each sample is a matrix, units x positions.
		for rows > 0 {
			sample, first := row/p.positions, row%p.positions
			n := min(rows, p.positions-first)
			transpose(dst, p.units, strip[sample*p.sample+first:], p.step, n, p.units)
			dst, row, rows = dst[n*p.units:], row+n, rows-n
		}
		return
	}
	// Each position is a matrix, units x samples.
	for q := range p.positions {
		lo := (row - q + p.positions - 1) / p.positions
		hi := (row + rows - q + p.positions - 1) / p.positions
		if lo < hi {
			transpose(dst[(lo*p.positions+q-row)*p.units:], p.positions*p.units, strip[k*p.offset(q)+lo:], k*p.step, hi-lo, p.units)
		}
	}
}

// offset returns where position q lies in a strip of one sample, in Fortran order.
func (p plan) offset(q int) int {
	at := 0
	for i, d := range slices.Backward(p.extents) {
		at += q % d * p.steps[i]
		q /= d
	}
	return at
}

// transpose sets dst[i*dstStep+j] to src[j*srcStep+i] for i below n and j below m.
func transpose(dst []float32, dstStep int, src []float32, srcStep int, n, m int) {
	const block = 128 // rows of dst that stay in the cache while their columns are written
	for ; n > 0; n -= block {
		j, k := 0, min(n, block)
		for ; j+4 <= m; j += 4 {
			s0 := src[j*srcStep:][:k]
			s1 := src[(j+1)*srcStep:][:len(s0)]
			s2 := src[(j+2)*srcStep:][:len(s0)]
			s3 := src[(j+3)*srcStep:][:len(s0)]
			at := j
			for i := range s0 {
				d := dst[at : at+4 : at+4]
				d[0], d[1], d[2], d[3] = s0[i], s1[i], s2[i], s3[i]
				at += dstStep
			}
		}
		for ; j < m; j++ {
			for i, v := range src[j*srcStep:][:k] {
				dst[i*dstStep+j] = v
			}
		}
		if n > block {
			dst, src = dst[block*dstStep:], src[block:]
		}
	}
}
