package arrays

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// TestQuirks reads files as programs write them that are not quite NumPy.
func TestQuirks(t *testing.T) {
	// Windows' ends of lines in the header.
	f, err := listBytes("x.npy", append(npyText("{'descr': '<f4',\r\n 'fortran_order': False, 'shape': (1, 2)}\r\n"), 0, 0, 128, 63, 0, 0, 0, 64))
	if err != nil {
		t.Fatal(err)
	}
	same(t, readAll(t, rows(t, f.Arrays[0], ND), 1), []float32{1, 2})
	// An order of bytes where there is one byte.
	for _, descr := range []string{"<u1", ">i1", "=u1", "|u1", "<S1", ">S1"} {
		if f, err = listBytes("x.npy", npyFile(descr, false, []int{2}, []byte("12"))); err != nil {
			t.Fatal(descr, err)
		}
		want := []string{"49", "50"}
		if descr[1] == 'S' {
			want = []string{"1", "2"}
		}
		if got, err := f.Arrays[0].Labels(2); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", descr, got, err)
		}
	}
	// The bfloat16 of ml_dtypes, if it is said to be that.
	for _, descr := range []string{"<V2", "|V2", ">V2"} {
		if f, err = listBytes("x.npy", npyFile(descr, false, []int{1, 2}, []byte{0x80, 0x3f, 0, 0x40})); err != nil {
			t.Fatal(descr, err)
		}
		_, err = f.Arrays[0].Rows(nil)
		wantError(t, err, "x.npy: it holds 2 bytes of no type", "-bfloat16")
		Shards{f}.BFloat16()
		same(t, readAll(t, rows(t, f.Arrays[0], ND), 1), []float32{1, 2})
	}
}

// TestUnwantedArrays: an array that cannot be read is no obstacle to those beside it.
func TestUnwantedArrays(t *testing.T) {
	small := npyFile("<f4", false, []int{1, 2}, []byte{0, 0, 128, 63, 0, 0, 0, 64})
	objects := npyText("{'descr': '|O', 'fortran_order': False, 'shape': ()}")
	fields := npyText("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,)}")
	locked, packed := stored("locked.npy", small), stored("packed.npy", small)
	locked.Flags, packed.Method = 1, 93
	z := zipFile(t, stored("config.npy", objects), stored("conv1.npy", small), stored("fields.npy", fields), locked, packed)(objects, small, fields, small, small)
	f8 := safetensorsFile(`{"scale":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]},"f4":{"dtype":"F4","shape":[2],"data_offsets":[1,2]},"conv1":{"dtype":"F32","shape":[1,2],"data_offsets":[2,10]}}`, 2)
	f8 = append(f8, 0, 0, 128, 63, 0, 0, 0, 64)
	for name, b := range map[string][]byte{"x.npz": z, "x.safetensors": f8} {
		f, err := listBytes(name, b)
		if err != nil {
			t.Fatal(err)
		}
		same(t, readAll(t, rows(t, array(t, f, "conv1"), ND), 1), []float32{1, 2})
		for _, a := range f.Arrays {
			if a.Name != "conv1" {
				_, err := Shards{f}.Rows(a.Name, nil)
				wantError(t, err, fmt.Sprintf("%s: array %q: it", name, a.Name))
				_, err = a.Labels(1)
				wantError(t, err, a.Name)
			}
		}
	}
}

// TestLastChecksum changes each byte of the data of the only member of an .npz: a
// consumer that asks for no more than all rows is told.
func TestLastChecksum(t *testing.T) {
	for _, fortran := range []bool{false, true} {
		for _, packed := range []bool{false, true} {
			data := npyFile("<f4", fortran, []int{20, 2}, make([]byte, 160))
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			h := &zip.FileHeader{Name: "a.npy", Method: zip.Store}
			if packed {
				h.Method = zip.Deflate
			}
			w, err := z.CreateHeader(h)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(data)
			z.Close()
			f, err := listBytes("x.npz", b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			m := f.Arrays[0].member
			m.crc ^= 1
			r := rows(t, f.Arrays[0], ND)
			ahead := ReadAhead(r, 5, 2)
			failed := error(nil)
			for range 4 { // which is all
				if _, _, err := ahead.Next(); err != nil {
					failed = err
					break
				}
			}
			wantError(t, failed, `x.npz: array "a"`, "checksum")
			if err := ahead.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestUnpackedFileIsRemoved: what is unpacked to be read out of order leaves nothing.
func TestUnpackedFileIsRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	a := array(t, open(t, "deflated.npz"), "f")
	r := rows(t, a, ND)
	if got := r.Memory(); got < a.member.size {
		t.Errorf("it takes %d bytes, of which %d are unpacked", got, a.member.size)
	}
	if _, err := r.Read(make([]float32, r.Units)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestManyArrays: the time that listing takes does not grow with the square of their
// number.
func TestManyArrays(t *testing.T) {
	const n = 20_000
	header := []byte("{")
	for i := range n {
		if i > 0 {
			header = append(header, ',')
		}
		header = fmt.Appendf(header, `"layer.%05d":{"dtype":"F32","shape":[1,1],"data_offsets":[%d,%d]}`, i, 4*i, 4*i+4)
	}
	header = append(header, "}\n"...) // as some programs pad it
	path := t.TempDir() + "/x.safetensors"
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	if err := os.WriteFile(path, append(b, make([]byte, 4*n)...), 0o644); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s, err := OpenShards(path, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.Names() {
		if _, err := s.arrays(name); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%d arrays take %v", n, took)
	}
}
