package arrays

import (
	"slices"
	"testing"
)

func TestLabels(t *testing.T) {
	integers := []string{"-3", "0", "2147483647"}
	text := []string{"a", "", "n02é🐼"}
	for name, want := range map[string][]string{
		"ids-i4.npy":    integers,
		"ids-i4-be.npy": integers,
		"ids-i8.npy":    integers,
		"ids-i8-be.npy": integers,
		"ids-u1.npy":    {"0", "7", "255"},
		"ids-U.npy":     text,
		"ids-U-be.npy":  text,
		"ids-S.npy":     {"a", "", "n02"},
	} {
		a := array(t, open(t, name), "")
		if got, err := a.Labels(3); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		_, err := a.Labels(4)
		wantError(t, err, name, "3 entries, where 4 are wanted")
	}
}

func TestManyLabels(t *testing.T) {
	const n = 200_000 // several chunks
	data := make([]byte, 3*n)
	for i := range n {
		copy(data[3*i:], []byte{'a' + byte(i%26), 'a' + byte(i/26%26)})
	}
	f, err := listBytes("x.npy", npyFile("|S3", false, []int{n}, data))
	if err != nil {
		t.Fatal(err)
	}
	labels, err := f.Arrays[0].Labels(n)
	if err != nil || len(labels) != n {
		t.Fatalf("%d labels, %v", len(labels), err)
	}
	for i, l := range labels {
		if l != string(data[3*i:3*i+2]) {
			t.Fatalf("label %d is %q", i, l)
		}
	}
}

// TestLabelsInEitherOrder: of rank 1 they are one, whatever a header says.
func TestLabelsInEitherOrder(t *testing.T) {
	for _, name := range []string{"x.npy", "stored.npz", "deflated.npz"} {
		f, err := listBytes(name, pack(t, name, DType{Int, 1, false}, true, []int{4}, []byte{1, 2, 3, 255}))
		if err != nil {
			t.Fatal(err)
		}
		if labels, err := f.Arrays[0].Labels(4); err != nil || !slices.Equal(labels, []string{"1", "2", "3", "-1"}) {
			t.Errorf("%s: %q, %v", name, labels, err)
		}
	}
}

func TestRefusedLabels(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"floats":    {npyFile("<f4", false, []int{1}, make([]byte, 4)), "it holds float32"},
		"rank 2":    {npyFile("<i4", false, []int{1, 1}, make([]byte, 4)), "rank 2"},
		"no UTF-8":  {npyFile("|S1", false, []int{2}, []byte{'a', 0xff}), "entry 1 is not Unicode"},
		"surrogate": {npyFile("<U1", false, []int{1}, []byte{0, 0xd8, 0, 0}), "entry 0 is not Unicode"},
		"too large": {npyFile(">U1", false, []int{1}, []byte{0, 0x11, 0, 0}), "entry 0 is not Unicode"},
		"huge":      {npyFile("<U1", false, []int{1}, []byte{0, 0, 0, 0x80}), "entry 0 is not Unicode"},
	} {
		f, err := listBytes(name, c.file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Arrays[0].Labels(f.Arrays[0].Shape[0])
		wantError(t, err, name, c.want)
	}
}
