package arrays

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestMatrix(t *testing.T) {
	want := wanted(7, 1, 1, 5, ND)
	for _, endian := range []string{"le", "be"} {
		for _, size := range []int{2, 4, 8} {
			for _, order := range []string{"C", "F"} {
				for version := 1; version <= 3; version++ {
					name := fmt.Sprintf("%s-f%d-%s-v%d.npy", endian, size, order, version)
					t.Run(name, func(t *testing.T) {
						a := array(t, open(t, name), "")
						if !slices.Equal(a.Shape, []int{7, 5}) || a.Fortran != (order == "F") ||
							a.DType != (DType{Float, size, endian == "be"}) {
							t.Fatalf("listed as %+v", a)
						}
						for _, block := range []int{1, 2, 7, 20} {
							same(t, readAll(t, rows(t, a, ND), block), want)
						}
					})
				}
			}
		}
	}
}

func TestRank4(t *testing.T) {
	for name, layout := range map[string]Layout{"nhwc": NHWC, "nchw": NCHW} {
		for _, order := range []string{"C", "F"} {
			a := array(t, open(t, name+"-"+order+".npy"), "")
			for block := 1; block <= 25; block++ {
				r := rows(t, a, layout)
				if r.Samples != 3 || r.Positions != 8 || r.Units != 5 {
					t.Fatalf("%s-%s: %d samples of %d x %d", name, order, r.Samples, r.Positions, r.Units)
				}
				same(t, readAll(t, r, block), wanted(3, 2, 4, 5, layout))
			}
			_, err := a.Rows(Layouts{NTD, NCDHW})
			wantError(t, err, name+"-"+order+".npy: -layout ntd,ncdhw is not enough: is it ("+times(a.Shape)+") nhwc or nchw?")
		}
	}
}

// TestRank3AndIntegers reads what numpy wrote of other ranks and types.
func TestRank3AndIntegers(t *testing.T) {
	r := rows(t, array(t, open(t, "rank3.npy"), ""), NTD)
	if r.Samples != 2 || r.Positions != 2 || r.Units != 2 {
		t.Errorf("%v", r)
	}
	same(t, readAll(t, r, 3), wanted(2, 1, 2, 2, NHWC))
	for _, name := range []string{"integers.npy", "bools.npy"} {
		same(t, readAll(t, rows(t, array(t, open(t, name), ""), ND), 1), make([]float32, 4))
	}
}

// TestLargeTransposes compares strips of many sizes with the definition.
func TestLargeTransposes(t *testing.T) {
	for _, c := range []struct {
		shape   []int
		layout  Layout
		fortran bool
	}{
		{[]int{37, 61, 16, 16}, NCHW, false}, // four strips of 16 samples
		{[]int{5, 40, 96, 96}, NCHW, false},  // a sample to a strip
		{[]int{9, 13, 1, 1}, NCHW, false},    // no positions to transpose
		{[]int{37, 61, 4, 8, 8}, NCDHW, false},
		{[]int{5, 40, 23, 17, 24}, NCDHW, false},
		{[]int{70_000, 500}, ND, true},
		{[]int{300, 143, 401}, NTD, true},
		{[]int{300, 11, 13, 401}, NHWC, true},
		{[]int{300, 401, 11, 13}, NCHW, true},
		{[]int{300, 3, 5, 11, 401}, NDHWC, true},
		{[]int{300, 401, 3, 5, 11}, NCDHW, true},
	} {
		if c.fortran && testing.Short() {
			continue
		}
		r := rows(t, counter(c.shape, c.fortran), c.layout)
		dst := make([]float32, 1000*r.Units)
		for row := 0; ; {
			n, err := r.Read(dst)
			for i := range n {
				for u := range r.Units {
					at := place(c.shape, c.fortran, indices(c.layout, c.shape, row, u))
					if want := float32(at & 0xffffff); dst[i*r.Units+u] != want {
						t.Fatalf("%+v: row %d, unit %d is %v, want %v", c, row, u, dst[i*r.Units+u], want)
					}
				}
				row++
			}
			if err == io.EOF {
				if row != r.Samples*r.Positions {
					t.Fatalf("%+v: %d rows", c, row)
				}
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// indices returns those of a unit of a row in an array, by the letters of its
// layout: the row is of the last position that is counted first.
func indices(layout Layout, shape []int, row, unit int) []int {
	index := make([]int, len(shape))
	for i := len(shape) - 1; i > 0; i-- {
		if letter := layout[i]; letter == 'c' || letter == 'd' && len(layout) < 4 {
			index[i] = unit
		} else {
			index[i], row = row%shape[i], row/shape[i]
		}
	}
	index[0] = row
	return index
}

// place returns where an element lies in the file, by the definition of the orders.
func place(shape []int, fortran bool, index []int) int {
	at := 0
	for i := range shape {
		if fortran {
			i = len(shape) - 1 - i
		}
		at = at*shape[i] + index[i]
	}
	return at
}

// counting file: float32, each element its place in the file in 24 bits. It has no
// end.
type countingFile struct{}

func (countingFile) Close() error { return nil }

func (countingFile) ReadAt(b []byte, off int64) (int, error) {
	for i := 0; i < len(b); i += 4 {
		binary.LittleEndian.PutUint32(b[i:], math.Float32bits(float32((off+int64(i))/4&0xffffff)))
	}
	return len(b), nil
}

func counter(shape []int, fortran bool) *Array {
	f := &File{Path: "counter", open: func() (handle, error) { return countingFile{}, nil }}
	f.Arrays = []*Array{{Shape: shape, DType: DType{Float, 4, false}, Fortran: fortran, file: f}}
	return f.Arrays[0]
}

func TestNPZ(t *testing.T) {
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		f := open(t, name)
		if len(f.Arrays) != 4 {
			t.Fatalf("%s: %d arrays", name, len(f.Arrays))
		}
		for _, c := range []struct {
			array  string
			layout Layout
			want   []float32
		}{
			{"2", NCHW, wanted(7, 1, 1, 5, ND)}, // the layout is of those of rank 4
			{"nhwc", NHWC, wanted(3, 2, 4, 5, NHWC)},
			{"nchw", NCHW, wanted(3, 2, 4, 5, NCHW)},
		} {
			same(t, readAll(t, rows(t, array(t, f, c.array), c.layout), 3), c.want)
		}
	}
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		same(t, readAll(t, rows(t, array(t, open(t, name), "f"), ND), 2), wanted(7, 1, 1, 5, ND))
	}
	_, err := open(t, "stored.npz").Array("")
	wantError(t, err, "stored.npz", `["2" "nhwc" "nchw" "f"]`)
}

func TestSafetensors(t *testing.T) {
	f := open(t, "torch.safetensors")
	for name, dtype := range map[string]string{"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"} {
		a := array(t, f, name)
		if a.DType.String() != dtype {
			t.Errorf("%s is %v", name, a.DType)
		}
		same(t, readAll(t, rows(t, a, ND), 4), wanted(7, 1, 1, 5, ND))
	}
	same(t, readAll(t, rows(t, array(t, f, "nchw"), NCHW), 4), wanted(3, 2, 4, 5, NCHW))
	for _, name := range []string{"i32", "i64"} {
		if ids, err := array(t, f, name).Labels(3); err != nil || !slices.Equal(ids, []string{"-3", "0", "2147483647"}) {
			t.Errorf("%s: %q, %v", name, ids, err)
		}
	}
	_, err := array(t, f, "bool").Rows(nil)
	wantError(t, err, `array "bool"`, "shape [1] has rank 1")
}

func TestSpecialValues(t *testing.T) {
	for _, name := range []string{"special-f2.npy", "special-f8.npy", "special-bf16.safetensors"} {
		want := name[:len(name)-len(filepath.Ext(name))] + "-as-f4.npy"
		same(t, readAll(t, rows(t, array(t, open(t, name), ""), ND), 1), readAll(t, rows(t, array(t, open(t, want), ""), ND), 1))
	}
}

func TestOverflowNamesItsPlace(t *testing.T) {
	r := rows(t, array(t, open(t, "overflow.npy"), ""), ND)
	defer r.Close()
	dst := make([]float32, 6)
	for range 2 { // the error stays
		n, err := r.Read(dst)
		if n != 0 {
			t.Errorf("%d rows", n)
		}
		wantError(t, err, "overflow.npy", "[1 2]", "too large")
	}
	a := Array{Shape: []int{3, 4, 5}}
	for range 2 {
		for i := range 60 {
			if got := place(a.Shape, a.Fortran, a.unravel(i)); got != i {
				t.Fatalf("%d is at %v", i, a.unravel(i))
			}
		}
		a.Fortran = true
	}
}

func TestRefusedArrays(t *testing.T) {
	for name, want := range map[string]string{
		"ids-U.npy":    "it holds str160, where activations are numbers",
		"ids-S.npy":    "it holds bytes24",
		"ids-i4.npy":   "shape [3] has rank 1: one value for each of 3 samples is not samples x units; x[:, None] makes it so",
		"rank0.npy":    "rank 0",
		"rank3.npy":    "rank3.npy: -layout nhwc is not enough: is it (2 x 2 x 2) ntd (samples x tokens x units)?",
		"empty.npy":    "holds no values",
		"no-units.npy": "holds no values",
	} {
		_, err := array(t, open(t, name), "").Rows(Layouts{NHWC})
		wantError(t, err, name, want)
	}
	a := counter([]int{10, 1 << 25}, false)
	_, err := a.Rows(nil)
	wantError(t, err, "33554432 units")
	a = counter([]int{10, 1 << 20, 1 << 5, 1 << 5}, false)
	_, err = a.Rows(Layouts{NCHW})
	wantError(t, err, "a sample of shape [1048576 32 32]")
}

func TestReadPanicsWithoutRoom(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	rows(t, counter([]int{10, 4}, false), ND).Read(make([]float32, 3))
}

func TestClose(t *testing.T) {
	r := rows(t, counter([]int{10, 4}, false), ND)
	if n, err := r.Read(make([]float32, 8)); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	r.Close()
	if n, err := r.Read(make([]float32, 8)); n != 0 || err != os.ErrClosed {
		t.Fatalf("%d, %v after Close", n, err)
	}
}

// TestMemory reads from files of 2^50 bytes and more, and a quarter of a gigabyte of zeros in
// a small .npz, and counts what is allocated.
func TestMemory(t *testing.T) {
	megabytes := 256
	if testing.Short() {
		megabytes = 16
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, err := z.Create("zeros.npy")
	if err != nil {
		t.Fatal(err)
	}
	w.Write(npyFile("<f4", false, []int{megabytes << 10, 1 << 8}, nil))
	zeros := make([]byte, 1<<20)
	for range megabytes {
		w.Write(zeros)
	}
	z.Close()
	f, err := listBytes("bomb.npz", bomb.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		a      *Array
		layout Layout
		blocks int
	}{
		"C":        {counter([]int{math.MaxInt >> 23, 256}, false), ND, 1000},
		"NHWC":     {counter([]int{1 << 30, 32, 32, 256}, false), NHWC, 1000},
		"NCHW":     {counter([]int{1 << 30, 256, 32, 32}, false), NCHW, 1000},
		"F":        {counter([]int{math.MaxInt >> 23, 256}, true), ND, 200},
		"F NHWC":   {counter([]int{1 << 30, 32, 32, 256}, true), NHWC, 100},
		"deflated": {f.Arrays[0], ND, math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				c.blocks /= 20
			}
			r := rows(t, c.a, c.layout)
			defer r.Close()
			dst := make([]float32, 1024*256)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range c.blocks {
				if _, err := r.Read(dst); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			if got := int64(after.TotalAlloc - before.TotalAlloc); got > r.Memory() || r.Memory() > 65<<20 {
				t.Errorf("allocated %d bytes, where Memory says %d", got, r.Memory())
			}
		})
	}
}

// npyFile writes a .npy of version 1.
func npyFile(descr string, fortran bool, shape []int, data []byte) []byte {
	order, tuple := "False", "("
	if fortran {
		order = "True"
	}
	for _, d := range shape {
		tuple += fmt.Sprintf("%d,", d)
	}
	return append(npyText(fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s), }\n", descr, order, tuple)), data...)
}

func npyText(header string) []byte {
	b := append([]byte(npyMagic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(header))), header...)
}

// BenchmarkRows reads 64 MiB from memory: bytes of the file.
func BenchmarkRows(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	const n, h, c = 64, 32, 256
	for _, bench := range []struct {
		name, descr string
		size        int
		fortran     bool
		shape       []int
		layout      Layout
	}{
		{"f4", "<f4", 4, false, []int{n * h * h, c}, ND},
		{"f4-big", ">f4", 4, false, []int{n * h * h, c}, ND},
		{"f2", "<f2", 2, false, []int{2 * n * h * h, c}, ND},
		{"f8", "<f8", 8, false, []int{n * h * h / 2, c}, ND},
		{"u1", "|u1", 1, false, []int{4 * n * h * h, c}, ND},
		{"i8", "<i8", 8, false, []int{n * h * h / 2, c}, ND},
		{"f4-F", "<f4", 4, true, []int{n * h * h, c}, ND},
		{"f4-NCHW", "<f4", 4, false, []int{n, c, h, h}, NCHW},
		{"f2-NCHW", "<f2", 2, false, []int{2 * n, c, h, h}, NCHW},
		{"f4-NCHW-8x8", "<f4", 4, false, []int{n * 16, c, h / 4, h / 4}, NCHW},
		{"f4-NHWC-F", "<f4", 4, true, []int{n, h, h, c}, NHWC},
	} {
		b.Run(bench.name, func(b *testing.B) {
			data := make([]byte, n*h*h*c*4)
			for i := 0; i < len(data); i += bench.size {
				v := float32(rnd.NormFloat64())
				if rnd.IntN(2) == 0 {
					v = 0 // as after ReLU
				}
				switch bench.size {
				case 1:
					data[i] = byte(rnd.Uint32())
				case 2:
					if v != 0 {
						binary.LittleEndian.PutUint16(data[i:], uint16(rnd.IntN(0x7c00-0x400)+0x400))
					}
				case 4:
					binary.LittleEndian.PutUint32(data[i:], math.Float32bits(v))
				case 8:
					binary.LittleEndian.PutUint64(data[i:], math.Float64bits(float64(v)))
				}
			}
			f, err := listBytes("x", npyFile(bench.descr, bench.fortran, bench.shape, data))
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]float32, 4096*c)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r := rows(b, f.Arrays[0], bench.layout)
				for {
					if _, err := r.Read(dst); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
