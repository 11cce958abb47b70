// Package report shows a study: its figures as SVG files, and one page that
// holds them all and opens without a network.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"html/template"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/internal/artifact"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent":    percent,
	"f2":         func(x float64) string { return fmt.Sprintf("%.2f", x) },
	"f3":         func(x float64) string { return fmt.Sprintf("%.3f", x) },
	"g2":         func(x float64) string { return fmt.Sprintf("%.2g", x) },
	"inc":        func(i int) int { return i + 1 },
	"f4":         func(x float64) string { return fmt.Sprintf("%.4f", x) },
	"last":       func(x []float64) float64 { return x[len(x)-1] },
	"sizes":      sizes,
	"ways":       ways,
	"firstPairs": firstPairs,
	"few":        func(x []float64) []float64 { return x[:min(len(x), 8)] },
	"known":      known,
	"range95":    interval,
}).Parse(pageText))

// figure is a picture with the words that belong to it.
type figure struct {
	Name    string // under figures/, without .svg
	Caption string // what it shows, and what the paper found
	Source  template.URL
	Width   int
	Height  int
	Wide    bool // wants the page's whole width
	Data    bool // there is a table of what it shows
}

// Widest is how many pixels wide the page shows it, lest its letters outgrow the page's.
func (f figure) Widest() int { return f.Width * 4 / 3 }

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

// data is what the page's script reads.
type data struct {
	Layers []*explored       `json:"layers"`
	Tables map[string]string `json:"tables"` // of figures, as CSV
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
	w := writer{dir: dir, data: data{Tables: make(map[string]string)}}
	layers := make([]layer, len(a.Layers))
	for i, d := range a.Layers {
		layers[i] = summarise(a.Results.Layers[i])
		layers[i].WLambda = d.WLambda
		for k, draw := range layerFigures {
			f, err := w.save(draw(a, i), k >= onPage)
			if err != nil {
				return err
			}
			layers[i].Figures = append(layers[i].Figures, f...)
		}
		e, err := explore(a, i)
		if err != nil {
			return err
		}
		if e != nil {
			w.data.Layers = append(w.data.Layers, e)
		}
	}
	claims := make(map[string][]figure)
	for name, drawings := range claimFigures(a.Results) {
		for _, d := range drawings {
			f, err := w.save(d, true)
			if err != nil {
				return err
			}
			claims[name] = append(claims[name], f...)
		}
	}
	var drawings []drawing
	if len(layers) > 0 {
		drawings = append(drawings, drawMeans(layers), drawLasso(layers))
	}
	for _, g := range a.Results.Grids {
		drawings = append(drawings, drawGrid(g))
	}
	var overview []figure
	for _, d := range drawings {
		f, err := w.save(d, true)
		if err != nil {
			return err
		}
		overview = append(overview, f...)
	}
	var buf bytes.Buffer
	err := page.Execute(&buf, struct {
		*study.Results
		Layers   []layer
		Overview []figure
		Claims   map[string][]figure
		Findings []finding
		Data     data
		Style    template.CSS
		Script   template.JS
	}{a.Results, layers, overview, claims, findings(a.Results), w.data, template.CSS(pageStyle), template.JS(pageScript)})
	if err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(dir, "report.html"), buf.Bytes())
}

// writer writes figures and keeps their tables for the page.
type writer struct {
	dir  string
	data data
}

// save writes a drawing, and returns it as the page shows it if it does.
func (w *writer) save(d drawing, shown bool) ([]figure, error) {
	if d.draw == nil {
		return nil, nil
	}
	svg, err := d.svg()
	if err != nil {
		return nil, fmt.Errorf("figure %s: %w", d.name, err)
	}
	if err := artifact.WriteFile(filepath.Join(w.dir, "figures", d.name+".svg"), svg); err != nil || !shown {
		return nil, err
	}
	width, height := d.size()
	f := figure{Name: d.name, Caption: d.caption, Width: int(width), Height: int(height), Wide: d.width > 500, Data: d.data != nil,
		Source: template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg))}
	if f.Data {
		var buf bytes.Buffer
		if err := csv.NewWriter(&buf).WriteAll(d.data); err != nil {
			return nil, err
		}
		w.data.Tables[d.name] = buf.String()
	}
	return []figure{f}, nil
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
