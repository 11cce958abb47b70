package report

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/comparison"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// fixture is activations of one layer of a network that does not exist: units are mixtures of
// what there is to see in every sample, after a ReLU unless they are signed.
type fixture struct {
	layer      string
	units      int
	side       int // positions are a square
	signed     bool
	scale      float64
	live       int // units that ever change; 0: all
	seed       uint64
	background float64 // added to all
}

// seenFeatures is how much there is to see at a position.
const seenFeatures = 6

func (m fixture) tensor(samples int) safetensors.Tensor {
	seen, own := rand.New(rand.NewPCG(1, uint64(m.side))), rand.New(rand.NewPCG(m.seed, uint64(m.units)))
	mixture := make([]float64, m.units*seenFeatures)
	for i := range mixture {
		mixture[i] = own.NormFloat64()
	}
	if m.scale == 0 {
		m.scale = 1
	}
	x := make([]float64, 0, samples*m.side*m.side*m.units)
	for range samples * m.side * m.side {
		var features [seenFeatures]float64
		for k := range features {
			features[k] = seen.NormFloat64()
		}
		for u := range m.units {
			v := 0.3 * own.NormFloat64()
			for k, f := range features {
				v += mixture[u*seenFeatures+k] * f
			}
			if !m.signed {
				v = max(0, v)
			}
			if m.live > 0 && u >= m.live {
				v = 0
			}
			x = append(x, m.scale*v+m.background)
		}
	}
	return safetensors.Tensor{Name: m.layer, Shape: []int{samples, m.side, m.side, m.units}, F64: x}
}

// activations writes those of a network's layers, and returns the path.
func activations(t *testing.T, dir, file string, samples int, layers ...fixture) string {
	t.Helper()
	f := new(safetensors.File)
	for _, l := range layers {
		f.Tensors = append(f.Tensors, l.tensor(samples))
	}
	path := filepath.Join(dir, file+".safetensors")
	if err := safetensors.Save(path, f); err != nil {
		t.Fatal(err)
	}
	return path
}

// smallAnalysis is an analysis that takes little time.
var smallAnalysis = results.Analysis{Lambdas: []float64{0.1, 0, 0.01}, Draws: 9, Shuffles: 3}

// compare compares activations, or moments, and opens what there is.
func compare(t *testing.T, in source.Options, a results.Analysis) *results.Artifacts {
	t.Helper()
	if filepath.Ext(in.Networks[0]) == ".safetensors" && filepath.Base(in.Networks[0]) != results.MomentsFile {
		in.Layouts = arrays.Layouts{arrays.NHWC}
	}
	out := t.TempDir()
	if _, err := comparison.Compare(t.Context(), in, comparison.Options{Analysis: a, Out: out}); err != nil {
		t.Fatal(err)
	}
	return opened(t, out)
}

// moments accumulates the moments of networks.
func moments(t *testing.T, in source.Options) []string {
	t.Helper()
	in.Layouts = arrays.Layouts{arrays.NHWC}
	files, err := comparison.Accumulate(t.Context(), in, comparison.Options{}, filepath.Join(t.TempDir(), "all.moments"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// reproduce runs the study of the paper on few images, and opens what there is in its folder.
func reproduce(t *testing.T, c results.Training) (out string, a *results.Artifacts) {
	t.Helper()
	out = t.TempDir()
	if _, err := comparison.Reproduce(t.Context(), c, comparison.Options{Analysis: smallAnalysis, Out: out}); err != nil {
		t.Fatal(err)
	}
	a = opened(t, out)
	var err error
	if a.Filters, err = train.Filters(out, a.Results); err != nil {
		t.Fatal(err)
	}
	return out, a
}

func opened(t *testing.T, dir string) *results.Artifacts {
	t.Helper()
	a, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// smallStudy is a study that takes a second or so.
var smallStudy = results.Training{TrainImages: 96, TestImages: 40, Width: 0.25, Nets: 3, Epochs: 2, Batch: 32, Images: 24, Layers: []string{"conv1", "conv3"}, Widths: []float64{0.5}}

// hostileNames are names that nobody should give.
var hostileNames = []string{
	`<img src=x onerror=alert(1)>`,
	strings.Repeat("long", 75) + "A",
	strings.Repeat("long", 75) + "B",
	"a \"quoted\",\nbroken 'name' </script> \u202e=1+2",
}

// samples is how many most fixtures have.
const samples = 60

// twoLayers are those of a network.
func twoLayers(seed uint64) []fixture {
	return []fixture{{layer: "conv1", units: 8, side: 3, seed: seed}, {layer: "conv2", units: 12, side: 2, seed: seed + 10}}
}

// twoNetworks writes activations of two networks of one layer, which differ in their seeds.
func twoNetworks(t *testing.T, a, b fixture) []string {
	a.layer, b.layer, a.side, b.side, a.seed, b.seed = "layer", "layer", 2, 2, 1, 2
	dir := t.TempDir()
	return []string{activations(t, dir, "first", samples, a), activations(t, dir, "second", samples, b)}
}

// plainAndResidual writes activations of two networks of two layers.
func plainAndResidual(t *testing.T) []string {
	dir := t.TempDir()
	return []string{activations(t, dir, "plain", samples, twoLayers(1)...), activations(t, dir, "residual", samples, twoLayers(2)...)}
}

// roadCase is results of the road, with what their page must and must not say.
type roadCase struct {
	name   string
	open   func(t *testing.T) *results.Artifacts
	has    []string
	lacks  []string
	claims int
}

// paperWords are what only a run of the paper's study may say.
var paperWords = []string{"CaffeNet", "The paper found", "The paper:", "In the paper", "0.66 in conv1", "network 1", "trained from"}

// inputCases differ in what was given.
var inputCases = []roadCase{
	{"moments", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: moments(t, source.Options{Networks: plainAndResidual(t), Names: []string{"plain", "residual"}})}, smallAnalysis)
	}, []string{"Files of moments know no images", "2 networks, plain and residual", "of which files of moments were given", "positions not known", "540 observations", "Correlation of each unit of plain with its best partner in residual"},
		append([]string{"-baseline", "95 %", "held out</", "other images", "An image, where", "looked at"}, paperWords...), 4},
	{"arrays", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: plainAndResidual(t)}, smallAnalysis)
	}, []string{"No networks before training were given (-baseline)", "No images were given (-images)", "on the same 60 samples", "8 units in each network, 3 × 3 positions, 540 observations", "95 %", "Student's t", "On images held out", "Every layer of plain (rows) beside every layer of residual",
		"What does stopped descent hide?", "product of the numbers of live units", "a unit with itself left out", "of the samples that the prediction was fitted to"},
		append([]string{"untrained", "resampled", "1.96", "adjusted"}, paperWords...), 5},
	{"arrays with a baseline", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		before := []string{activations(t, dir, "plain0", samples, twoLayers(3)...), activations(t, dir, "residual0", samples, twoLayers(4)...)}
		return compare(t, source.Options{Networks: plainAndResidual(t), Baseline: before}, smallAnalysis)
	}, []string{"Before training, the same networks match by", "full, untrained", "from untrained", "-baseline plain0.safetensors,residual0.safetensors"}, append([]string{"(-baseline)"}, paperWords...), 5},
	{"pooled", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: plainAndResidual(t), Pool: true}, smallAnalysis)
	}, []string{"They are means over the positions of a sample.", "1 position, 60 observations"}, paperWords, 5},
	{"no intervals", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: plainAndResidual(t)}, results.Analysis{Draws: 5, Groups: 1, Lambdas: []float64{0}})
	}, []string{"(-groups 1)", "(-shuffles 0)"}, append([]string{"95 %", "other images", "exchanged"}, paperWords...), 5},
	{"one sample", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		p, q := activations(t, dir, "p", 1, fixture{layer: "layer", units: 4, side: 8, seed: 1}), activations(t, dir, "q", 1, fixture{layer: "layer", units: 5, side: 8, seed: 2})
		return compare(t, source.Options{Networks: []string{p, q}}, smallAnalysis)
	}, []string{"ten groups of images", "of which there must be two or more", "4 in p and 5 in q"}, append([]string{"95 %", "held out</"}, paperWords...), 5},
	{"reproduced", func(t *testing.T) *results.Artifacts { _, a := reproduce(t, smallStudy); return a },
		[]string{"CaffeNet", "The paper found", "The paper: some do, others do not", "trained from different seeds on 96 images", "seed 1 and seed 2", "Before training, the same networks match by", "Are wider networks more alike?"},
		[]string{"network 1", "given", "-baseline"}, 7},
}

// networkCases differ in what the networks are.
var networkCases = []roadCase{
	{"signed", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 6, signed: true}, fixture{units: 6, signed: true})}, smallAnalysis)
	}, nil, append([]string{"logarithmic"}, paperWords...), 5},
	{"negative", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 6, signed: true, background: -30}, fixture{units: 6, signed: true, background: -30})}, smallAnalysis)
	}, nil, append([]string{"logarithmic"}, paperWords...), 5},
	{"hostile names", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		var nets []string
		for i := range hostileNames {
			nets = append(nets, activations(t, dir, fmt.Sprint("n", i), samples, twoLayers(uint64(i))...))
		}
		artifacts := compare(t, source.Options{Networks: nets, Names: hostileNames}, smallAnalysis)
		for i, l := range artifacts.Results.Layers {
			names := make([]string, l.Units[2])
			for u := range names {
				names[u] = hostileNames[u%len(hostileNames)]
			}
			artifacts.Results.Layers[i].UnitNames = [][]string{nil, nil, names, nil}
		}
		return artifacts
	}, []string{"&lt;img src=x onerror=alert(1)&gt;", `title="` + hostileNames[1] + `"`, "longlonglonglong…", "longlongA", "longlongB"}, append([]string{"<img src=x"}, paperWords...), 5},
	{"layers of different names", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		p := activations(t, dir, "vgg", samples, fixture{layer: "features1", units: 8, side: 3, seed: 1}, fixture{layer: "features2", units: 9, side: 3, seed: 1})
		q := activations(t, dir, "resnet", samples, fixture{layer: "stem", units: 8, side: 3, seed: 2})
		return compare(t, source.Options{Networks: []string{p, q}, Pairings: []string{"vgg:features1=resnet:stem"}}, smallAnalysis)
	}, []string{"features1 of vgg and stem of resnet", "The layer is features1 of vgg; stem of resnet.", "Every layer of vgg", "at one layer, features1 of vgg and stem of resnet"}, paperWords, 5},
	{"no layer in all", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		p := activations(t, dir, "v", samples, fixture{layer: "x1", units: 8, side: 3, seed: 1}, fixture{layer: "x2", units: 9, side: 3, seed: 1})
		q := activations(t, dir, "r", samples, fixture{layer: "y1", units: 8, side: 3, seed: 2}, fixture{layer: "y2", units: 8, side: 3, seed: 2})
		return compare(t, source.Options{Networks: []string{p, q}}, smallAnalysis)
	}, []string{"-by-order", "Every layer of v (rows)"}, append([]string{"p is the share"}, paperWords...), 0},
	{"two widths", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 5}, fixture{units: 17})}, smallAnalysis)
	}, []string{"5 in first and 17 in second", "5 to 17"}, paperWords, 5},
	{"one unit", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 1}, fixture{units: 1})}, smallAnalysis)
	}, []string{"1 unit in each network", "nothing (R² −", "a single live unit"}, paperWords, 4},
	{"all dead but one", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 7, live: 1}, fixture{units: 7, live: 1})}, smallAnalysis)
	}, []string{"12 units of all networks never changed", "a single live unit"}, paperWords, 4},
	{"of another scale", func(t *testing.T) *results.Artifacts {
		return compare(t, source.Options{Networks: twoNetworks(t, fixture{units: 6}, fixture{units: 6, scale: 1e-20})}, smallAnalysis)
	}, nil, paperWords, 5},
	{"many layers", func(t *testing.T) *results.Artifacts {
		dir := t.TempDir()
		var layers [2][]fixture
		for n := range layers {
			for k := range 14 {
				layers[n] = append(layers[n], fixture{layer: fmt.Sprintf("model.transformer.encoder.layer.%d.attention.output.dense", k), units: 4, side: 1, signed: true, seed: uint64(100*n + k)})
			}
		}
		return compare(t, source.Options{Networks: []string{activations(t, dir, "deep1", samples, layers[0]...), activations(t, dir, "deep2", samples, layers[1]...)}}, smallAnalysis)
	}, []string{"at 14 layers", ">…3.attention.output.dense<"}, paperWords, 5},
}

// TestRoad writes pages of what the road really leaves, and holds each to what must be
// true of any, and to what it must and must not say.
func TestRoad(t *testing.T) {
	for _, c := range slices.Concat(inputCases, networkCases) {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "reproduced" && testing.Short() {
				t.Skip("trains networks")
			}
			artifacts := c.open(t)
			out := t.TempDir()
			if dir := os.Getenv("CONVERGENT_PAGES"); dir != "" { // for people to look at
				out = filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-"))
			}
			if err := Write(out, artifacts); err != nil {
				t.Fatal(err)
			}
			text := checkPage(t, out)
			checkWords(t, text, c.has, c.lacks)
			if n := strings.Count(text, "<article>"); n != c.claims {
				t.Errorf("%d claims, want %d", n, c.claims)
			}
		})
	}
}

// TestRunAgain shows what comes of a run's files: networks that were trained elsewhere, and
// moments that name neither networks nor layers.
func TestRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	out, _ := reproduce(t, smallStudy)
	pretrained := smallStudy
	pretrained.Widths, pretrained.Networks = nil, []string{filepath.Join(out, "nets", "net1.safetensors"), filepath.Join(out, "nets", "net2.safetensors")}
	_, again := reproduce(t, pretrained)
	moments := source.Options{Networks: []string{filepath.Join(out, "layers", "conv1", results.MomentsFile), filepath.Join(out, "layers", "conv3", results.MomentsFile)}}
	for _, c := range []struct {
		a          *results.Artifacts
		has, lacks []string
	}{
		{again, []string{"2 networks of one architecture that were trained elsewhere", "net1.safetensors and net2.safetensors", "Untrained networks of the same architecture match by", "it is not known when they came to be alike"},
			[]string{"different seeds", "Before training"}},
		{compare(t, moments, smallAnalysis), []string{"3 networks, network 1, network 2 and network 3,", "<h2>conv3</h2>"}, []string{"The layer is", "CaffeNet"}},
	} {
		dir := t.TempDir()
		if err := Write(dir, c.a); err != nil {
			t.Fatal(err)
		}
		checkWords(t, checkPage(t, dir), c.has, c.lacks)
	}
}

// checkWords holds what a page must and must not say.
func checkWords(t *testing.T, text string, has, lacks []string) {
	t.Helper()
	for _, want := range has {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, lack := range lacks {
		if at := strings.Index(text, lack); at >= 0 {
			t.Errorf("the page has %q: %s", lack, text[max(0, at-80):min(len(text), at+80)])
		}
	}
}

// checkPage holds a page and its figures to what must be true of any, and returns what
// people read of it.
func checkPage(t *testing.T, dir string) string {
	t.Helper()
	page := string(read(t, dir))
	if outside := regexp.MustCompile(`(src|<link[^>]*href)="(https?:)?//`).FindString(page); outside != "" {
		t.Errorf("the page asks for %s", outside)
	}
	page = strings.Replace(page, `<caption></caption><thead><tr><th scope="col">unit</th>`, "", 1) // which the page's script fills
	for _, empty := range []string{"<tbody></tbody></table></div>\n", "<caption></caption>", "<thead><tr></tr>", `alt=""`, "<p></p>", "<li></li>", "<td></td>"} {
		if at := strings.Index(page, empty); at >= 0 {
			t.Errorf("there is an empty %q: %s", empty, page[max(0, at-200):at+len(empty)])
		}
	}
	figures, err := filepath.Glob(filepath.Join(dir, "figures", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		svg, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, f, svg)
		if bad := regexp.MustCompile(`[" ,>](NaN|[+-]?Inf)`).Find(svg); bad != nil {
			t.Errorf("%s: %s", f, bad)
		}
	}
	// Without pictures, data and programs.
	text := regexp.MustCompile(`(?s)<script.*?</script>|<style>.*?</style>|src="[^"]*"`).ReplaceAllString(page, "")
	for _, bad := range []string{"NaN", "Inf", "%!", "nil", "undefined", "{{"} {
		if at := strings.Index(text, bad); at >= 0 {
			t.Errorf("the page says %q: %s", bad, text[max(0, at-80):min(len(text), at+80)])
		}
	}
	return text
}

// TestTables holds that data under the figures say which networks they are of, quoted so
// that they are read again.
func TestTables(t *testing.T) {
	dir := t.TempDir()
	a := compare(t, source.Options{Networks: []string{activations(t, dir, "a", 30, twoLayers(1)...), activations(t, dir, "b", 30, twoLayers(2)...)}, Names: []string{hostileNames[3], hostileNames[0]}}, smallAnalysis)
	w := writer{dir: t.TempDir(), contents: newContents(a), data: newData()}
	if err := w.layerSections(); err != nil {
		t.Fatal(err)
	}
	for name, head := range map[string][]string{
		"matching_conv1": {"unit of " + hostileNames[3], "best partner in " + hostileNames[0], "r of best partner", "partner in " + hostileNames[0], "r of partner"},
		"mapping_conv1":  {"unit of " + hostileNames[3], "unit of " + hostileNames[0], "weight"},
		"clusters_conv2": {"cluster", "units of " + hostileNames[3], "units of " + hostileNames[0], "between", "between_paper", "within"},
	} {
		rows, err := csv.NewReader(strings.NewReader(w.data.Tables[name])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) < 2 || strings.Join(rows[0], "|") != strings.Join(head, "|") {
			t.Errorf("%s: %d rows under %q, want %q", name, len(rows), rows[0], head)
		}
	}
}

// TestScales: a network whose activations are smallStudy beside another's is drawn beside it, and
// of signed activations nothing is lost.
func TestScales(t *testing.T) {
	for _, c := range []struct {
		means  []float64
		linear bool
		shown  int
	}{
		{[]float64{3, 1, 1e-3, 1e-5, 0}, false, 3},
		{[]float64{3e-20, 1e-20, 1e-25}, false, 2},
		{[]float64{3, 0, -2}, true, 3},
		{[]float64{-1, -2}, true, 2},
		{[]float64{0, 0}, false, 0},
	} {
		if l := (layer{Layer: results.Layer{MeanSorted: [][]float64{c.means}}}); l.Signed() != c.linear {
			t.Errorf("%v is signed: %v", c.means, l.Signed())
		}
		shown := 0
		for _, v := range shownMeans(c.means, c.linear) {
			if !math.IsNaN(v) {
				shown++
			}
		}
		if shown != c.shown {
			t.Errorf("of %v %d are drawn, want %d", c.means, shown, c.shown)
		}
	}
}
