package arrays

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"sync"
)

// Kind is what an array's elements are.
type Kind byte

const (
	Float   Kind = 'f' // IEEE 754: 2, 4 or 8 bytes
	BFloat  Kind = 'e' // bfloat16
	Int     Kind = 'i'
	Uint    Kind = 'u'
	Bool    Kind = 'b'
	Bytes   Kind = 'S' // strings of bytes, padded with zeros
	Unicode Kind = 'U' // strings of 4-byte code points, padded with zeros
	Void    Kind = 'V' // 2 bytes of no type, which is how NumPy saves the bfloat16 of ml_dtypes
)

// DType is the type of an array's elements.
type DType struct {
	Kind Kind
	Size int  // of an element, in bytes
	Big  bool // big-endian
}

// String returns the name that numpy has for the type.
func (t DType) String() string {
	name := map[Kind]string{
		Float: "float", BFloat: "bfloat", Int: "int", Uint: "uint", Bool: "bool", Bytes: "bytes", Unicode: "str", Void: "void",
	}[t.Kind]
	if t.Kind != Bool {
		name += strconv.Itoa(8 * t.Size)
	}
	if t.Big {
		return "big-endian " + name
	}
	return name
}

// littleEndian is whether this machine has the least byte of a number first.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// native reports whether the elements are float32 as this machine has them.
func (t DType) native() bool { return t == DType{Float, 4, !littleEndian} }

// numeric reports whether the elements can be activations.
func (t DType) numeric() bool { return t.Kind != Bytes && t.Kind != Unicode && t.Kind != Void }

var simple = regexp.MustCompile(`^([<>|=])([biufSUV])([0-9]+)$`)

// parseDescr reads numpy's name of a type that is not structured.
func parseDescr(s string) (DType, error) {
	m := simple.FindStringSubmatch(s)
	if m == nil {
		if len(s) > 1 && s[1] == 'O' {
			return DType{}, errors.New("it holds Python objects, which only pickle could read; save numbers: np.save(path, x.astype(np.float32), allow_pickle=False)")
		}
		return DType{}, fmt.Errorf("its type %q is not read; save it with x.astype(np.float32)", s)
	}
	n, err := strconv.Atoi(m[3])
	t := DType{Kind: Kind(m[2][0]), Size: n, Big: m[1] == ">"}
	ok := err == nil
	switch t.Kind {
	case Float:
		ok = ok && (n == 2 || n == 4 || n == 8)
	case Int, Uint:
		ok = ok && (n == 1 || n == 2 || n == 4 || n == 8)
	case Bool:
		ok = ok && n == 1
	case Void:
		ok = ok && n == 2
	case Unicode:
		ok = ok && n <= maxLabel/4
		t.Size *= 4
	}
	ordered := t.Size > 1 && t.Kind != Bytes && t.Kind != Void
	if !ordered {
		t.Big = false
	}
	if !ok || n < 1 || t.Size > maxLabel || m[1] == "=" && ordered || m[1] == "|" && ordered {
		return DType{}, fmt.Errorf("its type %q is not read; save it with x.astype(np.float32)", s)
	}
	return t, nil
}

// littleEndian reverses the bytes of each element of b if they are big-endian. It
// works in words of 8 bytes: b must have the capacity for a whole number of them.
func (t DType) littleEndian(b []byte) {
	if !t.Big {
		return
	}
	const odd = 0xff00ff00ff00ff00
	for b = b[:(len(b)+7)&^7]; len(b) > 0; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		switch t.Size {
		case 2:
			w = w&odd>>8 | w<<8&odd
		case 8:
			w = bits.ReverseBytes64(w)
		default: // 4, and the code points of Unicode
			w = bits.RotateLeft64(bits.ReverseBytes64(w), 32)
		}
		binary.LittleEndian.PutUint64(b, w)
	}
}

// decode converts the little-endian elements of src, which is as long as dst asks,
// to float32, the nearest. It returns the index of the first float64 that is finite
// and too large for one, or -1.
func (t DType) decode(dst []float32, src []byte) int {
	src = src[:len(dst)*t.Size]
	if t.Kind != Float && t.Kind != BFloat {
		t.decodeIntegers(dst, src)
		return -1
	}
	// Words of 8 bytes first: several elements at once.
	switch {
	case t.Kind == BFloat:
		for ; len(src) >= 8 && len(dst) >= 4; dst, src = dst[4:], src[8:] {
			w := binary.LittleEndian.Uint64(src)
			dst[0] = math.Float32frombits(uint32(w) << 16)
			dst[1] = math.Float32frombits(uint32(w) & 0xffff0000)
			dst[2] = math.Float32frombits(uint32(w>>32) << 16)
			dst[3] = math.Float32frombits(uint32(w>>32) & 0xffff0000)
		}
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case t.Size == 2:
		half := halves()
		for ; len(src) >= 8 && len(dst) >= 4; dst, src = dst[4:], src[8:] {
			w := binary.LittleEndian.Uint64(src)
			dst[0], dst[1], dst[2], dst[3] = half[uint16(w)], half[uint16(w>>16)], half[uint16(w>>32)], half[w>>48]
		}
		for i := range dst {
			dst[i] = half[binary.LittleEndian.Uint16(src[2*i:])]
		}
	case t.Size == 4:
		for ; len(src) >= 16 && len(dst) >= 4; dst, src = dst[4:], src[16:] {
			v, w := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
			dst[0], dst[1] = math.Float32frombits(uint32(v)), math.Float32frombits(uint32(v>>32))
			dst[2], dst[3] = math.Float32frombits(uint32(w)), math.Float32frombits(uint32(w>>32))
		}
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	default:
		// Adding one to an exponent of all ones carries into the sign.
		var carry uint32
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
			carry |= math.Float32bits(dst[i])&0x7f800000 + 0x00800000
		}
		if carry>>31 == 0 {
			break
		}
		for i, v := range dst {
			if x := math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])); math.IsInf(float64(v), 0) && !math.IsInf(x, 0) {
				return i
			}
		}
	}
	return -1
}

// decodeIntegers is decode of integers and of truth values, which are 0 or 1.
func (t DType) decodeIntegers(dst []float32, src []byte) {
	// With its sign bit flipped, an integer is larger by the value of that bit.
	var sign uint64
	if t.Kind == Int {
		sign = 1 << (8*t.Size - 1)
	}
	switch {
	case t.Kind == Bool:
		for i, b := range src {
			dst[i] = float32(min(b, 1))
		}
	case t.Size == 1:
		for i, b := range src {
			dst[i] = float32(int32(b^byte(sign)) - int32(sign))
		}
	case t.Size == 2:
		value := func(u uint64) float32 { return float32(int32(uint16(u)^uint16(sign)) - int32(sign)) }
		for ; len(src) >= 8 && len(dst) >= 4; dst, src = dst[4:], src[8:] {
			w := binary.LittleEndian.Uint64(src)
			dst[0], dst[1], dst[2], dst[3] = value(w), value(w>>16), value(w>>32), value(w>>48)
		}
		for i := range dst {
			dst[i] = value(uint64(binary.LittleEndian.Uint16(src[2*i:])))
		}
	case t.Size == 4:
		value := func(u uint64) float32 { return float32(int64(uint32(u)^uint32(sign)) - int64(sign)) }
		for ; len(src) >= 8 && len(dst) >= 2; dst, src = dst[2:], src[8:] {
			w := binary.LittleEndian.Uint64(src)
			dst[0], dst[1] = value(w), value(w>>32)
		}
		for i := range dst {
			dst[i] = value(uint64(binary.LittleEndian.Uint32(src[4*i:])))
		}
	case t.Kind == Int:
		for i := range dst {
			dst[i] = float32(int64(binary.LittleEndian.Uint64(src[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(binary.LittleEndian.Uint64(src[8*i:]))
		}
	}
}

// halves holds the value of each float16: exact, and quicker to look up than to
// work out.
var halves = sync.OnceValue(func() *[1 << 16]float32 {
	table := new([1 << 16]float32)
	for h := range table {
		e, m := h>>10&31, h&1023
		v := math.Ldexp(float64(m+1024), e-25)
		switch e {
		case 0:
			v = math.Ldexp(float64(m), -24)
		case 31:
			v = math.Inf(1)
			if m > 0 {
				v = math.NaN()
			}
		}
		if h>>15 > 0 {
			v = -v
		}
		table[h] = float32(v)
	}
	return table
})

// product returns the number of bytes that an array of the given shape fills.
func product(shape []int, size int) (int64, error) {
	n := uint64(size)
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("its shape %v has a negative extent", shape)
		}
		zero = zero || d == 0
		hi, lo := bits.Mul64(n, uint64(max(d, 1)))
		if hi != 0 || lo > math.MaxInt {
			return 0, fmt.Errorf("its shape %v is larger than any memory", shape)
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	return int64(n), nil
}
