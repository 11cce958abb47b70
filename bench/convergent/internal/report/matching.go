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

func drawCorrelation(c *contents, i int) drawing {
	l, d := c.layers[i], c.Layers[i]
	pair := l.Pairs[0]
	m := crossCorrelation(d, l.Units, pair.A, pair.B)
	semiUnits, semiPartners := matchedOrder(pair.Semi)
	units, partners := matchedOrder(pair.Bipartite)
	return drawing{
		name: "correlation_" + l.Name, width: 760, height: 270,
		caption: fmt.Sprintf("Correlations between the units of %s (rows) and %s (columns): as they come; with the columns reordered so that each row's best partner, "+
			"with replacement, is on the diagonal (semi-matching); and the same for the optimal one-to-one matching. Rows are sorted by the matched correlation.", c.place(l, pair.A), c.place(l, pair.B)),
		paper: "The paper found a clear diagonal for a good part of the units, and others without any counterpart.",
		draw: func(canvas draw.Canvas) {
			for k, panel := range []struct {
				title      string
				rows, cols []int
			}{{"as they come", unitNumbers(l.Units[pair.A]), unitNumbers(l.Units[pair.B])}, {"semi-matching", semiUnits, semiPartners}, {"bipartite matching", units, partners}} {
				b := box(canvas, vg.Length(12+236*k), 12, 225, 225)
				label(canvas, panel.title, b.Min.X+112, b.Max.Y+12, 11, text.XCenter)
				if len(panel.rows) > 0 {
					canvas.DrawImage(b.Rectangle, matrix(m, panel.rows, panel.cols))
				}
			}
			colourBar(box(canvas, 722, 12, 30, 225), "1")
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
		name: "matching_" + l.Name, width: width, height: height, data: data, key: []entry{{"best partner", palette[0], false}, {"one to one", palette[1], false}, {"rotated", palette[4], true}},
		caption: fmt.Sprintf("Correlation of each unit of %s with its best partner in %s (semi-matching, mean %s) and with its one-to-one partner (mean %s), units sorted by the former. "+
			"Both give the same partner to %s of the units. Dashed: the mean best correlation with randomly rotated units, %s (p = %s).",
			c.place(l, pair.A), c.place(l, pair.B), decimals(3, pair.Semi.Mean), decimals(3, pair.Bipartite.Mean), percent(pair.SamePartner), decimals(3, null.SemiMean), significantDigits(null.P)),
		paper: "The paper found that where the two differ, the one-to-one partner is often much worse: several units share one counterpart.",
		draw: func(canvas draw.Canvas) {
			p := newPlot("unit of "+c.network(pair.A)+", sorted", "correlation", width)
			curve(p, best, palette[1], false)
			curve(p, semi, palette[0], false)
			line(p, plotter.XYs{{X: 1, Y: null.SemiMean}, {X: float64(max(2, len(units))), Y: null.SemiMean}}, palette[4], true)
			p.Y.Max = 1
			p.Y.Min = min(0, p.Y.Min)
			drawPlot(p, canvas)
		},
	}
}
