package report

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/spectral"
)

// layerFigures are drawn for every layer, of networks 1 and 2 as in the paper. Of the first
// few the page has more than a picture.
var layerFigures = []func(a *study.Artifacts, layer int) drawing{
	drawCorrelation, drawPairs, drawMatching, drawMapping, drawClusters,
}

const onPage = 2

// drawGrid compares all layers of two networks.
func drawGrid(g study.Grid) drawing {
	const width, gap, left = 190, 40, 70
	cell := vg.Length(width) / vg.Length(max(len(g.LayersA), len(g.LayersB)))
	height := cell * vg.Length(len(g.LayersA))
	return drawing{
		name: fmt.Sprintf("layers_%d_%d", g.A+1, g.B+1), width: left + 3*(width+gap), height: height + 64,
		caption: fmt.Sprintf("Every layer of network %d (rows) beside every layer of network %d (columns), by units' means over the positions of an image: linear CKA, the mean correlation of the one-to-one matching, "+
			"and the share of variance of the column's units that the row's units explain linearly, adjusted for their number. Empty: too few images for so many units.", g.A+1, g.B+1),
		data: gridRows(g),
		draw: func(c draw.Canvas) {
			for k, panel := range []struct {
				title  string
				values [][]*float64
			}{{"CKA", g.CKA}, {"matched r", g.Matched}, {"linear R²", g.Linear}} {
				x := vg.Length(left + k*(width+gap))
				label(c, panel.title, c.Min.X+x+cell*vg.Length(len(g.LayersB))/2, c.Min.Y+height+52, 11, text.XCenter)
				for j, name := range g.LayersB {
					label(c, name, c.Min.X+x+cell*(vg.Length(j)+0.5), c.Min.Y+30-vg.Length(12*(j%2)), 8, text.XCenter)
				}
				for i, row := range panel.values {
					y := 40 + cell*vg.Length(len(panel.values)-1-i)
					if k == 0 {
						label(c, g.LayersA[i], c.Min.X+left-6, c.Min.Y+y+cell/2, 8, text.XRight)
					}
					for j, v := range row {
						if v == nil {
							continue
						}
						b := box(c, x+cell*vg.Length(j), y, cell, cell)
						c.SetColor(diverging(*v))
						c.Fill(b.Rectangle.Path())
						ink := color.Black
						if math.Abs(*v) > 0.5 {
							ink = color.White
						}
						labelIn(c, ink, fmt.Sprintf("%.2f", *v), (b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2, min(11, cell/3), text.XCenter)
					}
				}
			}
		},
	}
}

func gridRows(g study.Grid) [][]string {
	rows := [][]string{{"layer_a", "layer_b", "cka", "matched_r", "linear_r2"}}
	for i, a := range g.LayersA {
		for j, b := range g.LayersB {
			rows = append(rows, []string{a, b, known(g.CKA[i][j]), known(g.Matched[i][j]), known(g.Linear[i][j])})
		}
	}
	return rows
}

// block is the correlations between networks a and b.
func block(d study.LayerData, units []int, a, b int) *mat.Dense {
	begin := func(n int) (at int) {
		for _, u := range units[:n] {
			at += u
		}
		return at
	}
	return d.Correlation.Slice(begin(a), begin(a+1), begin(b), begin(b+1)).(*mat.Dense)
}

// upTo returns 0 to n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// byMatch lists A's matched units by falling correlation and their partners.
func byMatch(m study.Matching) (units, partners []int) {
	for u, r := range m.R {
		if r != nil {
			units = append(units, u)
		}
	}
	slices.SortStableFunc(units, func(x, y int) int { return cmp.Compare(*m.R[y], *m.R[x]) })
	for _, u := range units {
		partners = append(partners, m.Partner[u])
	}
	return units, partners
}

func drawCorrelation(a *study.Artifacts, i int) drawing {
	l, d := a.Results.Layers[i], a.Layers[i]
	pair := l.Pairs[0]
	m := block(d, l.Units, pair.A, pair.B)
	semiUnits, semiPartners := byMatch(pair.Semi)
	units, partners := byMatch(pair.Bipartite)
	return drawing{
		name: "correlation_" + l.Name, width: 760, height: 270,
		caption: "Correlations between the units of network 1 (rows) and network 2 (columns): as they come; with the columns reordered so that each row's best partner, " +
			"with replacement, is on the diagonal (semi-matching); and the same for the optimal one-to-one matching. Rows are sorted by the matched correlation. " +
			"The paper found a clear diagonal for a good part of the units, and others without any counterpart.",
		draw: func(c draw.Canvas) {
			for k, panel := range []struct {
				title      string
				rows, cols []int
			}{{"as trained", upTo(l.Units[pair.A]), upTo(l.Units[pair.B])}, {"semi-matching", semiUnits, semiPartners}, {"bipartite matching", units, partners}} {
				b := box(c, vg.Length(12+236*k), 12, 225, 225)
				label(c, panel.title, b.Min.X+112, b.Max.Y+12, 11, text.XCenter)
				if len(panel.rows) > 0 {
					c.DrawImage(b.Rectangle, matrix(m, panel.rows, panel.cols))
				}
			}
			colourBar(box(c, 722, 12, 30, 225), "1")
		},
	}
}

func drawMatching(a *study.Artifacts, i int) drawing {
	l := a.Results.Layers[i]
	pair := l.Pairs[0]
	units, _ := byMatch(pair.Semi)
	semi, best := make([]float64, len(units)), make([]float64, len(units))
	for k, u := range units {
		semi[k], best[k] = *pair.Semi.R[u], math.NaN()
		if r := pair.Bipartite.R[u]; r != nil {
			best[k] = *r
		}
	}
	null := pair.Null.Rotation
	data := [][]string{{"unit", "best_partner", "best_r", "partner", "r"}}
	for k, u := range units {
		data = append(data, []string{fmt.Sprint(u), fmt.Sprint(pair.Semi.Partner[u]), number(semi[k]), fmt.Sprint(pair.Bipartite.Partner[u]), known(pair.Bipartite.R[u])})
	}
	return drawing{
		name: "matching_" + l.Name, width: 380, height: 260, data: data, key: []entry{{"best partner", palette[0], false}, {"one to one", palette[1], false}, {"rotated", palette[4], true}},
		caption: fmt.Sprintf("Correlation of each unit of network 1 with its best partner (semi-matching, mean %.3f) and with its one-to-one partner (mean %.3f), units sorted by the former. "+
			"Both give the same partner to %.0f %% of the units. Dashed: the mean best correlation with randomly rotated units, %.3f (p = %.2g). "+
			"The paper found that where the two differ, the one-to-one partner is often much worse: several units share one counterpart.",
			pair.Semi.Mean, pair.Bipartite.Mean, 100*pair.SamePartner, null.SemiMean, null.P),
		draw: func(c draw.Canvas) {
			p := newPlot("", "unit of network 1, sorted", "correlation")
			curve(p, best, palette[1], false)
			curve(p, semi, palette[0], false)
			xy(p, plotter.XYs{{X: 1, Y: null.SemiMean}, {X: float64(max(2, len(units))), Y: null.SemiMean}}, palette[4], true)
			p.Y.Max = 1
			p.Y.Min = min(0, p.Y.Min)
			p.Draw(c)
		},
	}
}

// shownPairs and shownPatches are how many pairs at either end, and patches of a
// unit, are shown.
const shownPairs, shownPatches = 8, 4

// drawPairs is no drawing where no images are known.
func drawPairs(a *study.Artifacts, i int) drawing {
	l, d := a.Results.Layers[i], a.Layers[i]
	if d.Patches == nil {
		return drawing{}
	}
	pair := l.Pairs[0]
	units, partners := byMatch(pair.Bipartite)
	const size, gap = 26, 2
	filters := i == 0 && a.Filters != nil && l.Units[pair.A] == len(a.Filters[pair.A])
	count := min(shownPairs, (len(units)+1)/2)
	rowWidth := vg.Length(52 + 2*(shownPatches+1)*(size+gap) + 16)
	// row draws one matched pair: the first unit's filter and patches, then its
	// partner's.
	row := func(c draw.Canvas, k int) {
		label(c, fmt.Sprintf("%.3f", *pair.Bipartite.R[units[k]]), c.Min.X+2, c.Min.Y+size/2, 9, text.XLeft)
		x := vg.Length(40)
		for side, unit := range []int{units[k], partners[k]} {
			net := []int{pair.A, pair.B}[side]
			if filters {
				c.DrawImage(box(c, x, 0, size, size).Rectangle, sized(a.Filters[net][unit]))
			}
			for n, patch := range d.Patches[net][unit] {
				if n < shownPatches {
					c.DrawImage(box(c, x+vg.Length(n+1)*(size+gap), 0, size, size).Rectangle, sized(patch.Image))
				}
			}
			x += (shownPatches+1)*(size+gap) + 12
		}
	}
	what := "their most activating image patches"
	if filters {
		what = "their filters and most activating image patches"
	}
	return drawing{
		name: "pairs_" + l.Name, width: 2*rowWidth + 20, height: vg.Length(max(count, 1))*(size+gap) + 24,
		caption: fmt.Sprintf("The %d best (left) and %d worst (right) pairs of the one-to-one matching, with their correlation and %s: network 1's unit, then network 2's. "+
			"In the paper the best pairs of conv1 are near copies of each other, oriented edges and colour blobs; the worst have nothing in common.", count, count, what),
		draw: func(c draw.Canvas) {
			label(c, "best pairs", c.Min.X+8, c.Max.Y-8, 10, text.XLeft)
			label(c, "worst pairs", c.Min.X+rowWidth+18, c.Max.Y-8, 10, text.XLeft)
			for k := range count {
				y := c.Max.Y - c.Min.Y - 18 - vg.Length(k+1)*(size+gap)
				row(box(c, 6, y, rowWidth, size), k)
				row(box(c, rowWidth+16, y, rowWidth, size), len(units)-1-k)
			}
		},
	}
}

// sized brings a small image to some pixels more than it is shown in, by repeating pixels,
// so that viewers do not blur it; and a large one to fewer.
func sized(src image.Image) image.Image {
	const most = 26
	size := src.Bounds().Dx()
	if size > most {
		dst := image.NewRGBA(image.Rect(0, 0, most, most))
		xdraw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), xdraw.Src, nil)
		return dst
	}
	times := max(1, 40/size)
	dst := image.NewRGBA(image.Rect(0, 0, size*times, size*times))
	xdraw.NearestNeighbor.Scale(dst, dst.Bounds(), src, src.Bounds(), xdraw.Src, nil)
	return dst
}

func drawMapping(a *study.Artifacts, i int) drawing {
	l, d := a.Results.Layers[i], a.Layers[i]
	order := d.Tree.Order()
	joint := spectral.MappingGraph(d.W)
	var largest float64
	for _, w := range d.W.RawMatrix().Data {
		largest = max(largest, math.Abs(w))
	}
	return drawing{
		name: "mapping_" + l.Name, width: 380, height: 400, data: mappingRows(d.W),
		caption: fmt.Sprintf("The weights W that predict network 2's units from network 1's by LASSO at lambda = %g, as B = [[I, W], [W', I]] over the units of both networks (the colour scale ends at ±%.2f), "+
			"in the order of the average-linkage tree above, whose height is the mean weight between what it joins. "+
			"Units that belong together, one to one or in small groups, form blocks on the diagonal, as in the paper.", d.WLambda, max(largest, 0.005)),
		draw: func(c draw.Canvas) {
			b := box(c, 12, 12, 300, 300)
			c.DrawImage(b.Rectangle, heat(len(order), len(order), max(largest, 1e-12), func(i, j int) float64 {
				if i == j {
					return 0 // the identity would drown the weights
				}
				return joint.At(order[i], order[j])
			}))
			colourBar(box(c, 322, 12, 40, 300), fmt.Sprintf("%.2f", largest))
			dendrogram(box(c, 12, 318, 300, 70), d.Tree, order)
		},
	}
}

// mappingRows lists the weights that are not 0.
func mappingRows(w *mat.Dense) [][]string {
	data := [][]string{{"unit_1", "unit_2", "weight"}}
	rows, cols := w.Dims()
	for i := range rows {
		for j := range cols {
			if v := w.At(i, j); v != 0 {
				data = append(data, []string{fmt.Sprint(i), fmt.Sprint(j), number(v)})
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

func drawClusters(a *study.Artifacts, i int) drawing {
	l := a.Results.Layers[i]
	clusters := l.Pairs[0].Clusters
	var between, within []float64
	single := 0
	for _, c := range clusters {
		between, within = append(between, c.Between), append(within, c.Within)
		if len(c.A) == 0 || len(c.B) == 0 {
			single++
		}
	}
	return drawing{
		name: "clusters_" + l.Name, width: 380, height: 260, data: append([][]string{study.ClusterColumns}, study.ClusterRows(clusters)...), key: []entry{{"between networks", palette[0], false}, {"within", palette[1], false}},
		caption: fmt.Sprintf("Spectral clusters of the units of both networks, %d in all, by their mean correlation between the networks and within them. "+
			"Those with units of one network only, %d, score 0 between the networks. "+
			"The paper found that most clusters that hold units of both networks are about as alike between them as within.", len(clusters), single),
		draw: func(c draw.Canvas) {
			p := newPlot("", "cluster, sorted", "mean correlation")
			curve(p, within, palette[1], false)
			curve(p, between, palette[0], false)
			p.Y.Min = min(0, p.Y.Min)
			p.Draw(c)
		},
	}
}

// drawMeans compares the layers, over all pairs of networks.
func drawMeans(layers []layer) drawing {
	names := make([]string, len(layers))
	for i, l := range layers {
		names[i] = l.Name
	}
	data := [][]string{{"layer", "best_partner", "one_to_one", "rotated"}}
	for _, l := range layers {
		data = append(data, []string{l.Name, number(l.Semi.Mean), number(l.Bipartite.Mean), number(l.Null.Mean)})
	}
	return drawing{
		name: "means", width: 560, height: 280, data: data, key: []entry{{"best partner", palette[0], false}, {"one to one", palette[1], false}, {"best partner, rotated", palette[4], true}},
		caption: "Mean correlation of units with their partners in another network, by layer, over all pairs of networks (bars: the least and the largest of any pair). " +
			"The paper found 0.70, 0.56, 0.48, 0.37 and 0.42 for semi-matching in conv1 to conv5 of CaffeNet, and 0.66, 0.51, 0.45, 0.34 and 0.38 one to one. Dashed: the best partner among randomly rotated units, which the paper did not have.",
		draw: func(c draw.Canvas) {
			p := newPlot("", "", "mean correlation")
			for _, s := range []struct {
				of     func(layer) spread
				colour color.Color
				dashed bool
			}{
				{func(l layer) spread { return l.Semi }, palette[0], false},
				{func(l layer) spread { return l.Bipartite }, palette[1], false},
				{func(l layer) spread { return l.Null }, palette[4], true},
			} {
				var pts plotter.XYs
				for i, l := range layers {
					v := s.of(l)
					pts = append(pts, plotter.XY{X: float64(i), Y: v.Mean})
					xy(p, plotter.XYs{{X: float64(i), Y: v.Min}, {X: float64(i), Y: v.Max}}, s.colour, false)
				}
				xy(p, pts, s.colour, s.dashed)
			}
			p.NominalX(names...)
			p.X.Min, p.X.Max = -0.3, float64(len(layers))-0.7
			p.Y.Min, p.Y.Max = 0, 1
			p.Draw(c)
		},
	}
}

// drawLasso shows prediction loss and number of weights against lambda.
func drawLasso(layers []layer) drawing {
	data := [][]string{{"layer", "lambda", "loss", "r2", "weights"}}
	for _, l := range layers {
		for _, f := range l.Lasso {
			data = append(data, []string{l.Name, number(f.Lambda), number(f.Loss), number(f.R2), number(f.NonZero["0.01"])})
		}
	}
	return drawing{
		name: "lasso", width: 760, height: 280, data: data, key: keyOf(layers, func(l layer) string { return l.Name }),
		caption: "Sparse prediction of one network's units from another's: the loss (0.5 is predicting nothing) and the number of weights above 0.01 per unit, against the penalty lambda, means over all pairs of networks. " +
			"lambda is in units of correlation: the paper's times the number of channels. The paper found that a few weights predict nearly as well as all of them.",
		draw: func(c draw.Canvas) {
			loss, weights := newPlot("", "lambda", "prediction loss"), newPlot("", "lambda", "weights per unit")
			for k, l := range layers {
				var x, y plotter.XYs
				for _, f := range l.Lasso {
					if f.Lambda > 0 {
						x = append(x, plotter.XY{X: f.Lambda, Y: f.Loss})
						y = append(y, plotter.XY{X: f.Lambda, Y: f.NonZero["0.01"]})
					}
				}
				byX := func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) }
				slices.SortFunc(x, byX)
				slices.SortFunc(y, byX)
				xy(loss, x, palette[k%len(palette)], false)
				xy(weights, y, palette[k%len(palette)], false)
			}
			for k, p := range []*plot.Plot{loss, weights} {
				logScale(&p.X)
				p.Y.Min = 0
				if k == 0 {
					p.Y.Max = 0.55
				}
				p.Draw(box(c, vg.Length(380*k), 0, 370, 280))
			}
		},
	}
}
