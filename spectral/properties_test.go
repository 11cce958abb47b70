package spectral

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// randomSymmetric has entries in [0, 1), and a few that tie.
func randomSymmetric(rnd *rand.Rand, n int) *mat.SymDense {
	s := newSym(n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			v := rnd.Float64()
			if rnd.IntN(4) == 0 {
				v = math.Round(4*v) / 4
			}
			s.SetSym(i, j, v)
		}
	}
	return s
}

// TestTreeProperties: heights are monotone, single linkage is the minimum spanning tree,
// and a cut by height is a cut by count.
func TestTreeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		d := randomSymmetric(rnd, n)
		method := Linkage(rapid.IntRange(int(Average), int(Ward)).Draw(t, "method"))
		for _, distances := range []bool{true, false} {
			if method == Ward && !distances {
				continue // these are no inner products
			}
			tree, err := Link(context.Background(), d, LinkageOptions{Method: method, Distances: distances})
			if err != nil {
				t.Fatal(err)
			}
			heights := make([]float64, len(tree.Merges))
			for i, m := range tree.Merges {
				heights[i] = m.Height
			}
			rising := slices.Clone(heights)
			if !distances {
				slices.Reverse(rising)
			}
			if !slices.IsSorted(rising) {
				t.Fatalf("heights %v", heights)
			}
			for k := 1; k <= n; k++ {
				if merges := n - k; merges > 0 && (k == 1 || heights[merges] != heights[merges-1]) {
					if !slices.Equal(tree.Cut(k), tree.CutHeight(heights[merges-1])) {
						t.Fatalf("cutting into %d differs from cutting at %v", k, heights[merges-1])
					}
				}
			}
			if method == Single && distances {
				if edges := spanning(d); !floats.EqualApprox(heights, edges, 1e-15) {
					t.Fatalf("heights %v, edges of the spanning tree %v", heights, edges)
				}
			}
		}
	})
}

// spanning returns the rising edges of the minimum spanning tree, by Prim's algorithm.
func spanning(d mat.Symmetric) []float64 {
	n := d.SymmetricDim()
	var edges []float64
	nearest := make([]float64, n)
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	inTree := make([]bool, n)
	for at := 0; len(edges) < n-1; {
		inTree[at] = true
		next := -1
		for j := range n {
			if inTree[j] {
				continue
			}
			nearest[j] = min(nearest[j], d.At(at, j))
			if next < 0 || nearest[j] < nearest[next] {
				next = j
			}
		}
		edges = append(edges, nearest[next])
		at = next
	}
	slices.Sort(edges)
	return edges
}

// TestSmallest compares with all eigenvalues, where the space is small beside the graph,
// for graphs that are whole, in parts, and with eigenvalues that occur again and again.
func TestSmallest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	const n = 300
	graphs := map[string]*mat.SymDense{"whole": randomSymmetric(rnd, n)}
	disconnected, multiple := newSym(n), newSym(n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			if i%11 == j%11 {
				disconnected.SetSym(i, j, rnd.Float64())
			}
			if i/10 == j/10 {
				multiple.SetSym(i, j, 1) // 30 parts with eigenvalues 0 and 10
			} else {
				multiple.SetSym(i, j, 0.01)
			}
		}
	}
	for j := range n { // an isolated vertex
		disconnected.SetSym(min(7, j), max(7, j), 0)
	}
	graphs["in parts"], graphs["alike"] = disconnected, multiple
	for name, g := range graphs {
		for _, l := range []Laplacian{Unnormalized, Symmetric, RandomWalk} {
			const k = 20
			spectrum, err := Decompose(context.Background(), g, l, k, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{1, 3} {
				smallest, err := Smallest(context.Background(), g, l, k, threads)
				if err != nil {
					t.Fatal(err)
				}
				scale := spectrum.Values[n-1]
				if !floats.EqualApprox(smallest.Values, spectrum.Values[:k], 1e-10*scale) {
					t.Errorf("%s, Laplacian %d: eigenvalues %v, want %v", name, l, smallest.Values, spectrum.Values[:k])
				}
				if r := floats.Max(smallest.Residuals); r > 1e-7*scale {
					t.Errorf("%s, Laplacian %d: residual %g", name, l, r)
				}
				var gram mat.Dense
				gram.Mul(smallest.Vectors.T(), smallest.Vectors)
				for i := range k {
					for j := range i {
						if l != RandomWalk && math.Abs(gram.At(i, j)) > 1e-10 {
							t.Fatalf("%s, Laplacian %d: vectors %d and %d have the product %g", name, l, i, j, gram.At(i, j))
						}
					}
				}
			}
		}
	}
}

func TestMutualNeighbors(t *testing.T) {
	// Everybody's nearest is 0, whose own are 1 and 2.
	corr := mat.NewSymDense(5, []float64{
		1, .9, .8, .7, .6,
		0, 1, .3, .1, .2,
		0, 0, 1, .1, -.9,
		0, 0, 0, 1, .5,
		0, 0, 0, 0, 1,
	})
	g := Affinity(nil, corr, Rule{Neighbors: 2})
	want := mat.NewSymDense(5, []float64{
		0, .9, .8, 0, 0,
		0, 0, .3, 0, 0,
		0, 0, 0, 0, 0,
		0, 0, 0, 0, .5,
		0, 0, 0, 0, 0,
	})
	if !mat.Equal(g, want) {
		t.Errorf("got %v", mat.Formatted(g))
	}
	if complete := Affinity(nil, corr, Rule{Neighbors: 9}); !mat.Equal(complete, Affinity(nil, corr, Rule{})) {
		t.Errorf("more neighbours than vertices: %v", mat.Formatted(complete))
	}
}

func TestCombineAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	joint := randomSymmetric(rnd, 9)
	block := func(r0, r1, c0, c1 int) mat.Matrix {
		b := mat.NewDense(r1-r0, c1-c0, nil)
		for i := range r1 - r0 {
			for j := range c1 - c0 {
				b.Set(i, j, joint.At(r0+i, c0+j))
			}
		}
		return b
	}
	got := CombineAll([][]mat.Matrix{
		{block(0, 2, 0, 2), block(0, 2, 2, 5), block(0, 2, 5, 9)},
		{block(2, 5, 2, 5), block(2, 5, 5, 9)},
		{block(5, 9, 5, 9)},
	})
	if !mat.Equal(got, joint) {
		t.Errorf("got %v", mat.Formatted(got))
	}
	mustPanic(t, badShape, func() { CombineAll([][]mat.Matrix{{block(0, 2, 0, 2)}, {block(2, 5, 2, 5)}}) })
	mustPanic(t, badShape, func() {
		CombineAll([][]mat.Matrix{{block(0, 2, 0, 2), block(0, 3, 2, 5)}, {block(2, 5, 2, 5)}})
	})
}

func TestQuality(t *testing.T) {
	g := mat.NewSymDense(5, []float64{
		0, 2, 1, 0, 0,
		0, 0, 0, 0, 0,
		0, 0, 0, 4, 0,
		0, 0, 0, 0, 0,
		0, 0, 0, 0, 0,
	})
	// Cut 1 of degrees 3+2 and of 5+4.
	if got := NormalizedCut(g, []int{0, 0, 1, 1, -1}); math.Abs(got-(1./5+1./9)) > 1e-15 {
		t.Errorf("normalised cut %v", got)
	}
	if got := NormalizedCut(g, []int{0, 0, 0, 0, 1}); got != 0 {
		t.Errorf("normalised cut of parts %v", got)
	}
	for _, c := range []struct {
		a, b []int
		want float64
	}{
		{[]int{0, 0, 1, 1}, []int{1, 1, 0, 0}, 1},
		{[]int{0, 0, 1, 1}, []int{0, 1, 0, 1}, -0.5},
		{[]int{0, 0, 0}, []int{0, 0, 0}, 1},
		{[]int{0, 1, 2}, []int{2, 1, 0}, 1},
		{[]int{0, 0, 0}, []int{0, 1, 2}, 0},
		{[]int{0, 0, 1, -1}, []int{0, 0, 1, 0}, 1},
		{nil, nil, 1},
	} {
		if got := AdjustedRand(c.a, c.b); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%v and %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
	if s := Silhouette(g, []int{0, 0, 0, 1, -1}); !math.IsNaN(s[4]) || s[3] != 0 {
		t.Errorf("silhouette %v", s)
	}
	if s := Silhouette(g, []int{0, 0, 0, 0, 0}); floats.Norm(s, 1) != 0 {
		t.Errorf("silhouette of one cluster %v", s)
	}
}

func TestStability(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	draw := func(noise float64) mat.Symmetric {
		g := newSym(40)
		for i := range 40 {
			for j := i + 1; j < 40; j++ {
				w := noise * rnd.Float64()
				if i%3 == j%3 {
					w++
				}
				g.SetSym(i, j, w)
			}
		}
		return g
	}
	o := Options{Laplacian: Symmetric}
	c, err := Cluster(context.Background(), draw(0.1), o)
	if err != nil || c.K != 3 {
		t.Fatal(c, err)
	}
	indices, err := Stability(context.Background(), c, o, 5, func(int) (mat.Symmetric, error) { return draw(0.1), nil })
	if err != nil || !slices.Equal(indices, []float64{1, 1, 1, 1, 1}) {
		t.Errorf("clear clusters: %v, %v", indices, err)
	}
	indices, err = Stability(context.Background(), c, o, 5, func(int) (mat.Symmetric, error) { return draw(100), nil })
	if err != nil || floats.Max(indices) > 0.5 {
		t.Errorf("no clusters: %v, %v", indices, err)
	}
	failure := errors.New("no images")
	if _, err := Stability(context.Background(), c, o, 5, func(int) (mat.Symmetric, error) { return nil, failure }); err != failure {
		t.Errorf("error %v", err)
	}
}

func TestPivotedQR(t *testing.T) {
	if labels, err := PivotedQR(new(mat.Dense)); len(labels) != 0 || err != nil {
		t.Errorf("nothing: %v, %v", labels, err)
	}
	// Indicators of three clusters, in another basis.
	x := mat.NewDense(6, 3, nil)
	for i := range 6 {
		x.Set(i, i%3, math.Sqrt(0.5))
	}
	var q mat.QR
	q.Factorize(randomSymmetric(rand.New(rand.NewPCG(1, 1)), 3))
	var turn mat.Dense
	q.QTo(&turn)
	x.Mul(x, &turn)
	labels, err := PivotedQR(x)
	if err != nil || !slices.Equal(labels, []int{0, 1, 2, 0, 1, 2}) {
		t.Errorf("labels %v, %v", labels, err)
	}
	mustPanic(t, badClusters, func() { PivotedQR(mat.NewDense(2, 3, nil)) })
}

func TestNewick(t *testing.T) {
	tree := &Tree{N: 3, Distances: true, Merges: []Merge{{0, 2, 1, 2}, {1, 3, 2.5, 3}}}
	if got := tree.Newick([]string{"a", "b c", "it's"}); got != "('b c':2.5,(a:1,'it''s':1):1.5);" {
		t.Error(got)
	}
	if got := (&Tree{N: 1}).Newick(nil); got != "0;" {
		t.Error(got)
	}
	if got := new(Tree).Newick(nil); got != ";" {
		t.Error(got)
	}
	mustPanic(t, badShape, func() { tree.Newick([]string{"a"}) })
}
