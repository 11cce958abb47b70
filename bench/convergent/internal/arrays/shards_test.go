package arrays

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// folder writes files, by their names, into a new folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestShards(t *testing.T) {
	files := map[string][]byte{"notes.txt": nil, ".hidden.npy": nil}
	var want []float32
	for i := range 12 {
		n := i%3 + 1
		data := make([]byte, 8*n)
		for j := range 2 * n {
			data[4*j+2], data[4*j+3] = 0x80, 0x3f // 1
			want = append(want, 1)
		}
		data[3] = 0x40 + byte(i) // the first is of this shard alone
		want[len(want)-2*n] = rowsOf(t, data)[0]
		files[fmt.Sprintf("part-%d.npy", i+1)] = npyFile("<f4", false, []int{n, 2}, data)
	}
	dir := folder(t, files)
	s, err := OpenShards(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s) != 12 || filepath.Base(s[9].Path) != "part-10.npy" || !slices.Equal(s.Names(), []string{""}) {
		t.Fatalf("%d shards, %q", len(s), s.Names())
	}
	for block := 1; block < 30; block++ {
		r, err := s.Rows("", nil)
		if err != nil {
			t.Fatal(err)
		}
		same(t, readAll(t, r, block), want)
	}
	// A list keeps its order, and may mix types and orders.
	dir = folder(t, map[string][]byte{"b.npy": fixtures()["be-f2-F-v2.npy"], "a.npy": fixtures()["le-f8-C-v1.npy"]})
	s, err = OpenShards(filepath.Join(dir, "b.npy"), filepath.Join(dir, "a.npy"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Rows("", nil)
	if err != nil {
		t.Fatal(err)
	}
	one := wanted(7, 1, 1, 5, ND)
	same(t, readAll(t, r, 4), append(one, one...))
}

// rowsOf decodes float32.
func rowsOf(t *testing.T, data []byte) []float32 {
	dst := make([]float32, len(data)/4)
	if i := (DType{Float, 4, false}).decode(dst, data); i >= 0 {
		t.Fatal("float32 does not fit float32")
	}
	return dst
}

func TestShardsOfLayersAndLabels(t *testing.T) {
	dir := folder(t, map[string][]byte{"1.npz": fixtures()["stored.npz"], "2.npz": fixtures()["deflated.npz"]})
	s, err := OpenShards(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Names(), []string{"2", "nhwc", "nchw", "f"}) {
		t.Fatalf("names %q", s.Names())
	}
	r, err := s.Rows("nchw", Layouts{NCHW})
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples != 6 || r.Positions != 8 || r.Units != 5 {
		t.Fatalf("%d x %d x %d", r.Samples, r.Positions, r.Units)
	}
	one := wanted(3, 2, 4, 5, NCHW)
	same(t, readAll(t, r, 7), append(one, one...))

	dir = folder(t, map[string][]byte{"1.npy": fixtures()["ids-i4.npy"], "2.npy": fixtures()["ids-i8-be.npy"]})
	if s, err = OpenShards(dir); err != nil {
		t.Fatal(err)
	}
	labels, err := s.Labels("", 6)
	if err != nil || !slices.Equal(labels, []string{"-3", "0", "2147483647", "-3", "0", "2147483647"}) {
		t.Errorf("labels %q, %v", labels, err)
	}
	_, err = s.Labels("", 5)
	wantError(t, err, "2.npy", "more than 5")
	_, err = s.Labels("", 7)
	wantError(t, err, "2.npy", "6 entries end here, where 7 are wanted")
}

func TestShardsThatDisagree(t *testing.T) {
	f4 := func(shape ...int) []byte {
		n := 4
		for _, d := range shape {
			n *= d
		}
		return npyFile("<f4", false, shape, make([]byte, n))
	}
	for name, c := range map[string]struct {
		second []byte
		want   string
	}{
		"units":   {f4(2, 3, 3, 5), "2.npy: 5 units, where "},
		"height":  {f4(2, 2, 3, 4), "2.npy: shape [2 2 3 4] does not continue [2 3 3 4]"},
		"rank":    {f4(2, 4), "2.npy: shape [2 4] does not continue"},
		"strings": {npyFile("<U1", false, []int{1, 3, 3, 4}, make([]byte, 4*36)), "2.npy: it holds str32"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenShards(folder(t, map[string][]byte{"1.npy": f4(2, 3, 3, 4), "2.npy": c.second}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Rows("", Layouts{NHWC})
			wantError(t, err, c.want)
		})
	}
	_, err := OpenShards(folder(t, map[string][]byte{"1.npz": fixtures()["stored.npz"], "2.npz": fixtures()["torch.safetensors"]}))
	wantError(t, err, "2.npz: not a .npy")
	_, err = OpenShards(folder(t, map[string][]byte{"1.npz": fixtures()["stored.npz"], "2.safetensors": fixtures()["torch.safetensors"]}))
	wantError(t, err, `2.safetensors: no array "2"; it holds ["`)
	_, err = OpenShards(folder(t, map[string][]byte{"1.npy": f4(1, 1), "2.npz": fixtures()["stored.npz"]}))
	wantError(t, err, `2.npz: no array ""`)
	_, err = OpenShards(t.TempDir())
	wantError(t, err, "no .npy, .npz or .safetensors file in this directory")
	_, err = OpenShards()
	wantError(t, err, "no files")
	_, err = OpenShards(filepath.Join(t.TempDir(), "none.npy"))
	wantError(t, err, "none.npy")
}
