package corrbeam

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/corr"
)

// shard returns moments of some observations of two networks, whose samples the number of
// the shard identifies.
func shard(t testing.TB, i int) *corr.Moments {
	rnd := rand.New(rand.NewPCG(1, uint64(i)))
	m := corr.NewMoments(3, 2)
	rows := 1 + rnd.IntN(400)
	a, b, ids := make([]float32, 3*rows), make([]float32, 2*rows), make([]uint64, rows)
	for k := range a {
		a[k] = float32(rnd.NormFloat64()) + float32(i)
	}
	for k := range b {
		b[k] = a[k] * float32(rnd.NormFloat64())
	}
	for k := range ids {
		ids[k] = uint64(1000*i + k)
	}
	if err := m.AddTensors(ids, corr.Rows(a, rows, 3, 3), corr.Rows(b, rows, 2, 2)); err != nil {
		t.Fatal(err)
	}
	return m
}

// tree returns the moments of shards [lo, hi), which it divides at the largest power of two
// below their number.
func tree(t testing.TB, lo, hi int, shard func(testing.TB, int) *corr.Moments) *corr.Moments {
	if hi-lo == 1 {
		return shard(t, lo)
	}
	half := 1
	for 2*half < hi-lo {
		half *= 2
	}
	m := tree(t, lo, lo+half, shard)
	if err := m.Merge(tree(t, lo+half, hi, shard)); err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t testing.TB, m *corr.Moments) []byte {
	b, err := encodeMoments(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMergeInAnyOrder: sums that are merged two by two at random, some of them sent as bytes
// before, end with the bytes of the tree, and are left as they were.
func TestMergeInAnyOrder(t *testing.T) {
	different := false // from shard after shard
	for count := 1; count <= 20; count++ {
		want := encode(t, tree(t, 0, count, shard))
		inRow := shard(t, 0)
		for i := 1; i < count; i++ {
			if err := inRow.Merge(shard(t, i)); err != nil {
				t.Fatal(err)
			}
		}
		different = different || !bytes.Equal(encode(t, inRow), want)
		for seed := range uint64(10) {
			rnd := rand.New(rand.NewPCG(uint64(count), seed))
			var sums []Sum
			var before [][]byte
			for i := range count {
				sums = append(sums, NewSum(i, count, shard(t, i)))
				before = append(before, encode(t, sums[i].branches[0].moments))
			}
			shards := slices.Clone(sums)
			for len(sums) > 1 {
				rnd.Shuffle(len(sums), func(i, j int) { sums[i], sums[j] = sums[j], sums[i] })
				merged, err := sums[0].Merge(sums[1])
				if err != nil {
					t.Fatal(err)
				}
				if rnd.IntN(2) == 0 {
					data, err := encodeSum(merged)
					if err != nil {
						t.Fatal(err)
					}
					if merged, err = decodeSum(data); err != nil {
						t.Fatal(err)
					}
				}
				sums = append(sums[2:], merged)
			}
			m, err := sums[0].Moments()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encode(t, m), want) {
				t.Fatalf("%d shards, order %d: other bytes than the tree's", count, seed)
			}
			for i, s := range shards {
				if !bytes.Equal(encode(t, s.branches[0].moments), before[i]) {
					t.Fatalf("%d shards, order %d: merging changed shard %d", count, seed, i)
				}
			}
		}
	}
	if !different {
		t.Error("any order of merging gives the same bytes here, which tests nothing")
	}
}

func TestSumErrors(t *testing.T) {
	sum := func(count int, shards ...int) (s Sum) {
		for _, i := range shards {
			var err error
			if s, err = s.Merge(NewSum(i, count, shard(t, i))); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	other := NewSum(1, 5, corr.NewMoments(4))
	for _, c := range []struct {
		a, b Sum
		want string
	}{
		{sum(5, 0), sum(6, 1), "one sum is of 5 shards and the other of 6"},
		{sum(5, 0, 1, 2), sum(5, 1), "shard 1 of 5 comes twice"},
		{sum(5, 2), sum(5, 3, 2), "shard 2 of 5 comes twice"},
		{sum(5, 4), sum(5, 4), "shard 4 of 5 comes twice"},
		{sum(5, 0), other, "shards from 0 on and from 1 on: corr: moments of networks of [3 2] units"},
		{sum(5, 0), NewSum(1, 5, shard(t, 0)), "the same"},
	} {
		if _, err := c.a.Merge(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error about %q", err, c.want)
		}
	}
	for _, c := range []struct {
		s    Sum
		want string
	}{
		{Sum{}, "there are no shards"},
		{sum(5, 1, 0, 2, 4), "shard 3 of 5 is missing"},
		{sum(5, 0, 1, 2, 3), "shard 4 of 5 is missing"},
		{sum(3, 2), "shard 0 of 3 is missing"},
	} {
		if _, err := c.s.Moments(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error about %q", err, c.want)
		}
	}
}

// TestSumInMemory: no more moments wait than shards have neighbours that are missing.
func TestSumInMemory(t *testing.T) {
	var s Sum
	for i := range 64 {
		var err error
		if s, err = s.Merge(NewSum(i, 64, shard(t, i))); err != nil {
			t.Fatal(err)
		}
		if len(s.branches) > 6 {
			t.Fatalf("%d branches of shards 0 to %d", len(s.branches), i)
		}
	}
}

// TestDamagedSum: bytes that are cut, or say what cannot be, are an error.
func TestDamagedSum(t *testing.T) {
	s, err := NewSum(1, 6, shard(t, 1)).Merge(NewSum(4, 6, shard(t, 4)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := encodeSum(s)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) {
		if _, err := decodeSum(data[:n]); err == nil {
			t.Fatalf("%d bytes of %d: no error", n, len(data))
		}
	}
	for i, v := range map[int]byte{0: 0, 1: 3, 2: 41, 3: 6, 4: 0xff} {
		bad := bytes.Clone(data)
		bad[i] = v
		if _, err := decodeSum(bad); err == nil {
			t.Errorf("byte %d is %d: no error", i, v)
		}
	}
	if _, err := decodeSum(append(data, 0)); err == nil {
		t.Error("a byte too many: no error")
	}
	if s, err := decodeSum([]byte{0, 0}); err != nil || s.count != 0 {
		t.Errorf("no shards: %v, %v", s, err)
	}
}

func ExampleSum() {
	var sum Sum
	for _, i := range []int{2, 0, 1} { // in whatever order they come
		m := corr.NewMoments(2, 1)
		if err := m.Add(2, []float32{1, float32(i), 0, 2}, []float32{float32(i), 3}); err != nil {
			fmt.Println(err)
		}
		var err error
		if sum, err = sum.Merge(NewSum(i, 3, m)); err != nil {
			fmt.Println(err)
		}
	}
	m, err := sum.Moments()
	fmt.Println(m.Count(), err)
	// Output: 6 <nil>
}
