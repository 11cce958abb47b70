package arrays

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
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
		Float: "float", BFloat: "bfloat", Int: "int", Uint: "uint", Bool: "bool", Bytes: "bytes", Unicode: "str",
	}[t.Kind]
	if t.Kind != Bool {
		name += strconv.Itoa(8 * t.Size)
	}
	if t.Big {
		return "big-endian " + name
	}
	return name
}

// floating reports whether the elements can be activations.
func (t DType) floating() bool { return t.Kind == Float || t.Kind == BFloat }

var simple = regexp.MustCompile(`^([<>|])([biufSU])([0-9]+)$`)

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
	case Unicode:
		ok = ok && n <= maxLabel/4
		t.Size *= 4
	}
	if !ok || n < 1 || t.Size > maxLabel || (m[1] == "|") != (t.Size == 1 || t.Kind == Bytes) {
		return DType{}, fmt.Errorf("its type %q is not read; save it with x.astype(np.float32)", s)
	}
	return t, nil
}

// littleEndian reverses the bytes of each element of b if they are big-endian.
func (t DType) littleEndian(b []byte) {
	if !t.Big {
		return
	}
	switch t.Size {
	case 2:
		for ; len(b) >= 2; b = b[2:] {
			binary.LittleEndian.PutUint16(b, binary.BigEndian.Uint16(b))
		}
	case 4:
		for ; len(b) >= 4; b = b[4:] {
			binary.LittleEndian.PutUint32(b, binary.BigEndian.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			binary.LittleEndian.PutUint64(b, binary.BigEndian.Uint64(b))
		}
	}
}

// decode converts the little-endian elements of src, which is as long as dst asks,
// to float32. It returns the index of the first float64 that is finite and too
// large for one, or -1.
func (t DType) decode(dst []float32, src []byte) int {
	src = src[:len(dst)*t.Size]
	switch {
	case t.Kind == BFloat:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case t.Size == 2:
		for i := range dst {
			dst[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case t.Size == 4:
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

// half returns the value of a float16, exactly.
func half(h uint16) float32 {
	// The exponent's bias grows from 15 to 127, by 112; infinity and NaN keep an
	// exponent of all ones. A subnormal m*2^-24 is made as (2^-14 + m*2^-24) - 2^-14.
	const least = 113 << 23 // 2^-14
	magnitude := uint32(h&0x7fff) << 13
	sign := uint32(h&0x8000) << 16
	switch magnitude >> 23 {
	case 31:
		return math.Float32frombits(sign | magnitude + 224<<23)
	case 0:
		v := math.Float32frombits(magnitude+least) - math.Float32frombits(least)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | magnitude + 112<<23)
}

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
