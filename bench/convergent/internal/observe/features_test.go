package observe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
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
	// An exchange leaves each network what it is.
	orders := f.Exchange(rand.New(rand.NewPCG(1, 1)))
	own, exchanged := f.Moments(nil, 1), f.Moments(orders, 1)
	for n, u := range m.units {
		a, b := own.Correlation(nil, n, n), exchanged.Correlation(nil, n, n)
		if math.Abs(a.At(0, u-1)-b.At(0, u-1)) > 1e-5 {
			t.Errorf("network %d correlates by %v within, exchanged %v", n, a.At(0, u-1), b.At(0, u-1))
		}
	}
	if a, b := own.Correlation(nil, 0, 1).At(0, 0), exchanged.Correlation(nil, 0, 1).At(0, 0); math.Abs(a-b) < 1e-3 {
		t.Errorf("networks correlate by %v, exchanged %v", a, b)
	}
	if !slices.IsSorted(orders[0]) || slices.IsSorted(orders[1]) {
		t.Errorf("orders %v", orders)
	}
}
