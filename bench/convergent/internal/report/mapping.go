package report

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/spectral"
)

func drawMapping(c *contents, i int) drawing {
	l, d := c.layers[i], c.Layers[i]
	if d.W == nil {
		return drawing{}
	}
	order := d.Tree.Order()
	first, _ := d.W.Dims()
	// Of B = [[I, W], [W', I]], without the identity, which would drown the weights.
	weight := func(i, j int) float64 {
		a, b := min(order[i], order[j]), max(order[i], order[j])
		if a >= first || b < first {
			return 0
		}
		return d.W.At(a, b-first)
	}
	var largest float64
	for _, w := range d.W.RawMatrix().Data {
		largest = max(largest, math.Abs(w))
	}
	return drawing{
		name: "mapping_" + l.Name, width: 380, height: 400, data: c.mappingRows(l, d.W),
		caption: fmt.Sprintf("The weights W that predict the units of %s from those of %s by LASSO at lambda = %g, as B = [[I, W], [W', I]] over the units of both networks (the colour scale ends at ±%s), "+
			"in the order of the average-linkage tree above, whose height is the mean weight between what it joins. "+
			"Units that belong together, one to one or in small groups, form blocks on the diagonal.", c.place(l, 1), c.place(l, 0), d.WLambda, significantDigits(largest)),
		draw: func(canvas draw.Canvas) {
			canvas.DrawImage(box(canvas, 12, 12, 300, 300).Rectangle, heat(len(order), len(order), max(largest, math.SmallestNonzeroFloat64), weight))
			side := 300 / vg.Length(max(1, len(order)))
			for i := range order[:min(len(order), 2*notedUnits)] {
				for j := range order[:min(len(order), 2*notedUnits)] {
					if w := weight(i, j); w != 0 {
						a, b := min(order[i], order[j]), max(order[i], order[j])-first
						note(canvas, vg.Point{X: canvas.Min.X + 12 + side*(vg.Length(j)+0.5), Y: canvas.Min.Y + 312 - side*(vg.Length(i)+0.5)},
							fmt.Sprintf("unit %s to unit %s: weight %s", shorten(unitName(l.Layer, 0, a), nameLength), shorten(unitName(l.Layer, 1, b), nameLength), minus(fmt.Sprintf("%.3g", w))))
					}
				}
			}
			colourBar(box(canvas, 322, 12, 40, 300), significantDigits(largest))
			dendrogram(box(canvas, 12, 318, 300, 70), d.Tree, order)
			label(canvas, "units of both networks, as the tree orders them", canvas.Min.X+162, canvas.Min.Y+5, 8, text.XCenter)
			upwards := style(8)
			upwards.Rotation, upwards.XAlign = math.Pi/2, text.XCenter
			canvas.FillText(upwards, vg.Point{X: canvas.Min.X + 4, Y: canvas.Min.Y + 162}, "units of both networks")
		},
	}
}

// mappingRows lists the weights that are not 0.
func (c *contents) mappingRows(l layer, w *mat.Dense) [][]string {
	data := [][]string{{"unit of " + c.networks[0].Full, "unit of " + c.networks[1].Full, "weight"}}
	rows, cols := w.Dims()
	for i := range rows {
		for j := range cols {
			if v := w.At(i, j); v != 0 {
				data = append(data, []string{unitName(l.Layer, 0, i), unitName(l.Layer, 1, j), cell(v)})
			}
		}
	}
	return data
}

// dendrogram draws a tree over leaves in the given order, the joins of large
// similarity low.
func dendrogram(c draw.Canvas, t *spectral.Tree, order []int) {
	var top float64
	for _, m := range t.Merges {
		top = max(top, m.Height)
	}
	if top == 0 {
		return
	}
	width, height := c.Max.X-c.Min.X, c.Max.Y-c.Min.Y
	type node struct{ x, y vg.Length }
	nodes := make([]node, t.N+len(t.Merges))
	for place, leaf := range order {
		nodes[leaf] = node{c.Min.X + width*(vg.Length(place)+0.5)/vg.Length(len(order)), c.Min.Y}
	}
	c.SetLineWidth(0.5)
	c.SetColor(palette[4])
	for i, m := range t.Merges {
		if m.Height <= 0 {
			break // what is left has nothing in common
		}
		a, b := nodes[m.A], nodes[m.B]
		y := c.Min.Y + height*vg.Length(1-m.Height/top)*0.92 + height*0.06
		var p vg.Path
		p.Move(vg.Point{X: a.x, Y: a.y})
		p.Line(vg.Point{X: a.x, Y: y})
		p.Line(vg.Point{X: b.x, Y: y})
		p.Line(vg.Point{X: b.x, Y: b.y})
		c.Stroke(p)
		nodes[t.N+i] = node{(a.x + b.x) / 2, y}
	}
}
