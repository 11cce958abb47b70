package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// style is that of small text.
func style(size vg.Length) text.Style {
	f := sans
	f.Size = size
	return text.Style{Color: color.Black, Font: f, YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
}

// label writes text with its left end, its middle or its right end at a point.
func label(c draw.Canvas, s string, x, y, size vg.Length, align text.XAlignment) {
	sty := style(size)
	sty.XAlign = align
	c.FillText(sty, vg.Point{X: x, Y: y}, s)
}

// fit shortens a name to the width that there is for it.
func fit(s string, size, width vg.Length) string {
	sty := style(size)
	short := shorten(s, len(s))
	for n := len([]rune(short)); n > 1 && sty.Width(short) > width; n-- {
		short = shorten(s, n-1)
	}
	return short
}

// chart is a plot that can say what its points show.
type chart struct {
	*plot.Plot
	places []name // of a nominal horizontal axis
	points []point
}

// point is a point of a series.
type point struct {
	plotter.XY
	series string
}

// text says what a point shows.
func (p *chart) text(at point) string {
	x, y := p.X.Label.Text, minus(fmt.Sprintf("%.3g", at.Y))
	if i := int(math.Round(at.X)); i >= 0 && i < len(p.places) {
		x = strings.TrimSpace(x + " " + p.places[i].Short)
	} else {
		x = cmp.Or(x, "at") + " " + minus(fmt.Sprintf("%.3g", at.X))
	}
	if at.series != "" {
		x = at.series + ", " + x
	}
	return x + ": " + y
}

// newPlot returns a chart with its words set, which is so wide.
func newPlot(x, y string, width vg.Length) *chart {
	p := plot.New()
	for _, s := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		size := s.Font.Size
		s.Font = sans
		s.Font.Size = size
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = linearTicks{}, linearTicks{}
	p.X.Label.Text, p.Y.Label.Text = fit(x, p.X.Label.TextStyle.Font.Size, width-margin), y
	return &chart{Plot: p}
}

// lineStyle is that of a line.
func lineStyle(c color.Color, dashed bool) draw.LineStyle {
	s := draw.LineStyle{Color: c, Width: vg.Points(1.4)}
	if dashed {
		s.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	return s
}

// Colours of lines: blue, vermilion, green, purple, grey (after Okabe and Ito,
// distinct to all eyes).
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}, color.RGBA{204, 121, 167, 255}, color.RGBA{90, 90, 90, 255},
}

// ramp is colours from dark to light, for layers of which there are more than colours
// that all eyes tell apart (five of Viridis, but for its lightest).
var ramp = []color.RGBA{{68, 1, 84, 255}, {59, 82, 139, 255}, {33, 145, 140, 255}, {94, 201, 98, 255}, {200, 200, 40, 255}}

// layerColour is that of a layer among others, in their order.
func layerColour(i, layers int) color.Color {
	if layers <= len(palette) {
		return palette[i]
	}
	at := float64(i) / float64(layers-1) * float64(len(ramp)-1)
	k := min(int(at), len(ramp)-2)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (at-float64(k))*(float64(b)-float64(a)))) }
	a, b := ramp[k], ramp[k+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// line adds a series as a line through its points; one of one point, as a dot.
func line(p *chart, series string, pts plotter.XYs, c color.Color, dashed bool) {
	if len(pts) == 1 {
		dots(p, series, pts, c)
		return
	}
	for _, at := range pts {
		p.points = append(p.points, point{at, series})
	}
	stroke(p, pts, c, dashed)
}

// stroke adds a line that is no series.
func stroke(p *chart, pts plotter.XYs, c color.Color, dashed bool) {
	if len(pts) == 0 {
		return
	}
	l, err := plotter.NewLine(pts)
	if err != nil {
		panic("report: a point is not a number")
	}
	l.LineStyle = lineStyle(c, dashed)
	p.Add(l)
}

// dot is how dots look.
func dot(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 2.4, Shape: draw.CircleGlyph{}}
}

// dots adds a series as dots.
func dots(p *chart, series string, pts plotter.XYs, c color.Color) {
	if len(pts) == 0 {
		return
	}
	s, err := plotter.NewScatter(pts)
	if err != nil {
		panic("report: a point is not a number")
	}
	s.GlyphStyle = dot(c)
	p.Add(s)
	for _, at := range pts {
		p.points = append(p.points, point{at, series})
	}
}

// ranked are points over 1, 2, 3, ..., without what is not a number.
func ranked(p *chart, y []float64) plotter.XYs {
	p.X.Tick.Marker = rankTicks{}
	pts := make(plotter.XYs, 0, len(y))
	for i, v := range y {
		if !math.IsNaN(v) {
			pts = append(pts, plotter.XY{X: float64(i + 1), Y: v})
		}
	}
	return pts
}

// nominal names the places 0, 1, 2, ... on the horizontal axis of a plot that is so wide:
// upright, where there is not room enough beside each other. It returns how much height that takes.
func nominal(p *chart, names []name, width vg.Length) vg.Length {
	const axis, upright = 60, 90
	slot := (width - axis) / vg.Length(len(names))
	sty := &p.X.Tick.Label
	turned := false
	for _, n := range names {
		turned = turned || sty.Width(n.Short) > slot
	}
	if turned {
		slot = upright
	}
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = fit(n.Short, sty.Font.Size, slot)
	}
	p.NominalX(short...)
	p.places = names
	if turned {
		sty.Rotation, sty.XAlign, sty.YAlign = math.Pi/2, text.XRight, text.YCenter
	}
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
	if !turned {
		return 0
	}
	var longest vg.Length
	for _, s := range short {
		longest = max(longest, sty.Width(s))
	}
	return longest
}

// drawPlot draws a chart. Where all that an axis shows is equal, it gets a range.
func drawPlot(p *chart, c draw.Canvas) {
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		if _, log := a.Scale.(plot.LogScale); log || math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) {
			continue
		}
		size := max(math.Abs(a.Min), math.Abs(a.Max))
		if size == 0 {
			size = 1
		}
		if a.Max-a.Min <= 1e-6*size {
			a.Min, a.Max = a.Min-size/2, a.Max+size/2
		}
	}
	p.Draw(c)
	area := p.DataCanvas(c)
	x, y := p.Transforms(&area)
	for _, at := range p.points {
		if place := (vg.Point{X: x(at.X), Y: y(at.Y)}); area.Contains(place) {
			note(c, place, p.text(at))
		}
	}
}

// panels places plots of one size side by side, in as many rows as they need, as many in each.
func (d *drawing) panels(width, height vg.Length, plots []*chart) {
	const gap = 8
	most := int(pageWidth / width)
	rows := (len(plots) + most - 1) / most
	columns := (len(plots) + rows - 1) / rows
	d.width, d.height = vg.Length(columns)*width, vg.Length(rows)*height
	if columns > 1 {
		d.panel, d.strip = width, height
	}
	d.draw = func(c draw.Canvas) {
		for i, p := range plots {
			x, y := vg.Length(i%columns)*width, vg.Length(rows-1-i/columns)*height
			drawPlot(p, box(c, x, y, width-gap, height))
		}
	}
}

// The size of a panel of which there is one for each layer, and of what its axes are called.
const layerPanelWidth, layerPanelHeight, layerPanelLabel = 192, 190, 10

// layerPanels draws a plot for each layer.
func (d *drawing) layerPanels(layers []layer, plotOf func(l layer) *chart) {
	var plots []*chart
	for _, l := range layers {
		p := plotOf(l)
		p.Title.Text = fit(l.Title.Short, p.Title.TextStyle.Font.Size, layerPanelWidth-margin)
		p.X.Label.TextStyle.Font.Size, p.Y.Label.TextStyle.Font.Size = layerPanelLabel, layerPanelLabel
		plots = append(plots, p)
	}
	d.panels(layerPanelWidth, layerPanelHeight, plots)
}

// box returns a part of c: offsets from its lower left corner.
func box(c draw.Canvas, x, y, w, h vg.Length) draw.Canvas {
	at := vg.Point{X: c.Min.X + x, Y: c.Min.Y + y}
	return draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: w, Y: h})}}
}

// roundStep is the least of 1, 2 and 5 times the powers of ten that is not less than x.
func roundStep(x float64) int {
	for decade := 1; ; decade *= 10 {
		for _, m := range []int{1, 2, 5} {
			if step := m * decade; float64(step) >= x {
				return step
			}
		}
	}
}

// rankTicks marks 1 and some multiples of a round number.
type rankTicks struct{}

// Ticks implements plot.Ticker.
func (rankTicks) Ticks(lo, hi float64) []plot.Tick {
	const most = 8
	step := max(2, roundStep(hi/most))
	var ticks []plot.Tick
	for v := 0; float64(v) <= hi; v += step {
		rank := max(v, 1)
		ticks = append(ticks, plot.Tick{Value: float64(rank), Label: strconv.Itoa(rank)})
	}
	return ticks
}

// linearTicks marks round values, with as many digits as they have.
type linearTicks struct{}

// Ticks implements plot.Ticker.
func (linearTicks) Ticks(lo, hi float64) []plot.Tick {
	const large, small = 1e6, 1e-4 // which powers of ten are written beyond
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	format, digits := byte('f'), 0
	if max(math.Abs(lo), math.Abs(hi)) >= large || hi-lo < small {
		format, digits = 'g', 1
	}
	for exact := false; !exact && digits < 17; digits++ {
		exact = true
		for i := range ticks {
			t := &ticks[i]
			if t.IsMinor() {
				continue
			}
			t.Label = strconv.FormatFloat(t.Value, format, digits, 64)
			written, err := strconv.ParseFloat(t.Label, 64)
			exact = exact && err == nil && math.Abs(written-t.Value) <= 1e-3*(hi-lo)
		}
	}
	return ticks
}

// logTicks marks 1, 2 and 5 times the powers of ten; over more than one and a half the powers
// alone, or some of these. Where that marks less than two values, it marks what a linear axis would.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	const most, detailed = 6, 1.5 // decades
	first, last := math.Log10(lo), math.Log10(hi)
	step, multiples := roundStep((last-first)/most), []float64{1}
	if last-first <= detailed {
		multiples = []float64{1, 2, 5}
	}
	var ticks []plot.Tick
	for decade := step * int(math.Floor(first/float64(step))); float64(decade) <= last; decade += step {
		for _, m := range multiples {
			if v := m * math.Pow10(decade); v >= lo && v <= hi {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	if len(ticks) < 2 {
		return slices.DeleteFunc(linearTicks{}.Ticks(lo, hi), func(t plot.Tick) bool { return t.Value < lo })
	}
	return ticks
}

// logScale makes an axis logarithmic if what it shows allows that.
func logScale(a *plot.Axis) {
	if a.Min > 0 && a.Max > a.Min*(1+1e-6) && !math.IsInf(a.Max, 0) {
		a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{}
	}
}
