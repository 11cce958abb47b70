package source

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// sample is all that a source hands out of one sample.
type sample struct {
	id    uint64
	image string
	class int
	valid []bool
	data  [][]float32 // by network and layer
}

// samples gathers what a source hands out, by the number of the sample among all.
func samples(t *testing.T, o Options) map[int]sample {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d, gathered := s.Description(), make(map[int]sample)
	images := make(map[uint64]bool)
	before := 0
	for b, err := range s.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i, image := range b.Images {
			one := sample{image: fmt.Sprint(image), class: -1}
			if d.ImageNames != nil {
				one.image = d.ImageNames[image]
			}
			if d.Classes != nil {
				one.class = d.Classes[image]
			}
			if b.IDs != nil {
				one.id = b.IDs[i]
			}
			if b.Valid != nil {
				positions := len(b.Valid) / len(b.Images)
				one.valid = b.Valid[i*positions:][:positions]
			}
			for _, layers := range b.Networks {
				for _, l := range layers {
					one.data = append(one.data, slices.Clone(l.Sample(i)))
				}
			}
			gathered[b.Numbering(before)(i)] = one
			images[image] = true
		}
		before += len(b.Images)
	}
	if len(gathered) != d.Samples || len(images) != d.ImageCount {
		t.Fatalf("%d samples of %d images came, of %d of %d", len(gathered), len(images), d.Samples, d.ImageCount)
	}
	return gathered
}

// TestShards: whatever samples are read from, each is in one shard, with all that is its own
// and all that is of its image; shards of named samples do not depend on their order.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const n = 3001 // of several batches
	counts := []int{1, 3, 24}
	if testing.Short() {
		counts = counts[1:2]
	}
	ints := func(at int) float64 { return float64(at) }
	a, b := npy(t, in("a.npy"), ints, n, 3, 4), npy(t, in("b.npy"), func(at int) float64 { return math.Sin(float64(at)) }, n, 3, 2)
	mask := npy(t, in("mask.npy"), func(at int) float64 { return float64(min(1, (at*at)%3+(at+1)%3)) }, n, 3)
	labels := func(name string, f func(at int) int) string { // integers
		path := npy(t, in(name), func(at int) float64 { return float64(math.Float32frombits(uint32(f(at)))) }, n)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, bytes.Replace(text, []byte("<f4"), []byte("<i4"), 1), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	images := labels("images.npy", func(at int) int { return at * 7 % 1000 })
	ids := labels("ids.npy", func(at int) int { return at * 13 })
	twice := func(path string) []string { return []string{path, path} }
	array := Options{Networks: []string{a, b}, Layouts: arrays.Layouts{arrays.NTD}}
	masked, named := array, array
	masked.Masks, masked.ImageIDs = twice(mask), twice(images)
	named.SampleIDs, named.Pool = twice(ids), true
	for name, o := range map[string]Options{
		"arrays": array, "images": masked, "names": named,
		"inputs":   {Networks: nets("a", "b"), Run: Run{Inputs: torch + "images.npz", Batch: 7}},
		"text":     {Networks: nets("text_a", "text_b"), Run: Run{Inputs: torch + "tokens.npz", Samples: 20, Batch: 3}},
		"pictures": {Networks: nets("a", "b"), Run: Run{Data: pictureZip(t, 23, nil)}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := samples(t, o)
			for _, of := range counts {
				found, where := 0, make(map[string]int) // the shard of each image
				least, most := len(whole), 0
				for k := range of {
					o.Shard = Shard{k + 1, of}
					part := samples(t, o)
					found += len(part)
					least, most = min(least, len(part)), max(most, len(part))
					for number, got := range part {
						want := whole[number]
						if got.image = want.image; o.Networks[0] == a && name != "arrays" { // the numbers of images are others
							if k, ok := where[got.image]; ok && k != o.Shard.Number {
								t.Fatalf("image %s is in shards %d and %d", got.image, k, o.Shard.Number)
							}
							where[got.image] = o.Shard.Number
						}
						if o.Run.Data != "" || o.Run.Inputs != "" { // other samples in a batch may change last digits
							for l := range want.data {
								for i, v := range want.data[l] {
									if math.Abs(float64(v-got.data[l][i])) > 1e-4*max(1, math.Abs(float64(v))) {
										t.Fatalf("sample %d: %v, want %v", number, got.data[l][i], v)
									}
								}
							}
							got.data = want.data
						}
						if fmt.Sprint(got) != fmt.Sprint(want) {
							t.Fatalf("sample %d of shard %v: %v, want %v", number, o.Shard, got, want)
						}
					}
				}
				if found != len(whole) {
					t.Fatalf("%d samples are in %d shards, of %d", found, of, len(whole))
				}
				if name != "images" && name != "text" && most > least+1 {
					t.Errorf("shards have from %d to %d samples", least, most)
				}
			}
		})
	}

	// The same samples in another order.
	turn := func(at int) int { return (at + 1234) % n }
	other := named
	other.Networks = []string{npy(t, in("c.npy"), func(at int) float64 { return float64(turn(at/12)*12 + at%12) }, n, 3, 4), b}
	other.SampleIDs = twice(labels("other.npy", func(at int) int { return turn(at) * 13 }))
	named.Shard, other.Shard = Shard{2, 5}, Shard{2, 5}
	one, two := samples(t, named), samples(t, other)
	if len(one) != len(two) {
		t.Fatalf("%d and %d samples", len(one), len(two))
	}
	for number, s := range two {
		if got := one[turn(number)]; got.id != s.id || !slices.Equal(got.data[0], s.data[0]) {
			t.Fatalf("sample %d: %v, want %v", number, s, got)
		}
	}
}
