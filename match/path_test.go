package match

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// TestScikitLearn compares weights with those that testdata/lasso.py wrote.
func TestScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/lasso.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Xx, Xy            [][]float64
		Variance, Lambdas []float64
		Fits              []struct {
			Lambda, Ratio float64
			W             [][]float64
		}
		Paths [][][]float64 // target, lambda, source
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	sxx, sxy := matrixOf(f.Xx...), matrixOf(f.Xy...)
	for _, want := range f.Fits {
		fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{want.Lambda}, Ratio: want.Ratio, Variance: f.Variance, KeepWeights: true, Tol: 1e-13})
		if err != nil {
			t.Fatal(err)
		}
		if !mat.EqualApprox(fits[0].W, matrixOf(want.W...), 1e-8) {
			t.Errorf("lambda %v, ratio %v: %v, want %v", want.Lambda, want.Ratio, mat.Formatted(fits[0].W), mat.Formatted(matrixOf(want.W...)))
		}
	}
	fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: f.Lambdas, Variance: f.Variance, KeepWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, fit := range fits {
		for target, path := range f.Paths {
			for j, want := range path[i] {
				if got := fit.W.At(j, target); math.Abs(got-want) > 1e-8 {
					t.Errorf("lambda %v: weight (%d, %d) is %v, want %v", fit.Lambda, j, target, got, want)
				}
			}
		}
	}
}

// TestHomotopy: where sources do not determine each other, the weights at every lambda
// come from the homotopy, by leaps and by steps alike, without a sweep.
func TestHomotopy(t *testing.T) {
	for _, p := range []int{1, 2, 3, 20, 61} {
		sxx, sxy := sample(uint64(p), 2000, p, 6)
		grid := LambdaGrid(LambdaMax(sxy), LambdaMax(sxy)*1e-4, 40)
		pr, err := newProblem(context.Background(), sxx, sxy, nil)
		if err != nil {
			t.Fatal(err)
		}
		stepped := make([]float64, len(grid)*p)
		h := newHomotopy(context.Background(), p)
		fits := lasso(t, sxx, sxy, LassoOptions{Lambdas: grid})
		for target := range 6 {
			if count := h.descendStepwise(pr.sxx, pr.sxy[target*p:][:p], grid, stepped, nil); count != len(grid) {
				t.Fatalf("%d sources: steps end after %d lambdas", p, count)
			}
			for i, f := range fits {
				if f.Iter[target] != 0 {
					t.Errorf("%d sources, lambda %d: %d sweeps", p, i, f.Iter[target])
				}
				for j := range p {
					if got, want := f.W.At(j, target), stepped[i*p+j]; math.Abs(got-want) > 1e-10 {
						t.Fatalf("%d sources, lambda %d: weight %v by leaps, %v by steps", p, i, got, want)
					}
				}
			}
		}
		// A few small lambdas are reached from below.
		r, err := newLassoSolver(context.Background(), sxx, sxy, LassoOptions{Lambdas: grid[30:]})
		if err != nil {
			t.Fatal(err)
		}
		if !r.ascending && p > 3 {
			t.Errorf("%d sources: the small lambdas are not reached from 0", p)
		}
		for i, f := range lasso(t, sxx, sxy, LassoOptions{Lambdas: grid[30:]}) {
			if !mat.EqualApprox(f.W, fits[30+i].W, 1e-10) {
				t.Errorf("%d sources, lambda %d: other weights from below", p, i)
			}
		}
	}
}

// TestLassoSizes: at its lambda a fit has no more weights than asked for, and a little
// below it has.
func TestLassoSizes(t *testing.T) {
	sxx, sxy := sample(3, 400, 15, 5)
	duplicatedXX := mat.NewDense(16, 16, nil) // source 15 is source 0 again
	duplicatedXY := mat.NewDense(16, 5, nil)
	for i := range 16 {
		for j := range 16 {
			duplicatedXX.Set(i, j, sxx.At(i%15, j%15))
		}
		for k := range 5 {
			duplicatedXY.Set(i, k, sxy.At(i%15, k))
		}
	}
	sizes := []int{4, 1, 0, 8, 14, 1, 99}
	for name, c := range map[string][2]*mat.Dense{"independent": {sxx, sxy}, "duplicated": {duplicatedXX, duplicatedXY}} {
		fits, err := LassoSizes(context.Background(), c[0], c[1], sizes, LassoOptions{KeepWeights: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range fits {
			for target, lambda := range f.Lambdas {
				if n := f.NonZero[0][target]; n > sizes[i] {
					t.Errorf("%s: %d weights, want %d at most", name, n, sizes[i])
				}
				if sizes[i] == 99 {
					if lambda > 1e-6 {
						t.Errorf("%s: any number of weights ends the path at %v", name, lambda)
					}
					continue
				}
				at := lasso(t, c[0], c[1], LassoOptions{Lambdas: []float64{lambda * (1 + 1e-7), lambda * (1 - 1e-6)}})
				if n := at[1].NonZero[0][target]; n <= sizes[i] {
					t.Errorf("%s: %d weights below lambda %v, want more than %d", name, n, lambda, sizes[i])
				}
				if math.Abs(at[0].Loss[target]-f.Loss[target]) > 1e-6 {
					t.Errorf("%s: loss %v, by Lasso %v", name, f.Loss[target], at[0].Loss[target])
				}
			}
		}
	}
	if _, err := LassoSizes(context.Background(), sxx, sxy, []int{-1}, LassoOptions{}); err == nil {
		t.Error("-1 sources: no error")
	}
}

// TestLassoSizesOfFewObservations: where a few sources determine each target, covariances that are
// rounded have eigenvalues below 0 and paths that no descent follows to the end; more
// weights than there are observations are then asked for in vain, and explain everything.
func TestLassoSizesOfFewObservations(t *testing.T) {
	for seed := range uint64(40) {
		observations, digit := 3+int(seed)%8, 1e-8
		if seed >= 20 {
			digit = 1e-6
		}
		sxx, sxy := sample(seed, observations, 12, 3)
		for _, m := range []*mat.Dense{sxx, sxy} {
			m.Apply(func(_, _ int, v float64) float64 { return math.Round(v/digit) * digit }, m)
		}
		fits, err := LassoSizes(context.Background(), sxx, sxy, []int{1, 16}, LassoOptions{KeepWeights: true})
		if err != nil {
			t.Fatalf("%d observations: %v", observations, err)
		}
		for target, lambda := range fits[1].Lambdas {
			if mat.Norm(sxy.ColView(target), math.Inf(1)) == 0 {
				continue // it never changes
			}
			if r2 := fits[1].R2[target]; lambda > 1e-4 || math.Abs(r2-1) > 1e-3 {
				t.Errorf("%d observations: R2 %v at lambda %v, want 1 near 0", observations, r2, lambda)
			}
			for i, f := range fits {
				var g mat.VecDense // the KKT conditions
				g.MulVec(sxx, f.W.ColView(target))
				for j := range 12 {
					w, g := f.W.At(j, target), sxy.At(j, target)-g.AtVec(j)
					if kktResidual(w, g, f.Lambdas[target]) > 1e-7 {
						t.Errorf("%d observations, fit %d: weight %v has gradient %v at lambda %v", observations, i, w, g, f.Lambdas[target])
					}
				}
			}
		}
	}
}

// TestElasticNet holds fits to the optimality conditions of their objective.
func TestElasticNet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 12).Draw(t, "sources")
		sxx, sxy := sample(rapid.Uint64Range(0, 1000).Draw(t, "seed"), rapid.IntRange(3, 60).Draw(t, "observations"), p, 3)
		lambda, ratio := rapid.SampledFrom([]float64{1e-3, 0.05, 0.4}).Draw(t, "lambda"), rapid.Float64Range(0.01, 1).Draw(t, "ratio")
		fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{lambda}, Ratio: ratio, KeepWeights: true})
		if err != nil {
			t.Fatal(err)
		}
		var g mat.Dense
		g.Mul(sxx, fits[0].W)
		g.Sub(sxy, &g)
		for k := range 3 {
			loss := 0.5
			for j := range p {
				w := fits[0].W.At(j, k)
				loss -= w * (sxy.At(j, k) + g.At(j, k)) / 2
				residual := math.Abs(g.At(j, k)-lambda*(1-ratio)*w) - lambda*ratio
				if w != 0 {
					residual = math.Abs(g.At(j, k) - lambda*(1-ratio)*w - math.Copysign(lambda*ratio, w))
				}
				if residual > 1e-9 {
					t.Errorf("KKT residual %g of weight (%d, %d) = %v", residual, j, k, w)
				}
			}
			if math.Abs(fits[0].Loss[k]-loss) > 1e-9 || !(fits[0].Gap[k] >= 0 && fits[0].Gap[k] <= 1e-9) {
				t.Errorf("loss %v, want %v; gap %v", fits[0].Loss[k], loss, fits[0].Gap[k])
			}
		}
	})
}

// TestRefit compares with the solution of the normal equations on the support.
func TestRefit(t *testing.T) {
	sxx, sxy := sample(5, 300, 10, 4)
	f := lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0.15}})[0]
	g, err := f.Refit(context.Background(), sxx, sxy, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 4 {
		var support []int
		for j := range 10 {
			if f.W.At(j, k) != 0 {
				support = append(support, j)
			} else if g.W.At(j, k) != 0 {
				t.Errorf("weight (%d, %d) was 0", j, k)
			}
		}
		if len(support) < 2 {
			t.Fatalf("target %d has %d weights: the test is of no use", k, len(support))
		}
		a, b := mat.NewDense(len(support), len(support), nil), mat.NewVecDense(len(support), nil)
		for x, i := range support {
			b.SetVec(x, sxy.At(i, k))
			for y, j := range support {
				a.Set(x, y, sxx.At(i, j))
			}
		}
		var w mat.VecDense
		if err := w.SolveVec(a, b); err != nil {
			t.Fatal(err)
		}
		for x, j := range support {
			if math.Abs(g.W.At(j, k)-w.AtVec(x)) > 1e-10 {
				t.Errorf("weight (%d, %d) is %v, want %v", j, k, g.W.At(j, k), w.AtVec(x))
			}
		}
		if g.Loss[k] >= f.Loss[k] || g.Gap[k] > 1e-12 || g.NonZero[0][k] != len(support) {
			t.Errorf("loss %v after %v, gap %v, %d weights of %d", g.Loss[k], f.Loss[k], g.Gap[k], g.NonZero[0][k], len(support))
		}
	}
}

// TestSelect: the mean over groups, its error and the rule, worked out by hand.
func TestSelect(t *testing.T) {
	const p, targets, groups = 8, 3, 5
	sxx, sxy := sample(1, 60, p, targets)
	fits := lasso(t, sxx, sxy, LassoOptions{Lambdas: LambdaGrid(0.5, 1e-4, 12)})
	var heldOut []HeldOut
	for g := range groups {
		xx, xy := sample(1, 60, p, targets)
		other, cross := sample(uint64(10+g), 60, p, targets)
		for i := range p { // halfway to another distribution
			for j := range p {
				xx.Set(i, j, 0.8*xx.At(i, j)+0.2*other.At(i, j))
			}
			for k := range targets {
				xy.Set(i, k, 0.8*xy.At(i, k)+0.2*cross.At(i, k))
			}
		}
		heldOut = append(heldOut, HeldOut{Sxx: xx, Sxy: xy})
	}
	s, err := SelectFit(fits, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	minLoss := 0
	var mean, stdErr []float64
	for i, f := range fits {
		var losses []float64
		for _, h := range heldOut {
			var sum float64
			for k := range targets {
				var quadratic mat.Dense
				w := f.W.ColView(k)
				quadratic.Mul(h.Sxx, w)
				sum += (1 - 2*mat.Dot(w, mat.DenseCopyOf(h.Sxy).ColView(k)) + mat.Dot(w, quadratic.ColView(0))) / 2 / targets
			}
			losses = append(losses, sum)
		}
		m, sd := meanAndStd(losses)
		mean, stdErr = append(mean, m), append(stdErr, sd/math.Sqrt(groups))
		if m < mean[minLoss] {
			minLoss = i
		}
	}
	oneSE := slices.IndexFunc(mean, func(m float64) bool { return m <= mean[minLoss]+stdErr[minLoss] })
	if s.MinLoss != minLoss || s.OneSE != oneSE || oneSE == minLoss || minLoss == len(fits)-1 {
		t.Errorf("best %d and one error from it %d, want %d and %d", s.MinLoss, s.OneSE, minLoss, oneSE)
	}
	for i := range fits {
		if math.Abs(s.Mean[i]-mean[i]) > 1e-12 || math.Abs(s.Err[i]-stdErr[i]) > 1e-12 {
			t.Errorf("fit %d: %v ± %v, want %v ± %v", i, s.Mean[i], s.Err[i], mean[i], stdErr[i])
		}
	}
	if _, err := SelectFit(fits, heldOut[:1]); err == nil {
		t.Error("one group: no error")
	}
}

// TestInverse adds and removes members at random, and multiplies by the matrix.
func TestInverse(t *testing.T) {
	const p = 23
	sxx, _ := sample(2, 300, p, 1)
	v := newInverse(p)
	v.reset(sxx.RawMatrix().Data)
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		if j := rnd.IntN(p); v.position[j] >= 0 {
			v.remove(j)
		} else if !v.add(j) {
			t.Fatalf("source %d is said to depend on %v", j, v.set)
		}
		k := len(v.set)
		x, y, product := make([]float64, k), make([]float64, k), make([]float64, k)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		v.solve(y, x)
		for i, a := range v.set {
			for j, b := range v.set {
				product[i] += sxx.At(a, b) * y[j]
			}
			if math.Abs(product[i]-x[i]) > 1e-9 {
				t.Fatalf("members %v: %v is restored as %v", v.set, x, product)
			}
		}
	}
}
