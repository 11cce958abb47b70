package arrays

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestParseLayouts(t *testing.T) {
	for s, want := range map[string]Layouts{
		"":                       nil,
		"nchw":                   {NCHW},
		"NHWC":                   {NHWC},
		"ntd,nchw":               {NTD, NCHW},
		"nd, NTD ,nhwc,NcDhW":    {ND, NTD, NHWC, NCDHW},
		"ndhwc,nhwc,ntd,nd":      {NDHWC, NHWC, NTD, ND},
		"nchw,ncdhw,nd,ntd":      {NCHW, NCDHW, ND, NTD},
		"\tndhwc\n, nchw , ntd ": {NDHWC, NCHW, NTD},
	} {
		got, err := ParseLayouts(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v", s, got, err)
		}
		if again, err := ParseLayouts(got.String()); err != nil || !slices.Equal(again, got) {
			t.Errorf("%v is not what it says: %v, %v", got, again, err)
		}
	}
	for s, want := range map[string]string{
		"ncl":         `"ncl" is not known`,
		",":           `"" is not known`,
		"nchw,":       `"" is not known`,
		"nchw;ntd":    `"nchw;ntd" is not known`,
		"nhwc,NCHW":   "nhwc and nchw are both of rank 4",
		"ntd,nd,ntd":  "ntd and ntd are both of rank 3",
		"ndhwc,ncdhw": "ndhwc and ncdhw are both of rank 5",
	} {
		_, err := ParseLayouts(s)
		wantError(t, err, want)
	}
}

func TestLayoutIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		shape   []int
		layouts Layouts
		want    string
	}{
		{"conv1", []int{300, 32, 16, 16}, nil, "x.npz: -layout is needed: is conv1 (300 x 32 x 16 x 16) nhwc or nchw?"},
		{"tokens", []int{300, 64, 48}, nil, "x.npz: -layout is needed: is tokens (300 x 64 x 48) ntd (samples x tokens x units)?"},
		{"volume", []int{300, 4, 5, 6, 48}, nil, "x.npz: -layout is needed: is volume (300 x 4 x 5 x 6 x 48) ndhwc or ncdhw?"},
		{"tokens", []int{300, 64, 48}, Layouts{NCHW, ND}, "x.npz: -layout nchw,nd is not enough: is tokens (300 x 64 x 48) ntd"},
		{"", []int{300, 64, 48}, nil, "x.npz: -layout is needed: is it (300 x 64 x 48) ntd"},
		{"a\x1b[2J\"", []int{3, 6, 4}, nil, `is a\x1b[2J\" (3 x 6 x 4) ntd`},
		{"y", []int{300}, Layouts{NTD}, `x.npz: array "y": shape [300] has rank 1: one value for each of 300 samples is not samples x units; x[:, None] makes it so`},
		{"lr", nil, nil, `x.npz: array "lr": shape [] has rank 0`},
		{"video", []int{3, 2, 2, 2, 2, 2}, Layouts{NDHWC}, `x.npz: array "video": shape [3 2 2 2 2 2] has rank 6; ranks 2 to 5 are read`},
	} {
		a := counter(c.shape, false)
		a.Name, a.file.Path = c.name, "x.npz"
		_, err := a.Rows(c.layouts)
		wantError(t, err, c.want)
	}
}

func TestRowsSayWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		shape   []int
		layout  Layout
		extents []int
		want    string
	}{
		{[]int{300, 48}, NCHW, nil, "300 samples, 48 units"}, // the layout is of arrays of its own rank
		{[]int{300, 64, 48}, NTD, []int{64}, "300 samples, 64 tokens, 48 units"},
		{[]int{300, 32, 16, 96}, NHWC, []int{32, 16}, "300 samples, 32 x 16 positions, 96 units"},
		{[]int{300, 96, 32, 16}, NCHW, []int{32, 16}, "300 samples, 32 x 16 positions, 96 units"},
		{[]int{300, 4, 32, 16, 96}, NDHWC, []int{4, 32, 16}, "300 samples, 4 x 32 x 16 positions, 96 units"},
		{[]int{300, 96, 4, 32, 16}, NCDHW, []int{4, 32, 16}, "300 samples, 4 x 32 x 16 positions, 96 units"},
	} {
		r := rows(t, counter(c.shape, false), c.layout)
		if r.String() != c.want || !slices.Equal(r.Extents, c.extents) {
			t.Errorf("%v as %s: %v, extents %v", c.shape, c.layout, r, r.Extents)
		}
	}
}

// types are all that activations can be of.
var types = []DType{
	{BFloat, 2, false},
	{Float, 2, false}, {Float, 4, false}, {Float, 8, false}, {Float, 2, true}, {Float, 4, true}, {Float, 8, true},
	{Int, 1, false}, {Int, 2, false}, {Int, 4, false}, {Int, 8, false}, {Int, 2, true}, {Int, 4, true}, {Int, 8, true},
	{Uint, 1, false}, {Uint, 2, false}, {Uint, 4, false}, {Uint, 8, false}, {Uint, 2, true}, {Uint, 4, true}, {Uint, 8, true},
	{Bool, 1, false},
}

// encode writes an integer below 256 as an element.
func (t DType) encode(v int) []byte {
	bits := uint64(v)
	if v != 0 && (t.Kind == Float || t.Kind == BFloat) {
		fraction, exponent := math.Frexp(math.Abs(float64(v)))
		digits, bias := 10, 14 // of float16
		switch {
		case t.Kind == BFloat:
			digits, bias = 7, 126
		case t.Size == 4:
			digits, bias = 23, 126
		case t.Size == 8:
			digits, bias = 52, 1022
		}
		bits = uint64(exponent+bias)<<digits | uint64((2*fraction-1)*float64(uint64(1)<<digits))
		if v < 0 {
			bits |= 1 << (8*t.Size - 1)
		}
	}
	b := binary.LittleEndian.AppendUint64(nil, bits)[:t.Size]
	if t.Big {
		slices.Reverse(b)
	}
	return b
}

// small is a value that each type holds, another at each place.
func (t DType) small(place int) int {
	v := place * 37 % 101
	switch t.Kind {
	case Bool:
		return v % 2
	case Uint:
		return v
	}
	return v - 50
}

// pack writes an array as a file: of what kind, the ending of the name says.
func pack(t *testing.T, name string, d DType, fortran bool, shape []int, data []byte) []byte {
	t.Helper()
	if name == "x.safetensors" {
		for dtype, known := range safetensorsTypes {
			if known == d {
				shape := strings.ReplaceAll(fmt.Sprint(shape), " ", ",")
				header := fmt.Sprintf(`{"x":{"dtype":"%s","shape":%s,"data_offsets":[0,%d]}}`, dtype, shape, len(data))
				return append(safetensorsFile(header, 0), data...)
			}
		}
		t.Fatal(d, " in ", name)
	}
	order := "<"
	switch {
	case d.Size == 1:
		order = "|"
	case d.Big:
		order = ">"
	}
	npy := npyFile(fmt.Sprintf("%s%c%d", order, d.Kind, d.Size), fortran, shape, data)
	if name == "x.npy" {
		return npy
	}
	if name == "stored.npz" {
		return zipFile(t, stored("x.npy", npy))(npy)
	}
	h := stored("x.npy", npy)
	packed := deflate(t, npy)
	h.Method, h.CompressedSize64 = 8, uint64(len(packed))
	return zipFile(t, h)(packed)
}

// cut returns shards of the array of a shape that has the value of f at each place in
// C order: each file has one of the given numbers of samples.
func cut(t *testing.T, name string, d DType, fortran bool, shape, samples []int, f func(place int) int) Shards {
	t.Helper()
	var shards Shards
	from := 0
	for i, n := range samples {
		part := slices.Clone(shape)
		part[0] = n
		size := volume(part)
		data := make([]byte, size*d.Size)
		for j := range size {
			index := make([]int, len(part))
			for k, rest := len(part)-1, j; k >= 0; k-- {
				index[k], rest = rest%part[k], rest/part[k]
			}
			copy(data[place(part, fortran, index)*d.Size:], d.encode(f(from+j)))
		}
		from += size
		file, err := listBytes(name, pack(t, name, d, fortran, part, data))
		if err != nil {
			t.Fatalf("shard %d: %v", i, err)
		}
		shards = append(shards, file)
	}
	return shards
}

// volume returns how many elements a shape has.
func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// TestEveryArray reads each type in each layout, order and kind of file, whole and in
// shards, and compares each value with the definition.
func TestEveryArray(t *testing.T) {
	shapes := map[Layout][]int{
		ND: {7, 5}, NTD: {7, 3, 5}, NHWC: {7, 2, 3, 5}, NCHW: {7, 5, 2, 3}, NDHWC: {7, 2, 3, 4, 5}, NCDHW: {7, 5, 2, 3, 4},
	}
	for layout, shape := range shapes {
		for _, name := range []string{"x.npy", "stored.npz", "deflated.npz", "x.safetensors"} {
			t.Run(string(layout)+" "+name, func(t *testing.T) {
				for _, d := range types {
					if (d.Kind == BFloat || d.Big) && (d.Kind == BFloat && !d.Big) != (name == "x.safetensors") {
						continue // numpy has no bfloat16, and safetensors no big-endian
					}
					for _, fortran := range []bool{false, true} {
						if fortran && name == "x.safetensors" {
							continue // has none
						}
						for _, samples := range [][]int{{7}, {2, 1, 4}} {
							array := "x"
							if name == "x.npy" {
								array = ""
							}
							s := cut(t, name, d, fortran, shape, samples, d.small)
							for _, block := range []int{1, 4, 200} {
								r, err := s.Rows(array, Layouts{layout})
								if err != nil {
									t.Fatal(d, err)
								}
								if r.Samples != 7 || r.Units != 5 || r.Samples*r.Positions*r.Units != volume(shape) {
									t.Fatalf("%v of shape %v", r, shape)
								}
								got := readAll(t, r, block)
								for i, v := range got {
									at := place(shape, false, indices(layout, shape, i/r.Units, i%r.Units))
									if want := float32(d.small(at)); v != want {
										t.Fatalf("%v, Fortran %v, shards %v: value %d is %v, want %v", d, fortran, samples, i, v, want)
									}
								}
								if len(got) != volume(shape) {
									t.Fatalf("%d values of shape %v", len(got), shape)
								}
							}
						}
					}
				}
			})
		}
	}
}

// TestIntegersRound compares integers with arithmetic that is exact and rounded once.
func TestIntegersRound(t *testing.T) {
	some := []uint64{0, 1, 2, 1<<24 - 1, 1 << 24, 1<<24 + 1, 1<<24 + 2, 1<<24 + 3, 1<<25 + 1, 1<<25 + 2, 1<<25 + 3,
		1<<40 + 1<<16, 1<<40 + 1<<16 + 1, 1<<53 + 1, 1<<63 - 1, 1 << 63, 1<<63 + 1<<39, 1<<63 + 1<<39 + 1}
	for i := range uint(64) {
		some = append(some, 0x9e3779b97f4a7c15>>i)
	}
	for _, v := range slices.Clone(some) {
		some = append(some, ^v, -v)
	}
	for _, d := range types {
		if d.Kind != Int && d.Kind != Uint {
			continue
		}
		bits := uint(8 * d.Size)
		var data []byte
		var want []float32
		for _, v := range some {
			v = v << (64 - bits) >> (64 - bits)
			exact := new(big.Int).SetUint64(v)
			if d.Kind == Int && v>>(bits-1) == 1 {
				exact.Sub(exact, new(big.Int).Lsh(big.NewInt(1), bits))
			}
			w, _ := new(big.Float).SetInt(exact).Float32()
			want = append(want, w)
			b := binary.LittleEndian.AppendUint64(nil, v)[:d.Size]
			if d.Big {
				slices.Reverse(b)
			}
			data = append(data, b...)
		}
		f, err := listBytes("x.npy", pack(t, "x.npy", d, false, []int{1, len(some)}, data))
		if err != nil {
			t.Fatal(err)
		}
		same(t, readAll(t, rows(t, f.Arrays[0], ND), 1), want)
	}
	// A byte of a truth value that numpy would not write is true, as numpy reads it.
	f, err := listBytes("x.npy", npyFile("|b1", false, []int{1, 4}, []byte{0, 1, 2, 255}))
	if err != nil {
		t.Fatal(err)
	}
	same(t, readAll(t, rows(t, f.Arrays[0], ND), 1), []float32{0, 1, 1, 1})
}

// TestTails converts any number of elements: words and what is left of them.
func TestTails(t *testing.T) {
	for _, d := range types {
		d.Big = false
		for n := range 20 {
			src := bytes.NewBuffer(nil)
			want := make([]float32, n)
			for i := range want {
				src.Write(d.encode(d.small(i + 1)))
				want[i] = float32(d.small(i + 1))
			}
			dst := make([]float32, n+1)
			dst[n] = 77
			if i := d.decode(dst[:n], src.Bytes()); i >= 0 {
				t.Fatalf("%v: element %d does not fit", d, i)
			}
			same(t, dst, append(want, 77))
		}
	}
}
