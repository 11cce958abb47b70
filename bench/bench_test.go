package bench

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/conv"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/nn"
)

// measure times work of the given number of operations on one thread and on all.
func measure(b *testing.B, operations float64, work func(threads int)) {
	for _, threads := range slices.Compact([]int{1, runtime.GOMAXPROCS(0)}) {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			peak := level3.Peak() * float64(threads)
			work(threads) // buffers exist from here on
			for b.Loop() {
				work(threads)
			}
			rate := operations * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(rate/peak, "of-peak")
		})
	}
}

func random(n int) []float32 {
	rnd := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	return x
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {384, 1352, 3456}} {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			x, y, c := random(m*k), random(k*n), make([]float32, m*n)
			measure(b, 2*float64(m)*float64(n)*float64(k), func(threads int) {
				level3.Gemm(threads, m, n, k, level3.Rows{Data: x, Stride: k}, level3.Cols{Data: y, Stride: n}, c, n, false)
			})
		})
	}
}

func BenchmarkConv(b *testing.B) {
	for _, l := range []struct {
		name string
		g    conv.Geometry
	}{
		{"caffenet.conv1", conv.Geometry{N: 16, H: 227, W: 227, C: 3, Out: 96, KH: 11, KW: 11, Stride: 4}},
		{"caffenet.conv2", conv.Geometry{N: 16, H: 27, W: 27, C: 96, Out: 256, KH: 5, KW: 5, Stride: 1, Pad: 2}},
		{"caffenet.conv3", conv.Geometry{N: 16, H: 13, W: 13, C: 256, Out: 384, KH: 3, KW: 3, Stride: 1, Pad: 1}},
		{"caffenet32.conv1", conv.Geometry{N: 64, H: 32, W: 32, C: 3, Out: 32, KH: 5, KW: 5, Stride: 1, Pad: 2}},
		{"caffenet32.conv2", conv.Geometry{N: 64, H: 16, W: 16, C: 32, Out: 64, KH: 3, KW: 3, Stride: 1, Pad: 1}},
		{"caffenet32.conv4", conv.Geometry{N: 64, H: 8, W: 8, C: 96, Out: 96, KH: 3, KW: 3, Stride: 1, Pad: 1}},
	} {
		g := l.g
		positions, patch := g.N*g.OutH()*g.OutW(), g.KH*g.KW*g.C
		x, w, y := random(g.N*g.H*g.W*g.C), random(g.Out*patch), make([]float32, positions*g.Out)
		dx, dw, db := make([]float32, len(x)), make([]float32, len(w)), make([]float32, g.Out)
		operations := 2 * float64(positions) * float64(g.Out) * float64(patch)
		b.Run(l.name+"/forward", func(b *testing.B) {
			measure(b, operations, func(threads int) { conv.Forward(threads, g, y, x, w, db) })
		})
		b.Run(l.name+"/backward", func(b *testing.B) {
			measure(b, 2*operations, func(threads int) {
				conv.BackwardWeights(threads, g, dw, db, x, y)
				conv.BackwardData(threads, g, dx, y, w)
			})
		})
	}
}

// BenchmarkMoments counts the useful operations of a covariance: N p (p+1).
func BenchmarkMoments(b *testing.B) {
	for _, s := range []struct{ n, p int }{{100_000, 192}, {50_000, 512}, {50_000, 768}} {
		b.Run(fmt.Sprintf("N=%d,p=%d", s.n, s.p), func(b *testing.B) {
			x := random(s.n * s.p)
			measure(b, float64(s.n)*float64(s.p)*float64(s.p+1), func(threads int) {
				m := corr.NewMoments(s.p)
				m.Threads = threads
				if err := m.Add(s.n, x); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkTrain times a training step of 64 images, counting three times the
// operations of the convolutions and dense layers forward.
func BenchmarkTrain(b *testing.B) {
	b.Run("caffenet32", func(b *testing.B) {
		const batch = 64
		net, err := nn.New(nn.CaffeNet32(10, 1), 1)
		if err != nil {
			b.Fatal(err)
		}
		x, labels := &nn.Tensor{N: batch, H: 32, W: 32, C: 3, Data: random(batch * 32 * 32 * 3)}, make([]int, batch)
		source := func(context.Context, int) iter.Seq2[nn.Batch, error] {
			return func(yield func(nn.Batch, error) bool) { yield(nn.Batch{X: x, Labels: labels}, nil) }
		}
		var operations float64
		params := net.Params()
		for i, layer := range []string{"conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"} {
			s, _ := net.Shape(layer)
			operations += 3 * 2 * batch * float64(s.H*s.W) * float64(len(params[2*i].Data))
		}
		measure(b, operations, func(threads int) {
			net.Threads = threads
			if err := net.Train(context.Background(), source, nn.TrainOptions{Epochs: 1, BatchesPerEpoch: 1, Schedule: nn.Constant(1e-4)}); err != nil {
				b.Fatal(err)
			}
		})
	})
}
