package conv

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// geometries cover strides, padding beyond the filter, groups, filters that are
// not square, single channels, and images smaller than a tile.
var geometries = []Geometry{
	{N: 2, H: 8, W: 8, C: 3, Out: 5, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 2, H: 28, W: 30, C: 12, Out: 11, KH: 3, KW: 3, Stride: 1, Pad: 0},
	{N: 2, H: 14, W: 12, C: 33, Out: 16, KH: 1, KW: 1, Stride: 1},
	{N: 2, H: 14, W: 13, C: 16, Out: 33, KH: 1, KW: 1, Stride: 1},
	{N: 2, H: 28, W: 30, C: 3, Out: 3, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 2, H: 14, W: 14, C: 32, Out: 40, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 3, H: 9, W: 7, C: 16, Out: 17, KH: 5, KW: 5, Stride: 1, Pad: 2},
	{N: 2, H: 23, W: 21, C: 3, Out: 8, KH: 11, KW: 11, Stride: 4},
	{N: 2, H: 6, W: 6, C: 8, Out: 6, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 2},
	{N: 1, H: 7, W: 9, C: 6, Out: 9, KH: 3, KW: 3, Stride: 2, Pad: 1, Groups: 3},
	{N: 2, H: 5, W: 6, C: 4, Out: 3, KH: 2, KW: 3, Stride: 1, Pad: 1},
	{N: 2, H: 5, W: 6, C: 4, Out: 3, KH: 1, KW: 3, Stride: 2, Pad: 0},
	{N: 2, H: 4, W: 4, C: 5, Out: 7, KH: 1, KW: 1, Stride: 1},
	{N: 2, H: 4, W: 4, C: 5, Out: 7, KH: 1, KW: 1, Stride: 1, Pad: 2},
	{N: 1, H: 2, W: 2, C: 1, Out: 1, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 9, H: 1, W: 1, C: 300, Out: 10, KH: 1, KW: 1, Stride: 1},
	{N: 2, H: 6, W: 6, C: 37, Out: 10, KH: 3, KW: 3, Stride: 3, Pad: 2},
	{N: 24, H: 31, W: 30, C: 3, Out: 8, KH: 11, KW: 11, Stride: 4, Pad: 2},
	{N: 8, H: 20, W: 18, C: 5, Out: 9, KH: 5, KW: 5, Stride: 2, Pad: 2},
	{N: 2, H: 41, W: 40, C: 2, Out: 8, KH: 9, KW: 9, Stride: 2, Pad: 0},
	{N: 3, H: 13, W: 14, C: 37, Out: 10, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 16, H: 9, W: 10, C: 32, Out: 48, KH: 3, KW: 3, Stride: 1, Pad: 0, Groups: 2},
	{N: 128, H: 3, W: 3, C: 9, Out: 8, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 80, H: 2, W: 2, C: 16, Out: 33, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 4, H: 7, W: 5, C: 8, Out: 8, KH: 3, KW: 3, Stride: 1, Pad: 4},
	{N: 6, H: 12, W: 11, C: 22, Out: 24, KH: 5, KW: 5, Stride: 1, Pad: 1, Groups: 2},
	{N: 1, H: 30, W: 31, C: 8, Out: 8, KH: 5, KW: 5, Stride: 1, Pad: 5},
	{N: 16, H: 8, W: 8, C: 256, Out: 8, KH: 3, KW: 3, Stride: 1, Pad: 1},
	{N: 2, H: 14, W: 15, C: 41, Out: 41, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 41},
	{N: 2, H: 15, W: 14, C: 24, Out: 24, KH: 3, KW: 3, Stride: 2, Pad: 1, Groups: 24},
	{N: 1, H: 3, W: 900, C: 9, Out: 9, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 9},
	{N: 2, H: 9, W: 10, C: 24, Out: 36, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 12},
	{N: 2, H: 9, W: 10, C: 21, Out: 42, KH: 3, KW: 3, Stride: 2, Pad: 1, Groups: 21},
	{N: 6, H: 20, W: 20, C: 64, Out: 64, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 16},
	{N: 3, H: 7, W: 8, C: 17, Out: 17, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 17},
	{N: 2, H: 7, W: 7, C: 96, Out: 96, KH: 7, KW: 7, Stride: 1, Pad: 3, Groups: 96},
	{N: 1, H: 20, W: 23, C: 16, Out: 16, KH: 7, KW: 7, Stride: 1, Pad: 3, Groups: 16},
	{N: 3, H: 9, W: 8, C: 8, Out: 8, KH: 2, KW: 5, Stride: 3, Pad: 2, Groups: 8},
	{N: 1, H: 5, W: 6, C: 9, Out: 9, KH: 1, KW: 1, Stride: 3, Pad: 4, Groups: 9},
	{N: 1, H: 2, W: 1, C: 10, Out: 10, KH: 5, KW: 5, Stride: 1, Pad: 6, Groups: 10},
	{N: 2, H: 70, W: 66, C: 80, Out: 80, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 80},
}

// forEachProduct visits every product that makes up the output: y[yi] += x[xi] * w[wi].
func forEachProduct(g Geometry, visit func(yi, xi, wi int)) {
	depth, out := g.C/g.groups(), g.Out/g.groups()
	for n := range g.N {
		for oy := range g.OutH() {
			for ox := range g.OutW() {
				for o := range g.Out {
					for ky := range g.KH {
						for kx := range g.KW {
							y, x := oy*g.Stride-g.Pad+ky, ox*g.Stride-g.Pad+kx
							if y < 0 || y >= g.H || x < 0 || x >= g.W {
								continue
							}
							for c := range depth {
								visit(((n*g.OutH()+oy)*g.OutW()+ox)*g.Out+o,
									((n*g.H+y)*g.W+x)*g.C+o/out*depth+c,
									((o*g.KH+ky)*g.KW+kx)*depth+c)
							}
						}
					}
				}
			}
		}
	}
}

// TestAgainstDefinition compares all three directions with the definition in
// float64.
func TestAgainstDefinition(t *testing.T) {
	for _, g := range geometries {
		t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { checkDefinition(t, g, false) })
	}
}

// checkDefinition compares all three directions with the definition, within the package's
// bounds: of values, or, where these may cancel, of the terms that they are sums of.
func checkDefinition(t *testing.T, g Geometry, terms bool) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
		}
		return x
	}
	x, w, bias := random(g.N*g.H*g.W*g.C), random(g.Out*g.patch()), random(g.Out)
	dy := random(g.positions() * g.Out)
	y, dx, dw, db := make([]float64, len(dy)), make([]float64, len(x)), make([]float64, len(w)), make([]float64, g.Out)
	for i := range y {
		y[i] = float64(bias[i%g.Out])
		db[i%g.Out] += float64(dy[i])
	}
	sizes := map[string][]float64{"y": make([]float64, len(y)), "dx": make([]float64, len(dx)), "dw": make([]float64, len(dw)), "db": make([]float64, g.Out)}
	for i := range y {
		sizes["y"][i] = math.Abs(float64(bias[i%g.Out]))
		sizes["db"][i%g.Out] += math.Abs(float64(dy[i]))
	}
	ySize, dxSize, dwSize := sizes["y"], sizes["dx"], sizes["dw"]
	forEachProduct(g, func(yi, xi, wi int) {
		add := func(sum, size []float64, i int, v float64) {
			sum[i] += v
			size[i] += math.Abs(v)
		}
		add(y, ySize, yi, float64(x[xi])*float64(w[wi]))
		add(dx, dxSize, xi, float64(dy[yi])*float64(w[wi]))
		add(dw, dwSize, wi, float64(dy[yi])*float64(x[xi]))
	})
	scale := func(name string, values []float64) []float64 {
		if terms {
			return sizes[name]
		}
		return values
	}
	bound := 2e-5
	if g.KH*g.KW < 25 {
		bound /= 3
	}
	for _, threads := range []int{1, 2} {
		gotY, gotX, gotW, gotB := random(len(y)), random(len(x)), random(len(w)), random(g.Out)
		Forward(threads, g, gotY, x, w, bias, true)
		for i, v := range gotY {
			if !(v >= 0) || v == 0 && y[i] > 0.01 {
				t.Fatalf("y[%d] = %v after ReLU, of %v", i, v, y[i])
			}
		}
		Forward(threads, g, gotY, x, w, bias, false)
		BackwardData(threads, g, gotX, dy, w)
		BackwardWeights(threads, g, gotW, gotB, x, dy)
		checkError(t, "y", bound, gotY, y, scale("y", y))
		checkError(t, "dx", bound, gotX, dx, scale("dx", dx))
		checkError(t, "dw", bound, gotW, dw, scale("dw", dw))
		checkError(t, "db", bound, gotB, db, scale("db", db))
		copy(gotY, random(len(y)))
		checkPrepared(t, threads, g, gotY, x, w, bias)
		twice := slices.Clone(scale("y", y))
		for i := range twice {
			twice[i] *= 2
		}
		checkError(t, "y of prepared filters", bound, gotY, y, twice)
	}
}

// checkPrepared computes y with prepared filters, twice, and holds them to what they say of
// each output: that it is there, once.
func checkPrepared(t *testing.T, threads int, g Geometry, y, x, w, bias []float32) {
	t.Helper()
	filters := NewFilters(w)
	filters.Forward(threads, g, y, x, Epilogue{Bias: bias, ReLU: true})
	want := slices.Clone(y)
	filters.Forward(threads, g, y, x, Epilogue{Bias: bias})
	seen := make([]float32, len(y))
	var mu sync.Mutex
	got := make([]float32, len(y))
	filters.Forward(threads, g, got, x, Epilogue{Bias: bias, Done: func(at, n int) {
		mu.Lock()
		defer mu.Unlock()
		copy(seen[at:at+n], got[at:])
		for i := at; i < at+n; i++ {
			got[i] += 1000
		}
	}})
	for i, v := range y {
		if want[i] != max(v, 0) {
			t.Fatalf("y[%d] = %v after ReLU, of %v", i, want[i], v)
		}
		if seen[i] != v || got[i] != v+1000 {
			t.Fatalf("y[%d] was said to be %v, and is changed to %v, where it is %v", i, seen[i], got[i], v)
		}
	}
}

// checkError compares got with want: no error is above bound times the largest size, nor is
// their root mean square above half of that of sizes.
func checkError(t *testing.T, name string, bound float64, got []float32, want, sizes []float64) {
	t.Helper()
	var errors, squares, worst, largest float64
	for i, v := range want {
		e := math.Abs(float64(got[i]) - v)
		errors, squares = errors+e*e, squares+sizes[i]*sizes[i]
		worst, largest = max(worst, e), max(largest, math.Abs(sizes[i]))
	}
	if !(worst <= bound*largest && errors <= bound*bound/4*squares) {
		t.Errorf("%s errs by %.2g of the largest and %.2g in the mean", name, worst/largest, math.Sqrt(errors/squares))
	}
}

// TestLongSums holds Winograd's convolution, and the sum itself, to the bound where
// sums are long.
func TestLongSums(t *testing.T) {
	for _, g := range []Geometry{
		{N: 8, H: 12, W: 12, C: 512, Out: 16, KH: 3, KW: 3, Stride: 1, Pad: 1},
		{N: 4, H: 14, W: 14, C: 512, Out: 16, KH: 5, KW: 5, Stride: 1, Pad: 2},
		{N: 16, H: 2, W: 14, C: 512, Out: 16, KH: 3, KW: 3, Stride: 1, Pad: 1},
		{N: 1, H: 12, W: 12, C: 512, Out: 16, KH: 3, KW: 2, Stride: 1, Pad: 1},
	} {
		checkDefinition(t, g, false)
	}
}

// TestSameBits: neither the number of threads nor the tier changes a bit. The digests
// are of every way to convolve, and change with arithmetic that is meant to.
func TestSameBits(t *testing.T) {
	for digest, g := range map[string]Geometry{
		"643a2e29b86b52c8": {N: 16, H: 16, W: 16, C: 24, Out: 40, KH: 3, KW: 3, Stride: 1, Pad: 1},
		"9c6a5d3242bb8a6":  {N: 4, H: 13, W: 13, C: 10, Out: 9, KH: 5, KW: 5, Stride: 1, Pad: 2},
		"f2e4ab4814bb37dc": {N: 80, H: 2, W: 2, C: 8, Out: 8, KH: 3, KW: 3, Stride: 1, Pad: 1},
		"d77873e62c75d64b": {N: 3, H: 40, W: 40, C: 3, Out: 16, KH: 7, KW: 7, Stride: 2, Pad: 1},
		"7531dd2bf0590ec9": {N: 1, H: 9, W: 9, C: 144, Out: 200, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 2},
		"2c4d94c8b5cbf97e": {N: 24, H: 35, W: 40, C: 3, Out: 16, KH: 11, KW: 11, Stride: 4, Pad: 1},
		"12c1851743b7498":  {N: 3, H: 9, W: 9, C: 64, Out: 16, KH: 3, KW: 3, Stride: 2, Pad: 1, Groups: 2},
		"54b7aab1044d6958": {N: 3, H: 20, W: 19, C: 41, Out: 41, KH: 3, KW: 3, Stride: 1, Pad: 1, Groups: 41},
		"c14833a2a44db398": {N: 16, H: 13, W: 13, C: 20, Out: 24, KH: 5, KW: 5, Stride: 1, Pad: 2},
		"8b552dcbaa1f4307": {N: 3, H: 13, W: 14, C: 96, Out: 96, KH: 7, KW: 7, Stride: 1, Pad: 3, Groups: 96},
		"1f00bba52b86d797": {N: 2, H: 14, W: 14, C: 32, Out: 40, KH: 3, KW: 3, Stride: 1, Pad: 1},
	} {
		rnd := rand.New(rand.NewPCG(5, 6))
		x, w, dy := make([]float32, g.N*g.H*g.W*g.C), make([]float32, g.Out*g.patch()), make([]float32, g.positions()*g.Out)
		for _, s := range [][]float32{x, w, dy} {
			for i := range s {
				s[i] = rnd.Float32() - 0.5
			}
		}
		for _, threads := range []int{1, 2, 3, 7} {
			y, dx, dw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
			Forward(threads, g, y, x, w, nil, false)
			BackwardData(threads, g, dx, dy, w)
			BackwardWeights(threads, g, dw, nil, x, dy)
			h := fnv.New64a()
			for _, s := range [][]float32{y, dx, dw} {
				binary.Write(h, binary.LittleEndian, s)
			}
			if got := fmt.Sprintf("%x", h.Sum64()); got != digest {
				t.Errorf("%+v, threads=%d: digest %s, want %s", g, threads, got, digest)
			}
		}
	}
}

func TestPanics(t *testing.T) {
	g := Geometry{N: 1, H: 4, W: 4, C: 2, Out: 3, KH: 3, KW: 3, Stride: 1, Pad: 1}
	x, w, y := make([]float32, 32), make([]float32, 54), make([]float32, 48)
	for message, f := range map[string]func(){
		"conv: wrong length of the input":           func() { Forward(1, g, y, x[:31], w, nil, false) },
		"conv: wrong length of the filters":         func() { Forward(1, g, y, x, w[:53], nil, false) },
		"conv: wrong length of the output":          func() { Forward(1, g, y[:47], x, w, nil, false) },
		"conv: wrong length of the bias":            func() { Forward(1, g, y, x, w, x[:2], false) },
		"conv: size out of range":                   func() { Forward(1, Geometry{}, nil, nil, nil, nil, false) },
		"conv: channels not divisible by groups":    func() { g := g; g.Groups = 2; Forward(1, g, y, x, w, nil, false) },
		"conv: filter larger than the padded image": func() { g := g; g.KH = 7; Forward(1, g, y, x, w, nil, false) },
	} {
		func() {
			defer func() {
				if r := recover(); r != message {
					t.Errorf("panicked with %v, want %q", r, message)
				}
			}()
			f()
		}()
	}
}

// TestNoImages: of no images the output is empty, and the gradients of filters are zeros.
func TestNoImages(t *testing.T) {
	for _, g := range geometries {
		g.N = 0
		w, dw, db := make([]float32, g.Out*g.patch()), make([]float32, g.Out*g.patch()), make([]float32, g.Out)
		for _, x := range [][]float32{dw, db} {
			for i := range x {
				x[i] = 1
			}
		}
		Forward(2, g, nil, nil, w, nil, false)
		NewFilters(w).Forward(2, g, nil, nil, Epilogue{})
		BackwardData(2, g, nil, nil, w)
		BackwardWeights(2, g, dw, db, nil, nil)
		if !slices.Equal(dw, w) || slices.ContainsFunc(db, func(v float32) bool { return v != 0 }) {
			t.Errorf("%+v: gradients are not zeros", g)
		}
	}
}
