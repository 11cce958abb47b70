package report

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// diverging maps -1 to blue, 0 to white and 1 to red.
func diverging(v float64) color.RGBA {
	fade := func(end uint8) uint8 { return uint8(math.Round(255 - math.Abs(v)*float64(255-end))) }
	v = max(-1, min(1, v))
	if v < 0 {
		return color.RGBA{fade(5), fade(48), fade(97), 255}
	}
	return color.RGBA{fade(103), fade(0), fade(31), 255}
}

// shades are the colours of diverging from -1 to 1: a picture of few colours takes few bytes.
var shades = func() (all color.Palette) {
	for i := -steps; i <= steps; i++ {
		all = append(all, diverging(float64(i)/steps))
	}
	return all
}()

// steps is how many shades either side of 0 has.
const steps = 127

// shade is the index of the colour of v.
func shade(v float64) uint8 { return uint8(steps + math.Round(steps*max(-1, min(1, v)))) }

// A heat map has about heatPixels along its longer edge, and at most mostHeatPixels.
const heatPixels, mostHeatPixels = 384, 768

// heat draws at(i, j) for the given numbers of rows and columns, the first row at the
// top, values divided by scale. Each entry is several pixels wide so that viewers do not
// blur it; of many entries each pixel shows the one that is largest in size.
func heat(rows, cols int, scale float64, at func(i, j int) float64) image.Image {
	pixels := max(1, heatPixels/max(rows, cols, 1))
	entries := (max(rows, cols) + mostHeatPixels - 1) / mostHeatPixels
	if entries <= 1 {
		img := image.NewPaletted(image.Rect(0, 0, cols*pixels, rows*pixels), shades)
		for y := range rows * pixels {
			for x := range cols * pixels {
				img.SetColorIndex(x, y, shade(at(y/pixels, x/pixels)/scale))
			}
		}
		return img
	}
	img := image.NewPaletted(image.Rect(0, 0, (cols+entries-1)/entries, (rows+entries-1)/entries), shades)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			largest := 0.0
			for i := y * entries; i < min(rows, (y+1)*entries); i++ {
				for j := x * entries; j < min(cols, (x+1)*entries); j++ {
					if v := at(i, j); math.Abs(v) > math.Abs(largest) {
						largest = v
					}
				}
			}
			img.SetColorIndex(x, y, shade(largest/scale))
		}
	}
	return img
}

// matrix is a heat map of the given rows and columns of m.
func matrix(m *mat.Dense, rows, cols []int, scale float64) image.Image {
	return heat(len(rows), len(cols), scale, func(i, j int) float64 { return m.At(rows[i], cols[j]) })
}

// correlationScale is where the colours of correlations end: at the largest in size, rounded
// up to tenths.
func correlationScale(m *mat.Dense) float64 {
	rows, cols := m.Dims()
	largest := 0.0
	for i := range rows {
		for _, v := range m.RawRowView(i)[:cols] {
			largest = max(largest, math.Abs(v))
		}
	}
	return max(0.1, min(1, math.Ceil(10*largest-1e-9)/10))
}

// sequential maps 0 to white and 1 to dark blue.
func sequential(v float64) color.RGBA {
	v = max(0, min(1, v))
	fade := func(end uint8) uint8 { return uint8(math.Round(255 - v*float64(255-end))) }
	return color.RGBA{fade(5), fade(48), fade(97), 255}
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
