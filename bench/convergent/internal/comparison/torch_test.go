package comparison

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

const torchData = "../../testdata/torch/"

// torchLayer is a layer of a network that PyTorch trained.
type torchLayer struct{ File, Layer string }

// torchComparison is what numpy, scipy and scikit-learn find in two layers; see make.py
// beside the data.
type torchComparison struct {
	A, B       torchLayer
	Masked     bool
	Rows       int64
	Units      []int
	Dead       [][]int
	Semi       results.Matching `json:"semi_matching"`
	Bipartite  results.Matching `json:"bipartite_matching"`
	CKA        float64
	CCA        float64
	Procrustes float64
	Linear     float64 `json:"linear_r2"`
	Activity   struct{ Distance *float64 }
	Lasso      struct {
		Loss    float64
		NonZero map[string]float64
	}
}

type torchGrid struct {
	A, B struct {
		File   string
		Layers []string
	}
	CKA     [][]float64
	Matched [][]float64 `json:"matched_r"`
}

func torchExpected(t *testing.T) (comparisons []torchComparison, grids []torchGrid) {
	t.Helper()
	text, err := os.ReadFile(torchData + "expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Comparisons []torchComparison
		Grids       []torchGrid
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e.Comparisons, e.Grids
}

// checkTorch holds the layers of a comparison of two files to what is expected of them.
func checkTorch(t *testing.T, res *results.Results, a, b string, masked bool) {
	t.Helper()
	comparisons, grids := torchExpected(t)
	checked := 0
	for _, want := range comparisons {
		if want.A.File != a || want.B.File != b || want.Masked != masked {
			continue
		}
		checked++
		i := slices.IndexFunc(res.Layers, func(l results.Layer) bool { return slices.Equal(l.NetworkLayers, []string{want.A.Layer, want.B.Layer}) })
		if i < 0 {
			t.Errorf("no layer %s of %s", want.A.Layer, a)
			continue
		}
		checkTorchLayer(t, res.Layers[i], want)
	}
	if checked == 0 {
		t.Errorf("nothing is expected of %s and %s", a, b)
	}
	for _, want := range grids {
		if want.A.File != a || want.B.File != b {
			continue
		}
		g := res.Grids[0]
		for i, x := range want.A.Layers {
			for j, y := range want.B.Layers {
				k, l := slices.Index(g.LayersA, x), slices.Index(g.LayersB, y)
				if !near(g.CKA[k][l], want.CKA[i][j], 1e-6) || !near(g.Matched[k][l], want.Matched[i][j], 1e-6) {
					t.Errorf("%s and %s: CKA %v, matched %v, want %v and %v", x, y, *g.CKA[k][l], *g.Matched[k][l], want.CKA[i][j], want.Matched[i][j])
				}
			}
		}
	}
}

func checkTorchLayer(t *testing.T, l results.Layer, want torchComparison) {
	t.Helper()
	p := l.Pairs[0]
	if l.Rows != want.Rows || !slices.Equal(l.Units, want.Units) || !slices.Equal(l.Dead[0], want.Dead[0]) || !slices.Equal(l.Dead[1], want.Dead[1]) {
		t.Errorf("%s: %d rows, %v units, dead %v; want %d, %v, %v", l.Name, l.Rows, l.Units, l.Dead, want.Rows, want.Units, want.Dead)
	}
	if !slices.Equal(p.Semi.Partner, want.Semi.Partner) || !slices.Equal(p.Bipartite.Partner, want.Bipartite.Partner) {
		t.Errorf("%s: partners %v and %v, want %v and %v", l.Name, p.Semi.Partner, p.Bipartite.Partner, want.Semi.Partner, want.Bipartite.Partner)
	}
	for _, figure := range []struct {
		name      string
		got       *float64
		want, tol float64
	}{
		{"semi-matching", &p.Semi.Mean, want.Semi.Mean, 1e-6},
		{"matching", &p.Bipartite.Mean, want.Bipartite.Mean, 1e-6},
		{"matched", p.Measures["matched"].Value, want.Bipartite.Mean, 1e-6},
		{"cka", p.Measures["cka"].Value, want.CKA, 1e-6},
		{"cca", p.Measures["cca"].Value, want.CCA, 1e-6},
		{"procrustes", p.Measures["procrustes"].Value, want.Procrustes, 1e-6},
		{"linear", p.Measures["linear_ab"].Value, want.Linear, 1e-6},
		{"lasso loss", &p.Lasso[0].Loss, want.Lasso.Loss, 1e-6},
	} {
		if !near(figure.got, figure.want, figure.tol) {
			t.Errorf("%s: %s %v, want %v", l.Name, figure.name, *figure.got, figure.want)
		}
	}
	for key, n := range p.Lasso[0].NonZero {
		if math.Abs(n-want.Lasso.NonZero[key]) > 1e-9 {
			t.Errorf("%s: %v weights above %s, want %v", l.Name, n, key, want.Lasso.NonZero[key])
		}
	}
	if d := want.Activity.Distance; d != nil && !near(l.Activity.Distance.Value, *d, 1e-6) {
		t.Errorf("%s: distance of mean activations %v, want %v", l.Name, *l.Activity.Distance.Value, *d)
	}
}

// TestTransformers compares two transformers that PyTorch trained, by tokens of which some
// are padding: figures are those of numpy, scipy and scikit-learn, and every claim has its
// figures.
func TestTransformers(t *testing.T) {
	in := source.Options{Networks: []string{torchData + "transformer-a.npz", torchData + "transformer-b.npz"}, Layouts: arrays.Layouts{arrays.NTD}}
	out := t.TempDir()
	res := compared(t, activations{in, Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 9, Shuffles: 9}, Out: out}})
	checkTorch(t, res, "transformer-a.npz", "transformer-b.npz", true)
	for _, l := range res.Layers {
		if *l.Samples != 40 || !slices.Equal(l.Positions, []int{12}) {
			t.Errorf("%s: %d samples of %v", l.Name, *l.Samples, l.Positions)
		}
		if c := l.Convergence; len(c.Nulls) != 2 || c.Matched.Images == nil || c.Nulls[1].P == nil {
			t.Errorf("%s: claim 1 is %+v", l.Name, c)
		}
		// 40 texts are too few for other intervals than those of matched r and of the distance.
		if len(l.Subspaces.Predictions) != 7 || l.Basis.Index.P == nil || l.Basis.Index.Images != nil || l.Activity.Distance.Images == nil || len(l.Descent) != 1 {
			t.Errorf("%s: a claim lacks figures", l.Name)
		}
	}
}

// TestConvnets compares two convnets of different architecture that PyTorch trained, whose
// layers have other names, beside themselves before training, on images that are given.
func TestConvnets(t *testing.T) {
	in := source.Options{
		Networks: []string{torchData + "plain.npz", torchData + "residual.npz"}, Baseline: []string{torchData + "plain-untrained.npz", torchData + "residual-untrained.npz"},
		Layouts: arrays.Layouts{arrays.NCHW}, Pairings: []string{"plain:features1=residual:stem", "residual:block=plain:features2"}, Pictures: torchData + "images.zip",
	}
	out := t.TempDir()
	res := compared(t, activations{in, Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 9, Shuffles: 9}, Out: out}})
	checkTorch(t, res, "plain.npz", "residual.npz", false)
	comparisons, _ := torchExpected(t)
	for _, l := range res.Layers {
		i := slices.IndexFunc(comparisons, func(c torchComparison) bool {
			return c.A.File == "plain-untrained.npz" && c.A.Layer == l.NetworkLayers[0]
		})
		untrained := l.Convergence.Nulls[2]
		if untrained.Name != "untrained" || !near(&untrained.Mean, comparisons[i].Bipartite.Mean, 1e-6) {
			t.Errorf("%s: %s %v, want %v before training", l.Name, untrained.Name, untrained.Mean, comparisons[i].Bipartite.Mean)
		}
		if l.Subspaces.Predictions[0].R2.Null == nil || l.Activity.Untrained == nil {
			t.Errorf("%s: nothing of the networks before training", l.Name)
		}
		patches, err := results.OpenPatches(filepath.Join(out, "layers", l.Name))
		if err != nil || len(patches) != 2 {
			t.Fatalf("%s: patches of %d networks: %v", l.Name, len(patches), err)
		}
		for n, units := range patches {
			for u, ranks := range units {
				if dead := slices.Contains(l.Dead[n], u); dead != (len(ranks) == 0) {
					t.Errorf("%s: unit %d of network %d has %d patches", l.Name, u, n, len(ranks))
				}
			}
		}
	}
	// The same by the layers' order.
	in.Pairings, in.ByOrder = nil, true
	again := compared(t, activations{in, Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 9, Shuffles: 9}, Out: t.TempDir()}})
	checkTorch(t, again, "plain.npz", "residual.npz", false)
	for text, change := range map[string]func(*source.Options){
		"no layer \"stem\"; plain has features1, features2": func(o *source.Options) { o.Pairings = []string{"plain:stem=residual:stem"} },
		"no layer of residual":                              func(o *source.Options) { o.Pairings = []string{"plain:features1"} },
		"two layers of plain":                               func(o *source.Options) { o.Pairings = []string{"plain:features1=plain:features2"} },
		"networks are plain, residual":                      func(o *source.Options) { o.Pairings = []string{"other:x"} },
		"given twice":                                       func(o *source.Options) { o.Pairings = slices.Repeat([]string{"plain:features1=residual:stem"}, 2) },
		"give one of them":                                  func(o *source.Options) { o.Pairings, o.ByOrder = []string{"plain:features1=residual:stem"}, true },
		"(40 x 6 x 8 x 8) nhwc or nchw?":                    func(o *source.Options) { o.Layouts = nil },
		"has no layer features1":                            func(o *source.Options) { o.Baseline[0] = torchData + "residual.npz" },
	} {
		o := in
		o.ByOrder, o.Baseline = false, slices.Clone(in.Baseline)
		if change(&o); o.Pairings == nil {
			o.ByOrder = true
		}
		if _, err := source.OpenArrays(o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want an error with %q", err, text)
		}
	}
}
