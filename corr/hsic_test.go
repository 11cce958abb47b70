package corr

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// shared returns n samples of networks of the given numbers of units, which have causes
// in common, with a mean of the given size.
func shared(rnd *rand.Rand, n int, mean float64, units ...int) [][]float32 {
	nets := make([][]float32, len(units))
	for range n {
		cause := make([]float64, 3)
		for i := range cause {
			cause[i] = rnd.NormFloat64()
		}
		for i, u := range units {
			for k := range u {
				nets[i] = append(nets[i], float32(mean*float64(k%3+1)+cause[(k+i)%3]+rnd.NormFloat64()))
			}
		}
	}
	return nets
}

// linear are the inner products of samples, moved by the given multiple of the first.
func linear(x []float32, n int, shift float64) [][]float64 {
	p := len(x) / n
	k := make([][]float64, n)
	for i := range n {
		k[i] = make([]float64, n)
		for j := range n {
			for u := range p {
				s := shift * float64(x[u])
				k[i][j] += (float64(x[i*p+u]) - s) * (float64(x[j*p+u]) - s)
			}
		}
	}
	return k
}

// song is unbiased HSIC as it is defined, in n^2 steps.
func song(k, l [][]float64) float64 {
	n := float64(len(k))
	var trace, sumK, sumL, rows float64
	for i := range k {
		var rowK, rowL float64
		for j := range k {
			if i != j {
				trace += k[i][j] * l[i][j]
				rowK += k[i][j]
				rowL += l[i][j]
			}
		}
		sumK, sumL, rows = sumK+rowK, sumL+rowL, rows+rowK*rowL
	}
	return (trace + sumK*sumL/(n-1)/(n-2) - 2*rows/(n-2)) / n / (n - 3)
}

// TestHSIC compares with the definition, for fewer and more samples than units, blocks
// that are full and not, and means that are large.
func TestHSIC(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{4, 5, 17, 60, 200, 1100} {
		for _, mean := range []float64{0, 3, 1e4} {
			units := []int{3, 40, 130}
			if n > 200 {
				units = []int{3, 5, 4}
			}
			nets := shared(rnd, n, mean, units...)
			h := NewHSIC(units...)
			for from, to := 0, 0; from < n; from = to {
				to = min(n, from+1+rnd.IntN(300))
				var part [][]float32
				for i, u := range units {
					part = append(part, nets[i][from*u:to*u])
				}
				if err := h.Add(to-from, part...); err != nil {
					t.Fatal(err)
				}
			}
			var k [][][]float64
			for _, x := range nets {
				k = append(k, linear(x, n, 1))
			}
			for a := range units {
				for b := range units {
					got, err := h.Unbiased(a, b)
					if err != nil {
						t.Fatal(err)
					}
					aa, bb, want := song(k[a], k[a]), song(k[b], k[b]), song(k[a], k[b])
					if most := math.Sqrt(aa * bb); !(math.Abs(got-want) <= 1e-9*most) {
						t.Errorf("%d samples, mean %v: HSIC of %d and %d is %.12g, want %.12g", n, mean, a, b, got, want)
					}
					cka, err := h.DebiasedCKA(a, b)
					if want /= math.Sqrt(aa * bb); err != nil || !(math.Abs(cka-want) <= 1e-9) {
						t.Errorf("%d samples, mean %v: debiased CKA of %d and %d is %.12g, want %.12g (%v)", n, mean, a, b, cka, want, err)
					}
					if back, _ := h.DebiasedCKA(b, a); back != cka {
						t.Errorf("debiased CKA is %v from one side and %v from the other", cka, back)
					}
				}
			}
		}
	}
}

// TestHSICShift: the definition does not change with what inner products are about, which
// the derivation takes for granted.
func TestHSICShift(t *testing.T) {
	x := shared(rand.New(rand.NewPCG(2, 1)), 30, 2, 5, 7)
	want := song(linear(x[0], 30, 0), linear(x[1], 30, 0))
	for _, shifts := range [][2]float64{{1, 0}, {0, 1}, {1, 1}, {-3, 0.5}} {
		if got := song(linear(x[0], 30, shifts[0]), linear(x[1], 30, shifts[1])); math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("moved by %v: %v, want %v", shifts, got, want)
		}
	}
}

// TestHSICPlain: the CKA of samples is that of moments.
func TestHSICPlain(t *testing.T) {
	const n = 700
	x := shared(rand.New(rand.NewPCG(3, 1)), n, 1, 5, 7)
	h, m := NewHSIC(5, 7), NewMoments(5, 7)
	if err := errors.Join(h.Add(n, x...), m.Add(n, x...)); err != nil {
		t.Fatal(err)
	}
	got, err := h.CKA(0, 1)
	want, err2 := m.Pair(0, 1).CKA()
	if err != nil || err2 != nil || math.Abs(got-want) > 1e-6 {
		t.Errorf("CKA %v, want %v (%v, %v)", got, want, err, err2)
	}
}

// TestHSICMerge merges parts, whose means differ, in some orders.
func TestHSICMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 1))
	units, sizes := []int{3, 6}, []int{1, 600, 0, 40, 513}
	whole := NewHSIC(units...)
	parts := make([]*HSIC, len(sizes))
	id := uint64(0)
	for i, n := range sizes {
		x := shared(rnd, n, float64(10*i), units...)
		ids := make([]uint64, n)
		for j := range ids {
			ids[j], id = id, id+1
		}
		parts[i] = NewHSIC(units...)
		for _, h := range []*HSIC{whole, parts[i]} {
			if err := h.AddTensors(ids, Rows(x[0], n, 3, 3), Rows(x[1], n, 6, 6)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}} {
		h := NewHSIC(units...)
		for _, i := range order {
			if err := h.Merge(parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if h.Count() != whole.Count() {
			t.Fatalf("%d samples, want %d", h.Count(), whole.Count())
		}
		for a := range 2 {
			for b := range 2 {
				got, _ := h.Unbiased(a, b)
				if want, _ := whole.Unbiased(a, b); math.Abs(got-want) > 1e-11*math.Abs(want) {
					t.Errorf("merged as %v: HSIC of %d and %d is %v, want %v", order, a, b, got, want)
				}
			}
		}
		before, _ := h.Unbiased(0, 1)
		if err := h.Merge(parts[1]); err == nil || h.Count() != whole.Count() {
			t.Errorf("the same samples twice: %v", err)
		}
		if after, _ := h.Unbiased(0, 1); after != before {
			t.Error("a merge that failed changed something")
		}
	}
	if err := whole.Merge(NewHSIC(3, 5)); err == nil {
		t.Error("merged with other units")
	}
}

// TestHSICBits: neither the cut of the stream nor threads change a bit, nor does reading.
func TestHSICBits(t *testing.T) {
	const n = 1300
	x := shared(rand.New(rand.NewPCG(5, 1)), n, 5, 33, 20)
	var want hsic
	for i, step := range []int{n, 1, 100, 512, 513} {
		h := NewHSIC(33, 20)
		h.Threads = 1 + i%3
		for from := 0; from < n; from += step {
			to := min(n, from+step)
			if err := h.Add(to-from, x[0][from*33:to*33], x[1][from*20:to*20]); err != nil {
				t.Fatal(err)
			}
			if h.Count() > 3 && from < 700 {
				if _, err := h.DebiasedCKA(0, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := h.snapshot()
		if i == 0 {
			want = got.clone()
		}
		if !slices.Equal(got.prod, want.prod) || !slices.Equal(got.third, want.third) || !slices.Equal(got.fourth, want.fourth) {
			t.Errorf("%d samples at a time: other bits", step)
		}
	}
}

// TestHSICUnbiased draws many small samples from populations whose HSIC is known: of
// independent networks 0, and where y is x in part, |S_xy|_F^2. Plain CKA is far from 0
// in both.
func TestHSICUnbiased(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates")
	}
	const n, p, q, draws = 12, 20, 15, 1500
	for _, in := range []struct {
		common    int // units that both networks have
		hsic, cka float64
		bias      float64 // of the quotient
	}{{0, 0, 0, 0}, {10, 10, 10 / math.Sqrt(20*15), 0.03}} {
		rnd := rand.New(rand.NewPCG(6, 1))
		var hsic, cka, plain Null
		for range draws {
			x, y := make([]float32, n*p), make([]float32, n*q)
			for i := range x {
				x[i] = float32(5 + rnd.NormFloat64())
			}
			for i := range y {
				y[i] = float32(rnd.NormFloat64())
				if i%q < in.common {
					y[i] = x[i/q*p+i%q]
				}
			}
			h := NewHSIC(p, q)
			h.Threads = 1
			if err := h.Add(n, x, y); err != nil {
				t.Fatal(err)
			}
			for _, f := range []struct {
				null *Null
				of   func(a, b int) (float64, error)
			}{{&hsic, h.Unbiased}, {&cka, h.DebiasedCKA}, {&plain, h.CKA}} {
				v, err := f.of(0, 1)
				if err != nil {
					t.Fatal(err)
				}
				f.null.Draws = append(f.null.Draws, v)
			}
		}
		if e := hsic.Std() / math.Sqrt(draws); math.Abs(hsic.Mean()-in.hsic) > 3.5*e {
			t.Errorf("%d units in common: HSIC is %v on average, want %v, with a standard error of %v", in.common, hsic.Mean(), in.hsic, e)
		}
		if e := cka.Std() / math.Sqrt(draws); math.Abs(cka.Mean()-in.cka) > 3.5*e+in.bias {
			t.Errorf("%d units in common: debiased CKA is %v on average, want %v, with a standard error of %v", in.common, cka.Mean(), in.cka, e)
		}
		if plain.Mean() < in.cka+0.2 {
			t.Errorf("%d units in common: CKA is %v on average: the test shows nothing", in.common, plain.Mean())
		}
	}
}

func TestHSICErrors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 1))
	x := shared(rnd, 3, 0, 2, 2)
	h := NewHSIC(2, 2)
	if err := h.Add(3, x...); err != nil {
		t.Fatal(err)
	}
	if v, err := h.DebiasedCKA(0, 1); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
		t.Errorf("three samples: %v, %v", v, err)
	}
	bad := shared(rnd, 2, 0, 2, 2)
	bad[1][3] = float32(math.NaN())
	if err := h.Add(2, bad...); err == nil || !strings.Contains(err.Error(), "network 1, row 4, unit 1") {
		t.Errorf("NaN: %v", err)
	}
	if h.Count() != 3 {
		t.Errorf("%d samples after an error, want 3", h.Count())
	}

	dead := NewHSIC(2, 2)
	if err := dead.Add(5, []float32{1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, shared(rnd, 5, 0, 2)[0]); err != nil {
		t.Fatal(err)
	}
	for _, of := range []func(a, b int) (float64, error){dead.CKA, dead.DebiasedCKA} {
		if v, err := of(1, 0); !errors.Is(err, ErrNoLiveUnits) || !math.IsNaN(v) {
			t.Errorf("dead units: %v, %v", v, err)
		}
	}
	// Samples that are all as far from each other as any two.
	corners := make([]float32, 36)
	for i := range 6 {
		corners[i*7] = 3
	}
	same := NewHSIC(6, 6)
	if err := same.Add(6, corners, shared(rnd, 6, 0, 6)[0]); err != nil {
		t.Fatal(err)
	}
	if v, err := same.DebiasedCKA(0, 1); err == nil || !strings.Contains(err.Error(), "first network") {
		t.Errorf("a simplex: %v, %v", v, err)
	}

	for name, f := range map[string]func(){
		"no networks":       func() { NewHSIC() },
		"no units":          func() { NewHSIC(2, 0) },
		"one network":       func() { _ = h.Add(1, x[0][:2]) },
		"a wrong length":    func() { _ = h.Add(2, x[0][:4], x[1][:2]) },
		"several positions": func() { _ = h.AddTensors(nil, NHWC(x[0][:4], 1, 1, 2, 2), NHWC(x[1][:4], 1, 1, 2, 2)) },
		"other units":       func() { _ = h.AddTensors(nil, Rows(x[0], 2, 3, 3), Rows(x[1], 2, 2, 2)) },
		"few identifiers":   func() { _ = h.AddTensors([]uint64{1}, Rows(x[0], 2, 2, 2), Rows(x[1], 2, 2, 2)) },
	} {
		panics(t, name, f)
	}
}

// TestFlatten: both ways in which images lie in memory have the same pooled units, and
// flattened ones the same inner products.
func TestFlatten(t *testing.T) {
	const n, h, w, c = 3, 2, 5, 4
	rnd := rand.New(rand.NewPCG(8, 1))
	nhwc, nchw := make([]float32, n*h*w*c), make([]float32, n*h*w*c)
	want := make([]float64, n*c)
	for s := range n {
		for p := range h * w {
			for u := range c {
				v := float32(rnd.NormFloat64())
				nhwc[(s*h*w+p)*c+u], nchw[(s*c+u)*h*w+p] = v, v
				want[s*c+u] += float64(v) / (h * w)
			}
		}
	}
	a, b := NHWC(nhwc, n, h, w, c), NCHW(nchw, n, c, h, w)
	for name, pooled := range map[string]Tensor{"NHWC": a.Pool(), "NCHW": b.Pool()} {
		for s := range n {
			for u := range c {
				if got := float64(pooled.at(s, u)); pooled.Len() != n || math.Abs(got-want[s*c+u]) > 1e-7 {
					t.Errorf("%s: unit %d of sample %d is %v, want %v", name, u, s, got, want[s*c+u])
				}
			}
		}
	}
	for i := range n {
		for j := range n {
			var x, y float64
			for k := range h * w * c {
				x += float64(a.Flatten().at(i, k)) * float64(a.Flatten().at(j, k))
				y += float64(b.Flatten().at(i, k)) * float64(b.Flatten().at(j, k))
			}
			if math.Abs(x-y) > 1e-12 {
				t.Errorf("product of samples %d and %d: %v and %v", i, j, x, y)
			}
		}
	}
	if rows := Rows(nhwc, 5, 3, 7).Flatten(); rows.Len() != 5 || rows.at(4, 2) != nhwc[30] {
		t.Error("rows that lie apart are not as they were")
	}
}

// panics holds f to a constant message.
func panics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "corr: ") {
			t.Errorf("%s: panicked with %q", name, s)
		}
	}()
	f()
}
