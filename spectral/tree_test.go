package spectral

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// checkTree certifies a tree by average linkage.
func checkTree(t interface{ Fatalf(string, ...any) }, sim mat.Symmetric, tree *Tree) {
	checkMerges(t, sim.SymmetricDim(), meanSimilarity(sim), 1e-12, tree)
}

// meanSimilarity returns the mean similarity of two clusters of leaves.
func meanSimilarity(sim mat.Symmetric) func(a, b []int) float64 {
	return func(a, b []int) float64 { return blockSum(sim, a, b) / float64(len(a)*len(b)) }
}

// checkMerges replays the merges by the definition of how near two clusters of leaves are:
// each must be of the claimed height and size, and no pair of clusters may have been
// nearer. It certifies a tree whether or not similarities tie.
func checkMerges(t interface{ Fatalf(string, ...any) }, n int, similarity func(a, b []int) float64, tol float64, tree *Tree) {
	if tree.N != n || len(tree.Merges) != max(n-1, 0) {
		t.Fatalf("%d leaves, %d merges, want %d", tree.N, len(tree.Merges), n)
	}
	cluster := make(map[int][]int)
	for i := range n {
		cluster[i] = []int{i}
	}
	for i, m := range tree.Merges {
		a, b := cluster[m.A], cluster[m.B]
		if a == nil || b == nil || m.A >= m.B || m.Size != len(a)+len(b) {
			t.Fatalf("merge %d: %+v of %v and %v", i, m, a, b)
		}
		height := func(m Merge) float64 {
			if tree.Distances {
				return -m.Height
			}
			return m.Height
		}
		if i > 0 && height(m) > height(tree.Merges[i-1]) {
			t.Fatalf("merge %d is nearer than the one before", i)
		}
		if got := similarity(a, b); math.Abs(got-height(m)) > tol {
			t.Fatalf("merge %d: height %v, but they are %v near", i, m.Height, got)
		}
		for p, x := range cluster {
			for q, y := range cluster {
				if p < q && similarity(x, y) > height(m)+tol {
					t.Fatalf("merge %d of height %v, though %d and %d are %v near", i, m.Height, p, q, similarity(x, y))
				}
			}
		}
		delete(cluster, m.A)
		delete(cluster, m.B)
		cluster[n+i] = append(slices.Clone(a), b...)
	}
}

// naiveLinkage is average linkage by its definition, in O(n³) pair averages.
func naiveLinkage(sim mat.Symmetric) *Tree {
	n := sim.SymmetricDim()
	t := &Tree{N: n}
	ids, leaves := make([]int, n), make([][]int, n)
	for i := range n {
		ids[i], leaves[i] = i, []int{i}
	}
	for len(ids) > 1 {
		a, b, best := 0, 0, math.Inf(-1)
		for i := range ids {
			for j := range i {
				if s := blockSum(sim, leaves[i], leaves[j]) / float64(len(leaves[i])*len(leaves[j])); s > best {
					a, b, best = j, i, s
				}
			}
		}
		joined := append(slices.Clone(leaves[a]), leaves[b]...)
		t.Merges = append(t.Merges, Merge{min(ids[a], ids[b]), max(ids[a], ids[b]), best, len(joined)})
		ids[a], leaves[a] = n+len(t.Merges)-1, joined
		ids, leaves = slices.Delete(ids, b, b+1), slices.Delete(leaves, b, b+1)
	}
	return t
}

func TestLinkageAgainstDefinition(t *testing.T) {
	rng := newRand(6)
	for n := range 40 {
		sim := graph(n, func(i, j int) float64 { return rng.NormFloat64() })
		got, err := AverageLinkage(sim)
		if err != nil {
			t.Fatal(err)
		}
		want := naiveLinkage(sim)
		if !slices.EqualFunc(got.Merges, want.Merges, func(a, b Merge) bool {
			return a.A == b.A && a.B == b.B && a.Size == b.Size && math.Abs(a.Height-b.Height) < 1e-12
		}) {
			t.Errorf("n=%d: %+v, want %+v", n, got.Merges, want.Merges)
		}
		checkTree(t, sim, got)
	}
}

func TestLinkageWithTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 14).Draw(t, "n")
		weight := rapid.SampledFrom([]float64{-1, 0, 0, 0.1, 0.3, 1})
		sim := graph(n, func(i, j int) float64 { return weight.Draw(t, "w") })
		tree, err := AverageLinkage(sim)
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, sim, tree)
		checkCuts(t, tree)
	})
}

// checkCuts checks the order and every cut of a tree against each other.
func checkCuts(t interface{ Fatalf(string, ...any) }, tree *Tree) {
	order := tree.Order()
	sorted := slices.Sorted(slices.Values(order))
	for i, leaf := range sorted {
		if i != leaf {
			t.Fatalf("order %v is no permutation", order)
		}
	}
	for k := min(1, tree.N); k <= tree.N; k++ {
		labels := tree.Cut(k)
		if len(labels) != tree.N || !isCanonical(labels) || len(labels) > 0 && slices.Max(labels) != k-1 {
			t.Fatalf("cut into %d: %v", k, labels)
		}
		runs := 0 // clusters are contiguous in the order
		for i, leaf := range order {
			if i == 0 || labels[leaf] != labels[order[i-1]] {
				runs++
			}
		}
		if runs != k {
			t.Fatalf("cut into %d clusters has %d runs in order %v", k, runs, order)
		}
		if k < tree.N { // merges of the last height or more: k clusters, or fewer if the next ones tie
			at := tree.CutHeight(tree.Merges[tree.N-k-1].Height)
			if slices.Max(at) > k-1 {
				t.Fatalf("cut at the height of merge %d leaves %v", tree.N-k-1, at)
			}
		}
	}
}

func TestTreeByHand(t *testing.T) {
	sim := mat.NewSymDense(5, []float64{
		0, 0.1, 0.9, 0.1, 0,
		0, 0, 0.2, 0.1, 0.8,
		0, 0, 0, 0.1, 0,
		0, 0, 0, 0, 0.1,
		0, 0, 0, 0, 0,
	})
	tree, err := AverageLinkage(sim)
	if err != nil {
		t.Fatal(err)
	}
	want := []Merge{{0, 2, 0.9, 2}, {1, 4, 0.8, 2}, {3, 5, 0.1, 3}, {6, 7, 0.1, 5}}
	if math.Abs(tree.Merges[3].Height-0.5/6) > 1e-15 {
		t.Errorf("last height %v", tree.Merges[3].Height)
	}
	tree.Merges[3].Height = 0.1
	if !slices.Equal(tree.Merges, want) {
		t.Errorf("%+v, want %+v", tree.Merges, want)
	}
	for h, want := range map[float64][]int{
		1:    {0, 1, 2, 3, 4},
		0.9:  {0, 1, 0, 2, 3},
		0.5:  {0, 1, 0, 2, 1},
		-0.5: {0, 0, 0, 0, 0},
	} {
		if got := tree.CutHeight(h); !slices.Equal(got, want) {
			t.Errorf("cut at %v: %v, want %v", h, got, want)
		}
	}
	if got := tree.Order(); !slices.Equal(got, []int{1, 4, 3, 0, 2}) {
		t.Errorf("order %v", got)
	}
	mustPanic(t, badClusters, func() { tree.Cut(0) })
	mustPanic(t, badClusters, func() { tree.Cut(6) })

	sim.SetSym(2, 4, math.NaN())
	if _, err := AverageLinkage(sim); err == nil {
		t.Error("NaN passed")
	}
}

// TestMappingTree compares the tree of a small mapping with scipy's.
func TestMappingTree(t *testing.T) {
	data, err := os.ReadFile("testdata/mapping.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Linkage [][]float64 }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	tree := mappingTree(t, "testdata/mapping.npy")
	if len(tree.Merges) != len(want.Linkage) {
		t.Fatalf("%d merges, want %d", len(tree.Merges), len(want.Linkage))
	}
	z := tree.Linkage()
	for i, row := range want.Linkage {
		if !floats.EqualApprox(z.RawRowView(i), row, 1e-12) {
			t.Errorf("merge %d is %v, want %v", i, z.RawRowView(i), row)
		}
	}
}

// TestPaperTree compares the tree of the authors' conv1 mapping with heights by scipy.
func TestPaperTree(t *testing.T) {
	const file = "../../shared/data/paper/mapping_conv1_lambda1e-2.6.npy"
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is absent: the authors' mappings are not part of the module; TestMappingTree does the same with a small one", file)
	}
	tree := mappingTree(t, file)
	if len(tree.Merges) != 191 {
		t.Errorf("%d merges, want 191", len(tree.Merges))
	}
	for i, want := range []float64{0.48882, 0.48007, 0.47284, 0.45251, 0.44893, 0.44558} {
		if got := tree.Merges[i].Height; math.Abs(got-want) > 5e-6 {
			t.Errorf("height %d is %.5f, want %.5f", i, got, want)
		}
	}
	count := 0
	for _, m := range tree.Merges {
		if m.Height > 0.01 {
			count++
		}
	}
	if count != 149 {
		t.Errorf("%d merges above 0.01, want 149", count)
	}
}

// mappingTree returns the average-linkage tree of the mapping in a file, targets x sources,
// and certifies it.
func mappingTree(t *testing.T, file string) *Tree {
	t.Helper()
	b := MappingGraph(readNpy(t, file).T())
	tree, err := AverageLinkage(b)
	if err != nil {
		t.Fatal(err)
	}
	checkCuts(t, tree)
	if b.SymmetricDim() < 100 || !testing.Short() {
		checkTree(t, b, tree)
	}
	return tree
}

// readNpy reads a little-endian float32 matrix in C order.
func readNpy(t *testing.T, name string) *mat.Dense {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	start := 10 + int(binary.LittleEndian.Uint16(file[8:]))
	header := regexp.MustCompile(`'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)`).FindSubmatch(file[10:start])
	if header == nil {
		t.Fatalf("%s: unexpected header %q", name, file[10:start])
	}
	rows, _ := strconv.Atoi(string(header[1]))
	cols, _ := strconv.Atoi(string(header[2]))
	m := mat.NewDense(rows, cols, nil)
	for i := range rows * cols {
		bits := binary.LittleEndian.Uint32(file[start+4*i:])
		m.Set(i/cols, i%cols, float64(math.Float32frombits(bits)))
	}
	return m
}
