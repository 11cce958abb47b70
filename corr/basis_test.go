package corr

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// observations returns random mixtures, rows x p and rows x q, and their Pair.
func observations(t *testing.T, rnd *rand.Rand, rows, p, q int) (x, y *mat.Dense, c *Pair) {
	t.Helper()
	x, y = mat.NewDense(rows, p, nil), mat.NewDense(rows, q, nil)
	for i := range rows {
		shared := rnd.NormFloat64()
		for j := range p {
			x.Set(i, j, float64(j+1)*(rnd.NormFloat64()+shared))
		}
		for j := range q {
			y.Set(i, j, rnd.NormFloat64()-x.At(i, j%p)/float64(j+2))
		}
	}
	return x, y, pairOf(t, x, y)
}

// pairOf returns the Pair of the columns of x and y, in float64.
func pairOf(t *testing.T, x, y *mat.Dense) *Pair {
	t.Helper()
	rows, p := x.Dims()
	_, q := y.Dims()
	centred := func(m *mat.Dense) *mat.Dense {
		c := mat.DenseCopyOf(m)
		_, n := m.Dims()
		for j := range n {
			mean := mat.Sum(m.ColView(j)) / float64(rows)
			for i := range rows {
				c.Set(i, j, m.At(i, j)-mean)
			}
		}
		return c
	}
	cx, cy := centred(x), centred(y)
	cov := func(a, b *mat.Dense, p, q int) *mat.Dense {
		m := mat.NewDense(p, q, nil)
		m.Mul(a.T(), b)
		m.Scale(1/float64(rows), m)
		return m
	}
	c, err := NewPair(cov(cx, cx, p, p), cov(cx, cy, p, q), cov(cy, cy, q, q), int64(rows))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// difference returns the range of the elements of a - b.
func difference(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Max(&d) - mat.Min(&d)
}

// TestBasis compares with the Pair of observations that were combined themselves.
func TestBasis(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][4]int{{3, 4, 3, 4}, {5, 2, 3, 6}, {1, 1, 1, 1}, {4, 4, 7, 1}} {
		x, y, c := observations(t, rnd, 60, s[0], s[1])
		a, b := mat.NewDense(s[0], s[2], nil), mat.NewDense(s[1], s[3], nil)
		for _, m := range []*mat.Dense{a, b} {
			for i := range m.RawMatrix().Data {
				m.RawMatrix().Data[i] = rnd.NormFloat64()
			}
		}
		var u, v mat.Dense
		u.Mul(x, a)
		v.Mul(y, b)
		want := pairOf(t, &u, &v)
		got := c.Basis(a, b)
		for name, m := range map[string][2][]float64{"aa": {got.aa, want.aa}, "ab": {got.ab, want.ab}, "bb": {got.bb, want.bb}} {
			for i, w := range m[1] {
				if math.Abs(m[0][i]-w) > 1e-10*(1+math.Abs(w)) {
					t.Fatalf("%v: %s[%d] is %v, want %v", s, name, i, m[0][i], w)
				}
			}
		}
		if difference(c.Basis(nil, b).Correlation(), pairOf(t, x, &v).Correlation()) > 1e-10 || difference(c.Basis(a, nil).Correlation(), pairOf(t, &u, y).Correlation()) > 1e-10 {
			t.Errorf("%v: one side alone", s)
		}
	}
}

// TestSelect compares with the Pair of those observations, and with scaled ones.
func TestSelect(t *testing.T) {
	x, y, c := observations(t, rand.New(rand.NewPCG(4, 1)), 60, 5, 4)
	places := [2][]int{{4, 0, 2}, {1}}
	columns := func(m *mat.Dense, cols []int) *mat.Dense {
		s := mat.NewDense(60, len(cols), nil)
		for j, col := range cols {
			s.SetCol(j, mat.Col(nil, col, m))
		}
		return s
	}
	got, want := c.Select(places[0], places[1]), pairOf(t, columns(x, places[0]), columns(y, places[1]))
	for name, m := range map[string][2][]float64{"aa": {got.aa, want.aa}, "ab": {got.ab, want.ab}, "bb": {got.bb, want.bb}} {
		for i, w := range m[1] {
			if m[0][i] != w {
				t.Fatalf("%s[%d] is %v, want %v", name, i, m[0][i], w)
			}
		}
	}
	if got.UnitsA[0] != 4 || got.UnitsB[0] != 1 {
		t.Errorf("units %v and %v", got.UnitsA, got.UnitsB)
	}
	s := c.Standardized()
	if difference(s.Correlation(), c.Correlation()) > 1e-12 || difference(mat.NewDense(5, 4, s.ab), c.Correlation()) > 1e-12 {
		t.Error("scaled units have other correlations")
	}
	for i := range s.p {
		if math.Abs(s.aa[i*(s.p+1)]-1) > 1e-12 {
			t.Errorf("variance %v", s.aa[i*(s.p+1)])
		}
	}
}

// TestAxes: in their principal axes units are uncorrelated.
func TestAxes(t *testing.T) {
	_, _, c := observations(t, rand.New(rand.NewPCG(2, 1)), 80, 5, 4)
	a, b := c.Axes()
	n := c.Basis(a, b)
	for i := range n.p {
		for j := range n.p {
			if i != j && math.Abs(n.aa[i*n.p+j]) > 1e-10 || i == j && i > 0 && n.aa[i*n.p+i] > n.aa[(i-1)*(n.p+1)] {
				t.Fatalf("covariances %v", n.aa)
			}
		}
	}
}

// TestAlignment: a rotated copy is turned back, and no other rotation does better.
func TestAlignment(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 1))
	x, _, _ := observations(t, rnd, 90, 6, 1)
	var y mat.Dense
	y.Mul(x, NewRotationPath(6, rnd).At(1))
	c := pairOf(t, x, &y)
	aligned := c.Basis(nil, c.Alignment())
	for i := range 6 {
		if r := aligned.Correlation().At(i, i); math.Abs(r-1) > 1e-9 {
			t.Errorf("unit %d: r %v", i, r)
		}
	}
	for _, s := range [][2]int{{4, 7}, {7, 4}, {5, 5}} {
		_, _, c := observations(t, rnd, 90, s[0], s[1])
		sum := func(q mat.Matrix) (total float64) {
			n := c.Basis(nil, q)
			for i := range s[0] {
				total += n.ab[i*n.q+i]
			}
			return total
		}
		q := c.Alignment()
		var gram mat.Dense
		if s[1] >= s[0] {
			gram.Mul(q.T(), q)
		} else {
			gram.Mul(q, q.T())
		}
		n := min(s[0], s[1])
		if d := difference(&gram, mat.NewDiagDense(n, ones(n))); d > 1e-9 {
			t.Errorf("%v: not an isometry, by %v", s, d)
		}
		for range 50 {
			var candidate mat.Dense
			candidate.Mul(NewRotationPath(s[1], rnd).At(0.2), q)
			if sum(&candidate) > sum(q)+1e-12 {
				t.Errorf("%v: another rotation is better", s)
			}
		}
	}
}

func ones(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// TestRotationPath: the matrices Q^t are rotations, and powers of Q.
func TestRotationPath(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 33, 96} {
		for seed := range uint64(4) {
			turn := NewRotationPath(n, rand.New(rand.NewPCG(seed, 7)))
			id := mat.NewDiagDense(n, ones(n))
			if d := difference(turn.At(0), id); d > 1e-12 {
				t.Fatalf("n = %d: not the identity at 0, by %v", n, d)
			}
			q := turn.At(1)
			if d := mat.Det(q); math.Abs(d-1) > 1e-9 {
				t.Errorf("n = %d: determinant %v", n, d)
			}
			var gram, product mat.Dense
			third, twoThirds := turn.At(1./3), turn.At(2./3)
			gram.Mul(third, third.T())
			product.Mul(third, twoThirds)
			if d := difference(&gram, id); d > 1e-10 {
				t.Errorf("n = %d: not orthogonal, by %v", n, d)
			}
			if d := difference(&product, q); d > 1e-7 {
				t.Errorf("n = %d: Q^(1/3) Q^(2/3) differs from Q by %v", n, d)
			}
		}
	}
	// The trace of a rotation from the Haar measure has mean 0 and variance 1.
	var sum, square float64
	const draws = 2000
	for seed := range uint64(draws) {
		tr := mat.Trace(NewRotationPath(6, rand.New(rand.NewPCG(seed, 8))).At(1))
		sum += tr / draws
		square += tr * tr / draws
	}
	if math.Abs(sum) > 0.1 || math.Abs(square-1) > 0.15 {
		t.Errorf("traces: mean %v, mean square %v", sum, square)
	}
}

// TestRotationAngles compares the mean and the deviation of the cosine of each angle, in order, with
// those of rotations from the Haar measure, whose symmetric part has them for eigenvalues.
func TestRotationAngles(t *testing.T) {
	const draws = 4000
	rnd := rand.New(rand.NewPCG(9, 7))
	for _, n := range []int{1, 2, 3, 4, 5, 7, 10} {
		got, want := make([]Null, n/2), make([]Null, n/2)
		for range draws {
			angles := rotationAngles(n, rnd)
			if len(angles) != n/2 {
				t.Fatalf("n = %d: %d angles", n, len(angles))
			}
			for k, a := range angles {
				got[k].Draws = append(got[k].Draws, math.Cos(a))
			}
			q := Rotation(n, rnd)
			if mat.Det(q) < 0 {
				for j := range n {
					q.Set(0, j, -q.At(0, j))
				}
			}
			symmetric := mat.NewSymDense(n, nil)
			for i := range n {
				for j := range i + 1 {
					symmetric.SetSym(i, j, (q.At(i, j)+q.At(j, i))/2)
				}
			}
			var e mat.EigenSym
			e.Factorize(symmetric, false)
			for k := range want { // each twice, rising
				want[k].Draws = append(want[k].Draws, e.Values(nil)[2*k])
			}
		}
		for k := range got {
			g, w := got[k], want[k]
			if d, se := g.Mean()-w.Mean(), w.Std()*math.Sqrt(2.0/draws); math.Abs(d) > 4*se {
				t.Errorf("n = %d, angle %d: mean cosine %v, want %v, with a standard error of %v", n, k, g.Mean(), w.Mean(), se)
			}
			if ratio := g.Std() / w.Std(); math.Abs(ratio-1) > 4/math.Sqrt(draws) {
				t.Errorf("n = %d, angle %d: deviation of cosines %v, want %v", n, k, g.Std(), w.Std())
			}
		}
	}
}

// TestWithin compares with the correlations of the moments that a Pair is of.
func TestWithin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 1))
	x, y := make([]float32, 200*4), make([]float32, 200*3)
	for i := range x {
		x[i] = float32(rnd.NormFloat64()) + x[max(0, i-1)]
	}
	for i := range y {
		y[i] = float32(rnd.NormFloat64()) + x[i]
	}
	m := NewMoments(4, 3)
	if err := m.Add(200, x, y); err != nil {
		t.Fatal(err)
	}
	a, b := m.Pair(0, 1).Within()
	for n, got := range []*mat.SymDense{a, b} {
		if want := m.Correlation(nil, n, n); !mat.EqualApprox(got, want, 1e-9) {
			t.Errorf("network %d: %v, want %v", n, mat.Formatted(got), mat.Formatted(want))
		}
	}
	if a, b := m.PairOf(0, 1, nil, []int{2}).Within(); !a.IsEmpty() || math.Abs(b.At(0, 0)-1) > 1e-12 {
		t.Errorf("of no unit %v, of one %v", a, b)
	}
}
