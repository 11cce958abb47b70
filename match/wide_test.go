package match

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
)

// wideSample returns the covariances of sources and targets of various variances, which
// share causes: the sources copies, opposites and a constant among them if so wanted.
func wideSample(observations, p, targets int, degenerate bool) (sxx, sxy *mat.Dense, variance []float64) {
	const causes = 40
	rnd := rand.New(rand.NewPCG(1, uint64(p)))
	n := p + targets
	load := make([]float64, causes*n)
	for i := range load {
		load[i] = rnd.NormFloat64()
	}
	x, hidden := make([]float64, observations*n), make([]float64, causes)
	for i := range observations {
		for k := range hidden {
			hidden[k] = rnd.NormFloat64()
		}
		row := x[i*n:][:n]
		for j := range row {
			row[j] = rnd.NormFloat64()
			for k, h := range hidden {
				row[j] += h * load[k*n+j]
			}
			row[j] = max(0, row[j]) * (0.05 + 0.1*float64(j%3)) // of variance about 1
		}
		if degenerate {
			for j := range p / 4 {
				row[p/4+j] = row[j]
				row[p/2+j] = -2 * row[j]
			}
			row[p-1], row[n-1] = 3, 7
		}
	}
	for j := range n {
		mean := 0.0
		for i := range observations {
			mean += x[i*n+j] / float64(observations)
		}
		for i := range observations {
			if x[i*n+j] -= mean; degenerate && (j == p-1 || j == n-1) {
				x[i*n+j] = 0
			}
		}
	}
	joint := make([]float64, n*n)
	dense.Gemm(1, dense.Product{M: n, N: n, K: observations, Alpha: 1 / float64(observations), A: dense.Rows(x, n).T(), B: dense.Rows(x, n), C: joint, LDC: n})
	all := mat.NewDense(n, n, joint)
	for j := p; j < n; j++ {
		variance = append(variance, all.At(j, j))
	}
	return mat.DenseCopyOf(all.Slice(0, p, 0, p)), mat.DenseCopyOf(all.Slice(0, p, p, n)), variance
}

// TestWide compares wide problems with each target's homotopy, and evaluates the KKT
// conditions: of many and few observations, with sources that are copies or constant.
func TestWide(t *testing.T) {
	const p, targets = 300, 75 // more than a block
	for name, c := range map[string]struct {
		observations int
		degenerate   bool
	}{"many": {2000, false}, "few": {120, false}, "degenerate": {500, true}, "few and degenerate": {60, true}} {
		t.Run(name, func(t *testing.T) {
			sxx, sxy, variance := wideSample(c.observations, p, targets, c.degenerate)
			o := LassoOptions{Lambdas: []float64{0.3, 0.1, 0.03, 0.01, 0.001, 0}, Variance: variance, KeepWeights: true, Threads: 1}
			r, err := newLassoSolver(context.Background(), sxx, sxy, o)
			if err != nil {
				t.Fatal(err)
			}
			if !r.isWide() || r.wide < 1 {
				t.Fatalf("the homotopy follows %d lambdas: the test is of no use", r.wide)
			}
			fits, err := Lasso(context.Background(), sxx, sxy, o)
			if err != nil {
				t.Fatal(err)
			}
			o.Threads = 3
			again, err := Lasso(context.Background(), sxx, sxy, o)
			if err != nil {
				t.Fatal(err)
			}
			// The same problem, but not as a wide one.
			wide := r.wide
			r.wide = r.positive()
			objective := func(f LassoFit, target int) float64 {
				sum := f.Loss[target]
				for j := range p {
					sum += f.Lambda * math.Abs(f.W.At(j, target))
				}
				return sum
			}
			for target := range targets {
				if err := r.newTargetSolver().solve(target, func(i int, s *path, sweeps int) error {
					want := newFit(r.lambdas[i], r.problem, r.o)
					if err := s.record(&want, r.lambdas[i], []float64{0}); err != nil {
						return err
					}
					f := fits[i]
					if d := math.Abs(objective(f, target) - objective(want, target)); d > 1e-9 {
						t.Errorf("lambda %v, target %d: objective %v, not %v", f.Lambda, target, objective(f, target), objective(want, target))
					}
					for j := range p {
						if got, want := f.W.At(j, target), want.W.At(j, target); !c.degenerate && f.Lambda > 0 && math.Abs(got-want) > 1e-7 {
							t.Fatalf("lambda %v: weight (%d, %d) is %v, not %v", f.Lambda, j, target, got, want)
						}
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			var g mat.Dense
			for i, f := range fits {
				if !mat.Equal(f.W, again[i].W) || !slices.Equal(f.Gap, again[i].Gap) || !slices.Equal(f.Loss, again[i].Loss) {
					t.Errorf("lambda %v: results depend on the number of threads", f.Lambda)
				}
				g.Mul(sxx, f.W)
				g.Sub(sxy, &g)
				for target := range targets {
					// With fewer dimensions than the guess has weights, descent mends some.
					if few := c.degenerate && c.observations < p/4; i >= wide && f.Iter[target] != 0 && !few {
						t.Errorf("lambda %v, target %d: %d sweeps", f.Lambda, target, f.Iter[target])
					}
					if !(f.Gap[target] >= 0 && f.Gap[target] <= 1e-10) {
						t.Errorf("lambda %v, target %d: gap %v", f.Lambda, target, f.Gap[target])
					}
					for j := range p {
						if w := f.W.At(j, target); kktResidual(w, g.At(j, target), f.Lambda) > 1e-9 {
							t.Errorf("lambda %v: gradient %v at weight (%d, %d) = %v", f.Lambda, g.At(j, target), j, target, w)
						}
					}
				}
			}
		})
	}
}

// TestActiveSetSearch begins with weights that are far from those wanted.
func TestActiveSetSearch(t *testing.T) {
	const p, lambda, tol = 60, 0.01, 1e-10
	for _, observations := range []int{30, 500} {
		sxx, sxy := sample(5, observations, p, 3)
		pr, err := newProblem(context.Background(), sxx, sxy, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{lambda}})[0]
		a := newActiveSet(pr)
		rnd := rand.New(rand.NewPCG(1, 1))
		for target := range 3 {
			guess, units := make([]float32, p), make([]float64, p)
			for j := range guess {
				units[j] = 1.5
				if j < observations/2 {
					guess[j] = float32(rnd.NormFloat64())
				}
			}
			if !a.search(target, lambda, tol, guess, units) {
				t.Fatalf("%d observations: nothing found", observations)
			}
			for j, w := range a.w {
				if want := f.W.At(j, target); math.Abs(w-want) > 1e-8 {
					t.Fatalf("%d observations: weight %d is %v, not %v", observations, j, w, want)
				}
			}
		}
	}
}

// TestActiveSetMakesRoom: where the members determine another source, that takes the place
// of one of them.
func TestActiveSetMakesRoom(t *testing.T) {
	// Source 2 is the sum of the others, and so is the target; its one weight is cheaper
	// than their two.
	sxx := mat.NewDense(3, 3, []float64{1, 0, 1, 0, 1, 1, 1, 1, 2})
	sxy := mat.NewDense(3, 1, []float64{1, 1, 2})
	pr, err := newProblem(context.Background(), sxx, sxy, []float64{2})
	if err != nil {
		t.Fatal(err)
	}
	a := newActiveSet(pr)
	if !a.search(0, 0.1, 1e-10, []float32{1, 0.7, 0}, []float64{1, 1, 1}) {
		t.Fatal("nothing found")
	}
	for j, want := range []float64{0, 0, 0.95} {
		if math.Abs(a.w[j]-want) > 1e-12 {
			t.Errorf("weight %d is %v, not %v", j, a.w[j], want)
		}
	}
}

// TestWideProgress: every target is told of, and the work ends when it is cancelled.
func TestWideProgress(t *testing.T) {
	const p, targets = 300, 80
	sxx, sxy, variance := wideSample(400, p, targets, false)
	var calls []int
	o := LassoOptions{Lambdas: []float64{0.001}, Variance: variance, Threads: 2, Progress: func(done, total int) {
		if calls = append(calls, done); total != targets {
			t.Errorf("total %d", total)
		}
	}}
	if _, err := Lasso(context.Background(), sxx, sxy, o); err != nil || len(calls) != targets || calls[0] != 1 || calls[targets-1] != targets {
		t.Errorf("progress %v, error %v", calls, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress, o.Threads = func(int, int) { cancel() }, 1
	if _, err := Lasso(ctx, sxx, sxy, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
