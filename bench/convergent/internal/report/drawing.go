package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// drawing is a figure to be made.
type drawing struct {
	name, caption string
	paper         string     // what the paper found
	data          [][]string // what it shows, as rows of a table with a header; nil if that is not numbers
	key           []entry    // of its lines, written above it
	width, height vg.Length  // of what draw draws
	panel         vg.Length  // the width of each of its columns, which a phone stacks; 0: it has none
	strip         vg.Length  // the height of each of its rows, if it has columns
	draw          func(c draw.Canvas)
}

// mark is a place of a picture, in points from its left and top, and what it shows.
type mark struct {
	x, y vg.Length
	text string
}

// marked is a canvas that keeps what its places show.
type marked struct {
	vg.Canvas
	height vg.Length
	marks  []mark
}

// note says what a place of a picture shows.
func note(c draw.Canvas, at vg.Point, text string) {
	if m, ok := c.Canvas.(*marked); ok {
		m.marks = append(m.marks, mark{at.X, m.height - at.Y, text})
	}
}

// pageWidth is about how wide the page is.
const pageWidth = 960

// entry of a key says what a kind of line, or dots, stand for.
type entry struct {
	name   string
	colour color.Color
	shape  shape
}

// shape is how a series is drawn.
type shape int

const (
	asLine shape = iota
	asDashes
	asDots
)

// layerKey names a line of each layer in its colour.
func layerKey(layers []name) []entry {
	var key []entry
	for i, l := range layers {
		key = append(key, entry{l.Short, layerColour(i, len(layers)), asLine})
	}
	return key
}

// keyEntry is an entry of a key as the page writes it where it stacks the panels of a figure.
type keyEntry struct {
	Name   string
	Colour template.CSS
	Dashed bool
}

// keyLines are the key of a figure that has columns.
func (d drawing) keyLines() (lines []keyEntry) {
	if d.panel == 0 {
		return nil
	}
	for _, e := range d.key {
		r, g, b, _ := e.colour.RGBA()
		lines = append(lines, keyEntry{e.name, template.CSS(fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)), e.shape == asDashes})
	}
	return lines
}

// The margin around a drawing, and the line height and parts of its key.
const (
	margin    = 6
	keyHeight = 15
	keyLine   = 20
	keyText   = 4 // between a line and its name, and below the key
	keyGap    = 16
	keySize   = 9
)

// place is where an entry of the key stands, from the left and in which line.
type place struct {
	x    vg.Length
	line int
}

// layout places the key's entries. Fonts that stand in for the one that is measured are
// wider, by a sixth at most.
func (d drawing) layout() []place {
	var places []place
	var at place
	for _, e := range d.key {
		width := keyLine + keyText + style(keySize).Width(e.name)*7/6
		if at.x > 0 && at.x+width > d.width {
			at = place{0, at.line + 1}
		}
		places = append(places, at)
		at.x += width + keyGap
	}
	return places
}

// size is that of the whole picture.
func (d drawing) size() (width, height vg.Length) {
	width, height = d.width+2*margin, d.height+2*margin
	if places := d.layout(); len(places) > 0 {
		height += vg.Length(places[len(places)-1].line+1)*keyHeight + keyText
	}
	return width, height
}

// svg draws it on white, and says what its places show.
func (d drawing) svg() ([]byte, []mark, error) {
	width, height := d.size()
	canvas := vgsvg.New(width, height)
	keep := &marked{Canvas: canvas, height: height}
	c := draw.NewCanvas(keep, width, height)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	places := d.layout()
	for i, e := range d.key {
		x, y := c.Min.X+margin+places[i].x, c.Max.Y-margin-keyHeight*(vg.Length(places[i].line)+0.4)
		if e.shape == asDots {
			c.DrawGlyph(dot(e.colour), vg.Point{X: x + keyLine/2, Y: y})
		} else {
			c.StrokeLine2(lineStyle(e.colour, e.shape == asDashes), x, y, x+keyLine, y)
		}
		label(c, fit(e.name, keySize, (d.width-keyLine-keyText)*6/7), x+keyLine+keyText, y, keySize, text.XLeft)
	}
	d.draw(box(c, margin, margin, d.width, d.height))
	var buf bytes.Buffer
	_, err := canvas.WriteTo(&buf)
	// Few have the font that was measured; Arial is as wide.
	return bytes.ReplaceAll(buf.Bytes(), []byte("font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;"), []byte("font-family:Arial,sans-serif;")), keep.marks, err
}
