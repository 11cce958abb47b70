package match

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestTiesByValue: matchings of a matrix, of a transpose of its transpose and of copies are the
// same, ties and all, however the values are stored.
func TestTiesByValue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	for _, size := range [][2]int{{6, 6}, {4, 7}, {7, 4}} {
		for range 200 {
			m := mat.NewDense(size[0], size[1], nil)
			m.Apply(func(_, _ int, _ float64) float64 { return float64(rnd.IntN(3)) }, m)
			transposed := mat.DenseCopyOf(m.T())
			for _, c := range [][2]mat.Matrix{{m, transposed.T()}, {m.T(), transposed}} {
				for name, f := range map[string]func(mat.Matrix) (any, error){
					"Bipartite":    func(c mat.Matrix) (any, error) { return Bipartite(c) },
					"SemiMatching": func(c mat.Matrix) (any, error) { return SemiMatching(c) },
					"Greedy":       func(c mat.Matrix) (any, error) { return Greedy(c) },
					"SoftMatching": func(c mat.Matrix) (any, error) { return SoftMatching(context.Background(), c) },
				} {
					got, err := f(c[0])
					want, err2 := f(c[1])
					if errors.Join(err, err2) != nil || !reflect.DeepEqual(got, want) {
						t.Fatalf("%s: %v and, of the same values, %v: %v %v", name, got, want, err, err2)
					}
				}
			}
		}
	}
}

// TestContext: what can take long ends with the context's error.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	const n = 64
	square, wide := mat.NewDense(n, n, nil), mat.NewDense(n, n+1, nil)
	rankOne := func(i, j int, _ float64) float64 { return float64(i * j) }
	square.Apply(rankOne, square)
	wide.Apply(rankOne, wide)
	for name, f := range map[string]func() error{
		"BipartiteContext": func() error { _, err := BipartiteContext(ctx, square); return err },
		"SoftMatching":     func() error { _, err := SoftMatching(ctx, wide); return err },
		"of squares":       func() error { _, err := SoftMatching(ctx, square); return err },
		"Lasso": func() error {
			_, err := Lasso(ctx, mat.NewDense(1, 1, []float64{1}), mat.NewDense(1, 1, []float64{0.5}), LassoOptions{Lambdas: []float64{0.1}})
			return err
		},
		"LassoSizes": func() error {
			_, err := LassoSizes(ctx, mat.NewDense(1, 1, []float64{1}), mat.NewDense(1, 1, []float64{0.5}), []int{1}, LassoOptions{})
			return err
		},
	} {
		if err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// endingContext ends after it was asked so often.
type endingContext struct {
	context.Context
	left atomic.Int64
}

func (c *endingContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestContextWithin: wherever on the way a context ends, its error is what is returned, and it
// is looked at within steps that many units make long.
func TestContextWithin(t *testing.T) {
	if testing.Short() {
		t.Skip("solves each problem many times")
	}
	const p = 300
	square := mat.NewDense(p, p, nil)
	square.Apply(func(i, j int, _ float64) float64 { return -float64((i + 1) * (j + 1)) }, square)
	sxx, sxy, variance := wideSample(400, p, 2, false)
	one := sxy.Slice(0, p, 0, 1)
	few, fewOne, fewVariance := wideSample(200, p, 1, false) // of a rank that takes eigenvectors
	fits, err := Lasso(context.Background(), sxx, one, LassoOptions{Lambdas: []float64{0.01}, KeepWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	o := LassoOptions{Variance: variance[:1], Threads: 1}
	with := func(lambda, ratio float64) LassoOptions {
		o := o
		o.Lambdas, o.Ratio = []float64{lambda}, ratio
		return o
	}
	for name, c := range map[string]struct {
		least int // how often the context must be looked at
		run   func(ctx context.Context) error
	}{
		"Bipartite":       {p / 2, func(ctx context.Context) error { _, err := BipartiteContext(ctx, square); return err }},
		"SoftMatching":    {p, func(ctx context.Context) error { _, err := SoftMatching(ctx, square.Slice(0, p-1, 0, p)); return err }},
		"BipartitePasses": {10, func(ctx context.Context) error { _, _, err := BipartitePasses(ctx, passed{square}); return err }},
		"semi-matching":   {3, func(ctx context.Context) error { _, _, err := SemiMatchingPasses(ctx, passed{square}); return err }},
		"one lambda":      {3, func(ctx context.Context) error { _, err := Lasso(ctx, sxx, one, with(0.001, 1)); return err }},
		"elastic net":     {5, func(ctx context.Context) error { _, err := Lasso(ctx, sxx, one, with(0.001, 0.5)); return err }},
		"directions": {10, func(ctx context.Context) error {
			_, err := Lasso(ctx, sxx, sxy, LassoOptions{Lambdas: []float64{0.01}, Threads: 1})
			return err
		}},
		"least squares": {4, func(ctx context.Context) error { _, err := Lasso(ctx, sxx, one, with(0, 1)); return err }},
		"least squares of few observations": {p / 32, func(ctx context.Context) error {
			_, err := Lasso(ctx, few, fewOne, LassoOptions{Lambdas: []float64{0}, Variance: fewVariance, Threads: 1})
			return err
		}},
		"sizes": {p / 2, func(ctx context.Context) error { _, err := LassoSizes(ctx, sxx, one, []int{p}, o); return err }},
		"Refit": {1, func(ctx context.Context) error { _, err := fits[0].Refit(ctx, sxx, one, variance[:1]); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			for looks := 0; ; looks += 1 + looks {
				ctx := &endingContext{Context: context.Background()}
				ctx.left.Store(int64(looks))
				err := c.run(ctx)
				if err == nil && looks < c.least {
					t.Fatalf("the context is looked at %d times; want %d", looks, c.least)
				}
				if err == nil {
					return
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("ended after %d looks: error %v", looks, err)
				}
			}
		})
	}
}

// TestValueError: an error says where, in the caller's rows and columns.
func TestValueError(t *testing.T) {
	for _, size := range [][2]int{{3, 5}, {5, 3}, {4, 4}} {
		m := mat.NewDense(size[0], size[1], nil)
		m.Set(2, 1, math.NaN())
		for name, f := range map[string]func(mat.Matrix) error{
			"Bipartite":    func(c mat.Matrix) error { _, err := Bipartite(c); return err },
			"SemiMatching": func(c mat.Matrix) error { _, err := SemiMatching(c); return err },
			"Greedy":       func(c mat.Matrix) error { _, err := Greedy(c); return err },
			"Mutual":       func(c mat.Matrix) error { _, err := Mutual(c, 1); return err },
			"SoftMatching": func(c mat.Matrix) error { _, err := SoftMatching(context.Background(), c); return err },
		} {
			for _, c := range []struct {
				matrix   mat.Matrix
				row, col int
			}{{m, 2, 1}, {m.T(), 1, 2}} {
				var e *ValueError
				if err := f(c.matrix); !errors.As(err, &e) || e.Row != c.row || e.Col != c.col || !math.IsNaN(e.Value) {
					t.Errorf("%s: error %v, want one at row %d, column %d", name, err, c.row, c.col)
				}
			}
		}
	}
}

// TestNoSizes: of no sizes there are no fits.
func TestNoSizes(t *testing.T) {
	fits, err := LassoSizes(context.Background(), mat.NewDense(1, 1, []float64{1}), mat.NewDense(1, 1, []float64{0.5}), nil, LassoOptions{})
	if err != nil || len(fits) != 0 {
		t.Errorf("%d fits, %v", len(fits), err)
	}
}
