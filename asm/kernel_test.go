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

func fillNormal(rnd *rand.Rand, dst []float32) {
	for i := range dst {
		dst[i] = float32(rnd.NormFloat64())
	}
}

// forEachTier runs f under every tier of this machine.
func forEachTier(t *testing.T, f func(t *testing.T, tier asm.Tier)) {
	for _, tier := range asm.Supported() {
		t.Run(tier.String(), func(t *testing.T) { f(t, tier) })
	}
}

// TestGemm compares every tier, bit by bit, with the sum written out, with
// operands packed and at odd strides and a tile that all end at a guard page, and
// looks at everything between the tile's rows.
func TestGemm(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		tile := tier.Tile()
		for _, kc := range []int{1, 2, 3, 4, 5, 7, 8, 16, 31, 100, 256} {
			for _, rows := range []int{tile.MR, tile.MRShort} {
				for _, a := range []asm.PanelA{{RowStride: 1, ColStride: rows}, {RowStride: kc, ColStride: 1}, {RowStride: 3 * kc, ColStride: 2}, {ColStride: 1},
					{RowStride: 2, ColStride: 1, Run: 1, RunStride: 5}, {RowStride: 3, ColStride: 1, Run: (kc + 1) / 2, RunStride: kc + 2}} {
					if a.Run > 0 && kc%a.Run != 0 {
						continue
					}
					for _, pad := range []int{0, 1, 7, tile.NR} {
						for _, epilogue := range []string{"", "accumulate", "bias and floor"} {
							gemmCase{tier, rows, kc, a, tile.NR + pad, epilogue, 0}.check(t, rnd)
						}
					}
				}
			}
		}
	})
}

// gemmCase is a call of Gemm, but for its data: ld is the stride of B and of C.
type gemmCase struct {
	tier     asm.Tier
	rows, kc int
	a        asm.PanelA
	ld       int
	epilogue string
	narrow   int // columns of Narrow; 0: Gemm
}

// check compares the call, on random data, with its definition.
func (g gemmCase) check(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	width, a, run := g.tier.Tile().NR, g.a, g.a.Run
	if run == 0 {
		run = g.kc
	}
	a.Data = guarded(t, (g.rows-1)*a.RowStride+(run-1)*a.ColStride+(g.kc/run-1)*a.RunStride+1)
	read := width // of a row of B
	if g.narrow > 0 {
		read, width = g.tier.NarrowColumns(), g.narrow
	}
	b, c := asm.PanelB{Data: guarded(t, (g.kc-1)*g.ld+read), Stride: g.ld}, guarded(t, (g.rows-1)*g.ld+width)
	fillNormal(rnd, a.Data)
	fillNormal(rnd, b.Data)
	fill(c, canary)
	e := asm.Epilogue{Floor: float32(math.Inf(-1))}
	switch g.epilogue {
	case "accumulate":
		fillNormal(rnd, c)
		e.Add, e.Stride = c, g.ld
	case "bias and floor":
		e.Add, e.Floor = guarded(t, width), 0.5
		fillNormal(rnd, e.Add)
	}
	want := slices.Clone(c)
	for i := range g.rows {
		for j := range width {
			var s float32
			for k := range g.kc {
				s = asm.FMA(a.Data[i*a.RowStride+k%run*a.ColStride+k/run*a.RunStride], b.Data[k*g.ld+j], s)
			}
			if e.Add != nil {
				s += e.Add[i*e.Stride+j]
			}
			want[i*g.ld+j] = max(s, e.Floor)
		}
	}
	if g.narrow > 0 {
		g.tier.Narrow(g.narrow, g.kc, a, b, c, g.ld, e)
	} else {
		g.tier.Gemm(g.rows, g.kc, a, b, c, g.ld, e)
	}
	equalBits(t, c, want, fmt.Sprintf("%+v", g))
}

// TestNarrow is TestGemm for tiles of every number of columns, of a B that ends at a guard
// page where its last row's tile does.
func TestNarrow(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		const rows = asm.NarrowRows
		for cols := 1; cols <= tier.NarrowColumns(); cols++ {
			for _, kc := range []int{1, 2, 3, 7, 16, 100} {
				for _, a := range []asm.PanelA{{RowStride: 1, ColStride: rows}, {RowStride: kc, ColStride: 1}, {RowStride: 3 * kc, ColStride: 2},
					{RowStride: 2, ColStride: 1, Run: 1, RunStride: 5}, {RowStride: 3, ColStride: 1, Run: (kc + 1) / 2, RunStride: kc + 2}} {
					if a.Run > 0 && kc%a.Run != 0 {
						continue
					}
					for _, pad := range []int{0, 1, 7} {
						for _, epilogue := range []string{"", "accumulate", "bias and floor"} {
							gemmCase{tier, rows, kc, a, cols + pad, epilogue, cols}.check(t, rnd)
						}
					}
				}
			}
		}
	})
}

// TestGram compares every tier, bit by bit, with the sums written out, on operands and
// a tile that end at a guard page, and looks at everything between the tile's rows.
func TestGram(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		tile := tier.Tile()
		for _, kc := range []int{1, 2, 31, 32, 33, 63, 64, 65, 100, 192} {
			for _, size := range [][2]int{{tile.NR, tile.NR}, {tile.NR / 2, tile.NR}, {tile.NR / 2, tile.NR / 2}} {
				for _, pad := range []int{0, 1, 7} {
					rows, cols := size[0], size[1]
					ld, ldc := tile.NR+pad, tile.NR+2*pad
					a, b, ahead := guarded(t, (kc-1)*ld+rows), guarded(t, (kc-1)*ld+cols), guarded(t, pad)
					fillNormal(rnd, a)
					fillNormal(rnd, b)
					c := normal64(t, rnd, (rows-1)*ldc+cols)
					want := slices.Clone(c)
					for i := range rows {
						for j := range cols {
							var sum, runSum float32
							for k := range kc {
								if runSum = asm.FMA(a[k*ld+i], b[k*ld+j], runSum); k%32 == 31 || k == kc-1 {
									sum += runSum
									runSum = 0
								}
							}
							want[i*ldc+j] += float64(sum)
						}
					}
					tier.Gram(rows, cols, kc, a, b, ld, c, ldc, ahead)
					if !slices.Equal(c, want) {
						t.Fatalf("%d x %d, kc=%d ld=%d: %v, want %v", rows, cols, kc, ld, c, want)
					}
				}
			}
		}
	})
}

// TestTranspose covers every number of rows and columns round the kernels' own,
// odd strides, and buffers that end at a guard page.
func TestTranspose(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
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
					fillNormal(rnd, src)
					fill(dst, canary)
					want := make([]float32, len(dst))
					fill(want, canary)
					for i := range rows {
						for j := range cols {
							want[j*ld+i] = src[i*stride+j]
						}
					}
					tier.Transpose(dst, ld, src, stride, rows, cols)
					equalBits(t, dst, want, fmt.Sprintf("%dx%d stride=%d ld=%d", rows, cols, stride, ld))
				}
			}
		}
	})
}

// TestPanel covers every width up to beyond the widest tile, on buffers that end
// at a guard page.
func TestPanel(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for r := range 34 {
			for _, n := range []int{0, 1, 2, 7} {
				if r*n == 0 {
					tier.Panel(n, r, nil, nil, r)
					continue
				}
				for _, stride := range []int{r, r + 1, r + 7} {
					dst, src := guarded(t, n*r), guarded(t, (n-1)*stride+r)
					fillNormal(rnd, src)
					want := make([]float32, n*r)
					for k := range n {
						for i := range r {
							want[k*r+i] = src[k*stride+i]
						}
					}
					tier.Panel(n, r, dst, src, stride)
					equalBits(t, dst, want, fmt.Sprintf("%d rows of %d stride=%d", n, r, stride))
				}
			}
		}
	})
}

func equalBits(t *testing.T, got, want []float32, label string) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v (%#x), want %v (%#x)", label, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}
