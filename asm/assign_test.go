package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/convergent-go/convergent/asm"
)

// wide returns n float64 that end at a guard page.
func wide(t *testing.T, n int) []float64 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(&guarded(t, 2*n)[0])), n)
}

// wideInts returns n int32 that end at a guard page, with a canary in each.
func wideInts(t *testing.T, n int) []int32 {
	if n == 0 {
		return nil
	}
	x := unsafe.Slice((*int32)(unsafe.Pointer(&guarded(t, n)[0])), n)
	for i := range x {
		x[i] = -7
	}
	return x
}

// problem returns rows of n values of three kinds: with few ties, with many and
// zeros of both signs, and with forbidden pairs.
func problem(t *testing.T, rnd *rand.Rand, n, kind int) (c, p, dist []float64) {
	c, p, dist = wide(t, n), wide(t, n), wide(t, n)
	for j := range n {
		switch kind {
		case 0:
			c[j], p[j], dist[j] = rnd.NormFloat64(), rnd.Float64(), rnd.NormFloat64()
		default:
			c[j], p[j], dist[j] = float64(rnd.IntN(3)), math.Copysign(float64(rnd.IntN(2)), -rnd.Float64()), float64(rnd.IntN(3))
			if rnd.IntN(3) == 0 {
				c[j] = math.Copysign(0, -1)
			}
			if rnd.IntN(4) == 0 {
				dist[j] = math.Inf(1 - 2*rnd.IntN(2))
			}
			if kind == 2 && rnd.IntN(3) > 0 {
				c[j] = math.Inf(-1)
			}
		}
	}
	return c, p, dist
}

// eachProblem calls f under every tier for every length round the kernels' steps.
func eachProblem(t *testing.T, f func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, dist []float64)) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 140 {
			for kind := range 3 {
				c, p, dist := problem(t, rnd, n, kind)
				f(t, tier, rnd, c, p, dist)
			}
		}
	})
}

func sameWide(t *testing.T, got, want []float64, where string) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", where, i, got[i], want[i])
		}
	}
}

func TestLaneMax(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, _ []float64) {
		want := make([]float64, asm.Lanes)
		for l := range want {
			want[l] = math.Inf(-1)
			for j := l; j < len(c); j += asm.Lanes {
				if h := c[j] - p[j]; h > want[l] {
					want[l] = h
				}
			}
		}
		best := (*[asm.Lanes]float64)(wide(t, asm.Lanes))
		tier.LaneMax(best, c, p)
		sameWide(t, best[:], want, fmt.Sprintf("%d gains", len(c)))
	})
}

// TestAtLeast gives room for none, some and all of the places.
func TestAtLeast(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, _ []float64) {
		for _, least := range []float64{-1, 0, 0.5, 1, 3, -math.MaxFloat64} {
			var want []int32
			for j := range c {
				if c[j]-p[j] >= least {
					want = append(want, int32(j))
				}
			}
			for _, room := range []int{0, rnd.IntN(8), 8 + rnd.IntN(20), len(c)} {
				dst := wideInts(t, room)
				k := tier.AtLeast(dst, c, p, least)
				if k != min(room, len(want)) || !slices.Equal(dst[:k], want[:k]) {
					t.Fatalf("%d gains, room %d: %v, want %v", len(c), room, dst[:k], want)
				}
				for _, x := range dst[k:] {
					if x != -7 {
						t.Fatalf("%d gains, room %d: wrote beyond %d places: %v", len(c), room, k, dst)
					}
				}
			}
		}
	})
}

func TestShorter(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, dist []float64) {
		for _, base := range []float64{-0.3, 0, 1, 2} {
			var want []int32
			for j := range c {
				if base-(c[j]-p[j]) < dist[j] {
					want = append(want, int32(j))
				}
			}
			dst := wideInts(t, len(c))
			if k := tier.Shorter(dst, dist, c, p, base); k != len(want) || !slices.Equal(dst[:k], want) {
				t.Fatalf("%d gains: %v, want %v", len(c), dst[:k], want)
			}
			for _, x := range dst[len(want):] {
				if x != -7 {
					t.Fatalf("%d gains: wrote beyond %d places: %v", len(c), len(want), dst)
				}
			}
		}
	})
}

// TestTopTwo sorts the places by gain.
func TestTopTwo(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, _ []float64) {
		var places []int
		for j, x := range c {
			if !math.IsInf(x, -1) {
				places = append(places, j)
			}
		}
		gain := func(j int) float64 { return c[j] - p[j] }
		slices.SortStableFunc(places, func(i, j int) int {
			switch {
			case gain(i) > gain(j):
				return -1
			case gain(i) < gain(j):
				return 1
			}
			return 0
		})
		want := asm.NoTwo
		if len(places) > 0 {
			want.First, want.J = gain(places[0]), places[0]
		}
		if len(places) > 1 {
			want.Second, want.J2 = gain(places[1]), places[1]
		}
		got := tier.TopTwo(c, p)
		if got.J != want.J || got.J2 != want.J2 {
			t.Fatalf("%d gains: %v, want %v", len(c), got, want)
		}
		sameWide(t, []float64{got.First, got.Second}, []float64{want.First, want.Second}, "TopTwo")
	})
}

func TestColumnMax(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, _, best []float64) {
		who := wideInts(t, len(c))
		for j := range who {
			who[j] = rnd.Int32()
		}
		want, wantWho := slices.Clone(best), slices.Clone(who)
		for j, x := range c {
			if x > want[j] {
				want[j], wantWho[j] = x, 99
			}
		}
		tier.ColumnMax(best, who, c, 99)
		sameWide(t, best, want, "ColumnMax")
		if !slices.Equal(who, wantWho) {
			t.Fatalf("rows %v, want %v", who, wantWho)
		}
	})
}

// TestWithin puts what is not within everywhere.
func TestWithin(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		for n := range 70 {
			x := wide(t, n)
			for i := range x {
				x[i] = []float64{-5, 5, 0, math.Inf(-1)}[i%4]
			}
			if !tier.Within(x, 5) {
				t.Fatalf("%d within", n)
			}
			for i, good := range x {
				for _, bad := range []float64{math.Nextafter(5, 6), -6, math.NaN(), math.Copysign(math.NaN(), -1), math.Inf(1)} {
					if x[i] = bad; tier.Within(x, 5) {
						t.Fatalf("element %d of %d is %v", i, n, bad)
					}
				}
				x[i] = good
			}
		}
	})
}

// TestRelax compares with the paths one by one; NaN is for columns done with.
func TestRelax(t *testing.T) {
	eachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, dist []float64) {
		from, row := wideInts(t, len(c)), wideInts(t, len(c))
		for j := range row {
			row[j] = rnd.Int32N(4) - 1
			if math.IsInf(dist[j], -1) {
				dist[j] = math.NaN()
			}
		}
		const base, via = 0.5, 77
		want, wantFrom := slices.Clone(dist), slices.Clone(from)
		nearest, least := -1, math.Inf(1)
		for j := range c {
			if h := base - (c[j] - p[j]); h < want[j] {
				want[j], wantFrom[j] = h, via
			}
		}
		for _, d := range want {
			if d < least {
				least = d
			}
		}
		for _, free := range []bool{true, false} {
			for j, d := range want {
				if nearest < 0 && d == least && !math.IsInf(d, 1) && (row[j] < 0) == free {
					nearest = j
				}
			}
		}
		at, d := tier.Relax(dist, from, c, p, row, base, via)
		if at != nearest || d != least {
			t.Fatalf("%d columns: column %d at %v, want %d at %v", len(c), at, d, nearest, least)
		}
		if !slices.Equal(from, wantFrom) {
			t.Fatalf("%d columns: from %v, want %v", len(c), from, wantFrom)
		}
		for j := range want {
			if math.Float64bits(dist[j]) != math.Float64bits(want[j]) {
				t.Fatalf("%d columns: dist %v, want %v", len(c), dist, want)
			}
		}
	})
}
