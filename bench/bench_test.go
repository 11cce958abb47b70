package bench

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkConv(b *testing.B)       { benchmark(b, "conv/") }
func BenchmarkGemm(b *testing.B)       { benchmark(b, "gemm/") }
func BenchmarkMoments(b *testing.B)    { benchmark(b, "moments/") }
func BenchmarkAssignment(b *testing.B) { benchmark(b, "assignment/") }
func BenchmarkLasso(b *testing.B)      { benchmark(b, "lasso/") }
func BenchmarkSpectral(b *testing.B)   { benchmark(b, "spectral/") }
func BenchmarkTrain(b *testing.B)      { benchmark(b, "train/") }

// benchmark times the work of one kind on the standard list.
func benchmark(b *testing.B, kind string) {
	list := Standard()
	works, err := list.Works()
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range works {
		size, ok := strings.CutPrefix(w.Name, kind)
		if !ok {
			continue
		}
		for _, threads := range list.Threads {
			b.Run(fmt.Sprintf("%s/threads=%d", size, threads), func(b *testing.B) { measure(b, w, threads) })
		}
	}
}

func measure(b *testing.B, w Work, threads int) {
	peak := Peak(threads)
	job, err := w.Prepare(threads)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := job.Run(); err != nil {
			b.Fatal(err)
		}
	}
	rate := float64(b.N) / b.Elapsed().Seconds()
	if w.Operations > 0 {
		b.ReportMetric(rate*w.Operations/1e9, "GFLOP/s")
		b.ReportMetric(rate*w.Operations/peak, "of-peak")
	}
	if w.Images > 0 {
		b.ReportMetric(rate*float64(w.Images), "images/s")
	}
}
