package report

import (
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"
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

// lineStyle is that of a line.
func lineStyle(c color.Color, dashed bool) draw.LineStyle {
	s := draw.LineStyle{Color: c, Width: vg.Points(1.4)}
	if dashed {
		s.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	return s
}

// label writes text with its left end, or its middle, at a point.
func label(c draw.Canvas, s string, x, y, size vg.Length, align text.XAlignment) {
	labelIn(c, color.Black, s, x, y, size, align)
}

// labelIn is label in a colour.
func labelIn(c draw.Canvas, ink color.Color, s string, x, y, size vg.Length, align text.XAlignment) {
	sty := style(size)
	sty.Color, sty.XAlign = ink, align
	c.FillText(sty, vg.Point{X: x, Y: y}, s)
}

// newPlot returns a plot with its words set.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for _, s := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		size := s.Font.Size
		s.Font = sans
		s.Font.Size = size
	}
	return p
}

// Colours of lines: blue, vermilion, green, purple, grey (after Okabe and Ito,
// distinct to all eyes).
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}, color.RGBA{204, 121, 167, 255}, color.RGBA{90, 90, 90, 255},
}

// curve adds a line over 1, 2, 3, ... to p.
func curve(p *plot.Plot, y []float64, c color.Color, dashed bool) {
	p.X.Tick.Marker = rankTicks{}
	pts := make(plotter.XYs, 0, len(y))
	for i, v := range y {
		if !math.IsNaN(v) {
			pts = append(pts, plotter.XY{X: float64(i + 1), Y: v})
		}
	}
	xy(p, pts, c, dashed)
}

// xy adds a line through points to p.
func xy(p *plot.Plot, pts plotter.XYs, c color.Color, dashed bool) {
	if len(pts) == 0 {
		return
	}
	l, err := plotter.NewLine(pts)
	if err != nil {
		panic(err) // all points are numbers
	}
	l.LineStyle = lineStyle(c, dashed)
	p.Add(l)
}

// diverging maps -1 to blue, 0 to white and 1 to red.
func diverging(v float64) color.RGBA {
	fade := func(end uint8) uint8 { return uint8(math.Round(255 - math.Abs(v)*float64(255-end))) }
	v = max(-1, min(1, v))
	if v < 0 {
		return color.RGBA{fade(5), fade(48), fade(97), 255}
	}
	return color.RGBA{fade(103), fade(0), fade(31), 255}
}

// heat draws at(i, j) for the given numbers of rows and columns, the first row
// at the top, values divided by scale; each entry is several pixels wide so that
// viewers do not blur it.
func heat(rows, cols int, scale float64, at func(i, j int) float64) image.Image {
	cell := max(1, 384/max(rows, cols, 1))
	img := image.NewRGBA(image.Rect(0, 0, cols*cell, rows*cell))
	for y := range rows * cell {
		for x := range cols * cell {
			img.SetRGBA(x, y, diverging(at(y/cell, x/cell)/scale))
		}
	}
	return img
}

// matrix is heat of the given rows and columns of m; -1 is an empty one.
func matrix(m *mat.Dense, rows, cols []int) image.Image {
	return heat(len(rows), len(cols), 1, func(i, j int) float64 {
		if rows[i] < 0 || cols[j] < 0 {
			return 0
		}
		return m.At(rows[i], cols[j])
	})
}

// box returns a part of c: offsets from its lower left corner.
func box(c draw.Canvas, x, y, w, h vg.Length) draw.Canvas {
	at := vg.Point{X: c.Min.X + x, Y: c.Min.Y + y}
	return draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: w, Y: h})}}
}

// colourBar draws the scale from -limit to limit beside a matrix.
func colourBar(c draw.Canvas, limit string) {
	bar := box(c, 0, 0, 12, c.Max.Y-c.Min.Y)
	c.DrawImage(bar.Rectangle, heat(64, 2, 1, func(i, _ int) float64 { return 1 - 2*float64(i)/63 }))
	for i, s := range []string{"−" + limit, "0", limit} {
		y := bar.Min.Y + vg.Length(i)*(bar.Max.Y-bar.Min.Y)/2
		label(c, s, bar.Max.X+3, y, 8, text.XLeft)
	}
}

// rankTicks marks 1 and some multiples of a round number.
type rankTicks struct{}

// Ticks implements plot.Ticker.
func (rankTicks) Ticks(lo, hi float64) []plot.Tick {
	step := 2
	for _, next := range []int{5, 10, 20, 50, 100, 200, 500, 1000} {
		if hi > float64(8*step) {
			step = next
		}
	}
	var ticks []plot.Tick
	for v := 0; float64(v) <= hi; v += step {
		rank := max(v, 1)
		ticks = append(ticks, plot.Tick{Value: float64(rank), Label: strconv.Itoa(rank)})
	}
	return ticks
}

// logTicks marks 1, 2 and 5 times the powers of ten.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	for decade := math.Pow(10, math.Floor(math.Log10(lo))); decade <= hi; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * decade; v >= lo && v <= hi {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	return ticks
}

// logScale makes an axis logarithmic if what it shows allows that.
func logScale(a *plot.Axis) {
	if a.Min > 0 && a.Max > a.Min && !math.IsInf(a.Max, 0) {
		a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{}
	}
}
