package corr

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// gram is that of n samples.
func gram(t *testing.T, n int, x []float32) *Gram {
	t.Helper()
	g := NewGram(n)
	if err := g.Add(nil, Rows(x, n, len(x)/n, len(x)/n)); err != nil {
		t.Fatal(err)
	}
	return g
}

func gramPair(t *testing.T, n int, x, y []float32) *GramPair {
	t.Helper()
	c, err := NewGramPair(gram(t, n, x), gram(t, n, y))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// normal are n samples of p independent features.
func normal(rnd *rand.Rand, n, p int) []float32 {
	x := make([]float32, n*p)
	for i := range x {
		x[i] = float32(rnd.NormFloat64())
	}
	return x
}

// centredProducts are the definition of what a Gram holds.
func centredProducts(x []float32, n int) [][]float64 {
	p := len(x) / n
	mean, y := make([]float64, p), make([]float64, len(x))
	for i, v := range x {
		mean[i%p] += float64(v) / float64(n)
	}
	for i, v := range x {
		y[i] = float64(v) - mean[i%p]
	}
	k := make([][]float64, n)
	for i := range k {
		k[i] = make([]float64, n)
		for j := range k {
			for u := range p {
				k[i][j] += y[i*p+u] * y[j*p+u]
			}
		}
	}
	return k
}

// TestGram compares with the definition, whatever comes in one call: all samples or some,
// all features or some, images flattened or not.
func TestGram(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, s := range []struct{ n, p int }{{2, 1}, {5, 3}, {70, 500}, {90, 1700}, {600, 30}} {
		for _, mean := range []float64{0, 1e4} {
			x := shared(rnd, s.n, mean, s.p)[0]
			want := centredProducts(x, s.n)
			for _, block := range []int{s.p, (s.p + 2) / 3} {
				for _, step := range []int{s.n, (s.n + 3) / 4} {
					g := NewGram(s.n)
					for from := 0; from < s.p; from += block {
						for lo := 0; lo < s.n; lo += step {
							if err := g.Add(nil, Rows(x[lo*s.p+from:], min(step, s.n-lo), min(block, s.p-from), s.p)); err != nil {
								t.Fatal(err)
							}
						}
					}
					if g.Samples() != s.n || g.Features() != s.p {
						t.Fatalf("%d samples, %d features", g.Samples(), g.Features())
					}
					for i := range s.n {
						for j := range s.n {
							got, most := float64(g.products[i*s.n+j]), math.Sqrt(want[i][i]*want[j][j])
							if !(math.Abs(got-want[i][j]) <= 1e-6*most) {
								t.Fatalf("%v, mean %v: product of %d and %d is %v, want %v", s, mean, i, j, got, want[i][j])
							}
						}
					}
				}
			}
		}
	}
}

// TestGramBits: neither the cut of samples nor threads change a bit.
func TestGramBits(t *testing.T) {
	const n, p = 530, 900
	x := shared(rand.New(rand.NewPCG(2, 2)), n, 1, p)[0]
	want := gram(t, n, x)
	for i, step := range []int{1, 100, 529} {
		g := NewGram(n)
		g.Threads = 1 + i
		for lo := 0; lo < n; lo += step {
			if err := g.Add(nil, Rows(x[lo*p:], min(step, n-lo), p, p)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(g.products, want.products) || !slices.Equal(g.lift, want.lift) || !slices.Equal(g.sum, want.sum) || g.centre != want.centre {
			t.Errorf("%d samples at a time: other bits", step)
		}
	}
}

// TestGramCKA compares with covariances, for fewer features than samples and more.
func TestGramCKA(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 2))
	for _, s := range []struct{ n, p, q int }{{60, 7, 5}, {60, 7, 90}, {40, 300, 200}} {
		for _, mean := range []float64{0, 1e3} {
			nets := shared(rnd, s.n, mean, s.p, s.q)
			c := gramPair(t, s.n, nets[0], nets[1])
			h := NewHSIC(s.p, s.q)
			if err := h.Add(s.n, nets...); err != nil {
				t.Fatal(err)
			}
			for name, of := range map[string][2]func() (float64, error){
				"CKA":          {c.CKA, func() (float64, error) { return h.CKA(0, 1) }},
				"debiased CKA": {c.DebiasedCKA, func() (float64, error) { return h.DebiasedCKA(0, 1) }},
			} {
				got, err := of[0]()
				want, err2 := of[1]()
				if err != nil || err2 != nil || !(math.Abs(got-want) <= 1e-6) {
					t.Errorf("%v, mean %v: %s is %v, want %v (%v, %v)", s, mean, name, got, want, err, err2)
				}
			}
			back, _ := NewGramPair(c.b, c.a)
			for _, of := range [][2]func() (float64, error){{c.CKA, back.CKA}, {c.DebiasedCKA, back.DebiasedCKA}} {
				x, _ := of[0]()
				if y, _ := of[1](); x != y {
					t.Errorf("%v from one side and %v from the other", x, y)
				}
			}
			self, _ := NewGramPair(c.a, c.a)
			for _, of := range []func() (float64, error){self.CKA, self.DebiasedCKA} {
				if v, err := of(); err != nil || math.Abs(v-1) > 1e-12 {
					t.Errorf("of a network with itself: %v, %v", v, err)
				}
			}
		}
	}
}

// TestGramProcrustes compares with singular values of covariances.
func TestGramProcrustes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 2))
	for _, s := range []struct{ n, p, q int }{{60, 7, 5}, {50, 7, 90}, {40, 300, 200}} {
		nets := shared(rnd, s.n, 3, s.p, s.q)
		var x [2]*mat.Dense
		for i, net := range nets {
			p := len(net) / s.n
			x[i] = mat.NewDense(s.n, p, nil)
			for k, v := range net {
				x[i].Set(k/p, k%p, float64(v))
			}
			for u := range p {
				mean := stat.Mean(mat.Col(nil, u, x[i]), nil)
				for r := range s.n {
					x[i].Set(r, u, x[i].At(r, u)-mean)
				}
			}
		}
		c := gramPair(t, s.n, nets[0], nets[1])
		order := rnd.Perm(s.n)
		for _, order := range [][]int{indices(s.n), order} {
			y := mat.NewDense(s.n, s.q, nil)
			for i, o := range order {
				y.SetRow(i, x[1].RawRowView(o))
			}
			var cross mat.Dense
			cross.Mul(x[0].T(), y)
			var svd mat.SVD
			if !svd.Factorize(&cross, mat.SVDNone) {
				t.Fatal("no singular values")
			}
			var nuclear float64
			for _, v := range svd.Values(nil) {
				nuclear += v
			}
			want := nuclear / mat.Norm(x[0], 2) / mat.Norm(y, 2)
			got, err := c.Permuted(order).NBS()
			if err != nil || !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("%v: NBS is %v, want %v (%v)", s, got, want, err)
			}
			distance, _ := c.Permuted(order).Procrustes()
			if want := math.Sqrt(2 - 2*want); !(math.Abs(distance-want) <= 1e-4) {
				t.Errorf("%v: Procrustes is %v, want %v", s, distance, want)
			}
		}
		self, _ := NewGramPair(c.a, c.a)
		if v, err := self.NBS(); err != nil || math.Abs(v-1) > 1e-9 {
			t.Errorf("NBS of a network with itself: %v, %v", v, err)
		}
	}
}

// distancesOf are the definitions.
func distancesOf(d Distance, x []float32, n int) [][]float64 {
	p := len(x) / n
	rows, all := make([][]float64, n), make([][]float64, n)
	for i := range n {
		for _, v := range x[i*p:][:p] {
			rows[i] = append(rows[i], float64(v))
		}
	}
	for i, a := range rows {
		all[i] = make([]float64, n)
		for j, b := range rows {
			var ab, aa, bb, difference float64
			for k := range a {
				ab, aa, bb = ab+a[k]*b[k], aa+a[k]*a[k], bb+b[k]*b[k]
				difference += (a[k] - b[k]) * (a[k] - b[k])
			}
			switch d {
			case EuclideanDistance:
				all[i][j] = math.Sqrt(difference)
			case CosineDistance:
				all[i][j] = 1 - ab/math.Sqrt(aa*bb)
			case CorrelationDistance:
				all[i][j] = 1 - stat.Correlation(a, b, nil)
			}
		}
	}
	return all
}

// TestGramRBF compares with the definition.
func TestGramRBF(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 2))
	for _, n := range []int{5, 6, 7, 60} { // odd and even numbers of distances
		x, y := shared(rnd, n, 2, 8, 5)[0], normal(rnd, n, 11)
		for _, width := range []float64{0.2, 0.4, 0.8} {
			var k [2][][]float64
			var mean [2][]float64
			var total [2]float64
			for i, x := range [][]float32{x, y} {
				k[i] = distancesOf(EuclideanDistance, x, n)
				var all []float64
				for r, row := range k[i] {
					all = append(all, row[r+1:]...)
				}
				slices.Sort(all)
				sigma := width * (all[(len(all)-1)/2] + all[len(all)/2]) / 2
				mean[i] = make([]float64, n)
				for r, row := range k[i] {
					for s, v := range row {
						row[s] = math.Exp(-v * v / 2 / sigma / sigma)
						mean[i][r] += row[s] / float64(n)
						total[i] += row[s] / float64(n*n)
					}
				}
			}
			debiased := song(k[0], k[1]) / math.Sqrt(song(k[0], k[0])*song(k[1], k[1]))
			for i := range k {
				for r, row := range k[i] {
					for s := range row {
						row[s] += total[i] - mean[i][r] - mean[i][s]
					}
				}
			}
			inner := func(a, b [][]float64) (sum float64) {
				for i, row := range a {
					for j, v := range row {
						sum += v * b[i][j]
					}
				}
				return sum
			}
			plain := inner(k[0], k[1]) / math.Sqrt(inner(k[0], k[0])*inner(k[1], k[1]))
			c, err := gramPair(t, n, x, y).RBF(width)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.CKA(); err != nil || math.Abs(got-plain) > 1e-5 {
				t.Errorf("%d samples, %v: RBF CKA is %v, want %v (%v)", n, width, got, plain, err)
			}
			if got, err := c.DebiasedCKA(); err != nil || math.Abs(got-debiased) > 1e-5 {
				t.Errorf("%d samples, %v: debiased RBF CKA is %v, want %v (%v)", n, width, got, debiased, err)
			}
			// Cosines know the kernel as it was before it was centred, of 1 with itself.
			m, err := c.a.metric(CosineDistance)
			if err != nil {
				t.Fatal(err)
			}
			row := make([]float32, n)
			m.from(1, 0, row)
			for j, v := range row {
				if want := 1 - (k[0][1][j] - total[0] + mean[0][1] + mean[0][j]); math.Abs(float64(v)-want) > 1e-6 {
					t.Errorf("cosine distance %v, want %v", v, want)
				}
			}
		}
	}
}

// whole numbers make ties of distances, which float32 holds exactly.
func whole(rnd *rand.Rand, n, p int) []float32 {
	x := make([]float32, n*p)
	for i := range x {
		x[i] = float32(rnd.IntN(3))
	}
	return x
}

// spearman ranks values by counting.
func spearman(x, y []float64) float64 {
	ranks := func(x []float64) []float64 {
		r := make([]float64, len(x))
		for i, a := range x {
			for _, b := range x {
				switch {
				case math.Abs(a-b) < 1e-9:
					r[i] += 0.5
				case b < a:
					r[i]++
				}
			}
		}
		return r
	}
	return stat.Correlation(ranks(x), ranks(y), nil)
}

// TestNeighboursAndRSA compares with definitions, for all distances and a permutation, with
// ties and large means.
func TestNeighboursAndRSA(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 2))
	for name, nets := range map[string][][]float32{
		"causes in common": shared(rnd, 40, 0, 12, 30),
		"large means":      shared(rnd, 40, 100, 12, 30),
		"ties":             {whole(rnd, 40, 4), whole(rnd, 40, 3)},
	} {
		const n = 40
		if name == "ties" {
			for _, x := range nets { // the sums of features are whole, so that centred ones are short
				p := len(x) / n
				for u := range p {
					var sum float32
					for i := range n {
						sum += x[i*p+u]
					}
					x[u] += float32(math.Ceil(float64(sum)/n))*n - sum
				}
			}
		}
		c := gramPair(t, n, nets[0], nets[1])
		for _, order := range [][]int{nil, rnd.Perm(n)} {
			c, y := c, nets[1]
			if order != nil {
				c = c.Permuted(order)
				q := len(y) / n
				y = nil
				for _, o := range order {
					y = append(y, nets[1][o*q:][:q]...)
				}
			}
			for _, d := range []Distance{EuclideanDistance, CosineDistance, CorrelationDistance} {
				if name == "ties" && d != EuclideanDistance {
					continue
				}
				a, b := distancesOf(d, nets[0], n), distancesOf(d, y, n)
				var x, z []float64
				for i := range n {
					x, z = append(x, a[i][i+1:]...), append(z, b[i][i+1:]...)
				}
				got, err := c.RSA(d)
				if want := spearman(x, z); err != nil || !(math.Abs(got-want) <= 1e-4) || name == "ties" && math.Abs(got-want) > 1e-12 {
					t.Errorf("%s, distance %d: RSA is %v, want %v (%v)", name, d, got, want, err)
				}
				if name == "ties" { // the nearest of equals are others after a permutation
					continue
				}
				for _, k := range []int{1, 5, 38} {
					common := 0
					for i := range n {
						near := func(row []float64) []int {
							others := slices.Delete(indices(n), i, i+1)
							sort.SliceStable(others, func(x, y int) bool { return row[others[x]] < row[others[y]] })
							return others[:k]
						}
						near1, near2 := near(a[i]), near(b[i])
						for _, j := range near1 {
							if slices.Contains(near2, j) {
								common++
							}
						}
					}
					got, err := c.MutualNeighbours(k, d)
					if want := float64(common) / n / float64(k); err != nil || math.Abs(got-want) > 1e-12 {
						t.Errorf("%s, distance %d: %d mutual neighbours are %v, want %v (%v)", name, d, k, got, want, err)
					}
				}
			}
		}
	}
	// Of equally far samples the first are nearer: here all are.
	x := make([]float32, 36)
	for i := range 6 {
		x[i*7] = 1
	}
	same, err := gram(t, 6, x).neighbours(0, 3, EuclideanDistance)
	if want := []int32{1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2, 0, 1, 2, 0, 1, 2}; err != nil || !slices.Equal(same, want) {
		t.Errorf("neighbours in a simplex: %v (%v)", same, err)
	}
	// Equal samples are at distance 0, wherever they lie in tiles and blocks of products.
	twice := normal(rnd, 100, 1500)
	g := gram(t, 200, append(twice, twice...))
	m, _ := g.metric(EuclideanDistance)
	for i := range 100 {
		if m.from(i, 100+i, x[:1]); x[0] != 0 {
			t.Errorf("equal samples are at distance %v", x[0])
		}
	}
}

// measuresOfGrams are all, and what they are on average over permutations.
func measuresOfGrams(c *GramPair) map[string]struct {
	of   func(*GramPair) (float64, error)
	mean float64
} {
	n := c.a.n
	_, a, b := c.sums()
	traces := 1.0
	for _, g := range []*Gram{c.a, c.b} {
		var sum float64
		for i := range n {
			sum += g.diagonal(i)
		}
		traces *= sum
	}
	return map[string]struct {
		of   func(*GramPair) (float64, error)
		mean float64
	}{
		"CKA":          {(*GramPair).CKA, traces / float64(n-1) / math.Sqrt(a.innerProduct()*b.innerProduct())},
		"debiased CKA": {(*GramPair).DebiasedCKA, 0},
		"neighbours":   {func(c *GramPair) (float64, error) { return c.MutualNeighbours(2, EuclideanDistance) }, 2 / float64(n-1)},
		"RSA":          {func(c *GramPair) (float64, error) { return c.RSA(EuclideanDistance) }, 0},
	}
}

// TestGramAllPermutations: what measures are on average over permutations holds to the
// last digits over all of them, of linear kernels and others.
func TestGramAllPermutations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 2))
	linear := gramPair(t, 6, normal(rnd, 6, 3), normal(rnd, 6, 20))
	rbf, err := linear.RBF(0.5)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*GramPair{linear, rbf} {
		for name, m := range measuresOfGrams(c) {
			var sum float64
			count := 0
			for code := range 6 * 6 * 6 * 6 * 6 * 6 {
				order, seen := make([]int, 6), 0
				for i, rest := 0, code; i < 6; i, rest = i+1, rest/6 {
					order[i] = rest % 6
					seen |= 1 << order[i]
				}
				if seen != 1<<6-1 {
					continue
				}
				v, err := m.of(c.Permuted(order))
				if err != nil {
					t.Fatal(err)
				}
				sum += v
				count++
			}
			if got := sum / float64(count); count != 720 || math.Abs(got-m.mean) > 1e-6 {
				t.Errorf("%s is %v on average over %d permutations, want %v", name, got, count, m.mean)
			}
		}
	}
}

// TestGramNull: independent networks are as alike as expected by chance. The propositions
// are those of Groeger, Wen and Brbic (2026): of orthonormal features, |C|_F^2 is
// d1 d2/(n-1); mutual neighbours k/(n-1); CKA of the order of d/n.
func TestGramNull(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 2))
	for _, s := range []struct{ n, d1, d2, draws int }{{128, 16, 32, 60}, {256, 256, 64, 30}, {1024, 64, 128, 6}} {
		c := gramPair(t, s.n, normal(rnd, s.n, s.d1), normal(rnd, s.n, s.d2))
		for name, m := range measuresOfGrams(c) {
			null, err := c.PermutationNull(context.Background(), s.draws, 1, m.of)
			if err != nil {
				t.Fatal(err)
			}
			if e := null.Std() / math.Sqrt(float64(s.draws)); math.Abs(null.Mean()-m.mean) > 4*e {
				t.Errorf("%v: %s is %v on average, want %v, with a standard error of %v", s, name, null.Mean(), m.mean, e)
			}
		}
		// tr K is d and |K|_F^2 is d + d^2/n for d dimensions of n samples, to leading order.
		d := func(d int) float64 { return math.Sqrt(float64(d) / (1 + float64(d)/float64(s.n))) }
		null, _ := c.PermutationNull(context.Background(), s.draws, 1, (*GramPair).CKA)
		if want := d(s.d1) * d(s.d2) / float64(s.n); math.Abs(null.Mean()-want) > 0.1*want {
			t.Errorf("%v: CKA is %v on average, some %v were expected", s, null.Mean(), want)
		}
	}
	const n, d1, d2, draws = 256, 12, 40, 60
	c := gramPair(t, n, orthonormal(normal(rnd, n, d1), n), orthonormal(normal(rnd, n, d2), n))
	null, err := c.PermutationNull(context.Background(), draws, 1, func(c *GramPair) (float64, error) {
		v, err := c.CKA()
		return v * math.Sqrt(d1*d2), err // |C|_F^2, as |K|_F^2 is d
	})
	if e, want := null.Std()/math.Sqrt(draws), float64(d1*d2)/(n-1); err != nil || math.Abs(null.Mean()-want) > 4*e || e > 0.05*want {
		t.Errorf("|C|_F^2 is %v on average, want %v, with a standard error of %v (%v)", null.Mean(), want, e, err)
	}
}

// TestGramPairs: of several Grams in orders of their own each two are as they are by
// themselves, whatever is asked first, where one is missing or has equal distances.
func TestGramPairs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 2))
	const n = 40
	var grams []*Gram
	for _, units := range []int{3, 7, 0, 1, 5} {
		if units == 0 {
			grams = append(grams, nil)
			continue
		}
		grams = append(grams, gramPair(t, n, normal(rnd, n, units), normal(rnd, n, units)).a)
	}
	orders := [][]int{nil, rnd.Perm(n), rnd.Perm(n), nil, rnd.Perm(n)}
	pairs, err := NewGramPairs(grams, orders)
	if err != nil {
		t.Fatal(err)
	}
	measures := []func(*GramPair) (float64, error){(*GramPair).CKA, (*GramPair).DebiasedCKA, func(c *GramPair) (float64, error) { return c.RSA(EuclideanDistance) }, func(c *GramPair) (float64, error) { return c.RSA(CosineDistance) }, func(c *GramPair) (float64, error) { return c.MutualNeighbours(4, CosineDistance) }}
	k := 0
	for a := range grams {
		for b := a + 1; b < len(grams); b++ {
			c := pairs[k]
			k++
			if grams[a] == nil || grams[b] == nil {
				if c != nil {
					t.Errorf("a pair of %d and %d", a, b)
				}
				continue
			}
			one, err := NewGramPair(grams[a], grams[b])
			if err != nil {
				t.Fatal(err)
			}
			if order := partners(orders[a], orders[b]); order != nil {
				one = one.Permuted(order)
			}
			for i, of := range measures {
				got, err := of(c)
				want, err2 := of(one)
				if err != nil || err2 != nil || math.Abs(got-want) > 1e-12 {
					t.Errorf("%d and %d, measure %d: %v, want %v (%v, %v)", a, b, i, got, want, err, err2)
				}
			}
		}
	}
	if k != len(pairs) {
		t.Errorf("%d pairs, want %d", len(pairs), k)
	}
	if _, err := NewGramPairs([]*Gram{grams[0], NewGram(3)}, nil); err == nil {
		t.Error("Grams of other numbers of samples are a pair")
	}
	for name, orders := range map[string][][]int{"none for some": {nil}, "twice the same": {nil, slices.Repeat([]int{1}, n), nil, nil, nil}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("orders, %s, were taken", name)
				}
			}()
			NewGramPairs(grams, orders)
		}()
	}
}

// orthonormal returns features that are, and centred.
func orthonormal(x []float32, n int) []float32 {
	p := len(x) / n
	m := mat.NewDense(n, 1+p, nil)
	for i := range n {
		m.Set(i, 0, 1)
		for u := range p {
			m.Set(i, 1+u, float64(x[i*p+u]))
		}
	}
	var qr mat.QR
	qr.Factorize(m)
	var q mat.Dense
	qr.QTo(&q)
	y := make([]float32, len(x))
	for i := range y {
		y[i] = float32(q.At(i/p, 1+i%p))
	}
	return y
}

// TestGramPermuted: permutations follow one another, and a null is the same for any number
// of threads.
func TestGramPermuted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 2))
	const n = 30
	x, y := normal(rnd, n, 5), normal(rnd, n, 4)
	c := gramPair(t, n, x, y)
	first, second := rnd.Perm(n), rnd.Perm(n)
	var z []float32
	for i := range n {
		z = append(z, y[first[second[i]]*4:][:4]...)
	}
	for name, m := range measuresOfGrams(c) {
		got, err := m.of(c.Permuted(first).Permuted(second))
		want, err2 := m.of(gramPair(t, n, x, z))
		if err != nil || err2 != nil || math.Abs(got-want) > 1e-6 {
			t.Errorf("%s of a permutation is %v, want %v (%v, %v)", name, got, want, err, err2)
		}
	}
	all := func(c *GramPair) (float64, error) {
		var sum float64
		var errs []error
		for _, of := range []func(*GramPair) (float64, error){(*GramPair).CKA, (*GramPair).DebiasedCKA, (*GramPair).Procrustes,
			func(c *GramPair) (float64, error) { return c.RSA(CosineDistance) }, func(c *GramPair) (float64, error) { return c.MutualNeighbours(3, CorrelationDistance) }} {
			v, err := of(c)
			sum, errs = sum+v, append(errs, err)
		}
		return sum, errors.Join(errs...)
	}
	var want Null
	for threads := 1; threads < 4; threads++ {
		c := gramPair(t, n, x, y)
		c.Threads = threads
		null, err := c.PermutationNull(context.Background(), 20, 5, all)
		if err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			want = null
		}
		if !slices.Equal(null.Draws, want.Draws) || null.Std() == 0 {
			t.Errorf("%d threads: other draws", threads)
		}
	}
	// What was found is forgotten when features are added.
	before, _ := c.CKA()
	if err := c.a.Add(nil, Rows(normal(rnd, n, 6), n, 6, 6)); err != nil {
		t.Fatal(err)
	}
	after, _ := c.CKA()
	again, _ := NewGramPair(c.a, c.b)
	if want, _ := again.CKA(); after == before || after != want {
		t.Errorf("CKA %v after features were added, %v before, want %v", after, before, want)
	}
	late := errors.New("late")
	calls := 0
	c.Threads = 1
	if _, err := c.PermutationNull(context.Background(), 5, 1, func(*GramPair) (float64, error) {
		if calls++; calls > 3 {
			return 0, late
		}
		return 0, nil
	}); !errors.Is(err, late) {
		t.Errorf("an error of a draw: %v", err)
	}
}

func TestGramErrors(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 2))
	text := func(what string, err error, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if err == nil || !strings.Contains(err.Error(), p) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	g := NewGram(5)
	x := normal(rnd, 5, 3)
	if err := g.Add([]uint64{7, 8}, Rows(x, 2, 3, 3)); err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(-1), 1e20} {
		bad := slices.Clone(x)
		bad[4] = float32(v)
		err := g.Add(nil, Rows(bad, 3, 3, 3))
		var e *ActivationError
		if !errors.As(err, &e) || e.Network != 0 || e.Row != 3 || e.Unit != 1 || e.Value != float32(v) && v == v {
			t.Errorf("activation %v: %v", v, err)
		}
		text("an activation", err, fmt.Sprint(float32(v)))
	}
	c, _ := NewGramPair(g, gram(t, 5, x))
	_, err := c.CKA()
	text("samples that are missing", err, "not complete: 2 of 5 samples after 0 features")
	if err := g.Add([]uint64{1, 2, 3}, Rows(x, 3, 3, 3)); err != nil {
		t.Fatal(err)
	}
	text("other samples", g.Add([]uint64{7, 9}, Rows(x, 2, 3, 3)), "sample 1 is 9", "8 in the first")
	if _, err := c.CKA(); err != nil {
		t.Error(err)
	}
	o := NewGram(5)
	if err := o.Add([]uint64{7, 8, 1, 3, 2}, Rows(x, 5, 3, 3)); err != nil {
		t.Fatal(err)
	}
	_, err = NewGramPair(g, o)
	text("another order of samples", err, "sample 3 is 3")
	_, err = NewGramPair(g, NewGram(4))
	text("another number of samples", err, "5 and of 4")

	same := gram(t, 5, []float32{1, 1, 1, 1, 1})
	few := gramPair(t, 3, x[:6], x[3:9])
	two := gramPair(t, 2, x[:6], x[3:9])
	simplex := make([]float32, 25)
	for i := range 5 {
		simplex[i*6] = 2
	}
	zero := slices.Clone(x)
	clear(zero[6:9])
	level := slices.Clone(x)
	level[6], level[7], level[8] = 4, 4, 4
	for name, m := range measuresOfGrams(gramPair(t, 5, x, x)) {
		if v, err := m.of(two); !errors.Is(err, ErrTooFewObservations) || !math.IsNaN(v) {
			t.Errorf("%s of two samples: %v, %v", name, v, err)
		}
		c, _ := NewGramPair(g, same)
		if v, err := m.of(c); !errors.Is(err, ErrNoLiveUnits) || !math.IsNaN(v) || !strings.Contains(err.Error(), "second network") {
			t.Errorf("%s of samples that are the same: %v, %v", name, v, err)
		}
		if name == "RSA" || name == "debiased CKA" {
			if v, err := m.of(gramPair(t, 5, simplex, x)); err == nil || !math.IsNaN(v) {
				t.Errorf("%s of a simplex: %v", name, v)
			}
		}
	}
	_, err = few.DebiasedCKA()
	if !errors.Is(err, ErrTooFewObservations) {
		t.Errorf("debiased CKA of three samples: %v", err)
	}
	if _, err := few.MutualNeighbours(2, EuclideanDistance); !errors.Is(err, ErrTooFewObservations) {
		t.Errorf("two neighbours of two others: %v", err)
	}
	_, err = gramPair(t, 5, x, zero).RSA(CosineDistance)
	text("a sample of zeros", err, "second network", "sample 2 is 0")
	_, err = gramPair(t, 5, level, x).MutualNeighbours(1, CorrelationDistance)
	text("a sample of equal features", err, "first network", "sample 2 is the same")
	_, err = gramPair(t, 5, []float32{1, 1, 1, 1, 2}, x).RBF(1)
	text("no median", err, "more than half")
	tiny := make([]float32, 5)
	tiny[2] = 1e-20
	_, err = gramPair(t, 5, tiny, x).CKA()
	text("tiny activations", err, "scale the network's activations")

	rbf, err := gram(t, 5, x).RBF(1)
	if err != nil {
		t.Fatal(err)
	}
	pair, _ := NewGramPair(rbf, rbf)
	full := gramPair(t, 5, x, x)
	for name, f := range map[string]func(){
		"no samples":          func() { NewGram(0) },
		"too many samples":    func() { _ = NewGram(4).Add(nil, Rows(x, 5, 3, 3)) },
		"several positions":   func() { _ = NewGram(2).Add(nil, NHWC(x[:12], 1, 2, 2, 3)) },
		"few identifiers":     func() { _ = NewGram(5).Add([]uint64{1}, Rows(x, 5, 3, 3)) },
		"features of kernels": func() { _ = rbf.Add(nil, Rows(x, 5, 3, 3)) },
		"a short order":       func() { full.Permuted([]int{1, 0}) },
		"no order":            func() { full.Permuted(nil) },
		"an order with twins": func() { full.Permuted([]int{1, 0, 2, 2, 4}) },
		"no neighbours":       func() { _, _ = full.MutualNeighbours(0, EuclideanDistance) },
		"no distance":         func() { _, _ = full.RSA(3) },
		"kernel correlations": func() { _, _ = pair.RSA(CorrelationDistance) },
		"other features": func() {
			g := NewGram(3)
			_ = g.Add(nil, Rows(x, 1, 3, 3))
			_ = g.Add(nil, Rows(x, 1, 2, 2))
		},
	} {
		panics(t, name, f)
	}
}
