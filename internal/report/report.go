// Package report shows a study: its figures as SVG files, and one page that
// holds them all and opens without a network.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/study"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"f2":      func(x float64) string { return fmt.Sprintf("%.2f", x) },
	"f3":      func(x float64) string { return fmt.Sprintf("%.3f", x) },
	"g2":      func(x float64) string { return fmt.Sprintf("%.2g", x) },
	"inc":     func(i int) int { return i + 1 },
	"known": func(x *float64) string {
		if x == nil {
			return "–"
		}
		return fmt.Sprintf("%.3f", *x)
	},
}).Parse(pageText))

// figure is a picture with the words that belong to it.
type figure struct {
	File    string // under figures/
	Caption string // what it shows, and what the paper found
	Source  template.URL
	Wide    bool // wants the page's whole width
}

// layer is a section of the page.
type layer struct {
	study.Layer
	DeadUnits int // of all networks
	Semi      spread
	Bipartite spread
	Null      spread
	Same      spread
	R2        float64 // the best of any lambda, mean over pairs
	Figures   []figure
	Lasso     []study.Lasso // mean over pairs
	WLambda   float64
	Measures  []measure
}

// measure is one figure of how alike two networks are, in all pairs of them.
type measure struct {
	Name  string
	Pairs []study.Measure
}

// spread is a figure over all pairs of networks.
type spread struct{ Mean, Min, Max float64 }

func over(pairs []study.Pair, f func(study.Pair) float64) spread {
	s := spread{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, p := range pairs {
		v := f(p)
		s.Mean += v / float64(len(pairs))
		s.Min, s.Max = min(s.Min, v), max(s.Max, v)
	}
	return s
}

// Write draws a into dir: figures/*.svg and report.html, each file whole. Equal
// artifacts give equal bytes.
func Write(dir string, a *study.Artifacts) error {
	layers := make([]layer, len(a.Layers))
	for i, d := range a.Layers {
		layers[i] = summarise(a.Results.Layers[i])
		layers[i].WLambda = d.WLambda
		for _, draw := range layerFigures {
			d := draw(a, i)
			if d.draw == nil {
				continue
			}
			f, err := save(dir, d)
			if err != nil {
				return err
			}
			layers[i].Figures = append(layers[i].Figures, f)
		}
	}
	var overview []figure
	var drawings []drawing
	if len(layers) > 0 {
		drawings = append(drawings, drawMeans(layers), drawLasso(layers))
	}
	for _, g := range a.Results.Grids {
		drawings = append(drawings, drawGrid(g))
	}
	for _, d := range drawings {
		f, err := save(dir, d)
		if err != nil {
			return err
		}
		overview = append(overview, f)
	}
	var buf bytes.Buffer
	err := page.Execute(&buf, struct {
		*study.Results
		Layers   []layer
		Overview []figure
	}{a.Results, layers, overview})
	if err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(dir, "report.html"), buf.Bytes())
}

// save writes a drawing and returns it as the page shows it.
func save(dir string, d drawing) (figure, error) {
	svg, err := d.svg()
	if err != nil {
		return figure{}, fmt.Errorf("figure %s: %w", d.name, err)
	}
	f := figure{File: d.name + ".svg", Caption: d.caption, Wide: d.width > 500,
		Source: template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg))}
	return f, artifact.WriteFile(filepath.Join(dir, "figures", f.File), svg)
}

func summarise(l study.Layer) layer {
	s := layer{Layer: l,
		Semi:      over(l.Pairs, func(p study.Pair) float64 { return p.Semi.Mean }),
		Bipartite: over(l.Pairs, func(p study.Pair) float64 { return p.Bipartite.Mean }),
		Null:      over(l.Pairs, func(p study.Pair) float64 { return p.Null.Rotation.SemiMean }),
		Same:      over(l.Pairs, func(p study.Pair) float64 { return p.SamePartner }),
	}
	for _, name := range slices.Sorted(maps.Keys(l.Pairs[0].Measures)) {
		m := measure{Name: name}
		for _, p := range l.Pairs {
			m.Pairs = append(m.Pairs, p.Measures[name])
		}
		s.Measures = append(s.Measures, m)
	}
	for _, d := range l.Dead {
		s.DeadUnits += len(d)
	}
	n := float64(len(l.Pairs))
	for i, first := range l.Pairs[0].Lasso {
		m := study.Lasso{Lambda: first.Lambda, NonZero: make(map[string]float64)}
		for _, p := range l.Pairs {
			f := p.Lasso[i]
			m.Loss += f.Loss / n
			m.R2 += f.R2 / n
			m.Gap = max(m.Gap, f.Gap)
			for key, v := range f.NonZero {
				m.NonZero[key] += v / n
			}
		}
		s.Lasso = append(s.Lasso, m)
		s.R2 = max(s.R2, m.R2)
	}
	return s
}
