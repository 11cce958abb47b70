package observe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/corr"
)

// TestFeatures compares with means over all samples of an image and all positions that
// count; an image without any is left out, and batches change nothing.
func TestFeatures(t *testing.T) {
	const samples, positions = 60, 5
	m := newMade(samples, positions)
	m.valid = make([]bool, samples*positions)
	for i := range samples {
		m.images[i] = uint64(i % 20) // three samples each
		for p := range 1 + i/20 {
			m.valid[i*positions+p] = i%20 != 7
		}
	}
	m.batch = 13
	l := observed(t, m, Plan{Gram: 100, Seed: 2})
	f := l.Features
	if len(f.Images) != 19 || slices.Contains(f.Images, 7) {
		t.Fatalf("images %v", f.Images)
	}
	for at, image := range f.Images {
		for n, u := range m.units {
			for unit := range u {
				var want float64
				for k := range 3 {
					i, sum := image+20*k, 0.0
					for p := range 1 + k {
						sum += float64(m.data[n][(i*positions+p)*u+unit])
					}
					want += sum / float64(1+k) / 3
				}
				if got := float64(f.Rows[n][at*u+unit]); math.Abs(got-want) > 1e-6 {
					t.Fatalf("image %d, network %d, unit %d: %v, want %v", image, n, unit, got, want)
				}
			}
		}
	}
	few := observed(t, m, Plan{Gram: 8, Seed: 2}).Features
	if len(few.Images) > 8 || len(few.Images) < 7 || !slices.Equal(few.Images, f.Images[:len(few.Images)]) {
		t.Errorf("of %v the images %v are drawn", f.Images, few.Images)
	}
	if other := observed(t, m, Plan{Gram: 8, Seed: 3}).Features; slices.Equal(other.Images, few.Images) {
		t.Error("another seed draws the same images")
	}
	p := f.Pair(0, 1)
	if len(p.UnitsA) != m.units[0] || len(p.UnitsB) != m.units[1] || p.Count != 19 {
		t.Errorf("%d and %d units of %d images", len(p.UnitsA), len(p.UnitsB), p.Count)
	}
	c, err := corr.NewGramPair(f.Gram(0, nil, 1), f.Gram(1, nil, 1))
	if err != nil {
		t.Fatal(err)
	}
	byUnits, _ := p.CKA()
	if byImages, err := c.CKA(); err != nil || math.Abs(byUnits-byImages) > 1e-6 {
		t.Errorf("CKA of units %v, of images %v: %v", byUnits, byImages, err)
	}
	if part := f.Gram(0, []int{3, 4, 7}, 1); part.Samples() != 3 || part.Features() != m.units[0] {
		t.Errorf("inner products of %d images over %d units", part.Samples(), part.Features())
	}
	orders := f.Exchange(rand.New(rand.NewPCG(1, 1)))
	if !slices.IsSorted(orders[0]) || slices.IsSorted(orders[1]) {
		t.Errorf("orders %v", orders)
	}
}
