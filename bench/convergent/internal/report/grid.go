package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// The parts of a grid's figure.
const (
	gridPanelWidth = 190
	gridPanelGap   = 40
	gridLeft       = 90 // for the names of rows
	gridLabelSize  = 8
	gridLine       = 10 // that a name takes
)

// gridLayout says where the parts of a grid's figure are.
type gridLayout struct {
	results.Grid
	cell, bottom  vg.Length
	rows, columns []name
	widest        vg.Length // of the names of columns
}

func newGridLayout(g results.Grid) gridLayout {
	f := gridLayout{Grid: g, cell: gridPanelWidth / vg.Length(max(len(g.LayersA), len(g.LayersB), 2)), rows: shortNames(g.LayersA), columns: shortNames(g.LayersB), bottom: 2 * gridLine}
	for _, n := range f.columns {
		f.widest = max(f.widest, style(gridLabelSize).Width(n.Short))
	}
	if f.upright() {
		f.bottom = gridLeft
	}
	return f
}

// upright says whether names of columns are written upwards, since two lines are too few.
func (f gridLayout) upright() bool { return f.widest > 2*f.cell }

// stride is how many names share the room of one.
func (f gridLayout) stride() int { return int(math.Ceil(float64(gridLine / f.cell))) }

// height is that of a panel.
func (f gridLayout) height() vg.Length { return f.cell * vg.Length(len(f.LayersA)) }

// gridPanel is a figure of every two layers.
type gridPanel struct {
	title  string
	values [][]*float64
}

// drawGrid compares all layers of two networks; of all but the first two, the caption is
// short.
func drawGrid(c *contents, g results.Grid, first bool) drawing {
	f := newGridLayout(g)
	panels := []gridPanel{{"CKA", g.CKA}, {"matched r", g.Matched}, {"linear R²", g.Linear}}
	if g.CalibratedCKA != nil {
		panels = slices.Insert(panels, 1, gridPanel{"CKA, calibrated", g.CalibratedCKA})
	}
	caption := fmt.Sprintf("Every layer of %s (rows) beside every layer of %s (columns)", c.network(g.A), c.network(g.B))
	if first {
		caption += ", by units' means over the positions of a sample: linear CKA, the mean correlation of the one-to-one matching, " +
			"and the share of variance of the column's units that the row's units explain linearly, in a mean over units. " +
			"That share is of the samples that the prediction was fitted to, and rises with the number of units. Empty: too few samples for so many units"
	}
	if g.CKAP != nil && g.CKALimit != nil {
		caption += fmt.Sprintf(". Where images are shuffled, the largest CKA of any two layers is below %s 95 %% of the time, and at least as large as it is here with p = %s", decimals(2, g.CKALimit), significantDigits(g.CKAP))
		if first {
			caption += "; calibrated is how far CKA is from that limit on the way to 1. A frame is around the column that is most like its row"
		}
	}
	return drawing{
		name: fmt.Sprintf("layers_%d_%d", g.A+1, g.B+1), width: gridLeft + vg.Length(len(panels)*(gridPanelWidth+gridPanelGap)), height: f.bottom + f.height() + 4*gridLine + 6,
		caption: caption + ".",
		data:    gridRows(c, g),
		draw: func(canvas draw.Canvas) {
			drawScale(canvas)
			canvas = box(canvas, 0, gridLine+6, canvas.Max.X-canvas.Min.X, canvas.Max.Y-canvas.Min.Y-gridLine-6)
			for k, panel := range panels {
				x := vg.Length(gridLeft + k*(gridPanelWidth+gridPanelGap))
				label(canvas, panel.title, canvas.Min.X+x+f.cell*vg.Length(len(g.LayersB))/2, canvas.Min.Y+f.bottom+f.height()+gridLine, 11, text.XCenter)
				f.drawNames(canvas, x, k == 0)
				f.drawCells(canvas, x, panel.title, panel.values)
				if k == 0 && g.CalibratedCKA != nil {
					f.frameLargest(canvas, x, panel.values)
				}
			}
		},
	}
}

// drawScale draws what colours stand for, below the panels.
func drawScale(c draw.Canvas) {
	const width, height = 120, 8
	bar := box(c, gridLeft, 2, width, height)
	img := image.NewRGBA(image.Rect(0, 0, 120, 8))
	for i := range 120 * 8 {
		img.SetRGBA(i%120, i/120, sequential(float64(i%120)/119))
	}
	c.DrawImage(bar.Rectangle, img)
	label(c, "0 or less", bar.Min.X-4, bar.Min.Y+height/2, gridLabelSize, text.XRight)
	label(c, "1", bar.Max.X+4, bar.Min.Y+height/2, gridLabelSize, text.XLeft)
}

// drawNames writes the names of the columns of a panel, and those of rows if asked.
func (f gridLayout) drawNames(c draw.Canvas, x vg.Length, rows bool) {
	const gap = 6
	for j := 0; j < len(f.columns); j += f.stride() {
		at := vg.Point{X: c.Min.X + x + f.cell*(vg.Length(j)+0.5), Y: c.Min.Y + f.bottom - gap}
		sty := style(gridLabelSize)
		width := 2 * f.cell
		if f.upright() {
			sty.Rotation, sty.XAlign, width = math.Pi/2, text.XRight, f.bottom-gap
		} else if sty.XAlign = text.XCenter; f.widest > f.cell {
			at.Y -= vg.Length(gridLine * (j / f.stride() % 2))
		}
		c.FillText(sty, at, fit(f.columns[j].Short, gridLabelSize, width))
	}
	for i := 0; rows && i < len(f.LayersA); i += f.stride() {
		y := f.bottom + f.cell*(vg.Length(len(f.LayersA)-i)-0.5)
		label(c, fit(f.rows[i].Short, gridLabelSize, gridLeft-2*gap), c.Min.X+x-gap, c.Min.Y+y, gridLabelSize, text.XRight)
	}
}

// drawCells fills a panel.
func (f gridLayout) drawCells(c draw.Canvas, x vg.Length, title string, values [][]*float64) {
	const legible = 21
	for i, row := range values {
		y := f.bottom + f.cell*vg.Length(len(values)-1-i)
		for j, v := range row {
			if v == nil {
				continue
			}
			b := box(c, x+f.cell*vg.Length(j), y, f.cell, f.cell)
			c.SetColor(sequential(*v))
			c.Fill(b.Rectangle.Path())
			note(c, vg.Point{X: (b.Min.X + b.Max.X) / 2, Y: (b.Min.Y + b.Max.Y) / 2}, fmt.Sprintf("%s, %s and %s: %s", title, f.rows[i].Short, f.columns[j].Short, decimals(3, *v)))
			if f.cell < legible {
				continue
			}
			sty := style(min(11, f.cell/2.9))
			sty.XAlign, sty.Color = text.XCenter, numberColour(*v)
			c.FillText(sty, vg.Point{X: (b.Min.X + b.Max.X) / 2, Y: (b.Min.Y + b.Max.Y) / 2}, decimals(2, *v))
		}
	}
}

// numberColour is that of a number on its shade: of black and white the one that can be read.
func numberColour(v float64) color.Color {
	if v > 0.65 {
		return color.White
	}
	return color.Black
}

// frameLargest draws a frame around the largest value of each row.
func (f gridLayout) frameLargest(c draw.Canvas, x vg.Length, values [][]*float64) {
	for i, row := range values {
		best := -1
		for j, v := range row {
			if v != nil && (best < 0 || *v > *row[best]) {
				best = j
			}
		}
		if best >= 0 {
			b := box(c, x+f.cell*vg.Length(best), f.bottom+f.cell*vg.Length(len(values)-1-i), f.cell, f.cell)
			c.StrokeLines(draw.LineStyle{Color: color.Black, Width: vg.Points(1.2)}, []vg.Point{b.Min, {X: b.Min.X, Y: b.Max.Y}, b.Max, {X: b.Max.X, Y: b.Min.Y}, b.Min})
		}
	}
}

func gridRows(c *contents, g results.Grid) [][]string {
	rows := [][]string{{"layer of " + c.networks[g.A].Full, "layer of " + c.networks[g.B].Full, "cka", "calibrated_cka", "matched_r", "linear_r2"}}
	for i, a := range g.LayersA {
		for j, b := range g.LayersB {
			calibrated := ""
			if g.CalibratedCKA != nil {
				calibrated = cell(g.CalibratedCKA[i][j])
			}
			rows = append(rows, []string{a, b, cell(g.CKA[i][j]), calibrated, cell(g.Matched[i][j]), cell(g.Linear[i][j])})
		}
	}
	return rows
}
