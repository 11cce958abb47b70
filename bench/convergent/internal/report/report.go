// Package report shows a comparison: its figures as SVG files, and one page that holds
// them all and opens without a network.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"html/template"
	"math"
	"path/filepath"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/internal/artifact"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"decimals":          decimals,
	"ends":              ends,
	"percent":           percent,
	"pValue":            pValue,
	"significantDigits": significantDigits,
	"interval":          interval,
	"limits":            limits,
	"equivalent":        equivalent,
	"overNetworks":      overNetworks,
	"brackets":          brackets,
	"directions":        directions,
	"clusterShapes":     clusterShapes,
	"withPredictions":   withPredictions,
	"fileName":          artifact.FileName,
	"nullName":          func(name string) string { return nullDescriptions[name][0] },
	"matchedNull":       matchedNull,
	"geometryName":      geometryName,
	"abbreviation":      func(s string) name { return name{s, shorten(s, nameLength)} },
	"count":             count,
	"last":              func(x []float64) float64 { return x[len(x)-1] },
	"ordinal":           func(i int) int { return i + 1 },
	"thousands":         thousands,
	// Of the comparison that is shown:
	"network":  func(int) name { return name{} },
	"aliases":  func(layer) []alias { return nil },
	"units":    func(layer) string { return "" },
	"has":      func() intervals { return intervals{} },
	"glossary": func(string) string { return "" },
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
	Key     []keyEntry
	Strip   int // the height of one of its rows, if it has columns
	Panel   int // the width of each of its columns; 0: it has none
}

// Widest is how many pixels wide the page shows it, lest its letters outgrow the page's.
func (f figure) Widest() int { return f.Width * 4 / 3 }

// data is what the page's script reads.
type data struct {
	Networks []networkData     `json:"networks"`
	Layers   []*layerData      `json:"layers"`
	Tables   map[string]string `json:"tables"` // of figures, as CSV
	Marks    map[string][]any  `json:"marks"`  // of figures: places in their points, from left and top, and what they show: x, y, text, x, ...
}

func newData() data { return data{Tables: make(map[string]string), Marks: make(map[string][]any)} }

// mostMarks is of how many places a figure on the page says what they show.
const mostMarks = 4000

// noted are marks as the page's script reads them: of many, some.
func noted(marks []mark) []any {
	var all []any
	for i, step := 0, 1+len(marks)/mostMarks; i < len(marks); i += step {
		m := marks[i]
		all = append(all, int(math.Round(float64(m.x))), int(math.Round(float64(m.y))), m.text)
	}
	return all
}

// layerFigures are drawn for every layer, of the first two networks as in the paper: first
// the matrix before and after matching, and pairs.
var layerFigures = []func(c *contents, layer int) drawing{
	drawCorrelation, drawPairs, drawMatching, drawMapping, drawClusters,
}

// How much room the page has for pictures of matrices and pairs, and for the other figures of
// layers with their tables.
const (
	pictureBytes = 1 << 20
	figureBytes  = 8 << 20
)

// Write draws a into dir: figures/*.svg and report.html, each file whole. Equal
// artifacts give equal bytes.
func Write(dir string, a *results.Artifacts) error {
	w := writer{dir: dir, contents: newContents(a), data: newData()}
	if err := w.layerSections(); err != nil {
		return err
	}
	all, err := w.claims()
	if err != nil {
		return err
	}
	overview, err := w.overview()
	if err != nil {
		return err
	}
	grids, err := w.grids()
	if err != nil {
		return err
	}
	t := template.Must(pageTemplate.Clone()).Funcs(template.FuncMap{
		"network":  func(n int) name { return w.networks[n] },
		"aliases":  w.aliases,
		"units":    w.unitCounts,
		"has":      w.intervals,
		"glossary": w.glossary,
	})
	var buf bytes.Buffer
	err = t.Execute(&buf, struct {
		*results.Results
		Opening       string
		Demonstration string
		Omissions     []string
		Cautions      []string
		Facts         []fact
		Terms         []term
		Nulls         string
		Citation      string
		Matching      []figure
		Trained       bool
		Intervals     intervals
		Layers        []layer
		Overview      []figure
		Grids         []figure
		Claims        []claim
		Verdicts      []verdictRow
		Data          data
		Style         template.CSS
		Script        template.JS
	}{a.Results, w.opening(), w.demonstration(), w.omissions(), w.cautions(), w.facts(), w.terms(), w.nulls(), w.citation(), w.matching(), w.reproduction(), w.intervals(), w.layers, overview, grids, all, w.verdictRows(all), w.data, template.CSS(pageStyle), template.JS(pageScript)})
	if err != nil {
		return err
	}
	return artifact.WriteFile(filepath.Join(dir, "report.html"), buf.Bytes())
}

// writer writes figures and keeps their tables for the page.
type writer struct {
	*contents
	dir  string
	data data
}

// layerSections draws the figures of all layers, and collects what is explored of them.
func (w *writer) layerSections() error {
	w.data.Networks = w.networkData()
	rooms := [...]int{pictureBytes, figureBytes}
	for i := range w.Layers {
		for k, draw := range layerFigures {
			f, err := w.save(draw(w.contents, i), true)
			if err != nil {
				return err
			}
			room := &rooms[min(1, k/pictures)]
			for _, f := range f {
				if size := len(f.Source) + len(w.data.Tables[f.Name]); size > *room {
					delete(w.data.Marks, f.Name)
					delete(w.data.Tables, f.Name)
					w.layers[i].Elsewhere = append(w.layers[i].Elsewhere, f.Name)
				} else {
					*room -= size
					w.layers[i].Figures = append(w.layers[i].Figures, f)
				}
			}
		}
		l, err := w.layerData(i)
		if err != nil {
			return err
		}
		if l != nil {
			w.data.Layers = append(w.data.Layers, l)
		}
	}
	return nil
}

// pictures is how many of a layer's figures are pictures.
const pictures = 2

// matching takes what explains the paper from the first layer: the matrix before and after
// matching, and pairs.
func (w *writer) matching() (shown []figure) {
	if len(w.layers) == 0 {
		return nil
	}
	l := &w.layers[0]
	for len(l.Figures) > 0 && (strings.HasPrefix(l.Figures[0].Name, "correlation_") || strings.HasPrefix(l.Figures[0].Name, "pairs_")) {
		shown, l.Figures = append(shown, l.Figures[0]), l.Figures[1:]
	}
	return shown
}

// claims states the claims, and draws their figures.
func (w *writer) claims() ([]claim, error) {
	var all []claim
	for _, state := range claims {
		c := state(w.contents)
		if c == nil {
			continue
		}
		if !w.reproduction() {
			c.Paper = ""
		}
		c.Verdict = w.verdictLines(c.ID)
		var err error
		if c.Answer, err = w.saveAll([]drawing{drawAnswer(c.ID, c.Layers, c.answer)}); err != nil {
			return nil, err
		}
		if c.Figures, err = w.saveAll(c.drawings); err != nil {
			return nil, err
		}
		all = append(all, *c)
	}
	return all, nil
}

// overview draws what all layers have in common.
func (w *writer) overview() ([]figure, error) {
	if len(w.layers) == 0 {
		return nil, nil
	}
	return w.saveAll([]drawing{drawMeans(w.layers), drawLasso(w.layers)})
}

// gridCells is how many cells the page shows of grids other than the first.
const gridCells = 400

// grids draws those of all pairs, of which the page shows the first, and others as far as
// there is room.
func (w *writer) grids() ([]figure, error) {
	var all []figure
	cells := 0
	for k, g := range w.Results.Grids {
		if k > 0 {
			cells += 3 * len(g.LayersA) * len(g.LayersB)
		}
		f, err := w.save(drawGrid(w.contents, g, k == 0), cells <= gridCells)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	return all, nil
}

// saveAll writes drawings that the page shows.
func (w *writer) saveAll(drawings []drawing) ([]figure, error) {
	var all []figure
	for _, d := range drawings {
		f, err := w.save(d, true)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	return all, nil
}

// save writes a drawing, and returns it as the page shows it if it does.
func (w *writer) save(d drawing, shown bool) ([]figure, error) {
	if d.draw == nil {
		return nil, nil
	}
	d.name = artifact.FileName(d.name)
	svg, marks, err := d.svg()
	if err != nil {
		return nil, fmt.Errorf("figure %s: %w", d.name, err)
	}
	if err := artifact.WriteFile(filepath.Join(w.dir, "figures", d.name+".svg"), svg); err != nil || !shown {
		return nil, err
	}
	if d.paper != "" && w.reproduction() {
		d.caption += " " + d.paper
	}
	width, height := d.size()
	if len(marks) > 0 {
		w.data.Marks[d.name] = noted(marks)
	}
	f := figure{Name: d.name, Panel: int(d.panel), Strip: int(d.strip), Key: d.keyLines(), Caption: d.caption, Width: int(width), Height: int(height), Wide: d.width > 500, Data: d.data != nil,
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
