package match

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func randomMatrix(rows, cols int, value func(rnd *rand.Rand, i, j int) float64) *mat.Dense {
	rnd := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	c := mat.NewDense(rows, cols, nil)
	c.Apply(func(i, j int, _ float64) float64 { return value(rnd, i, j) }, c)
	return c
}

// TestSoftMatching proves every plan, and compares small ones with the matching in
// which each row and column is as many as make their numbers equal.
func TestSoftMatching(t *testing.T) {
	for name, value := range map[string]func(rnd *rand.Rand, i, j int) float64{
		"real":      func(rnd *rand.Rand, _, _ int) float64 { return rnd.NormFloat64() },
		"ties":      func(rnd *rand.Rand, _, _ int) float64 { return float64(rnd.IntN(3)) },
		"all equal": func(*rand.Rand, int, int) float64 { return 0.3 },
		"rank one":  func(_ *rand.Rand, i, j int) float64 { return float64((i - 2) * (3 - j)) },
		"forbidden": func(rnd *rand.Rand, i, j int) float64 {
			if (i+j)%3 == 0 {
				return forbidden
			}
			return rnd.Float64()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range [][2]int{{2, 3}, {3, 2}, {4, 6}, {5, 5}, {7, 4}, {6, 10}, {24, 36}, {100, 64}, {255, 256}, {256, 255}} {
				rows, cols := s[0], s[1]
				if testing.Short() && rows*cols > 1e4 {
					continue
				}
				c := randomMatrix(rows, cols, value)
				soft, err := SoftMatching(context.Background(), c)
				if err != nil {
					t.Fatalf("%v: %v", s, err)
				}
				if err := soft.Verify(c, 1e-12); err != nil {
					t.Errorf("%v: %v", s, err)
				}
				if dual := sum(soft.U)/float64(rows) + sum(soft.V)/float64(cols); math.Abs(dual-soft.Mean) > 1e-11 {
					t.Errorf("%v: mean %v, of the dual variables %v", s, soft.Mean, dual)
				}
				if rows*cols > 1000 {
					continue
				}
				expanded := mat.NewDense(rows*cols, rows*cols, nil)
				expanded.Apply(func(i, j int, _ float64) float64 { return c.At(i/cols, j/rows) }, expanded)
				hard, err := Bipartite(expanded)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(hard.Mean-soft.Mean) > 1e-12 {
					t.Errorf("%v: mean %v, want %v", s, soft.Mean, hard.Mean)
				}
			}
		})
	}
}

// TestSoftMatchingLinearPrograms compares with SciPy's linear programs: testdata/transport.py.
func TestSoftMatchingLinearPrograms(t *testing.T) {
	data, err := os.ReadFile("testdata/transport.json")
	if err != nil {
		t.Fatal(err)
	}
	var programs []struct {
		Kind   string
		Values [][]float64
		Mean   float64
	}
	if err := json.Unmarshal(data, &programs); err != nil {
		t.Fatal(err)
	}
	if len(programs) == 0 {
		t.Fatal("no linear programs")
	}
	for _, p := range programs {
		c := matrixOf(p.Values...)
		for _, c := range []mat.Matrix{c, c.T()} {
			s, err := SoftMatching(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(s.Mean-p.Mean) > 1e-12*max(1, math.Abs(p.Mean)) {
				rows, cols := c.Dims()
				t.Errorf("%s, %d x %d: mean %v, want %v", p.Kind, rows, cols, s.Mean, p.Mean)
			}
		}
	}
}

func TestSoftMatchingExamples(t *testing.T) {
	// Half of the single row goes to each column.
	s, err := SoftMatching(context.Background(), matrixOf([]float64{1, 3}))
	if err != nil || s.Mean != 2 || s.Plan.At(0, 0) != 0.5 || s.Plan.At(0, 1) != 0.5 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, size := range []zeroMatrix{{0, 0}, {0, 3}, {3, 0}} {
		s, err := SoftMatching(context.Background(), size)
		if err != nil || s.Mean != 0 {
			t.Errorf("%v: %+v, %v", size, s, err)
			continue
		}
		if err := s.Verify(size, 0); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
	x := forbidden
	_, err = SoftMatching(context.Background(), matrixOf([]float64{1, x, x}, []float64{2, x, 1}))
	if !errors.Is(err, ErrInfeasible) || !strings.Contains(err.Error(), "allowed only") {
		t.Errorf("error %v", err)
	}
	if _, err = SoftMatching(context.Background(), matrixOf([]float64{1, 2, math.NaN()})); err == nil || !strings.Contains(err.Error(), "row 0, column 2") {
		t.Errorf("error %v", err)
	}
}

func TestSoftVerifyErrors(t *testing.T) {
	c := matrixOf([]float64{3, 1, 0}, []float64{1, 3, 0})
	for name, spoil := range map[string]func(s *Transport){
		"negative":   func(s *Transport) { s.Plan.Set(0, 0, -s.Plan.At(0, 0)) },
		"infeasible": func(s *Transport) { s.U[0]-- },
		"not tight":  func(s *Transport) { s.V[2]++ },
		"row":        func(s *Transport) { s.Plan.Set(0, 0, s.Plan.At(0, 0)+0.1); s.Plan.Set(1, 0, 0) },
		"column":     func(s *Transport) { s.Plan.Set(0, 0, 0.2); s.Plan.Set(0, 2, 0.3) },
		"NaN":        func(s *Transport) { s.Plan.Set(1, 0, math.NaN()) },
		"other plan": func(s *Transport) {
			swapped := mat.DenseCopyOf(s.Plan)
			s.Plan.SetRow(0, swapped.RawRowView(1))
			s.Plan.SetRow(1, swapped.RawRowView(0))
		},
	} {
		s, err := SoftMatching(context.Background(), c)
		if err != nil || s.Verify(c, 0) != nil {
			t.Fatal(err, s.Verify(c, 0))
		}
		if spoil(&s); s.Verify(c, 1e-9) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
