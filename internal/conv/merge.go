package conv

import "github.com/convergent-go/convergent/internal/level3"

// Groups of very few channels or filters would leave most of a product's tiles empty, and be
// many products. So several are taken for one, whose filters have zeros for the channels of
// the others.

// fewInGroup is how many channels or filters of a group are too few.
const fewInGroup = 8

// merged returns g with so many groups taken for one that each has a tile of channels and of
// filters, and whether that is quicker.
func (g Geometry) merged() (m Geometry, quicker bool) {
	least := min(g.C, g.Out) / g.groups()
	if g.groups() == 1 || least >= fewInGroup {
		return g, false
	}
	together := 1
	for together < g.groups() && (g.groups()%together != 0 || together*least < 32) {
		together++
	}
	m = g
	m.Groups = g.groups() / together
	return m, true
}

// rows calls f for what lies side by side in the filters of g and of m: n terms of a filter at
// a position.
func (m Geometry) rows(g Geometry, f func(merged, own, n int)) {
	depth, out, taps := g.C/g.groups(), g.Out/g.groups(), g.KH*g.KW
	together := g.groups() / m.groups()
	for o := range g.Out {
		first := o / out % together * depth // of the channels of m's group
		for tap := range taps {
			f((o*taps+tap)*depth*together+first, (o*taps+tap)*depth, depth)
		}
	}
}

// filters sets ws to the filters of m, of those of g.
func (m Geometry) filters(g Geometry, ws, w []float32) {
	clear(ws)
	m.rows(g, func(merged, own, n int) { copy(ws[merged:][:n], w[own:]) })
}

// forwardMerged is Forward of merged groups.
func (g Geometry) forwardMerged(threads int, y, x, w, bias []float32, relu bool) {
	m, _ := g.merged()
	ws := level3.Scratch(m.Out * m.patch())
	defer level3.Release(ws)
	m.filters(g, *ws, w)
	Forward(threads, m, y, x, *ws, bias, relu)
}

// backwardWeightsMerged is the gradient of the filters from merged groups.
func (g Geometry) backwardWeightsMerged(threads int, dw, x, dy []float32) {
	m, _ := g.merged()
	ws := level3.Scratch(m.Out * m.patch())
	defer level3.Release(ws)
	BackwardWeights(threads, m, *ws, nil, x, dy)
	m.rows(g, func(merged, own, n int) { copy(dw[own:][:n], (*ws)[merged:]) })
}

// backwardDataMerged is BackwardData of merged groups.
func (g Geometry) backwardDataMerged(threads int, dx, dy, w []float32) {
	m, _ := g.merged()
	ws := level3.Scratch(m.Out * m.patch())
	defer level3.Release(ws)
	m.filters(g, *ws, w)
	BackwardData(threads, m, dx, dy, *ws)
}
