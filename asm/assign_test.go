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

// guarded64 is guarded of n float64 at a guard page.
func guarded64(t testing.TB, n int) []float64 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(&guarded(t, 2*n)[0])), n)
}

// guardedInt32 is guarded of n int32, with a canary in each.
func guardedInt32(t *testing.T, n int) []int32 {
	if n == 0 {
		return nil
	}
	x := unsafe.Slice((*int32)(unsafe.Pointer(&guarded(t, n)[0])), n)
	for i := range x {
		x[i] = -7
	}
	return x
}

// randomProblem returns rows of n values of three kinds: with few ties, with many and
// zeros of both signs, and with forbidden pairs.
func randomProblem(t *testing.T, rnd *rand.Rand, n, kind int) (c, p, dist []float64) {
	c, p, dist = guarded64(t, n), guarded64(t, n), guarded64(t, n)
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

// forEachProblem calls f under every tier for every length round the kernels' steps.
func forEachProblem(t *testing.T, f func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, dist []float64)) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 140 {
			for kind := range 3 {
				c, p, dist := randomProblem(t, rnd, n, kind)
				f(t, tier, rnd, c, p, dist)
			}
		}
	})
}

func equalBits64(t *testing.T, got, want []float64, label string) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", label, i, got[i], want[i])
		}
	}
}

func TestLaneMax(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, _ []float64) {
		want := make([]float64, asm.Lanes)
		for l := range want {
			want[l] = math.Inf(-1)
			for j := l; j < len(c); j += asm.Lanes {
				if h := c[j] - p[j]; h > want[l] {
					want[l] = h
				}
			}
		}
		maxima := (*[asm.Lanes]float64)(guarded64(t, asm.Lanes))
		tier.LaneMax(maxima, c, p)
		equalBits64(t, maxima[:], want, fmt.Sprintf("%d gains", len(c)))
	})
}

// TestThresholdColumns gives room for none, a part and all of the columns.
func TestThresholdColumns(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, _ []float64) {
		for _, threshold := range []float64{-1, 0, 0.5, 1, 3, -math.MaxFloat64} {
			var want []int32
			for j := range c {
				if c[j]-p[j] >= threshold {
					want = append(want, int32(j))
				}
			}
			for _, capacity := range []int{0, rnd.IntN(8), 8 + rnd.IntN(20), len(c)} {
				dst := guardedInt32(t, capacity)
				k := tier.ThresholdColumns(dst, c, p, threshold)
				if k != min(capacity, len(want)) || !slices.Equal(dst[:k], want[:k]) {
					t.Fatalf("%d gains, capacity %d: %v, want %v", len(c), capacity, dst[:k], want)
				}
				for _, x := range dst[k:] {
					if x != -7 {
						t.Fatalf("%d gains, capacity %d: wrote beyond %d columns: %v", len(c), capacity, k, dst)
					}
				}
			}
		}
	})
}

func TestRelaxableColumns(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, dist []float64) {
		for _, base := range []float64{-0.3, 0, 1, 2} {
			var want []int32
			for j := range c {
				if base-(c[j]-p[j]) < dist[j] {
					want = append(want, int32(j))
				}
			}
			dst := guardedInt32(t, len(c))
			if k := tier.RelaxableColumns(dst, dist, c, p, base); k != len(want) || !slices.Equal(dst[:k], want) {
				t.Fatalf("%d gains: %v, want %v", len(c), dst[:k], want)
			}
			for _, x := range dst[len(want):] {
				if x != -7 {
					t.Fatalf("%d gains: wrote beyond %d columns: %v", len(c), len(want), dst)
				}
			}
		}
	})
}

// TestTopTwo sorts the columns by gain.
func TestTopTwo(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, _ *rand.Rand, c, p, _ []float64) {
		var columns []int
		for j, x := range c {
			if !math.IsInf(x, -1) {
				columns = append(columns, j)
			}
		}
		gain := func(j int) float64 { return c[j] - p[j] }
		slices.SortStableFunc(columns, func(i, j int) int {
			switch {
			case gain(i) > gain(j):
				return -1
			case gain(i) < gain(j):
				return 1
			}
			return 0
		})
		want := asm.EmptyTop2
		if len(columns) > 0 {
			want.Gain1, want.Column1 = gain(columns[0]), columns[0]
		}
		if len(columns) > 1 {
			want.Gain2, want.Column2 = gain(columns[1]), columns[1]
		}
		got := tier.TopTwo(c, p)
		if got.Column1 != want.Column1 || got.Column2 != want.Column2 {
			t.Fatalf("%d gains: %v, want %v", len(c), got, want)
		}
		equalBits64(t, []float64{got.Gain1, got.Gain2}, []float64{want.Gain1, want.Gain2}, "TopTwo")
	})
}

func TestColumnMax(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, _, maxima []float64) {
		argmax := guardedInt32(t, len(c))
		for j := range argmax {
			argmax[j] = rnd.Int32()
		}
		want, wantArgmax := slices.Clone(maxima), slices.Clone(argmax)
		for j, x := range c {
			if x > want[j] {
				want[j], wantArgmax[j] = x, 99
			}
		}
		tier.ColumnMax(maxima, argmax, c, 99)
		equalBits64(t, maxima, want, "ColumnMax")
		if !slices.Equal(argmax, wantArgmax) {
			t.Fatalf("rows %v, want %v", argmax, wantArgmax)
		}
	})
}

// TestBounded puts a value beyond the limit everywhere.
func TestBounded(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		for n := range 70 {
			x := guarded64(t, n)
			for i := range x {
				x[i] = []float64{-5, 5, 0, math.Inf(-1)}[i%4]
			}
			if !tier.Bounded(x, 5) {
				t.Fatalf("%d elements are bounded", n)
			}
			for i, valid := range x {
				for _, invalid := range []float64{math.Nextafter(5, 6), -6, math.NaN(), math.Copysign(math.NaN(), -1), math.Inf(1)} {
					if x[i] = invalid; tier.Bounded(x, 5) {
						t.Fatalf("element %d of %d is %v", i, n, invalid)
					}
				}
				x[i] = valid
			}
		}
	})
}

// TestRelax compares with the paths one by one; NaN is for columns whose path is final.
func TestRelax(t *testing.T) {
	forEachProblem(t, func(t *testing.T, tier asm.Tier, rnd *rand.Rand, c, p, dist []float64) {
		pred, row := guardedInt32(t, len(c)), guardedInt32(t, len(c))
		for j := range row {
			row[j] = rnd.Int32N(4) - 1
			if math.IsInf(dist[j], -1) {
				dist[j] = math.NaN()
			}
		}
		const base, i = 0.5, 77
		want, wantPred := slices.Clone(dist), slices.Clone(pred)
		column, length := -1, math.Inf(1)
		for j := range c {
			if h := base - (c[j] - p[j]); h < want[j] {
				want[j], wantPred[j] = h, i
			}
		}
		for _, d := range want {
			if d < length {
				length = d
			}
		}
		for _, unassigned := range []bool{true, false} {
			for j, d := range want {
				if column < 0 && d == length && !math.IsInf(d, 1) && (row[j] < 0) == unassigned {
					column = j
				}
			}
		}
		gotColumn, gotLength := tier.Relax(dist, pred, c, p, row, base, i)
		if gotColumn != column || gotLength != length {
			t.Fatalf("%d columns: column %d at %v, want %d at %v", len(c), gotColumn, gotLength, column, length)
		}
		if !slices.Equal(pred, wantPred) {
			t.Fatalf("%d columns: predecessors %v, want %v", len(c), pred, wantPred)
		}
		for j := range want {
			if math.Float64bits(dist[j]) != math.Float64bits(want[j]) {
				t.Fatalf("%d columns: dist %v, want %v", len(c), dist, want)
			}
		}
	})
}
