package arrays

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Rounding finds out whether activations lose digits that matter where they are
// rounded to float32, as all that is not float32 is. A unit whose mean is a million
// times its deviation has few digits of that left.
type Rounding struct {
	units []rounded
}

// rounded is a unit: sums over its values x, of d = x - first and of e, which is x
// less x rounded.
type rounded struct {
	n          int64
	first      float64
	origin     int64 // first, of integers
	d, e       float64
	dd, de, ee float64
	varies     bool
}

// maxError is how far correlations may err by rounding.
const maxError = 1e-6

// NewRounding returns what is known before the first value of so many units.
func NewRounding(units int) *Rounding { return &Rounding{make([]rounded, units)} }

// Add takes a value of a unit and what it is rounded to. What is not finite is passed
// over: it is found elsewhere.
func (r *Rounding) Add(unit int, x float64, y float32) {
	u := &r.units[unit]
	if u.n == 0 {
		u.first = x
	}
	u.add(x-u.first, x-float64(y))
}

func (u *rounded) add(d, e float64) {
	if !(math.Abs(d) <= math.MaxFloat64) || !(math.Abs(e) <= math.MaxFloat64) {
		return
	}
	u.n++
	u.d += d
	u.e += e
	u.dd += float64(d * d)
	u.de += float64(d * e)
	u.ee += float64(e * e)
	u.varies = u.varies || d != 0
}

// Err returns an error that names the first unit whose correlations may err by more
// than 1e-6. Errors of rounding that follow a line of the values change none, unless
// nothing is left of these. What other errors there are does not depend on other units,
// weakens a correlation by half its share s of the variance, and changes it by about
// sqrt(s/n) by chance, of which four times are counted.
func (r *Rounding) Err() error {
	for i, u := range r.units {
		if !u.varies {
			continue
		}
		n := float64(u.n)
		variance := u.dd/n - float64(u.d/n*u.d/n)
		covariance := u.de/n - float64(u.d/n*u.e/n)
		slope := covariance / variance
		share := max(0, u.ee/n-float64(u.e/n*u.e/n)-float64(slope*covariance)) / variance
		if err := float64(4*math.Sqrt(share/n)) + float64(share/2); !(variance > 0) || !(math.Abs(slope) < 0.01) || !(err <= maxError) {
			return fmt.Errorf("unit %d varies by %.3g about %.3g, which loses digits in float32: its correlations might err by more than %g. "+
				"They do not depend on the mean, nor matchings on the scale: save (x - x.mean(0)) / x.std(0), or, if this is right, x.astype(np.float32)", i, math.Sqrt(max(0, variance)), u.first+u.d/n, maxError)
		}
	}
	return nil
}

// rounds reports whether elements of the type may be rounded to float32.
func (t DType) rounds() bool {
	return t.Kind == Float && t.Size == 8 || (t.Kind == Int || t.Kind == Uint) && t.Size >= 4
}

// chunk takes elements of a file, which are little-endian, and what they were decoded
// to. The first has the given index, and units change every stride elements.
func (r *Rounding) chunk(t DType, dst []float32, src []byte, index, stride int) {
	unit, left := index/stride%len(r.units), stride-index%stride
	for i, y := range dst {
		u := &r.units[unit]
		switch b := src[i*t.Size:]; {
		case t.Kind == Float:
			r.Add(unit, math.Float64frombits(binary.LittleEndian.Uint64(b)), y)
		case t.Kind == Uint && t.Size == 8:
			x := binary.LittleEndian.Uint64(b)
			r.integer(u, int64(x), int64(uint64(y)), float64(x))
		case t.Kind == Uint:
			x := int64(binary.LittleEndian.Uint32(b))
			r.integer(u, x, int64(y), float64(x))
		case t.Size == 8:
			x := int64(binary.LittleEndian.Uint64(b))
			r.integer(u, x, int64(y), float64(x))
		default:
			x := int64(int32(binary.LittleEndian.Uint32(b)))
			r.integer(u, x, int64(y), float64(x))
		}
		if left--; left == 0 {
			left = stride
			if unit++; unit == len(r.units) {
				unit = 0
			}
		}
	}
}

// integer is Add of an integer x that was rounded to y: differences of integers are
// exact where these are too long for a float64.
func (r *Rounding) integer(u *rounded, x, y int64, value float64) {
	if u.n == 0 {
		u.first, u.origin = value, x
	}
	u.add(float64(x-u.origin), float64(x-y))
}
