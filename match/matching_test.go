package match

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

var forbidden = math.Inf(-1)

// zeroMatrix is a matrix of zeros that may have rows and no columns.
type zeroMatrix struct{ rows, cols int }

func (s zeroMatrix) Dims() (int, int)    { return s.rows, s.cols }
func (s zeroMatrix) At(i, j int) float64 { return 0 }
func (s zeroMatrix) T() mat.Matrix       { return zeroMatrix{s.cols, s.rows} }
func matrixOf(rows ...[]float64) mat.Matrix {
	return mat.NewDense(len(rows), len(rows[0]), slices.Concat(rows...))
}

// bruteForce returns the largest sum of all complete matchings; -Inf if each has a
// forbidden pair.
func bruteForce(c mat.Matrix) float64 {
	rows, cols := c.Dims()
	if rows > cols {
		return bruteForce(c.T())
	}
	used := make([]bool, cols)
	var best func(i int) float64
	best = func(i int) float64 {
		if i == rows {
			return 0
		}
		largest := forbidden
		for j := range cols {
			if !used[j] {
				used[j] = true
				largest = max(largest, c.At(i, j)+best(i+1))
				used[j] = false
			}
		}
		return largest
	}
	return best(0)
}

func sum(r []float64) (total float64) {
	for _, x := range r {
		total += x
	}
	return total
}

func TestBipartiteBruteForce(t *testing.T) {
	integer := func(rt *rapid.T, bound int) float64 { return float64(rapid.IntRange(-bound, bound).Draw(rt, "value")) }
	kinds := map[string]func(rt *rapid.T, i, j int) float64{
		"integer":   func(rt *rapid.T, _, _ int) float64 { return integer(rt, 100) },
		"ties":      func(rt *rapid.T, _, _ int) float64 { return integer(rt, 1) },
		"decimal":   func(rt *rapid.T, _, _ int) float64 { return integer(rt, 20) / 10 },
		"real":      func(rt *rapid.T, _, _ int) float64 { return rapid.Float64Range(-1, 1).Draw(rt, "value") },
		"all equal": func(*rapid.T, int, int) float64 { return 0.3 },
		"rank one":  func(_ *rapid.T, i, j int) float64 { return float64((i - 2) * (3 - j)) },
		"forbidden": func(rt *rapid.T, _, _ int) float64 {
			if rapid.IntRange(0, 2).Draw(rt, "allow") == 0 {
				return integer(rt, 5)
			}
			return forbidden
		},
	}
	for name, value := range kinds {
		t.Run(name, rapid.MakeCheck(func(rt *rapid.T) {
			rows, cols := rapid.IntRange(1, 7).Draw(rt, "rows"), rapid.IntRange(1, 7).Draw(rt, "cols")
			c := mat.NewDense(rows, cols, nil)
			for i := range rows {
				for j := range cols {
					c.Set(i, j, value(rt, i, j))
				}
			}
			want := bruteForce(c)
			m, err := Bipartite(c)
			if math.IsInf(want, -1) {
				if !errors.Is(err, ErrInfeasible) {
					rt.Fatalf("infeasible, but error %v", err)
				}
				return
			}
			if err != nil {
				rt.Fatal(err)
			}
			if err := m.Verify(c, 1e-14); err != nil {
				rt.Error(err)
			}
			if got := sum(m.R); math.Abs(got-want) > 1e-13 {
				rt.Errorf("sum %v, want %v", got, want)
			}
		}))
	}
}

func TestBipartiteEight(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for range 20 {
		c := mat.NewDense(8, 8, nil)
		for i := range 8 {
			for j := range 8 {
				c.Set(i, j, rng.NormFloat64())
			}
		}
		m, err := Bipartite(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sum(m.R), bruteForce(c); math.Abs(got-want) > 1e-13 {
			t.Errorf("sum %v, want %v", got, want)
		}
	}
}

func TestBipartiteCertificate(t *testing.T) {
	shapes := [][2]int{{500, 500}, {300, 500}, {500, 300}, {499, 500}, {2, 400}, {400, 2}}
	if testing.Short() {
		shapes = [][2]int{{200, 200}, {100, 200}, {200, 199}}
	}
	for name, k := range map[string]struct {
		tol   float64
		value func(rng *rand.Rand, i, j int) float64
	}{
		"real":      {1e-14, func(rng *rand.Rand, _, _ int) float64 { return rng.Float64() }},
		"integer":   {0, func(rng *rand.Rand, _, _ int) float64 { return float64(rng.IntN(1000)) }},
		"ties":      {0, func(rng *rand.Rand, _, _ int) float64 { return float64(rng.IntN(3)) }},
		"all equal": {0, func(*rand.Rand, int, int) float64 { return 7 }},
		"rank one":  {0, func(_ *rand.Rand, i, j int) float64 { return float64(i * j) }},
		"additive":  {0, func(_ *rand.Rand, i, j int) float64 { return float64(3*i - 5*j) }},
		"geometric": {1e-14, func(_ *rand.Rand, i, j int) float64 { return math.Pow(0.9, float64(i+j)) }},
		"huge":      {1e288, func(rng *rand.Rand, _, _ int) float64 { return limit * (2*rng.Float64() - 1) }},
		"forbidden": {0, func(rng *rand.Rand, i, j int) float64 {
			if i%17 == j%17 || rng.IntN(10) == 0 {
				return float64(rng.IntN(50))
			}
			return forbidden
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range shapes {
				rng := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1])))
				c := mat.NewDense(s[0], s[1], nil)
				for i := range s[0] {
					for j := range s[1] {
						c.Set(i, j, k.value(rng, i, j))
					}
				}
				if name == "forbidden" {
					for i := range min(s[0], s[1]) {
						c.Set(i, i, 0) // there is a matching
					}
				}
				m, err := Bipartite(c)
				if err != nil {
					t.Fatalf("%v: %v", s, err)
				}
				if err := m.Verify(c, k.tol); err != nil {
					t.Errorf("%v: %v", s, err)
				}
			}
		})
	}
}

func TestBipartiteExamples(t *testing.T) {
	// The optimum gives up the largest value.
	c := matrixOf([]float64{9, 8, 0}, []float64{8, 1, 0}, []float64{0, 0, 1})
	m, err := Bipartite(c)
	if err != nil || !slices.Equal(m.Partner, []int{1, 0, 2}) || !slices.Equal(m.R, []float64{8, 8, 1}) || m.Mean != 17./3 {
		t.Errorf("%+v, %v", m, err)
	}
	tall, err := Bipartite(matrixOf([]float64{1}, []float64{3}, []float64{2}))
	if err != nil || !slices.Equal(tall.Partner, []int{-1, 0, -1}) || !slices.Equal(tall.R, []float64{0, 3, 0}) || tall.Mean != 3 {
		t.Errorf("3 x 1: %+v, %v", tall, err)
	}
	wide, err := Bipartite(matrixOf([]float64{1, 3, 2}))
	if err != nil || !slices.Equal(wide.Partner, []int{1}) || wide.Mean != 3 {
		t.Errorf("1 x 3: %+v, %v", wide, err)
	}
	for _, s := range []zeroMatrix{{0, 0}, {0, 3}, {3, 0}} {
		m, err := Bipartite(s)
		if err != nil || len(m.Partner) != s.rows || m.Mean != 0 {
			t.Errorf("%v: %+v, %v", s, m, err)
			continue
		}
		if err := m.Verify(s, 0); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestBipartiteDeterministic(t *testing.T) {
	c := mat.NewDense(40, 50, nil) // many optima
	c.Apply(func(i, j int, _ float64) float64 { return float64((i * j) % 3) }, c)
	a, err := Bipartite(c)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Bipartite(c)
	if !slices.Equal(a.Partner, b.Partner) || !slices.Equal(a.U, b.U) || !slices.Equal(a.V, b.V) {
		t.Error("two runs differ")
	}
}

func TestBipartiteInfeasible(t *testing.T) {
	x := forbidden
	for _, c := range []struct {
		c    mat.Matrix
		want string
	}{
		{matrixOf([]float64{1, x, x}, []float64{1, 1, 1}, []float64{2, x, x}), "rows [0 2] are allowed only 1 columns"},
		{matrixOf([]float64{1, 2, 3}, []float64{x, x, x}, []float64{1, 2, 3}), "rows [1] are allowed only 0 columns"},
		{matrixOf([]float64{x, 2}, []float64{x, 3}), "rows [0 1] are allowed only 1 columns"},
		{matrixOf([]float64{x, 2}, []float64{x, 3}, []float64{x, 4}), "columns [0] are allowed only 0 rows"},
	} {
		_, err := Bipartite(c.c)
		if !errors.Is(err, ErrInfeasible) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
		if rows, cols := c.c.Dims(); rows == cols {
			continue // of the transpose rows bid, too, and others are too many
		}
		turned := strings.NewReplacer("rows", "columns", "columns", "rows").Replace(c.want)
		if _, err := Bipartite(c.c.T()); !errors.Is(err, ErrInfeasible) || !strings.Contains(err.Error(), turned) {
			t.Errorf("error %v, want one that says %q", err, turned)
		}
	}
}

func TestVerifyErrors(t *testing.T) {
	c := matrixOf([]float64{3, 1, 0}, []float64{1, 3, 0})
	good, err := Bipartite(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(m *Matching){
		"other partner": func(m *Matching) { m.Partner[0] = 2 },
		"same partner":  func(m *Matching) { m.Partner[0] = m.Partner[1] },
		"no partner":    func(m *Matching) { m.Partner[0] = -1 },
		"beyond":        func(m *Matching) { m.Partner[0] = 3 },
		"infeasible":    func(m *Matching) { m.U[0]--; m.V[m.Partner[0]]++; m.V[2]-- },
		"not tight":     func(m *Matching) { m.U[1]++ },
		"unmatched":     func(m *Matching) { m.V[2]++ },
		"negative":      func(m *Matching) { m.U[0] += 9; m.V[0] -= 9 },
		"NaN":           func(m *Matching) { m.V[2] = math.NaN() },
	} {
		m := Matching{Partner: slices.Clone(good.Partner), U: slices.Clone(good.U), V: slices.Clone(good.V)}
		if err := m.Verify(c, 0); err != nil {
			t.Fatal(err)
		}
		spoil(&m)
		if m.Verify(c, 1e-9) == nil {
			t.Errorf("%s: not found", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic at a semi-matching, which has no dual variables")
		}
	}()
	semi, _ := SemiMatching(c)
	semi.Verify(c, 0)
}

func TestSemiMatching(t *testing.T) {
	x := forbidden
	m, err := SemiMatching(matrixOf([]float64{1, 3, 3}, []float64{-2, -1, x}, []float64{x, x, x}))
	if err != nil || !slices.Equal(m.Partner, []int{1, 1, -1}) || !slices.Equal(m.R, []float64{3, -1, 0}) || m.Mean != 1 || m.U != nil {
		t.Errorf("%+v, %v", m, err)
	}
	for _, s := range []zeroMatrix{{0, 0}, {0, 3}, {2, 0}} {
		m, err := SemiMatching(s)
		if err != nil || len(m.Partner) != s.rows || m.Mean != 0 {
			t.Errorf("%v: %+v, %v", s, m, err)
		}
	}
}

func TestMatchingBadValues(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), 1e301, -1e301} {
		c := mat.NewDense(3, 4, nil)
		c.Set(2, 1, bad)
		_, semi := SemiMatching(c)
		_, bipartite := Bipartite(c)
		_, turned := Bipartite(c.T())
		_, soft := SoftMatching(context.Background(), c)
		_, greedy := Greedy(c)
		_, mutual := Mutual(c, 2)
		if turned == nil || !strings.Contains(turned.Error(), "row 1, column 2") {
			t.Errorf("%v: error %v", bad, turned)
		}
		for _, err := range []error{semi, bipartite, soft, greedy, mutual} {
			if err == nil || !strings.Contains(err.Error(), "row 2, column 1") {
				t.Errorf("%v: error %v", bad, err)
			}
		}
	}
}

// TestMapping matches a small sparse mapping, as TestPaperMappings does the authors', and
// compares with brute force.
func TestMapping(t *testing.T) {
	c := readMapping(t, "testdata/mapping.npy")
	semi, matching := checkMapping(t, c)
	n, _ := c.Dims()
	var largest float64
	for i := range n {
		largest += slices.Max(c.RawRowView(i)) / float64(n)
	}
	if math.Abs(semi.Mean-largest) > 1e-15 {
		t.Errorf("mean %v of the semi-matching, want %v", semi.Mean, largest)
	}
	if got, want := sum(matching.R), bruteForce(c); math.Abs(got-want) > 1e-14 {
		t.Errorf("sum %v, want %v", got, want)
	}
}

// TestPaperMappings matches the authors' mappings.
func TestPaperMappings(t *testing.T) {
	const pattern = "../../shared/data/paper/mapping_*.npy"
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no %s: the authors' mappings are not part of the module; TestMapping does the same with a small one", pattern)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { checkMapping(t, readMapping(t, file)) })
	}
}

// checkMapping proves the matching of c, and that its mean is below the semi-matching's.
func checkMapping(t *testing.T, c mat.Matrix) (semi, matching Matching) {
	t.Helper()
	semi, err := SemiMatching(c)
	if err != nil {
		t.Fatal(err)
	}
	if matching, err = Bipartite(c); err != nil {
		t.Fatal(err)
	}
	if err := matching.Verify(c, 1e-15); err != nil {
		t.Error(err)
	}
	if !(matching.Mean < semi.Mean) {
		t.Errorf("mean %g of the matching, %g of the semi-matching", matching.Mean, semi.Mean)
	}
	return semi, matching
}

// readMapping reads a square float32 matrix from a file of NumPy's.
func readMapping(t *testing.T, file string) *mat.Dense {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[10+int(binary.LittleEndian.Uint16(raw[8:])):]
	values := make([]float32, len(raw)/4)
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	n := int(math.Sqrt(float64(len(values))))
	c := mat.NewDense(n, n, nil)
	c.Apply(func(i, j int, _ float64) float64 { return float64(values[i*n+j]) }, c)
	return c
}

// opaqueMatrix hides the storage of a matrix.
type opaqueMatrix struct{ mat.Matrix }

func (o opaqueMatrix) T() mat.Matrix { return mat.Transpose{Matrix: o} }

// TestBipartiteMemory: values that lie by rows are not copied, others once.
func TestBipartiteMemory(t *testing.T) {
	c := randomMatrix(1200, 1200, func(rnd *rand.Rand, _, _ int) float64 { return rnd.Float64() })
	for name, k := range map[string]struct {
		c      mat.Matrix
		copies float64
	}{
		"by rows":    {c, 0.15},
		"by columns": {c.T(), 1.15}, // of a square matrix rows bid
		"tall":       {c.Slice(0, 1200, 0, 600), 0.65},
		"wide":       {c.Slice(0, 1200, 0, 600).T(), 0.65},
		"other":      {opaqueMatrix{c}, 1.15},
		"other tall": {opaqueMatrix{c.Slice(0, 1200, 0, 600)}, 0.65},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Bipartite(k.c); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if copies := float64(after.TotalAlloc-before.TotalAlloc) / (8 * 1200 * 1200); copies > k.copies {
			t.Errorf("%s: allocated %.2f times the values, want at most %.2f", name, copies, k.copies)
		}
	}
}
