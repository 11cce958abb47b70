package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
			for _, rows := range []int{tile.High, tile.Low} {
				for _, l := range []asm.Left{{Row: 1, Col: rows}, {Row: kc, Col: 1}, {Row: 3 * kc, Col: 2}, {Col: 1},
					{Row: 2, Col: 1, Run: 1, Jump: 5}, {Row: 3, Col: 1, Run: (kc + 1) / 2, Jump: kc + 2}} {
					if l.Run > 0 && kc%l.Run != 0 {
						continue
					}
					for _, pad := range []int{0, 1, 7, tile.Width} {
						for _, end := range []string{"", "accumulate", "bias and floor"} {
							testGemm(t, rnd, tier, rows, kc, l, tile.Width+pad, tile.Width+pad, end)
						}
					}
				}
			}
		}
	})
}

func testGemm(t *testing.T, rnd *rand.Rand, tier asm.Tier, rows, kc int, l asm.Left, ldb, ldc int, how string) {
	t.Helper()
	width, run := tier.Tile().Width, l.Run
	if run == 0 {
		run = kc
	}
	l.Data = guarded(t, (rows-1)*l.Row+(run-1)*l.Col+(kc/run-1)*l.Jump+1)
	b, c := guarded(t, (kc-1)*ldb+width), guarded(t, (rows-1)*ldc+width)
	random(rnd, l.Data)
	random(rnd, b)
	fill(c, canary)
	end := asm.End{Floor: float32(math.Inf(-1))}
	switch how {
	case "accumulate":
		random(rnd, c)
		end.Add, end.Stride = c, ldc
	case "bias and floor":
		end.Add, end.Floor = guarded(t, width), 0.5
		random(rnd, end.Add)
	}
	want := slices.Clone(c)
	for i := range rows {
		for j := range width {
			var s float32
			for k := range kc {
				s = asm.FMA(l.Data[i*l.Row+k%run*l.Col+k/run*l.Jump], b[k*ldb+j], s)
			}
			if end.Add != nil {
				s += end.Add[i*end.Stride+j]
			}
			want[i*ldc+j] = max(s, end.Floor)
		}
	}
	tier.Gemm(rows, kc, l, b, ldb, c, ldc, end)
	same(t, c, want, fmt.Sprintf("rows=%d kc=%d left=%v ldb=%d ldc=%d %s", rows, kc, []int{l.Row, l.Col, l.Run, l.Jump}, ldb, ldc, how))
}

// TestGram compares every tier, bit by bit, with the sums written out, on operands and
// a tile that end at a guard page, and looks at everything between the tile's rows.
func TestGram(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		tile := tier.Tile()
		for _, kc := range []int{1, 2, 31, 32, 33, 63, 64, 65, 100, 192} {
			for _, rows := range []int{tile.High, tile.Low} {
				for _, pad := range []int{0, 1, 7} {
					ld, ldc := tile.Width+pad, tile.Width+2*pad
					a, b := guarded(t, (kc-1)*ld+rows), guarded(t, (kc-1)*ld+tile.Width)
					c := guarded(t, (rows-1)*ldc+tile.Width)
					random(rnd, a)
					random(rnd, b)
					fill(c, canary)
					want := slices.Clone(c)
					for i := range rows {
						for j := range tile.Width {
							var sum, run float32
							for k := range kc {
								if run = asm.FMA(a[k*ld+i], b[k*ld+j], run); k%32 == 31 || k == kc-1 {
									sum += run
									run = 0
								}
							}
							want[i*ldc+j] = sum
						}
					}
					tier.Gram(rows, kc, a, b, ld, c, ldc)
					same(t, c, want, fmt.Sprintf("rows=%d kc=%d ld=%d", rows, kc, ld))
				}
			}
		}
	})
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
					tier.Panel(n, r, nil, nil, r)
					continue
				}
				for _, stride := range []int{r, r + 1, r + 7} {
					dst, src := guarded(t, n*r), guarded(t, (n-1)*stride+r)
					random(rnd, src)
					want := make([]float32, n*r)
					for k := range n {
						for i := range r {
							want[k*r+i] = src[k*stride+i]
						}
					}
					tier.Panel(n, r, dst, src, stride)
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
