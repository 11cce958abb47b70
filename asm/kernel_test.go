package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// canary is what memory holds that no kernel may touch.
var canary = math.Float32frombits(0x7fc0dead)

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

func random(rnd *rand.Rand, dst []float32) {
	for i := range dst {
		dst[i] = float32(rnd.NormFloat64())
	}
}

// each runs f under every tier of this machine.
func each(t *testing.T, f func(t *testing.T, tier asm.Tier)) {
	for _, tier := range asm.Supported() {
		t.Run(tier.String(), func(t *testing.T) { f(t, tier) })
	}
}

// TestGemm compares every tier, bit by bit, with the sum written out, with
// operands packed and at odd strides and a tile that all end at a guard page, and
// looks at everything between the tile's rows.
func TestGemm(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		tile := tier.Tile()
		for _, kc := range []int{1, 2, 3, 4, 5, 7, 8, 16, 31, 100, 256} {
			for _, s := range [][3]int{{1, tile.MR, tile.NR}, {kc, 1, tile.NR + 5}, {kc + 3, 2, 2 * tile.NR}, {0, 1, tile.NR}} {
				for _, ldc := range []int{tile.NR, tile.NR + 1, tile.NR + 7, 3 * tile.NR} {
					for _, accumulate := range []bool{false, true} {
						testGemm(t, rnd, tier, kc, s[0], s[1], s[2], ldc, accumulate)
					}
				}
			}
		}
	})
}

func testGemm(t *testing.T, rnd *rand.Rand, tier asm.Tier, kc, rs, cs, ldb, ldc int, accumulate bool) {
	t.Helper()
	tile := tier.Tile()
	a, b := guarded(t, (tile.MR-1)*rs+(kc-1)*cs+1), guarded(t, (kc-1)*ldb+tile.NR)
	c := guarded(t, (tile.MR-1)*ldc+tile.NR)
	random(rnd, a)
	random(rnd, b)
	fill(c, canary)
	want := make([]float32, len(c))
	fill(want, canary)
	for i := range tile.MR {
		for j := range tile.NR {
			old := float32(rnd.NormFloat64())
			c[i*ldc+j] = old
			var s float32
			for k := range kc {
				s = asm.FMA(a[i*rs+k*cs], b[k*ldb+j], s)
			}
			if accumulate {
				s += old
			}
			want[i*ldc+j] = s
		}
	}
	tier.Gemm(kc, a, rs, cs, b, ldb, c, ldc, accumulate)
	same(t, c, want, fmt.Sprintf("kc=%d rs=%d cs=%d ldb=%d ldc=%d accumulate=%v", kc, rs, cs, ldb, ldc, accumulate))
}

// TestTranspose covers every number of rows and columns round the kernels' own,
// odd strides, and buffers that end at a guard page.
func TestTranspose(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for rows := range 35 {
			for _, cols := range []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31} {
				for _, pad := range []int{0, 1, 5} {
					if rows*cols == 0 {
						tier.Transpose(nil, rows+pad, nil, cols+pad, rows, cols)
						continue
					}
					ld, stride := rows+pad, cols+pad
					src := guarded(t, (rows-1)*stride+cols)
					dst := guarded(t, (cols-1)*ld+rows)
					random(rnd, src)
					fill(dst, canary)
					want := make([]float32, len(dst))
					fill(want, canary)
					for i := range rows {
						for j := range cols {
							want[j*ld+i] = src[i*stride+j]
						}
					}
					tier.Transpose(dst, ld, src, stride, rows, cols)
					same(t, dst, want, fmt.Sprintf("%dx%d stride=%d ld=%d", rows, cols, stride, ld))
				}
			}
		}
	})
}

// TestPanel covers every width up to beyond the widest tile, on buffers that end
// at a guard page.
func TestPanel(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for r := range 34 {
			for _, n := range []int{0, 1, 2, 7} {
				if r*n == 0 {
					tier.Panel(n, r, nil, nil, r, nil)
					continue
				}
				for _, stride := range []int{r, r + 1, r + 7} {
					dst, src, shift := guarded(t, n*r), guarded(t, (n-1)*stride+r), guarded(t, r)
					random(rnd, src)
					random(rnd, shift)
					want := make([]float32, n*r)
					for k := range n {
						for i := range r {
							want[k*r+i] = src[k*stride+i] - shift[i]
						}
					}
					tier.Panel(n, r, dst, src, stride, shift)
					same(t, dst, want, fmt.Sprintf("%d rows of %d stride=%d", n, r, stride))
				}
			}
		}
	})
}

func same(t *testing.T, got, want []float32, where string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v (%#x), want %v (%#x)", where, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}
