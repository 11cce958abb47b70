package corr

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestExcess compares with the mean of the null whose draws are rotated one by one.
func TestExcess(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 2))
	x, y := mixedUnits(rnd, 90, 6, 9)
	x = mapRows(x, func(r []float64) []float64 { r[2] = 5; return r }) // a constant unit
	c := exactPair(x, y)
	observed, err := c.MeanMaxCorrelation()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []struct {
		draws int
		seed  uint64
	}{{7, 3}, {2, 3}, {7, 4}} {
		null, err := c.RotationNull(context.Background(), key.draws, key.seed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Excess(context.Background(), key.draws, key.seed)
		if want := observed - null.Mean(); err != nil || math.Abs(got-want) > 1e-6 {
			t.Errorf("%d draws, seed %d: %v (%v), want %v", key.draws, key.seed, got, err, want)
		}
	}
	if _, err := c.Excess(context.Background(), 0, 1); err == nil {
		t.Error("no draw, and no error")
	}
}

// TestWithBetween: samples that are exchanged give, with the factors of those that are
// not, what they give alone, all at once.
func TestWithBetween(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 2))
	x, y := mixedUnits(rnd, 90, 6, 9)
	c := exactPair(x, y)
	const draws = 8
	var orders [draws][]int
	for d := range orders {
		orders[d] = rnd.Perm(len(y))
	}
	var wg sync.WaitGroup
	for _, order := range orders {
		wg.Go(func() {
			z := make([][]float64, len(y))
			for i, from := range order {
				z[i] = y[from]
			}
			want := exactPair(x, z)
			got := c.WithBetween(mat.NewDense(6, 9, want.ab))
			for _, m := range Measures() {
				v, err := m.Func(got)
				w, err2 := m.Func(want)
				if err != nil || err2 != nil || math.Abs(v-w) > 1e-9 {
					t.Errorf("%s is %v, want %v (%v, %v)", m.Name, v, w, err, err2)
				}
			}
		})
	}
	wg.Wait()
	defer func() {
		if recover() == nil {
			t.Error("another shape was taken")
		}
	}()
	c.WithBetween(mat.NewDense(9, 6, nil))
}

// TestCanonicalDirections: canonical variables have variance 1, and correlate by the
// canonical correlations and not otherwise, where units determine others too.
func TestCanonicalDirections(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 2))
	for _, sizes := range [][2]int{{6, 4}, {4, 6}, {5, 5}} {
		x, y := mixedUnits(rnd, 90, sizes[0], sizes[1])
		x = mapRows(x, func(r []float64) []float64 { return append(r, 1e3*(r[0]-2*r[1])) })
		c := exactPair(x, y)
		a, b, err := c.CanonicalDirections()
		if err != nil {
			t.Fatal(err)
		}
		rho, err := c.CCA()
		if err != nil {
			t.Fatal(err)
		}
		v := c.Basis(a, b)
		k := len(rho)
		for i := range k {
			for j := range k {
				within, between := 0.0, 0.0
				if i == j {
					within, between = 1, rho[i]
				}
				if math.Abs(v.aa[i*k+j]-within) > 1e-8 || math.Abs(v.bb[i*k+j]-within) > 1e-8 || math.Abs(v.ab[i*k+j]-between) > 1e-8 {
					t.Errorf("%v, variables %d and %d: covariances %v, %v and %v, want %v and %v", sizes, i, j, v.aa[i*k+j], v.bb[i*k+j], v.ab[i*k+j], within, between)
				}
			}
		}
	}
}

// TestExcessContext: a call that ends early leaves nothing half done for the next.
func TestExcessContext(t *testing.T) {
	m := filled(t, 100, 5, 6)
	want, err := m.Pair(0, 1).Excess(context.Background(), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := m.Pair(0, 1)
	if _, err := c.Excess(ctx, 3, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got, err := c.Excess(context.Background(), 3, 1); err != nil || got != want {
		t.Errorf("%v after a call that ended early, want %v: %v", got, want, err)
	}
}
