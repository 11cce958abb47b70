package spectral

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// reference is the results of numpy, scipy and scikit-learn: see testdata/clusters.py.
type reference struct {
	Trees []struct {
		Points  [][]float64
		Methods map[string]struct {
			Linkage    [][]float64
			Cophenetic []float64 // upper triangle
			Cost       float64   // between neighbours in the optimal order
		}
	}
	Clusterings []struct {
		Units      [][]float64
		K          int
		Kinds      []int
		Spectra    map[string][]float64
		KMeans     []int
		QR         []int `json:"cluster_qr"`
		Silhouette []float64
		Other      []int
		Rand       float64
	}
}

func readReference(t *testing.T) *reference {
	t.Helper()
	data, err := os.ReadFile("testdata/clusters.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(reference)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// pairwise returns f of each two rows.
func pairwise(rows [][]float64, f func(a, b []float64) float64) *mat.SymDense {
	s := mat.NewSymDense(len(rows), nil)
	for i, a := range rows {
		for j := i; j < len(rows); j++ {
			s.SetSym(i, j, f(a, rows[j]))
		}
	}
	return s
}

func correlation(a, b []float64) float64 {
	n := float64(len(a))
	ma, mb := floats.Sum(a)/n, floats.Sum(b)/n
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

var methods = map[string]Linkage{"average": Average, "complete": Complete, "single": Single, "ward": Ward}

func TestLinkageReference(t *testing.T) {
	for _, tree := range readReference(t).Trees {
		n := len(tree.Points)
		distances := pairwise(tree.Points, func(a, b []float64) float64 { return floats.Distance(a, b, 2) })
		for name, want := range tree.Methods {
			got, err := Link(context.Background(), distances, LinkageOptions{Method: methods[name], Distances: true})
			if err != nil {
				t.Fatal(err)
			}
			z := got.Linkage()
			for i, row := range want.Linkage {
				if !floats.EqualApprox(z.RawRowView(i), row, 1e-12) {
					t.Errorf("%s of %d: merge %d is %v, want %v", name, n, i, z.RawRowView(i), row)
				}
			}
			c, at := got.Cophenetic(nil), 0
			for i := range n {
				for j := i + 1; j < n; j++ {
					if math.Abs(c.At(i, j)-want.Cophenetic[at]) > 1e-12 {
						t.Errorf("%s of %d: %d and %d join at %v, want %v", name, n, i, j, c.At(i, j), want.Cophenetic[at])
					}
					at++
				}
			}
			order, err := got.OptimalOrder(context.Background(), distances)
			if err != nil {
				t.Fatal(err)
			}
			var cost float64
			for i := 1; i < n; i++ {
				cost += distances.At(order[i-1], order[i])
			}
			// scipy's order is not always the best one (of 7 points by single linkage).
			if cost > want.Cost+1e-9 {
				t.Errorf("%s of %d: the order costs %v, scipy's %v", name, n, cost, want.Cost)
			}
			if best := leastCost(got, distances); n <= 7 && math.Abs(cost-best) > 1e-12 {
				t.Errorf("%s of %d: the order costs %v, the best of all %v", name, n, cost, best)
			}
			checkOrder(t, got, order)
		}
		// Inner products determine the same distances.
		products := pairwise(tree.Points, floats.Dot)
		got, err := Link(context.Background(), products, LinkageOptions{Method: Ward})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range tree.Methods["ward"].Linkage {
			if math.Abs(got.Merges[i].Height-row[2]) > 1e-12*(1+row[2]) {
				t.Errorf("Ward of inner products: merge %d at %v, want %v", i, got.Merges[i].Height, row[2])
			}
		}
	}
}

// leastCost tries all ways to draw a tree of a few leaves.
func leastCost(t *Tree, distances mat.Symmetric) float64 {
	if len(t.Merges) > 6 {
		return math.NaN()
	}
	least := math.Inf(1)
	for flips := range 1 << len(t.Merges) {
		drawn := &Tree{N: t.N}
		for i, m := range t.Merges {
			if flips>>i&1 == 1 {
				m.A, m.B = m.B, m.A
			}
			drawn.Merges = append(drawn.Merges, m)
		}
		order := drawn.Order()
		var cost float64
		for i := 1; i < len(order); i++ {
			cost += distances.At(order[i-1], order[i])
		}
		least = min(least, cost)
	}
	return least
}

// checkOrder checks that the leaves of each cluster are neighbours.
func checkOrder(t *testing.T, tree *Tree, order []int) {
	t.Helper()
	first, last := make([]int, tree.N+len(tree.Merges)), make([]int, tree.N+len(tree.Merges))
	for at, leaf := range order {
		first[leaf], last[leaf] = at, at
	}
	for i, m := range tree.Merges {
		id := tree.N + i
		first[id], last[id] = min(first[m.A], first[m.B]), max(last[m.A], last[m.B])
		if last[id]-first[id]+1 != m.Size {
			t.Fatalf("the leaves of merge %d lie apart in %v", i, order)
		}
	}
}

func TestClusterReference(t *testing.T) {
	for _, want := range readReference(t).Clusterings {
		corr := pairwise(want.Units, correlation)
		g := Affinity(nil, corr, Rule{})
		for name, l := range map[string]Laplacian{"unnormalized": Unnormalized, "symmetric": Symmetric} {
			s, err := Smallest(context.Background(), g, l, want.K, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !floats.EqualApprox(s.Values, want.Spectra[name], 1e-10*(1+want.Spectra[name][want.K-1])) {
				t.Errorf("%s eigenvalues %v, want %v", name, s.Values, want.Spectra[name])
			}
		}
		for assignment, labels := range map[Assignment][]int{KMeansAssignment: want.KMeans, PivotedQRAssignment: want.QR} {
			c, err := Cluster(context.Background(), g, Options{K: want.K, Laplacian: RandomWalk, Assign: assignment})
			if err != nil {
				t.Fatal(err)
			}
			if r := AdjustedRand(c.Labels, labels); r != 1 {
				t.Errorf("n = %d, assignment %d: adjusted Rand index %v with scikit-learn", len(labels), assignment, r)
			}
		}
		distances := pairwise(want.Units, func(a, b []float64) float64 { return 1 - correlation(a, b) })
		if s := Silhouette(distances, want.Kinds); !floats.EqualApprox(s, want.Silhouette, 1e-12) {
			t.Errorf("silhouette %v, want %v", s, want.Silhouette)
		}
		if r := AdjustedRand(want.Kinds, want.Other); math.Abs(r-want.Rand) > 1e-14 {
			t.Errorf("adjusted Rand index %v, want %v", r, want.Rand)
		}
	}
}
