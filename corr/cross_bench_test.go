package corr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/internal/level3"
)

// BenchmarkCrossMoments has the rate of the covariances between p units and p others, and
// its share of the peak of all multiply-adds.
func BenchmarkCrossMoments(b *testing.B) {
	for _, size := range []struct{ p, q, rows, threads int }{
		{1024, 1024, 8192, 1}, {1024, 1024, 8192, 2}, {4096, 4096, 6144, 1}, {4096, 4096, 6144, 2}, {36864, 36864, 3072, 2},
	} {
		b.Run(fmt.Sprintf("%dx%d/threads=%d", size.p, size.q, size.threads), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 1))
			x, y := make([]float32, size.rows*size.p), make([]float32, size.rows*size.q)
			for _, values := range [][]float32{x, y} {
				for i := range values {
					values[i] = rnd.Float32()
				}
			}
			m := NewCrossMoments(size.p, size.q)
			m.Threads = size.threads
			if err := m.Add(size.rows, x, y); err != nil { // memory is there, and slabs are full
				b.Fatal(err)
			}
			for b.Loop() {
				if err := m.Add(size.rows, x, y); err != nil {
					b.Fatal(err)
				}
			}
			rate := 2 * float64(size.rows) * float64(size.p) * float64(size.q) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(rate/(level3.Peak()*float64(size.threads)), "of-peak")
		})
	}
}
