package arrays

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// safetensorsFile writes a header by hand, and so many bytes of data.
func safetensorsFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// zipFile writes members as they are claimed to be.
func zipFile(t testing.TB, members ...zip.FileHeader) func(data ...[]byte) []byte {
	return func(data ...[]byte) []byte {
		t.Helper()
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := range members {
			w, err := z.CreateRaw(&members[i])
			if err != nil {
				t.Fatal(err)
			}
			w.Write(data[i])
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

// stored claims the truth of a member.
func stored(name string, data []byte) zip.FileHeader {
	n := uint64(len(data))
	return zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: n, UncompressedSize64: n}
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(b)
	w.Close()
	return packed.Bytes()
}

func TestHostileFiles(t *testing.T) {
	header := func(descr, order, shape string) []byte {
		return npyText("{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}")
	}
	f4 := func(shape string) []byte { return header("'<f4'", "False", shape) }
	small := npyFile("<f4", false, []int{1, 2}, make([]byte, 8))
	method := stored("a.npy", small)
	method.Method = 12
	locked := stored("a.npy", small)
	locked.Flags = 1
	long := stored("a.npy", small)
	long.UncompressedSize64 = 1 << 40
	bomb := long
	bomb.Method = zip.Deflate
	beyond := stored("a.npy", small)
	beyond.CompressedSize64, beyond.UncompressedSize64 = 1<<40, 1<<40
	outer := npyFile("|u1", false, []int{60}, make([]byte, 60))
	overlapping := stored("a.npy", outer)
	cut := zipFile(t, stored("a.npy", small), stored("b.npy", small))(small, small)
	many := make([]zip.FileHeader, maxArrays+1)
	for i := range many {
		many[i] = zip.FileHeader{Name: fmt.Sprintf("%d.npy", i)}
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"x":                {nil, "not a .npy"},
		"x.npy":            {[]byte("\x80\x04pickle"), "not a .npy"},
		"magic":            {[]byte(npyMagic), "cut short"},
		"version 0":        {[]byte(npyMagic + "\x00\x00\x00\x00"), "version 0.0"},
		"version 4":        {[]byte(npyMagic + "\x04\x00\x00\x00\x00\x00"), "version 4.0"},
		"header cut":       {f4("(1,2)")[:40], "cut short in its header"},
		"huge header":      {[]byte(npyMagic + "\x02\x00\xff\xff\xff\xff{"), "4294967295 bytes"},
		"2^60 rows":        {f4("(1152921504606846976, 1)"), "cut short"},
		"2^60 empty":       {f4("(1152921504606846976, 4611686018427387904, 0)"), "larger than any memory"},
		"2^80 rows":        {f4("(1208925819614629174706176, 1)"), "larger than any file"},
		"product":          {f4("(4294967296, 4294967296, 2)"), "larger than any memory"},
		"negative":         {f4("(-1, 4)"), "negative"},
		"negative twice":   {f4("(-2, -2)"), "negative"},
		"cut data":         {append(f4("(2, 2)"), make([]byte, 15)...), "cut short: shape [2 2] of float32 takes 16 bytes, of which there are 15"},
		"trailing":         {append(f4("(2, 2)"), make([]byte, 17)...), "1 bytes follow"},
		"empty header":     {npyText(""), "{ was expected"},
		"no dict":          {npyText("[1]"), "{ was expected"},
		"empty dict":       {npyText("{}"), "lacks one"},
		"two keys":         {npyText("{'descr': '<f4', 'shape': (1, 1)}"), "lacks one"},
		"key twice":        {npyText("{'descr': '<f4', 'descr': '<f4'}"), "twice"},
		"unknown key":      {npyText("{'descr': '<f4', 'order': 'C'}"), `unknown key "order"`},
		"no colon":         {npyText("{'descr' '<f4'}"), ": was expected"},
		"no comma":         {npyText("{'descr': '<f4' 'shape': ()}"), ", or }"},
		"no string":        {npyText("{descr: '<f4'}"), "a string"},
		"open string":      {npyText("{'descr': '<f4}"), "a plain string"},
		"escape":           {npyText(`{'descr': '\x3cf4'}`), "a plain string"},
		"code":             {f4("(__import__('os').abort(),)"), "an integer"},
		"list":             {f4("[1, 2]"), "( was expected"},
		"no tuple":         {f4("(12)"), "a tuple"},
		"floats":           {f4("(1.5, 2)"), "a tuple"},
		"signs":            {f4("(--1, 2)"), "an integer"},
		"two commas":       {f4("(1,, 2)"), "an integer"},
		"no comma inside":  {f4("(1, 2 3)"), ", or )"},
		"open tuple":       {npyText("{'shape': (1,"), "an integer"},
		"truth":            {header("'<f4'", "0", "(1, 1)"), "True or False"},
		"after the end":    {append(npyText("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} x"), 0), "the end"},
		"longdouble":       {header("'<f16'", "False", "(1, 1)"), `"<f16"`},
		"void":             {header("'|V8'", "False", "(1, 1)"), `"|V8"`},
		"native":           {header("'=f4'", "False", "(1, 1)"), `"=f4"`},
		"no endian":        {header("'f4'", "False", "(1, 1)"), `"f4"`},
		"either endian":    {header("'|f4'", "False", "(1, 1)"), `"|f4"`},
		"no width":         {header("'<f0'", "False", "(1, 1)"), `"<f0"`},
		"no letters":       {header("'|S0'", "False", "(1152921504606846976,)"), `"|S0"`},
		"no text":          {header("'<U0'", "False", "(1152921504606846976,)"), `"<U0"`},
		"wide":             {header("'|S99999999999999999999'", "False", "(1,)"), "is not read"},
		"long text":        {header("'<U4611686018427387905'", "False", "(1,)"), "is not read"},
		"nested":           {header("['<f4', '<f4']", "False", "(1, 1)"), "structured"},
		"objects":          {header("'|O'", "False", "(1, 1)"), "allow_pickle=False"},
		"no zip":           {[]byte("PK\x03\x04 and no more"), "cut short, or not an .npz"},
		"cut zip":          {cut[:len(cut)-1], "cut short, or not an .npz"},
		"empty zip":        {zipFile(t)(), "no arrays"},
		"checkpoint.pt":    {zipFile(t, stored("a/data.pkl", nil))(nil), "PyTorch"},
		"many":             {zipFile(t, many...)(make([][]byte, len(many))...), "16385 members"},
		"names":            {zipFile(t, stored("a.npy", small), stored("a.npy", small))(small, small), `array "a": there are two`},
		"method":           {zipFile(t, method)(small), `array "a": it is packed by method 12`},
		"locked":           {zipFile(t, locked)(small), "encrypted"},
		"bomb":             {zipFile(t, bomb)(small), "cannot hold the 1099511627776"},
		"long":             {zipFile(t, long)(small), "cannot hold the 1099511627776"},
		"beyond":           {zipFile(t, beyond)(small), "passes the end"},
		"no array":         {zipFile(t, stored("a.npy", []byte("text, not npy")))([]byte("text, not npy")), `array "a": it is not in the .npy format`},
		"overlapping":      {zipFile(t, overlapping, stored("b.npy", small))(outer[:len(outer)-50], small), "overlaps"},
		"x.safetensors":    {safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), "not where the one before it ends"},
		"2.safetensors":    {safetensorsFile(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1), `array "a": its type F8_E4M3`},
		"3.safetensors":    {safetensorsFile(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, 3), "cut short"},
		"4.safetensors":    {safetensorsFile(`{"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}`, 16), `array "a": its type C64 is not read`},
		"5.safetensors":    {safetensorsFile(`{}`, 0), "no tensors"},
		"6.safetensors":    {binary.LittleEndian.AppendUint64(nil, 1<<60), "claims a header"},
		"huge.safetensors": {safetensorsFile(`{"a":{"dtype":"BF16","shape":[1152921504606846976,1],"data_offsets":[0,2305843009213693952]}}`, 2), "large"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, unread(listBytes(name, c.file)), name+": ", c.want)
		})
	}
	for name, want := range map[string]string{
		"structured.npy": "structured",
		"complex.npy":    `"<c8"`,
		"dates.npy":      `"<M8[s]"`,
		"objects.npy":    "astype(np.float32), allow_pickle=False",
		"objects.npz":    `objects.npz: array "bad": it holds Python objects`,
	} {
		wantError(t, unread(listBytes(name, fixtures()[name])), name, want)
	}
}

// unread returns why a file cannot be read, or one of its arrays.
func unread(f *File, err error) error {
	if err != nil {
		return err
	}
	for _, a := range f.Arrays {
		if _, err := f.Array(a.Name); err != nil {
			return err
		}
	}
	return nil
}

// TestEveryCut takes sound files apart: no part of one passes for a file.
func TestEveryCut(t *testing.T) {
	for _, name := range []string{"le-f4-C-v1.npy", "be-f8-F-v3.npy", "stored.npz", "deflated.npz", "torch.safetensors"} {
		whole := fixtures()[name]
		for n := range whole {
			if _, err := listBytes(name, whole[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes of %s pass for a file", n, len(whole), name)
			}
		}
	}
}

// TestEveryDamage changes the bytes of an .npz one by one: what can be read has the
// right checksum.
func TestEveryDamage(t *testing.T) {
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		whole := bytes.Clone(fixtures()[name])
		for i := range whole {
			whole[i] ^= 0x10
			if f, err := listBytes(name, whole); err == nil {
				for _, a := range f.Arrays {
					r, err := a.Rows(Layouts{NHWC})
					if err != nil {
						continue
					}
					var got []float32
					dst := make([]float32, r.Units)
					for err == nil {
						if _, err = r.Read(dst); err == nil {
							got = append(got, dst...)
						}
					}
					if err != io.EOF || len(got) == 0 {
						continue
					}
					if len(got) != 7*5 && len(got) != 3*2*4*5 {
						t.Fatalf("%s: byte %d changed, and %d values of %s pass", name, i, len(got), a.Name)
					}
					same(t, got, wanted(1, 1, 1, len(got), ND)) // in the file's order
				}
			}
			whole[i] ^= 0x10
		}
	}
}

// TestLateErrors is of files whose lies show only when they are read.
func TestLateErrors(t *testing.T) {
	data := npyFile("<f4", false, []int{2, 2}, make([]byte, 16))
	sum := stored("a.npy", data)
	sum.CRC32++
	f, err := listBytes("x.npz", zipFile(t, sum)(data))
	if err != nil {
		t.Fatal(err)
	}
	r := rows(t, f.Arrays[0], ND)
	dst := make([]float32, 4)
	_, err = r.Read(dst) // as many rows as there are: nobody would ask for more
	wantError(t, err, `x.npz: array "a"`, "checksum")

	// A deflated member that is shorter, and one that is longer, than its header says.
	for rows, want := range map[int]string{3: "cut short in elements", 1: "more bytes are packed"} {
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		w, _ := z.Create("a.npy")
		w.Write(npyFile("<f4", false, []int{rows, 2}, make([]byte, 16)))
		z.Close()
		b := packed.Bytes()
		// The size that the directory claims, made to fit.
		size := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
		at := bytes.LastIndex(b, size)
		if at < 0 {
			t.Fatal("no size in the directory")
		}
		binary.LittleEndian.PutUint32(b[at:], uint32(len(data)-16+8*rows))
		f, err := listBytes("x.npz", b)
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Arrays[0].Rows(nil)
		for err == nil {
			_, err = r.Read(dst)
		}
		wantError(t, err, want)
	}
}

func TestFilesThatChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, npyFile("<f4", false, []int{1, 2}, make([]byte, 8)), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 80); err != nil {
		t.Fatal(err)
	}
	_, err = rows(t, f.Arrays[0], ND).Read(make([]float32, 2))
	wantError(t, err, path, "changed")
	_, err = Open(filepath.Dir(path))
	wantError(t, err, "not a regular file")
	if _, err = Open(path + "x"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

// TestSparse reads the begin and the end of a file with a hole of a terabyte.
func TestSparse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	header := npyFile("<f4", false, []int{1 << 30, 256}, nil)
	if err := os.WriteFile(path, header, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(header))+1<<40); err != nil {
		t.Skip("the file system has no such files: ", err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rows(t, f.Arrays[0], ND)
	defer r.Close()
	if n, err := r.Read(make([]float32, 100*256)); n != 100 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
}

// use lists and reads all of a file that may be anything.
func use(t *testing.T, name string, b []byte) {
	f, err := listBytes(name, b)
	if err != nil {
		if !strings.HasPrefix(err.Error(), name) {
			t.Fatalf("%q does not name the file", err)
		}
		return
	}
	for _, a := range f.Arrays {
		size, err := product(a.Shape, a.DType.Size)
		if err != nil || size > int64(len(b))*(maxDeflate+1) {
			t.Fatalf("%d bytes listed as shape %v of %v", len(b), a.Shape, a.DType)
		}
		if size > 1<<22 {
			continue // sound, perhaps, but it takes long
		}
		for _, layouts := range []Layouts{{NTD, NHWC, NDHWC}, {NTD, NCHW, NCDHW}} {
			r, err := a.Rows(layouts)
			if err != nil {
				continue
			}
			dst := make([]float32, 3*r.Units)
			total := 0
			for err == nil {
				var n int
				n, err = r.Read(dst)
				total += n
			}
			if err == io.EOF && total != r.Samples*r.Positions {
				t.Fatalf("%d rows of shape %v", total, a.Shape)
			}
			r.Close()
		}
		if len(a.Shape) == 1 {
			if labels, err := a.Labels(a.Shape[0]); err == nil && len(labels) != a.Shape[0] {
				t.Fatalf("%d labels of shape %v", len(labels), a.Shape)
			}
		}
		if len(a.Shape) > 1 {
			m, err := Shards{f}.Mask(a.Name, a.Shape[0])
			if err != nil {
				if !strings.HasPrefix(err.Error(), name) {
					t.Fatalf("%q does not name the file", err)
				}
				continue
			}
			if m.Positions*m.Samples != len(m.Valid) || int64(len(m.Valid)*a.DType.Size) != size {
				t.Fatalf("a mask of %d x %d, %d values, of shape %v", m.Samples, m.Positions, len(m.Valid), a.Shape)
			}
		}
	}
}

func fuzz(f *testing.F, name, ext string) {
	for fixture, b := range fixtures() {
		if filepath.Ext(fixture) == ext && len(b) < 5000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { use(t, name, b) })
}

func FuzzNPY(f *testing.F) {
	f.Add(npyFile("<i8", false, []int{2, 3}, make([]byte, 8*6)))
	f.Add(npyFile("|b1", true, []int{2, 3, 2}, make([]byte, 12)))
	f.Add(npyFile(">u2", true, []int{2, 1, 3, 2, 2}, make([]byte, 2*24)))
	fuzz(f, "fuzz.npy", ".npy")
}
func FuzzNPZ(f *testing.F)         { fuzz(f, "fuzz.npz", ".npz") }
func FuzzSafetensors(f *testing.F) { fuzz(f, "fuzz.safetensors", ".safetensors") }
