package arrays

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
)

// Layout says what the indices of an array of rank 4 are.
type Layout int

const (
	Matrix Layout = iota // no array of rank 4 is expected
	NHWC                 // samples x height x width x units: TensorFlow, JAX
	NCHW                 // samples x units x height x width: PyTorch
)

const (
	maxUnits  = 1 << 24   // of a row: nothing can be done with the correlations of more
	maxStrip  = 1 << 28   // values of a sample that must be held to be transposed
	chunk     = 256 << 10 // bytes that are read and converted at a time, in the cache
	inCache   = 256 << 10 // values of a strip when samples lie one after the other
	longReads = 16 << 20  // values of a strip when they do not: its reads are the longer
)

// Rows reads arrays, one after another, as rows of units. The row of sample n at
// height h and width w is (n*H + h)*W + w; there is one row a sample in rank 2.
type Rows struct {
	Samples   int // of all arrays
	Positions int // rows of a sample: H*W, or 1
	Units     int // values of a row

	arrays []*Array
	plans  []plan
	chunk  []byte
	strip  []float32 // some samples as the file has them, if that is not as rows

	// Of the array that is being read, arrays[0]:
	h      handle // nil before it is opened
	r      io.Reader
	at     cursor
	sum    *checksum
	row    int // the next row to be delivered
	lo, hi int // the samples in strip

	err error // that ended the rows
}

// plan is how an array is read.
type plan struct {
	n, h, w, c int

	// The array's order, when it is not that of the rows: the distances between
	// neighbours in a strip of k samples are these, with those of a sample's height,
	// width and units times k when the samples lie closest (Fortran order).
	transposed         bool
	sh, sw, sc, sample int
}

// Rows opens the array: rank 2 is samples x units, rank 4 as layout says. Close
// what it returns.
func (a *Array) Rows(layout Layout) (*Rows, error) { return Concat(layout, a) }

// Concat is Rows of several arrays, one after another, which must have the same
// units and the same height and width. Only one of them is open at a time.
func Concat(layout Layout, arrays ...*Array) (*Rows, error) {
	if len(arrays) == 0 {
		return nil, errors.New("no arrays to read")
	}
	r := &Rows{arrays: arrays, plans: make([]plan, len(arrays)), chunk: make([]byte, chunk)}
	for i, a := range arrays {
		p, err := a.plan(layout)
		if err != nil {
			return nil, err
		}
		first := r.plans[0]
		switch {
		case i == 0:
			r.Units, r.Positions = p.c, p.h*p.w
		case p.c != r.Units:
			return nil, a.errorf("%d units, where %s has %d", p.c, arrays[0].file.Path, r.Units)
		case p.h != first.h || p.w != first.w || len(a.Shape) != len(arrays[0].Shape):
			return nil, a.errorf("shape %v does not continue %v of %s", a.Shape, arrays[0].Shape, arrays[0].file.Path)
		}
		r.plans[i] = p
		if r.Samples += p.n; r.Samples < 0 || r.Samples > math.MaxInt/r.Positions {
			return nil, a.errorf("more samples than can be counted")
		}
	}
	return r, nil
}

// plan checks that the array can be read as rows, and finds how.
func (a *Array) plan(layout Layout) (plan, error) {
	s := a.Shape
	p := plan{h: 1, w: 1}
	switch {
	case !a.DType.floating():
		return p, a.errorf("it holds %v, where floating-point numbers are wanted; save it with x.astype(np.float32)", a.DType)
	case slices.Contains(s, 0):
		return p, a.errorf("shape %v holds no values", s)
	case len(s) == 2:
		p.n, p.c = s[0], s[1]
	case len(s) == 4 && layout == NHWC:
		p.n, p.h, p.w, p.c = s[0], s[1], s[2], s[3]
	case len(s) == 4 && layout == NCHW:
		p.n, p.c, p.h, p.w = s[0], s[1], s[2], s[3]
	case len(s) == 4:
		return p, a.errorf("shape %v has rank 4, and the layout was not given: is it nhwc or nchw?", s)
	default:
		return p, a.errorf("shape %v has rank %d; ranks 2 (samples x units) and 4 are read", s, len(s))
	}
	if p.c > maxUnits {
		return p, a.errorf("%d units, where %d are allowed", p.c, maxUnits)
	}
	p.sample = p.h * p.w * p.c // no overflow: the whole array's size is known
	switch nchw := len(s) == 4 && layout == NCHW; {
	case a.Fortran && a.member != nil && a.member.deflated:
		return p, a.errorf("Fortran order, packed by deflate, cannot be read as a stream; save it by np.savez (not np.savez_compressed), or as np.ascontiguousarray(x)")
	case a.Fortran && nchw:
		p.transposed, p.sc, p.sh, p.sw = true, 1, p.c, p.c*p.h
	case a.Fortran:
		p.transposed, p.sh, p.sw, p.sc = true, 1, p.h, p.h*p.w
	case nchw:
		p.transposed, p.sc, p.sh, p.sw = p.h*p.w > 1, p.h*p.w, p.w, 1
	}
	if p.transposed && p.sample > maxStrip {
		return p, a.errorf("a sample of shape %v has %d values, where %d are allowed unless the units come last (nhwc)", s[1:], p.sample, maxStrip)
	}
	return p, nil
}

// samples returns how many samples a strip holds.
func (p plan) samples(fortran bool) int {
	switch {
	case !p.transposed:
		return 0
	case fortran:
		return min(p.n, max(1, longReads/p.sample))
	}
	return min(p.n, max(1, inCache/p.sample))
}

// Memory returns the bytes that reading takes, beside the caller's.
func (r *Rows) Memory() int64 {
	most := int64(0)
	for i, p := range r.plans {
		bytes := 4 * int64(p.samples(r.arrays[i].Fortran)) * int64(p.sample)
		if m := r.arrays[i].member; m != nil && m.deflated {
			bytes += 2 * window
		}
		most = max(most, bytes)
	}
	return most + chunk
}

// Read fills dst with as many whole rows as it has room for, fewer only where the
// rows end. It returns their number, and io.EOF or another error only if they are
// too few. Read panics if dst is shorter than a row.
func (r *Rows) Read(dst []float32) (rows int, err error) {
	room := len(dst) / r.Units
	if room == 0 {
		panic("arrays: no room for a row")
	}
	for rows < room && r.err == nil {
		if len(r.arrays) == 0 {
			r.err = io.EOF
			break
		}
		n := 0
		n, r.err = r.read(dst[rows*r.Units : room*r.Units])
		rows += n
	}
	if rows == room {
		return rows, nil // an error can wait for the next call
	}
	return rows, r.err
}

// read reads rows of one array, and closes it with the last of them.
func (r *Rows) read(dst []float32) (int, error) {
	a, p := r.arrays[0], r.plans[0]
	if r.h == nil {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n := min(len(dst)/r.Units, p.n*r.Positions-r.row)
	if !p.transposed {
		if err := r.fill(dst[:n*r.Units], r.row*r.Units); err != nil {
			return 0, err
		}
	} else {
		if r.row == r.hi*r.Positions {
			if err := r.load(); err != nil {
				return 0, err
			}
		}
		n = min(n, r.hi*r.Positions-r.row)
		p.transpose(dst, r.strip, r.row-r.lo*r.Positions, n, r.hi-r.lo, a.Fortran)
	}
	if r.row += n; r.row < p.n*r.Positions {
		return n, nil
	}
	if r.sum != nil {
		if err := r.sum.end(); err != nil {
			return n, a.errorf("%w", err)
		}
	}
	r.arrays, r.plans = r.arrays[1:], r.plans[1:]
	return n, r.close()
}

// open begins with the next array.
func (r *Rows) open() error {
	a := r.arrays[0]
	h, err := a.file.open()
	if err != nil {
		return err
	}
	r.h, r.row, r.lo, r.hi = h, 0, 0, 0
	r.sum, r.at = nil, cursor{h, a.offset}
	r.r = &r.at
	if a.member != nil && a.Fortran {
		r.at.at += a.member.offset // read out of order: its checksum is not known
	} else if a.member != nil {
		r.sum = &checksum{r: a.member.stream(h), want: a.member.crc}
		r.r = r.sum
		if _, err := io.CopyN(io.Discard, r.sum, a.offset); err != nil {
			return a.errorf("%w", err)
		}
	}
	return nil
}

// Close ends the rows, read or not.
func (r *Rows) Close() error {
	r.err = os.ErrClosed
	return r.close()
}

func (r *Rows) close() error {
	if r.h == nil {
		return nil
	}
	err := r.h.Close()
	r.h = nil
	return err
}

// fill reads and converts the next elements of the array. The first of them has
// the given index in the file.
func (r *Rows) fill(dst []float32, index int) error {
	a := r.arrays[0]
	for len(dst) > 0 {
		n := min(len(dst), chunk/a.DType.Size)
		b := r.chunk[:n*a.DType.Size]
		if _, err := io.ReadFull(r.r, b); err == io.EOF || err == io.ErrUnexpectedEOF {
			return a.errorf("cut short in elements %d to %d", index, index+n-1)
		} else if err != nil {
			return a.errorf("%w", err)
		}
		a.DType.littleEndian(b)
		if i := a.DType.decode(dst[:n], b); i >= 0 {
			return a.errorf("a value at %v is too large for a float32", a.unravel(index+i))
		}
		dst, index = dst[n:], index+n
	}
	return nil
}

// unravel returns the indices of the element at the given place in the file.
func (a *Array) unravel(place int) []int {
	index := make([]int, len(a.Shape))
	for i := range index {
		if !a.Fortran {
			i = len(index) - 1 - i
		}
		index[i] = place % a.Shape[i]
		place /= a.Shape[i]
	}
	return index
}

// load reads the next samples into the strip, in the file's order.
func (r *Rows) load() error {
	a, p := r.arrays[0], r.plans[0]
	r.lo = r.hi
	k := min(p.samples(a.Fortran), p.n-r.lo)
	if cap(r.strip) < k*p.sample {
		r.strip = make([]float32, k*p.sample)
	}
	r.strip = r.strip[:k*p.sample]
	switch {
	case !a.Fortran:
		if err := r.fill(r.strip, r.lo*p.sample); err != nil {
			return err
		}
	case k == p.n:
		if err := r.fill(r.strip, 0); err != nil {
			return err
		}
	default:
		begin := r.at.at
		for i := range p.sample {
			place := i*p.n + r.lo
			r.at.at = begin + int64(place)*int64(a.DType.Size)
			if err := r.fill(r.strip[i*k:(i+1)*k], place); err != nil {
				return err
			}
		}
		r.at.at = begin
	}
	r.hi = r.lo + k
	return nil
}

// transpose writes the given number of rows, from the given one of a strip of k
// samples.
func (p plan) transpose(dst, strip []float32, row, rows, k int, fortran bool) {
	positions := p.h * p.w
	if !fortran {
		// Each sample is a matrix, units x positions.
		for rows > 0 {
			sample, first := row/positions, row%positions
			n := min(rows, positions-first)
			transpose(dst, p.c, strip[sample*p.sample+first:], p.sc, n, p.c)
			dst, row, rows = dst[n*p.c:], row+n, rows-n
		}
		return
	}
	// Each position is a matrix, units x samples.
	for q := range positions {
		lo := (row - q + positions - 1) / positions
		hi := (row + rows - q + positions - 1) / positions
		if lo < hi {
			transpose(dst[(lo*positions+q-row)*p.c:], positions*p.c, strip[k*(q/p.w*p.sh+q%p.w*p.sw)+lo:], k*p.sc, hi-lo, p.c)
		}
	}
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

// cursor reads a file from a place that can be moved.
type cursor struct {
	r  io.ReaderAt
	at int64
}

func (c *cursor) Read(b []byte) (int, error) {
	n, err := c.r.ReadAt(b, c.at)
	c.at += int64(n)
	return n, err
}

// checksum reads a member of a zip and knows at its end whether it was sound.
type checksum struct {
	r         io.Reader
	sum, want uint32
}

func (c *checksum) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, b[:n])
	return n, err
}

// end is called after the last byte that is expected.
func (c *checksum) end() error {
	n, err := io.ReadFull(c.r, make([]byte, 1))
	switch {
	case n > 0:
		return errors.New("more bytes are packed in it than it claims")
	case err != io.EOF:
		return fmt.Errorf("damaged: %w", err)
	case c.sum != c.want:
		return errors.New("damaged: its checksum is wrong")
	}
	return nil
}
