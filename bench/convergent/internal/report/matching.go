package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// crossCorrelation is the correlations between networks a and b.
func crossCorrelation(d results.LayerData, units []int, a, b int) *mat.Dense {
	begin := func(n int) (at int) {
		for _, u := range units[:n] {
			at += u
		}
		return at
	}
	return d.Correlation.Slice(begin(a), begin(a+1), begin(b), begin(b+1)).(*mat.Dense)
}

// unitNumbers returns 0 to n-1.
func unitNumbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// matchedOrder lists A's matched units by falling correlation and their partners.
func matchedOrder(m results.Matching) (units, partners []int) {
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

// notedUnits is of how many rows and columns of a matrix its figure tells values: those on
// the diagonal, and others that are large. The page's matrix tells all.
const notedUnits = 200

func drawCorrelation(c *contents, i int) drawing {
	l, d := c.layers[i], c.Layers[i]
	if d.Correlation == nil {
		return drawing{}
	}
	pair := l.Pairs[0]
	m := crossCorrelation(d, l.Units, pair.A, pair.B)
	semiUnits, semiPartners := matchedOrder(pair.Semi)
	units, partners := matchedOrder(pair.Bipartite)
	scale := correlationScale(m)
	rowsOf, colsOf := c.place(l, pair.A), c.place(l, pair.B)
	return drawing{
		name: "correlation_" + l.Name, width: 776, height: 288,
		caption: fmt.Sprintf("Correlations between the units of %s (rows) and %s (columns) in %s: as they come; with the columns reordered so that each row's best partner, "+
			"with replacement, is on the diagonal (semi-matching); and the same for the one-to-one matching. Rows are sorted by the matched correlation. The more of the diagonal is red, and the less beside it, the more units correspond.", rowsOf, colsOf, l.Title.Short),
		paper: "The paper found a clear diagonal for a good part of the units, and others without any counterpart.",
		draw: func(canvas draw.Canvas) {
			for k, panel := range []struct {
				title      string
				rows, cols []int
			}{{"before matching", unitNumbers(l.Units[pair.A]), unitNumbers(l.Units[pair.B])}, {"semi-matching", semiUnits, semiPartners}, {"one-to-one matching", units, partners}} {
				b := box(canvas, vg.Length(28+236*k), 30, 225, 225)
				label(canvas, panel.title, b.Min.X+112, b.Max.Y+12, 11, text.XCenter)
				label(canvas, fit("units of "+colsOf, 9, 225), b.Min.X+112, b.Min.Y-10, 9, text.XCenter)
				if len(panel.rows) > 0 {
					canvas.DrawImage(b.Rectangle, matrix(m, panel.rows, panel.cols, scale))
				}
				for i, u := range panel.rows[:min(len(panel.rows), notedUnits)] {
					for j, v := range panel.cols[:min(len(panel.cols), notedUnits)] {
						if r := m.At(u, v); i == j || math.Abs(r) >= 0.6*scale {
							side := 225 / vg.Length(len(panel.rows))
							note(canvas, vg.Point{X: b.Min.X + 225/vg.Length(len(panel.cols))*(vg.Length(j)+0.5), Y: b.Max.Y - side*(vg.Length(i)+0.5)},
								fmt.Sprintf("unit %s and unit %s: r %s", shorten(unitName(l.Layer, pair.A, u), nameLength), shorten(unitName(l.Layer, pair.B, v), nameLength), decimals(2, r)))
						}
					}
				}
			}
			rows := style(9)
			rows.Rotation, rows.XAlign = math.Pi/2, text.XCenter
			canvas.FillText(rows, vg.Point{X: canvas.Min.X + 14, Y: canvas.Min.Y + 142}, fit("units of "+rowsOf, 9, 225))
			colourBar(box(canvas, 740, 30, 30, 225), decimals(1, scale))
		},
	}
}

func drawMatching(c *contents, i int) drawing {
	const width, height = 380, 260
	l := c.layers[i]
	pair, a, b := l.Pairs[0], c.networks[l.Pairs[0].A].Full, c.networks[l.Pairs[0].B].Full
	units, _ := matchedOrder(pair.Semi)
	semi, best := make([]float64, len(units)), make([]float64, len(units))
	data := [][]string{{"unit of " + a, "best partner in " + b, "r of best partner", "partner in " + b, "r of partner"}}
	for k, u := range units {
		semi[k], best[k] = *pair.Semi.R[u], math.NaN()
		partner := ""
		if r := pair.Bipartite.R[u]; r != nil {
			best[k], partner = *r, unitName(l.Layer, pair.B, pair.Bipartite.Partner[u])
		}
		data = append(data, []string{unitName(l.Layer, pair.A, u), unitName(l.Layer, pair.B, pair.Semi.Partner[u]), cell(semi[k]), partner, cell(pair.Bipartite.R[u])})
	}
	null := pair.Null.Rotation
	return drawing{
		name: "matching_" + l.Name, width: width, height: height, data: data, key: []entry{{"semi-matching", palette[0], asLine}, {"one-to-one matching", palette[1], asDots}, {"rotated null", palette[4], asDashes}},
		caption: fmt.Sprintf("Correlation of each unit of %s with its best partner in %s (line: semi-matching, mean %s) and with its one-to-one partner (dots, mean %s), units sorted by the former. "+
			"Both give the same partner to %s of the units. Dashed: the mean semi-matching with randomly rotated units, %s (p = %s).",
			c.place(l, pair.A), c.place(l, pair.B), decimals(3, pair.Semi.Mean), decimals(3, pair.Bipartite.Mean), percent(pair.SamePartner), decimals(3, null.SemiMean), significantDigits(null.P)),
		paper: "The paper found that where the two differ, the one-to-one partner is often much worse: several units share one counterpart.",
		draw: func(canvas draw.Canvas) {
			p := newPlot("unit of "+c.network(pair.A)+", sorted", "correlation", width)
			line(p, "semi-matching", ranked(p, semi), palette[0], false)
			dots(p, "one-to-one matching", ranked(p, best), palette[1])
			stroke(p, plotter.XYs{{X: 1, Y: null.SemiMean}, {X: float64(max(2, len(units))), Y: null.SemiMean}}, palette[4], true)
			p.Y.Max = 1
			p.Y.Min = min(0, p.Y.Min)
			drawPlot(p, canvas)
		},
	}
}
