package assignment

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// held is a matrix in memory as one that is gone through, blocks of some rows at a time.
type held struct {
	Matrix
	rows int
}

func (h held) Dims() (rows, cols int) { return h.Rows, h.Cols }

func (h held) Pass(visit func(first int, block Matrix) error) error {
	for i := 0; i < h.Rows; i += h.rows {
		b := h.Matrix
		b.Rows = min(h.rows, h.Rows-i)
		b.Data = slices.Clone(h.Data[i*h.Stride:][:b.Rows*h.Stride])
		if err := visit(i, b); err != nil {
			return err
		}
		for k := range b.Data {
			b.Data[k] = math.NaN() // the block was valid until then alone
		}
	}
	return nil
}

// sum adds up the values of an assignment, and reports whether it is complete and one to one.
func sum(c Matrix, partner []int) (total float64, complete bool) {
	taken := make(map[int]bool)
	for i, j := range partner {
		if j >= 0 {
			if taken[j] {
				return 0, false
			}
			taken[j] = true
			total += c.Row(i)[j]
		}
	}
	return total, len(taken) == min(c.Rows, c.Cols)
}

// passKinds are kinds of values without forbidden pairs, and correlations: of noise, of few
// dimensions, of units some of which are duplicates, and of noisy copies.
func passMatrices(n, m int) map[string]Matrix {
	all := make(map[string]Matrix)
	for _, k := range kinds {
		if k.name != "sparse" {
			all[k.name] = newMatrix(n, m, k.value)
		}
	}
	rnd := rand.New(rand.NewPCG(uint64(n), 7))
	product := func(rank int) Matrix {
		a, b := mat.NewDense(n, rank, nil), mat.NewDense(m, rank, nil)
		for _, x := range []*mat.Dense{a, b} {
			rows, _ := x.Dims()
			for i := range rows {
				row, norm := x.RawRowView(i), 0.0
				for k := range row {
					row[k] = rnd.NormFloat64()
					norm += row[k] * row[k]
				}
				for k := range row {
					row[k] /= math.Sqrt(norm)
				}
			}
		}
		var c mat.Dense
		c.Mul(a, b.T())
		return Matrix{Rows: n, Cols: m, Stride: m, Data: c.RawMatrix().Data}
	}
	all["noise"], all["rank 2"], all["rank 5"] = product(1000), product(2), product(5)
	duplicates := product(30)
	for i := range n {
		copy(duplicates.Row(i), duplicates.Row(i/3))
	}
	all["duplicates"] = duplicates
	if n == m {
		all["noisy copies"] = noisyCorrelations(n)
	}
	return all
}

// TestMaxPasses: the sum is that of Max, and every value is below the dual variables.
func TestMaxPasses(t *testing.T) {
	sizes := [][2]int{{1, 1}, {1, 4}, {4, 1}, {7, 7}, {40, 90}, {90, 40}, {130, 130}, {400, 400}, {300, 500}}
	if testing.Short() {
		sizes = sizes[:7]
	}
	for _, size := range sizes {
		for name, c := range passMatrices(size[0], size[1]) {
			name := fmt.Sprintf("%v, %s", size, name)
			want, err := Max(c)
			if err != nil {
				t.Fatal(err)
			}
			s, err := MaxPasses(t.Context(), 2, held{c, 37})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			best, _ := sum(c, want.Partner)
			got, complete := sum(c, s.Partner)
			tol := 1e-11 * float64(min(c.Rows, c.Cols)) * s.Largest
			if !complete || math.Abs(got-best) > tol {
				t.Errorf("%s: sum %v, complete: %v, want %v", name, got, complete, best)
			}
			for i, j := range s.Partner {
				if j >= 0 && s.Value[i] != c.Row(i)[j] {
					t.Errorf("%s: row %d has the value %g", name, i, s.Value[i])
				}
			}
			dual := 0.0
			for i, u := range s.U {
				dual += u
				for j, v := range s.V {
					if excess := c.Row(i)[j] - u - v; excess > s.Excess+1e-15*s.Largest || excess > 2*tolerance*s.Largest {
						t.Fatalf("%s: row %d, column %d is %g above the dual variables", name, i, j, excess)
					}
				}
			}
			for _, v := range s.V {
				dual += v
			}
			if math.Abs(dual-got) > tol {
				t.Errorf("%s: dual sum %v, sum %v", name, dual, got)
			}
			t.Logf("%s: %d passes, %.1f candidates a row", name, s.Passes, float64(s.Pairs)/float64(c.Rows))
		}
	}
}

// TestMaxPassesErrors: what no sum can be of is named, and an error of the matrix is passed on.
func TestMaxPassesErrors(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(-1), 2e300} {
		c := newMatrix(30, 20, kinds[0].value)
		c.Row(21)[3] = bad
		if _, err := MaxPasses(t.Context(), 1, held{c, 8}); err == nil || !strings.Contains(err.Error(), "row 21, column 3") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := MaxPasses(t.Context(), 1, torn{held{newMatrix(30, 20, kinds[0].value), 8}}); err != errTorn {
		t.Errorf("an error of the matrix: %v", err)
	}
}

var errTorn = errors.New("torn")

// torn is a matrix that cannot be read to its end.
type torn struct{ held }

func (t torn) Pass(visit func(first int, block Matrix) error) error {
	if err := t.held.Pass(visit); err != nil {
		return err
	}
	return errTorn
}

// TestMaxPassesThreads: threads and blocks change nothing.
func TestMaxPassesThreads(t *testing.T) {
	c := newMatrix(120, 150, kinds[1].value)
	want, err := MaxPasses(t.Context(), 1, held{c, 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 5} {
		got, err := MaxPasses(t.Context(), threads, held{c, threads})
		if err != nil || !slices.Equal(got.Partner, want.Partner) || !slices.Equal(got.U, want.U) || !slices.Equal(got.V, want.V) {
			t.Errorf("%d threads: another assignment (%v)", threads, err)
		}
	}
}

// BenchmarkMaxPasses compares passes with the solver that reads rows where it likes.
func BenchmarkMaxPasses(b *testing.B) {
	for _, n := range []int{1000, 4000, 8000} {
		c := noisyCorrelations(n)
		for _, passes := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/passes=%v", n, passes), func(b *testing.B) {
				for b.Loop() {
					if !passes {
						if _, err := Max(c); err != nil {
							b.Fatal(err)
						}
						continue
					}
					s, err := MaxPasses(b.Context(), 0, heldWhole{c})
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(s.Passes), "passes")
					b.ReportMetric(float64(s.Pairs)/float64(n), "candidates/row")
				}
			})
		}
	}
}

// heldWhole is a matrix that is one block.
type heldWhole struct{ Matrix }

func (h heldWhole) Dims() (rows, cols int) { return h.Rows, h.Cols }

func (h heldWhole) Pass(visit func(first int, block Matrix) error) error { return visit(0, h.Matrix) }
