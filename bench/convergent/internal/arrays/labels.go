package arrays

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// maxLabel is the longest string, in bytes of the file.
const maxLabel = 1 << 16

// Labels reads an array of rank 1 that names samples, images or units: strings, or
// integers, which are written in decimal, so that arrays of different types can be
// compared. It must have n entries.
func (a *Array) Labels(n int) ([]string, error) {
	if err := a.labels(); err != nil {
		return nil, err
	}
	if a.Shape[0] != n {
		return nil, a.errorf("%d entries, where %d are wanted", a.Shape[0], n)
	}
	return a.appendLabels(nil)
}

// labels checks that the array can be labels.
func (a *Array) labels() error {
	if a.err != nil {
		return a.err
	}
	switch a.DType.Kind {
	case Int, Uint, Bytes, Unicode:
	default:
		return a.errorf("it holds %v, where labels are integers or strings", a.DType)
	}
	if len(a.Shape) != 1 {
		return a.errorf("shape %v has rank %d, where labels have rank 1", a.Shape, len(a.Shape))
	}
	return nil
}

// appendLabels reads the labels: memory grows with what is read, not with what is
// claimed.
func (a *Array) appendLabels(dst []string) ([]string, error) {
	err := a.elements(func(place int, b []byte) error {
		for size := a.DType.Size; len(b) > 0; b = b[size:] {
			label, ok := a.DType.label(b[:size])
			if !ok {
				return a.errorf("entry %d is not Unicode", place)
			}
			dst = append(dst, label)
			place++
		}
		return nil
	})
	return dst, err
}

// label returns one entry, which is little-endian, or false if it is no text.
func (t DType) label(b []byte) (string, bool) {
	switch t.Kind {
	case Bytes:
		s := bytes.TrimRight(b, "\x00")
		return string(s), utf8.Valid(s)
	case Unicode:
		for len(b) > 0 && binary.LittleEndian.Uint32(b[len(b)-4:]) == 0 {
			b = b[:len(b)-4]
		}
		s := make([]byte, 0, len(b))
		for ; len(b) > 0; b = b[4:] {
			c := binary.LittleEndian.Uint32(b)
			if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
				return "", false
			}
			s = utf8.AppendRune(s, rune(c))
		}
		return string(s), true
	}
	var wide [8]byte
	copy(wide[:], b)
	v := binary.LittleEndian.Uint64(wide[:])
	if t.Kind == Uint {
		return strconv.FormatUint(v, 10), true
	}
	unused := 64 - 8*t.Size
	return strconv.FormatInt(int64(v<<unused)>>unused, 10), true
}
