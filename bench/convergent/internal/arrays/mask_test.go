package arrays

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestMask reads masks of each type, rank, order and kind of file, whole and in
// shards, and compares each value with the definition.
func TestMask(t *testing.T) {
	valid := func(place int) int { return place * 37 % 101 % 2 }
	for _, shape := range [][]int{{7, 5}, {7, 5, 3}, {7, 2, 3, 4}, {7, 1, 1, 5}} {
		for _, name := range []string{"x.npy", "stored.npz", "deflated.npz", "x.safetensors"} {
			for _, d := range types {
				for _, fortran := range []bool{false, true} {
					if name == "x.safetensors" && (fortran || d.Big) || name != "x.safetensors" && d.Kind == BFloat {
						continue // there are none
					}
					for _, samples := range [][]int{{7}, {2, 1, 4}} {
						array := "x"
						if name == "x.npy" {
							array = ""
						}
						m, err := cut(t, name, d, fortran, shape, samples, valid).Mask(array, 7)
						if err != nil {
							t.Fatal(err)
						}
						if m.Samples != 7 || !slices.Equal(m.Extents, shape[1:]) || m.Positions != volume(shape[1:]) || len(m.Valid) != volume(shape) {
							t.Fatalf("%d x %v, %d positions, %d values of shape %v", m.Samples, m.Extents, m.Positions, len(m.Valid), shape)
						}
						for i, v := range m.Valid {
							if v != (valid(i) == 1) {
								t.Fatalf("%s, %v, Fortran %v, shards %v, shape %v: value %d is %v", name, d, fortran, samples, shape, i, v)
							}
						}
					}
				}
			}
		}
	}
}

func TestMaskOfFloats(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.Copysign(0, -1)))
	data = binary.LittleEndian.AppendUint64(data, math.Float64bits(1))
	m, err := maskOf(t, npyFile("<f8", false, []int{1, 2}, data)).Mask("", 1)
	if err != nil || !slices.Equal(m.Valid, []bool{false, true}) {
		t.Errorf("%v, %v", m, err)
	}
	// A byte of a truth value that numpy would not write is true, as numpy reads it.
	m, err = maskOf(t, npyFile("|b1", true, []int{2, 2}, []byte{0, 1, 2, 0})).Mask("", 2)
	if err != nil || !slices.Equal(m.Valid, []bool{false, true, true, false}) {
		t.Errorf("%v, %v", m, err)
	}
}

// maskOf opens shards in memory.
func maskOf(t *testing.T, files ...[]byte) Shards {
	t.Helper()
	var s Shards
	for i, b := range files {
		f, err := listBytes(fmt.Sprintf("%d.npy", i), b)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, f)
	}
	return s
}

func TestRefusedMasks(t *testing.T) {
	// Another value in one place, of each type that has others.
	for _, d := range types {
		if d.Kind == Bool {
			continue
		}
		for _, fortran := range []bool{false, true} {
			for _, v := range []int{2, -1, 100} {
				if d.Kind == Uint && v < 0 {
					continue
				}
				name := "x.npy"
				if d.Kind == BFloat {
					if name = "x.safetensors"; fortran {
						continue
					}
				}
				bad := func(place int) int {
					if place == 17 {
						return v
					}
					return 1
				}
				array := map[string]string{"x.safetensors": "x"}[name]
				_, err := cut(t, name, d, fortran, []int{4, 6}, []int{4}, bad).Mask(array, 4)
				wantError(t, err, name, "sample 2, position [5] is neither 0 nor 1")
				_, err = cut(t, name, d, fortran, []int{4, 2, 3}, []int{4}, bad).Mask(array, 4)
				wantError(t, err, name, "sample 2, position [1 2] is neither 0 nor 1")
			}
		}
	}
	// What a float32 would round to 0 or 1, and what an integer shares with it.
	for name, bits := range map[string]uint64{
		"nearly 0": 1, "nearly 1": math.Float64bits(1) + 1, "NaN": math.Float64bits(math.NaN()),
		"-1": math.Float64bits(-1), "infinity": math.Float64bits(math.Inf(-1)),
	} {
		b := npyFile("<f8", false, []int{1, 1}, binary.LittleEndian.AppendUint64(nil, bits))
		if _, err := maskOf(t, b).Mask("", 1); err == nil {
			t.Errorf("%s is taken for 0 or 1", name)
		}
	}
	i1 := func(shape ...int) []byte { return npyFile("|i1", false, shape, make([]byte, volume(shape))) }
	least := npyFile("|i1", false, []int{1, 1}, []byte{0x80}) // not a negative zero
	for name, c := range map[string]struct {
		shards  Shards
		samples int
		want    string
	}{
		"name":          {maskOf(t, i1(2, 3)), 2, ""},
		"least integer": {maskOf(t, least), 1, "sample 0, position [0]"},
		"strings":       {maskOf(t, npyFile("<U1", false, []int{1, 1}, make([]byte, 4))), 1, "it holds str32, where a mask holds bool"},
		"rank 0":        {maskOf(t, i1()), 1, "rank 0, where a mask has rank 2 to 4"},
		"rank 1":        {maskOf(t, i1(4)), 4, "rank 1, where a mask has rank 2 to 4"},
		"rank 5":        {maskOf(t, i1(2, 1, 1, 1, 1)), 2, "rank 5, where a mask has rank 2 to 4"},
		"empty":         {maskOf(t, i1(2, 0)), 2, "shape [2 0] holds no values"},
		"too few":       {maskOf(t, i1(2, 3), i1(1, 3)), 4, "1.npy: 3 samples end here, where 4 are wanted"},
		"too many":      {maskOf(t, i1(2, 3), i1(1, 3)), 2, "1.npy: more than 2 samples"},
		"positions":     {maskOf(t, i1(2, 3), i1(1, 4)), 3, "1.npy: shape [1 4] does not continue [2 3] of 0.npy"},
		"rank":          {maskOf(t, i1(2, 3, 2), i1(1, 6)), 3, "1.npy: shape [1 6] does not continue"},
		"large":         {Shards{counter([]int{1 << 20, 1 << 12}, false).file}, 1 << 20, "4096 positions of 1048576 samples, where 2147483647 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				_, err := c.shards.Mask("attention", c.samples)
				wantError(t, err, `0.npy: no array "attention"`)
				return
			}
			_, err := c.shards.Mask("", c.samples)
			wantError(t, err, c.want)
		})
	}
}

// TestLateErrorsOfMasks is of files whose lies show only when they are read.
func TestLateErrorsOfMasks(t *testing.T) {
	data := npyFile("|b1", false, []int{2, 2}, make([]byte, 4))
	sum := stored("a.npy", data)
	sum.CRC32++
	f, err := listBytes("x.npz", zipFile(t, sum)(data))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Shards{f}.Mask("a", 2)
	wantError(t, err, `x.npz: array "a"`, "checksum")
	f, err = listBytes("x.npz", pack(t, "deflated.npz", DType{Bool, 1, false}, true, []int{2, 2}, make([]byte, 4)))
	if err != nil {
		t.Fatal(err)
	}
	f.Arrays[0].Shape[0] = 200
	_, err = Shards{f}.Mask("x", 200)
	wantError(t, err, `x.npz: array "x": cut short after element 0`)
}
