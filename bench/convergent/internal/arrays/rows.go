package arrays

import (
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/convergent-go/convergent/internal/natural"
)

// chunk is how many bytes are read and converted at a time, in the cache.
const chunk = 256 << 10

// Rows reads arrays, one after another, as rows of units: one for each position of
// each sample, positions in the order of their indices. The row of sample n at
// height h and width w is (n*H + h)*W + w.
type Rows struct {
	Samples   int   // of all arrays
	Extents   []int // of positions: none in rank 2; tokens; height and width; depth, height and width
	Positions int   // rows of a sample: the product of the extents
	Units     int   // values of a row

	layouts Layouts
	first   *Array
	arrays  []*Array // that are not yet read
	plans   []plan
	chunk   []byte
	strip   []float32 // some samples as the file has them, if that is not as rows

	// Of the array that is being read, arrays[0]:
	h      handle // nil before it is opened
	r      io.Reader
	at     cursor
	sum    *checksum
	row    int // the next row to be delivered
	lo, hi int // the samples in strip

	rounding *Rounding // of what was not float32
	stopped  atomic.Bool

	err error // that ended the rows
}

// Rows opens the array: rank 2 is samples x units, others are as layouts says.
// Close what it returns.
func (a *Array) Rows(layouts Layouts) (*Rows, error) { return Concat(layouts, a) }

// Concat is Rows of several arrays, one after another, which must have the same
// units and extents of positions. Only one of them is open at a time.
func Concat(layouts Layouts, arrays ...*Array) (*Rows, error) {
	if len(arrays) == 0 {
		return nil, errors.New("no arrays to read")
	}
	r := &Rows{layouts: layouts, chunk: make([]byte, chunk)}
	for _, a := range arrays {
		if err := r.Append(a); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Append has the rows of another array, of as many units and positions, follow those before,
// such as those of the next batch of a [Stream].
func (r *Rows) Append(a *Array) error {
	p, err := a.plan(r.layouts)
	if err != nil {
		return err
	}
	switch {
	case r.first == nil:
		r.first, r.Units, r.Positions, r.Extents = a, p.units, p.positions, p.extents
	case p.units != r.Units:
		return a.errorf("%d units, where %s has %d", p.units, r.first.file.Path, r.Units)
	case !slices.Equal(p.extents, r.Extents):
		return a.errorf("shape %v does not continue %v of %s", a.Shape, r.first.Shape, r.first.file.Path)
	}
	r.arrays, r.plans = append(r.arrays, a), append(r.plans, p)
	if r.Samples += p.samples; r.Samples < 0 || r.Samples > math.MaxInt/r.Positions {
		return a.errorf("more samples than can be counted")
	}
	if a.DType.rounds() && r.rounding == nil {
		r.rounding = NewRounding(r.Units)
	}
	return nil
}

// String says how many there are of what, as in "300 samples, 64 tokens, 48 units".
func (r *Rows) String() string {
	s := natural.Count(r.Samples, "sample") + ", "
	switch len(r.Extents) {
	case 0:
	case 1:
		s += natural.Count(r.Positions, "token") + ", "
	default:
		s += times(r.Extents) + " positions, "
	}
	return s + natural.Count(r.Units, "unit")
}

// Memory returns the bytes that reading takes, beside the caller's.
func (r *Rows) Memory() int64 {
	most := int64(0)
	for i, p := range r.plans {
		bytes := 4 * int64(p.strip()) * int64(p.sample)
		if m := r.arrays[i].member; m != nil && m.deflated {
			bytes += 2 * window
			if p.fortran {
				bytes += m.size // of a temporary file, which may be in memory
			}
		}
		most = max(most, bytes)
	}
	if r.rounding != nil {
		most += int64(unsafe.Sizeof(rounded{})) * int64(r.Units)
	}
	return most + chunk
}

// Read fills dst with as many whole rows as it has room for, fewer only where the
// rows end. It returns their number, io.EOF only if they are too few, and any other
// error at once: that a file is damaged shows with its last row. Read panics if dst is
// shorter than a row.
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
	if rows == room && r.err == io.EOF {
		return rows, nil // the end can wait for the next call
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
	n := min(len(dst)/r.Units, p.samples*r.Positions-r.row)
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
		p.transpose(dst, r.strip, r.row-r.lo*r.Positions, n, r.hi-r.lo)
	}
	if r.row += n; r.row < p.samples*r.Positions {
		return n, nil
	}
	if err := r.sum.end(); err != nil {
		return n, a.errorf("%w", err)
	}
	r.arrays, r.plans = r.arrays[1:], r.plans[1:]
	if len(r.arrays) == 0 && a.file.stream == nil {
		if err := r.End(); err != nil {
			return n, err
		}
	}
	return n, r.close()
}

// End returns an error if values lost digits that matter when they were rounded to float32.
// It is asked after the last batch of a [Stream]; of files, Read knows where they end.
func (r *Rows) End() error {
	if r.rounding == nil {
		return nil
	}
	if err := r.rounding.Err(); err != nil {
		return r.first.errorf("%w", err)
	}
	return nil
}

// open begins with the next array.
func (r *Rows) open() (err error) {
	a := r.arrays[0]
	if r.h, err = a.file.open(); err != nil {
		return err
	}
	r.row, r.lo, r.hi = 0, 0, 0
	if a.Fortran {
		if a.member != nil {
			if err := r.unpack(); err != nil {
				return a.errorf("%w", err)
			}
		}
		r.at = cursor{r.h, a.offset}
		if a.member != nil && !a.member.deflated {
			r.at.at += a.member.offset
		}
		r.r, r.sum = &r.at, nil
		return nil
	}
	r.r, r.sum, err = a.stream(r.h)
	return err
}

// unpack reads the member of an .npz whose data are then read out of their order, in
// which alone its checksum can be told. What is deflated it writes to a temporary file,
// which is read instead.
func (r *Rows) unpack() error {
	m := r.arrays[0].member
	sum := &checksum{r: m.stream(r.h), want: m.crc}
	to := io.Writer(io.Discard)
	var file *os.File
	unpacked := false
	defer func() {
		if file != nil && !unpacked {
			temporary{file}.Close()
		}
	}()
	if m.deflated {
		var err error
		if file, err = os.CreateTemp("", "convergent-*.npy"); err != nil {
			return err
		}
		os.Remove(file.Name()) // so that none is left; on Windows [temporary] does it
		to = file
	}
	for left := m.size; left > 0; {
		if r.stopped.Load() {
			return os.ErrClosed
		}
		n, err := io.CopyBuffer(to, io.LimitReader(sum, min(left, chunk)), r.chunk)
		if err == nil && n == 0 {
			err = errors.New("cut short")
		}
		if err != nil {
			return err
		}
		left -= n
	}
	if err := sum.end(); err != nil || file == nil {
		return err
	}
	r.h.Close()
	r.h, unpacked = temporary{file}, true
	return nil
}

// temporary is a file that is removed when it is closed.
type temporary struct{ *os.File }

// Close implements io.Closer.
func (t temporary) Close() error {
	err := t.File.Close()
	os.Remove(t.Name())
	return err
}

// Stop has reading end soon, with an error. It may be called while Read is at work.
func (r *Rows) Stop() { r.stopped.Store(true) }

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
		if r.stopped.Load() {
			return os.ErrClosed
		}
		n := min(len(dst), chunk/a.DType.Size)
		b := r.chunk[:n*a.DType.Size]
		if a.DType.native() { // there is nothing to convert
			b = unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(b))
		}
		if _, err := io.ReadFull(r.r, b); err == io.EOF || err == io.ErrUnexpectedEOF {
			return a.errorf("cut short in elements %d to %d", index, index+n-1)
		} else if err != nil {
			return a.errorf("%w", err)
		}
		if a.DType.native() {
			dst, index = dst[n:], index+n
			continue
		}
		a.DType.littleEndian(b)
		if i := a.DType.decode(dst[:n], b); i >= 0 {
			return a.errorf("a value at %v is too large for a float32", a.unravel(index+i))
		}
		if a.DType.rounds() {
			r.rounding.chunk(a.DType, dst[:n], b, index, r.plans[0].stride)
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
	k := min(p.strip(), p.samples-r.lo)
	if cap(r.strip) < k*p.sample {
		r.strip = make([]float32, k*p.sample)
	}
	r.strip = r.strip[:k*p.sample]
	switch {
	case !p.fortran:
		if err := r.fill(r.strip, r.lo*p.sample); err != nil {
			return err
		}
	case k == p.samples:
		if err := r.fill(r.strip, 0); err != nil {
			return err
		}
	default:
		begin := r.at.at
		for i := range p.sample {
			place := i*p.samples + r.lo
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
