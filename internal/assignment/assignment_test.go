package assignment

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// kinds are those of values: real, with ties, and of structure that defeats short lists.
var kinds = []struct {
	name  string
	value func(rnd *rand.Rand, i, j int) float64
}{
	{"uniform", func(rnd *rand.Rand, _, _ int) float64 { return rnd.Float64() }},
	{"ties", func(rnd *rand.Rand, _, _ int) float64 { return float64(rnd.IntN(3)) }},
	{"integers", func(rnd *rand.Rand, _, _ int) float64 { return float64(rnd.IntN(100)) }},
	{"all equal", func(*rand.Rand, int, int) float64 { return -2 }},
	{"product", func(_ *rand.Rand, i, j int) float64 { return float64(i * j) }},
	{"falling", func(_ *rand.Rand, i, j int) float64 { return -float64((i + 1) * (j + 1)) }},
	{"distance", func(_ *rand.Rand, i, j int) float64 { return -math.Abs(float64(i*i%31 - j*j%29)) }},
	{"a column for all", func(rnd *rand.Rand, _, j int) float64 { return float64(rnd.IntN(5) + 100*(j%3)) }},
	{"sparse", func(rnd *rand.Rand, i, j int) float64 {
		if i == j || rnd.IntN(4) == 0 {
			return float64(rnd.IntN(9))
		}
		return math.Inf(-1)
	}},
}

// newMatrix returns an n x m matrix of values.
func newMatrix(n, m int, value func(rnd *rand.Rand, i, j int) float64) Matrix {
	rnd := rand.New(rand.NewPCG(uint64(n), uint64(m)))
	c := Matrix{Rows: n, Cols: m, Stride: m + 1, Data: make([]float64, n*(m+1))}
	for i := range n {
		for j := range m {
			c.Row(i)[j] = value(rnd, i, j)
		}
	}
	return c
}

// checkOptimal holds a solver's result to its proof of optimality; tol is for values
// that are not integers.
func checkOptimal(t *testing.T, s *solver, tol float64) {
	t.Helper()
	assigned := make([]bool, s.Cols)
	for i, j := range s.col {
		if j < 0 || assigned[j] || s.row[j] != int32(i) {
			t.Fatalf("row %d has column %d, which has row %d", i, j, s.row[j])
		}
		assigned[j] = true
		u := s.Row(i)[j] - s.price[j]
		for k, x := range s.Row(i) {
			if !(x-s.price[k] <= u+tol) {
				t.Fatalf("row %d gains %g at column %d, more than %g at its own", i, x-s.price[k], k, u)
			}
		}
	}
	for j, p := range s.price {
		if s.Cols > s.Rows && (!(p >= -tol) || !assigned[j] && p != 0) {
			t.Fatalf("column %d has the price %g", j, p)
		}
	}
}

// TestLists solves with lists of every width, so that bounds are met and lists
// overflow all the time, and with none: the sums are the same, and proved.
func TestLists(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			for _, size := range [][2]int{{1, 1}, {1, 9}, {5, 5}, {12, 40}, {60, 60}, {99, 100}, {150, 150}} {
				c := newMatrix(size[0], size[1], k.value)
				for _, width := range []int{1, 2, 3, 9, 33, maxListLen} {
					for _, scans := range []int{0, math.MaxInt} {
						s := newSolver(c)
						s.lists = newLists(c.Rows, min(width, c.Cols))
						s.fullScans = scans
						if err := s.initialise(); err != nil {
							t.Fatal(err)
						}
						if deficient, _ := s.solve(context.Background()); deficient != nil {
							t.Fatalf("%v: rows %v have too few columns", size, deficient)
						}
						checkOptimal(t, s, map[bool]float64{true: 1e-14}[k.name == "uniform"])
					}
				}
			}
		})
	}
}

// TestLongPaths looks for mistakes that only long paths make.
func TestLongPaths(t *testing.T) {
	for _, k := range kinds {
		c := newMatrix(500, 500, k.value)
		s := newSolver(c)
		if err := s.initialise(); err != nil {
			t.Fatal(err)
		}
		if deficient, _ := s.solve(context.Background()); deficient != nil {
			t.Fatalf("%s: rows %v have too few columns", k.name, deficient)
		}
		checkOptimal(t, s, map[bool]float64{true: 1e-14}[k.name == "uniform"])
	}
}

// TestBounds holds every list to what it promises while prices rise.
func TestBounds(t *testing.T) {
	for _, k := range kinds {
		c := newMatrix(80, 200, k.value)
		s := newSolver(c)
		rnd := rand.New(rand.NewPCG(5, 5))
		for range 10 {
			for i := range int32(c.Rows) {
				if rnd.IntN(3) == 0 {
					s.refresh(i)
				}
				columns, _ := s.lists.row(i)
				for j, x := range c.Row(int(i)) {
					if !slices.Contains(columns, int32(j)) && x-s.price[j] > s.lists.bound[i] {
						t.Fatalf("%s: row %d gains %g at column %d, which is not on its list, above the bound %g", k.name, i, x-s.price[j], j, s.lists.bound[i])
					}
				}
			}
			for j := range s.price {
				s.price[j] += float64(rnd.IntN(2))
			}
		}
	}
}

// TestTiers solves in processes of every tier and with one thread and two, to the
// same bits.
func TestTiers(t *testing.T) {
	if os.Getenv("ASSIGNMENT_TEST_DIGEST") != "" {
		fmt.Println("digest", digest(t))
		return
	}
	want := digest(t)
	for _, tier := range asm.Supported() {
		for _, threads := range []string{"1", "2"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestTiers$")
			cmd.Env = append(os.Environ(), "ASSIGNMENT_TEST_DIGEST=1", "CONVERGENT_CPU="+tier.String(), "GOMAXPROCS="+threads)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%s", tier, err, out)
			}
			if !strings.Contains(string(out), fmt.Sprintln("digest", want)) {
				t.Errorf("%v, %s threads: %s, want digest %v", tier, threads, out, want)
			}
		}
	}
}

// digest is a hash of assignments, plans and prices.
func digest(t *testing.T) uint64 {
	h := fnv.New64a()
	for _, k := range kinds {
		for _, size := range [][2]int{{130, 130}, {70, 200}, {200, 70}} {
			if k.name == "sparse" && size[0] > size[1] {
				continue
			}
			c := newMatrix(size[0], size[1], k.value)
			s, err := Max(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range s.Partner {
				binary.Write(h, binary.LittleEndian, int64(j))
			}
			binary.Write(h, binary.LittleEndian, s.U)
			binary.Write(h, binary.LittleEndian, s.V)
			if k.name == "sparse" {
				continue
			}
			p, err := Transport(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range p.Flows {
				binary.Write(h, binary.LittleEndian, []int64{int64(f.Row), int64(f.Col), int64(f.Units)})
			}
			binary.Write(h, binary.LittleEndian, p.V)
		}
	}
	return h.Sum64()
}

// TestMemory: what is read where it lies needs vectors and short lists, more rows
// than columns one copy.
func TestMemory(t *testing.T) {
	c := newMatrix(1500, 1500, kinds[0].value)
	tall := newMatrix(2000, 1000, kinds[0].value)
	for _, k := range []struct {
		name   string
		copies float64
		run    func() error
	}{
		{"Max", 0.1, func() error { _, err := Max(c); return err }},
		{"Max, more rows", 1.1, func() error { _, err := Max(tall); return err }},
		{"Transport", 0.1, func() error { _, err := Transport(context.Background(), tall); return err }},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := k.run(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if copies := float64(after.TotalAlloc-before.TotalAlloc) / (8 * 1500 * 1500); copies > k.copies {
			t.Errorf("%s: allocated %.2f times the values, want at most %.2f", k.name, copies, k.copies)
		}
	}
}

// TestQueue sorts, with keys that fall meanwhile.
func TestQueue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	q := newQueue(100)
	for range 20 {
		q.clear()
		key := make(map[int32]float64)
		for range 300 {
			v := rnd.Int32N(100)
			if d := float64(rnd.IntN(50)); d < q.key[v] {
				q.push(v, d)
				key[v] = d
			}
		}
		last := -1.0
		for range len(key) {
			v, d, ok := q.pop(math.Inf(1))
			if !ok || d < last || key[v] != d {
				t.Fatalf("vertex %d at %g after %g, want %g", v, d, last, key[v])
			}
			last = d
		}
		if _, _, ok := q.pop(math.Inf(1)); ok {
			t.Fatal("the queue is not empty")
		}
	}
	q.clear()
	q.push(1, 5)
	if _, _, ok := q.pop(5); ok {
		t.Error("a vertex at the limit left the queue")
	}
}

// TestTransport compares with the assignment in which every unit is a row and a
// column of its own.
func TestTransport(t *testing.T) {
	for _, k := range kinds[:len(kinds)-1] {
		for _, size := range [][2]int{{1, 1}, {1, 5}, {5, 1}, {4, 6}, {6, 4}, {5, 7}, {7, 5}, {8, 8}, {12, 30}, {21, 14}} {
			n, m := size[0], size[1]
			c := newMatrix(n, m, k.value)
			p, err := Transport(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			units := newMatrix(p.Units, p.Units, func(_ *rand.Rand, a, b int) float64 { return c.Row(a * n / p.Units)[b*m/p.Units] })
			s, err := Max(units)
			if err != nil {
				t.Fatal(err)
			}
			var got, want float64
			out, in := make([]int, n), make([]int, m)
			for _, f := range p.Flows {
				if f.Units < 1 {
					t.Fatalf("%s %v: flow %v", k.name, size, f)
				}
				got += float64(f.Units) * c.Row(f.Row)[f.Col]
				out[f.Row] += f.Units
				in[f.Col] += f.Units
			}
			for i, j := range s.Partner {
				want += units.Row(i)[j]
			}
			if math.Abs(got-want) > 1e-12*math.Abs(want) {
				t.Errorf("%s %v: sum %v, want %v", k.name, size, got, want)
			}
			if slices.Min(out) != p.Units/n || slices.Max(out) != p.Units/n || slices.Min(in) != p.Units/m || slices.Max(in) != p.Units/m {
				t.Errorf("%s %v: out %v, in %v of %d units", k.name, size, out, in, p.Units)
			}
		}
	}
}

// TestTransportBruteForce compares with all plans of small problems, and with none where
// pairs are forbidden so that there is none.
func TestTransportBruteForce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, size := range [][2]int{{2, 3}, {3, 2}, {3, 4}, {4, 3}, {2, 5}, {4, 6}, {3, 3}} {
		n, m := size[0], size[1]
		for range 50 {
			c := newMatrix(n, m, func(*rand.Rand, int, int) float64 {
				if rnd.IntN(3) == 0 {
					return math.Inf(-1)
				}
				return float64(rnd.IntN(7))
			})
			p, err := Transport(context.Background(), c)
			supply, capacity := newTransport(c).supply, newTransport(c).capacity
			want := bruteForce(c, supply, capacity, 0, 0)
			if math.IsInf(want, -1) {
				if !errors.Is(err, ErrInfeasible) {
					t.Fatalf("%v: error %v where there is no plan", size, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%v: %v", size, err)
			}
			got := 0.0
			for _, f := range p.Flows {
				got += float64(f.Units) * c.Row(f.Row)[f.Col]
			}
			if got != want {
				t.Errorf("%v: sum %v, want %v", size, got, want)
			}
		}
	}
}

// bruteForce returns the largest sum of plans for what is left from row i, column j on; -Inf if
// there is none.
func bruteForce(c Matrix, supply, capacity []int, i, j int) float64 {
	if i == c.Rows {
		return 0
	}
	if j == c.Cols {
		if supply[i] > 0 {
			return math.Inf(-1)
		}
		return bruteForce(c, supply, capacity, i+1, 0)
	}
	best := math.Inf(-1)
	for units := 0; units <= min(supply[i], capacity[j]); units++ {
		value := 0.0
		if units > 0 {
			value = float64(units) * c.Row(i)[j]
		}
		supply[i] -= units
		capacity[j] -= units
		best = max(best, value+bruteForce(c, supply, capacity, i, j+1))
		supply[i] += units
		capacity[j] += units
	}
	return best
}

// countingContext counts how often it is asked: once a path.
type countingContext struct {
	context.Context
	asked int
}

func (c *countingContext) Err() error { c.asked++; return nil }

// TestTransportPaths holds the number of paths to the bound that is documented, where without
// scaling there are several times as many.
func TestTransportPaths(t *testing.T) {
	for _, k := range kinds[:len(kinds)-1] {
		for _, size := range [][2]int{{127, 128}, {131, 127}, {90, 200}} {
			n, m := size[0], size[1]
			ctx := &countingContext{Context: context.Background()}
			if _, err := Transport(ctx, newMatrix(n, m, k.value)); err != nil {
				t.Fatal(err)
			}
			grains := 7 // of 127, 127 and 90/10 units at most
			if most := grains * (n + m); ctx.asked > most {
				t.Errorf("%s %v: %d paths, of at most %d", k.name, size, ctx.asked, most)
			}
		}
	}
}
