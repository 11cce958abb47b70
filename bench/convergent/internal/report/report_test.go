package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/spectral"
)

// artifacts makes up results of three networks with the given numbers of units,
// of which the first few are dead in every network.
func artifacts(t *testing.T, dead int, units ...int) *results.Artifacts {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	const nets = 3
	res := &results.Results{Schema: results.Schema, Config: results.Config{Training: new(results.Training)}, Dataset: &results.Dataset{Name: "made <up>", Classes: []string{"a", "b"}, Train: 10, Test: 5, Sampled: 5}}
	a := &results.Artifacts{Results: res}
	picture := func(size int) image.Image {
		img := image.NewRGBA(image.Rect(0, 0, size, size))
		for i := range size * size {
			img.Set(i%size, i/size, color.RGBA{uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), 9, 255})
		}
		return img
	}
	for n := range nets {
		res.Networks = append(res.Networks, results.Network{Name: fmt.Sprint("seed ", n+1), File: "nets/net"})
		var f []image.Image
		for range units[0] {
			f = append(f, picture(5))
		}
		a.Filters = append(a.Filters, f)
	}
	for i, u := range units {
		l := results.Layer{Name: []string{"conv1", "conv2"}[i], Units: []int{u, u, u}, Rows: 100}
		d := results.LayerData{Name: l.Name, Correlation: mat.NewDense(nets*u, nets*u, nil), W: mat.NewDense(u, u, nil), WLambda: 0.1}
		for r := range nets * u {
			for c := range nets * u {
				d.Correlation.Set(r, c, 2*rnd.Float64()-1)
			}
		}
		for n := range nets {
			means, patches := make([]float64, u), make([][]results.Patch, u)
			for k := range u {
				if k < u-dead {
					means[k] = float64(u-k) / 10
				}
				if k >= dead {
					d.W.Set(k, k, 0.3)
					patches[k] = []results.Patch{{Image: picture(7), Value: 1}}
				}
			}
			l.Dead = append(l.Dead, make([]int, dead))
			l.MeanSorted, d.Means = append(l.MeanSorted, means), append(d.Means, means)
			d.Patches = append(d.Patches, patches)
			for b := n + 1; b < nets; b++ {
				m := results.Matching{Partner: make([]int, u), R: make([]*float64, u)}
				for k := range u {
					if m.Partner[k] = -1; k >= dead {
						r := rnd.Float64()
						m.Partner[k], m.R[k] = k, &r
					}
				}
				l.Pairs = append(l.Pairs, results.Pair{A: n, B: b, Semi: m, Bipartite: m,
					Lasso:    []results.Lasso{{Lambda: 0, R2: 0.5, NonZero: map[string]float64{"0.01": 3}}, {Lambda: 0.1, Loss: 0.4, NonZero: map[string]float64{}}},
					Clusters: []results.Cluster{{A: []int{0}, B: []int{1}, Between: 0.4}, {A: []int{1}}}})
			}
		}
		var err error
		if d.Tree, err = spectral.AverageLinkage(spectral.MappingGraph(d.W)); err != nil {
			t.Fatal(err)
		}
		res.Layers, a.Layers = append(res.Layers, l), append(a.Layers, d)
	}
	return a
}

func TestWrite(t *testing.T) {
	activations := artifacts(t, 2, 9, 12)
	activations.Results.Dataset, activations.Results.Config, activations.Filters = nil, results.Config{Activations: new(results.Activations)}, nil
	generated := artifacts(t, 0, 5)
	generated.Results.Config.Training.Data = results.Procedural
	for name, a := range map[string]*results.Artifacts{
		"generated":        generated,
		"some dead":        artifacts(t, 2, 9, 12),
		"all dead":         artifacts(t, 4, 4),
		"one unit":         artifacts(t, 0, 1),
		"activations":      activations,
		"too many for it":  artifacts(t, 0, explorerUnits/3+1),
		"nothing compared": {Results: &results.Results{Networks: activations.Results.Networks}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(dir, a); err != nil {
				t.Fatal(err)
			}
			text := checkPage(t, dir)
			if strings.Contains(text, "made &lt;up&gt;") != (a.Results.Dataset != nil) {
				t.Error("the data's name is missing or not escaped")
			}
			if paper := strings.Contains(text, "The paper found"); paper && a.Results.Config.Training == nil {
				t.Error("the page has what the paper found in its own networks")
			}
			if strings.Contains(text, "This is a small demonstration") != (a == generated) {
				t.Error("the page is said to be a demonstration, and is not, or the other way round")
			}
			if strings.Contains(text, "that can be explored") != strings.HasPrefix(name, "too many") {
				t.Error("what is too large to be explored is not said to be")
			}
			figures, _ := filepath.Glob(filepath.Join(dir, "figures", "*.svg"))
			if want := len(layerFigures)*len(a.Layers) + min(2, 2*len(a.Layers)); len(figures) != want { // beside what all layers have together, and no claim
				t.Errorf("%d figures, want %d", len(figures), want)
			}
			for _, f := range figures {
				name := strings.TrimSuffix(filepath.Base(f), ".svg")
				if !strings.Contains(text, `data-name="`+name+`"`) && !strings.Contains(text, "figures/"+name+".svg") {
					t.Errorf("%s is not on the page, which does not say where it is", name)
				}
			}
			once := read(t, dir)
			if err := Write(dir, a); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, dir), once) {
				t.Error("written again, the page differs")
			}
		})
	}
}

// read returns the page in a folder.
func read(t *testing.T, dir string) []byte {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestClaims: sentences say what the numbers do, whichever way they fall.
func TestClaims(t *testing.T) {
	x := func(v float64) results.Measure {
		zero := 0.0
		return results.Measure{Value: &v, Null: &zero, P: &zero}
	}
	for _, c := range []struct {
		untrained, before, optimum float64
		want, lack                 []string
	}{
		{0.6, 0.7, 0.1, []string{"correlation alone proves nothing", "training makes units differ", "up to 100.0 % above", "exact R² 60.0 %"}, nil},
		{0.4, 0.5, 0, []string{"match by 0.40 in conv1.", "from 0.50 to 0.50.", "no lambda predicts anything"}, []string{"above the optimum", "proves nothing", "units differ", "Inf", "NaN"}},
	} {
		l := layer{Title: name{"conv1", "conv1"}, Layer: results.Layer{Name: "conv1", Convergence: &results.Convergence{Matched: x(0.5), Percentiles: []float64{0.5}},
			Descent: []results.Descent{
				{Loss: 0.2, Objective: c.optimum, Runs: []results.DescentResult{{Epochs: 2, Objective: 0.2}}},
				{Loss: 0.4951, Objective: 0.4951, Runs: []results.DescentResult{{Epochs: 2, Objective: 2}}}, // at which nothing is predicted
			}}}
		l.Convergence.Nulls = []results.MatchedNull{
			{Name: rotationNull, Mean: 0.3, Percentiles: []float64{0.3}, Exceedance: x(0.2)},
			{Name: untrainedNull, Mean: c.untrained, Percentiles: []float64{c.untrained}},
		}
		r := &results.Results{}
		for _, matched := range []float64{c.before, 0.5} {
			r.Growth = append(r.Growth, results.Checkpoint{Layers: []results.LayerSummary{{Name: "conv1", Matched: &matched}}})
		}
		var text strings.Builder
		compared := &contents{Artifacts: &results.Artifacts{Results: r}, layers: []layer{l}}
		for _, state := range claims {
			if c := state(compared); c != nil {
				text.WriteString(c.Number + ". " + c.Sentence + "\n")
			}
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is missing in\n%s", want, text.String())
			}
		}
		for _, lack := range c.lack {
			if strings.Contains(text.String(), lack) {
				t.Errorf("%q is in\n%s", lack, text.String())
			}
		}
	}
}

func wellFormed(t *testing.T, name string, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

func TestDiverging(t *testing.T) {
	white := color.RGBA{255, 255, 255, 255}
	if diverging(0) != white {
		t.Error("0 is not white")
	}
	if r, b := diverging(2), diverging(-2); r != diverging(1) || b != diverging(-1) || r.R <= r.B || b.B <= b.R {
		t.Errorf("1 is %v, -1 is %v", r, b)
	}
}

// TestNumbersOnShades holds that numbers of a grid are at least 4.5 times as light as their shade, or
// the other way round.
func TestNumbersOnShades(t *testing.T) {
	light := func(c color.Color) float64 {
		r, g, b, _ := c.RGBA()
		linear := func(v uint32) float64 {
			if x := float64(v) / 0xffff; x > 0.04045 {
				return math.Pow((x+0.055)/1.055, 2.4)
			}
			return float64(v) / 0xffff / 12.92
		}
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	for i := range 101 {
		v := float64(i) / 100
		number, shade := light(numberColour(v)), light(sequential(v))
		if ratio := (max(number, shade) + 0.05) / (min(number, shade) + 0.05); ratio < 4.5 {
			t.Errorf("%v on its shade: a contrast of %.2f", v, ratio)
		}
	}
}

// tickLabels joins what is written on an axis.
func tickLabels(ticks []plot.Tick) string {
	var labels []string
	for _, t := range ticks {
		if !t.IsMinor() {
			labels = append(labels, t.Label)
		}
	}
	return strings.Join(labels, " ")
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0.03, 12, "0.1 1 10"},
		{0.3, 8, "0.5 1 2 5"},
		{0.01, 90, "0.01 0.1 1 10"},
		{1e-20, 3, "1e-20 1e-15 1e-10 1e-05 1"},
		{1e-300, 1e300, "1e-300 1e-200 1e-100 1 1e+100 1e+200 1e+300"},
		{0.61, 0.89, "0.65 0.75 0.85"},
		{1.101, 1.109, "1.101 1.103 1.105 1.107 1.109"},
	} {
		if got := tickLabels(logTicks{}.Ticks(c.lo, c.hi)); got != c.want {
			t.Errorf("from %g to %g: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 1, "0.0 0.5 1.0"},
		{0, 53, "0 25 50"},
		{0, 0.55, "0.00 0.25 0.50"},
		{-3e-20, 3e-20, "-3e-20 0 3e-20"},
		{0, 3e7, "0 1e+07 2e+07 3e+07"},
		{1, 1 + 1e-5, "1 1.00001"},
	} {
		if got := tickLabels(linearTicks{}.Ticks(c.lo, c.hi)); got != c.want {
			t.Errorf("from %g to %g: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

// TestTwoTicks: an axis without a second number has no scale.
func TestTwoTicks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		lo := math.Pow(10, 8*rnd.Float64()-4)
		hi := lo * (1 + math.Pow(10, 6*rnd.Float64()-3))
		for name, ticks := range map[string][]plot.Tick{"linear": linearTicks{}.Ticks(lo, hi), "logarithmic": logTicks{}.Ticks(lo, hi)} {
			if labels := strings.Fields(tickLabels(ticks)); len(labels) < 2 || len(labels) != len(slices.Compact(slices.Clone(labels))) {
				t.Fatalf("from %g to %g a %s axis has %q", lo, hi, name, labels)
			}
		}
	}
}

func TestRankTicks(t *testing.T) {
	for hi, want := range map[float64]string{3: "1 2", 40: "1 5 10 15 20 25 30 35 40", 16384: "1 5000 10000 15000"} {
		if got := tickLabels(rankTicks{}.Ticks(1, hi)); got != want {
			t.Errorf("to %g: %s, want %s", hi, got, want)
		}
	}
}

// TestRanges draws what a plot may be given: nothing, one value, equal ones of any size,
// ranges that are no more than rounding, and many powers of ten.
func TestRanges(t *testing.T) {
	for _, y := range [][]float64{nil, {0}, {1e-20}, {1e20, 1e20}, {-1e20, -1e20}, {0, 0}, {1, 1 + 1e-15}, {1e-20, 1}, {5e-324, 1}, {1e-310, 2e-310}, {3e38, -3e38}, {1e-20, 1e-20 * (1 + 1e-9)}} {
		for _, logarithmic := range []bool{false, true} {
			d := drawing{name: "test"}
			p := newPlot("x", "y", panelWidth)
			line(p, "", ranked(p, y), palette[0], false)
			if logarithmic {
				logScale(&p.Y)
			}
			d.panels(panelWidth, panelHeight, []*chart{p})
			svg, _, err := d.svg()
			if err != nil {
				t.Fatal(err)
			}
			if bad := regexp.MustCompile(`[" ,>](NaN|[+-]?Inf)`).Find(svg); bad != nil {
				t.Errorf("%v on a logarithmic scale %v: the picture has %s", y, logarithmic, bad)
			}
		}
	}
}

func TestHeat(t *testing.T) {
	if b := heat(3, 2, 1, func(i, j int) float64 { return 0 }).Bounds(); b.Dx() != 256 || b.Dy() != 384 {
		t.Errorf("6 entries in %v", b)
	}
	// One entry among many is seen.
	img := heat(5000, 4000, 2, func(i, j int) float64 {
		if i == 4999 && j == 3999 {
			return -2
		}
		return 0
	})
	b := img.Bounds()
	if b.Dx() > mostHeatPixels || b.Dy() > mostHeatPixels || img.At(b.Max.X-1, b.Max.Y-1) != diverging(-1) || img.At(0, 0) != diverging(0) {
		t.Errorf("%v, the last pixel is %v", b, img.At(b.Max.X-1, b.Max.Y-1))
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ full, want string }{
		{"seed 1", "seed 1"},
		{" a\n\tb\x00c\u202e ", "a b c"},
		{"model.transformer.encoder.layer.10.output", "model.transforme…layer.10.output"},
		{strings.Repeat("é", nameLength), strings.Repeat("é", nameLength)},
		{strings.Repeat("é", nameLength+1), strings.Repeat("é", 16) + "…" + strings.Repeat("é", 15)},
	} {
		if got := shorten(c.full, nameLength); got != c.want {
			t.Errorf("%q is shortened to %q, want %q", c.full, got, c.want)
		}
	}
	names := shortNames([]string{"a", "b", "a", strings.Repeat("x", 100) + "y", strings.Repeat("x", 99) + "zy"})
	taken := make(map[string]bool)
	for _, n := range names {
		if taken[n.Short] || len([]rune(n.Short)) > nameLength+4 {
			t.Errorf("%q is short for %q", n.Short, n.Full)
		}
		taken[n.Short] = true
	}
	if got := shortNames([]string{"encoder.layer.10.attention.output.dense", "encoder.layer.2.attention.output.dense"})[1].Short; got != "…2.attention.output.dense" {
		t.Errorf("without what is common: %q", got)
	}
	if got := list([]string{"a", "b", "c", "d", "e"}, 4); got != "a, b, c and 2 others" {
		t.Errorf("listed as %q", got)
	}
}

func TestNumbers(t *testing.T) {
	tiny, negative, none := 1e-5, -0.5, (*float64)(nil)
	for _, c := range []struct{ got, want string }{
		{decimals(2, -0.001), "0.00"}, {decimals(2, -1.5), "−1.50"}, {decimals(0, -0.2), "0"}, {decimals(3, none), dash}, {decimals(3, &tiny), "0.000"},
		{percent(0.123), "12.3 %"}, {percent(&tiny), "0.001 %"}, {percent(none), dash}, {percent(-0.5), "−50.0 %"}, {percent(0.0), "0.0 %"},
		{significantDigits(none), dash}, {significantDigits(0.0123), "0.012"}, {cell(none), ""}, {cell(1.0 / 3), "0.333333"},
		{interval(results.Measure{Value: &tiny}), "0.00"}, {interval(results.Measure{}), dash}, {interval(results.Measure{Value: &tiny, Images: results.NewInterval(negative, tiny)}), "0.00 [−0.50, 0.00]"}, {interval(results.Measure{Value: &tiny, Images: results.NewInterval(tiny, tiny)}), "0.00"},
		{interval(results.Measure{Value: &tiny, Networks: results.NewInterval(negative, 1), Images: results.NewInterval(negative, tiny)}), "0.00 [−0.50, 1.00]"},
		{overNetworks(results.Measure{Value: &tiny, Images: results.NewInterval(negative, tiny)}), "0.00"}, {ends(nil), dash}, {ends(results.NewInterval(negative, 1)), "−0.500 to 1.000"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestClusterShapes(t *testing.T) {
	sizes := []results.ClusterSize{{A: 1, B: 1, Count: 1}, {A: 2, B: 1, Count: 2}, {A: 1, B: 5, Count: 3}, {A: 2, B: 3, Count: 4}, {A: 0, B: 2, Count: 5}, {A: 9, B: 0, Count: 6}}
	if got := clusterShapes(sizes); !slices.Equal(got, []float64{1, 2, 3, 4, 11}) {
		t.Errorf("got %v", got)
	}
}

// TestWideLayers: where figures of a wide layer are of fewer draws than others, or of some units,
// the page says so in the same row.
func TestWideLayers(t *testing.T) {
	a := artifacts(t, 0, 9, 12)
	number := func(v float64) *float64 { return &v }
	for i := range a.Results.Layers {
		l := &a.Results.Layers[i]
		draws, units := []int{101, 41}[i], []int{9, 7}[i]
		m := results.Measure{Value: number(0.5), Null: number(0.25), P: number(0.125), Draws: draws}
		l.Convergence = &results.Convergence{Matched: m, Percentiles: make([]float64, 101), Nulls: []results.MatchedNull{{Name: "rotation", Draws: draws, P: m.P, Percentiles: make([]float64, 101)}, {Name: "shuffle", Draws: draws, P: m.P, Percentiles: make([]float64, 101)}}, Converged: new(results.Converged), Recurrence: [][]int{make([]int, l.Units[0]), make([]int, l.Units[1]), make([]int, l.Units[2])}}
		l.Subspaces = &results.Subspaces{Predicted: []int{units, units, units}, Clustered: []int{units, units, units}, Gain: &m, Predictions: []results.Prediction{{Name: "full", R2: m, AB: []float64{0, 0, 0}, BA: []float64{0, 0, 0}}, {Name: "best", Terms: 1, R2: m, AB: []float64{0, 0, 0}, BA: []float64{0, 0, 0}}}, PredictedShare: number(1), TermCounts: []results.TermCount{{Terms: 1, Share: 1}}, Angles: &m}
		l.Basis = &results.Basis{Degrees: []float64{0}, Units: []float64{1}, Axes: []float64{1}, Index: m, AxesIndex: m}
		l.Descent = []results.Descent{{Units: units, Runs: []results.DescentResult{{NonZero: map[string]float64{"0.01": 1}}}}}
		l.Measures = map[string]results.Measure{"cka": m}
		for k := range l.Pairs {
			l.Pairs[k].Measures = l.Measures
		}
	}
	dir := t.TempDir()
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for region, counts := range map[string]map[string]int{
		"Matched r and its nulls":          {"101": 2, "41": 2},
		"Predictions on images held out":   {"9": 1, "7 of 12": 1},
		"Clusters":                         {"101": 1, "41": 1, "9": 1, "7 of 12": 1},
		"Index of locality":                {"101": 1, "41": 1},
		"Index of principal axes":          {"101": 1, "41": 1},
		"Exact prediction and descent":     {"9": 1, "7 of 12": 1},
		"Measures, mean over pairs, conv2": {"41": 1},
		"Measures, conv2":                  {"41": 1},
	} {
		_, table, ok := strings.Cut(string(page), `aria-label="`+region+`"`)
		if !ok {
			t.Errorf("no table of %s", region)
			continue
		}
		table, _, _ = strings.Cut(table, "</table>")
		for text, want := range counts {
			if got := strings.Count(table, "<td>"+text+"</td>"); got != want {
				t.Errorf("%s: %q stands there %d times, want %d: %s", region, text, got, want, table)
			}
		}
	}
}
