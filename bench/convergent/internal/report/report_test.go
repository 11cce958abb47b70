package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/spectral"
)

// artifacts makes up a study of three networks with the given numbers of units,
// of which the first few are dead in every network.
func artifacts(t *testing.T, dead int, units ...int) *study.Artifacts {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	const nets = 3
	res := &study.Results{Schema: study.Schema, Dataset: &study.Dataset{Name: "made <up>", Classes: []string{"a", "b"}, Train: 10, Test: 5, Sampled: 5}}
	a := &study.Artifacts{Results: res}
	picture := func(size int) image.Image {
		img := image.NewRGBA(image.Rect(0, 0, size, size))
		for i := range size * size {
			img.Set(i%size, i/size, color.RGBA{uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), 9, 255})
		}
		return img
	}
	for n := range nets {
		res.Networks = append(res.Networks, study.Network{Seed: uint64(n), TestAccuracy: 0.5})
		var f []image.Image
		for range units[0] {
			f = append(f, picture(5))
		}
		a.Filters = append(a.Filters, f)
	}
	for i, u := range units {
		l := study.Layer{Name: []string{"conv1", "conv2"}[i], Units: []int{u, u, u}, Rows: 100}
		d := study.LayerData{Name: l.Name, Correlation: mat.NewDense(nets*u, nets*u, nil), W: mat.NewDense(u, u, nil), WLambda: 0.1}
		for r := range nets * u {
			for c := range nets * u {
				d.Correlation.Set(r, c, 2*rnd.Float64()-1)
			}
		}
		for n := range nets {
			means, patches := make([]float64, u), make([][]study.Patch, u)
			for k := range u {
				if k < u-dead {
					means[k] = float64(u-k) / 10
				}
				if k >= dead {
					d.W.Set(k, k, 0.3)
					patches[k] = []study.Patch{{Image: picture(7), Value: 1}}
				}
			}
			l.Dead = append(l.Dead, make([]int, dead))
			l.MeanSorted, d.Means = append(l.MeanSorted, means), append(d.Means, means)
			d.Patches = append(d.Patches, patches)
			for b := n + 1; b < nets; b++ {
				m := study.Matching{Partner: make([]int, u), R: make([]*float64, u)}
				for k := range u {
					if m.Partner[k] = -1; k >= dead {
						r := rnd.Float64()
						m.Partner[k], m.R[k] = k, &r
					}
				}
				l.Pairs = append(l.Pairs, study.Pair{A: n, B: b, Semi: m, Bipartite: m,
					Lasso:    []study.Lasso{{Lambda: 0, R2: 0.5, NonZero: map[string]float64{"0.01": 3}}, {Lambda: 0.1, Loss: 0.4, NonZero: map[string]float64{}}},
					Clusters: []study.Cluster{{A: []int{0}, B: []int{1}, Between: 0.4}, {A: []int{1}}}})
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
	for name, a := range map[string]*study.Artifacts{
		"some dead": artifacts(t, 2, 9, 12),
		"all dead":  artifacts(t, 4, 4),
		"one unit":  artifacts(t, 0, 1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(dir, a); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "report.html"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "made &lt;up&gt;") {
				t.Error("the data's name is missing or not escaped")
			}
			if outside := regexp.MustCompile(`(src|href)="(https?:)?//`).Find(text); outside != nil {
				t.Errorf("the page asks for %s", outside)
			}
			figures, _ := filepath.Glob(filepath.Join(dir, "figures", "*.svg"))
			if want := len(layerFigures)*len(a.Layers) + 3; len(figures) != want { // beside what all layers have together
				t.Errorf("%d figures, want %d", len(figures), want)
			}
			for _, f := range figures {
				svg, _ := os.ReadFile(f)
				wellFormed(t, f, svg)
				name := strings.TrimSuffix(filepath.Base(f), ".svg")
				explored := strings.HasPrefix(name, "correlation_") || strings.HasPrefix(name, "pairs_")
				if shown := strings.Contains(string(text), `data-name="`+name+`"`); shown == explored {
					t.Errorf("%s is on the page: %v", name, shown)
				}
			}
			if err := Write(dir, a); err != nil {
				t.Fatal(err)
			}
			if again, _ := os.ReadFile(filepath.Join(dir, "report.html")); !bytes.Equal(again, text) {
				t.Error("written again, the page differs")
			}
		})
	}
}

// TestFindings: sentences say what the numbers do, whichever way they fall.
func TestFindings(t *testing.T) {
	x := func(v float64) study.Measure {
		zero := 0.0
		return study.Measure{Value: &v, Null: &zero, P: &zero}
	}
	for _, c := range []struct {
		untrained, before, optimum float64
		want, lack                 []string
	}{
		{0.6, 0.7, 0.1, []string{"correlation alone proves nothing", "training makes units differ", "up to 100.0 % above"}, nil},
		{0.4, 0.5, 0, []string{"match by 0.40 in conv1.", "from 0.50 to 0.50.", "up to 0.0 % above"}, []string{"proves nothing", "units differ", "Inf", "NaN"}},
	} {
		l := study.Layer{Name: "conv1", Convergence: &study.Convergence{Matched: x(0.5)},
			Descent: []study.Descent{{Objective: c.optimum, Runs: []study.DescentResult{{Epochs: 2, Objective: 0.2}}}}}
		for _, mean := range []float64{0.3, 0, c.untrained} {
			l.Convergence.Nulls = append(l.Convergence.Nulls, study.MatchedNull{Mean: mean, Beyond: x(0.2)})
		}
		r := &study.Results{Layers: []study.Layer{l}}
		for _, matched := range []float64{c.before, 0.5} {
			r.Growth = append(r.Growth, study.Stage{Layers: []study.StageLayer{{Name: "conv1", Matched: matched}}})
		}
		var text strings.Builder
		for _, f := range findings(r) {
			text.WriteString(f.Number + ". " + f.Sentence + "\n")
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

func TestLogTicks(t *testing.T) {
	var labels []string
	for _, tick := range (logTicks{}).Ticks(0.03, 12) {
		labels = append(labels, tick.Label)
	}
	if got := strings.Join(labels, " "); got != "0.05 0.1 0.2 0.5 1 2 5 10" {
		t.Errorf("got %s", got)
	}
}
