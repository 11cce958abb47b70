package identification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// drawn are networks whose activations are random numbers.
type drawn struct {
	images   int
	features []int
	data     [][][]float32 // by network and layer
}

func (d drawn) Trained() ([]results.Network, error) {
	return make([]results.Network, len(d.data)), nil
}
func (d drawn) LayerNames() []string {
	var names []string
	for l := range d.features {
		names = append(names, fmt.Sprint("layer", l+1))
	}
	return names
}
func (d drawn) Features() []int                 { return d.features }
func (d drawn) Looked() int                     { return d.images }
func (d drawn) Key(network int) (string, error) { return fmt.Sprint(network), nil }
func (d drawn) Flattened(_ context.Context, network int, layers []int) ([][]float32, error) {
	var all [][]float32
	for _, l := range layers {
		all = append(all, append([]float32(nil), d.data[network][l]...))
	}
	return all, nil
}

// draw makes networks whose layers are ReLUs of random combinations of what all networks
// see, the further on the fewer of it. Layers of more features than images span everything.
func draw(networks, images int, features []int) drawn {
	rnd := rand.New(rand.NewPCG(1, uint64(images)))
	d := drawn{images: images, features: features}
	const seen = 40
	x := make([]float64, images*seen)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	for range networks {
		var layers [][]float32
		for l, p := range features {
			w := make([]float64, seen*p)
			for k := range w {
				if k/p < seen/(l+1) {
					w[k] = rnd.NormFloat64()
				}
			}
			y := make([]float32, images*p)
			for i := range images {
				for j := range p {
					v := 2.0
					for k := range seen {
						v += x[i*seen+k] * w[k*p+j]
					}
					y[i*p+j] = float32(max(0, v))
				}
			}
			layers = append(layers, y)
		}
		d.data = append(d.data, layers)
	}
	return d
}

func (d drawn) run(t *testing.T, dir string, threads int) *Result {
	t.Helper()
	r, err := Run(t.Context(), d, Options{Matrices: dir, Spans: len(d.data), Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// gram is that of a layer.
func (d drawn) gram(network, layer int) *corr.Gram {
	g := corr.NewGram(d.images)
	if err := g.Add(nil, corr.Rows(d.data[network][layer], d.images, d.features[layer], d.features[layer])); err != nil {
		panic(err)
	}
	return g
}

// columns is an orthonormal basis of the centred features, by singular values.
func (d drawn) columns(network, layer int) (x, q *mat.Dense) {
	p := d.features[layer]
	x = mat.NewDense(d.images, p, nil)
	for j := range p {
		var mean float64
		for i := range d.images {
			mean += float64(d.data[network][layer][i*p+j]) / float64(d.images)
		}
		for i := range d.images {
			x.Set(i, j, float64(d.data[network][layer][i*p+j])-mean)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		panic("no singular values")
	}
	rank := 0
	for _, v := range svd.Values(nil) {
		if v > 1e-5*svd.Values(nil)[0] {
			rank++
		}
	}
	var u mat.Dense
	svd.UTo(&u)
	return x, mat.DenseCopyOf(u.Slice(0, d.images, 0, rank))
}

// TestMeasures compares mean similarities, and decisions, with those of corr and of
// singular value decompositions, pair by pair. The second layer has a feature twice, the
// first spans everything.
func TestMeasures(t *testing.T) {
	d := draw(3, 70, []int{200, 30, 9})
	for network := range d.data {
		y := d.data[network][1]
		for i := range d.images {
			y[i*30+29] = 3*y[i*30+2] - y[i*30+5] + 1
		}
	}
	r := d.run(t, t.TempDir(), 2)
	if got := [3]int{r.Layers[0].Dimension[1], r.Layers[1].Dimension[1], r.Layers[2].Dimension[1]}; got != [3]int{69, 29, 9} {
		t.Errorf("features span %v dimensions", got)
	}
	var xs, qs [3][3]*mat.Dense
	var grams [3][3]map[float64]*corr.Gram // by width; 0 is linear
	for network := range 3 {
		for layer := range 3 {
			xs[network][layer], qs[network][layer] = d.columns(network, layer)
			g := d.gram(network, layer)
			grams[network][layer] = map[float64]*corr.Gram{0: g, 0.2: must(g.RBF(0.2)), 0.4: must(g.RBF(0.4)), 0.8: must(g.RBF(0.8))}
		}
	}
	explained := func(a, i, b, j int) float64 { // |Q^T X|^2 / |X|^2
		var c mat.Dense
		c.Mul(qs[b][j].T(), xs[a][i])
		return math.Pow(c.Norm(2)/xs[a][i].Norm(2), 2)
	}
	pair := func(a, i, b, j int, width float64) *corr.GramPair {
		return must(corr.NewGramPair(grams[a][i][width], grams[b][j][width]))
	}
	figures := map[string]func(a, i, b, j int) float64{
		"linear CKA":          func(a, i, b, j int) float64 { return must(pair(a, i, b, j, 0).CKA()) },
		"debiased linear CKA": func(a, i, b, j int) float64 { return must(pair(a, i, b, j, 0).DebiasedCKA()) },
		"linear regression, from the other layer": explained,
		"linear regression, to the other layer":   func(a, i, b, j int) float64 { return explained(b, j, a, i) },
		"linear regression, both ways": func(a, i, b, j int) float64 {
			return explained(a, i, b, j) + explained(b, j, a, i)
		},
		"CCA, mean square": func(a, i, b, j int) float64 {
			var c mat.Dense
			c.Mul(qs[a][i].T(), qs[b][j])
			p, o := c.Dims()
			return math.Pow(c.Norm(2), 2) / float64(min(p, o))
		},
	}
	components := func(a, i int) *mat.Dense { // those of the greatest singular values
		var svd mat.SVD
		svd.Factorize(xs[a][i], mat.SVDThin)
		var u mat.Dense
		svd.UTo(&u)
		values, count, sum := svd.Values(nil), 0, 0.0
		for sum < 0.99*math.Pow(xs[a][i].Norm(2), 2) {
			sum += values[count] * values[count]
			count++
		}
		return mat.DenseCopyOf(u.Slice(0, d.images, 0, count))
	}
	canonical := func(a, i, b, j int) []float64 {
		var c mat.Dense
		c.Mul(components(a, i).T(), components(b, j))
		var svd mat.SVD
		svd.Factorize(&c, mat.SVDNone)
		return svd.Values(nil)
	}
	figures["SVCCA, mean, of 70 images"] = func(a, i, b, j int) float64 {
		r := canonical(a, i, b, j)
		return floats.Sum(r) / float64(len(r))
	}
	figures["SVCCA, mean square, of 70 images"] = func(a, i, b, j int) float64 {
		r := canonical(a, i, b, j)
		return floats.Dot(r, r) / float64(len(r))
	}
	for _, width := range []float64{0.2, 0.4, 0.8} {
		figures[fmt.Sprintf("RBF CKA, %g of the median distance", width)] = func(a, i, b, j int) float64 {
			return must(pair(a, i, b, j, width).CKA())
		}
	}
	if len(r.Tables) != 2 || len(r.Tables[1].Layers) != 2 {
		t.Fatalf("tables of %v", r.Tables)
	}
	for table, offset := range []int{0, 1} {
		for _, m := range r.Tables[table].Measures {
			of, ok := figures[m.Name]
			if !ok {
				t.Fatalf("no figure of %q to compare with", m.Name)
			}
			layers := len(r.Tables[table].Layers)
			var identified, decisions float64
			similarity := square(layers)
			for a := range d.data {
				for b := range d.data {
					if a == b {
						continue
					}
					for i := range layers {
						best, tied := -1.0, false
						own := of(a, i+offset, b, i+offset)
						for j := range layers {
							v := of(a, i+offset, b, j+offset)
							similarity[i][j] += v / 6
							if j != i {
								best = max(best, v)
								tied = tied || math.Abs(v-own) < 1e-9
							}
						}
						if own > best && !tied {
							identified++
						}
						decisions++
					}
				}
			}
			if math.Abs(m.Identified-identified/decisions) > 1e-9 || m.Decisions != int(decisions) {
				t.Errorf("%s: %g of %d decisions are right, not %g of %g", m.Name, m.Identified, m.Decisions, identified/decisions, decisions)
			}
			for i := range layers {
				for j := range layers {
					if d := math.Abs(m.Similarity[i][j] - similarity[i][j]); !(d < 2e-6) {
						t.Errorf("%s of layers %d and %d is %g, not %g", m.Name, i+offset, j+offset, m.Similarity[i][j], similarity[i][j])
					}
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestNumPy compares with what NumPy found by the definitions (testdata/measures.py).
func TestNumPy(t *testing.T) {
	var want struct {
		Dimension  [][]int // by network and layer
		Similarity map[string][][]float64
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/measures.json")), &want); err != nil {
		t.Fatal(err)
	}
	number := func(of ...int) float64 {
		s := 1
		for _, v := range of {
			s = (s*7919 + v + 12345) % 1000003
			s = s * s % 1000003
		}
		return 2*float64(s)/1000003 - 1
	}
	const seen = 12
	d := drawn{images: 40, features: []int{60, 16, 5}}
	for network := range 3 {
		var layers [][]float32
		for l, p := range d.features {
			y := make([]float32, d.images*p)
			for i := range d.images {
				for j := range p {
					v := 0.5
					for k := range seen / (l + 1) {
						v += number(i, k) * number(network+1, l+1, k, j)
					}
					y[i*p+j] = float32(max(0, v))
				}
			}
			layers = append(layers, y)
		}
		d.data = append(d.data, layers)
	}
	r := d.run(t, t.TempDir(), 2)
	for l, of := range r.Layers {
		for network, dimension := range of.Dimension {
			if dimension != want.Dimension[network][l] {
				t.Errorf("layer %d of network %d has dimension %d, not %d", l, network, dimension, want.Dimension[network][l])
			}
		}
	}
	if len(r.Tables[0].Measures) != len(want.Similarity) {
		t.Errorf("%d measures instead of %d", len(r.Tables[0].Measures), len(want.Similarity))
	}
	for _, m := range r.Tables[0].Measures {
		for i, row := range want.Similarity[m.Name] {
			for j, v := range row {
				if d := math.Abs(m.Similarity[i][j] - v); !(d < 2e-6) {
					t.Errorf("%s of layers %d and %d is %g, not %g", m.Name, i, j, m.Similarity[i][j], v)
				}
			}
		}
	}
}

// TestSpan compares what rows span where features are more than images but do not span
// everything, since some images are the same: with the projection of singular vectors.
func TestSpan(t *testing.T) {
	d := draw(2, 60, []int{90, 20})
	for network := range d.data {
		y := d.data[network][0]
		copy(y[50*90:], y[:10*90]) // 10 images twice
	}
	r := d.run(t, t.TempDir(), 1)
	if got := r.Layers[0].Dimension[0]; got != 49 {
		t.Errorf("50 different images span %d dimensions, not 49", got)
	}
	if len(r.Tables) != 1 {
		t.Error("no layer spans everything, and yet there are two tables")
	}
	var want float64
	for a := range 2 {
		_, q := d.columns(a, 0)
		_, s := d.columns(1-a, 0)
		var c mat.Dense
		c.Mul(q.T(), s)
		want += math.Pow(c.Norm(2), 2) / 49 / 2
	}
	for _, m := range r.Tables[0].Measures {
		if m.Name == "CCA, mean square" && math.Abs(m.Similarity[0][0]-want) > 1e-5 {
			t.Errorf("mean square CCA is %g, not %g", m.Similarity[0][0], want)
		}
	}
}

// TestSameBits runs with other threads, and goes on from matrices that are there.
func TestSameBits(t *testing.T) {
	d := draw(2, 50, []int{80, 30, 9})
	dir := t.TempDir()
	want := fmt.Sprint(must(Run(t.Context(), d, Options{Matrices: dir, Spans: 2, Threads: 1})).Text())
	if got := d.run(t, t.TempDir(), 3).Text(); got != want {
		t.Errorf("three threads change results:\n%s\n%s", got, want)
	}
	d2 := d
	d2.data = make([][][]float32, 2) // which are not asked for
	if got := d2.run(t, dir, 2).Text(); got != want {
		t.Errorf("matrices of before change results:\n%s\n%s", got, want)
	}
}

// TestDecisions counts ties, and gives an interval where networks are three.
func TestDecisions(t *testing.T) {
	similarity := [][]float64{{1, 1, 0}, {0.5, 0.6, 0.7}, {0, 0, 0.1}} // by layer and other layer
	of := func(a, b int) float64 { return similarity[a%3][b%3] }
	m := decide(measure{"m", 3, of}, 3, []int{0, 1, 2})
	if m.Decisions != 18 || math.Abs(m.Identified-1./3) > 1e-12 || math.Abs(m.TiesAtRandom-0.5) > 1e-12 {
		t.Errorf("%+v", m)
	}
	if math.Abs(*m.Low-1./3) > 1e-12 || math.Abs(*m.High-1./3) > 1e-12 {
		t.Errorf("networks agree, and the interval is from %g to %g", *m.Low, *m.High)
	}
	if m.Chosen[0][0] != m.Chosen[0][1] || math.Abs(m.Chosen[1][2]-1) > 1e-12 {
		t.Errorf("chosen: %v", m.Chosen)
	}
	if m := decide(measure{"m", 2, of}, 3, []int{1, 2}); m.Low != nil || math.Abs(m.Identified-0.5) > 1e-12 {
		t.Errorf("of two networks and layers: %+v", m)
	}

	// The third network's layers are its own: two of three pairs of networks hold it.
	of = func(a, b int) float64 {
		if (a/3 == 2) != (b/3 == 2) {
			return float64((b - a + 9) % 3)
		}
		if a%3 == b%3 {
			return 1
		}
		return 0
	}
	m = decide(measure{"m", 3, of}, 3, []int{0, 1, 2})
	if math.Abs(m.Identified-1./3) > 1e-12 || *m.Low != 0 || *m.High != 1 {
		t.Errorf("%+v", m)
	}
}

func TestMedianRoot(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 10, 1001, 2000} {
		for _, distinct := range []int{1, 3, 1 << 20} {
			x := make([]float32, n)
			sorted := make([]float64, n)
			for i := range x {
				x[i] = float32(rnd.IntN(distinct))
				sorted[i] = math.Sqrt(float64(x[i]))
			}
			slices.Sort(sorted)
			want := (sorted[(n-1)/2] + sorted[n/2]) / 2
			if got := medianRoot(x); got != want {
				t.Errorf("the median of %d values is %g, not %g", n, got, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*drawn)
		want   string
	}{
		{func(d *drawn) { d.data[1][1][5*30+7] = float32(math.Inf(1)) }, "network 2, layer2: image 5, feature 7: activation is +Inf"},
		{func(d *drawn) { clear(d.data[0][0]) }, "network 1, layer1: all images are the same"},
		{func(d *drawn) { clear(d.data[0][0][:40*80]) }, "more than half"},
		{func(d *drawn) { d.data = d.data[:1] }, "nothing to choose"},
		{func(d *drawn) { d.images = 3 }, "3 images"},
	} {
		d := draw(2, 50, []int{80, 30})
		c.change(&d)
		if _, err := Run(t.Context(), d, Options{Matrices: t.TempDir()}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, not %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, draw(2, 50, []int{80, 30}), Options{Matrices: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is stopped returns %v", err)
	}
}
