package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// BenchmarkBetween compares two networks of n units over 3,072 observations by the covariances
// between them alone: their rate, and how long partners and the best one-to-one matching take,
// with its proof. Half of the units have a noisy copy in the other network. The largest, two
// MLPs of GPT-2 small, takes 13 GB.
func BenchmarkBetween(b *testing.B) {
	for _, n := range []int{4096, 8192, 16384, 36864} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			const rows = 3072
			x, y := noisyUnits(n, rows)
			var add, partners, assign time.Duration
			var proof match.Certificate
			for b.Loop() {
				m := corr.NewCrossMoments(n, n)
				start := time.Now()
				if err := m.Add(rows, x, y); err != nil {
					b.Fatal(err)
				}
				m.Close()
				add += time.Since(start)
				start = time.Now()
				byRow, byCol, err := match.SemiMatchingPasses(context.Background(), m)
				if err != nil {
					b.Fatal(err)
				}
				match.MutualPasses(byRow, byCol)
				partners += time.Since(start)
				start = time.Now()
				if _, proof, err = match.BipartitePasses(b.Context(), m); err != nil {
					b.Fatal(err)
				}
				assign += time.Since(start)
			}
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			rate := 2 * rows * float64(n) * float64(n) * float64(b.N) / add.Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(rate/Peak(runtime.GOMAXPROCS(0)), "of-peak")
			b.ReportMetric(partners.Seconds()/float64(b.N), "partners-s")
			b.ReportMetric(assign.Seconds()/float64(b.N), "assignment-s")
			b.ReportMetric(float64(proof.Passes), "passes")
			b.ReportMetric(float64(proof.Pairs)/float64(n), "candidates/unit")
			b.ReportMetric(float64(memory.Sys)/1e9, "GB")
		})
	}
}

// noisyUnits returns observations of n units, and of n others, of which every second is a noisy
// copy of one of them.
func noisyUnits(n, rows int) (x, y []float32) {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	x, y = make([]float32, rows*n), make([]float32, rows*n)
	copies := rnd.Perm(n)
	for r := range rows {
		a, b := x[r*n:][:n], y[r*n:][:n]
		for i := range a {
			a[i] = rnd.Float32() - 0.5
		}
		for i, j := range copies {
			b[i] = rnd.Float32() - 0.5
			if i%2 == 0 {
				b[i] = a[j] + float32(i)/float32(n)*4*b[i]
			}
		}
	}
	return x, y
}

// parts are the correlations of a's units with b's, computed anew in every pass for so many
// units of a at a time: for where there is no memory for all.
type parts struct {
	a, b            []float32
	rows, p, q, few int
}

func (c parts) Dims() (rows, cols int) { return c.p, c.q }

func (c parts) Pass(visit func(first int, rows *mat.Dense) error) error {
	for lo := 0; lo < c.p; lo += c.few {
		n := min(c.few, c.p-lo)
		m := corr.NewCrossMoments(n, c.q)
		if err := m.AddTensors(nil, corr.Rows(c.a[lo:], c.rows, n, c.p), corr.Rows(c.b, c.rows, c.q, c.q)); err != nil {
			return err
		}
		m.Close()
		if err := m.Pass(func(first int, rows *mat.Dense) error { return visit(lo+first, rows) }); err != nil {
			return err
		}
	}
	return nil
}

// TestBetweenInParts: units in parts have the matching of all at once, to the bit, and that of
// moments of both networks the same sum.
func TestBetweenInParts(t *testing.T) {
	const n, rows = 300, 1000
	x, y := noisyUnits(n, rows)
	whole := corr.NewCrossMoments(n, n)
	if err := whole.Add(rows, x, y); err != nil {
		t.Fatal(err)
	}
	whole.Close()
	want, _, err := match.BipartitePasses(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := match.BipartitePasses(t.Context(), parts{x, y, rows, n, n, 70})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("units in parts have another matching")
	}
	joint := corr.NewMoments(n, n)
	if err := joint.Add(rows, x, y); err != nil {
		t.Fatal(err)
	}
	c := joint.Correlation(nil, 0, 1)
	if err := got.Verify(c, 1e-11); err != nil {
		t.Error(err)
	}
}
