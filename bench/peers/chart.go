package main

import (
	"fmt"
	"image/color"
	"os"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart draws every ratio, a line of dots for each kind of work, and a bar at the geometric
// mean, as an SVG. The colours are of numbers of threads.
func chart(path string, all []group) error {
	p := plot.New()
	p.X.Label.Text = "peer's time / ours (bar: geometric mean)"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, powersOfTwo{}
	var kinds []string
	var threads []int
	least, largest := 0.5, 2.0
	for _, g := range all {
		if !slices.Contains(kinds, g.Kind) {
			kinds = append(kinds, g.Kind)
		}
		if !slices.Contains(threads, g.Threads) {
			threads = append(threads, g.Threads)
		}
		least, largest = min(least, slices.Min(g.ratios)), max(largest, slices.Max(g.ratios))
	}
	p.X.Min, p.X.Max = least/1.1, largest*1.1
	slices.Reverse(kinds) // the first on top
	p.NominalY(kinds...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(kinds))-0.5

	level, err := plotter.NewLine(plotter.XYs{{X: 1, Y: p.Y.Min}, {X: 1, Y: p.Y.Max}})
	if err != nil {
		return err
	}
	level.Color = color.Gray{128}
	p.Add(level)
	colours := []color.NRGBA{{0x33, 0x66, 0xaa, 0xff}, {0xdd, 0x77, 0x22, 0xff}, {0x33, 0x99, 0x55, 0xff}, {0x99, 0x44, 0x99, 0xff}}
	for i, t := range threads {
		colour := colours[i%len(colours)]
		faint := colour
		faint.A = 0x70
		var dots, means plotter.XYs
		for _, g := range all {
			if g.Threads != t {
				continue
			}
			y := float64(slices.Index(kinds, g.Kind)) + 0.3*(0.5-float64(i)/float64(max(1, len(threads)-1)))
			for _, r := range g.ratios {
				dots = append(dots, plotter.XY{X: r, Y: y})
			}
			means = append(means, plotter.XY{X: g.mean(), Y: y})
		}
		for _, s := range []struct {
			at    plotter.XYs
			style draw.GlyphStyle
		}{
			{dots, draw.GlyphStyle{Color: faint, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}},
			{means, draw.GlyphStyle{Color: colour, Radius: vg.Points(5), Shape: bar{}}},
		} {
			scatter, err := plotter.NewScatter(s.at)
			if err != nil {
				return err
			}
			scatter.GlyphStyle = s.style
			p.Add(scatter)
			if _, isBar := s.style.Shape.(bar); !isBar {
				p.Legend.Add(fmt.Sprintf("threads: %d", t), scatter)
			}
		}
	}
	p.Legend.Top = true
	p.Legend.TextStyle.Font.Size = font.Points(10)
	c := vgsvg.New(vg.Points(640), vg.Points(60+22*float64(len(kinds))))
	p.Draw(draw.Crop(draw.New(c), vg.Points(20), -vg.Points(10), vg.Points(5), -vg.Points(10)))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// bar is an upright stroke.
type bar struct{}

func (bar) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: vg.Points(2)})
	var path vg.Path
	path.Move(vg.Point{X: at.X, Y: at.Y - s.Radius})
	path.Line(vg.Point{X: at.X, Y: at.Y + s.Radius})
	c.Stroke(path)
}

// powersOfTwo are the ticks of an axis of ratios.
type powersOfTwo struct{}

func (powersOfTwo) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for v := 1.0 / 64; v <= high; v *= 2 {
		if v >= low {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
		}
	}
	return ticks
}
