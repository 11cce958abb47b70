package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// geometryNames are what measures of which images are alike are called.
var geometryNames = map[string]string{
	"mutual_neighbours": "mutual neighbours", "rsa": "RSA", "rbf_cka": "RBF CKA", "cka": "linear CKA", "debiased_cka": "debiased CKA",
}

// geometryName is that of a measure.
func geometryName(m results.GeometryMeasure) string {
	if name, ok := geometryNames[m.Name]; ok {
		return name
	}
	return m.Name
}

// geometry is whether the same images are alike to several networks.
func geometry(c *contents) *claim {
	layers := c.layersWith(func(l layer) bool { return l.Geometry != nil && len(l.Geometry.Measures) > 0 })
	if len(layers) == 0 {
		return nil
	}
	first := layers[0].Geometry.Measures[0].Mean
	claim := &claim{ID: "geometry", Title: "Are the same images alike?", Layers: layers,
		Number: fmt.Sprintf("In %s networks have %s of neighbours in common", layers[0].Title.Short, percent(first.Value)),
		answer: &answer{"Share of an image's nearest images that both networks agree on.", "shuffled null", func(l layer) answerPoint { return pointOf(l.Geometry.Measures[0].Mean, nil) }},
	}
	if first.Value == nil {
		claim.Number = "Too few images to have 10 neighbours each"
		sentence(&claim.Sentence, "There are too few images for the 10 nearest to each; the table has measures that need fewer.")
		return claim
	}
	sentence(&claim.Sentence, "Of the 10 images nearest to an image, by the means of units over its positions, two networks have %s in common.",
		endpoints(layers, " and ", func(l layer) string { return percent(l.Geometry.Measures[0].Mean.Value) }))
	if first.Null != nil {
		claim.Number += fmt.Sprintf(", %s by chance", percent(first.Null))
		claim.drawings = []drawing{drawGeometry(layers)}
	}
	if found, asked := beyondChance(layers); asked > 0 {
		sentence(&claim.Sentence, "Beside their shuffled null, %d of %d figures in the table below are larger than 95 %% of its draws, each by itself.", found, asked)
	}
	return claim
}

// beyondChance counts figures that are beyond the limit of chance, and those that have one.
func beyondChance(layers []layer) (found, all int) {
	for _, l := range layers {
		for _, m := range l.Geometry.Measures {
			if m.Mean.Value == nil || m.Mean.Limit == nil {
				continue
			}
			if all++; *m.Mean.Value > *m.Mean.Limit {
				found++
			}
		}
	}
	return found, all
}

func drawGeometry(layers []layer) drawing {
	d := drawing{name: "geometry", width: 560, height: 280,
		caption: "How alike the same images are to two networks beyond chance: each measure as a share of the way from what 95 % of shuffles of images do not pass to 1, mean over pairs of networks. 0 is no more than chance can give.",
		data:    [][]string{{"layer", "measure", "value", "null_mean", "null_limit", "p", "calibrated"}}}
	lines := make([]plotter.XYs, len(layers[0].Geometry.Measures))
	for i, m := range layers[0].Geometry.Measures {
		d.key = append(d.key, entry{geometryName(m), palette[i%len(palette)], asDots})
	}
	for x, l := range layers {
		for i, m := range l.Geometry.Measures {
			d.data = append(d.data, []string{l.Name, m.Name, cell(m.Mean.Value), cell(m.Mean.Null), cell(m.Mean.Limit), cell(m.Mean.P), cell(m.Mean.Calibrated)})
			lines[i] = appendPoint(lines[i], float64(x)+beside(i, len(l.Geometry.Measures)), m.Mean.Calibrated)
		}
	}
	d.draw = func(c draw.Canvas) {
		p := newPlot("", "calibrated", d.width)
		for i, pts := range lines {
			dots(p, d.key[i].name, pts, palette[i%len(palette)])
		}
		nominal(p, titles(layers), d.width)
		p.Y.Min, p.Y.Max = 0, 1
		drawPlot(p, c)
	}
	return d
}
