package match

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// passed is a matrix in memory, as one that is gone through.
type passed struct{ *mat.Dense }

func (p passed) Pass(visit func(first int, rows *mat.Dense) error) error {
	rows, cols := p.Dims()
	for lo := 0; lo < rows; lo += 13 {
		block := mat.DenseCopyOf(p.Slice(lo, min(rows, lo+13), 0, cols))
		if err := visit(lo, block); err != nil {
			return err
		}
		block.Apply(func(int, int, float64) float64 { return math.NaN() }, block)
	}
	return nil
}

// TestPasses: what is found in passes is what the matrix in memory gives.
func TestPasses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 5))
	for _, size := range [][2]int{{1, 1}, {1, 20}, {60, 35}, {80, 80}, {50, 140}} {
		for _, levels := range []int{3, 1 << 30} { // with ties, and without
			c := mat.NewDense(size[0], size[1], nil)
			c.Apply(func(_, _ int, _ float64) float64 { return float64(rnd.IntN(levels)) / float64(levels) }, c)
			m, proof, err := BipartitePasses(t.Context(), passed{c})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(c, 1e-11); err != nil {
				t.Errorf("%v, %d levels: %v", size, levels, err)
			}
			want, err := Bipartite(c)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(m.Mean-want.Mean) > 1e-11 || proof.Passes < 2 || proof.Pairs < size[0] {
				t.Errorf("%v, %d levels: mean %v, want %v (%+v)", size, levels, m.Mean, want.Mean, proof)
			}
			byRow, byCol, err := SemiMatchingPasses(context.Background(), passed{c})
			if err != nil {
				t.Fatal(err)
			}
			wantRow, err := SemiMatching(c)
			if err != nil {
				t.Fatal(err)
			}
			wantCol, err := SemiMatching(c.T())
			if err != nil {
				t.Fatal(err)
			}
			mutual, err := Mutual(c, 1)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(byRow, wantRow) || !reflect.DeepEqual(byCol, wantCol) || !reflect.DeepEqual(MutualPasses(byRow, byCol), mutual) {
				t.Errorf("%v, %d levels: best partners in a pass are others", size, levels)
			}
		}
	}
	bad := mat.NewDense(40, 5, nil)
	bad.Set(31, 2, math.NaN())
	if _, _, err := BipartitePasses(t.Context(), passed{bad}); err == nil || !strings.Contains(err.Error(), "row 31, column 2") {
		t.Errorf("one to one: %v", err)
	}
	if _, _, err := SemiMatchingPasses(context.Background(), passed{bad}); err == nil || !strings.Contains(err.Error(), "row 31, column 2") {
		t.Errorf("semi-matching: %v", err)
	}
}
