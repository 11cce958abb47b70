package corr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// data returns rows of correlated, sparse activations as ReLUs give them: unit
// i of each network shares a cause with unit i of the others.
func data(rnd *rand.Rand, rows int, units ...int) [][]float32 {
	nets := make([][]float32, len(units))
	for i, u := range units {
		nets[i] = make([]float32, rows*u)
	}
	cause := make([]float64, slices.Max(units))
	for r := range rows {
		for j := range cause {
			cause[j] = rnd.NormFloat64()
		}
		for i, u := range units {
			for j := range u {
				nets[i][r*u+j] = float32(max(0, cause[j]+0.5*rnd.NormFloat64()-0.5))
			}
		}
	}
	return nets
}

// reference is the two-pass correlation in float64.
func reference(rows int, x []float32, p, i int, y []float32, q, j int) float64 {
	var mx, my float64
	for r := range rows {
		mx += float64(x[r*p+i])
		my += float64(y[r*q+j])
	}
	mx, my = mx/float64(rows), my/float64(rows)
	var sxy, sxx, syy float64
	for r := range rows {
		dx, dy := float64(x[r*p+i])-mx, float64(y[r*q+j])-my
		sxy, sxx, syy = sxy+dx*dy, sxx+dx*dx, syy+dy*dy
	}
	return sxy / math.Sqrt(sxx) / math.Sqrt(syy)
}

// TestAccuracy holds every correlation to 1e-6 of the reference.
func TestAccuracy(t *testing.T) {
	const rows = 5000
	for name, change := range map[string]func(unit int, v float32) float32{
		"as they are": func(_ int, v float32) float32 { return v },
		"mean 1e6":    func(_ int, v float32) float32 { return 1e6 + v },
		"scales":      func(unit int, v float32) float32 { return v * float32(math.Pow(10, float64(unit%6)*6-15)) },
		"all scales":  func(unit int, v float32) float32 { return v * float32(math.Pow(10, float64(unit)*12-36)) },
		// Rounding errors of equal terms do not even out.
		"two values": func(unit int, v float32) float32 {
			if v > 0 {
				return 1 / float32(unit+3)
			}
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			nets := data(rand.New(rand.NewPCG(1, 2)), rows, 20, 13)
			for _, net := range nets {
				for i := range net {
					net[i] = change(i%7, net[i])
				}
			}
			m := NewMoments(20, 13)
			if err := m.Add(rows, nets...); err != nil {
				t.Fatal(err)
			}
			var worst float64
			c, within := m.Correlation(nil, 0, 1), m.Correlation(nil, 0, 0)
			for i := range 20 {
				for j := range 13 {
					worst = max(worst, math.Abs(c.At(i, j)-reference(rows, nets[0], 20, i, nets[1], 13, j)))
				}
				for j := range 20 {
					worst = max(worst, math.Abs(within.At(i, j)-reference(rows, nets[0], 20, i, nets[0], 20, j)))
				}
			}
			t.Logf("largest error %.2g", worst)
			if !(worst <= 1e-6) {
				t.Errorf("a correlation errs by %g", worst)
			}
		})
	}
}

// TestAccuracyOfLikeTerms: of units that take two values, with almost all of them at
// once, all terms of a sum are the same and so are their rounding errors.
func TestAccuracyOfLikeTerms(t *testing.T) {
	const p = 24
	for _, rows := range []int{384, 4000} {
		var worst float64
		for seed := range uint64(8) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			x, on := make([]float32, rows*p), make([]float32, p)
			for u := range on {
				on[u] = 3 * rnd.Float32()
			}
			for r := range rows {
				cause := rnd.IntN(2) == 0
				for u := range p {
					if cause != (rnd.IntN(100) == 0) {
						x[r*p+u] = on[u]
					}
				}
			}
			m := NewMoments(p)
			if err := m.Add(rows, x); err != nil {
				t.Fatal(err)
			}
			c := m.Correlation(nil, 0, 0)
			for i := range p {
				for j := range i {
					worst = max(worst, math.Abs(c.At(i, j)-reference(rows, x, p, i, x, p, j)))
				}
			}
		}
		t.Logf("%d rows: largest error %.2g", rows, worst)
		if !(worst <= 1e-6) {
			t.Errorf("%d rows: a correlation errs by %g", rows, worst)
		}
	}
}

// TestTreeOfMerges merges 1,000 parts in a row, and as a tree.
func TestTreeOfMerges(t *testing.T) {
	const parts, rows, p = 1000, 30, 7
	x := data(rand.New(rand.NewPCG(5, 5)), parts*rows, p)[0]
	row, level := NewMoments(p), make([]*Moments, parts)
	for i := range level {
		level[i] = NewMoments(p)
		ids := make([]uint64, rows)
		for j := range ids {
			ids[j] = uint64(i*rows + j)
		}
		if err := level[i].AddTensors(ids, Rows(x[i*rows*p:], rows, p, p)); err != nil {
			t.Fatal(err)
		}
		if err := row.Merge(level[i]); err != nil {
			t.Fatal(err)
		}
	}
	for len(level) > 1 {
		var next []*Moments
		for i := 0; i < len(level); i += 2 {
			if i+1 < len(level) {
				if err := level[i].Merge(level[i+1]); err != nil {
					t.Fatal(err)
				}
			}
			next = append(next, level[i])
		}
		level = next
	}
	tree := level[0]
	if tree.Count() != parts*rows || !mat.EqualApprox(tree.Correlation(nil, 0, 0), row.Correlation(nil, 0, 0), 1e-12) {
		t.Error("the tree differs from the row")
	}
	if err := tree.SameSamples(row); err != nil {
		t.Error(err)
	}
}

// requireEqual fails unless two moments have the same bits.
func requireEqual(t testing.TB, got, want *Moments, where string) {
	t.Helper()
	a, va := got.snapshot()
	b, vb := want.snapshot()
	if a.count != b.count || !slices.Equal(a.mean, b.mean) || !slices.Equal(a.prod, b.prod) || !slices.Equal(va, vb) {
		t.Fatalf("%s: moments differ", where)
	}
}

// TestCutsAndThreadsChangeNoBit also reads in the middle of the stream.
func TestCutsAndThreadsChangeNoBit(t *testing.T) {
	const rows = 1700
	nets := data(rand.New(rand.NewPCG(3, 4)), rows, 9, 5)
	want := NewMoments(9, 5)
	want.Threads = 1
	if err := want.Add(rows, nets...); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := NewMoments(9, 5)
		m.Threads = rapid.IntRange(1, 4).Draw(t, "threads")
		for at := 0; at < rows; {
			n := min(rows-at, rapid.IntRange(0, 900).Draw(t, "rows"))
			if err := m.Add(n, nets[0][at*9:(at+n)*9], nets[1][at*5:(at+n)*5]); err != nil {
				t.Fatal(err)
			}
			at += n
			if n%3 == 0 {
				m.Correlation(nil, 0, 1)
			}
		}
		a, _ := m.snapshot()
		b, _ := want.snapshot()
		if !slices.Equal(a.prod, b.prod) || !slices.Equal(a.mean, b.mean) {
			t.Fatal("moments differ")
		}
	})
}

func TestMerge(t *testing.T) {
	const rows, parts = 3000, 20
	nets := data(rand.New(rand.NewPCG(5, 6)), rows, 6, 8)
	joint := NewMoments(6, 8)
	joint.Add(rows, nets...)
	want := joint.Covariance(nil, 0, 1)
	for seed := range 5 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		merged := NewMoments(6, 8)
		for _, i := range rnd.Perm(parts) {
			part := NewMoments(6, 8)
			lo, hi := i*rows/parts, (i+1)*rows/parts
			part.Add(hi-lo, nets[0][lo*6:hi*6], nets[1][lo*8:hi*8])
			if err := merged.Merge(part); err != nil {
				t.Fatal(err)
			}
		}
		if merged.Count() != rows {
			t.Fatalf("count %d", merged.Count())
		}
		got := merged.Covariance(nil, 0, 1)
		// Parts are centred on other means than blocks, so float32 rounding differs.
		if !mat.EqualApprox(got, want, 1e-6) {
			t.Fatal("merged parts differ from one pass")
		}
	}
	if err := joint.Merge(NewMoments(6, 7)); err == nil {
		t.Error("other units: no error")
	}
	before := joint.Covariance(nil, 0, 0)
	if err := joint.Merge(NewMoments(6, 8)); err != nil || !mat.Equal(before, joint.Covariance(nil, 0, 0)) {
		t.Error("merging nothing changes something")
	}
}

// TestMergeOrder: merging parts in any order and grouping agrees to 1e-12 where
// the parts' own sums are exact: whole numbers whose means are whole.
func TestMergeOrder(t *testing.T) {
	part := func(base float32) *Moments {
		m := NewMoments(2)
		for k := range 8 {
			x := float32(k%4)*2 - 3
			m.Add(1, []float32{base + x, 3*base - x})
		}
		return m
	}
	merge := func(ms ...*Moments) *Moments {
		m := NewMoments(2)
		for _, o := range ms {
			if err := m.Merge(o); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	a, b, c := part(1), part(100), part(-7)
	want := merge(a, b, c).Covariance(nil, 0, 0)
	for _, m := range []*Moments{merge(c, b, a), merge(merge(a, c), b), merge(b, merge(c, a))} {
		if got := m.Covariance(nil, 0, 0); !mat.EqualApprox(got, want, 1e-12*mat.Max(want)) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestDeadUnits(t *testing.T) {
	m := NewMoments(3, 2)
	if got := m.Dead(0); len(got) != 3 {
		t.Errorf("before the first observation: dead %v", got)
	}
	for r := range 1000 {
		// Unit 1 is constant though 0.1 is not exact; unit (1, 0) differs once.
		odd := float32(0)
		if r == 700 {
			odd = 1e-20
		}
		if err := m.Add(1, []float32{float32(r), 0.1, float32(r % 3)}, []float32{odd, float32(r)}); err != nil {
			t.Fatal(err)
		}
	}
	if d, l := m.Dead(0), m.Live(0); !slices.Equal(d, []int{1}) || !slices.Equal(l, []int{0, 2}) {
		t.Errorf("dead %v, live %v", d, l)
	}
	if d := m.Dead(1); len(d) != 0 {
		t.Errorf("dead %v, but the unit varied once", d)
	}
	c := m.Correlation(nil, 0, 0)
	if !math.IsNaN(c.At(1, 1)) || !math.IsNaN(c.At(0, 1)) || c.At(0, 0) != 1 || ZeroNaN(c).At(0, 1) != 0 {
		t.Errorf("correlations %v", mat.Formatted(c))
	}
	if s := m.Std(0); s[1] != 0 {
		t.Errorf("a dead unit's standard deviation is %v", s[1])
	}
}

// TestAddErrorChangesNothing: an error after many rows were read leaves the moments as they
// were.
func TestAddErrorChangesNothing(t *testing.T) {
	const rows = 9000
	nets := data(rand.New(rand.NewPCG(7, 8)), rows, 3, 4)
	m, want := NewMoments(3, 4), NewMoments(3, 4)
	for _, x := range []*Moments{m, want} {
		if err := x.Add(500, nets[0][:500*3], nets[1][:500*4]); err != nil {
			t.Fatal(err)
		}
	}
	bad := slices.Clone(nets[1])
	bad[8500*4+2] = float32(math.Inf(1))
	if err := m.Add(rows, nets[0], bad); err == nil || !strings.Contains(err.Error(), "network 1, row 9000, unit 2") {
		t.Errorf("error %v", err)
	}
	requireEqual(t, m, want, "after a refusal")
	for _, x := range []*Moments{m, want} {
		if err := x.Add(rows, nets...); err != nil {
			t.Fatal(err)
		}
	}
	requireEqual(t, m, want, "going on after a refusal")
}

func TestAddRefusesNaN(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m := NewMoments(2, 3)
		m.Add(4, make([]float32, 8), make([]float32, 12))
		x := make([]float32, 9)
		x[7] = float32(bad)
		err := m.Add(3, make([]float32, 6), x)
		if err == nil || !strings.Contains(err.Error(), "network 1, row 6, unit 1") {
			t.Errorf("got %v", err)
		}
		if m.Count() != 4 {
			t.Errorf("%d rows after a refused Add, want 4", m.Count())
		}
	}
}

func TestSmallCounts(t *testing.T) {
	m := NewMoments(2)
	if c := m.Correlation(nil, 0, 0); !math.IsNaN(c.At(0, 1)) {
		t.Error("no observation: correlations are numbers")
	}
	m.Add(1, []float32{3, 4})
	if got := m.Mean(0); got[0] != 3 || got[1] != 4 {
		t.Errorf("means %v", got)
	}
	if len(m.Dead(0)) != 2 {
		t.Error("one observation: units are not dead")
	}
	m.Add(1, []float32{4, 2})
	if c := m.Correlation(nil, 0, 0); c.At(0, 1) != -1 {
		t.Errorf("two observations: correlation %v, want -1", c.At(0, 1))
	}
}

func TestSaveAndResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	nets := data(rand.New(rand.NewPCG(7, 8)), 1500, 4, 3)
	continuous, half := NewMoments(4, 3), NewMoments(4, 3)
	continuous.Add(1500, nets...)
	half.Add(800, nets[0][:3200], nets[1][:2400])
	if err := half.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadMoments(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded.Add(700, nets[0][3200:], nets[1][2400:])
	requireEqual(t, loaded, continuous, "saved, loaded, gone on")

	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	saved[len(saved)-1] ^= 1
	if _, err := ReadMoments(bytes.NewReader(saved)); !errors.Is(err, safetensors.ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}

	f, _ := safetensors.Load(path)
	for i := range f.Tensors {
		g := &safetensors.File{Metadata: f.Metadata, Tensors: slices.Delete(slices.Clone(f.Tensors), i, i+1)}
		safetensors.Save(path, g)
		if _, err := LoadMoments(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("without %s: %v", f.Tensors[i].Name, err)
		}
	}
	units, _ := f.Get("units")
	units.I64[0] = 1 << 40
	safetensors.Save(path, f)
	if _, err := LoadMoments(path); err == nil {
		t.Error("2^40 units: no error")
	}
	os.WriteFile(path, []byte("x"), 0o666)
	if _, err := LoadMoments(path); err == nil {
		t.Error("not a file of moments: no error")
	}
}

// TestRotationNull: for b an isotropic Gaussian that holds a's units, a rotation
// loses the one-to-one match, and the figures lie between chance and 1; for one
// unit each, a rotation can only flip the sign.
func TestRotationNull(t *testing.T) {
	ctx := context.Background()
	rnd := rand.New(rand.NewPCG(9, 9))
	m := NewMoments(12, 12)
	for range 4000 {
		x, y := make([]float32, 12), make([]float32, 12)
		for i := range x {
			x[i] = float32(rnd.NormFloat64())
			y[i] = x[i] + 0.1*float32(rnd.NormFloat64())
		}
		m.Add(1, x, y)
	}
	null, err := m.RotationNull(ctx, 0, 1, 50, 1)
	if err != nil {
		t.Fatal(err)
	}
	// The largest of 12 coordinates of a random direction is about 0.55.
	if mean := null.Mean(); mean < 0.45 || mean > 0.65 || null.Std() <= 0 || null.Std() > 0.1 {
		t.Errorf("mean %v, standard deviation %v", mean, null.Std())
	}
	if p := null.PValue(0.99); p != 1./51 {
		t.Errorf("p = %v, want 1/51", p)
	}
	if p := null.PValue(0); p != 1 {
		t.Errorf("p = %v, want 1", p)
	}
	m.Threads = 1
	sequential, _ := m.RotationNull(ctx, 0, 1, 50, 1)
	if !slices.Equal(sequential.Draws, null.Draws) {
		t.Error("threads change the draws")
	}
	single := NewMoments(1, 1)
	for i := range 10 {
		single.Add(1, []float32{float32(i)}, []float32{float32(i * i)})
	}
	null, _ = single.RotationNull(ctx, 0, 1, 20, 1)
	want := single.Correlation(nil, 0, 1).At(0, 0)
	for _, d := range null.Draws {
		if math.Abs(math.Abs(d)-want) > 1e-12 {
			t.Errorf("draw %v, want %v or its negative", d, want)
		}
	}
	if _, err := NewMoments(2, 2).RotationNull(ctx, 0, 1, 5, 1); err == nil {
		t.Error("no live unit: no error")
	}
	if _, err := single.RotationNull(ctx, 0, 1, 0, 1); err == nil {
		t.Error("no draw: no error")
	}
}

func ExampleMoments() {
	m := NewMoments(2, 1) // a network of two units, and one of one
	for i := range 1000 {
		x := float32(i % 10)
		if err := m.Add(1, []float32{x, 7}, []float32{2*x + 1}); err != nil {
			fmt.Println(err)
		}
	}
	c := m.Correlation(nil, 0, 1)
	fmt.Printf("correlation %.3f, dead units %v of %d observations\n", c.At(0, 0), m.Dead(0), m.Count())
	// Output: correlation 1.000, dead units [1] of 1000 observations
}

// TestCorrelationSym: the symmetric matrix is the other, of all units and of live ones.
func TestCorrelationSym(t *testing.T) {
	m := NewMoments(2, 4)
	x, y := make([]float32, 10), make([]float32, 20)
	for i := range 5 {
		x[2*i], x[2*i+1] = float32(i*i), 1
		y[4*i], y[4*i+2], y[4*i+3] = float32(i%3), float32(i), float32(7-i*i)
	}
	if err := m.Add(5, x, y); err != nil {
		t.Fatal(err)
	}
	dst := mat.NewSymDense(4, nil)
	if got := m.CorrelationSym(dst, 1); got != dst {
		t.Error("dst is not returned")
	}
	live := m.Live(1)
	got, want := SelectSym(dst, live), Select(m.Correlation(nil, 1, 1), live, live)
	if !slices.Equal(live, []int{0, 2, 3}) || !mat.Equal(got, want) || !math.IsNaN(dst.At(1, 2)) {
		t.Errorf("live %v: got %v, want %v", live, mat.Formatted(got), mat.Formatted(want))
	}
	if SelectSym(dst, nil).SymmetricDim() != 0 {
		t.Error("a selection of nothing is not empty")
	}
}
