package match

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// sample returns covariances of p sources and targets (all of variance 1) that
// share hidden factors, from the given number of rectified observations.
func sample(seed uint64, observations, p, targets int) (sxx, sxy *mat.Dense) {
	rng := rand.New(rand.NewPCG(seed, 1))
	factors := 1 + p/3
	load := make([]float64, factors*(p+targets))
	for i := range load {
		load[i] = rng.NormFloat64()
	}
	x := mat.NewDense(observations, p+targets, nil)
	hidden := make([]float64, factors)
	for i := range observations {
		for k := range hidden {
			hidden[k] = rng.NormFloat64()
		}
		row := x.RawRowView(i)
		for j := range row {
			v := rng.NormFloat64()
			for k, h := range hidden {
				v += h * load[k*(p+targets)+j]
			}
			row[j] = max(v, 0)
		}
	}
	joint := correlate(x)
	return mat.DenseCopyOf(joint.Slice(0, p, 0, p)), mat.DenseCopyOf(joint.Slice(0, p, p, p+targets))
}

// correlate returns the correlations of the columns; 0 with constant ones.
func correlate(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	z := mat.NewDense(n, p, nil)
	for j := range p {
		col := mat.Col(nil, j, x)
		var mean, square float64
		for _, v := range col {
			mean += v / float64(n)
		}
		for i := range col {
			col[i] -= mean
			square += col[i] * col[i]
		}
		for i := range col {
			if square > 0 {
				col[i] /= math.Sqrt(square)
			}
		}
		z.SetCol(j, col)
	}
	var product mat.Dense
	product.Mul(z.T(), z)
	return &product
}

func lasso(t testing.TB, sxx, sxy mat.Matrix, o LassoOptions) []LassoFit {
	t.Helper()
	o.KeepWeights = true
	fits, err := Lasso(context.Background(), sxx, sxy, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range fits {
		if f.Lambda != o.Lambdas[i] {
			t.Fatalf("fit %d has lambda %v, want %v", i, f.Lambda, o.Lambdas[i])
		}
		checkFit(t, sxx, sxy, f, 2e-9) // at a condition of 1e10 rounding leaves 1.06e-9 on arm64
	}
	return fits
}

// checkFit evaluates the KKT conditions and all that is reported, of targets of
// variance 1, from the weights.
func checkFit(t testing.TB, sxx, sxy mat.Matrix, f LassoFit, tol float64) {
	t.Helper()
	var g, sw mat.Dense
	sw.Mul(sxx, f.W)
	g.Sub(sxy, &sw)
	p, targets := f.W.Dims()
	for k := range targets {
		loss, count, residual := 0.5, 0, 0.0
		for j := range p {
			w := f.W.At(j, k)
			loss -= w * (sxy.At(j, k) + g.At(j, k)) / 2
			violation := math.Abs(g.At(j, k)) - f.Lambda
			if w != 0 {
				count++
				violation = math.Abs(g.At(j, k) - math.Copysign(f.Lambda, w))
			}
			residual = max(residual, violation)
		}
		if residual > tol {
			t.Errorf("lambda %g, target %d: KKT residual %g", f.Lambda, k, residual)
		}
		if math.Abs(f.Loss[k]-loss) > tol || math.Abs(f.R2[k]-(1-2*loss)) > 2*tol || f.NonZero[0][k] != count {
			t.Errorf("lambda %g, target %d: loss %v, R2 %v, %d weights; want %v, %v, %d", f.Lambda, k, f.Loss[k], f.R2[k], f.NonZero[0][k], loss, 1-2*loss, count)
		}
		if !(f.Gap[k] >= 0 && f.Gap[k] <= tol) {
			t.Errorf("lambda %g, target %d: gap %g", f.Lambda, k, f.Gap[k])
		}
	}
}

// objective is P(w) - 1/2 for a target of variance 1.
func objective(sxx, sxy mat.Matrix, target int, w *mat.VecDense, lambda float64) float64 {
	p, _ := sxy.Dims()
	var sw mat.VecDense
	sw.MulVec(sxx, w)
	value := mat.Dot(&sw, w) / 2
	for j := range p {
		value += lambda*math.Abs(w.AtVec(j)) - sxy.At(j, target)*w.AtVec(j)
	}
	return value
}

// ista is the plainest solver there is: gradient steps with soft thresholds,
// accelerated (Beck and Teboulle, 2009) and restarted.
func ista(sxx, sxy mat.Matrix, target int, lambda float64, iterations int) *mat.VecDense {
	p, _ := sxx.Dims()
	var lipschitz float64
	for i := range p {
		var row float64
		for j := range p {
			row += math.Abs(sxx.At(i, j))
		}
		lipschitz = max(lipschitz, row)
	}
	w, y, sy := mat.NewVecDense(p, nil), mat.NewVecDense(p, nil), mat.NewVecDense(p, nil)
	momentum := 1.0
	for range iterations {
		sy.MulVec(sxx, y)
		var uphill float64
		next := mat.NewVecDense(p, nil)
		for j := range p {
			v := y.AtVec(j) + (sxy.At(j, target)-sy.AtVec(j))/lipschitz
			next.SetVec(j, math.Copysign(max(0, math.Abs(v)-lambda/lipschitz), v))
			uphill += (y.AtVec(j) - next.AtVec(j)) * (next.AtVec(j) - w.AtVec(j))
		}
		if uphill > 0 {
			momentum = 1
		}
		following := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		for j := range p {
			y.SetVec(j, next.AtVec(j)+(momentum-1)/following*(next.AtVec(j)-w.AtVec(j)))
		}
		w, momentum = next, following
	}
	return w
}

func TestLassoAgainstISTA(t *testing.T) {
	for seed := range uint64(4) {
		sxx, sxy := sample(seed, 300, 12, 5)
		for _, f := range lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0.3, 0.1, 0.01, 0.001}}) {
			for k := range 5 {
				want := ista(sxx, sxy, k, f.Lambda, 5000)
				for j := range 12 {
					if d := math.Abs(f.W.At(j, k) - want.AtVec(j)); d > 1e-8 {
						t.Errorf("seed %d, lambda %g, weight (%d, %d) = %v, ISTA %v", seed, f.Lambda, j, k, f.W.At(j, k), want.AtVec(j))
					}
				}
			}
		}
	}
}

func TestLassoOrthogonal(t *testing.T) {
	// With uncorrelated sources each weight is a soft threshold of its own.
	const p, targets = 30, 7
	rng := rand.New(rand.NewPCG(1, 1))
	sxx, sxy := mat.NewDense(p, p, nil), mat.NewDense(p, targets, nil)
	variance := make([]float64, targets)
	for i := range p {
		sxx.Set(i, i, 0.5+rng.Float64())
		for k := range targets {
			sxy.Set(i, k, 0.3*(rng.Float64()-0.5))
		}
	}
	for k := range variance {
		variance[k] = 1 + float64(k)
	}
	lambdas := []float64{0.05, 0, 0.2, 0.01}
	fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: lambdas, Variance: variance, KeepWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range fits {
		for k := range targets {
			loss := variance[k] / 2
			for j := range p {
				c, v := sxy.At(j, k), sxx.At(j, j)
				want := math.Copysign(max(0, math.Abs(c)-lambdas[i]), c) / v
				loss += want*want*v/2 - c*want
				if math.Abs(f.W.At(j, k)-want) > 1e-14 {
					t.Errorf("lambda %g: weight (%d, %d) = %v, want %v", lambdas[i], j, k, f.W.At(j, k), want)
				}
			}
			if math.Abs(f.Loss[k]-loss) > 1e-13 || math.Abs(f.R2[k]-(1-2*loss/variance[k])) > 1e-13 {
				t.Errorf("lambda %g: target %d has loss %v, R2 %v; want %v, %v", lambdas[i], k, f.Loss[k], f.R2[k], loss, 1-2*loss/variance[k])
			}
		}
	}
}

func TestLassoAtZeroIsLeastSquares(t *testing.T) {
	sxx, sxy := sample(7, 400, 20, 9)
	f := lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0, 1e-7}})
	var want mat.Dense
	if err := want.Solve(sxx, sxy); err != nil {
		t.Fatal(err)
	}
	if !mat.EqualApprox(f[0].W, &want, 1e-11) {
		t.Errorf("weights at lambda 0 are not the normal equations' solution")
	}
	if !mat.EqualApprox(f[1].W, &want, 1e-4) {
		t.Errorf("weights at lambda 1e-7 are far from those at 0")
	}
}

func TestLassoPath(t *testing.T) {
	sxx, sxy := sample(3, 2000, 40, 12)
	top := LambdaMax(sxy)
	grid := LambdaGrid(2*top, top/1000, 30)
	forward := lasso(t, sxx, sxy, LassoOptions{Lambdas: grid})
	shuffled := slices.Clone(grid)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(grid), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	permuted := lasso(t, sxx, sxy, LassoOptions{Lambdas: shuffled, Threads: 3})
	for i, f := range forward {
		k := slices.Index(shuffled, f.Lambda)
		if !mat.Equal(f.W, permuted[k].W) || !slices.Equal(f.Gap, permuted[k].Gap) {
			t.Errorf("lambda %g depends on the order or on threads", f.Lambda)
		}
		for j := range f.Loss {
			if f.Lambda >= top && (f.NonZero[0][j] != 0 || f.Loss[j] != 0.5 || f.R2[j] != 0 || f.Gap[j] != 0) {
				t.Errorf("target %d has weights at lambda %g >= %g", j, f.Lambda, top)
			}
			if i > 0 && f.Loss[j] > forward[i-1].Loss[j]+1e-12 {
				t.Errorf("loss of target %d rises as lambda falls to %g", j, f.Lambda)
			}
		}
	}
	// A single lambda must give what the path gives.
	cold := lasso(t, sxx, sxy, LassoOptions{Lambdas: grid[25:26]})
	if !mat.EqualApprox(cold[0].W, forward[25].W, 1e-8) {
		t.Error("a cold start ends elsewhere")
	}
}

func TestLassoCollinear(t *testing.T) {
	// Sources: 6 independent, a copy and a mirror image of each, their sum, and a
	// constant; targets: 4, a copy of a source, and a constant.
	const n = 200
	rng := rand.New(rand.NewPCG(5, 5))
	x := mat.NewDense(n, 26, nil)
	for i := range n {
		row := x.RawRowView(i)
		for j := range 6 {
			v := rng.NormFloat64()
			row[j], row[6+j], row[12+j] = v, v, -v
			row[18] += v
		}
		for k := range 4 {
			row[20+k] = row[k] + 0.5*row[k+1] - 0.3*row[18] + rng.NormFloat64()
		}
		row[24] = row[2]
	}
	joint := correlate(x)
	sxx, sxy := joint.Slice(0, 20, 0, 20), joint.Slice(0, 20, 20, 26)
	for _, f := range lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0, 1e-6, 1e-3, 0.1, 0.5}}) {
		if w := mat.Norm(f.W, 1); w > 10 {
			t.Errorf("lambda %g: weights of sum %g", f.Lambda, w)
		}
		for k := range 6 {
			if w := f.W.At(19, k); w != 0 {
				t.Errorf("lambda %g: constant source has weight %g", f.Lambda, w)
			}
		}
		if want := f.Lambda * f.Lambda / 2; math.Abs(f.Loss[4]-want) > 1e-12 {
			t.Errorf("lambda %g: a source predicts itself with loss %g, want %g", f.Lambda, f.Loss[4], want)
		}
		if f.Loss[5] != 0.5 || f.NonZero[0][5] != 0 {
			t.Errorf("lambda %g: target without covariance has loss %g", f.Lambda, f.Loss[5])
		}
	}
	variance := []float64{1, 1, 1, 1, 1, 0}
	fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{0, 0.1}, Variance: variance})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fits {
		if f.Loss[5] != 0 || f.R2[5] != 0 || f.Gap[5] != 0 {
			t.Errorf("constant target: loss %g, R2 %g, gap %g; want 0", f.Loss[5], f.R2[5], f.Gap[5])
		}
	}
}

func TestLassoMoreSourcesThanObservations(t *testing.T) {
	sxx, sxy := sample(11, 25, 60, 8)
	lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0.1, 1e-2, 1e-3, 1e-4, 0}})
	sxx, sxy = sample(12, 60, 200, 5)
	lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{1e-5}}) // at once
}

func TestLassoNearlyCollinear(t *testing.T) {
	// Conditions up to 1e10, where coordinate descent alone takes ever longer.
	for _, noise := range []float64{1e-2, 1e-3, 1e-4, 1e-5} {
		rng := rand.New(rand.NewPCG(1, 2))
		x := mat.NewDense(500, 22, nil)
		for i := range 500 {
			row := x.RawRowView(i)
			for j := range row {
				row[j] = rng.NormFloat64()
			}
			for j := 10; j < 20; j++ {
				row[j] = row[j-10] + noise*row[j]
			}
			row[20] += row[0] - row[10] + row[3]
			row[21] += row[1] + row[12] - row[3]
		}
		joint := correlate(x)
		sxx, sxy := joint.Slice(0, 20, 0, 20), joint.Slice(0, 20, 20, 22)
		fits := lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0.1, 1e-3, 1e-5}})
		for _, f := range fits {
			if n := slices.Max(f.Iter); n > 1000 {
				t.Errorf("noise %g, lambda %g: %d sweeps", noise, f.Lambda, n)
			}
		}
	}
}

// A rounded matrix can be indefinite; its results must still be near.
func TestLassoSinglePrecision(t *testing.T) {
	sxx, sxy := sample(13, 50, 30, 6)
	for j := range 30 { // sources 20 to 29 copy 0 to 9
		for i := range 10 {
			sxx.Set(j, 20+i, sxx.At(j, i))
		}
	}
	for j := range 30 {
		for i := range 10 {
			sxx.Set(20+i, j, sxx.At(i, j))
		}
	}
	for i := range 10 {
		for k := range 6 {
			sxy.Set(20+i, k, sxy.At(i, k))
		}
	}
	round := func(m *mat.Dense) *mat.Dense {
		var r mat.Dense
		r.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, m)
		return &r
	}
	rng := rand.New(rand.NewPCG(2, 2))
	rx, ry := round(sxx), round(sxy)
	for i := range 30 {
		for j := range i {
			v := rx.At(i, j) + 1e-8*rng.NormFloat64()
			rx.Set(i, j, v)
			rx.Set(j, i, v)
		}
	}
	lambdas := []float64{0.1, 1e-2, 1e-3}
	exact := lasso(t, sxx, sxy, LassoOptions{Lambdas: lambdas})
	for i, f := range lasso(t, rx, ry, LassoOptions{Lambdas: lambdas}) {
		for k, loss := range f.Loss {
			if math.Abs(loss-exact[i].Loss[k]) > 1e-5 {
				t.Errorf("lambda %g, target %d: loss %g, of exact matrices %g", f.Lambda, k, loss, exact[i].Loss[k])
			}
		}
	}
}

// Of about as many observations as sources weights are so large that rounding takes the loss below
// zero, though the matrices are those of variables; what no variables have is an error still.
func TestLassoRoundedAtZero(t *testing.T) {
	for _, p := range []int{98, 99, 100} {
		const targets = 100
		sxx, sxy := sample(15, 100, p, targets)
		rng := rand.New(rand.NewPCG(3, 3))
		perturb := func(i, j int, v float64) float64 { return v + 1e-7*(rng.Float64()-0.5) }
		sxy.Apply(perturb, sxy)
		for i := range p {
			for j := range i {
				v := perturb(i, j, sxx.At(i, j))
				sxx.Set(i, j, v)
				sxx.Set(j, i, v)
			}
		}
		fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{0}})
		if err != nil {
			t.Errorf("%d sources: %v", p, err)
			continue
		}
		for k, r2 := range fits[0].R2 {
			if r2 > 1 || r2 < 0.9 {
				t.Errorf("%d sources, target %d: R2 %g", p, k, r2)
			}
		}
	}
}

// Of fewer observations than sources the weights at lambda 0 are the smallest that there are; what
// rounding to single precision adds to the rank has no part in them.
func TestLassoSmallestAtZero(t *testing.T) {
	const p, targets = 300, 5
	for _, observations := range []int{100, 250} { // of a low rank, and of one above half
		sxx, sxy, variance := wideSample(observations, p, targets, false)
		o := LassoOptions{Lambdas: []float64{0}, Variance: variance, KeepWeights: true}
		exact, err := Lasso(context.Background(), sxx, sxy, o)
		if err != nil {
			t.Fatal(err)
		}
		round := func(_, _ int, v float64) float64 { return float64(float32(v)) }
		sxx.Apply(round, sxx)
		sxy.Apply(round, sxy)
		rounded, err := Lasso(context.Background(), sxx, sxy, o)
		if err != nil {
			t.Fatal(err)
		}
		var difference mat.Dense
		difference.Sub(exact[0].W, rounded[0].W)
		if d, size := mat.Norm(&difference, 2), mat.Norm(exact[0].W, 2); d > 1e-3*size {
			t.Errorf("%d observations: weights of norm %g differ by %g", observations, size, d)
		}
		if gap := slices.Max(exact[0].Gap); gap > 1e-12 {
			t.Errorf("%d observations: gap %g", observations, gap)
		}
		if gap := slices.Max(rounded[0].Gap); gap > 1e-6 {
			t.Errorf("%d observations: gap %g of rounded covariances", observations, gap)
		}
	}
}

func TestLassoRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, targets := rapid.IntRange(1, 15).Draw(rt, "p"), rapid.IntRange(1, 3).Draw(rt, "targets")
		n := rapid.IntRange(2, 30).Draw(rt, "observations")
		x := mat.NewDense(n, p+targets, nil)
		for i := range n {
			for j := range p + targets {
				x.Set(i, j, float64(rapid.IntRange(-2, 2).Draw(rt, "x"))) // many ties and dependences
			}
		}
		joint := correlate(x)
		sxx, sxy := joint.Slice(0, p, 0, p), joint.Slice(0, p, p, p+targets)
		lambdas := rapid.SliceOfN(rapid.Float64Range(1e-4, 1), 1, 4).Draw(rt, "lambdas")
		fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: lambdas, KeepWeights: true})
		if err != nil {
			rt.Fatal(err)
		}
		for _, f := range fits {
			for k := range targets {
				w := mat.VecDenseCopyOf(f.W.ColView(k))
				at := objective(sxx, sxy, k, w, f.Lambda)
				if reference := objective(sxx, sxy, k, ista(sxx, sxy, k, f.Lambda, 300), f.Lambda); at > reference+1e-9 {
					rt.Errorf("lambda %g: objective %v, ISTA finds %v", f.Lambda, at, reference)
				}
				if !(f.Gap[k] <= 1e-9) {
					rt.Errorf("lambda %g: gap %g", f.Lambda, f.Gap[k])
				}
			}
		}
	})
}

func TestLassoThresholds(t *testing.T) {
	sxx, sxy := sample(2, 500, 20, 4)
	thresholds := []float64{0.001, 0.05, 0}
	f := lasso(t, sxx, sxy, LassoOptions{Lambdas: []float64{0.01}})[0]
	g, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{0.01}, Thresholds: thresholds})
	if err != nil {
		t.Fatal(err)
	}
	if g[0].W != nil {
		t.Error("weights kept unasked")
	}
	for i, threshold := range thresholds {
		for k := range 4 {
			want := 0
			for j := range 20 {
				if math.Abs(f.W.At(j, k)) > threshold {
					want++
				}
			}
			if got := g[0].NonZero[i][k]; got != want {
				t.Errorf("threshold %g, target %d: %d weights, want %d", threshold, k, got, want)
			}
		}
	}
}

func TestLassoBadInput(t *testing.T) {
	sxx, sxy := sample(1, 100, 4, 2)
	nan, inf := math.NaN(), math.Inf(1)
	withEntry := func(m *mat.Dense, i, j int, v float64) *mat.Dense {
		c := mat.DenseCopyOf(m)
		c.Set(i, j, v)
		return c
	}
	options := LassoOptions{Lambdas: []float64{0.1}}
	for _, c := range []struct {
		name     string
		sxx, sxy mat.Matrix
		o        LassoOptions
		want     string
	}{
		{"no lambdas", sxx, sxy, LassoOptions{}, "0 lambdas"},
		{"too many", sxx, sxy, LassoOptions{Lambdas: make([]float64, 10001)}, "10001 lambdas"},
		{"negative lambda", sxx, sxy, LassoOptions{Lambdas: []float64{1, -2}}, "lambda -2"},
		{"NaN lambda", sxx, sxy, LassoOptions{Lambdas: []float64{nan}}, "lambda NaN"},
		{"Inf lambda", sxx, sxy, LassoOptions{Lambdas: []float64{inf}}, "lambda +Inf"},
		{"threshold", sxx, sxy, LassoOptions{Lambdas: []float64{1}, Thresholds: []float64{nan}}, "threshold NaN"},
		{"tolerance", sxx, sxy, LassoOptions{Lambdas: []float64{1}, Tol: -1}, "tolerance -1"},
		{"sxx NaN", withEntry(sxx, 1, 2, nan), sxy, options, "row 1, column 2"},
		{"sxx not symmetric", withEntry(sxx, 3, 1, 0.9), sxy, options, "row 1, column 3"},
		{"sxx diagonal", withEntry(sxx, 2, 2, -1), sxy, options, "source 2"},
		{"sxy NaN", sxx, withEntry(sxy, 3, 1, nan), options, "row 3, column 1"},
		{"sxy too large", sxx, withEntry(sxy, 3, 1, -1.5), options, "row 3, column 1"},
		{"variance", sxx, sxy, LassoOptions{Lambdas: []float64{1}, Variance: []float64{1, inf}}, "target 1"},
		{"no convergence", sxx, sxy, LassoOptions{Lambdas: []float64{1e-3}, Tol: 1e-300, MaxIter: 5}, "target 0 at lambda 0.001"},
		{"indefinite", mat.NewDense(3, 3, []float64{1, .9, -.9, .9, 1, .9, -.9, .9, 1}), mat.NewDense(3, 1, []float64{.9, -.9, .9}), LassoOptions{Lambdas: []float64{1e-3, 0}}, "target 0"},
	} {
		fits, err := Lasso(context.Background(), c.sxx, c.sxy, c.o)
		if err == nil || fits != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Lasso(ctx, sxx, sxy, options); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	for name, f := range map[string]func(){
		"sxx not square":   func() { Lasso(ctx, sxy, sxy, options) },
		"rows of sxy":      func() { Lasso(ctx, sxx, sxy.T(), options) },
		"variances":        func() { Lasso(ctx, sxx, sxy, LassoOptions{Lambdas: options.Lambdas, Variance: make([]float64, 3)}) },
		"grid":             func() { LambdaGrid(1, 0, 3) },
		"grid upside down": func() { LambdaGrid(1, 2, 3) },
		"grid of none":     func() { LambdaGrid(2, 1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestLassoEmpty(t *testing.T) {
	fits := func(sxx, sxy mat.Matrix) LassoFit {
		f, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{1, 0}, KeepWeights: true})
		if err != nil {
			t.Fatal(err)
		}
		return f[1]
	}
	if f := fits(mat.NewDense(2, 2, []float64{1, 0, 0, 1}), &mat.Dense{}); len(f.Loss) != 0 || !f.W.IsEmpty() {
		t.Errorf("no targets: %+v", f)
	}
	if f := fits(&mat.Dense{}, &mat.Dense{}); len(f.Loss) != 0 || !f.W.IsEmpty() {
		t.Errorf("nothing at all: %+v", f)
	}
}

func TestLassoProgress(t *testing.T) {
	sxx, sxy := sample(1, 50, 5, 10)
	var calls []int
	_, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{0.1}, Threads: 4, Progress: func(done, total int) {
		if total != 10 {
			t.Errorf("total %d", total)
		}
		calls = append(calls, done)
	}})
	if err != nil || !slices.Equal(calls, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("progress %v, error %v", calls, err)
	}
}

func TestLambdaGrid(t *testing.T) {
	g := LambdaGrid(1, 1e-3, 4)
	for i, want := range []float64{1, 0.1, 0.01, 0.001} {
		if math.Abs(g[i]-want) > 1e-15 {
			t.Errorf("grid %v", g)
		}
	}
	if g := LambdaGrid(2, 1, 1); len(g) != 1 || g[0] != 2 {
		t.Errorf("grid of one: %v", g)
	}
}
