package arrays

import (
	"encoding/binary"
	"math"
	"slices"
)

// maxMask is how many positions a mask may have, of all samples.
const maxMask = math.MaxInt32

// Mask says at which positions of which samples there is something: a token and not
// padding, or an object and not its background.
type Mask struct {
	Samples   int
	Extents   []int  // of positions: tokens; height and width; depth, height and width
	Positions int    // of a sample: the product of the extents
	Valid     []bool // Samples x Positions, in the order of the rows of Rows
}

// Mask reads the arrays of the given name, one after another, as a mask of so many
// samples: of rank 2 to 4, samples x positions, and of numbers that are all 0 or 1,
// which is valid. It takes a byte of memory for each.
func (s Shards) Mask(name string, samples int) (*Mask, error) {
	arrays, err := s.arrays(name)
	if err != nil {
		return nil, err
	}
	first := arrays[0]
	for _, a := range arrays {
		rank := len(a.Shape)
		switch {
		case !a.DType.numeric():
			return nil, a.errorf("it holds %v, where a mask holds bool, or numbers that are 0 or 1", a.DType)
		case rank < 2 || rank > 4:
			return nil, a.errorf("shape %v has rank %d, where a mask has rank 2 to 4: samples x positions", a.Shape, rank)
		case slices.Contains(a.Shape, 0):
			return nil, a.errorf("shape %v holds no values", a.Shape)
		case !slices.Equal(a.Shape[1:], first.Shape[1:]):
			return nil, a.errorf("shape %v does not continue %v of %s", a.Shape, first.Shape, first.file.Path)
		}
	}
	if err := count(arrays, samples, "samples"); err != nil {
		return nil, err
	}
	m := &Mask{Samples: samples, Extents: first.Shape[1:], Positions: 1}
	for _, d := range m.Extents {
		m.Positions *= d
	}
	if m.Positions > maxMask/samples {
		return nil, first.errorf("%d positions of %d samples, where %d are allowed in all", m.Positions, samples, maxMask)
	}
	m.Valid = make([]bool, samples*m.Positions)
	at := 0
	for _, a := range arrays {
		n := a.Shape[0] * m.Positions
		if err := a.valid(m.Valid[at : at+n]); err != nil {
			return nil, err
		}
		at += n
	}
	return m, nil
}

// valid reads a mask into dst, which is in C order and all false.
func (a *Array) valid(dst []bool) error {
	t := a.DType
	return a.elements(func(place int, b []byte) error {
		var wide [8]byte
		for ; len(b) > 0; b = b[t.Size:] {
			copy(wide[:], b[:t.Size])
			v := binary.LittleEndian.Uint64(wide[:])
			switch {
			case v == t.oneBits() || t.Kind == Bool && v != 0:
				dst[a.rowMajor(place, len(dst))] = true
			case v != 0 && v != t.negativeZero():
				at := a.unravel(place)
				return a.errorf("sample %d, position %v is neither 0 nor 1, as all of a mask is", at[0], at[1:])
			}
			place++
		}
		return nil
	})
}

// one returns the bits of 1.
func (t DType) oneBits() uint64 {
	switch {
	case t.Kind == BFloat:
		return 0x3f80
	case t.Kind == Float && t.Size == 2:
		return 0x3c00
	case t.Kind == Float && t.Size == 4:
		return uint64(math.Float32bits(1))
	case t.Kind == Float:
		return math.Float64bits(1)
	}
	return 1
}

// negativeZero returns the bits of -0, or 0 in a type that has none.
func (t DType) negativeZero() uint64 {
	if t.Kind == Float || t.Kind == BFloat {
		return 1 << (8*t.Size - 1)
	}
	return 0
}

// rowMajor returns where an element is in C order, of n in all, that is at the given
// place in the file.
func (a *Array) rowMajor(place, n int) int {
	if !a.Fortran {
		return place
	}
	at := 0
	for _, d := range a.Shape {
		n /= d
		at += place % d * n
		place /= d
	}
	return at
}
